"""Known mistakes in a Schnorr proof: which of them, if any, makes exactly the proof that came.

Only one at a time is tried, so a hit is no guess. A wrong password fits none of them: its proofs hold.
"""

from collections.abc import Iterator

from pairing.ecjpake.points import CURVE, GENERATOR, multiple, total
from pairing.ecjpake.proof import KeyKp, Statement, challenge, hash_input
from pairing.errors import AuthenticationError


def known_mistake(statement: Statement, pair: KeyKp) -> str | None:
    """The mistake in words, or None."""
    try:
        public, response = statement.read(pair)
    except AuthenticationError:
        return None
    first = multiple(response, statement.base)

    def fits(hashed: int) -> bool:
        made = total(first, multiple(hashed, public))
        return made is not None and made.encode() == pair.commitment

    right = hash_input(statement.encoded_base, pair.commitment, pair.public, statement.identity)
    if fits(CURVE.q - challenge(right)):
        return "r is v + x·h, expected v - x·h"
    return next((mistake for mistake, hashed in _candidates(statement, pair) if fits(challenge(hashed))), None)


def _candidates(statement: Statement, pair: KeyKp) -> Iterator[tuple[str, bytes]]:
    """Mistake -> what is hashed for it."""
    base, commitment, identity = statement.encoded_base, pair.commitment, statement.identity
    other = "server" if identity == "client" else "client"
    yield f"identity '{other}' in the hash, expected '{identity}'", hash_input(base, commitment, pair.public, other)
    yield "no identity in the hash", hash_input(base, commitment, pair.public, "")[:-4]
    generator = GENERATOR.encode()
    if generator != base:
        named = hash_input(generator, commitment, pair.public, identity)
        yield "the curve's generator in the hash, expected that of round two", named
    values = (base, commitment, pair.public, identity.encode("ascii"))
    yield "no lengths in the hash", b"".join(values)
    for size, name in ((1, "one-byte"), (2, "two-byte")):
        yield f"{name} lengths in the hash, expected four-byte", _with_lengths(values, size)
    yield "X before V in the hash, expected V before X", hash_input(base, pair.public, commitment, identity)
    yield "V and X before the generator in the hash", _with_lengths((commitment, pair.public, base, values[3]), 4)
    yield "identity first in the hash, expected last", _with_lengths((values[3], *values[:3]), 4)
    compressed = tuple(bytes((2 + each[-1] % 2,)) + each[1 : 1 + CURVE.size] for each in values[:3])
    yield "compressed points in the hash", _with_lengths((*compressed, values[3]), 4)


def _with_lengths(values: tuple[bytes, ...], size: int) -> bytes:
    return b"".join(len(value).to_bytes(size, "big") + value for value in values)
