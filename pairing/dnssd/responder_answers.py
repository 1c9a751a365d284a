"""How a responder answers: what is multicast and what goes to the asker alone, at once or a little later.

Source: RFC 6762 sections 5.4 (QU), 6 (delays), 6.6 (records that others let die), 6.7 (legacy queries), 7.1 and 7.2
(known answers, over several packets too), 8.1 (meeting probes).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pairing.dnssd.messages import RESPONSE, Identity, Message, Question, Record
from pairing.dnssd.multicast import Channel
from pairing.dnssd.packing import Unit, pack, truncated
from pairing.dnssd.service import MDNS_PORT
from pairing.dnssd.timers import Timers, draw
from pairing.dnssd.zone import Match, Zone
from pairing.engine import MILLISECOND, Endpoint, Entropy, Micros, Output, Transmit

SHARED_DELAY = (20 * MILLISECOND, 120 * MILLISECOND)
TRUNCATED_DELAY = (400 * MILLISECOND, 500 * MILLISECOND)
LEGACY_TTL = 10
MAX_HELD = 256
"""Askers whose known answers we wait for at once; beyond, a query is answered without waiting."""


@dataclass(frozen=True, slots=True)
class _Query:
    """A query, its known answers complete."""

    sender: Endpoint
    ident: int
    questions: tuple[Question, ...]
    known: tuple[Record, ...]
    is_probe: bool
    channel: Channel

    @property
    def is_legacy(self) -> bool:
        """The asker is an ordinary DNS resolver that cannot hear multicast (section 6.7)."""
        return self.sender.port != MDNS_PORT


@dataclass(frozen=True, slots=True, eq=False)
class _Reply:
    """Answers for one asker, waiting."""

    query: _Query
    matches: tuple[Match, ...]


class Answers:
    """Queries in, answers out, for one responder."""

    def __init__(self, entropy: Entropy, zone: Zone) -> None:
        self._entropy = entropy
        self._zone = zone
        self._held: dict[Endpoint, _Query] = {}
        self._timers: Timers[Endpoint | _Reply] = Timers()

    @property
    def next(self) -> Micros | None:
        """When a held query or a reply that waits is due."""
        return self._timers.next

    def expects(self, sender: Endpoint) -> bool:
        """Whether more known answers of this asker are awaited."""
        return sender in self._held

    def query(self, message: Message, sender: Endpoint, channel: Channel, now: Micros) -> list[Output]:
        """A query came in: queue what is multicast, return what goes to the asker now."""
        query = _Query(sender, message.id, message.questions, message.answers, bool(message.authorities), channel)
        held = self._held.pop(sender, None)
        if held is not None:
            self._timers.cancel(sender)
            query = replace(query, questions=held.questions + query.questions, known=held.known + query.known)
        if message.is_truncated and not query.is_legacy and len(self._held) < MAX_HELD:
            self._held[sender] = query
            self._timers.set(sender, now + draw(self._entropy, *TRUNCATED_DELAY))
            return []
        return self._answer(query, now)

    def due(self, now: Micros) -> list[Output]:
        """Answer the queries that were held, and send the replies that waited."""
        outputs: list[Output] = []
        for key in self._timers.due(now):
            if isinstance(key, _Reply):
                outputs += self._reply(key)
            else:
                outputs += self._answer(self._held.pop(key), now)
        return outputs

    def rescue(self, record: Record, channel: Channel, now: Micros) -> None:
        """Another host says goodbye for a record that is ours too, or lets it live less than half as long."""
        match = self._zone.holder(record, channel.link.name)
        if match is not None and record.ttl * 2 < match.record.ttl:
            delay = draw(self._entropy, *SHARED_DELAY) if match.is_shared else 0
            channel.queue(match.record, match.owner, now + delay)

    def _answer(self, query: _Query, now: Micros) -> list[Output]:
        channel = query.channel
        known = {record.identity: record.ttl for record in query.known}
        # Another program on our address shares the port: unicast might reach a third one, so it gets multicast, soon.
        is_flatmate = channel.shares_address_with(query.sender.host)
        to_asker: list[Match] = []
        delay: Micros | None = None
        for question in query.questions:
            wants_unicast = question.unicast and not is_flatmate
            is_urgent = query.is_probe or (question.unicast and is_flatmate)
            for match in self._zone.matches(question, channel.link.name):
                if _is_known(match.record, known):
                    continue
                if match.is_shared and delay is None:
                    delay = draw(self._entropy, *SHARED_DELAY)
                is_fresh = wants_unicast and channel.was_multicast_recently(match.record, now)
                if query.is_legacy or is_fresh or (wants_unicast and query.is_probe):
                    to_asker.append(match)
                if not query.is_legacy and not is_fresh:
                    due = now + (delay or 0) if match.is_shared else now
                    channel.queue(match.record, match.owner, due, is_urgent=is_urgent)
        reply = _Reply(query, tuple(to_asker))
        if delay is None:
            return self._reply(reply)
        if to_asker:
            self._timers.set(reply, now + delay)
        return []

    def _reply(self, reply: _Reply) -> list[Output]:
        query, link = reply.query, reply.query.channel.link.name
        units = [
            Unit(answers=(match.record,), additionals=match.owner.additionals(match.record, link))
            for match in reply.matches
            if match.owner.is_answering and match.owner.holds(match.record, link)
        ]
        if not units:
            return []
        if query.is_legacy:
            units = [Unit(questions=query.questions), *(_legacy(unit) for unit in units)]
            packets = pack(units, flags=RESPONSE, ident=query.ident, compress_srv=False)
            packets = packets if len(packets) == 1 else [truncated(packets[0])]
        else:
            packets = pack(units, flags=RESPONSE)
        return [Transmit(packet, query.sender) for packet in packets]


def _is_known(record: Record, known: dict[Identity, int]) -> bool:
    """The asker has the record, with at least half of its life left (section 7.1)."""
    ttl = known.get(record.identity)
    return ttl is not None and ttl * 2 >= record.ttl


def _legacy(unit: Unit) -> Unit:
    return Unit(answers=_short_lived(unit.answers), additionals=_short_lived(unit.additionals))


def _short_lived(records: Iterable[Record]) -> tuple[Record, ...]:
    return tuple(replace(one, ttl=min(one.ttl, LEGACY_TTL), cache_flush=False) for one in records)
