"""Scenarios with a client: real time, real sockets, its exit code, and nothing left of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devices.cli.exec_ import serve
from devices.errors import TransportUnavailableError
from devices.lab.result import ScenarioResult
from devices.lab.run import run_scenario
from devices.lab.scenario import read_scenario
from tests.support.command_line import command, environment
from tests.support.scenarios import HOME, scenario_file

QUICK = HOME.replace('attach = "1s"', 'attach = "0.1s"')
DISABLES = """
import json, os, urllib.request
home = json.load(open(os.environ["PAIRLAB_HOME"]))
assert home["api"] == os.environ["PAIRLAB_URL"] and str(home["seed"]) == os.environ["PAIRLAB_SEED"]
(br,) = home["accessories"]
assert br["endpoints"]["rest"].startswith("http://127.0.0.1:") and br["facts"]["instance"] == "Living Room"
assert [phone["id"] for phone in home["phones"]] == ["phone"]
assert oct(os.stat(os.environ["PAIRLAB_HOME"]).st_mode)[-3:] == "600"
url = os.environ["PAIRLAB_URL"] + "/v1/accessories/br/actions/disable"
print(urllib.request.urlopen(urllib.request.Request(url, b"{}", method="POST")).status)
"""


def _play(folder: Path, script: str, rest: str) -> ScenarioResult:
    program = folder / "client.py"
    program.write_text(script, encoding="utf-8")
    client = f"[client]\ncommand = ['{sys.executable}', '{program}']\n{rest}"
    return run_scenario(read_scenario(scenario_file(folder, client, home=QUICK)), None, serve)


def test_a_client_finds_the_home_and_what_it_does_is_seen(tmp_path: Path) -> None:
    steps = (
        '[[step]]\nexpect = "RoleChanged"\nwhere = { role = "disabled" }\n'
        '[[step]]\nexpect = "ClientExited"\nactor = "client"\nwhere = { code = 0 }\n'
    )
    result = _play(tmp_path, DISABLES, steps)
    assert result.failure is None, (result.failure, result.client_output)
    assert not result.virtual
    assert result.client_output == ("200",)


@pytest.mark.parametrize(("expected", "passes"), [("", False), ("exit_code = 3\n", True)])
def test_the_clients_exit_code_decides_after_the_last_step(tmp_path: Path, expected: str, passes: bool) -> None:
    result = _play(tmp_path, "import sys; print('going'); sys.exit(3)", expected)
    assert result.passed is passes
    assert result.client_output == ("going",)
    if result.failure is not None:
        assert result.failure.reason == "the client ended with exit code 3, expected 0"


def test_a_step_that_expects_the_exit_code_is_the_judge_of_it(tmp_path: Path) -> None:
    step = '[[step]]\nexpect = "ClientExited"\nwhere = { code = 137 }\n'
    result = _play(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", step)
    assert result.failure is None


STAYS = """
import pathlib, signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
pathlib.Path(sys.argv[0]).with_name("child.pid").write_text(str(child.pid))
signal.pause()
"""


def test_a_client_that_stays_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    result = _play(tmp_path, STAYS, 'within = "2s"\n')
    assert result.failure is not None
    assert result.failure.reason == "the client did not end within 2s after the last step"
    assert not _is_alive(int((tmp_path / "child.pid").read_text(encoding="utf-8")))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_told_to_end_takes_its_client_along(tmp_path: Path, number: signal.Signals) -> None:
    program, fifo = tmp_path / "client.py", tmp_path / "child.pid"
    os.mkfifo(fifo)
    program.write_text(STAYS, encoding="utf-8")
    path = scenario_file(tmp_path, f"[client]\ncommand = ['{sys.executable}', '{program}']\n", home=QUICK)
    with subprocess.Popen(command("run", str(path)), stderr=subprocess.PIPE, env=environment(tmp_path)) as process:
        child = int(fifo.read_text(encoding="utf-8"))
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, b"")
    assert not _is_alive(child)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_client_that_cannot_be_started_is_an_error_of_the_host(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, "[client]\ncommand = ['/nowhere/hub']\n", home=QUICK)
    with pytest.raises(TransportUnavailableError, match="client: /nowhere/hub: cannot be started: No such file"):
        run_scenario(read_scenario(path), None, serve)


LEAVES_A_CHILD = """
import subprocess, sys
print("done", flush=True)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
"""


def test_a_client_that_leaves_a_child_with_its_output_has_ended(tmp_path: Path) -> None:
    result = _play(tmp_path, LEAVES_A_CHILD, 'within = "20s"\n')
    assert result.failure is None
    assert list(result.client_output) == ["done"]


def test_a_client_that_never_ends_its_line_keeps_the_last_of_it(tmp_path: Path) -> None:
    result = _play(tmp_path, "print('x' * 20_000_000 + 'the end', end='')", 'within = "20s"\n')
    assert result.failure is None
    assert len(result.client_output[-1]) <= 65_536
    assert result.client_output[-1].endswith("the end")
