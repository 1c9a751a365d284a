"""A responder's claims to unique names: service instances and the hosts they run on, with their records.

A claim knows its records and which of them another host's record contradicts. Time, packets and the moves between
states are left to the responder.
Source: RFC 6762 sections 6 (additional records), 8.2 (tie-break), 9 (conflicts); RFC 6763 section 12 (additionals).
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from pairing.dnssd.messages import CLASS_IN, Record, RecordType
from pairing.dnssd.names import IpAddress, Name, host_name
from pairing.dnssd.packing import Unit
from pairing.dnssd.records import HostRecords, ServiceRecords
from pairing.dnssd.responder_states import ANSWERING, TRANSITIONS, ClaimInput, ClaimState
from pairing.dnssd.service import (
    ResponderLies,
    ServiceEvent,
    ServiceInstance,
    ServicePublished,
)
from pairing.engine import SECOND, Micros

CONFLICT_WINDOW: Micros = 10 * SECOND
CONFLICT_LIMIT = 15


class Claim(ABC):
    """A claim to one unique name."""

    def __init__(self, name: Name, *, is_assertive: bool) -> None:
        self.name = name
        self.state = ClaimState.WAITING
        self.probes = 0
        self.announcements = 0
        self.is_assertive = is_assertive
        self.defended_at: Micros | None = None
        self._conflicts: deque[Micros] = deque(maxlen=CONFLICT_LIMIT)

    @property
    def key(self) -> Name:
        """The name with letters folded."""
        return self.name.lower()

    @property
    def is_answering(self) -> bool:
        """The name is ours."""
        return self.state in ANSWERING

    def move(self, what: ClaimInput) -> bool:
        """Make the move that the table has for this input; False, and nothing happens, if it has none."""
        state = TRANSITIONS.get((self.state, what))
        if state is None:
            return False
        if state is not self.state or what is ClaimInput.UPDATE:
            self.probes = 0
            if what is not ClaimInput.ANNOUNCED:
                self.announcements = 0
        self.state = state
        return True

    def count_conflict(self, now: Micros) -> bool:
        """Note a conflict; True when there were so many lately that the next probe has to wait (section 8.1)."""
        self._conflicts.append(now)
        return len(self._conflicts) == CONFLICT_LIMIT and now - self._conflicts[0] <= CONFLICT_WINDOW

    def contradicts(self, record: Record) -> bool:
        """Whether another host's record of our name means that the name is not ours alone."""
        if record.ttl == 0 or record.class_ != CLASS_IN or record.type == RecordType.NSEC:
            return False
        ours = [one for one in self.all_unique() if one.type == record.type]
        if any(one.identity == record.identity for one in ours):
            return False
        return bool(ours) or not self.is_answering  # while probing, any record shows that the name is taken

    def yields_to(self, theirs: tuple[Record, ...], link: str) -> bool:
        """Whether the records of a simultaneous probe beat ours: the lexicographically later set wins."""

        def order(records: tuple[Record, ...]) -> list[tuple[int, int, bytes]]:
            return sorted((record.class_, record.type, record.rdata) for record in records)

        return order(self.unique(link)) < order(theirs)

    @abstractmethod
    def unique(self, link: str) -> tuple[Record, ...]:
        """The unique records of the name on a link: what a probe proposes."""

    def pointers(self) -> tuple[Record, ...]:
        """The shared records that enumerate this claim."""
        return ()

    @abstractmethod
    def all_unique(self) -> tuple[Record, ...]:
        """The unique records of the name on any link."""

    @abstractmethod
    def answers(self, type_: int, link: str) -> tuple[Record, ...]:
        """What answers a question of this type about the name; an NSEC record where the type does not exist."""

    @abstractmethod
    def holds(self, record: Record, link: str) -> bool:
        """Whether the record is, as things stand, one of this claim's on the link."""

    @abstractmethod
    def companions(self, record: Record) -> tuple[Record, ...]:
        """Records of this claim without which an answer is half an answer; it waits until they may go out too."""

    @abstractmethod
    def additionals(self, record: Record, link: str) -> tuple[Record, ...]:
        """The additional records that go along with an answer."""

    @abstractmethod
    def announcement(self, link: str) -> tuple[tuple[Record, ...], Unit]:
        """Records that are announced in any case, and those that may be left out when they were just sent."""


class HostClaim(Claim):
    """A host name. It lives as long as a service runs on it."""

    def __init__(self, label: str, addresses: Mapping[str, tuple[IpAddress, ...]], *, is_assertive: bool) -> None:
        super().__init__(host_name(label), is_assertive=is_assertive)
        self.registered = label.lower()
        self.label = label
        self.users: dict[ServiceClaim, None] = {}
        self._addresses = addresses
        self._records: dict[str, HostRecords] = {}

    def rename(self, label: str) -> None:
        """Go on under another label; the services on the host follow."""
        self.label = label
        self.name = host_name(label)
        self._records.clear()
        for user in self.users:
            user.rebuild()

    def set_addresses(self, addresses: Mapping[str, tuple[IpAddress, ...]]) -> None:
        """The host's addresses by link."""
        self._addresses = addresses
        self._records.clear()

    def records(self, link: str) -> HostRecords:
        """The host's records on a link."""
        found = self._records.get(link)
        if found is None:
            ttl = min((user.host_ttl for user in self.users), default=0)
            found = self._records[link] = HostRecords.of(self.name, self._addresses.get(link, ()), ttl)
        return found

    def forget_records(self) -> None:
        """TTLs may have changed with the services that use the host."""
        self._records.clear()

    def unique(self, link: str) -> tuple[Record, ...]:
        return self.records(link).addresses

    def all_unique(self) -> tuple[Record, ...]:
        return tuple(record for link in self._addresses for record in self.records(link).addresses)

    def answers(self, type_: int, link: str) -> tuple[Record, ...]:
        records = self.records(link)
        if not records.addresses:
            return ()
        found = tuple(record for record in records.addresses if type_ in (record.type, RecordType.ANY))
        return found or (records.nsec,)

    def holds(self, record: Record, link: str) -> bool:
        records = self.records(link)
        return any(one.identity == record.identity for one in (*records.addresses, records.nsec, *records.reverse))

    def companions(self, record: Record) -> tuple[Record, ...]:
        return ()

    def additionals(self, record: Record, link: str) -> tuple[Record, ...]:
        return () if record.type == RecordType.PTR else self.with_nsec(link)

    def with_nsec(self, link: str) -> tuple[Record, ...]:
        """The addresses on a link, and the NSEC record where a family is missing."""
        records = self.records(link)
        families = {record.type for record in records.addresses}
        return (*records.addresses, records.nsec) if len(families) == 1 else records.addresses

    def announcement(self, link: str) -> tuple[tuple[Record, ...], Unit]:
        records = self.records(link)
        return records.addresses, Unit(additionals=(records.nsec,) if records.addresses else ())


class ServiceClaim(Claim):
    """A service instance under the name it has now; `registered` is the one its owner gave it."""

    def __init__(self, service: ServiceInstance, host: HostClaim, lies: ResponderLies) -> None:
        self.registered = service.key
        self.lies = lies
        self.host = host
        self.news: type[ServiceEvent] | None = ServicePublished
        self.is_published = False
        self._given = service
        self._label = service.instance
        self.rebuild()
        super().__init__(self.records.name, is_assertive=lies.assert_without_probing)

    @property
    def host_ttl(self) -> int:
        """The TTL that this service wants for its host's addresses."""
        return 0 if self.lies.zero_ttls else self._given.host_ttl

    def rename(self, label: str) -> None:
        """Go on under another label."""
        self._label = label
        self.rebuild()

    def give(self, service: ServiceInstance, host: HostClaim) -> bool:
        """Take new data over from the owner; False if nothing differs."""
        if service == self._given and host is self.host:
            return False
        self._given, self.host = service, host
        self.rebuild()
        return True

    def rebuild(self) -> None:
        """Make the records anew from what the owner gave and what the names are now."""
        self.service = replace(self._given, instance=self._label, host=self.host.label)
        self.records = ServiceRecords.of(self.service, zero_ttls=self.lies.zero_ttls)
        self.name = self.records.name

    def event(self, kind: type[ServiceEvent]) -> ServiceEvent:
        """News of this service."""
        service = self.service
        return kind(
            key=self.registered,
            instance=service.instance,
            service_type=service.type,
            host=service.host,
            port=service.port,
            txt=service.txt,
        )

    def pointers(self) -> tuple[Record, ...]:
        return self.records.pointers

    def unique(self, link: str) -> tuple[Record, ...]:
        return self.records.unique

    def all_unique(self) -> tuple[Record, ...]:
        return self.records.unique

    def answers(self, type_: int, link: str) -> tuple[Record, ...]:
        records = self.records
        if type_ == RecordType.SRV:
            return (records.srv,)
        if type_ == RecordType.TXT:
            return () if self.lies.no_txt_in_answers else (records.txt,)
        if type_ == RecordType.ANY:
            return (records.srv,) if self.lies.no_txt_in_answers else records.unique
        return (records.nsec,)

    def holds(self, record: Record, link: str) -> bool:
        records = self.records
        ours = (*records.pointers, records.srv, records.txt, records.nsec, records.enumeration)
        return any(one.identity == record.identity for one in ours)

    def companions(self, record: Record) -> tuple[Record, ...]:
        return self.records.unique if record.type == RecordType.PTR and self._names_us(record) else ()

    def additionals(self, record: Record, link: str) -> tuple[Record, ...]:
        records = self.records
        if record.type == RecordType.SRV:
            return self.host.with_nsec(link)
        if record.type != RecordType.PTR or not self._names_us(record):
            return ()
        txt = () if self.lies.no_txt_in_answers else (records.txt,)
        return (records.srv, *txt, *self.host.with_nsec(link), records.nsec)

    def _names_us(self, record: Record) -> bool:
        return record.rdata is self.name or record.rdata == self.name

    def announcement(self, link: str) -> tuple[tuple[Record, ...], Unit]:
        records = self.records
        shared = (*records.pointers, records.enumeration)
        return records.unique, Unit(answers=shared, additionals=(*self.host.with_nsec(link), records.nsec))
