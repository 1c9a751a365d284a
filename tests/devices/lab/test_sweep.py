"""Sweeps: seeds, their order, and what a worker makes of every way to fail."""

from multiprocessing import active_children
from pathlib import Path

import pytest

from devices.errors import ScenarioError, UsageError
from devices.lab.sweep import SeedResult, parse_seeds, run_seed, sweep
from tests.support.scenarios import scenario_file

# Half of all seeds lose the first announcement.
CHANCY = """
[[step]]
expect = "PeerDiscovered"
within = "1500ms"

[[fault]]
kind = "drop"
target = "phone"
direction = "in"
probability = 0.5
optional = true
after = { event = "RoleChanged" }
"""


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("0..3", [0, 1, 2, 3]), ("7", [7]), ("7..7", [7]), ("1, 5..6,2", [1, 5, 6, 2])],
)
def test_seeds_are_a_range_or_several(text: str, seeds: list[int]) -> None:
    assert list(parse_seeds(text)) == seeds


@pytest.mark.parametrize("text", ["", "a", "3..1", "-1", "1..", "..5", "0..10000000", "1.5", "9" * 30])
def test_other_texts_are_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match="--seeds: "):
        parse_seeds(text)


def test_results_come_in_the_order_of_the_seeds_whatever_the_workers(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, CHANCY)
    seeds = [5, 3, *range(20, 40), 1]
    results = list(sweep(path, seeds, workers=2))
    assert [each.seed for each in results] == seeds
    assert results == [run_seed(path, None, seed) for seed in seeds]
    assert 0 < sum(each.passed for each in results) < len(seeds)


def test_a_failure_says_the_step_and_how_to_see_it_again(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, CHANCY.replace("PeerDiscovered", "PeerLost"))
    assert run_seed(path, None, 4).as_json(path) == {
        "seed": 4,
        "step": 1,
        "reason": "no PeerLost within 1500ms",
        "defect": False,
        "replay": f"pairlab run {path} --seed 4",
    }


def test_an_error_of_one_seed_is_a_result(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, '[client]\ncommand = ["true"]\n')
    result = run_seed(path, None, 4)
    assert result == SeedResult(4, None, "a scenario with a [client] needs the control API, which nobody has brought")


def test_a_defect_of_one_seed_is_a_result_with_its_place(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, CHANCY)
    result = run_seed(path, None, object())  # type: ignore[arg-type]  # a defect on purpose
    assert result.defect
    assert ".py:" in str(result.reason)


def test_a_bad_file_is_refused_before_any_process_starts(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, '[[step]]\nexpect = "Nothing"\n')
    with pytest.raises(ScenarioError, match="no event is called 'Nothing'"):
        next(sweep(path, [1]))
    assert active_children() == []


def test_a_sweep_that_is_broken_off_leaves_no_process(tmp_path: Path) -> None:
    results = sweep(scenario_file(tmp_path, CHANCY), range(5_000), workers=2)
    assert next(results).seed == 0
    results.close()
    assert active_children() == []
