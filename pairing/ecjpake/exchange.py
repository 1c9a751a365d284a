"""One side of an EC-JPAKE exchange: two rounds of key pairs with proofs, then a shared secret.

It carries no messages of its own: TLS does. A wrong password does not show here, only in keys that differ.
Source: draft-cragie-tls-ecjpake-01; Thread specification, chapter 8 (Mesh Commissioning Protocol), which fixes P-256,
SHA-256 and the identities. Order of draws: scalar and nonce of the first key pair, scalar and nonce of the second,
nonce of round two; 32 octets each, drawn again where they are no scalar.
"""

import hashlib
from collections.abc import Callable, Iterator
from enum import Enum
from itertools import combinations

from pairing.crypto.intermediates import Intermediates
from pairing.ecjpake.mistakes import known_mistake
from pairing.ecjpake.points import (
    CURVE,
    GENERATOR,
    Affine,
    Point,
    decode_point,
    multiple,
    negative,
    total,
    x_of_multiple,
)
from pairing.ecjpake.proof import KeyKp, Statement, hash_input, prove
from pairing.errors import AuthenticationError, LocalProtocolError


class EcJpakeRole(Enum):
    """Which side: the value is its identity in proofs."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> "EcJpakeRole":
        """The peer's role."""
        return EcJpakeRole.SERVER if self is EcJpakeRole.CLIENT else EcJpakeRole.CLIENT


_NAMES = {EcJpakeRole.CLIENT: ("x1", "x2", "c"), EcJpakeRole.SERVER: ("x3", "x4", "s")}
_GENERATOR = GENERATOR.encode()
_ZERO = "a scalar of round two is zero"


class EcJpake:
    """One side. `password` is read as one big-endian integer modulo n, so leading zero octets do not matter."""

    def __init__(self, role: EcJpakeRole, password: bytes, entropy: Callable[[int], bytes]) -> None:
        self.role = role
        self._entropy = entropy
        self._secret = int.from_bytes(password, "big") % CURVE.q
        if not self._secret:
            raise LocalProtocolError("EC-JPAKE: the password is zero as an integer modulo the order of P-256")
        self._scalars: tuple[int, int] | None = None
        self._own: tuple[Affine, Affine] | None = None
        self._peer: tuple[Affine, Affine] | None = None
        self._peer_two: Affine | None = None
        self._values: dict[str, bytes] = {}
        self.mistake = ""
        """The known mistake by which the peer's proof failed, if one fits."""

    # Round one

    def round_one(self) -> tuple[KeyKp, KeyKp]:
        """Our two key pairs."""
        if self._scalars is not None:
            raise LocalProtocolError("EC-JPAKE: round one is made already")
        first, second, _ = _NAMES[self.role]
        one, first_pair = self._draw_pair(first)
        two, second_pair = self._draw_pair(second)
        self._scalars = (one, two)
        self._own = (decode_point(first_pair.public), decode_point(second_pair.public))
        return first_pair, second_pair

    def read_round_one(self, first: KeyKp, second: KeyKp) -> None:
        """Take the peer's two key pairs; raises AuthenticationError for a proof that does not hold."""
        if self._peer is not None:
            raise LocalProtocolError("EC-JPAKE: round one has been read already")
        one, two, _ = _NAMES[self.role.other]
        self._peer = (
            self._verify(first, GENERATOR, _GENERATOR, one.upper()),
            self._verify(second, GENERATOR, _GENERATOR, two.upper()),
        )

    def _draw_pair(self, name: str) -> tuple[int, KeyKp]:
        scalar = CURVE.draw_scalar(self._entropy)
        nonce = CURVE.draw_scalar(self._entropy)
        public, commitment = CURVE.encoded_multiple(scalar), CURVE.encoded_multiple(nonce)
        self._values |= {name: CURVE.encode_number(scalar), f"zkp_nonce_{name.upper()}": CURVE.encode_number(nonce)}
        self._note_hash_input(name.upper(), _GENERATOR, commitment, public, self.role)
        return scalar, prove(_GENERATOR, scalar, public, nonce, commitment, self.role.value)

    # Round two

    def round_two(self) -> KeyKp:
        """Our key pair of round two, in the generator own 1 + peer 1 + peer 2."""
        _, second, suffix = _NAMES[self.role]
        (own, _), (one, two), (_, scalar) = self._points(self._own), self._points(self._peer), self._drawn()
        base = _not_infinity(total(own, one, two), "the key pairs of round one cancel out")
        product = scalar * self._secret % CURVE.q
        nonce = CURVE.draw_scalar(self._entropy)
        encoded = base.encode()
        public, commitment = (_not_infinity(multiple(each, base), _ZERO).encode() for each in (product, nonce))
        name = f"X{suffix}"
        self._values |= {f"{second}s": CURVE.encode_number(product), f"zkp_nonce_{name}": CURVE.encode_number(nonce)}
        self._note_hash_input(name, encoded, commitment, public, self.role)
        return prove(encoded, product, public, nonce, commitment, self.role.value)

    def read_round_two(self, pair: KeyKp) -> None:
        """Take the peer's key pair of round two; raises AuthenticationError for a proof that does not hold."""
        (one, two), (peer, _) = self._points(self._own), self._points(self._peer)
        base = _not_infinity(total(one, two, peer), "the key pairs of round one cancel out")
        self._peer_two = self._verify(pair, base, base.encode(), f"X{_NAMES[self.role.other][2]}")

    def premaster(self) -> bytes:
        """SHA-256 of the shared point's x coordinate; both rounds have to be in."""
        if self._peer_two is None:
            raise LocalProtocolError("EC-JPAKE: no shared secret before the peer's round two")
        (_, scalar), (_, two) = self._drawn(), self._points(self._peer)
        product = scalar * self._secret % CURVE.q
        difference = total(self._peer_two, negative(multiple(product, two)))
        x = x_of_multiple(scalar, _not_infinity(difference, "the shared point is the point at infinity"))
        premaster = hashlib.sha256(x).digest()
        self._values |= {"shared_point_x": x, "premaster": premaster}
        return premaster

    @property
    def intermediates(self) -> Intermediates:
        """Every value known so far, by name: scalars, proof nonces, hash inputs, shared point, premaster."""
        return Intermediates(self._values)

    def _other_sums(self) -> Iterator[tuple[str, Affine]]:
        """What else the peer may take for the generator of its round two: other sums of the four public keys."""
        names = [name.upper() for role in (self.role, self.role.other) for name in _NAMES[role][:2]]
        keys = dict(zip(names, (*self._points(self._own), *self._points(self._peer)), strict=True))
        for choice in (each for count in (2, 3, 4) for each in combinations(sorted(names), count)):
            base = total(*(keys[name] for name in choice))
            if base is not None:
                yield " + ".join(choice), base

    def _verify(self, pair: KeyKp, base: Affine, encoded: bytes, name: str) -> Affine:
        statement = Statement(base, encoded, self.role.other.value, name)
        self._note_hash_input(name, encoded, pair.commitment, pair.public, self.role.other)
        try:
            return statement.verify(pair)
        except AuthenticationError as error:
            others = () if base == GENERATOR else self._other_sums()
            self.mistake = known_mistake(statement, pair, others) or ""
            raise AuthenticationError(f"{error}: {self.mistake}" if self.mistake else str(error)) from None

    def _note_hash_input(self, name: str, base: bytes, commitment: bytes, public: bytes, role: EcJpakeRole) -> None:
        self._values[f"zkp_hash_input_{name}"] = hash_input(base, commitment, public, role.value)

    def _points(self, points: tuple[Affine, Affine] | None) -> tuple[Affine, Affine]:
        if points is None:
            raise LocalProtocolError("EC-JPAKE: round two before both sides' round one")
        return points

    def _drawn(self) -> tuple[int, int]:
        if self._scalars is None:
            raise LocalProtocolError("EC-JPAKE: round two before our round one")
        return self._scalars


def _not_infinity(point: Point, otherwise: str) -> Affine:
    if point is None:
        raise AuthenticationError(f"EC-JPAKE: {otherwise}")
    return point
