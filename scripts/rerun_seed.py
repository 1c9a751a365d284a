"""One seed, one transcript: reruns scenarios in processes of their own, each with another PYTHONHASHSEED.

    python scripts/rerun_seed.py SCENARIO.toml… [--seed 7] [--runs 100] [--jobs 2] [--python PYTHON]…

A run is one start of an interpreter, which plays every scenario once. Prints for each scenario how many runs there
were and how many different transcripts; exit 1 unless that is one each. Several --python are compared with each other;
pairlab must be importable in each.
"""

import argparse
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

PLAY = """
import gc, hashlib, sys
gc.disable()  # half of a short run is start-up
from pathlib import Path
from devices.lab.run import run_scenario
from devices.lab.scenario import read_scenario
for each in sys.argv[2:]:
    print(hashlib.sha256(run_scenario(read_scenario(Path(each)), int(sys.argv[1])).transcript).hexdigest())
"""
TOLD_EVERY = 100


def main() -> int:
    """Rerun, compare, and say so."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("scenarios", type=Path, nargs="+", metavar="SCENARIO.toml")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--runs", type=int, default=100, help="how many for each Python")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at a time")
    parser.add_argument("--python", action="append", help="an interpreter; this one by default")
    asked = parser.parse_args()
    pythons = asked.python or [sys.executable]
    scenarios = [each.resolve() for each in asked.scenarios]
    numbers = [number for number in range(asked.runs) for _ in pythons]
    counts: list[Counter[str]] = [Counter() for _ in scenarios]
    done = 0
    with ThreadPoolExecutor(asked.jobs) as pool:
        try:
            for hashes in pool.map(partial(transcript_hashes, scenarios, asked.seed), pythons * asked.runs, numbers):
                done += 1
                for count, digest in zip(counts, hashes, strict=True):
                    count[digest] += 1
                if done % TOLD_EVERY == 0:
                    print(f"{done} of {len(numbers)} runs", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
    for scenario, count in zip(scenarios, counts, strict=True):
        for digest, runs in count.most_common():
            print(f"{digest}  {runs} runs  {scenario.name}")
    different = ", ".join(str(len(each)) for each in counts)
    print(f"{done} of {len(numbers)} runs, {len(pythons)} Pythons, {different} transcripts")
    return 0 if done == len(numbers) and all(len(each) == 1 for each in counts) else 1


def transcript_hashes(scenarios: Sequence[Path], seed: int, python: str, number: int) -> Sequence[str]:
    """SHA-256 of the transcript of each; a run that fails is a result like any other, one that crashes is not."""
    done = subprocess.run(
        [python, "-c", PLAY, str(seed), *map(str, scenarios)],
        env={**os.environ, "PYTHONHASHSEED": str(number), "PAIRLAB_REACH": "loopback"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{python}: {done.stderr.strip()}")
    return done.stdout.split()


if __name__ == "__main__":
    sys.exit(main())
