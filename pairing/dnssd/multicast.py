"""What one responder multicasts to one group on one link: answers that wait, and when each record was last sent.

Here live the rules of aggregation and of one multicast per record and second. Which records answer a question is
decided in `zone`; probes and announcements in the responder.
Source: RFC 6762 sections 6 (delays, rate limit), 7.4 (duplicate answer suppression), 5.4 (a quarter of the TTL).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pairing.dnssd.claims import Claim
from pairing.dnssd.messages import Identity, Record
from pairing.dnssd.packing import Unit
from pairing.dnssd.service import Link
from pairing.engine import MILLISECOND, SECOND, Endpoint, Micros

URGENT_INTERVAL = 250 * MILLISECOND
"""The rate limit when a probe is answered (section 6), or a program that unicast cannot reach asks for it."""


@dataclass(frozen=True, slots=True)
class _Pending:
    record: Record
    owner: Claim
    due: Micros
    is_urgent: bool


class Channel:
    """One group on one link, for one responder."""

    def __init__(self, link: Link, group: Endpoint) -> None:
        self.group = group
        self.set_link(link)
        self.due: Micros | None = None
        self._pending: dict[Identity, _Pending] = {}
        self._sent: dict[Identity, Micros] = {}

    @property
    def is_waiting(self) -> bool:
        """Answers wait to go out."""
        return bool(self._pending)

    def set_link(self, link: Link) -> None:
        """The link as it is now, with its addresses."""
        self.link = link
        self._own_hosts = frozenset(str(address) for address in link.addresses)

    def shares_address_with(self, host: str) -> bool:
        """Whether a packet comes from another program on our own address: unicast would not surely reach it."""
        return host.partition("%")[0] in self._own_hosts

    def queue(self, record: Record, owner: Claim, due: Micros, *, is_urgent: bool = False) -> None:
        """Let an answer go out at `due`, or as soon after as the rate limit allows."""
        limit = URGENT_INTERVAL if is_urgent else SECOND
        for one in (record, *owner.companions(record)):
            sent = self._sent.get(one.identity)
            if sent is not None and sent + limit > due:
                due = sent + limit
        waiting = self._pending.get(record.identity)
        if waiting is not None and waiting.due <= due:
            return
        self._pending[record.identity] = _Pending(record, owner, due, is_urgent)
        self.due = due if self.due is None else min(self.due, due)

    def take(self, now: Micros) -> list[Unit]:
        """The answers whose time has come and that are still true, as units to pack; they count as sent."""
        if self.due is None or self.due > now:
            return []
        ready = []
        for pending in [pending for pending in self._pending.values() if pending.due <= now]:
            del self._pending[pending.record.identity]
            if pending.owner.is_answering and pending.owner.holds(pending.record, self.link.name):
                self._sent[pending.record.identity] = now
                ready.append(pending)
        self.due = min((pending.due for pending in self._pending.values()), default=None)
        units = []
        for pending in ready:
            limit = URGENT_INTERVAL if pending.is_urgent else SECOND
            additionals = pending.owner.additionals(pending.record, self.link.name)
            units.append(Unit(answers=(pending.record,), additionals=self.claim(additionals, now, limit)))
        return units

    def claim(self, records: tuple[Record, ...], now: Micros, limit: Micros = SECOND) -> tuple[Record, ...]:
        """Those of the records that may be multicast now; they count as sent."""
        free = []
        for record in records:
            sent = self._sent.get(record.identity)
            if sent is None or now - sent >= limit:
                free.append(record)
                self._sent[record.identity] = now
        return tuple(free)

    def announcement(self, owner: Claim, now: Micros) -> tuple[Unit, ...]:
        """An owner's announcement: its unique records in any case, the others unless they were just sent."""
        always, others = owner.announcement(self.link.name)
        for record in always:
            self._sent[record.identity] = now
        answers, additionals = self.claim(others.answers, now), self.claim(others.additionals, now)
        if not always and not answers and not additionals:
            return ()
        return (Unit(answers=(*answers, *always), additionals=additionals),)

    def was_multicast_recently(self, record: Record, now: Micros) -> bool:
        """Whether the record was multicast within a quarter of its TTL, so that a unicast answer is enough."""
        sent = self._sent.get(record.identity)
        return sent is not None and (now - sent) * 4 < record.ttl * SECOND

    def heard(self, record: Record) -> None:
        """Another responder has multicast this record: ours need not follow, unless theirs lives shorter."""
        waiting = self._pending.get(record.identity)
        if waiting is not None and not waiting.is_urgent and record.ttl >= waiting.record.ttl:
            del self._pending[record.identity]

    def forget(self, records: Iterable[Record]) -> None:
        """These records are no more; so is the memory of when they were sent."""
        for record in records:
            self._sent.pop(record.identity, None)
