"""Known mistakes in PSKc, steering data and timestamps: each made here by hand, and named; what is right has none."""

import hashlib
import random

import pytest

from pairing.thread.fields import Timestamp
from pairing.thread.mistakes import known_pskc_mistake, known_steering_mistake, timestamp_hint
from pairing.thread.pskc import derive_pskc
from pairing.thread.steering import SteeringData, joiner_id, joiner_iid

PASSPHRASE, NAME, EXT_PAN_ID = b"12SECRETPASSWORD34", b"Test Network", bytes.fromhex("0001020304050607")
EUI64 = bytes.fromhex("18b4300000000002")
IDENTIFIER = joiner_id(EUI64)

PSKCS = {
    "the passphrase itself": PASSPHRASE[:16],
    "PBKDF2 with HMAC-SHA1": hashlib.pbkdf2_hmac("sha1", PASSPHRASE, b"Thread" + EXT_PAN_ID + NAME, 16384, 16),
    "extended PAN ID in little endian": derive_pskc(PASSPHRASE, NAME, EXT_PAN_ID[::-1]),
    "network name filled up with zeros": derive_pskc(PASSPHRASE, NAME + bytes(4), EXT_PAN_ID),
    "network name in small letters": derive_pskc(PASSPHRASE, b"test network", EXT_PAN_ID),
    "a line end after the passphrase": derive_pskc(PASSPHRASE + b"\n", NAME, EXT_PAN_ID),
}


@pytest.mark.parametrize("mistake", PSKCS)
def test_mistake_in_a_pskc_is_named(mistake: str) -> None:
    assert mistake in (known_pskc_mistake(PSKCS[mistake], PASSPHRASE, NAME, EXT_PAN_ID) or "")


def test_right_pskc_and_any_other_have_no_mistake() -> None:
    right = derive_pskc(PASSPHRASE, NAME, EXT_PAN_ID)
    assert right.hex() == "c3f59368445a1b6106be420a706d4cc9"  # the specification's
    assert known_pskc_mistake(right, PASSPHRASE, NAME, EXT_PAN_ID) is None
    assert known_pskc_mistake(bytes(range(16)), PASSPHRASE, NAME, EXT_PAN_ID) is None


def filter_of(*bits: int) -> bytes:
    number = 0
    for bit in bits:
        number |= 1 << bit
    return number.to_bytes(16, "big")


def crc(data: bytes, polynomial: int, start: int) -> int:
    register = start
    for octet in data:
        for place in range(7, -1, -1):
            top = register >> 15 ^ octet >> place & 1
            register = (register << 1 & 0xFFFF) ^ (polynomial if top else 0)
    return register


def reflected_crc(data: bytes, polynomial: int) -> int:
    register = 0
    for octet in data:
        register ^= octet
        for _ in range(8):
            register = register >> 1 ^ (polynomial if register & 1 else 0)
    return register


def of(identifier: bytes) -> bytes:
    return SteeringData.of_joiners([identifier]).filter


FILTERS = {
    "of the EUI-64 itself": of(EUI64),
    "without its locally administered bit": of(joiner_iid(IDENTIFIER)),
    "in little endian": of(joiner_id(EUI64[::-1])),
    "text of hexadecimal digits": of(hashlib.sha256(EUI64.hex().encode()).digest()[:8]),
    "counted from its front octet": of(IDENTIFIER)[::-1],
    "counted from the highest in each octet": bytes(int(f"{each:08b}"[::-1], 2) for each in of(IDENTIFIER)),
    "initial value ffff": filter_of(*(crc(IDENTIFIER, each, 0xFFFF) % 128 for each in (0x1021, 0x8005))),
    "reflected CRC-16": filter_of(*(reflected_crc(IDENTIFIER, each) % 128 for each in (0x8408, 0xA001))),
    "one CRC-16 alone": filter_of(crc(IDENTIFIER, 0x1021, 0) % 128),
}


@pytest.mark.parametrize("mistake", FILTERS)
def test_mistake_in_steering_data_is_named(mistake: str) -> None:
    steering = FILTERS[mistake]
    assert not SteeringData(steering).admits(IDENTIFIER)
    assert mistake in (known_steering_mistake(steering, EUI64) or "")


@pytest.mark.parametrize("steering", [b"", b"\xff", bytes(16), b"\xff" * 15 + b"\x00", of(IDENTIFIER)])
def test_steering_data_without_a_mistake(steering: bytes) -> None:
    assert known_steering_mistake(steering, EUI64) is None


def test_steering_data_of_others_are_rarely_taken_for_a_mistake() -> None:
    chance = random.Random(1)
    named = sum(known_steering_mistake(of(joiner_id(chance.randbytes(8))), EUI64) is not None for _ in range(1000))
    assert named < 60


NOW = 1_700_000_000


@pytest.mark.parametrize(
    ("came", "current", "hint"),
    [
        (Timestamp(1000), 1000, "the very one in force"),
        (Timestamp.from_int(NOW + 1), NOW, "seconds in the lowest bits"),
        (Timestamp.from_int(1001), 1000, "seconds in the lowest bits"),
        (Timestamp.from_int(int.from_bytes(Timestamp(1001).encode()[::-1], "big")), 1000, "little endian"),
        (Timestamp.from_int(int.from_bytes(Timestamp(NOW + 1).encode()[::-1], "big")), NOW, "little endian"),
        (Timestamp(999), 1000, ""),
        (Timestamp(1), 2, ""),
        (Timestamp(NOW - 1), NOW, ""),
    ],
)
def test_timestamp_that_is_not_newer_is_told_what_it_looks_like(came: Timestamp, current: int, hint: str) -> None:
    found = timestamp_hint(came, Timestamp(current))
    assert hint in found
    assert bool(found) is bool(hint)


def test_authoritative_timestamp_is_newer_than_the_same_without() -> None:
    assert "without the authoritative bit" in timestamp_hint(Timestamp(7), Timestamp(7, 0, True))
