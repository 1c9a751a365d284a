"""Robust management frames: CCMP-128 and GCMP-256 over the body of a unicast frame, packet numbers, replay check.

`Protection` is one pairwise key in use between two addresses; a new key means a new object, and packet numbers from 1.
Group keys (BIP) are left out. Source: IEEE 802.11-2020, 12.5.3 (CCMP), 12.5.5 (GCMP), 12.5.3.4.4 and 12.5.5.4.4
(replay).
"""

from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

from pairing.errors import AuthenticationError, EncodeError, LocalProtocolError, RemoteProtocolError
from pairing.ieee80211.elements import CipherSuite
from pairing.ieee80211.frames import HEADER_LENGTH, FrameFlags, ManagementFrame
from pairing.wire import Reader

EXTENDED_IV = 0x20
MANAGEMENT_NONCE_FLAG = 0x10
LAST_PACKET_NUMBER = 2**48 - 1
_MASKED = FrameFlags.RETRY | FrameFlags.POWER_MANAGEMENT | FrameFlags.MORE_DATA
_TAG_LENGTHS = {CipherSuite.CCMP_128: 8, CipherSuite.GCMP_256: 16}


@dataclass(frozen=True, slots=True)
class CipherHeader:
    """`PN0 PN1 00 flags PN2 PN3 PN4 PN5`: the eight octets before the ciphertext, equal for CCMP and GCMP."""

    packet_number: int
    key_id: int = 0

    def encode(self) -> bytes:
        """The header."""
        if not 0 < self.packet_number <= LAST_PACKET_NUMBER or not 0 <= self.key_id <= 3:
            raise EncodeError(f"packet number {self.packet_number}, key id {self.key_id}: out of range")
        number = self.packet_number.to_bytes(6, "little")
        return number[:2] + bytes((0, EXTENDED_IV | self.key_id << 6)) + number[2:]

    @classmethod
    def decode(cls, data: bytes, base: int = HEADER_LENGTH) -> "CipherHeader":
        """Read the first eight octets of a protected body."""
        reader = Reader(data, base)
        low = reader.take(2, "packet number")
        reader.u8("reserved")
        flags = reader.u8("key id")
        if not flags & EXTENDED_IV:
            raise reader.fail("extended IV bit is missing")
        return cls(int.from_bytes(low + reader.take(4, "packet number"), "little"), flags >> 6)


def additional_data(frame: ManagementFrame) -> bytes:
    """What is authenticated beside the body: the header without its bits that change on the way."""
    flags = (frame.flags | FrameFlags.PROTECTED) & ~_MASKED
    sequence_control = (frame.sequence_control & 0x000F).to_bytes(2, "little")
    control = bytes((frame.subtype << 4, flags))
    return control + frame.receiver + frame.transmitter + frame.bssid + sequence_control


def encrypt(cipher: CipherSuite, key: bytes, frame: ManagementFrame, packet_number: int) -> ManagementFrame:
    """The frame with its body protected."""
    header = CipherHeader(packet_number).encode()
    nonce = _nonce(cipher, frame.transmitter, packet_number)
    sealed = _aead(cipher, key).encrypt(nonce, frame.body, additional_data(frame))
    return replace(frame, flags=frame.flags | FrameFlags.PROTECTED, body=header + sealed)


def decrypt(cipher: CipherSuite, key: bytes, frame: ManagementFrame) -> tuple[ManagementFrame, int]:
    """The frame with its plain body, and its packet number; AuthenticationError if the tag is wrong."""
    number = CipherHeader.decode(frame.body[:8]).packet_number
    nonce = _nonce(cipher, frame.transmitter, number)
    try:
        body = _aead(cipher, key).decrypt(nonce, frame.body[8:], additional_data(frame))
    except (InvalidTag, ValueError):
        raise AuthenticationError(f"{cipher.name} tag of the frame with packet number {number} is wrong") from None
    return replace(frame, flags=frame.flags & ~FrameFlags.PROTECTED, body=body), number


def _nonce(cipher: CipherSuite, transmitter: bytes, packet_number: int) -> bytes:
    flag = bytes((MANAGEMENT_NONCE_FLAG,)) if cipher is CipherSuite.CCMP_128 else b""
    return flag + transmitter + packet_number.to_bytes(6, "big")


def _aead(cipher: CipherSuite, key: bytes) -> AESCCM | AESGCM:
    if cipher is CipherSuite.CCMP_128 and len(key) == 16:
        return AESCCM(key, _TAG_LENGTHS[cipher])
    if cipher is CipherSuite.GCMP_256 and len(key) == 32:
        return AESGCM(key)
    raise LocalProtocolError(f"no protection with {cipher.name} and a key of {len(key)} octets")


class Protection:
    """One pairwise key: counts what is sent, and takes each packet number once, in rising order."""

    __slots__ = ("_cipher", "_key", "_received", "_sent")

    def __init__(self, cipher: CipherSuite, key: bytes) -> None:
        _aead(cipher, key)
        self._cipher = cipher
        self._key = key
        self._sent = 0
        self._received = 0

    @property
    def sent(self) -> int:
        """The packet number used last; 0 before the first."""
        return self._sent

    @property
    def received(self) -> int:
        """The highest packet number accepted; 0 before the first."""
        return self._received

    def protect(self, frame: ManagementFrame) -> ManagementFrame:
        """The frame under the next packet number."""
        if frame.is_group_addressed or frame.is_protected:
            raise LocalProtocolError("a pairwise key protects plain unicast frames")
        sealed = encrypt(self._cipher, self._key, frame, self._sent + 1)
        self._sent += 1
        return sealed

    def unprotect(self, frame: ManagementFrame) -> ManagementFrame:
        """The plain frame. Raises DecodeError, AuthenticationError or, for a replay, RemoteProtocolError."""
        if not frame.is_protected:
            raise RemoteProtocolError("frame is not protected although a pairwise key is in use")
        plain, number = decrypt(self._cipher, self._key, frame)
        if number <= self._received:
            raise RemoteProtocolError(f"packet number {number} repeats, expected more than {self._received}")
        self._received = number
        return plain

    def __repr__(self) -> str:
        return f"Protection({self._cipher.name}, sent={self._sent}, received={self._received})"
