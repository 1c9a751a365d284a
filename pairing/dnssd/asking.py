"""The questions of a querier: when each is asked, how it backs off, and what goes into the packets.

Source: RFC 6762 sections 5.2 (intervals, first question), 5.4 (QU), 7.1 and 7.2 (known answers).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pairing.dnssd.cache import Cache
from pairing.dnssd.messages import Question, RecordType
from pairing.dnssd.names import Name
from pairing.dnssd.packing import pack_query
from pairing.dnssd.service import Link
from pairing.dnssd.timers import Timers, draw
from pairing.engine import MILLISECOND, SECOND, Entropy, Micros, Transmit

FIRST_DELAY = (20 * MILLISECOND, 120 * MILLISECOND)
FIRST_INTERVAL = 1 * SECOND
LONGEST_INTERVAL = 3600 * SECOND
ANSWER_WINDOW = 1200 * MILLISECOND
"""How long after its question an answer counts as one: a responder may hold it back for a second (section 6)."""


class Asked(NamedTuple):
    """A question by folded name and type."""

    key: Name
    type: int


@dataclass(slots=True)
class _Ask:
    """A question that is repeated, ever more slowly, until it is answered; or asked only once, to refresh a record."""

    name: Name
    is_once: bool
    times: int = 0
    interval: Micros = FIRST_INTERVAL


class Asking:
    """All questions of one querier. Those that come up together are asked together."""

    def __init__(self, entropy: Entropy, links: Sequence[Link]) -> None:
        self._entropy = entropy
        self._links = tuple(links)
        self._asks: dict[Asked, _Ask] = {}
        self._asked_at: dict[Asked, Micros] = {}
        self._timers: Timers[Asked] = Timers()
        self._batch: Micros = -1

    @property
    def next(self) -> Micros | None:
        """When the next question is asked."""
        return self._timers.next

    def ask(self, name: Name, type_: int, now: Micros) -> None:
        """Ask until answered. A question that is being asked already goes on as it is."""
        asked = Asked(name.lower(), type_)
        known = self._asks.get(asked)
        if known is None or known.is_once:
            self._begin(asked, _Ask(name, is_once=False), now)

    def refresh(self, name: Name, type_: int, now: Micros) -> None:
        """Ask once, for a record whose life is running out."""
        asked = Asked(name.lower(), type_)
        if asked not in self._asks:
            self._begin(asked, _Ask(name, is_once=True, times=1), now)
        elif type_ == RecordType.PTR:  # a browse asks for an hour's worth of patience; a record in danger cannot wait
            self._timers.set(asked, self._batch_time(now))

    def answered(self, key: Name, type_: int) -> None:
        """No need to ask any more."""
        asked = Asked(key, type_)
        if self._asks.pop(asked, None) is not None:
            self._timers.cancel(asked)

    def times(self, key: Name, type_: int) -> int:
        """How often an open question has been asked."""
        ask = self._asks.get(Asked(key, type_))
        return 0 if ask is None else ask.times

    def was_just_asked(self, key: Name, type_: int, now: Micros) -> bool:
        """Whether a record that comes now can be an answer to our question."""
        at = self._asked_at.get(Asked(key, type_))
        return at is not None and now - at <= ANSWER_WINDOW

    def due(self, now: Micros, caches: Mapping[str, Cache]) -> tuple[list[Transmit], list[Asked]]:
        """The packets of the questions whose time has come, and which these are."""
        due = self._timers.due(now)
        if not due:
            return [], []
        self._asked_at = {asked: at for asked, at in self._asked_at.items() if now - at <= ANSWER_WINDOW}
        questions = []
        for asked in due:
            ask = self._asks[asked]
            questions.append(Question(ask.name, asked.type, unicast=ask.times == 0))
            self._asked_at[asked] = now
            ask.times += 1
            if ask.is_once:
                del self._asks[asked]
            else:
                self._timers.set(asked, now + ask.interval)
                ask.interval = min(ask.interval * 2, LONGEST_INTERVAL)
        return list(self._packets(questions, now, caches)), due

    def _packets(self, questions: Sequence[Question], now: Micros, caches: Mapping[str, Cache]) -> Iterable[Transmit]:
        for link in self._links:
            cache = caches[link.name]
            pointers = [question for question in questions if question.type == RecordType.PTR]
            known = [one for question in pointers for one in cache.known_answers(question.key, question.type, now)]
            for packet in pack_query(questions, known):
                yield from (Transmit(packet, group) for group in link.groups)

    def _begin(self, asked: Asked, ask: _Ask, now: Micros) -> None:
        self._asks[asked] = ask
        self._timers.set(asked, self._batch_time(now))

    def _batch_time(self, now: Micros) -> Micros:
        if self._batch < now:
            self._batch = now + draw(self._entropy, *FIRST_DELAY)
        return self._batch
