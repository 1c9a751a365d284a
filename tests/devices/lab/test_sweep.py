"""Sweeps: seeds, their order, and what a worker makes of every way to fail."""

import subprocess
import sys
from multiprocessing import active_children
from pathlib import Path

import pytest

from devices.errors import UsageError
from devices.lab.scenario import Scenario, read_scenario, with_client
from devices.lab.sweep import SeedResult, judge, parse_seeds, sweep
from tests.support.command_line import environment
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


def _story(folder: Path, steps: str = CHANCY) -> Scenario:
    return read_scenario(scenario_file(folder, steps))


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
    story = _story(tmp_path)
    seeds = [5, 3, *range(20, 40), 1]
    results = list(sweep(story, seeds, workers=2))
    assert [each.seed for each in results] == seeds
    assert results == [judge(story, seed, None) for seed in seeds]
    assert 0 < sum(each.passed for each in results) < len(seeds)


def test_a_failure_says_the_step_and_how_to_see_it_again(tmp_path: Path) -> None:
    story = _story(tmp_path, CHANCY.replace("PeerDiscovered", "PeerLost"))
    told = judge(story, 4, None).as_json(story)
    assert len(told["nearest"]) == 3
    assert all("type is " in each for each in told.pop("nearest"))
    assert told == {
        "seed": 4,
        "step": 1,
        "reason": "no PeerLost within 1500ms",
        "defect": False,
        "replay": f"pairlab run {story.path} --seed 4",
    }


def test_an_error_of_one_seed_is_a_result(tmp_path: Path) -> None:
    result = judge(_story(tmp_path, '[client]\ncommand = ["true"]\n'), 4, None)
    assert result == SeedResult(4, None, "a scenario with a [client] needs the control API, which nobody has brought")


def test_a_defect_of_one_seed_is_a_result_with_its_place(tmp_path: Path) -> None:
    story = with_client(_story(tmp_path), ["true"])
    result = judge(story, 4, object())  # type: ignore[arg-type]  # a defect on purpose
    assert result.defect
    assert ".py:" in str(result.reason)


def test_a_sweep_that_is_broken_off_leaves_no_process(tmp_path: Path) -> None:
    results = sweep(_story(tmp_path), range(5_000), workers=2)
    assert next(results).seed == 0
    results.close()
    assert active_children() == []


BEGINS = """
import sys
from pathlib import Path
from devices.lab.scenario import read_scenario
from devices.lab.sweep import sweep
results = sweep(read_scenario(Path(sys.argv[1])), range(100_000), workers=2)
print(next(results).seed, flush=True)
sys.stdin.read()
"""


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BEGINS, str(scenario_file(tmp_path, CHANCY))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(tmp_path)) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"0\n"
        parent.kill()
        # The workers hold the pipe, too: its end is theirs.
        assert parent.communicate(timeout=60) == (b"", None)
