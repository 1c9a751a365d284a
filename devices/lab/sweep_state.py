"""Where a sweep stands, in a small file, so that one that was interrupted can go on where it ended.

JSON lines: a header, then again and again how many seeds are done, in their order, with the failures among the newest.
A line that a kill has cut off is not counted. The name holds a hash of everything that the results depend on and that
pairlab can see: the scenario and its home, the seeds, the client's command. A program that was changed is not among it:
so nothing goes on unasked.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from devices.errors import HostError, UsageError
from devices.lab.scenario import Scenario
from devices.lab.sweep import SeedResult

_FORMAT, _VERSION = "pairlab-sweep", 1
_EVERY_S = 1.0


class SweepStateError(UsageError):
    """A file that does not tell where this sweep stands."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How many seeds are done, in their order, and what failed among them."""

    done: int = 0
    failures: tuple[SeedResult, ...] = ()


def state_path(folder: Path, scenario: Scenario, seeds: Sequence[int]) -> Path:
    """The file of a sweep, in a folder."""
    return folder / f"pairlab-sweep-{scenario.path.stem}-{_key(scenario, seeds)[:12]}.jsonl"


def read_standing(path: Path, scenario: Scenario, seeds: Sequence[int]) -> Standing | None:
    """Where the sweep stands; None where there is no such file. Raises SweepStateError, which says what to do."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as problem:
        raise _wrong(path, f"it cannot be read: {problem}") from None
    lines = text.split("\n")[:-1]
    if not lines:
        raise _wrong(path, "it is empty")
    standing = Standing()
    for number, line in enumerate(lines, 1):
        try:
            table = json.loads(line)
            if number == 1:
                _check_header(table, _key(scenario, seeds))
            else:
                standing = _after(standing, table, seeds)
        except (ValueError, KeyError, TypeError) as problem:
            raise _wrong(path, f"line {number}: {problem}") from None
    return standing


class StateFile:
    """The file while the sweep runs. Raises HostError where it cannot be written."""

    def __init__(self, path: Path, scenario: Scenario, seeds: Sequence[int], standing: Standing) -> None:
        self._path = path
        self._standing = standing
        self._news: list[SeedResult] = []
        self._written_at = time.monotonic()
        header = {"format": _FORMAT, "version": _VERSION, "key": _key(scenario, seeds)}
        beside = path.with_name(f"{path.name}.new")
        try:
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(_line(header) + _line(_table(standing.done, standing.failures)), encoding="utf-8")
            # All at once: whoever is killed here leaves the old file or the new one.
            beside.replace(path)
            self._stream = path.open("a", encoding="utf-8")
        except OSError as problem:
            raise HostError(f"{path}: where the sweep stands cannot be written: {problem.strerror}") from None

    def note(self, result: SeedResult) -> None:
        """The next seed is done."""
        self._standing = Standing(self._standing.done + 1, self._standing.failures)
        if not result.passed:
            self._news.append(result)
        if time.monotonic() >= self._written_at + _EVERY_S:
            self._write()

    def close(self) -> None:
        """Leave the file, with everything in it."""
        self._write()
        self._stream.close()

    def remove(self) -> None:
        """The sweep is at its end."""
        self._stream.close()
        self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        try:
            self._stream.write(_line(_table(self._standing.done, self._news)))
            self._stream.flush()
        except OSError as problem:
            raise HostError(f"{self._path}: where the sweep stands cannot be written: {problem.strerror}") from None
        self._news = []
        self._written_at = time.monotonic()


def _key(scenario: Scenario, seeds: Sequence[int]) -> str:
    told = hashlib.sha256(scenario.source)
    command = None if scenario.client is None else [*scenario.client]
    told.update(
        json.dumps([command, len(seeds), [*seeds] if isinstance(seeds, list) else [seeds[0], seeds[-1]]]).encode()
    )
    return told.hexdigest()


def _check_header(table: Any, key: str) -> None:
    if table["format"] != _FORMAT or table["version"] != _VERSION:
        raise ValueError(f"format {table['format']!r}, version {table['version']!r}")
    if table["key"] != key:
        raise ValueError("it is about another scenario, other seeds or another client")


def _after(standing: Standing, table: Any, seeds: Sequence[int]) -> Standing:
    done = table["done"]
    if not isinstance(done, int) or not standing.done <= done <= len(seeds):
        raise ValueError(f"{done!r} of {len(seeds)} seeds cannot be done after {standing.done}")
    failures = tuple(_failure(each) for each in table["failures"])
    return Standing(done, (*standing.failures, *failures))


def _failure(table: Any) -> SeedResult:
    seed, step, reason, defect, nearest = (table[name] for name in ("seed", "step", "reason", "defect", "nearest"))
    is_one = isinstance(seed, int) and isinstance(step, int | None) and isinstance(reason, str)
    if not is_one or not isinstance(defect, bool) or not all(isinstance(each, str) for each in nearest):
        raise ValueError(f"{table!r} is no failure")
    return SeedResult(seed, step, reason, defect, tuple(nearest))


def _table(done: int, failures: Sequence[SeedResult]) -> dict[str, Any]:
    return {"done": done, "failures": [asdict(each) for each in failures]}


def _line(table: dict[str, Any]) -> str:
    return json.dumps(table, separators=(",", ":")) + "\n"


def _wrong(path: Path, why: str) -> SweepStateError:
    return SweepStateError(f"{path}: {why}; this is not where the sweep stands: begin anew, without --resume")
