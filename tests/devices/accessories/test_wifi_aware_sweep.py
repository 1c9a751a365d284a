"""Whatever wire faults do to their frames, camera and viewer or phone agree on keys and data paths, or have none."""

import pytest

from tests.support.wifi_aware_story import count


def one_sided(first: int, number: int) -> list[str]:
    ends = count(range(first, first + number))
    assert sum(ends.values()) == number
    return [end for end in ends if end.startswith("ONE-SIDED")]


def test_a_few_seeds_of_a_bad_air_end_alike_on_both_sides() -> None:
    assert one_sided(0, 3) == []


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_many_seeds_of_a_bad_air_end_alike_on_both_sides(part: int) -> None:
    assert one_sided(50 * part, 50) == []
