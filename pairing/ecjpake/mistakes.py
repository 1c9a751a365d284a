"""Known mistakes in a Schnorr proof: which of them, if any, makes exactly the proof that came.

Only one at a time is tried, so a hit is no guess. A wrong password fits none of them: its proofs hold.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Literal

from pairing.ecjpake.points import CURVE, GENERATOR, Affine, decode_point, multiple, total
from pairing.ecjpake.proof import KeyKp, Statement, challenge, hash_input
from pairing.errors import DecodeError

_OTHER_CURVES = {
    "secp256k1": (2**256 - 2**32 - 977, 0, 7),
    "brainpoolP256r1": (
        0xA9FB57DBA1EEA9BC3E660A909D838D726E3BF623D52620282013481D1F6E5377,
        0x7D5A0975FC2C3057EEF67530417AFFE7FB8055C126DC5C6CE94A4B44F330B5D9,
        0x26DC5C6CE94A4B44F330B5D9BBD77CBF958416295CF7E1CE6BCCDC18FF8C07B6,
    ),
}
"""Name -> p, a, b of the curves whose points are as long."""


def known_mistake(statement: Statement, pair: KeyKp, others: Iterable[tuple[str, Affine]] = ()) -> str | None:
    """The mistake in words, or None. `others` are points by name that may have been taken for the generator."""
    try:
        public = decode_point(pair.public)
    except DecodeError:
        return _of_point(pair.public)
    right = hash_input(statement.encoded_base, pair.commitment, pair.public, statement.identity)
    for mistake, other in _other_responses(pair.response):
        if _fits(statement.base, public, pair, other, challenge(right)):
            return mistake
    response = int.from_bytes(pair.response, "big")
    if _fits(statement.base, public, pair, response, CURVE.q - challenge(right)):
        return "r is v + x·h, expected v - x·h"
    if _fits(statement.base, public, pair, response, _little_endian(right)):
        return "the hash as a number in little endian"
    for mistake, hashed in _candidates(statement, pair):
        if _fits(statement.base, public, pair, response, challenge(hashed)):
            return mistake
    return _of_generator(statement, pair, public, others)


def _fits(base: Affine, public: Affine, pair: KeyKp, response: int, hashed: int) -> bool:
    made = total(multiple(response, base), multiple(hashed, public))
    return made is not None and made.encode() == pair.commitment


def _other_responses(response: bytes) -> Iterator[tuple[str, int]]:
    """Mistake -> what r was before it."""
    yield "r in little endian", int.from_bytes(response, "little")
    if not response[-1]:
        yield "r filled up with zeros behind it, expected none", int.from_bytes(response.rstrip(b"\0"), "big")


def _little_endian(hashed: bytes) -> int:
    return int.from_bytes(hashlib.sha256(hashed).digest(), "little") % CURVE.q


def _of_generator(
    statement: Statement, pair: KeyKp, public: Affine, others: Iterable[tuple[str, Affine]]
) -> str | None:
    """A proof in another sum of the key pairs of round one."""
    response = int.from_bytes(pair.response, "big")
    for name, base in others:
        hashed = challenge(hash_input(base.encode(), pair.commitment, pair.public, statement.identity))
        if _fits(base, public, pair, response, hashed):
            return f"the generator of round two is {name}"
    return None


def _of_point(octets: bytes) -> str | None:
    """Why a point is none of P-256."""
    if octets[:1] != b"\x04":
        return f"form {octets[:1].hex()} of a point, expected 04 (uncompressed)"
    x, y = octets[1:33], octets[33:]
    try:
        decode_point(b"\x04" + x[::-1] + y[::-1])
    except DecodeError:
        numbers = int.from_bytes(x, "big"), int.from_bytes(y, "big")
        return next((f"a point of {name}" for name in _OTHER_CURVES if _is_on(name, *numbers)), None)
    return "coordinates in little endian"


def _is_on(name: str, x: int, y: int) -> bool:
    p, a, b = _OTHER_CURVES[name]
    return max(x, y) < p and (y * y - x * x * x - a * x - b) % p == 0


def _candidates(statement: Statement, pair: KeyKp) -> Iterator[tuple[str, bytes]]:
    """Mistake -> what is hashed for it."""
    base, commitment, identity = statement.encoded_base, pair.commitment, statement.identity
    other = "server" if identity == "client" else "client"
    for wrong in (other, identity.title(), identity.upper(), identity + "\0", other.title(), other.upper()):
        named = hash_input(base, commitment, pair.public, wrong)
        yield f"identity {wrong!r} in the hash, expected {identity!r}", named
    yield "no identity in the hash", hash_input(base, commitment, pair.public, "")[:-4]
    generator = GENERATOR.encode()
    if generator != base:
        named = hash_input(generator, commitment, pair.public, identity)
        yield "the curve's generator in the hash, expected that of round two", named
    values = (base, commitment, pair.public, identity.encode("ascii"))
    yield "no lengths in the hash", b"".join(values)
    for size, name in ((1, "one-byte"), (2, "two-byte")):
        yield f"{name} lengths in the hash, expected four-byte", _with_lengths(values, size)
    yield "lengths in little endian in the hash", _with_lengths(values, 4, "little")
    yield "X before V in the hash, expected V before X", hash_input(base, pair.public, commitment, identity)
    yield "V and X before the generator in the hash", _with_lengths((commitment, pair.public, base, values[3]), 4)
    yield "identity first in the hash, expected last", _with_lengths((values[3], *values[:3]), 4)
    compressed = tuple(bytes((2 + each[-1] % 2,)) + each[1 : 1 + CURVE.size] for each in values[:3])
    yield "compressed points in the hash", _with_lengths((*compressed, values[3]), 4)
    bare = tuple(each[1:] for each in values[:3])
    yield "points without their 04 in the hash", _with_lengths((*bare, values[3]), 4)


def _with_lengths(values: tuple[bytes, ...], size: int, order: Literal["big", "little"] = "big") -> bytes:
    return b"".join(len(value).to_bytes(size, order) + value for value in values)
