"""The kit: what its table says can be believed. The programs themselves run by `python -m tests.planted`."""

import subprocess
import sys
from pathlib import Path

import pytest

from devices.lab.scenario import read_scenario, step_text
from tests.planted.__main__ import Program, check, main, programs

PROGRAMS = list(programs())


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: str(each.path.stem))
def test_every_bug_names_a_step_of_its_scenario(program: Program) -> None:
    texts = [step_text(each) for each in read_scenario(program.scenario).spec.step]
    assert set(program.bugs.values()) <= {*texts, "after the last step"}
    assert program.bugs


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: str(each.path.stem))
def test_a_scenario_of_the_kit_runs_beside_the_correct_program_as_it_stands(program: Program) -> None:
    client = read_scenario(program.scenario).spec.client
    assert client is not None
    assert client.command == [
        "${scenario.python}",
        f"${{scenario.folder}}/../../../tests/planted/clients/{program.path.name}",
    ]


def test_a_bug_that_nothing_notices_is_not_called_caught(tmp_path: Path) -> None:
    scenario = tmp_path / "quiet.toml"
    scenario.write_text('seed = 1\n[client]\ncommand = ["true"]\n[[step]]\nnever = "PeerLost"\nduring = "1ms"\n')
    quiet = tmp_path / "quiet.py"
    quiet.write_text("")
    program = Program(quiet, scenario, {"unnoticed": "never PeerLost"})
    assert check(program, None).good
    assert (check(program, "unnoticed").good, check(program, "unnoticed").why) == (
        False,
        "passed; meant to be caught at: never PeerLost",
    )


def test_a_program_that_crashes_is_not_called_caught(tmp_path: Path) -> None:
    scenario = tmp_path / "loud.toml"
    scenario.write_text(
        'seed = 1\n[client]\ncommand = ["true"]\n[[step]]\nexpect = "ClientExited"\nwhere = {code = 0}\nwithin = "2s"\n'
    )
    loud = tmp_path / "loud.py"
    loud.write_text("raise ValueError('by mistake')\n")
    outcome = check(Program(loud, scenario, {"loud": "expect ClientExited"}), "loud")
    assert not outcome.good
    assert "ValueError: by mistake" in outcome.why


def test_an_unknown_program_or_bug_is_named() -> None:
    with pytest.raises(SystemExit, match="no program 'nobody'"):
        main(["nobody"])
    words = [sys.executable, str(PROGRAMS[0].path), "--bug", "nothing"]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert next(iter(PROGRAMS[0].bugs)) in ended.stderr
