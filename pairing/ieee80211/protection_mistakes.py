"""Known mistakes in the tag of a protected management frame: which of them, if any, gives exactly what came.

Only one mistake at a time is tried, so a hit is no guess: a frame opens under exactly the nonce and the additional data
that it was sealed with. Another key fits none of them.
Source: what implementers of robust management frames are known to trip over.
"""

from collections.abc import Iterator
from dataclasses import replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

from pairing.errors import DecodeError
from pairing.ieee80211.elements import CipherSuite
from pairing.ieee80211.frames import FrameFlags, ManagementFrame
from pairing.ieee80211.protection import MANAGEMENT_NONCE_FLAG, CipherHeader, additional_data

_HEADER = 8
_TAG = {CipherSuite.CCMP_128: 8, CipherSuite.GCMP_256: 16}


def known_tag_mistake(cipher: CipherSuite, key: bytes, frame: ManagementFrame) -> str | None:
    """The mistake by which a frame does not open under this key, in words, or None."""
    try:
        number = CipherHeader.decode(frame.body[:_HEADER]).packet_number
    except DecodeError:
        return _header_mistake(frame.body)
    for mistake, nonce in _nonces(cipher, frame, number):
        if _opens(cipher, key, nonce, frame.body[_HEADER:], additional_data(frame)):
            return mistake
    right = _nonce(cipher, frame.transmitter, number.to_bytes(6, "big"))
    for mistake, data in _additional_data(frame):
        if _opens(cipher, key, right, frame.body[_HEADER:], data):
            return mistake
    if cipher is CipherSuite.CCMP_128 and _opens(
        cipher, key, right, frame.body[_HEADER:], additional_data(frame), tag=16
    ):
        return "tag of 16 octets, expected 8 for CCMP-128"
    return None


def _header_mistake(body: bytes) -> str | None:
    return "the extended IV bit (0x20) of the cipher header is missing" if len(body) > _HEADER else None


def _nonce(cipher: CipherSuite, address: bytes, number: bytes, flag: int = MANAGEMENT_NONCE_FLAG) -> bytes:
    return (bytes((flag,)) if cipher is CipherSuite.CCMP_128 else b"") + address + number


def _nonces(cipher: CipherSuite, frame: ManagementFrame, number: int) -> Iterator[tuple[str, bytes]]:
    big, little = (number.to_bytes(6, order) for order in ("big", "little"))
    if cipher is CipherSuite.CCMP_128:
        yield "nonce flags 00, expected 10 for a management frame", _nonce(cipher, frame.transmitter, big, 0)
    is_header_turned = int.from_bytes(little, "big") < number
    where = "cipher header is most significant octet first" if is_header_turned else "nonce is little endian"
    yield f"the packet number in the {where}", _nonce(cipher, frame.transmitter, little)
    yield "the nonce has the receiver's address, expected the transmitter's", _nonce(cipher, frame.receiver, big)


def _additional_data(frame: ManagementFrame) -> Iterator[tuple[str, bytes]]:
    right = additional_data(frame)
    sequence = frame.sequence_control.to_bytes(2, "little")
    yield (
        "the additional data have Frame Control without its protected bit",
        right[:1] + bytes((right[1] & ~FrameFlags.PROTECTED,)) + right[2:],
    )
    yield (
        "the additional data have retry, power management and more data as sent",
        right[:1] + bytes((frame.flags,)) + right[2:],
    )
    yield "the additional data have the sequence number, expected zeros in its place", right[:-2] + sequence
    yield "the additional data lack Sequence Control", right[:-2]
    yield "the additional data lack the BSSID (A3)", right[:14] + right[20:]
    swapped = replace(frame, receiver=frame.transmitter, transmitter=frame.receiver)
    yield "the additional data have the addresses exchanged", additional_data(swapped)
    yield "there are no additional data", b""


def _opens(cipher: CipherSuite, key: bytes, nonce: bytes, sealed: bytes, data: bytes, tag: int = 0) -> bool:
    try:
        aead = AESCCM(key, tag or _TAG[cipher]) if cipher is CipherSuite.CCMP_128 else AESGCM(key)
        aead.decrypt(nonce, sealed, data)
    except (InvalidTag, ValueError):
        return False
    return True
