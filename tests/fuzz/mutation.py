"""Hostile bytes from valid ones: a plain mutator for machines without a coverage-guided fuzzer, and for the tests.

All chance comes from the generator handed in, so that one seed gives the same inputs every time.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
EDGES = (0x00, 0x01, 0x7F, 0x80, 0xC0, 0xFE, 0xFF)
"""Octets at which lengths, flags and pointers turn."""
LONGEST = 16384
MOST_CHANGES = 4
RANDOM_SHARE = 0.1
"""Of the inputs, so many owe nothing to a valid one."""


def inputs(seeds: Iterable[bytes], chance: random.Random) -> Iterator[bytes]:
    """The valid inputs as they are, then mutated and random ones without end."""
    pool = [*seeds]
    yield from pool
    while True:
        if not pool or chance.random() < RANDOM_SHARE:
            yield chance.randbytes(chance.choice((0, 1, 2, 8, 24, 64, chance.randrange(300))))
        else:
            yield mutated(chance.choice(pool), pool, chance)


def rearranged(parts: Sequence[T]) -> Iterator[tuple[T, ...]]:
    """The parts of something well formed with one of them missing, one twice, or all in the wrong order."""
    for place in range(len(parts)):
        yield (*parts[:place], *parts[place + 1 :])
        yield (*parts[:place], parts[place], *parts[place:])
    yield tuple(reversed(parts))


def mutated(data: bytes, pool: list[bytes], chance: random.Random) -> bytes:
    """The input with a few changes; `pool` lends parts of others."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, MOST_CHANGES)):
        chance.choice(_CHANGES)(changed, pool, chance)
    return bytes(changed[:LONGEST])


def _place(data: bytearray, chance: random.Random) -> int:
    return chance.randrange(len(data) + 1)


def _span(data: bytearray, chance: random.Random) -> slice:
    start = _place(data, chance)
    return slice(start, start + chance.choice((1, 2, 4, chance.randint(1, 40))))


def _flip(data: bytearray, _pool: list[bytes], chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _set(data: bytearray, _pool: list[bytes], chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.choice((*EDGES, chance.randrange(256)))


def _nudge(data: bytearray, _pool: list[bytes], chance: random.Random) -> None:
    """One more or less: what a wrong length is."""
    if data:
        place = chance.randrange(len(data))
        data[place] = (data[place] + chance.choice((-2, -1, 1, 2))) % 256


def _cut(data: bytearray, _pool: list[bytes], chance: random.Random) -> None:
    del data[_place(data, chance) :]


def _remove(data: bytearray, _pool: list[bytes], chance: random.Random) -> None:
    del data[_span(data, chance)]


def _repeat(data: bytearray, _pool: list[bytes], chance: random.Random) -> None:
    span = _span(data, chance)
    data[span.start : span.start] = data[span] * chance.choice((1, 1, 2, 20))


def _insert(data: bytearray, _pool: list[bytes], chance: random.Random) -> None:
    place = _place(data, chance)
    data[place:place] = chance.randbytes(chance.choice((1, 2, 4, 16)))


def _fill(data: bytearray, _pool: list[bytes], chance: random.Random) -> None:
    """A number at its lowest or highest."""
    place, width = _place(data, chance), chance.choice((2, 4, 6, 8))
    data[place : place + width] = bytes((chance.choice((0x00, 0xFF)),)) * width


def _load(data: bytearray, _pool: list[bytes], chance: random.Random) -> None:
    """Much more than anybody sends."""
    data += bytes(chance.choice((256, 256, 1500, 10_000)))


def _borrow(data: bytearray, pool: list[bytes], chance: random.Random) -> None:
    """Part of another valid input, in place of what is there or between it."""
    other = bytearray(chance.choice(pool))
    place = _place(data, chance)
    part = other[_span(other, chance)]
    data[place : place + chance.choice((0, len(part)))] = part


def _join(data: bytearray, pool: list[bytes], chance: random.Random) -> None:
    """The head of this one and the tail of another."""
    other = chance.choice(pool)
    place = _place(data, chance)
    data[place:] = other[min(place, len(other)) :]


_CHANGES: tuple[Callable[[bytearray, list[bytes], random.Random], None], ...] = (
    _flip,
    _flip,
    _set,
    _set,
    _nudge,
    _nudge,
    _cut,
    _remove,
    _repeat,
    _insert,
    _fill,
    _load,
    _borrow,
    _join,
)
