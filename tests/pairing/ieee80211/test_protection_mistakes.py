"""Frames sealed with one mistake: each is named. They are sealed here with the library's ciphers alone."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

from pairing.ieee80211.elements import CipherSuite
from pairing.ieee80211.frames import ManagementFrame
from pairing.ieee80211.protection import decrypt
from pairing.ieee80211.protection_mistakes import known_tag_mistake

A1, A2, A3 = bytes.fromhex("020000000001"), bytes.fromhex("060000000002"), bytes.fromhex("506f9a010007")
BODY = bytes.fromhex("0909506f9a18050102")
CIPHERS = {CipherSuite.CCMP_128: bytes(range(16)), CipherSuite.GCMP_256: bytes(range(32))}
NUMBER = 0x0102
BIG = NUMBER.to_bytes(6, "big")
RIGHT = bytes.fromhex("d040") + A1 + A2 + A3 + b"\0\0"
NONCE = b"\x10" + A2 + BIG


def sealed(
    cipher: CipherSuite,
    *,
    nonce: bytes = NONCE,
    data: bytes = RIGHT,
    tag: int = 8,
    header: bytes = BIG[::-1],
    flags: int = 0x20,
) -> ManagementFrame:
    """A protected frame. `nonce` is CCMP's; GCMP's has no flags."""
    key = CIPHERS[cipher]
    if cipher is CipherSuite.CCMP_128:
        body = AESCCM(key, tag).encrypt(nonce, BODY, data)
    else:
        body = AESGCM(key).encrypt(nonce[1:], BODY, data)
    front = header[:2] + bytes((0, flags)) + header[2:]
    return ManagementFrame(13, A1, A2, A3, front + body, flags=0x40 | 0x08, sequence_control=0x1230)


MISTAKES: dict[str, dict[str, object]] = {
    "packet number in the nonce is little endian": {"nonce": b"\x10" + A2 + BIG[::-1]},
    "nonce has the receiver's address": {"nonce": b"\x10" + A1 + BIG},
    "cipher header is most significant octet first": {"header": BIG},
    "without its protected bit": {"data": b"\xd0\0" + RIGHT[2:]},
    "retry, power management and more data as sent": {"data": b"\xd0\x48" + RIGHT[2:]},
    "have the sequence number": {"data": RIGHT[:-2] + b"\x30\x12"},
    "lack Sequence Control": {"data": RIGHT[:-2]},
    "lack the BSSID": {"data": RIGHT[:14] + RIGHT[20:]},
    "addresses exchanged": {"data": RIGHT[:2] + A2 + A1 + A3 + b"\0\0"},
    "no additional data": {"data": b""},
}


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_named(cipher: CipherSuite, name: str) -> None:
    frame = sealed(cipher, **MISTAKES[name])  # type: ignore[arg-type]
    assert name in (known_tag_mistake(cipher, CIPHERS[cipher], frame) or "")


def test_mistakes_of_ccmp_alone_are_named() -> None:
    cipher, key = CipherSuite.CCMP_128, CIPHERS[CipherSuite.CCMP_128]
    data_nonce = sealed(cipher, nonce=b"\0" + A2 + BIG)
    assert (known_tag_mistake(cipher, key, data_nonce) or "").startswith("nonce flags 00")
    assert (known_tag_mistake(cipher, key, sealed(cipher, tag=16)) or "").startswith("tag of 16 octets")
    assert "extended IV" in (known_tag_mistake(cipher, key, sealed(cipher, flags=0)) or "")


@pytest.mark.parametrize("cipher", CIPHERS)
def test_a_right_frame_opens_and_another_key_is_no_known_mistake(cipher: CipherSuite) -> None:
    assert decrypt(cipher, CIPHERS[cipher], sealed(cipher))[0].body == BODY
    assert known_tag_mistake(cipher, bytes(len(CIPHERS[cipher])), sealed(cipher)) is None
