"""Runs `pairlab` for tests: in this process for what is quick, as a process of its own for what has to be."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devices.cli.main import main

LIMIT_S = 60
POST_9 = (
    "0e080000000000010000000300001035060004001fffe002083c66f0dc9ef53f1c0708fdb360c72874da9905104094dce45388fd3d3426e992"
    "cbf0697b030d474c2d5332302d6e65773030310102250b04106c9f919a4da9b213764fc83f849381080c0402a0f7f8"
)
"""The dataset of a public bug report; its border agent id was 9483C451DC3E."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def rows(self) -> Mapping[str, str]:
        """Label and value of each line of two columns."""
        pairs = (line.strip().split("  ", 1) for line in self.out.splitlines() if "  " in line.strip())
        return {label: value.strip() for label, value in pairs}


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Ran:
    """Run a command in this process."""
    code = main(arguments)
    captured = capsys.readouterr()
    return Ran(code, captured.out, captured.err)


def environment(data: Path) -> dict[str, str]:
    """An environment on loopback whose user data folder is the test's own."""
    return {**os.environ, "PAIRLAB_REACH": "loopback", "XDG_DATA_HOME": str(data), "HOME": str(data)}


def command(*arguments: str) -> list[str]:
    """The command line of a process."""
    return [sys.executable, "-m", "devices.cli.main", *arguments]


def run_process(data: Path, *arguments: str, stdin: str = "") -> Ran:
    """Run a command as a process of its own, to its end."""
    done = subprocess.run(
        command(*arguments), input=stdin, capture_output=True, text=True, timeout=LIMIT_S, env=environment(data)
    )
    return Ran(done.returncode, done.stdout, done.stderr)


class RunningHome:
    """`pairlab up --json` as a process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.ready = self.line()

    def line(self) -> dict[str, Any]:
        """The next line of its output."""
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        assert text, f"it ended: {self.process.stderr.read() if self.process.stderr else ''}"
        document: dict[str, Any] = json.loads(text)
        return document

    def until(self, event_type: str, **members: Any) -> dict[str, Any]:
        """The next event of that type with these members."""
        while True:
            event = self.line()
            if event.get("type") == event_type and all(event[name] == value for name, value in members.items()):
                return event

    def stop(self, number: signal.Signals = signal.SIGTERM) -> Ran:
        """Send a signal and wait for its end."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=LIMIT_S)
        return Ran(self.process.returncode, out, err)


@contextmanager
def home_up(data: Path, *arguments: str) -> Iterator[RunningHome]:
    """A home that is ready, killed at the end if it still runs, and in any case when the limit is over."""
    process = subprocess.Popen(
        command("up", "--json", "--api-port", "0", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(data),
    )
    watchdog = threading.Timer(LIMIT_S, process.kill)
    watchdog.start()
    try:
        yield RunningHome(process)
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.kill()
        process.communicate()
