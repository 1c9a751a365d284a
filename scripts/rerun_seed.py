"""One seed, one transcript: reruns a scenario in processes of their own, each with another PYTHONHASHSEED.

    python scripts/rerun_seed.py SCENARIO.toml [--seed 7] [--runs 100] [--python PYTHON]…

Prints how many runs there were and how many different transcripts; exit 1 unless that is one. Several --python are
compared with each other; pairlab must be importable in each.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def main() -> int:
    """Rerun, compare, and say so."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("scenario", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--runs", type=int, default=100, help="how many for each Python")
    parser.add_argument("--python", action="append", help="an interpreter; this one by default")
    asked = parser.parse_args()
    pythons = asked.python or [sys.executable]
    jobs = [(python, number) for number in range(asked.runs) for python in pythons]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = Counter(pool.map(lambda job: transcript_hash(asked.scenario.resolve(), asked.seed, *job), jobs))
    for digest, count in found.most_common():
        print(f"{digest}  {count} runs")
    print(f"{len(jobs)} runs, {len(pythons)} Pythons, {len(found)} transcripts")
    return 0 if len(found) == 1 else 1


def transcript_hash(scenario: Path, seed: int, python: str, number: int) -> str:
    """SHA-256 of the transcript of one run; a run that fails is a result like any other, one that crashes is not."""
    with tempfile.TemporaryDirectory(prefix="pairlab-") as folder:
        done = subprocess.run(
            [python, "-m", "devices.cli.main", "run", str(scenario), "--seed", str(seed), "--transcript", "out"],
            cwd=folder,
            env={**os.environ, "PYTHONHASHSEED": str(number), "PAIRLAB_REACH": "loopback"},
            capture_output=True,
            text=True,
        )
        written = list((Path(folder) / "out").glob("*.cbor"))
        if len(written) != 1:
            raise SystemExit(f"{python}: no transcript: {done.stderr.strip()}")
        return hashlib.sha256(written[0].read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
