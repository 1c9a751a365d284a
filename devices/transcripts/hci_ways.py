"""Who a packet of HCI goes from and to in a picture: peers on the radio, not a host and its own controller.

A transcript holds what each host and its controller said to each other, data packets at both ends. A picture shows each
data packet once, where it set out; of the rest what a host learns from the radio: adverts, connections and their ends,
encryption. Source: Core Specification 5.4, Vol 4, Part E, 5.4 and 7.
"""

from collections.abc import Mapping
from typing import Final

from devices.decode.hci import COMMAND, DATA, EVENT
from devices.transcripts.reader import Frame

MEDIUM: Final = "ble"
HOST: Final = b"host"
_KINDS: Final = frozenset(bytes((kind,)) for kind in (COMMAND, DATA, EVENT))
_HANDLE_MASK: Final = 0x0FFF
_DISCONNECTION_COMPLETE, _LE_META = 0x05, 0x3E
_OF_THE_RADIO: Final = frozenset({_DISCONNECTION_COMPLETE, 0x08, 0x30, 0x59})
_CONNECTION_COMPLETE: Final = frozenset({0x01, 0x0A})
_CENTRAL: Final = 0
_ADDRESS_AT: Final[Mapping[bytes, int]] = {
    b"\x01\x05\x20": 4,  # LE Set Random Address
    b"\x01\x35\x20": 5,  # LE Set Advertising Set Random Address, after the set's number
}
_READ_BD_ADDR_COMPLETE: Final = b"\x09\x10\x00"
_REPORT_ADDRESS_AT: Final[Mapping[int, int]] = {0x02: 7, 0x0D: 8}
"""LE Advertising Report and LE Extended Advertising Report: where the address of the first report stands."""


def own_address(frame: Frame) -> bytes | None:
    """The device address, least significant octet first, that this packet gives to its host; None = it gives none."""
    payload = frame.payload
    at = _ADDRESS_AT.get(payload[:3])
    if payload[:2] == b"\x04\x0e" and payload[4:7] == _READ_BD_ADDR_COMPLETE:
        at = 7
    return payload[at : at + 6] if at is not None and len(payload) >= at + 6 else None


class HciWays:
    """Follows the connections of every host through a transcript."""

    def __init__(self, owners: Mapping[bytes, str]) -> None:
        self._owners = owners
        self._peers: dict[tuple[str, int], str] = {}

    def way(self, frame: Frame) -> tuple[str, tuple[str, ...]] | None:
        """Who sends and who receives; None = it stays between a host and its controller."""
        payload = frame.payload
        if payload[0] == DATA and frame.source == HOST and len(payload) > 2:
            handle = int.from_bytes(payload[1:3], "little") & _HANDLE_MASK
            return frame.sender, _known(self._peers.get((frame.sender, handle)))
        return self._way_of_event(frame) if payload[0] == EVENT and len(payload) > 3 else None

    def _way_of_event(self, frame: Frame) -> tuple[str, tuple[str, ...]] | None:
        payload = frame.payload
        if payload[1] in _OF_THE_RADIO:
            return frame.sender, ()
        if payload[1] != _LE_META:
            return None
        if payload[3] in _CONNECTION_COMPLETE and len(payload) > 14:
            peer = self._owners.get(payload[9:15])
            if payload[4] == 0 and peer is not None:
                self._peers[frame.sender, int.from_bytes(payload[5:7], "little") & _HANDLE_MASK] = peer
            return (frame.sender, _known(peer)) if payload[7] == _CENTRAL else None
        at = _REPORT_ADDRESS_AT.get(payload[3])
        if at is None:
            return None
        advertiser = self._owners.get(payload[at : at + 6])
        return (frame.sender, ()) if advertiser is None else (advertiser, (frame.sender,))


def is_hci(frame: Frame) -> bool:
    """Whether it is a packet between a host and its controller."""
    return frame.medium == MEDIUM and frame.payload[:1] in _KINDS


def _known(peer: str | None) -> tuple[str, ...]:
    return () if peer is None else (peer,)
