"""Points of P-256 as two numbers, with products that OpenSSL's ECDH makes: whole points at half the usual price.

ECDH gives only x coordinates, so a product k·P takes two of them, those of k·P and (k + 1)·P: together they leave one
y. The point at infinity is None. Source: SEC 1, 2.2; Brier and Joye, "Weierstrass Elliptic Curves and Side-Channel
Attacks", 2002 (the y coordinate).
"""

from typing import NamedTuple, TypeAlias

from pairing.crypto.curves import P256, EphemeralKey
from pairing.errors import DecodeError

CURVE = P256
POINT_LENGTH = 65


class Affine(NamedTuple):
    """A point that is on the curve."""

    x: int
    y: int

    def encode(self) -> bytes:
        """04 || x || y."""
        return b"\x04" + CURVE.encode_number(self.x) + CURVE.encode_number(self.y)


Point: TypeAlias = Affine | None
"""A point, or None for the one at infinity."""


def decode_point(data: bytes) -> Affine:
    """The point 04 || x || y; refuses every other form, and what is not on the curve."""
    if len(data) != POINT_LENGTH or data[0] != 4:
        raise DecodeError(0, f"point has {len(data)} octets and begins with {data[:1].hex()}, expected 65 and 04")
    x, y = int.from_bytes(data[1:33], "big"), int.from_bytes(data[33:], "big")
    if x >= CURVE.p or y >= CURVE.p or y * y % CURVE.p != CURVE.right_side(x):
        raise DecodeError(0, f"point is not on {CURVE.name}")
    return Affine(x, y)


def generator_multiple(scalar: int) -> Point:
    """scalar·G."""
    scalar %= CURVE.q
    if not scalar:
        return None
    encoded = CURVE.encoded_multiple(scalar)
    return Affine(int.from_bytes(encoded[1:33], "big"), int.from_bytes(encoded[33:], "big"))


GENERATOR = decode_point(CURVE.encoded_multiple(1))


def multiple(scalar: int, point: Affine) -> Point:
    """scalar·point."""
    if point == GENERATOR:
        return generator_multiple(scalar)
    scalar %= CURVE.q
    match scalar:
        case 0:
            return None
        case 1:
            return point
        case _ if scalar == CURVE.q - 1:
            return negative(point)
    p, (x, y) = CURVE.p, point
    key = CURVE.load_public_key(point.encode())
    first, second = (int.from_bytes(EphemeralKey(CURVE, each).agree(key), "big") for each in (scalar, scalar + 1))
    numerator = 2 * CURVE.b + (CURVE.a + x * first) * (x + first) - second * (x - first) ** 2
    return Affine(first, numerator * pow(2 * y, -1, p) % p)


def x_of_multiple(scalar: int, point: Affine) -> bytes:
    """The x coordinate of scalar·point, the scalar being in 1 … q - 1."""
    return EphemeralKey(CURVE, scalar).agree(CURVE.load_public_key(point.encode()))


def total(*points: Point) -> Point:
    """The sum."""
    result: Point = None
    for point in points:
        result = _sum(result, point)
    return result


def negative(point: Point) -> Point:
    """-point."""
    return None if point is None else Affine(point.x, -point.y % CURVE.p)


def _sum(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    p = CURVE.p
    if one.x != other.x:
        slope = (other.y - one.y) * pow(other.x - one.x, -1, p)
    elif one.y == other.y:  # no point of this curve has y = 0
        slope = (3 * one.x * one.x + CURVE.a) * pow(2 * one.y, -1, p)
    else:
        return None
    x = (slope * slope - one.x - other.x) % p
    return Affine(x, (slope * (one.x - x) - one.y) % p)
