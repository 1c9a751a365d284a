"""One seed, one transcript: reruns scenarios in processes of their own, each with another PYTHONHASHSEED.

    python scripts/rerun_seed.py SCENARIO.toml… [--seed 7] [--runs 100] [--jobs 2] [--python PYTHON]…

A run is one start of an interpreter, which plays every scenario once. Prints for each scenario how many runs there
were and how many different transcripts; exit 1 unless that is one each. Several --python are compared with each other;
pairlab must be importable in each.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path


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
    with ThreadPoolExecutor(asked.jobs) as pool:
        found = [*pool.map(partial(transcript_hashes, scenarios, asked.seed), pythons * asked.runs, numbers)]
    counts = {each: Counter(hashes[each.name] for hashes in found) for each in scenarios}
    for scenario, count in counts.items():
        for digest, runs in count.most_common():
            print(f"{digest}  {runs} runs  {scenario.name}")
    different = ", ".join(str(len(each)) for each in counts.values())
    print(f"{len(found)} runs, {len(pythons)} Pythons, {different} transcripts")
    return 0 if all(len(each) == 1 for each in counts.values()) else 1


def transcript_hashes(scenarios: Sequence[Path], seed: int, python: str, number: int) -> Mapping[str, str]:
    """SHA-256 of the transcript of each; a run that fails is a result like any other, one that crashes is not."""
    with tempfile.TemporaryDirectory(prefix="pairlab-") as folder:
        done = subprocess.run(
            [python, "-m", "devices.cli.main", "run", *map(str, scenarios), f"--seed={seed}", "--transcript=out"],
            cwd=folder,
            env={**os.environ, "PYTHONHASHSEED": str(number), "PAIRLAB_REACH": "loopback"},
            capture_output=True,
            text=True,
        )
        written = {each: Path(folder) / "out" / f"{each.stem}-seed-{seed}.cbor" for each in scenarios}
        if not all(each.exists() for each in written.values()):
            raise SystemExit(f"{python}: no transcript: {done.stderr.strip()}")
        return {each.name: hashlib.sha256(path.read_bytes()).hexdigest() for each, path in written.items()}


if __name__ == "__main__":
    sys.exit(main())
