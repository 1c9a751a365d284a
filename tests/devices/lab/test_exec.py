"""A program beside a home: its environment, its exit code, its signals, and what is left of the run."""

import asyncio
import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from devices.cli.exec_ import serve
from devices.errors import EmulatorError
from devices.lab.exec import (
    CommandNotExecutableError,
    CommandNotFoundError,
    ExecPlan,
    HomeFailedError,
    exec_beside,
)
from devices.spec import read_home
from tests.support.command_line import command, environment
from tests.support.needs import requires_tools
from tests.support.transcripts import records_of

BR = {"id": "br", "kind": "thread-border-router", "name": "Living Room", "attach": "0.1s", "rest_port": 8081}
HOME_FILE = """
[[accessory]]
id = "br"
kind = "thread-border-router"
name = "Living Room"
"""


def _plan(*command: str, artifacts: Path | None = None, **accessory: object) -> ExecPlan:
    return ExecPlan(
        spec=read_home({"accessory": [{**BR, **accessory}]}),
        source=b"",
        seed=5,
        reach="loopback",
        command=command,
        replay="pairlab exec home.toml --seed 5",
        artifacts=artifacts,
    )


def _exec(plan: ExecPlan) -> int:
    return asyncio.run(exec_beside(plan, serve))


def _python(code: str) -> tuple[str, str, str]:
    return (sys.executable, "-c", code)


def test_the_exit_code_is_the_programs() -> None:
    assert _exec(_plan("true")) == 0
    assert _exec(_plan("sh", "-c", "exit 7")) == 7


def test_a_death_by_signal_is_128_and_its_number() -> None:
    assert _exec(_plan("sh", "-c", "kill -KILL $$")) == 137


def test_the_program_finds_the_home(tmp_path: Path) -> None:
    code = (
        "import json, os, sys, urllib.request\n"
        "home = json.load(open(os.environ['PAIRLAB_HOME']))\n"
        "ready = json.load(urllib.request.urlopen(os.environ['PAIRLAB_URL'] + '/v1/ready'))\n"
        "node = urllib.request.urlopen(home['accessories'][0]['endpoints']['rest'] + '/node').status\n"
        "found = [home['seed'], os.environ['PAIRLAB_SEED'], home['accessories'][0]['name'], ready['seed'], node]\n"
        f"json.dump(found, open({str(tmp_path / 'found.json')!r}, 'w'))\n"
    )
    assert _exec(_plan(*_python(code))) == 0
    assert json.loads((tmp_path / "found.json").read_text(encoding="utf-8")) == [5, "5", "Living Room", 5, 200]


def test_the_emulated_bluez_has_as_many_adapters_as_asked_for() -> None:
    requires_tools("dbus-daemon", "busctl")
    tree = 'busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" tree --list org.bluez'
    plan = _plan("sh", "-c", f"exit $({tree} | grep -c /hci)")
    assert _exec(replace(plan, ble="dbus", adapters=3)) == 3


def test_ports_of_the_file_are_not_taken_so_that_two_can_run_side_by_side() -> None:
    code = "import json, os, sys; sys.exit('8081' in json.load(open(os.environ['PAIRLAB_HOME']))['api'])"

    async def two() -> list[int]:
        return [await exec_beside(_plan(*_python(code), rest_port=port), serve) for port in (8081, 8081)]

    assert asyncio.run(two()) == [0, 0]


def test_the_file_for_the_program_is_gone_afterwards(tmp_path: Path) -> None:
    note = tmp_path / "where"
    assert _exec(_plan("sh", "-c", f'printf %s "$PAIRLAB_HOME" > {note}')) == 0
    assert not Path(note.read_text(encoding="utf-8")).exists()


def test_artifacts_are_written_whatever_the_exit_code(tmp_path: Path) -> None:
    folder = tmp_path / "artifacts"
    assert _exec(_plan("false", artifacts=folder)) == 1
    assert {each.name for each in folder.iterdir()} == {
        "transcript.cbor",
        "capture.pcapng",
        "ladder.txt",
        "replay.txt",
    }
    assert len(records_of((folder / "transcript.cbor").read_bytes())) > 2


@pytest.mark.parametrize(
    ("plan", "error", "code", "message"),
    [
        (_plan("true", vendr="x"), HomeFailedError, 125, "accessory 'br': vendr: there is no such key"),
        (_plan("true", kind="toaster"), HomeFailedError, 125, "there is no kind 'toaster'"),
        (_plan("true", artifacts=Path("/proc/none")), HomeFailedError, 125, "--artifacts /proc/none: "),
        (_plan("/nowhere/program"), CommandNotFoundError, 127, "/nowhere/program: no such program"),
        (_plan("/etc/hostname"), CommandNotExecutableError, 126, "/etc/hostname: (Permission|Exec format)"),
    ],
)
def test_what_keeps_the_program_from_running_is_named(
    plan: ExecPlan, error: type[EmulatorError], code: int, message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        _exec(plan)
    assert caught.value.exit_code == code


TELLS = """
import pathlib, signal, sys
def end(number, frame):
    sys.exit(40 + number)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, end)
print("up", flush=True)
signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_are_passed_on_and_the_program_has_the_last_word(tmp_path: Path, number: signal.Signals) -> None:
    home = tmp_path / "home.toml"
    home.write_text(HOME_FILE, encoding="utf-8")
    with subprocess.Popen(
        command("exec", str(home), "--", *_python(TELLS)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=environment(tmp_path),
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        assert process.wait(30) == 40 + number


IGNORES = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"


def test_a_program_that_does_not_listen_is_killed_when_it_is_told_again(tmp_path: Path) -> None:
    home = tmp_path / "home.toml"
    home.write_text(HOME_FILE, encoding="utf-8")
    with subprocess.Popen(
        command("exec", str(home), "--", *_python(IGNORES)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=environment(tmp_path),
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.terminate()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.terminate()
        assert process.wait(30) == 128 + signal.SIGKILL
