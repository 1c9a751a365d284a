"""Throw hostile bytes at decoders and engines: `.venv/bin/python scripts/fuzz.py TARGET|'nan-*'|all [--seconds 30]`.

Guided by coverage where atheris is installed, otherwise by plain mutation of the recorded vectors. Prints the inputs
and the coverage of each target, and for each finding the bytes that bring it back. Exit 1 on a finding. Nothing is
written outside a temporary folder. Targets are in `tests/fuzz/targets`, one file a layer.
"""

import argparse
import fnmatch
import importlib
import importlib.util
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.fuzz.findings import Finding, Findings, shrunk, tried  # noqa: E402 - found by the path above
from tests.fuzz.mutation import LONGEST, inputs  # noqa: E402

HINT = """\
atheris is not installed: inputs are mutated blindly. For coverage-guided fuzzing, in an environment of its own:
  python3 -m venv /tmp/fuzz && /tmp/fuzz/bin/pip install atheris -e '.[dev]' && /tmp/fuzz/bin/python scripts/fuzz.py ...
"""
REPORT = "report.json"
REPORT_EVERY_S = 1.0
HANGING_S = 20
"""An input that takes longer is a finding."""
MEMORY_MB = 2048
COVERAGE = re.compile(rb"cov: (\d+) ft: (\d+)")
ARTIFACTS = {
    "crash": "crash",
    "timeout": f"more than {HANGING_S} s",
    "oom": f"more than {MEMORY_MB} MB",
    "leak": "leak",
}


@dataclass(frozen=True)
class Report:
    """What came of one target."""

    inputs: int
    findings: tuple[Finding, ...]
    coverage: str = ""


# A worker fuzzes one target in a process of its own: libFuzzer never gives its process back.


class Worker:
    """Runs inputs, and writes what it knows into a file, since it may end at any moment."""

    def __init__(self, name: str, folder: Path) -> None:
        from tests.fuzz.target import targets

        self.target = targets()[name]
        self._findings = Findings(self.target)
        self._file = folder / REPORT
        self._count = 0
        self._report_at = 0.0
        self._report()

    def take(self, data: bytes) -> None:
        """Run one input."""
        self._count += 1
        if self._findings.observe(data) or time.monotonic() >= self._report_at:
            self._report()

    def _report(self) -> None:
        document = {"inputs": self._count, "findings": [each.as_json() for each in self._findings.all]}
        self._file.with_suffix(".new").write_text(json.dumps(document))
        self._file.with_suffix(".new").replace(self._file)
        self._report_at = time.monotonic() + REPORT_EVERY_S


def work(name: str, seconds: float, seed: int, folder: Path) -> None:
    """Fuzz one target for so long."""
    if importlib.util.find_spec("atheris") is None:
        worker = Worker(name, folder)
        end = time.monotonic() + seconds
        for data in inputs(worker.target.seeds(), random.Random(f"{name}/{seed}")):
            worker.take(data)
            if time.monotonic() >= end:
                return
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["pairing", "devices"], enable_loader_override=False):
        worker = Worker(name, folder)
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, data in enumerate(worker.target.seeds()):
        (corpus / f"{number:05}").write_bytes(data)
    options = {
        "max_total_time": round(seconds),
        "seed": seed % 2**32 or 1,  # 0 would be the time
        "max_len": LONGEST,
        "timeout": HANGING_S,
        "rss_limit_mb": MEMORY_MB,
        "artifact_prefix": f"{folder}/",
    }
    atheris.Setup([sys.argv[0], *(f"-{option}={value}" for option, value in options.items()), str(corpus)], worker.take)
    atheris.Fuzz()


# The other side: starts workers, reads their reports, shortens what they found.


def fuzz(name: str, seconds: float, seed: int) -> Report:
    """Let a worker fuzz one target."""
    with tempfile.TemporaryDirectory(prefix="pairlab-fuzz-") as place:
        folder = Path(place)
        command = [sys.executable, __file__, name, f"--seconds={seconds}", f"--seed={seed}", f"--worker={folder}"]
        ended = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        found = COVERAGE.findall(ended.stderr)
        coverage = f"cov {found[-1][0].decode()}, ft {found[-1][1].decode()}" if found else ""
        artifacts = [
            Finding(kind, "the whole process", what, path.read_bytes())
            for kind, what in ARTIFACTS.items()
            for path in sorted(folder.glob(f"{kind}-*"))
        ]
        if not (folder / REPORT).exists() or (ended.returncode and not artifacts):
            raise SystemExit(f"the worker of {name} ended with {ended.returncode}:\n{ended.stderr.decode()[-4000:]}")
        document = json.loads((folder / REPORT).read_text())
    findings = [Finding.from_json(each) for each in document["findings"]]
    return Report(document["inputs"], (*map(_shortener(name), findings), *artifacts), coverage)


def _shortener(name: str) -> Callable[[Finding], Finding]:
    from tests.fuzz.target import targets

    return lambda finding: shrunk(finding, lambda data: tried(targets()[name], data))


def reproduce(name: str, data: bytes) -> int:
    """Run one input and let what escapes be seen."""
    from tests.fuzz.target import targets

    accepted = targets()[name].run(data)
    print(f"{name}: {'accepted' if accepted else 'refused with a named error'}")
    return 0


def fuzz_all(names: list[str], seconds: float, seed: int) -> int:
    """Fuzz targets one after the other; the number of findings."""
    total = found = 0
    for name in names:
        report = fuzz(name, seconds, seed)
        total += report.inputs
        found += len(report.findings)
        verdict = f"{len(report.findings)} FINDINGS" if report.findings else "ok"
        print(f"{name:45} {report.inputs:9} inputs  {report.coverage:20} {verdict}", flush=True)
        for each in report.findings:
            print(f"  {each.error} at {each.place} ({each.count} times): {each.message}")
            print(f"  scripts/fuzz.py {name} --reproduce {each.data.hex()}", flush=True)
    print(f"{len(names)} targets, {total} inputs, {found} findings, seed {seed}")
    return found


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("target", help="a name, a pattern such as 'nan-*', or all; list names them")
    parser.add_argument("--seconds", type=float, default=30, help="for each target (default 30)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other inputs (default 1)")
    parser.add_argument("--reproduce", metavar="HEX", type=bytes.fromhex, help="run this one input")
    parser.add_argument("--worker", metavar="DIR", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker is not None:
        work(asked.target, asked.seconds, asked.seed, asked.worker)
        return 0
    from tests.fuzz.target import targets

    if asked.target == "list":
        print("\n".join(targets()))
        return 0
    names = fnmatch.filter(targets(), "*" if asked.target == "all" else asked.target)
    if not names:
        parser.error(f"no target is called {asked.target!r}; `scripts/fuzz.py list` names them")
    if asked.reproduce is not None:
        return reproduce(names[0], asked.reproduce)
    if importlib.util.find_spec("atheris") is None:
        print(HINT, file=sys.stderr, flush=True)
    return 1 if fuzz_all(names, asked.seconds, asked.seed) else 0


if __name__ == "__main__":
    raise SystemExit(main())
