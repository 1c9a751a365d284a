"""Runs: one seed gives one transcript; defects are raised; every scenario of the repository passes."""

import asyncio
from pathlib import Path

import pytest

from devices.errors import EmulatorError, HomeFileError
from devices.lab.run import run_on_loop, run_scenario
from devices.lab.scenario import read_scenario
from devices.sim.clock import Clock
from devices.transcripts.reader import Happened
from tests.support.scenarios import HOME, play
from tests.support.transcripts import records_of

# Those with a client run in real time, beside it and beside its bugs: python -m tests.planted.
SCENARIOS = [
    each
    for each in sorted((Path(__file__).parents[3] / "specs" / "scenarios").rglob("*.toml"))
    if "\n[client]\n" not in each.read_text(encoding="utf-8")
]
LEADER = '[[step]]\nexpect = "RoleChanged"\nwhere = { role = "leader" }\n'


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: str(path.stem))
def test_every_scenario_of_the_repository_passes_with_any_seed(path: Path) -> None:
    for seed in (None, 2, 3):
        result = run_scenario(read_scenario(path), seed)
        assert result.failure is None, result.failure


def test_the_given_seed_goes_before_the_files_and_is_in_the_result(tmp_path: Path) -> None:
    assert play(tmp_path, LEADER).seed == 1
    result = play(tmp_path, LEADER, seed=99)
    assert (result.seed, result.replay) == (99, f"pairlab run {result.path} --seed 99")


def test_without_a_seed_one_is_drawn_that_gives_the_same_run_again(tmp_path: Path) -> None:
    home = HOME.replace("seed = 1\n", "")
    first = play(tmp_path, LEADER, home=home)
    assert play(tmp_path, LEADER, home=home, seed=first.seed).transcript == first.transcript


def test_the_transcript_holds_every_event_and_the_goodbyes(tmp_path: Path) -> None:
    result = play(tmp_path, LEADER)
    recorded = [each.event["id"] for each in records_of(result.transcript) if isinstance(each, Happened)]
    assert recorded == [each.id for each in result.events]
    assert result.events[-1]["reason"] == "power-off"


def test_a_home_that_cannot_come_up_is_an_error_and_no_result(tmp_path: Path) -> None:
    with pytest.raises(HomeFileError, match="accessory 'br': vendr: there is no such key; did you mean 'vendor'"):
        play(tmp_path, LEADER, home=HOME.replace('attach = "1s"', 'attach = "1s"\nvendr = "x"'))


def test_a_defect_is_raised_wherever_it_happens() -> None:
    def fail() -> None:
        raise ZeroDivisionError("on purpose")

    async def in_a_timer() -> None:
        clock = Clock(asyncio.get_running_loop(), virtual=True)
        clock.call_later(1_000, fail)
        await clock.sleep(2_000)

    async def in_the_story() -> None:
        fail()

    for story in (in_a_timer, in_the_story):
        with pytest.raises(ZeroDivisionError, match="on purpose"):
            run_on_loop(story(), virtual=True)


def test_a_client_without_a_control_api_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match="needs the control API"):
        play(tmp_path, '[client]\ncommand = ["true"]\n')
