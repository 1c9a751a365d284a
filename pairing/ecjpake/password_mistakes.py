"""What a side made of a password: where both sides' scalars are known, which other password the one used, and how so.

A transcript of both sides tells it. One side alone cannot: EC-JPAKE gives no more than one guess a run.
"""

import hashlib
from collections.abc import Iterator, Mapping

from pairing.ecjpake.points import CURVE

_SCALARS = (("x2", "x2s"), ("x4", "x4s"))


def used_password(values: Mapping[str, bytes]) -> int | None:
    """The password as the number that a side multiplied by, from its named values."""
    for name, product in _SCALARS:
        scalar = int.from_bytes(values.get(name, b""), "big")
        if scalar and product in values:
            return int.from_bytes(values[product], "big") * pow(scalar, -1, CURVE.q) % CURVE.q
    return None


def known_password_mistake(right: int, used: int) -> str | None:
    """The mistake by which the one number comes from the other, in words; both are modulo n."""
    octets = right.to_bytes((right.bit_length() + 7) // 8, "big")
    for mistake, candidate in _candidates(octets):
        if int.from_bytes(candidate, "big") % CURVE.q == used:
            return mistake
    return None


def _candidates(octets: bytes) -> Iterator[tuple[str, bytes]]:
    """Mistake -> the octets that it makes of the password."""
    yield "its SHA-256, expected the octets themselves", hashlib.sha256(octets).digest()
    yield "its octets in little endian", octets[::-1]
    yield "its octets as text of hexadecimal digits", octets.hex().encode()
    yield "its octets as text of hexadecimal digits, in capitals", octets.hex().upper().encode()
    yield "its 16 octets as text of hexadecimal digits", octets.rjust(16, b"\0").hex().encode()
    yield "a line end after it", octets + b"\n"
    yield "a zero octet after it", octets + b"\0"
    if not (octets.isascii() and octets.decode("ascii").isprintable()):
        return
    yield "small letters for capitals", octets.lower()
    yield "capitals for small letters", octets.upper()
    if octets.isdigit():
        number = int(octets)
        yield "its digits as a number, expected their ASCII", number.to_bytes((number.bit_length() + 7) // 8, "big")
        yield "its last digit missing, which is the check digit", octets[:-1]
        yield "its digits in groups of three with hyphens", b"-".join(_groups(octets))
        yield "its digits in groups of three with spaces", b" ".join(_groups(octets))
    yield from _slips(octets)


def _groups(octets: bytes) -> list[bytes]:
    return [octets[at : at + 3] for at in range(0, len(octets), 3)]


def _slips(octets: bytes) -> Iterator[tuple[str, bytes]]:
    """One character that is wrong, missing, or exchanged with its neighbour."""
    for at in range(len(octets)):
        place = f"character {at + 1}"
        yield f"{place} missing", octets[:at] + octets[at + 1 :]
        swapped = octets[at + 1 : at + 2] + octets[at : at + 1]
        yield f"characters {at + 1} and {at + 2} exchanged", octets[:at] + swapped + octets[at + 2 :]
        for other in range(0x21, 0x7F):
            yield f"another {place}", octets[:at] + bytes((other,)) + octets[at + 1 :]
