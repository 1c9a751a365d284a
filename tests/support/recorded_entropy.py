"""Entropy that gives recorded draws, and seeded entropy."""

from collections.abc import Iterable
from hashlib import shake_256

from pairing.engine import Entropy


class RecordedEntropy:
    """Gives the recorded draws in order; a draw that was not recorded, or of another length, is an error."""

    def __init__(self, draws: Iterable[bytes]) -> None:
        self.draws = list(draws)

    def __call__(self, length: int) -> bytes:
        if not self.draws:
            raise AssertionError(f"a draw of {length} octets beyond what was recorded")
        drawn = self.draws.pop(0)
        if len(drawn) != length:
            raise AssertionError(f"a draw of {length} octets, recorded are {len(drawn)}")
        return drawn


def seeded(seed: object) -> Entropy:
    """A stream of octets that follows from the seed."""
    drawn = 0

    def draw(length: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return shake_256(f"{seed}/{drawn}".encode()).digest(length)

    return draw
