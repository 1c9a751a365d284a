"""Known mistakes in Thread commissioning: in a PSKc, in steering data, in timestamps that are not newer.

Only one at a time is tried. A PSKc that comes out is no guess; of steering data a few bits agree, which chance does
rarely; a timestamp read otherwise is likely rather than proven.
"""

import hashlib
from collections.abc import Iterable, Iterator

from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC

from pairing.thread.fields import Timestamp
from pairing.thread.pskc import BLOCK, MIN_PASSPHRASE, ROUNDS, derive_pskc
from pairing.thread.steering import SteeringData, crc16_ansi, crc16_ccitt, joiner_id, joiner_iid


def known_pskc_mistake(pskc: bytes, passphrase: bytes, network_name: bytes, ext_pan_id: bytes) -> str | None:
    """The mistake by which the PSKc came from passphrase, name and extended PAN ID, in words."""
    return next((name for name, made in _pskcs(passphrase, network_name, ext_pan_id) if made == pskc), None)


def _pskcs(passphrase: bytes, name: bytes, ext_pan_id: bytes) -> Iterator[tuple[str, bytes]]:
    """Mistake -> the PSKc that it makes; quick ones first."""
    yield "the passphrase itself, cut or filled up with zeros to 16 octets", passphrase[:BLOCK].ljust(BLOCK, b"\0")
    salt = b"Thread" + ext_pan_id + name
    for algorithm in ("sha1", "sha256"):
        made = hashlib.pbkdf2_hmac(algorithm, passphrase, salt, ROUNDS, BLOCK)
        yield f"PBKDF2 with HMAC-{algorithm.upper()}, expected AES-CMAC-PRF-128", made
    key = CMAC(algorithms.AES(passphrase[:BLOCK].ljust(BLOCK, b"\0")))
    key.update(salt + (1).to_bytes(4, "big"))
    yield "one round, with the passphrase as AES key", key.finalize()
    others = {
        "extended PAN ID in little endian": (name, ext_pan_id[::-1]),
        "zeros for the extended PAN ID in the salt": (name, bytes(8)),
        "no network name in the salt": (b"", ext_pan_id),
        "network name filled up with zeros to 16 octets": (name.ljust(16, b"\0"), ext_pan_id),
        "network name in small letters": (name.lower(), ext_pan_id),
        "network name with a zero octet after it": (name + b"\0", ext_pan_id),
    }
    for mistake, (other_name, other_id) in others.items():
        if (other_name, other_id) != (name, ext_pan_id) and len(other_name) <= 16:
            yield mistake, derive_pskc(passphrase, other_name, other_id)
    slips = {
        "a line end after the passphrase": passphrase + b"\n",
        "the passphrase with white space": passphrase + b" ",
    }
    for mistake, other in slips.items():
        yield mistake, derive_pskc(other, name, ext_pan_id)
    if len(passphrase.strip()) >= MIN_PASSPHRASE and passphrase.strip() != passphrase:
        yield "the passphrase without its white space", derive_pskc(passphrase.strip(), name, ext_pan_id)


def known_steering_mistake(steering: bytes, eui64: bytes) -> str | None:
    """Why steering data that should admit a joiner do not, in words."""
    data = SteeringData(steering)
    identifier = joiner_id(eui64)
    if not steering or data.admits(identifier) or data.admits_none:
        return None
    if int.from_bytes(steering, "big").bit_count() > 4 * len(steering):
        return None  # so many bits that another joiner passes by chance
    for name, other in _other_identifiers(eui64, identifier):
        if data.admits(other):
            return name
    return next((name for name, filter_ in _turned(steering) if SteeringData(filter_).admits(identifier)), None) or (
        _of_hash(steering, identifier)
    )


def _other_identifiers(eui64: bytes, identifier: bytes) -> Iterator[tuple[str, bytes]]:
    """What has been hashed for the joiner id, by mistake."""
    yield "steering data of the EUI-64 itself, expected of the joiner id", eui64
    yield "joiner id without its locally administered bit, as in the interface identifier", joiner_iid(identifier)
    yield "joiner id of an EUI-64 in little endian", joiner_id(eui64[::-1])
    yield "joiner id from the end of the hash", hashlib.sha256(eui64).digest()[-8:]
    yield "joiner id of the EUI-64 as text of hexadecimal digits", hashlib.sha256(eui64.hex().encode()).digest()[:8]


def _turned(steering: bytes) -> Iterator[tuple[str, bytes]]:
    """The filter as it would be with its bits counted otherwise."""
    mirrored = bytes(int(f"{octet:08b}"[::-1], 2) for octet in steering)
    yield "bits of the filter counted from its front octet, expected from its last", steering[::-1]
    yield "bits of the filter counted from the highest in each octet, expected from the lowest", mirrored
    yield "bits of the filter counted from its front, highest first", mirrored[::-1]


def _of_hash(steering: bytes, identifier: bytes) -> str | None:
    """CRCs of another kind."""
    number, width = int.from_bytes(steering, "big"), 8 * len(steering)
    kinds = {
        "CRC-16 with initial value ffff, expected 0": [_crc(identifier, each, 0xFFFF) for each in (0x1021, 0x8005)],
        "reflected CRC-16, expected the most significant bit first": [
            _reflected(_crc(_reflected_octets(identifier), each, 0)) for each in (0x1021, 0x8005)
        ],
        "one CRC-16 alone, expected both": [crc16_ccitt(identifier)],
        "one CRC-16 alone (8005), expected both": [crc16_ansi(identifier)],
    }
    return next((name for name, crcs in kinds.items() if _has(number, (crc % width for crc in crcs))), None)


def _has(number: int, bits: Iterable[int]) -> bool:
    return all(number >> bit & 1 for bit in bits)


def _crc(data: bytes, polynomial: int, register: int) -> int:
    for octet in data:
        register ^= octet << 8
        for _ in range(8):
            register = (register << 1 ^ (polynomial if register & 0x8000 else 0)) & 0xFFFF
    return register


def _reflected(value: int) -> int:
    return int(f"{value:016b}"[::-1], 2)


def _reflected_octets(data: bytes) -> bytes:
    return bytes(int(f"{octet:08b}"[::-1], 2) for octet in data)


def timestamp_hint(came: Timestamp, current: Timestamp) -> str:
    """What a timestamp that is not newer looks like, as the end of a sentence; empty if like nothing."""
    if came == current:
        return ", the very one in force"
    if came._replace(authoritative=True) == current:
        return ", the same without the authoritative bit"
    number = int(came)
    likely = range(current.seconds + 1, 2 * current.seconds + 2**20)
    if number in likely and number & 0xFFFF:  # without these bits it is a whole number of seconds, as it should be
        return ", looks like seconds in the lowest bits (expected in the upper 48)"
    if Timestamp.from_int(int.from_bytes(number.to_bytes(8, "big"), "little")).seconds in likely:
        return ", looks like a timestamp in little endian"
    return ""
