"""The joiner relay's messages: RLY_RX (c/rx) to the Commissioner, RLY_TX (c/tx) to the Joiner Router.

Each carries one UDP datagram of a joiner's DTLS connection. Both are NON and get no answer. Thread specification,
chapter 8.4.4.4; the order of TLVs is that of OpenThread (c/rx) and ot-commissioner (c/tx).
"""

from dataclasses import dataclass, field

from pairing.errors import DecodeError
from pairing.thread.tlvs import MeshCopTlvType, Tlv, join_tlvs, split_tlvs, tlv_name

_T = MeshCopTlvType
_LENGTHS = {_T.JOINER_UDP_PORT: 2, _T.JOINER_IID: 8, _T.JOINER_ROUTER_LOCATOR: 2, _T.JOINER_DTLS_ENCAPSULATION: 0}
_KEK_LENGTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayMessage:
    """One datagram of the joiner with this interface identifier, behind this Joiner Router."""

    joiner_udp_port: int
    joiner_iid: bytes
    joiner_router_locator: int
    dtls: bytes = field(repr=False)
    kek: bytes | None = field(default=None, repr=False)
    """With RLY_TX only: entrust the joiner, in a frame secured with this key."""

    @classmethod
    def decode(cls, payload: bytes) -> "RelayMessage":
        """The message in TLVs of any order; unknown ones are not looked at."""
        first: dict[int, bytes] = {}
        for tlv in split_tlvs(payload, extended=True):
            first.setdefault(tlv.type, tlv.value)
        for tlv_type, length in _LENGTHS.items():
            value = first.get(tlv_type)
            if value is None or len(value) < length:
                came = "none" if value is None else f"{len(value)} bytes"
                raise DecodeError(0, f"relay message: {tlv_name(tlv_type)} of {length} bytes expected, came {came}")
        kek = first.get(_T.JOINER_ROUTER_KEK)
        if kek is not None and len(kek) < _KEK_LENGTH:
            raise DecodeError(0, f"relay message: KEK has {len(kek)} bytes, expected {_KEK_LENGTH}")
        return cls(
            joiner_udp_port=int.from_bytes(first[_T.JOINER_UDP_PORT][:2], "big"),
            joiner_iid=first[_T.JOINER_IID][:8],
            joiner_router_locator=int.from_bytes(first[_T.JOINER_ROUTER_LOCATOR][:2], "big"),
            dtls=first[_T.JOINER_DTLS_ENCAPSULATION],
            kek=None if kek is None else kek[:_KEK_LENGTH],
        )

    def encode_received(self) -> bytes:
        """The payload of RLY_RX."""
        port, locator, iid, dtls = self._tlvs()
        return join_tlvs((port, iid, locator, dtls), extended=True)

    def encode_transmit(self) -> bytes:
        """The payload of RLY_TX."""
        tlvs = list(self._tlvs())
        if self.kek is not None:
            tlvs.append(Tlv(_T.JOINER_ROUTER_KEK, self.kek))
        return join_tlvs(tlvs, extended=True)

    def _tlvs(self) -> tuple[Tlv, Tlv, Tlv, Tlv]:
        return (
            Tlv(_T.JOINER_UDP_PORT, self.joiner_udp_port.to_bytes(2, "big")),
            Tlv(_T.JOINER_ROUTER_LOCATOR, self.joiner_router_locator.to_bytes(2, "big")),
            Tlv(_T.JOINER_IID, self.joiner_iid),
            Tlv(_T.JOINER_DTLS_ENCAPSULATION, self.dtls),
        )
