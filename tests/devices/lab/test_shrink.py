"""Shrinking: what is left of a failure, what replays it, and failures that no fault decision causes."""

import json
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import tomli_w

from devices.lab.result import ScenarioResult
from devices.lab.run import run_scenario
from devices.lab.scenario import read_scenario
from devices.lab.shrink import Shrunk, scheduled, shrink, write_shrunk
from tests.support.command_line import environment
from tests.support.scenarios import scenario_file

# Four announcements are lost, late or doubled here and there; the first one decides.
LOSSY = """
[[fault]]
kind = "drop"
target = "phone"
direction = "in"
probability = 0.6
optional = true

[[fault]]
kind = "delay"
delay = "3ms"
jitter = "9ms"
probability = 0.5
optional = true

[[fault]]
kind = "duplicate"
probability = 0.5
optional = true

[[fault]]
kind = "corrupt"
probability = 0.2
optional = true

[[step]]
expect = "PeerDiscovered"
within = "1500ms"

[[step]]
do = "advance"
with = { duration = "20s" }
"""

PLANTED = """
name = "Counting"

[[accessory]]
id = "receiver"
kind = "planted-receiver"

[[accessory]]
id = "sender"
kind = "planted-sender"

[[fault]]
kind = "drop"
probability = 0.1

[[fault]]
kind = "delay"
delay = "40ms"
jitter = "200ms"
probability = 0.1

[[fault]]
kind = "duplicate"
copies = 2
gap = "60ms"
probability = 0.02
optional = true

[[step]]
do = "advance"
with = { duration = "30s" }

[[step]]
never = "RequestReceived"
where = { status = "twice" }
during = "1s"
"""


def _first_failure(path: Path) -> Shrunk:
    for seed in range(50):
        found = shrink(read_scenario(path), seed)
        if found is not None:
            return found
    raise AssertionError("no seed fails")


def _replayed(path: Path) -> ScenarioResult:
    return run_scenario(read_scenario(path))


def test_a_failure_is_left_with_what_causes_it_and_replays(tmp_path: Path) -> None:
    found = _first_failure(scenario_file(tmp_path, LOSSY))
    assert found.hits is not None
    assert found.complete
    assert 1 <= len(found.hits) <= 2 < found.decisions
    path = write_shrunk(found, tmp_path / "out", tmp_path / "story.toml")
    again = _replayed(path)
    assert again.failure is not None
    assert (again.failure.step, again.failure.reason) == (found.failure.step, found.failure.reason)
    assert _replayed(path).transcript == again.transcript


def test_nothing_more_can_be_taken_away(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, LOSSY)
    found = _first_failure(path)
    assert found.hits
    scenario = read_scenario(path)
    for left_out in found.hits:
        fewer = [each for each in found.hits if each is not left_out]
        spec = scheduled(scenario.spec, fewer, found.failure.seed)
        assert run_scenario(replace(scenario, spec=spec), found.failure.seed).passed


def test_a_failure_without_faults_needs_no_hit(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, LOSSY.replace("PeerDiscovered", "PeerLost"))
    found = shrink(read_scenario(path), 1)
    assert found is not None
    assert (found.hits, found.runs) == ((), 2)


def test_a_run_that_passes_is_not_shrunk(tmp_path: Path) -> None:
    assert shrink(read_scenario(scenario_file(tmp_path, '[[step]]\nexpect = "RoleChanged"\n')), 1) is None


def test_a_failure_that_looks_at_the_faults_themselves_is_left_alone(tmp_path: Path) -> None:
    steps = '[[fault]]\nkind = "drop"\n[[step]]\nnever = "FaultFired"\nwhere = { kind = "drop" }\n'
    found = shrink(read_scenario(scenario_file(tmp_path, steps)), 1)
    assert found is not None
    assert found.decisions > 0
    assert found.hits is None


def test_steps_about_wire_faults_become_pauses_while_lies_and_what_decides_no_flight_stay(tmp_path: Path) -> None:
    steps = """
    [[fault]]
    kind = "local-network-denied"
    target = "phone"
    [[fault]]
    kind = "no-txt-in-answers"
    target = "br"
    [[step]]
    do = "start-fault"
    with = { kind = "drop", id = "loss" }
    [[step]]
    do = "stop-fault"
    with = { id = "loss" }
    [[step]]
    do = "start-fault"
    with = { kind = "no-txt-in-answers", target = "br", id = "mute" }
    [[step]]
    do = "start-fault"
    with = { kind = "abrupt-close", target = "br" }
    """
    spec = scheduled(read_scenario(scenario_file(tmp_path, steps)).spec, (), 5)
    assert [each.do for each in spec.step] == ["advance", "advance", "start-fault", "start-fault"]
    assert [each.kind for each in spec.fault] == ["local-network-denied", "no-txt-in-answers"]
    assert spec.seed == 5


ROOT = Path(__file__).parents[3]
# Not imported: its kinds are to stay out of this process.
PROGRAM = ROOT / "tests" / "support" / "planted_lab.py"


def _planted(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    variables = {**environment(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(PROGRAM), *arguments]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted")
    (folder / "counting.toml").write_text(PLANTED, encoding="utf-8")
    swept = _planted(folder, "sweep", "counting.toml", "--seeds", "0..60", "--workers", "1", "--json")
    assert swept.returncode == 1, swept.stderr
    (folder / "swept.json").write_text(swept.stdout, encoding="utf-8")
    return folder


def test_a_sweep_finds_a_planted_protocol_bug_and_shrinks_it_to_a_few_faults(planted: Path) -> None:
    (shrunk, *others) = [
        each["shrunk"] for each in json.loads((planted / "swept.json").read_text())["failures"] if "shrunk" in each
    ]
    assert others == []
    assert shrunk["complete"]
    assert 1 <= len(shrunk["hits"]) <= 5 < shrunk["decisions"]


def test_what_is_left_of_the_planted_bug_replays_and_passes_once_it_is_mended(planted: Path) -> None:
    (path,) = (planted / "pairlab-failures").iterdir()
    again = _planted(planted, "run", str(path))
    assert again.returncode == 1
    assert "step 2: RequestReceived where status = 'twice' came" in again.stdout
    tables = tomllib.loads(path.read_text())
    tables["accessory"][0]["remembers"] = True
    (planted / "mended.toml").write_text(tomli_w.dumps(tables))
    assert _planted(planted, "run", "mended.toml").returncode == 0
