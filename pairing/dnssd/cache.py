"""The records that a querier has heard on one link, and for how long it may believe them.

Source: RFC 6762 sections 5.2 (asking again at 80, 85, 90 and 95 % of a life), 10.1 (goodbye), 10.2 (cache flush).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pairing.dnssd.messages import Identity, Record
from pairing.dnssd.names import Name
from pairing.dnssd.timers import Timers
from pairing.engine import SECOND, Micros

REFRESH_PERCENT = (80, 85, 90, 95)
MAX_JITTER = 2_000
"""Thousandths of a percent by which a refresh may come later, so that queriers do not ask in step."""
MAX_RECORDS = 20_000
"""Beyond this nothing new is believed; a hostile neighbour must not fill memory."""


@dataclass(slots=True)
class Entry:
    """A record with its life. `is_leaving` after a goodbye or a flush: it goes within a second."""

    record: Record
    received: Micros
    expires: Micros
    refreshes: int = 0
    jitter: int = 0
    is_leaving: bool = False

    def remaining(self, now: Micros) -> int:
        """Whole seconds of life left."""
        return max(0, (self.expires - now) // SECOND)

    @property
    def next_step(self) -> Micros:
        """When to ask again, or when it ends."""
        if self.is_leaving or self.refreshes >= len(REFRESH_PERCENT):
            return self.expires
        percent = REFRESH_PERCENT[self.refreshes]
        return self.received + (self.expires - self.received) * (percent * 1000 + self.jitter) // 100_000


@dataclass(frozen=True, slots=True)
class Expired:
    """A record whose life is over, and whether its owner ended it."""

    record: Record
    is_goodbye: bool


class Cache:
    """The records of one link, by folded name."""

    def __init__(self) -> None:
        self._names: dict[Name, dict[Identity, Entry]] = {}
        self._timers: Timers[Identity] = Timers()
        self._count = 0

    @property
    def next(self) -> Micros | None:
        """When a record wants to be refreshed or ends."""
        return self._timers.next

    @property
    def is_full(self) -> bool:
        """Nothing new is taken in."""
        return self._count >= MAX_RECORDS

    def add(self, records: Iterable[Record], now: Micros, jitter: int) -> None:
        """Take in the records of one packet. `jitter`, up to `MAX_JITTER`, delays their refreshes."""
        for record in records:
            same_name = self._names.get(record.key)
            if record.ttl == 0:
                if same_name is not None and record.identity in same_name:
                    self._leave(same_name[record.identity], now)
                continue
            if same_name is None:
                same_name = {}
            if record.cache_flush:
                for entry in same_name.values():
                    if entry.record.type == record.type and now - entry.received > SECOND:
                        self._leave(entry, now)
            if record.identity not in same_name:
                if self.is_full:
                    continue
                self._count += 1
            self._names[record.key] = same_name
            entry = Entry(record, now, now + record.ttl * SECOND, jitter=jitter)
            same_name[record.identity] = entry
            self._timers.set(record.identity, entry.next_step)

    def _leave(self, entry: Entry, now: Micros) -> None:
        if not entry.is_leaving:
            entry.is_leaving = True
            entry.expires = now + SECOND
            self._timers.set(entry.record.identity, entry.expires)

    def entries(self, key: Name, type_: int) -> list[Entry]:
        """What is known of a name and type, in the order in which it was first heard."""
        return [entry for entry in self._names.get(key, {}).values() if entry.record.type == type_]

    def known_answers(self, key: Name, type_: int, now: Micros) -> list[Record]:
        """The records to put into a question, with the life they have left: those beyond half of it (section 7.1)."""
        return [
            replace(entry.record, ttl=entry.remaining(now), cache_flush=False)
            for entry in self.entries(key, type_)
            if not entry.is_leaving and entry.remaining(now) * 2 > entry.record.ttl
        ]

    def step(self, now: Micros) -> tuple[list[Expired], list[Record]]:
        """What has ended, and what should be asked for again."""
        expired: list[Expired] = []
        refresh: list[Record] = []
        for identity in self._timers.due(now):
            same_name = self._names[identity[0]]
            entry = same_name[identity]
            if now >= entry.expires:
                del same_name[identity]
                self._count -= 1
                if not same_name:
                    del self._names[identity[0]]
                expired.append(Expired(entry.record, entry.is_leaving))
            else:
                entry.refreshes += 1
                self._timers.set(identity, entry.next_step)
                refresh.append(entry.record)
        return expired, refresh
