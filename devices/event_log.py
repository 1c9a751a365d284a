"""The log of a home: stamps events, keeps the last ones, and lets callers wait for one.

In JSON an event is flat: `id, at_us, type, actor, peer, medium, names` and the event's own fields; bytes are lower-case
hex, secret fields are left out unless asked for.
"""

import asyncio
import dataclasses
import enum
import re
from collections import deque
from collections.abc import AsyncGenerator, Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.errors import UsageError
from devices.events import is_event, platform_names, vocabulary
from devices.sim.clock import Clock
from pairing.engine import Event, Micros

LOG_LENGTH = 100_000
NEAREST = 3
_WIDE = frozenset({"peer_id"})
"""Fields of 64 bits, which JSON's numbers do not hold everywhere: decimal strings."""


def plain(value: object) -> Any:
    """A value as JSON has it: bytes as lower-case hex, enums by value, records as objects."""
    match value:
        case bool() | None | int() | float() | str():
            return value.value if isinstance(value, enum.Enum) else value
        case enum.Enum():
            return value.value
        case bytes():
            return value.hex()
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case tuple() | list() | deque():
            return [plain(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    return str(value)


@dataclass(frozen=True, slots=True)
class StampedEvent:
    """An event with its place in the home: number, time, who it happened to, and over which medium."""

    id: int
    at_us: Micros
    actor: str
    medium: str
    event: Event

    @property
    def type(self) -> str:
        """The event's class name, for example `ServicePublished`."""
        return type(self.event).__name__

    def as_json(self, *, secrets: bool = False) -> dict[str, Any]:
        """The flat JSON form; secret fields only with `secrets`."""
        document: dict[str, Any] = {
            "id": self.id,
            "at_us": self.at_us,
            "type": self.type,
            "actor": self.actor,
            "peer": self.event.peer,
            "medium": self.medium,
        }
        names = platform_names(self.event, self.medium)
        if names:
            document["names"] = dict(names)
        for each in dataclasses.fields(self.event):
            if each.name != "peer" and (secrets or not each.metadata.get("secret")):
                value = getattr(self.event, each.name)
                document[each.name] = str(value) if each.name in _WIDE and value is not None else plain(value)
        return document

    def __getitem__(self, name: str) -> Any:
        """A member of the JSON form, secrets included: `event["port"]`."""
        return self.as_json(secrets=True)[name]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a caller waits for: an event type, optionally an actor, and conditions on its members.

    A condition is a value, a list of allowed values, `{"min": …, "max": …}` or `{"matches": regex}`; a dotted name
    reaches into objects.
    """

    type: str
    where: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    actor: str | None = None

    def check(self) -> None:
        """Raise `UsageError` if the type is unknown or a condition has no meaning."""
        if not is_event(self.type):
            raise UsageError(f"no event is called {self.type!r}; known: {', '.join(vocabulary())}")
        for name, condition in self.where.items():
            if isinstance(condition, Mapping):
                if not condition or set(condition) - {"min", "max", "matches"}:
                    raise UsageError(f"where.{name}: a condition has min, max or matches, not {sorted(condition)}")
                try:
                    re.compile(str(condition.get("matches", "")))
                except (re.error, OverflowError, RecursionError) as error:
                    raise UsageError(f"where.{name}: not a regular expression: {error}") from None
                for bound in ("min", "max"):
                    limit = condition.get(bound, 0)
                    if isinstance(limit, bool) or not isinstance(limit, int | float):
                        raise UsageError(f"where.{name}: {bound} is a number, not {limit!r}")

    def misses(self, document: Mapping[str, Any]) -> list[str]:
        """What does not fit, in words; empty = it matches."""
        problems = []
        if document["type"] != self.type:
            problems.append(f"type is {document['type']}")
        if self.actor is not None and document["actor"] != self.actor:
            problems.append(f"actor is {document['actor']}")
        for name, condition in self.where.items():
            value: Any = document
            for part in name.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
            if not _fits(condition, value):
                problems.append(f"{name} is {value!r}")
        return problems


def _fits(condition: Any, value: Any) -> bool:
    if isinstance(condition, Mapping):
        if "matches" in condition:
            return isinstance(value, str) and re.search(str(condition["matches"]), value) is not None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        low, high = condition.get("min", value), condition.get("max", value)
        return bool(low <= value <= high)
    if isinstance(condition, list):
        return value in condition or value == condition
    return bool(value == condition)


@dataclass(frozen=True, slots=True)
class Waited:
    """The answer of a wait: the event and the cursor after it, or the nearest ones that did not match."""

    event: StampedEvent | None
    cursor: int
    nearest: Sequence[tuple[StampedEvent, Sequence[str]]] = ()

    @property
    def matched(self) -> bool:
        """True when the event came."""
        return self.event is not None


class EventLog:
    """Every event of one home, in order. Lives on the home's loop."""

    def __init__(self, now: Callable[[], Micros]) -> None:
        self._now = now
        self._events: deque[StampedEvent] = deque(maxlen=LOG_LENGTH)
        self._sinks: list[Callable[[StampedEvent], None]] = []
        self._news: list[asyncio.Event] = []
        self.last_id = 0

    def append(self, event: Event, *, actor: str, medium: str = "") -> StampedEvent:
        """Stamp an event, keep it, and wake whoever waits."""
        self.last_id += 1
        stamped = StampedEvent(self.last_id, self._now(), actor, medium, event)
        self._events.append(stamped)
        for sink in self._sinks:
            sink(stamped)
        for news in self._news:
            news.set()
        return stamped

    def add_sink(self, sink: Callable[[StampedEvent], None]) -> None:
        """Call `sink` for each event from now on: the recorder, the terminal."""
        self._sinks.append(sink)

    def since(self, after: int = 0) -> list[StampedEvent]:
        """The kept events whose id is greater than `after`."""
        if not self._events or after >= self.last_id:
            return []
        skip = max(0, after + 1 - self._events[0].id)
        return [self._events[index] for index in range(skip, len(self._events))]

    def find(self, pattern: Pattern, after: int = 0, consumed: Container[int] = ()) -> StampedEvent | None:
        """The first kept event after `after` that matches and is not among the consumed ids."""
        for each in self.since(after):
            if each.type == pattern.type and each.id not in consumed and not pattern.misses(each.as_json(secrets=True)):
                return each
        return None

    def nearest(self, pattern: Pattern, after: int = 0) -> list[tuple[StampedEvent, Sequence[str]]]:
        """The three events that come closest, with what is different about each; same type first, newest first."""
        rated = []
        for each in self.since(after):
            misses = pattern.misses(each.as_json())
            rated.append((each.type != pattern.type, len(misses), -each.id, each, misses))
        rated.sort(key=lambda row: row[:3])
        return [(each, misses) for _, _, _, each, misses in rated[:NEAREST]]

    async def wait(
        self, pattern: Pattern, *, clock: Clock, within_us: Micros, after: int = 0, consumed: Container[int] = ()
    ) -> Waited:
        """Wait for the first match after `after`, at most `within_us` on the home's clock. Past events count."""
        pattern.check()
        cursor = after
        news = asyncio.Event()
        end = clock.now() + within_us
        timer = clock.call_at(end, news.set)
        self._news.append(news)
        try:
            while True:
                news.clear()
                found = self.find(pattern, cursor, consumed)
                if found is not None:
                    return Waited(found, found.id)
                cursor = max(cursor, self.last_id)
                if clock.now() >= end:
                    return Waited(None, after, self.nearest(pattern, after))
                await news.wait()
        finally:
            timer.cancel()
            self._news.remove(news)

    async def follow(self, after: int = 0) -> AsyncGenerator[StampedEvent, None]:
        """Every event after `after`, then each new one as it happens."""
        news = asyncio.Event()
        self._news.append(news)
        try:
            while True:
                news.clear()
                for each in self.since(after):
                    after = each.id
                    yield each
                await news.wait()
        finally:
            self._news.remove(news)
