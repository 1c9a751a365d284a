"""Protects unicast NAN frames between devices that share keys, and drops what should have been protected.

NM-TK protects service discovery and action frames between the management addresses of paired devices, ND-TK those
between the data interfaces of two that only share a secure data path. Multicast stays public. Authentication frames
pass: a peer that has forgotten us must be able to pair again.
Source: Wi-Fi Aware specification 4.0, sections 7.4 (robust management frames) and 9.1; IEEE 802.11-2020, 12.5.
"""

from dataclasses import dataclass, replace

from pairing.engine import Transmit
from pairing.errors import AuthenticationError, RemoteProtocolError
from pairing.ieee80211.elements import CipherSuite
from pairing.ieee80211.frames import Category, ManagementFrame, Subtype
from pairing.ieee80211.protection import Protection
from pairing.ieee80211.protection_mistakes import known_tag_mistake
from pairing.keys import NanPairingKeys
from pairing.nan.frames import is_nan_frame
from pairing.nan.identifiers import address_text
from pairing.nan.key_schedule import suite_hash

KEY_LENGTH_OF_GCMP = 32


@dataclass(slots=True, repr=False)
class KeyInUse:
    """A pairwise key, and the pairing that it belongs to."""

    protection: Protection
    tk: bytes
    keys: NanPairingKeys | None
    """None for the key of a data path."""


Pair = tuple[bytes, bytes]
"""Our address and the peer's."""


def _cipher(tk: bytes) -> CipherSuite:
    return CipherSuite.GCMP_256 if len(tk) == KEY_LENGTH_OF_GCMP else CipherSuite.CCMP_128


def _unprotected(key: KeyInUse, frame: ManagementFrame) -> ManagementFrame:
    try:
        return key.protection.unprotect(frame)
    except AuthenticationError as error:
        mistake = known_tag_mistake(_cipher(key.tk), key.tk, frame)
        raise AuthenticationError(f"{error}: {mistake or 'another key, or a frame changed on its way'}") from None


class FrameProtection:
    """The pairwise keys that a device has in use. `is_encrypting` False only marks frames by their category."""

    def __init__(self, *, is_encrypting: bool = True) -> None:
        self._is_encrypting = is_encrypting
        self._keys: dict[Pair, KeyInUse] = {}

    # Keys

    def install(self, own_nmi: bytes, peer_nmi: bytes, keys: NanPairingKeys) -> None:
        """Use the keys of a pairing from now on, with packet numbers from 1."""
        self._keys[own_nmi, peer_nmi] = KeyInUse(Protection(_cipher(keys.nm_tk), keys.nm_tk), keys.nm_tk, keys)

    def install_data_path(self, own_ndi: bytes, peer_ndi: bytes, suite: int, nd_tk: bytes) -> None:
        """Use the key of a data path from now on."""
        suite_hash(suite)
        self._keys[own_ndi, peer_ndi] = KeyInUse(Protection(_cipher(nd_tk), nd_tk), nd_tk, None)

    def remove(self, own: bytes, peer: bytes) -> None:
        """Use no key between the two any more."""
        self._keys.pop((own, peer), None)

    def in_use(self, own: bytes, peer: bytes) -> KeyInUse | None:
        """What is in use between the two, so that `put_back` can restore it."""
        return self._keys.get((own, peer))

    def put_back(self, own: bytes, peer: bytes, key: KeyInUse | None) -> None:
        """Use again what `in_use` gave: a pairing that failed leaves the one before it in force."""
        if key is None:
            self.remove(own, peer)
        else:
            self._keys[own, peer] = key

    def keys(self, own_nmi: bytes, peer_nmi: bytes) -> NanPairingKeys | None:
        """The keys of the pairing in force between two management addresses."""
        found = self._keys.get((own_nmi, peer_nmi))
        return None if found is None else found.keys

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Whose frames are protected: our address and the peer's."""
        return tuple(self._keys)

    def category(self, own: bytes, peer: bytes) -> Category:
        """The category of a unicast frame between the two."""
        return Category.PROTECTED_DUAL_OF_PUBLIC if (own, peer) in self._keys else Category.PUBLIC

    # Frames

    def seal(self, output: Transmit) -> Transmit:
        """The frame as it goes on the air: protected if it is a NAN frame for a peer whose key we have."""
        frame = ManagementFrame.decode(output.payload)
        key = self._keys.get((frame.transmitter, frame.receiver))
        if key is None or not is_nan_frame(frame) or frame.is_protected:
            return output
        marked = replace(frame, body=bytes((Category.PROTECTED_DUAL_OF_PUBLIC,)) + frame.body[1:])
        sealed = key.protection.protect(marked) if self._is_encrypting else marked
        return Transmit(sealed.encode(), output.to)

    def open(self, frame: ManagementFrame) -> ManagementFrame:
        """The plain frame. RemoteProtocolError if it is not protected as it must be, or cannot be opened."""
        if frame.subtype != Subtype.ACTION:
            return frame
        key = self._keys.get((frame.receiver, frame.transmitter))
        if frame.is_protected:
            if key is None:
                raise RemoteProtocolError(f"encrypted, and there is no key with {address_text(frame.transmitter)}")
            plain = _unprotected(key, frame)
            if plain.body[:1] != bytes((Category.PROTECTED_DUAL_OF_PUBLIC,)):
                raise RemoteProtocolError(f"encrypted with category {plain.body[:1].hex()}, expected 09")
            return plain
        if frame.is_group_addressed or not is_nan_frame(frame):
            return frame
        is_marked = frame.body[0] == Category.PROTECTED_DUAL_OF_PUBLIC
        if key is not None and (self._is_encrypting or not is_marked):
            raise RemoteProtocolError("not protected although keys are in use with this peer")
        if is_marked and self._is_encrypting:
            raise RemoteProtocolError("protected dual category, but not encrypted")
        return frame
