"""A multicast DNS querier: browses for service types, resolves what it finds, and keeps it as long as it may.

One engine over any number of links. It can believe every announcement that it hears (as iOS does, also before it
browses), or only what answers a question of its own (as Android does). When questions are asked is left to `asking`,
how long records live to `cache`; sockets are the caller's.
Source: RFC 6762 sections 5 and 10, RFC 6763 sections 4 and 5. Left out: suppressing questions that others just asked
(RFC 6762 section 7.3) and giving up records that nobody confirms (10.4, 10.5).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pairing.dnssd.asking import Asking
from pairing.dnssd.cache import MAX_JITTER, Cache, Entry
from pairing.dnssd.messages import MASK_OPCODE, MASK_RCODE, Message, Record, RecordType, decode
from pairing.dnssd.names import SERVICES, IpAddress, Name, labels, split_host, split_instance, subtype_name, type_name
from pairing.dnssd.records import SrvFields, address_of, denies, pointed
from pairing.dnssd.service import MDNS_PORT, Link, ResolvedService, ServiceResolved
from pairing.dnssd.timers import draw
from pairing.engine import (
    Address,
    Endpoint,
    Entropy,
    FrameIgnored,
    Micros,
    Output,
    Outputs,
    PeerDiscovered,
    PeerLost,
)
from pairing.errors import DecodeError, LocalProtocolError

ALL_TYPES = "_services._dns-sd._udp"
"""Browse this to learn the service types themselves (RFC 6763 section 9)."""
TXT_PATIENCE = 3
"""Questions for a TXT record after which a service counts as resolved without one."""
_ADDRESS_TYPES = (RecordType.A, RecordType.AAAA)


@dataclass(slots=True)
class _Browse:
    """One running browse. `service` is what its events say: the type, with its subtype before it."""

    name: Name
    service: str
    peers: dict[Name, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Instance:
    """A service that at least one browse sees, and what was last reported of it."""

    name: Name
    label: str
    type: str
    host: Name = b""
    last: ResolvedService | None = None


class Querier:
    """The querier engine. Intents: `browse`, `stop`; news are PeerDiscovered, ServiceResolved and PeerLost."""

    def __init__(self, entropy: Entropy, links: Sequence[Link], *, use_announcements: bool = True) -> None:
        self._entropy = entropy
        self._use_announcements = use_announcements
        self._caches = {link.name: Cache() for link in links}
        self._asking = Asking(entropy, links)
        self._browses: dict[tuple[str, str], _Browse] = {}
        self._instances: dict[Name, _Instance] = {}
        self._on_host: dict[Name, dict[Name, None]] = {}  # instances by host, both as folded names

    # What the owner asks for.

    def browse(self, service_type: str, now: Micros, subtype: str | None = None) -> Outputs:
        """Look for the instances of a type, or of one of its subtypes, until stopped."""
        which = _which(service_type, subtype)
        if which in self._browses:
            raise LocalProtocolError(f"already browsing for {service_type}")
        name = SERVICES if service_type == ALL_TYPES else type_name(service_type)
        browse = _Browse(name, service_type)
        if subtype:
            browse = _Browse(subtype_name(subtype, service_type), f"{subtype}._sub.{service_type}")
        self._browses[which] = browse
        self._asking.ask(browse.name, RecordType.PTR, now)
        return [
            output
            for _, entry in self._entries(browse.name.lower(), RecordType.PTR)
            for output in self._appeared(browse, entry.record, now)
        ]

    def stop(self, service_type: str, now: Micros, subtype: str | None = None) -> Outputs:
        """End a browse. What only it had found is forgotten, without an event."""
        browse = self._browses.pop(_which(service_type, subtype), None)
        if browse is None:
            raise LocalProtocolError(f"not browsing for {service_type}")
        self._asking.answered(browse.name.lower(), RecordType.PTR)
        for key in browse.peers:
            self._forget_unseen(key)
        return []

    def found(self, service_type: str, subtype: str | None = None) -> tuple[ResolvedService, ...]:
        """What a browse sees now, in the order of discovery; services still unresolved have no host."""
        browse = self._browses.get(_which(service_type, subtype))
        seen = [self._instances[key] for key in browse.peers if key in self._instances] if browse else []
        return tuple(each.last or ResolvedService(each.label, each.type) for each in seen)

    # What time and the link bring.

    @property
    def deadline(self) -> Micros | None:
        """The next moment at which a question is due or a record ends."""
        times = [self._asking.next, *(cache.next for cache in self._caches.values())]
        return min((time for time in times if time is not None), default=None)

    def handle_timeout(self, now: Micros) -> Outputs:
        """Let records end, and ask what is due."""
        outputs: list[Output] = []
        touched: dict[Name, None] = {}
        for cache in self._caches.values():
            expired, refresh = cache.step(now)
            for end in expired:
                reason = "goodbye" if end.is_goodbye else "expired"
                outputs += self._vanished(end.record, reason)
            touched.update(dict.fromkeys(end.record.key for end in expired))
            for record in refresh:
                if self._is_wanted(record):
                    self._asking.refresh(record.name, record.type, now)
        outputs += self._evaluate(touched, now)
        packets, asked = self._asking.due(now, self._caches)
        return [*outputs, *packets, *self._evaluate((one.key for one in asked if one.type == RecordType.TXT), now)]

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A packet from a link. Queries of others are passed over; what cannot be used is ignored with the reason."""
        cache = self._cache(sender)
        if cache is None or not isinstance(sender, Endpoint):
            return [_ignored(sender, "the sender is on no link of this querier")]
        try:
            message = decode(payload)
        except DecodeError as error:
            return [_ignored(sender, str(error))]
        if message.flags & (MASK_OPCODE | MASK_RCODE):
            return [_ignored(sender, "opcode and rcode are zero in multicast DNS")]
        if not message.is_response:
            return []
        if sender.port != MDNS_PORT:
            return [_ignored(sender, f"response from port {sender.port}, expected {MDNS_PORT}")]
        if not message.answers and not message.additionals:
            return [_ignored(sender, "response without a record")]
        believed = self._believed(message, now)
        if not believed:
            return [_ignored(sender, "response to no question of ours")]
        cache.add(believed, now, draw(self._entropy, 0, MAX_JITTER))
        return self._learn(believed, now)

    def _believed(self, message: Message, now: Micros) -> Sequence[Record]:
        """All records, or those of an answer to our question; a goodbye is believed in any case."""
        if self._use_announcements:
            return (*message.answers, *message.additionals)
        asked = [one for one in message.answers if self._asking.was_just_asked(one.key, one.type, now)]
        rest = message.additionals if asked else ()
        return (*asked, *rest, *(one for one in message.answers if one.ttl == 0))

    def _learn(self, records: Sequence[Record], now: Micros) -> list[Output]:
        outputs: list[Output] = []
        touched: dict[Name, None] = {}
        for record in records:
            touched[record.key] = None
            if record.type == RecordType.PTR and record.ttl:
                for browse in self._browses.values():
                    if browse.name.lower() == record.key:
                        outputs += self._appeared(browse, record, now)
        return outputs + self._evaluate(touched, now)

    # Instances that come and go.

    def _appeared(self, browse: _Browse, record: Record, now: Micros) -> list[Output]:
        target = pointed(record)
        if target is None or target.lower() in browse.peers:
            return []
        key = target.lower()
        if browse.name == SERVICES:
            peer = ".".join(label.decode(errors="replace") for label in labels(target)[:2])
        else:
            found = split_instance(target)
            if found is None:
                return []
            peer = found[0]
            self._instances.setdefault(key, _Instance(target, *found))
        browse.peers[key] = peer
        return [PeerDiscovered(peer=peer, service=browse.service), *self._evaluate([key], now)]

    def _vanished(self, record: Record, reason: str) -> list[Output]:
        target = pointed(record) if record.type == RecordType.PTR else None
        if target is None or self._holds(record):
            return []
        outputs: list[Output] = []
        for browse in self._browses.values():
            if browse.name.lower() == record.key and target.lower() in browse.peers:
                peer = browse.peers.pop(target.lower())
                outputs.append(PeerLost(peer=peer, service=browse.service, reason=reason))
        self._forget_unseen(target.lower())
        return outputs

    def _forget_unseen(self, key: Name) -> None:
        """Forget an instance that no browse sees any more, and stop asking about it."""
        if any(key in browse.peers for browse in self._browses.values()):
            return
        instance = self._instances.pop(key, None)
        if instance is not None:
            self._asking.answered(key, RecordType.SRV)
            self._asking.answered(key, RecordType.TXT)
            self._set_host(instance, key, b"")

    def _set_host(self, instance: _Instance, key: Name, host: Name) -> None:
        if instance.host == host:
            return
        on_old = self._on_host.get(instance.host, {})
        on_old.pop(key, None)
        if instance.host and not on_old:
            del self._on_host[instance.host]
            for type_ in _ADDRESS_TYPES:
                self._asking.answered(instance.host, type_)
        instance.host = host
        if host:
            self._on_host.setdefault(host, {})[key] = None

    # Resolving.

    def _evaluate(self, names: Iterable[Name], now: Micros) -> list[Output]:
        """Look again at the instances of these names or hosts: ask for what is missing, report what is new."""
        keys: dict[Name, None] = {}
        for name in names:
            if name in self._instances:
                keys[name] = None
            keys.update(self._on_host.get(name, {}))
        return [output for key in keys for output in self._resolve(key, self._instances[key], now)]

    def _resolve(self, key: Name, instance: _Instance, now: Micros) -> list[Output]:
        link, srv = self._latest(key, RecordType.SRV)
        fields = None if srv is None else SrvFields.of(srv)
        _, txt = self._latest(key, RecordType.TXT)
        self._want(instance.name, RecordType.SRV, fields is None, now)
        self._want(instance.name, RecordType.TXT, txt is None, now)
        self._set_host(instance, key, fields.target.lower() if fields else b"")
        addresses = self._addresses(fields.target, now) if fields else ()
        if fields is None or not addresses:
            instance.last = None
            return []
        if txt is None and self._asking.times(key, RecordType.TXT) < TXT_PATIENCE:
            return []
        host, rdata = split_host(fields.target), txt.rdata if txt else None
        resolved = ResolvedService(instance.label, instance.type, host, fields.port, rdata, addresses, link)
        if resolved == instance.last:
            return []
        instance.last = resolved
        return [ServiceResolved(peer=instance.label, service=resolved)]

    def _addresses(self, host: Name, now: Micros) -> tuple[IpAddress, ...]:
        """What is known of a host's addresses; while nothing is, both kinds are asked for."""
        key = host.lower()
        records = (entry.record for type_ in _ADDRESS_TYPES for _, entry in self._entries(key, type_))
        found = tuple(dict.fromkeys(address for record in records if (address := address_of(record)) is not None))
        for type_ in _ADDRESS_TYPES:
            self._want(host, type_, not found, now)
        return found

    def _want(self, name: Name, type_: int, is_missing: bool, now: Micros) -> None:
        """Ask for a record while it is missing, unless its owner has said that it does not exist."""
        key = name.lower()
        denials = (entry.record for _, entry in self._entries(key, RecordType.NSEC))
        if is_missing and not any(denies(record, type_) for record in denials):
            self._asking.ask(name, type_, now)
        else:
            self._asking.answered(key, type_)

    # What the caches hold.

    def _entries(self, key: Name, type_: int) -> list[tuple[str, Entry]]:
        return [(link, entry) for link, cache in self._caches.items() for entry in cache.entries(key, type_)]

    def _latest(self, key: Name, type_: int) -> tuple[str, Record | None]:
        """The record heard last, which is the one to believe where two contradict each other."""
        entries = self._entries(key, type_)
        if not entries:
            return "", None
        # Of those heard at one moment the later: `max` takes the first of equals.
        link, entry = max(reversed(entries), key=lambda found: found[1].received)
        return link, entry.record

    def _holds(self, record: Record) -> bool:
        return any(entry.record.identity == record.identity for _, entry in self._entries(record.key, record.type))

    def _is_wanted(self, record: Record) -> bool:
        """Whether a browse or a service it sees lives on this record."""
        if record.type == RecordType.PTR:
            return any(browse.name.lower() == record.key for browse in self._browses.values())
        return record.key in self._instances or record.key in self._on_host

    def _cache(self, sender: Address) -> Cache | None:
        if not isinstance(sender, Endpoint):
            return None
        if not sender.link and len(self._caches) == 1:
            return next(iter(self._caches.values()))
        return self._caches.get(sender.link)


def _which(service_type: str, subtype: str | None) -> tuple[str, str]:
    return service_type.lower(), (subtype or "").lower()


def _ignored(sender: Address, reason: str) -> FrameIgnored:
    peer = sender.host if isinstance(sender, Endpoint) else None
    return FrameIgnored(peer=peer, reason=reason, protocol="mdns")
