"""What fuzzing finds: one record for each place where something escapes, with the shortest input that does it."""

import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tests.fuzz.target import Target

ROOT = Path(__file__).parents[2]
SHRINKING = 400
"""So many shorter inputs are tried."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An error that should not have come out, and where it was raised."""

    error: str
    place: str
    message: str
    data: bytes
    count: int = 1

    def as_json(self) -> dict[str, object]:
        """For the report of a worker."""
        return {**asdict(self), "data": self.data.hex()}

    @classmethod
    def from_json(cls, document: dict[str, object]) -> "Finding":
        """What `as_json` gave."""
        error, place, message, data = (str(document[name]) for name in ("error", "place", "message", "data"))
        return cls(error, place, message, bytes.fromhex(data), int(str(document["count"])))

    def is_like(self, other: "Finding | None") -> bool:
        """The same error at the same place."""
        return other is not None and (self.error, self.place) == (other.error, other.place)


def tried(target: Target, data: bytes) -> Finding | None:
    """Run one input; what escapes is a finding."""
    try:
        target.run(data)
    except Exception as error:  # whatever it is
        return Finding(type(error).__name__, _place(error), str(error), data)
    return None


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    path = Path(frame.filename)
    return f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name}:{frame.lineno}"


class Findings:
    """The findings of one target so far."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._found: dict[tuple[str, str], Finding] = {}

    @property
    def all(self) -> tuple[Finding, ...]:
        """In the order of their first occurrence."""
        return tuple(self._found.values())

    def observe(self, data: bytes) -> bool:
        """Run one input; whether it brought something new to report."""
        found = tried(self._target, data)
        if found is None:
            return False
        key = found.error, found.place
        known = self._found.get(key)
        shortest = found if known is None or len(data) < len(known.data) else known
        self._found[key] = replace(shortest, count=1 if known is None else known.count + 1)
        return shortest is found


def shrunk(finding: Finding, again: Callable[[bytes], Finding | None]) -> Finding:
    """The finding with a shorter input that does the same, by leaving out ever smaller parts."""
    data, tries = finding.data, 0
    size = max(len(data) // 2, 1)
    while size and tries < SHRINKING:
        place = 0
        while place < len(data) and tries < SHRINKING:
            shorter = data[:place] + data[place + size :]
            tries += 1
            if finding.is_like(again(shorter)):
                data = shorter
            else:
                place += size
        size //= 2
    return replace(finding, data=data)
