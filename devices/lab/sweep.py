"""A scenario with many seeds, on several processes; results come in the order of the seeds."""

import gc
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from devices.errors import EmulatorError, HostError, UsageError
from devices.faults.schedule import Witness
from devices.lab.client import ServeControl
from devices.lab.result import replay_command
from devices.lab.run import run_scenario
from devices.lab.scenario import Scenario
from devices.sim.chance import MAX_SEED

MAX_SEEDS = 1_000_000
_CHUNK = 8


@dataclass(frozen=True, slots=True)
class SeedResult:
    """What came of one seed: nothing, a failure, or (`defect`) an exception that nobody means."""

    seed: int
    step: int | None = None
    reason: str | None = None
    defect: bool = False
    nearest: tuple[str, ...] = ()
    """The events that came closest to the one expected, a line each."""

    @property
    def passed(self) -> bool:
        """The scenario passed with this seed."""
        return self.reason is None

    def as_json(self, scenario: Scenario) -> dict[str, Any]:
        """One failure as a JSON document."""
        return {
            "seed": self.seed,
            "step": self.step,
            "reason": self.reason,
            "defect": self.defect,
            "nearest": list(self.nearest),
            "replay": replay_command(scenario.path, self.seed, scenario.client),
        }


def parse_seeds(text: str) -> Sequence[int]:
    """`0..999` (both ends included), `7`, or several of these with commas. Raises UsageError."""
    seeds: list[range] = []
    for part in text.split(","):
        first, dots, last = part.strip().partition("..")
        try:
            low = int(first)
            high = int(last) if dots else low
        except ValueError:
            raise UsageError(f"--seeds: {part.strip()!r} is neither a seed nor a range such as 0..999") from None
        if not 0 <= low <= high <= MAX_SEED:
            raise UsageError(f"--seeds: {part.strip()!r} does not go from 0 or more up to {MAX_SEED} at the most")
        seeds.append(range(low, high + 1))
    if sum(map(len, seeds)) > MAX_SEEDS:
        raise UsageError(f"--seeds: {MAX_SEEDS} seeds are the most that one sweep takes")
    return seeds[0] if len(seeds) == 1 else [seed for each in seeds for seed in each]


def sweep(
    scenario: Scenario, seeds: Sequence[int], workers: int | None = None, serve: ServeControl | None = None
) -> Generator[SeedResult, None, None]:
    """The result of each seed, in their order, as they come. `serve` must be importable: workers are new processes.

    Raises HostError where a worker process has died.
    """
    count = min(workers or os.cpu_count() or 1, max(1, len(seeds)))
    chunk = max(1, min(_CHUNK, len(seeds) // count)) if scenario.virtual else 1
    others = active_children()
    executor = ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), initializer=_prepare, initargs=(scenario, serve)
    )
    try:
        yield from executor.map(_run_seed, seeds, chunksize=chunk)
    except BrokenProcessPool:
        raise HostError("a worker process has died (out of memory?); try fewer --workers, or fewer --seeds") from None
    except BaseException:
        # A Ctrl-C, or a reader that has enough: what has not begun is dropped, what runs is told to end.
        for child in active_children():
            if child not in others:
                child.terminate()
        # Its own thread waits for the workers; a second one that did would race with it for their exit codes.
        executor.shutdown(cancel_futures=True)
        raise
    finally:
        executor.shutdown()


@dataclass(slots=True)
class _Work:
    """What a worker process does again and again."""

    scenario: Scenario
    serve: ServeControl | None
    done: int = 0
    is_busy: bool = False


_WORK: list[_Work] = []


def _prepare(scenario: Scenario, serve: ServeControl | None) -> None:
    """Once in each worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group, but the parent alone decides
    # As an exception it ends the scenario in peace: its client, its sockets.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    work = _Work(scenario, serve)
    threading.Thread(target=_end_with_parent, args=(work,), daemon=True).start()
    _WORK.append(work)


def _end_with_parent(work: _Work) -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = parent_process()
    if parent is None:
        return
    wait((parent.sentinel,))
    if work.is_busy:
        # The main thread by name: a signal to the process may be given to this one, and wake nobody.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    while work.is_busy:
        time.sleep(0.05)
    os._exit(1)


def _run_seed(seed: int) -> SeedResult:
    (work,) = _WORK
    work.is_busy = True
    try:
        result = judge(work.scenario, seed, work.serve)
    finally:
        work.is_busy = False
    work.done += 1
    if work.done == 1:
        # What is loaded by now stays: the collector need not look at it after every seed.
        gc.collect()
        gc.freeze()
    return result


def judge(scenario: Scenario, seed: int, serve: ServeControl | None, witness: Witness | None = None) -> SeedResult:
    """Run a scenario with a seed; whatever happens is a result."""
    try:
        failure = run_scenario(scenario, seed, serve, witness=witness).failure
    except EmulatorError as problem:
        return SeedResult(seed, None, str(problem))
    except Exception as problem:  # a defect of one seed must not hide the others
        last = traceback.extract_tb(problem.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        return SeedResult(seed, None, f"{type(problem).__name__}: {problem} ({place})", defect=True)
    if failure is None:
        return SeedResult(seed)
    return SeedResult(seed, failure.step, failure.reason, nearest=tuple(each.text for each in failure.nearest))
