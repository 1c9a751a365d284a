"""How much two workers of a sweep are faster than one: the same seeds with either, in turn; the ratio of the medians.

    python scripts/bench/sweep.py [SCENARIO.toml] [--seeds 0..9999] [--rounds 3]

A machine that has other things to do tells little: its load is printed with the result, what it makes of plain
arithmetic in two processes instead of one, and the processor time that the workers and their parent took.
"""

import argparse
import os
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

from devices.lab.scenario import Scenario, read_scenario
from devices.lab.sweep import parse_seeds, sweep

SHIPPED = Path(__file__).parents[2] / "specs" / "scenarios" / "wifi-aware-pairing-under-loss.toml"


def seconds(scenario: Scenario, seeds: Sequence[int], workers: int) -> float:
    """How long the sweep takes, from the start of its workers to the end of the last."""
    start, own, theirs = time.perf_counter(), time.process_time(), _children()
    failed = [each for each in sweep(scenario, seeds, workers) if not each.passed]
    taken, own, theirs = time.perf_counter() - start, time.process_time() - own, _children() - theirs
    pace = f"{len(seeds) / taken:6.1f} seeds a second, {len(failed)} failed"
    print(f"{workers} workers: {taken:7.2f} s, {pace}; processor: workers {theirs:.2f} s, parent {own:.2f} s")
    return taken


def arithmetic(processes: int, jobs: int = 8) -> float:
    """How long these processes take for a number of equal jobs that need nothing but a processor."""
    with get_context("spawn").Pool(processes) as pool:
        pool.map(_count, [0] * processes)
        start = time.perf_counter()
        pool.map(_count, [5_000_000] * jobs, chunksize=1)
        return time.perf_counter() - start


def _count(until: int) -> int:
    number = 0
    while number < until:
        number += 1
    return number


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Measure, and say so; exit 1 below 1.8."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("scenario", type=Path, nargs="?", default=SHIPPED)
    parser.add_argument("--seeds", default="0..9999")
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    scenario, seeds = read_scenario(asked.scenario), parse_seeds(asked.seeds)
    print(
        f"{asked.scenario.name}, {len(seeds)} seeds, {os.cpu_count()} processors, load {os.getloadavg()[0]:.2f} before"
    )
    times: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(asked.rounds):
        for workers, found in times.items():
            found.append(seconds(scenario, seeds, workers))
    print(f"plain arithmetic: two processes are {arithmetic(1) / arithmetic(2):.2f} times as fast as one")
    ratio = statistics.median(times[1]) / statistics.median(times[2])
    print(f"two workers are {ratio:.2f} times as fast as one")
    return 0 if ratio >= 1.8 else 1


if __name__ == "__main__":
    sys.exit(main())
