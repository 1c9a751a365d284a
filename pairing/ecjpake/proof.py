"""Schnorr proofs of knowledge of a scalar, and the key pair message that carries one.

Source: draft-cragie-tls-ecjpake-01, section 6 (ECJPAKEKeyKP); RFC 8235 (Schnorr NIZK). The hash covers every value with
a four-byte length before it, points in uncompressed form, and the prover's role as its identity.
"""

import hashlib
from dataclasses import dataclass

from pairing.ecjpake.points import CURVE, POINT_LENGTH, Affine, decode_point, multiple, total
from pairing.errors import AuthenticationError, DecodeError
from pairing.wire import Reader, Writer


@dataclass(frozen=True, slots=True)
class KeyKp:
    """ECJPAKEKeyKP: X and V, each with a one-byte length before it, then r in the same way.

    r is an integer without leading zeros, so that one in 256 has 31 octets. What came is kept as it came.
    """

    public: bytes
    commitment: bytes
    response: bytes

    def encode(self) -> bytes:
        """The three values with their lengths."""
        return Writer().block8(self.public).block8(self.commitment).block8(self.response).getvalue()

    @classmethod
    def read(cls, reader: Reader) -> "KeyKp":
        """The next key pair; refuses points of any length but 65 and an empty r. Nothing else is checked here."""
        public, commitment = _read_point(reader, "public key"), _read_point(reader, "commitment V")
        length = reader.u8("length of r")
        if not length:
            raise reader.fail("r is empty")
        return cls(public, commitment, reader.take(length, "r"))


def _read_point(reader: Reader, what: str) -> bytes:
    length = reader.u8(f"length of {what}")
    if length != POINT_LENGTH:
        raise reader.fail(f"{what} has {length} octets, expected {POINT_LENGTH}")
    return reader.take(length, what)


def hash_input(base: bytes, commitment: bytes, public: bytes, identity: str) -> bytes:
    """What is hashed for a proof: generator, V, X and identity, each with its length."""
    values = (base, commitment, public, identity.encode("ascii"))
    return b"".join(len(value).to_bytes(4, "big") + value for value in values)


def challenge(hashed: bytes) -> int:
    """The hash as a scalar."""
    return int.from_bytes(hashlib.sha256(hashed).digest(), "big") % CURVE.q


def prove(base: bytes, scalar: int, public: bytes, nonce: int, commitment: bytes, identity: str) -> KeyKp:
    """The message that proves knowledge of `scalar` where public = scalar·base and commitment = nonce·base."""
    hashed = challenge(hash_input(base, commitment, public, identity))
    response = (nonce - scalar * hashed) % CURVE.q
    return KeyKp(public, commitment, response.to_bytes(max(1, (response.bit_length() + 7) // 8), "big"))


@dataclass(frozen=True, slots=True)
class Statement:
    """What a proof is checked against: the generator in use, as a point and encoded, and who has to have made it."""

    base: Affine
    encoded_base: bytes
    identity: str
    name: str

    def verify(self, pair: KeyKp) -> Affine:
        """The public key, once its proof holds: V = r·B + h·X. Raises AuthenticationError where it does not."""
        public, response = self.read(pair)
        hashed = challenge(hash_input(self.encoded_base, pair.commitment, pair.public, self.identity))
        made = total(multiple(response, self.base), multiple(hashed, public))
        if made is None or made.encode() != pair.commitment:
            raise AuthenticationError(f"EC-JPAKE: proof of {self.name} by the {self.identity} does not hold")
        return public

    def read(self, pair: KeyKp) -> tuple[Affine, int]:
        """The public key and r as numbers; raises AuthenticationError for what can be neither."""
        try:
            public = decode_point(pair.public)
        except DecodeError as error:
            raise AuthenticationError(f"EC-JPAKE: {self.name}: {error.reason}") from None
        response = int.from_bytes(pair.response, "big")
        if not 0 < response < CURVE.q:
            raise AuthenticationError(f"EC-JPAKE: r in the proof of {self.name} is not in 1 … n - 1")
        return public, response
