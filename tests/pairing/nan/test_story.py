"""Pairing, restart under another address, verification and a data path in one story, whatever the air does to it."""

import pytest

from tests.support.nan_story import count


def one_sided(first: int, number: int) -> list[str]:
    ends, _ = count(range(first, first + number))
    assert sum(ends.values()) == number
    return [end for end in ends if end.startswith("ONE-SIDED")]


def test_both_have_the_same_or_neither_has_anything() -> None:
    assert one_sided(0, 60) == []


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_both_have_the_same_or_neither_has_anything_whatever_the_seed(part: int) -> None:
    assert one_sided(500 * part, 500) == []
