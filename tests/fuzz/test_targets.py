"""Every fuzz target over a seeded set of valid, mutated and random inputs; `scripts/fuzz.py` goes on from there."""

import itertools
import random

import pytest

from tests.fuzz.mutation import inputs
from tests.fuzz.target import Target, decoder, targets

MUTATED, MUTATED_SLOW = 50, 15
"""Inputs beside the valid ones; a dialogue takes milliseconds for each."""


def fuzzed(target: Target, count: int, seed: object) -> int:
    """Run a target over so many inputs beside its seeds; how many it took."""
    seeds = list(target.seeds())
    chosen = seeds if len(seeds) <= count else random.Random(f"{seed}").sample(seeds, count)
    made = itertools.islice(inputs(chosen, random.Random(f"{target.name}/{seed}")), len(chosen) + count)
    return sum(target.run(data) in (True, False) for data in made)


@pytest.mark.parametrize("target", targets().values(), ids=targets())
def test_no_input_brings_out_more_than_a_named_error(target: Target) -> None:
    count = MUTATED_SLOW if target.is_slow else MUTATED
    assert fuzzed(target, count, seed=1) >= count


@pytest.mark.slow
@pytest.mark.parametrize("target", targets().values(), ids=targets())
def test_no_input_of_many_brings_out_more_than_a_named_error(target: Target) -> None:
    count = 2_000 if target.is_slow else 50_000
    assert fuzzed(target, count, seed=2) >= count


def test_every_target_accepts_one_of_its_valid_inputs() -> None:
    """One that refuses all of them would test nothing but its first line."""
    assert [target.name for target in targets().values() if not any(map(target.run, target.seeds()))] == []


def test_an_error_without_a_name_is_a_finding() -> None:
    target = decoder("wrong", lambda data: data[7], lambda: [bytes(8)])
    with pytest.raises(IndexError):
        fuzzed(target, 100, seed=1)


def test_an_encoding_that_loses_something_is_a_finding() -> None:
    target = decoder("lossy", lambda data: data, lambda: [b"abc"], encode=lambda value: value.rstrip(b"\0"))
    with pytest.raises(AssertionError, match="encodes to"):
        fuzzed(target, 400, seed=1)


def test_one_seed_gives_the_same_inputs() -> None:
    first, second = (list(itertools.islice(inputs([b"valid", b"input"], random.Random(3)), 200)) for _ in range(2))
    assert first == second
