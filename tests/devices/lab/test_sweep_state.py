"""Where a sweep stands: written, read again, cut off, damaged, and gone on with."""

import json
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.cli.sweep_progress import SweepProgress
from devices.lab.scenario import Scenario, read_scenario, with_client
from devices.lab.sweep import SeedResult
from devices.lab.sweep_state import Standing, StateFile, SweepStateError, read_standing, state_path
from tests.support.command_line import run
from tests.support.scenarios import scenario_file

SEEDS = range(6)
FAILURE = SeedResult(1, 1, "no RoleChanged within 30s", nearest=("8 RoleChanged of br at 9 us: role is 'child'",))
STEPS = '[[step]]\nexpect = "RoleChanged"\n'


@pytest.fixture
def story(tmp_path: Path) -> Scenario:
    return read_scenario(scenario_file(tmp_path, STEPS))


def _interrupted(story: Scenario, folder: Path) -> Path:
    """The file of a sweep that was interrupted after four of six seeds, one of which had failed."""
    path = state_path(folder, story, SEEDS)
    file = StateFile(path, story, SEEDS, Standing())
    for result in (SeedResult(0), FAILURE, SeedResult(2), SeedResult(3)):
        file.note(result)
    file.close()
    return path


def test_what_was_written_is_read_again_and_written_on(story: Scenario, tmp_path: Path) -> None:
    path = _interrupted(story, tmp_path)
    standing = read_standing(path, story, SEEDS)
    assert standing == Standing(4, (FAILURE,))
    on = StateFile(path, story, SEEDS, standing)
    on.note(SeedResult(4, None, "a defect", defect=True))
    on.close()
    assert read_standing(path, story, SEEDS) == Standing(5, (FAILURE, SeedResult(4, None, "a defect", defect=True)))
    on.remove()
    assert read_standing(path, story, SEEDS) is None


def test_a_line_that_a_kill_has_cut_off_is_not_counted(story: Scenario, tmp_path: Path) -> None:
    path = _interrupted(story, tmp_path)
    path.write_text(path.read_text() + '{"done":5,"fail')
    assert read_standing(path, story, SEEDS) == Standing(4, (FAILURE,))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"done":9,"failures":[]}', "9 of 6 seeds cannot be done after 4"),
        ('{"done":3,"failures":[]}', "3 of 6 seeds cannot be done after 4"),
        ('{"done":5,"failures":[{"seed":"x","step":1,"reason":"r","defect":false,"nearest":[]}]}', "is no failure"),
        ("null", "NoneType"),
        ("{", "line 4"),
    ],
)
def test_damage_is_one_error_that_says_what_to_do(story: Scenario, tmp_path: Path, line: str, why: str) -> None:
    path = _interrupted(story, tmp_path)
    path.write_text(f"{path.read_text()}{line}\n")
    with pytest.raises(SweepStateError, match=f"{why}.*begin anew, without --resume"):
        read_standing(path, story, SEEDS)


@given(data=st.binary(max_size=200))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_are_another_error(story: Scenario, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "state.jsonl"
    path.write_bytes(data)
    with pytest.raises(SweepStateError):
        read_standing(path, story, SEEDS)


def test_another_scenario_other_seeds_or_another_client_have_another_file(story: Scenario, tmp_path: Path) -> None:
    other = read_scenario(scenario_file(tmp_path, STEPS + "# changed\n", name="other.toml"))
    renamed = read_scenario(scenario_file(tmp_path, STEPS, name="renamed.toml"))
    same = {state_path(tmp_path, each, SEEDS).name[-17:] for each in (story, renamed)}
    assert len(same) == 1, "the content counts, not the name"
    paths = {
        state_path(tmp_path, story, SEEDS),
        state_path(tmp_path, story, range(7)),
        state_path(tmp_path, with_client(story, ["true"]), SEEDS),
        state_path(tmp_path, other, SEEDS),
    }
    assert len(paths) == 4
    with pytest.raises(SweepStateError, match="another scenario"):
        read_standing(_interrupted(story, tmp_path), other, SEEDS)


def test_a_sweep_goes_on_on_request_and_leaves_nothing_at_its_end(
    story: Scenario, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = _interrupted(story, tmp_path)
    command = ("sweep", str(story.path), "--seeds", "0..5", "--workers", "1", "--json", "--no-shrink")
    done = run(capsys, *command, "--resume")
    assert done.code == 1
    assert "goes on after 4 of 6 seeds" in done.err
    told = json.loads(done.out)
    assert (told["passed"], told["failed"], told["failures"][0]["seed"]) == (5, 1, 1)
    assert not path.exists()
    path.write_text("damage\n")
    assert run(capsys, *command, "--resume").code == 2
    assert run(capsys, *command).code == 0, "without --resume it begins anew"
    assert not path.exists()


def test_without_a_terminal_progress_is_a_line() -> None:
    said = StringIO()
    progress = SweepProgress(10_000, 4_000, 2, bar=False, stream=said)
    for passed in (True, False):
        progress.step(passed=passed)
    assert progress.line(0.5) == "sweep: 4002 of 10000 seeds, 3 failed, 4.0 a second, about 25 min 0 s to go"
    assert said.getvalue() == ""
