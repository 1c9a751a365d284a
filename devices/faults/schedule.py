"""Chosen frames are hit, by number, and nothing else: what a failure shrinks to.

Frames are counted per way (medium, sender, receiver) from the start of the home, so a hit stays on its frame while
others are taken away. Multicast DNS has ways of its own (medium `mdns`): in real time anybody on the machine may speak
it at any time, which must not move the frames of who is meant. `Witness` writes the schedule down from a run whose
faults drew their victims by chance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from devices.faults.base import FaultContext, fault
from devices.media.medium import Flight
from pairing.dnssd.service import MDNS_PORT
from pairing.engine import Endpoint, Micros

Way: TypeAlias = tuple[str, str, str]
_KEYS = frozenset({"medium", "from", "to", "nth", "copies"})
_COPY_KEYS = frozenset({"after_us", "flip", "length", "payload"})
_MOST_FLIPS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy that arrives: how much later, and how its bytes differ. The first edit that is given is made."""

    after_us: Micros = 0
    flip: tuple[int, ...] = ()
    """Numbers of bits; 0 is the lowest of the first byte."""
    length: int | None = None
    """Cut off after so many bytes."""
    payload: bytes | None = None
    """Other bytes altogether."""

    @classmethod
    def of(cls, flight: Flight, survivor: Flight) -> "Copy":
        """How a survivor differs from its flight."""
        after_us, old, new = survivor.arrives_us - flight.arrives_us, flight.payload, survivor.payload
        if new == old:
            return cls(after_us=after_us)
        if len(new) < len(old) and old.startswith(new):
            return cls(after_us=after_us, length=len(new))
        if len(new) == len(old):
            changed = int.from_bytes(old, "little") ^ int.from_bytes(new, "little")
            if changed.bit_count() <= _MOST_FLIPS:
                return cls(after_us=after_us, flip=tuple(n for n in range(changed.bit_length()) if changed >> n & 1))
        return cls(after_us=after_us, payload=new)

    def made_of(self, flight: Flight) -> Flight:
        """The copy of a flight."""
        return flight.delayed(self.after_us).carrying(self._edited(flight.payload))

    def _edited(self, payload: bytes) -> bytes:
        if self.payload is not None:
            return self.payload
        edited = bytearray(payload if self.length is None else payload[: self.length])
        for bit in self.flip:
            if bit < 8 * len(edited):
                edited[bit // 8] ^= 1 << (bit % 8)
        return bytes(edited)

    def as_table(self) -> dict[str, Any]:
        """As a scenario file has it."""
        table: dict[str, Any] = {"after_us": self.after_us}
        if self.flip:
            table["flip"] = list(self.flip)
        if self.length is not None:
            table["length"] = self.length
        if self.payload is not None:
            table["payload"] = self.payload.hex()
        return table


@dataclass(frozen=True, slots=True)
class Hit:
    """What becomes of the nth frame of one way; without copies it is lost."""

    way: Way
    nth: int
    copies: tuple[Copy, ...] = ()

    def as_table(self) -> dict[str, Any]:
        """As a scenario file has it."""
        medium, sender, receiver = self.way
        copies = [each.as_table() for each in self.copies]
        return {"medium": medium, "from": sender, "to": receiver, "nth": self.nth, "copies": copies}


@fault("schedule")
@dataclass(frozen=True, slots=True)
class Schedule:
    """Exactly these frames are hit: `{ medium, from, to, nth, copies }`; without copies the frame is lost."""

    hits: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        read_hits(self.hits)

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        memory = context.memory
        if "hits" not in memory:
            memory["hits"] = {(each.way, each.nth): each for each in read_hits(self.hits)}
        hit: Hit | None = memory["hits"].get(_counted(memory, flight))
        return (flight,) if hit is None else tuple(each.made_of(flight) for each in hit.copies)


class Witness:
    """Writes down what the faults of a home did, flight by flight: the first rule and a tap of every medium."""

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self._counts: dict[Any, Any] = {}
        self._last: tuple[Way, int] | None = None

    def apply(self, flight: Flight) -> Sequence[Flight]:
        """As the first rule: count."""
        self._last = _counted(self._counts, flight)
        return (flight,)

    def sent(self, *_: object) -> None:
        """As a tap: frames are counted as flights."""

    def fate(self, flight: Flight, survivors: Sequence[Flight]) -> None:
        """As a tap: the rules have changed what becomes of the flight that was counted last."""
        if self._last is not None:
            self.hits.append(Hit(*self._last, tuple(Copy.of(flight, each) for each in survivors)))


def read_hits(tables: Sequence[Mapping[str, Any]]) -> Sequence[Hit]:
    """Hits from their tables. Raises ValueError."""
    return tuple(_read_hit(each) for each in tables)


def way_of(flight: Flight) -> Way:
    """The way on which a flight is counted."""
    ends = (flight.source, flight.to)
    is_mdns = flight.medium == "lan" and any(isinstance(each, Endpoint) and each.port == MDNS_PORT for each in ends)
    return ("mdns" if is_mdns else flight.medium, flight.sender, flight.receiver)


def _counted(counts: dict[Any, Any], flight: Flight) -> tuple[Way, int]:
    way = way_of(flight)
    counts[way] = counts.get(way, 0) + 1
    return way, counts[way]


def _read_hit(table: Mapping[str, Any]) -> Hit:
    _only(table, _KEYS, "hits")
    way = tuple(table.get(each) for each in ("medium", "from", "to"))
    if not all(isinstance(each, str) for each in way):
        raise ValueError("hits: medium, from and to are names")
    copies = table.get("copies", [])
    if not isinstance(copies, list) or not all(isinstance(each, Mapping) for each in copies):
        raise ValueError("hits: copies is a list of tables")
    medium, sender, receiver = map(str, way)
    return Hit((medium, sender, receiver), _number(table, "nth", 1), tuple(_read_copy(each) for each in copies))


def _read_copy(table: Mapping[str, Any]) -> Copy:
    _only(table, _COPY_KEYS, "copies")
    flip = table.get("flip", [])
    if not isinstance(flip, list) or not all(isinstance(each, int) and each >= 0 for each in flip):
        raise ValueError("copies: flip is a list of bit numbers")
    return Copy(
        after_us=_number({"after_us": 0, **table}, "after_us", 0),
        flip=tuple(flip),
        length=_number(table, "length", 0) if "length" in table else None,
        payload=bytes.fromhex(str(table["payload"])) if "payload" in table else None,
    )


def _only(table: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    for name in table:
        if name not in known:
            raise ValueError(f"{where}: there is no key {name!r}; known: {', '.join(sorted(known))}")


def _number(table: Mapping[str, Any], name: str, least: int) -> int:
    value = table.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} is a number from {least}, not {value!r}")
    return value
