"""The prime curves P-256 and P-384 by their IANA group numbers: point arithmetic, coordinates, ephemeral keys.

Products of which the whole point is needed are PyCryptodome's; where the x coordinate is enough, OpenSSL's ECDH is
several times faster on P-256, though not on P-384. Points from the network come through `decode_point` or
`load_public_key`, which refuse what is not on the curve. Source: SEC 1, 2.3; FIPS 186-4, D.1.2; RFC 2409 group registry
(19, 20).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from Crypto.PublicKey.ECC import EccPoint  # type: ignore[attr-defined]  # documented there, defined elsewhere
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pairing.crypto.kdf import Hash
from pairing.errors import DecodeError, LocalProtocolError

Point: TypeAlias = EccPoint
"""A point of one of the curves; `+`, unary `-` and `*` with an int work on it."""

PublicKey: TypeAlias = ec.EllipticCurvePublicKey
"""A peer's public key that has been checked, see `Curve.load_public_key`."""

MAX_DRAWS = 64
"""Entropy that gives no usable scalar in so many draws is broken: one draw in 2^32 fails by chance."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve y² = x³ - 3x + b over the integers modulo p, with a generator of prime order q."""

    group: int
    name: str
    hash: Hash
    size: int
    p: int
    b: int
    q: int

    @property
    def a(self) -> int:
        """The coefficient of x."""
        return self.p - 3

    def sqrt(self, value: int) -> int | None:
        """A square root modulo p, or None for a non-residue."""
        root: int = pow(value, (self.p + 1) // 4, self.p)
        return root if root * root % self.p == value % self.p else None

    def right_side(self, x: int) -> int:
        """x³ - 3x + b modulo p."""
        return (x * x * x - 3 * x + self.b) % self.p

    def point(self, x: int, y: int) -> Point:
        """The point with these coordinates, which the caller knows to be on the curve."""
        return EccPoint(x, y, self.name)

    def encode_point(self, point: Point) -> bytes:
        """x || y."""
        return self.encode_number(int(point.x)) + self.encode_number(int(point.y))

    def decode_point(self, data: bytes) -> Point:
        """The point x || y; refuses what is not on the curve, and the point at infinity."""
        if len(data) != 2 * self.size:
            raise DecodeError(0, f"{self.name} element has {len(data)} octets, expected {2 * self.size}")
        x, y = int.from_bytes(data[: self.size], "big"), int.from_bytes(data[self.size :], "big")
        # The library would reduce coordinates modulo p and take (0, 0) for infinity.
        if x >= self.p or y >= self.p or y * y % self.p != self.right_side(x):
            raise DecodeError(0, f"element is not on {self.name}")
        return self.point(x, y)

    def encoded_multiple(self, scalar: int) -> bytes:
        """scalar·G in uncompressed form, the scalar being in 1 … q - 1. OpenSSL has tables for G, so it is cheap."""
        key = ec.derive_private_key(scalar, _OPENSSL[self.group])
        return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def encode_number(self, number: int) -> bytes:
        """A coordinate or scalar in the curve's fixed width."""
        return number.to_bytes(self.size, "big")

    def draw_scalar(self, entropy: Callable[[int], bytes], lowest: int = 1) -> int:
        """A scalar from `lowest` to q - 1: the drawn octets as they are, another draw where they do not fit."""
        for _ in range(MAX_DRAWS):
            scalar = int.from_bytes(entropy(self.size), "big")
            if lowest <= scalar < self.q:
                return scalar
        raise LocalProtocolError(f"entropy gave no scalar of {self.name} in {MAX_DRAWS} draws")

    def x_of_product(self, scalar: int, point: Point) -> bytes:
        """The x coordinate of scalar·point, neither being zero."""
        if self.group == 20:  # there OpenSSL takes longer to make the key alone than the product costs
            return self.encode_number(int((point * scalar).x))
        return EphemeralKey(self, scalar).agree(self.load_public_key(b"\x04" + self.encode_point(point)))

    def load_public_key(self, encoded: bytes) -> PublicKey:
        """A peer's public key in a SEC 1 form, compressed or not; refuses what is not on the curve."""
        try:
            return ec.EllipticCurvePublicKey.from_encoded_point(_OPENSSL[self.group], encoded)
        except (ValueError, UnsupportedAlgorithm):
            raise DecodeError(0, f"{len(encoded)} octets are no public key on {self.name}") from None


P256 = Curve(
    group=19,
    name="P-256",
    hash=Hash.SHA256,
    size=32,
    p=2**256 - 2**224 + 2**192 + 2**96 - 1,
    b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    q=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
)
P384 = Curve(
    group=20,
    name="P-384",
    hash=Hash.SHA384,
    size=48,
    p=2**384 - 2**128 - 2**96 + 2**32 - 1,
    b=0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    q=0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
)

CURVES = {curve.group: curve for curve in (P256, P384)}
"""Group number -> curve."""

_OPENSSL: dict[int, ec.EllipticCurve] = {19: ec.SECP256R1(), 20: ec.SECP384R1()}


class EphemeralKey:
    """A private scalar with its public point, for one ECDH exchange."""

    __slots__ = ("_key", "curve")

    def __init__(self, curve: Curve, scalar: int) -> None:
        self.curve = curve
        self._key = ec.derive_private_key(scalar, _OPENSSL[curve.group])

    @property
    def scalar(self) -> int:
        """The private scalar."""
        return self._key.private_numbers().private_value

    @property
    def public_x(self) -> bytes:
        """The x coordinate of the public point."""
        return self.curve.encode_number(self._key.public_key().public_numbers().x)

    def agree(self, peer: PublicKey) -> bytes:
        """The x coordinate of the shared point."""
        return self._key.exchange(ec.ECDH(), peer)

    def __repr__(self) -> str:
        return f"EphemeralKey({self.curve.name})"
