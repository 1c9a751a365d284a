"""The one handler of errors: a line that says what to do, and the exit code that the contract gives."""

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devices.cli.main import explain
from devices.errors import EmulatorError, HomeFileError, StateLockedError, TransportUnavailableError
from pairing.errors import DecodeError
from tests.support.command_line import POST_9, command, environment, run, run_process


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (EmulatorError("no"), 1),
        (DecodeError(3, "no"), 1),
        (HomeFileError("bad"), 2),
        (TransportUnavailableError("taken"), 3),
        (StateLockedError("locked"), 3),
        (FileNotFoundError(errno.ENOENT, "No such file", "x"), 2),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 3),
        (OSError(errno.ENOSPC, "No space left on device"), 3),
        (ZeroDivisionError("a defect"), 1),
    ],
)
def test_each_kind_of_error_has_its_exit_code(problem: Exception, code: int) -> None:
    message, chosen = explain(problem)
    assert chosen == code
    assert "\n" not in message


def test_a_defect_says_that_it_is_one() -> None:
    assert "defect" in explain(KeyError("x"))[0]


def test_version_is_the_distributions(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert run(capsys, "--version").out == f"pairlab {version('pairlab')}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dataset", "nwe"], "Did you mean 'new'?"),
        (["dataset", "check"], "Missing argument"),
        (["up", "--nope"], "No such option"),
        (["up", "--seed", "-1"], "--seed"),
        (["credentials", "check", "--platform", "symbian", "--border-agent", "00", "--dataset", "00"], "symbian"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    ran = run(capsys, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("pairlab: ")
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "--help")
    assert ran.code == 0
    assert all(name in ran.out for name in ("up", "dataset", "credentials", "browse", "clone", "faults"))


@pytest.mark.parametrize("name", ["run", "sweep"])
def test_help_names_a_table_of_files_as_it_is_written(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert "[client]" in run(capsys, name, "--help").out


def test_control_characters_of_an_argument_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\x1b" not in run(capsys, "up", "\x1b[31mevil.toml").err


def test_a_reader_that_leaves_ends_nothing_and_says_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("faults"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(tmp_path)
    )
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


def test_a_verdict_outlives_its_reader(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("dataset", "check", "zz"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(tmp_path)
    )
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1, b"")


def test_ctrl_c_is_130_without_a_traceback(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("dataset", "show", "-"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
    )
    assert process.stdin is not None
    # It reads until the end of its input; the last byte of a full pipe is taken only by a process that reads.
    process.stdin.write(b"00" * 50_000)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")


def test_a_process_starts_and_ends_with_the_same_codes(tmp_path: Path) -> None:
    assert run_process(tmp_path, "dataset", "check", "zz").code == 1


def test_a_quick_command_loads_nothing_heavy(tmp_path: Path) -> None:
    heavy = ("aiohttp", "bleak", "fastapi", "rich", "sqlite3", "starlette", "uvicorn", "zeroconf", "devices.home")
    program = (
        "import sys; from devices.cli.main import main; code = main(['dataset', 'check', sys.argv[1]]); "
        f"print([name for name in {heavy!r} if name in sys.modules], code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, POST_9], capture_output=True, text=True, timeout=60, env=environment(tmp_path)
    )
    assert done.stdout.splitlines()[-1] == "[] 0"
