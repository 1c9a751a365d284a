"""Compares two transcripts: where they first differ, and in what.

Records are compared in order. Two that differ are told by their line of the ladder and member by member; bytes by the
first octet that differs, in the words of their summary.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from devices.transcripts.ladder import ladder
from devices.transcripts.reader import Header, Record
from devices.transcripts.rungs import Cast
from devices.transcripts.show import record_document

_CONTEXT = 3
_MOST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first record in which two transcripts differ; None where one has ended."""

    index: int
    one: Record | None
    other: Record | None
    before: Sequence[Record]
    """The last records that both have."""

    @property
    def differences(self) -> Mapping[str, tuple[Any, Any]]:
        """Member -> what the one and the other have; empty where one has ended."""
        if self.one is None or self.other is None:
            return {}
        return dict(_differences(record_document(self.one), record_document(self.other)))

    def as_json(self) -> dict[str, Any]:
        """One JSON document."""
        return {
            "record": self.index,
            "one": None if self.one is None else record_document(self.one),
            "other": None if self.other is None else record_document(self.other),
            "differences": {name: list(values) for name, values in self.differences.items()},
        }


def first_divergence(one: Iterable[Record], other: Iterable[Record]) -> Divergence | None:
    """Where two transcripts first differ, or None. Which file the header names is compared like the rest."""
    before: deque[Record] = deque(maxlen=_CONTEXT)
    for index, (left, right) in enumerate(zip_longest(one, other)):
        if left != right:
            return Divergence(index, left, right, tuple(before))
        before.append(left)
    return None


def divergence_lines(found: Divergence) -> Iterator[str]:
    """For people: what both have, then what each has, then the members that differ."""
    records = [each for each in (*found.before, found.one, found.other) if each is not None]
    cast = Cast.of(records)
    yield f"they differ from record {found.index} on" + (" (the header)" if found.index == 0 else "")
    heading, *shared = list(ladder(found.before, cast))
    yield f"   {heading}"
    yield from (f"   {line}" for line in shared)
    for sign, record in (("-", found.one), ("+", found.other)):
        yield f"{sign}  {_line(record, cast)}"
    for name, (left, right) in found.differences.items():
        yield f"   {name}: {_value_difference(left, right)}"


def _line(record: Record | None, cast: Cast) -> str:
    if record is None:
        return "(the transcript ends here)"
    if isinstance(record, Header):
        return f"seed {record.seed}, file {record.scenario.hex()[:16]}…"
    return list(ladder((record,), cast))[1]


def _differences(
    one: Mapping[str, Any], other: Mapping[str, Any], place: str = ""
) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for name in [*one, *(each for each in other if each not in one)]:
        left, right = one.get(name), other.get(name)
        if left == right:
            continue
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            yield from _differences(left, right, f"{place}{name}.")
        else:
            yield f"{place}{name}", (left, right)


def _value_difference(left: Any, right: Any) -> str:
    if left is None or right is None:
        return f"{'not there' if left is None else _short(left)} -> {'not there' if right is None else _short(right)}"
    first, second = _octets(left), _octets(right)
    if first is None or second is None:
        return f"{_short(left)} -> {_short(right)}"
    same = next((n for n, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(first), len(second)) if same is None else same
    lengths = f"{len(first)} bytes" if len(first) == len(second) else f"{len(first)} and {len(second)} bytes"
    shown = (each[at : at + 8].hex() or "(end)" for each in (first, second))
    return f"{lengths}, the same up to byte {at}: {' -> '.join(shown)}"


def _octets(value: Any) -> bytes | None:
    """Long hex, as payloads and keys are."""
    if not isinstance(value, str) or len(value) < 16:
        return None
    try:
        return bytes.fromhex(value)
    except ValueError:
        return None


def _short(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"
