"""What decoding gives: a tree of fields, each with its name, its place, its octets and what they mean.

`TracedReader` makes it as a by-product: a codec of `pairing` that reads through it leaves a field for each read, under
the name that the codec gives the read. So names and offsets have one source, and what a codec read before it failed is
there, too.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pairing.wire import Reader

_LARGEST_JSON_NUMBER = 2**53


@dataclass(slots=True)
class Field:
    """A field or a group of fields. `offset` counts in the outermost bytes; `number` is set where it is one."""

    name: str
    offset: int
    octets: bytes
    number: int | None = None
    meaning: str = ""
    fields: list["Field"] = field(default_factory=list)

    def walk(self) -> Iterator["Field"]:
        """This field, then all within it, in the order of the wire."""
        yield self
        for each in self.fields:
            yield from each.walk()

    def as_json(self) -> dict[str, Any]:
        """Name, offset, length, then value (a number, or lower-case hex), meaning and inner fields, if there are."""
        document: dict[str, Any] = {"name": self.name, "offset": self.offset, "length": len(self.octets)}
        if self.number is not None:
            document["value"] = self.number if self.number < _LARGEST_JSON_NUMBER else str(self.number)
        elif not self.fields:
            document["value"] = self.octets.hex()
        if self.meaning:
            document["meaning"] = self.meaning
        if self.fields:
            document["fields"] = as_json(self.fields)
        return document


class TracedReader(Reader):
    """A Reader that notes what is read in `fields`, groups opened by `group` and `sub` inside each other."""

    __slots__ = ("_open", "fields")

    def __init__(self, data: bytes, base: int = 0, fields: list[Field] | None = None) -> None:
        super().__init__(data, base)
        self.fields: list[Field] = [] if fields is None else fields
        self._open = [self.fields]

    def peek(self, length: int) -> bytes:
        """The next octets without reading them; fewer at the end."""
        return self._data[self._position : self._position + length]

    @property
    def last(self) -> Field:
        """The field that was read last, or the group that was opened last if nothing was read in it."""
        opened = self._open
        return opened[-1][-1] if opened[-1] else opened[-2][-1]

    def mean(self, meaning: str) -> None:
        """Say what the field that was read last means."""
        self.last.meaning = meaning

    @contextmanager
    def group(self, name: str, meaning: str = "") -> Iterator[Field]:
        """What is read inside belongs together."""
        start = self._position
        group = Field(name, self.offset, b"", meaning=meaning)
        self._open[-1].append(group)
        self._open.append(group.fields)
        try:
            yield group
        finally:
            self._open.pop()
            group.octets = self._data[start : self._position]

    def take(self, length: int, what: str = "value") -> bytes:
        """The next octets, noted as a field."""
        offset = self.offset
        data = super().take(length, what)
        self._open[-1].append(Field(what, offset, data))
        return data

    def rest(self) -> bytes:
        """All octets that are left, noted if there are any."""
        return self.take(self.remaining, "remaining octets") if self.remaining else b""

    def sub(self, length: int, what: str = "value") -> "TracedReader":
        """A reader over the next octets, whose fields are inside a field of this one."""
        base = self.offset
        data = self.take(length, what)
        return TracedReader(data, base, self.last.fields)

    def _note(self, number: int) -> int:
        self.last.number = number
        return number

    def u8(self, what: str = "byte") -> int:
        return self._note(self.take(1, what)[0])

    def u16be(self, what: str = "number") -> int:
        return self._note(super().u16be(what))

    def u24be(self, what: str = "number") -> int:
        return self._note(super().u24be(what))

    def u32be(self, what: str = "number") -> int:
        return self._note(super().u32be(what))

    def u48be(self, what: str = "number") -> int:
        return self._note(super().u48be(what))

    def u64be(self, what: str = "number") -> int:
        return self._note(super().u64be(what))

    def u16le(self, what: str = "number") -> int:
        return self._note(super().u16le(what))

    def u32le(self, what: str = "number") -> int:
        return self._note(super().u32le(what))

    def u64le(self, what: str = "number") -> int:
        return self._note(super().u64le(what))


class Meanings:
    """Gives meanings to fields that a codec has left, each to the next field of its name."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self._waiting: defaultdict[str, deque[Field]] = defaultdict(deque)
        for each in fields:
            for inner in each.walk():
                self._waiting[inner.name].append(inner)

    def mean(self, name: str, *meanings: str) -> None:
        """The next fields of that name mean these, in order."""
        for meaning in meanings:
            self._waiting[name].popleft().meaning = meaning

    def inside(self, name: str, called: str = "") -> TracedReader:
        """A reader over the next field of that name, which is called otherwise from now on."""
        inner = self._waiting[name].popleft()
        inner.name = called or name
        return TracedReader(inner.octets, inner.offset, inner.fields)


def shown(fields: Iterable[Field]) -> list[Field]:
    """The fields worth showing: those with octets or with a meaning."""
    return [each for each in fields if each.octets or each.meaning]


def as_json(fields: Iterable[Field]) -> list[dict[str, Any]]:
    """The JSON form of several fields."""
    return [each.as_json() for each in shown(fields)]
