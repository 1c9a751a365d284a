"""A multicast DNS responder: probes for names, announces services, answers questions, defends, renames, says goodbye.

One engine for all services of one owner, over any number of links. Names are won and kept by `responder_startup`,
questions answered by `responder_answers`, packets made by `speaker`; here is what the owner asks for, and
which of them a packet or a deadline concerns. Sockets, and dropping the looped-back copies of its own packets, are the
caller's.
Source: RFC 6762, RFC 6763. Left out: Sleep Proxy, and the check of section 11 that a sender is on the link.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from pairing.dnssd.claims import Claim, HostClaim, ServiceClaim
from pairing.dnssd.messages import MASK_OPCODE, MASK_RCODE, Message, Record, decode
from pairing.dnssd.multicast import Channel
from pairing.dnssd.names import RenameStyle
from pairing.dnssd.responder_answers import Answers
from pairing.dnssd.responder_startup import Startup
from pairing.dnssd.responder_states import ClaimInput, ClaimState
from pairing.dnssd.service import (
    MDNS_PORT,
    Link,
    ResponderLies,
    ServiceInstance,
    ServiceKey,
    ServiceUpdated,
    ServiceWithdrawn,
)
from pairing.dnssd.speaker import Speaker
from pairing.dnssd.zone import Zone
from pairing.engine import SECOND, Address, Endpoint, Entropy, FrameIgnored, Micros, Output, Outputs
from pairing.errors import DecodeError, LocalProtocolError

GOODBYE_GAP = 1 * SECOND
"""After this a goodbye is said once more, for those that missed it."""
TRUTHFUL = ResponderLies()


@dataclass(frozen=True, slots=True)
class RegisteredService:
    """A service as it stands: the key it was registered under, and what the link sees or will see of it."""

    key: ServiceKey
    service: ServiceInstance
    state: ClaimState
    is_published: bool


@dataclass(frozen=True, slots=True)
class _Farewell:
    """A goodbye to be said again: the records of each link."""

    due: Micros
    records: dict[str, list[Record]]


class Responder:
    """The responder engine. Intents: `register`, `update`, `withdraw`, `close`, `set_links`; news are ServiceEvents."""

    def __init__(
        self, entropy: Entropy, links: Sequence[Link], *, rename_style: RenameStyle = RenameStyle.APPLE
    ) -> None:
        self._zone = Zone(links)
        self._speaker = Speaker(links)
        self._startup = Startup(entropy, self._zone, self._speaker, rename_style)
        self._answers = Answers(entropy, self._zone)
        self._services: dict[ServiceKey, ServiceClaim] = {}
        self._hosts: dict[str, HostClaim] = {}  # by the label they were registered with, folded
        self._farewells: deque[_Farewell] = deque()
        self._is_closed = False

    # What the owner asks for.

    def register(self, service: ServiceInstance, now: Micros, lies: ResponderLies = TRUTHFUL) -> Outputs:
        """Claim the service's name and host, and announce it once both are won."""
        if self._is_closed:
            raise LocalProtocolError("the responder is closed")
        if service.key in self._services:
            raise LocalProtocolError(f"{service.instance!r} {service.type} is registered already; update it instead")
        host = self._host(service.host, now, lies)
        claim = self._services[service.key] = ServiceClaim(service, host, lies)
        outputs = self._startup.rename(claim) if claim.key in self._zone.claims else []
        self._join(claim, host)
        self._zone.add(claim)
        self._startup.begin(claim, now, lies.late_start)
        return outputs

    def update(self, service: ServiceInstance, now: Micros) -> Outputs:
        """Give a registered service a new TXT, port, host or other subtypes, and announce what changed."""
        claim = self._registered(service.key)
        before, old_host = (*claim.pointers(), *claim.all_unique()), claim.host
        host = self._host(service.host, now, claim.lies)
        self._zone.remove(claim)
        is_changed = claim.give(service, host)
        self._zone.add(claim)
        if not is_changed:
            return []
        records = {link.name: list[Record]() for link in self._speaker.links}
        if host is not old_host:
            self._leave(claim, old_host, records)
            self._join(claim, host)
        kept = {record.identity for record in (*claim.pointers(), *claim.all_unique())}
        gone = [record for record in before if record.identity not in kept]
        self._speaker.forget(gone)
        outputs: list[Output] = []
        if claim.is_published:
            claim.news = ServiceUpdated
            # Unique records are replaced by their cache-flush bit; shared ones have to be taken back.
            outputs += self._goodbye(_with(records, [one for one in gone if not one.cache_flush]), now)
        if claim.move(ClaimInput.UPDATE):
            outputs += self._startup.announce([claim], now)
        return outputs

    def withdraw(self, key: ServiceKey, now: Micros) -> Outputs:
        """Say goodbye for a service; its host's addresses stay while another service runs on it."""
        claim = self._registered(key)
        outputs = self._goodbye(self._depart(claim), now)
        return [*outputs, claim.event(ServiceWithdrawn)] if claim.is_published else outputs

    def close(self, now: Micros) -> Outputs:
        """Say goodbye for everything, all at once, and fall silent for good."""
        claims = list(self._services.values())
        records: dict[str, list[Record]] = {}
        for claim in claims:
            for link, gone in self._depart(claim).items():
                records.setdefault(link, []).extend(gone)
        packets = self._speaker.goodbye(records.items())
        self._farewells.clear()
        self._is_closed = True
        events = [claim.event(ServiceWithdrawn) for claim in claims if claim.is_published]
        return [*packets, *events]

    def set_links(self, links: Sequence[Link], now: Micros) -> Outputs:
        """Links or addresses changed: a new link means probing anew; other addresses are announced."""
        before = {link.name: link.addresses for link in self._speaker.links}
        changed = [link.name for link in links if before.get(link.name, link.addresses) != link.addresses]
        was = {host: {link: host.unique(link) for link in changed} for host in self._hosts.values()}
        self._zone.set_links(links)
        self._speaker.set_links(links)
        gone = {link: list[Record]() for link in changed}
        for host in self._hosts.values():
            host.set_addresses(self._zone.addresses)
            for link in changed if host.is_answering else ():
                gone[link] += [record for record in was[host][link] if not host.holds(record, link)]
        outputs = self._goodbye(gone, now)
        if any(link.name not in before for link in links):
            for claim in self._zone.claims.values():
                if claim.move(ClaimInput.LINK_CHANGED):
                    self._startup.begin(claim, now)
        elif changed:
            hosts = [host for host in self._hosts.values() if host.move(ClaimInput.UPDATE)]
            outputs += self._startup.announce(hosts, now)
        return outputs

    @property
    def services(self) -> tuple[RegisteredService, ...]:
        """The registered services, in the order of registration."""
        return tuple(
            RegisteredService(key, claim.service, claim.state, claim.is_published)
            for key, claim in self._services.items()
        )

    # What time and the link bring.

    @property
    def deadline(self) -> Micros | None:
        """The next moment at which something is owed."""
        times = [self._startup.next, self._answers.next, self._speaker.due]
        if self._farewells:
            times.append(self._farewells[0].due)
        return None if self._is_closed else min((time for time in times if time is not None), default=None)

    def handle_timeout(self, now: Micros) -> Outputs:
        """Send what is due: probes, announcements, repeated goodbyes, answers that waited."""
        if self._is_closed:
            return []
        outputs = self._startup.step(now)
        while self._farewells and self._farewells[0].due <= now:
            outputs += self._repeat_goodbye(self._farewells.popleft())
        outputs += self._answers.due(now)
        return outputs + self._speaker.flush(now)

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A packet from a link. One that cannot be used is ignored, with the reason."""
        if self._is_closed:
            return []
        channel = self._speaker.channel(sender)
        if channel is None or not isinstance(sender, Endpoint):
            return [_ignored(sender, "the sender is on no link of this responder")]
        try:
            message = decode(payload)
        except DecodeError as error:
            return [_ignored(sender, str(error))]
        if message.flags & (MASK_OPCODE | MASK_RCODE):
            return [_ignored(sender, "opcode and rcode are zero in multicast DNS")]
        if message.is_response:
            if sender.port != MDNS_PORT:
                return [_ignored(sender, f"response from port {sender.port}, expected {MDNS_PORT}")]
            outputs = self._on_response(message, channel, now)
        elif message.questions or self._answers.expects(sender):
            self._startup.break_ties(message, channel, now)
            outputs = self._answers.query(message, sender, channel, now)
        else:
            return [_ignored(sender, "query without a question")]
        return outputs + self._speaker.flush(now)

    def _on_response(self, message: Message, channel: Channel, now: Micros) -> list[Output]:
        if not channel.is_waiting and self._zone.claims.keys().isdisjoint(message.subjects):
            return []
        contested: dict[Claim, None] = {}
        for record in (*message.answers, *message.additionals):
            channel.heard(record)
            claim = self._zone.claims.get(record.key)
            if claim is not None and claim.contradicts(record):
                contested[claim] = None
            else:
                self._answers.rescue(record, channel, now)
        return [output for claim in contested for output in self._startup.conflict(claim, now)]

    # Registration and goodbye.

    def _registered(self, key: ServiceKey) -> ServiceClaim:
        claim = self._services.get(key)
        if claim is None:
            raise LocalProtocolError(f"{key.instance!r} {key.type} is not registered")
        return claim

    def _host(self, label: str, now: Micros, lies: ResponderLies) -> HostClaim:
        host = self._hosts.get(label.lower())
        if host is None:
            host = HostClaim(label, self._zone.addresses, is_assertive=lies.assert_without_probing)
            self._hosts[host.registered] = host
            if host.key in self._zone.claims:
                self._startup.rename(host)
            self._zone.add(host)
            self._startup.begin(host, now, lies.late_start)
        return host

    def _join(self, claim: ServiceClaim, host: HostClaim) -> None:
        host.users[claim] = None
        host.forget_records()

    def _leave(self, claim: ServiceClaim, host: HostClaim, records: dict[str, list[Record]]) -> None:
        """A service leaves its host; the last one takes the host along, whose addresses then join the goodbye."""
        host.users.pop(claim, None)
        if not host.users:
            for link, gone in records.items() if host.is_answering and not claim.lies.no_goodbye else ():
                gone += host.unique(link)
            self._startup.end(host)
            self._zone.remove(host)
            del self._hosts[host.registered]
        host.forget_records()

    def _depart(self, claim: ServiceClaim) -> dict[str, list[Record]]:
        """Forget a service; what is left to say goodbye for, by link."""
        del self._services[claim.registered]
        self._zone.remove(claim)
        self._startup.end(claim)
        ours = () if claim.lies.no_goodbye or not claim.is_published else (*claim.pointers(), *claim.all_unique())
        records = {link.name: [*ours] for link in self._speaker.links}
        self._leave(claim, claim.host, records)
        return records

    def _goodbye(self, records: dict[str, list[Record]], now: Micros) -> list[Output]:
        if not any(records.values()):
            return []
        self._farewells.append(_Farewell(now + GOODBYE_GAP, records))
        return self._speaker.goodbye(records.items())

    def _repeat_goodbye(self, farewell: _Farewell) -> list[Output]:
        """Say it again, except for what has come back in the meantime."""
        gone = {
            link: [record for record in records if self._zone.holder(record, link) is None]
            for link, records in farewell.records.items()
        }
        return self._speaker.goodbye(gone.items())


def _with(records: dict[str, list[Record]], more: list[Record]) -> dict[str, list[Record]]:
    return {link: more + found for link, found in records.items()}


def _ignored(sender: Address, reason: str) -> FrameIgnored:
    peer = sender.host if isinstance(sender, Endpoint) else None
    return FrameIgnored(peer=peer, reason=reason, protocol="mdns")
