"""A program beside a home: the home comes up on free ports, the program runs, and its exit code is the answer.

125 the home did not come up · 126 the program cannot be executed · 127 it was not found · 128 + n it died by signal n.
Signals that reach us are passed on to it; where it has not ended ten seconds after a SIGTERM or SIGHUP, or at the
second one, it is killed. The program keeps our terminal; it belongs to us no longer than it runs.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from devices.errors import EmulatorError
from devices.home import HomeOptions, LiveHome
from devices.home.denials import ProgramNetwork
from devices.lab.behind_doors import LocalNetworkOption, admit_bluetooth, doors, entered, wants_doors
from devices.lab.client import ServeControl, bluetooth_environment, environment, exit_code
from devices.spec import BleDoor, Gate, HomeSpec, Reach
from devices.transcripts.export import write_artifacts
from devices.transcripts.recorder import MemoryTranscript, Recorder
from pairing.engine import Micros

GRACE_SECONDS = 10
"""So long a program that was told to end may go on."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecPlan:
    """Everything that `pairlab exec` was asked for. `replay` is the command line that does it again."""

    spec: HomeSpec
    source: bytes = field(repr=False)
    seed: int
    reach: Reach
    command: Sequence[str]
    replay: str
    ble: BleDoor = "none"
    """How the program reaches the home's Bluetooth, beside HCI over TCP."""
    adapters: int = 1
    """How many adapters the emulated BlueZ has."""
    local_network: LocalNetworkOption | None = None
    """Whether the program may use the local network; None: it is not asked."""
    gate: Gate = "all"
    artifacts: Path | None = None
    secrets: bool = False
    """Whether keys and codes go into the transcript, too."""


class HomeFailedError(EmulatorError):
    """The home did not come up, so the program was not started."""

    exit_code = 125


class CommandNotFoundError(EmulatorError):
    """There is no such program."""

    exit_code = 127


class CommandNotExecutableError(EmulatorError):
    """There is such a file, but it cannot be executed."""

    exit_code = 126


async def exec_beside(plan: ExecPlan, serve: ServeControl) -> int:
    """Run the program beside the home; returns its exit code. Raises HomeFailedError, or says why it did not start."""
    with _signals() as signals:
        return await _Beside(plan, serve, signals).run()


class _Signals:
    """Signals that came: passed on to the program, or the end of us where there is none yet."""

    def __init__(self, task: "asyncio.Task[object] | None") -> None:
        self._task = task
        self.process: asyncio.subprocess.Process | None = None
        self.came: signal.Signals | None = None

    def on_signal(self, number: signal.Signals) -> None:
        is_second = self.came is not None and number != signal.SIGINT
        self.came = number
        if self.process is None:
            if self._task is not None:
                self._task.cancel()
        elif self.process.returncode is None and not (number == signal.SIGINT and _terminal_has_told()):
            if number != signal.SIGINT and not is_second:
                asyncio.get_running_loop().call_later(GRACE_SECONDS, self._kill)
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL if is_second else number)

    def _kill(self) -> None:
        """It was told to end, and has not."""
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()


def _terminal_has_told() -> bool:
    """A Ctrl-C goes to every process in the foreground of the terminal, the program included."""
    try:
        return os.isatty(sys.stdin.fileno()) and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def _signals() -> Iterator[_Signals]:
    loop = asyncio.get_running_loop()
    signals = _Signals(asyncio.current_task())
    for each in _SIGNALS:
        loop.add_signal_handler(each, signals.on_signal, each)
    try:
        yield signals
    finally:
        for each in _SIGNALS:
            loop.remove_signal_handler(each)


class _Beside:
    def __init__(self, plan: ExecPlan, serve: ServeControl, signals: _Signals) -> None:
        self._plan = plan
        self._serve = serve
        self._signals = signals
        self._transcript = MemoryTranscript()

    async def run(self) -> int:
        plan = self._plan
        if plan.artifacts is not None:
            _check_folder(plan.artifacts)
        try:
            return await self._run_home()
        except asyncio.CancelledError:
            if self._signals.came is None:
                raise
            # Told to end before the program ran.
            return 128 + self._signals.came
        finally:
            if plan.artifacts is not None and self._transcript.getvalue():
                transcript = self._transcript.getvalue()
                write_artifacts(plan.artifacts, transcript, plan.replay, is_private=plan.secrets)

    async def _run_home(self) -> int:
        plan = self._plan
        async with contextlib.AsyncExitStack() as outer:
            try:
                wanted = plan.local_network is not None or wants_doors(plan.spec)
                network = await outer.enter_async_context(doors(wanted, or_preload=True))
                live = self._make_home(network)
                await live.start()
                outer.push_async_callback(live.stop)
                door = await bluetooth_environment(live, plan.ble, plan.adapters)
                admit_bluetooth(network, live)
            except Exception as problem:  # whatever it was, the program must not run, and its codes not be confused
                raise HomeFailedError(f"the home did not come up: {problem}") from problem
            async with contextlib.AsyncExitStack() as stack:
                try:
                    env = await stack.enter_async_context(environment(live, self._serve))
                    if plan.local_network is not None:
                        plan.local_network.install(live)
                except Exception as problem:  # the same for its control API
                    raise HomeFailedError(f"the control API did not come up: {problem}") from problem
                return await self._run_command(network, {**env, **door})

    def _make_home(self, network: ProgramNetwork | None) -> LiveHome:
        plan = self._plan

        def now() -> Micros:
            return live.clock.now()

        recorder = None
        if plan.artifacts is not None:
            recorder = Recorder(self._transcript, now=now, seed=plan.seed, source=plan.source, secrets=plan.secrets)
        options = HomeOptions(
            seed=plan.seed, reach=plan.reach, free_ports=True, source=plan.source, local_network=network
        )
        live = LiveHome(plan.spec, options, taps=() if recorder is None else (recorder,))
        if recorder is not None:
            live.record_to(recorder)
        return live

    async def _run_command(self, network: ProgramNetwork | None, env: dict[str, str]) -> int:
        program = self._plan.command[0]
        try:
            command, inside = entered(network, self._plan.gate, self._plan.command, env)
            process = await asyncio.create_subprocess_exec(*command, env=dict(inside))
        except FileNotFoundError:
            raise CommandNotFoundError(f"{program}: no such program") from None
        except OSError as problem:
            raise CommandNotExecutableError(f"{program}: {problem.strerror}") from None
        self._signals.process = process
        return exit_code(await process.wait())


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise HomeFailedError(f"--artifacts {folder}: {problem.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise HomeFailedError(f"--artifacts {folder}: cannot be written to")
