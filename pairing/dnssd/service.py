"""What a caller publishes and finds by DNS-SD: services, links, the responder's lies, and the events.

TXT is raw record data here; its keys are `txt`'s business.
Source: RFC 6763 sections 4 to 7.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from pairing.dnssd.names import IpAddress, host_name, instance_name, subtype_name
from pairing.engine import Endpoint, Event, Micros
from pairing.errors import EncodeError

MDNS_PORT = 5353
GROUP_V4 = "224.0.0.251"
GROUP_V6 = "ff02::fb"
EMPTY_TXT = b"\x00"
"""The record data of a service without keys: one empty string (RFC 6763 section 6.1)."""
MAX_TXT = 8192


class ServiceKey(NamedTuple):
    """A service as its owner registered it; it stays the same when a conflict renames the service on the wire."""

    instance: str
    type: str


@dataclass(frozen=True, slots=True)
class ServiceInstance:
    """A service to publish. `host` is the label before `.local`; TTLs are seconds, the standard's unless given."""

    instance: str
    type: str
    host: str
    port: int
    txt: bytes = field(default=EMPTY_TXT, repr=False)
    subtypes: tuple[str, ...] = ()
    host_ttl: int = 120
    other_ttl: int = 4500
    priority: int = 0
    weight: int = 0

    def __post_init__(self) -> None:
        instance_name(self.instance, self.type)
        host_name(self.host)
        for subtype in self.subtypes:
            subtype_name(subtype, self.type)
        for number, what in ((self.port, "port"), (self.priority, "priority"), (self.weight, "weight")):
            if not 0 <= number <= 0xFFFF:
                raise EncodeError(f"{what} {number}, expected 0 to 65535")
        for ttl in (self.host_ttl, self.other_ttl):
            if not 0 <= ttl <= 0x7FFFFFFF:
                raise EncodeError(f"TTL {ttl}, expected 0 to {0x7FFFFFFF} seconds")
        if len(self.txt) > MAX_TXT:
            raise EncodeError(f"TXT of {len(self.txt)} bytes, expected at most {MAX_TXT}")

    @property
    def key(self) -> ServiceKey:
        """What names this service to its responder, whatever it is called on the wire."""
        return ServiceKey(self.instance, self.type)


@dataclass(frozen=True, slots=True)
class Link:
    """One interface: the groups to speak to on it, and the addresses that host records carry there."""

    name: str
    groups: tuple[Endpoint, ...]
    addresses: tuple[IpAddress, ...] = ()

    @classmethod
    def of(cls, name: str, addresses: Iterable[IpAddress], *, v4: bool = True, v6: bool = False) -> "Link":
        """A link with the standard's groups of the chosen families."""
        hosts = [GROUP_V4] * v4 + [GROUP_V6] * v6
        return cls(name, tuple(Endpoint(host, MDNS_PORT, name) for host in hosts), tuple(addresses))


@dataclass(frozen=True, slots=True)
class ResponderLies:
    """What a responder may do wrong with one service, on request. Wrong TXT content is simply given as `txt`."""

    no_txt_in_answers: bool = False
    """TXT is announced but left out of every answer."""
    zero_ttls: bool = False
    """Every record goes out with TTL 0, so nobody keeps it."""
    no_goodbye: bool = False
    """The service leaves without a word; caches keep it until its TTL."""
    late_start: Micros = 0
    """Time before anything is sent."""
    assert_without_probing: bool = False
    """The name is announced without probing and defended against everyone, never given up."""


@dataclass(frozen=True, slots=True)
class ResolvedService:
    """A service found by browsing. Without a host it was seen but is not resolved; `txt` None: nobody gave one."""

    instance: str
    type: str
    host: str = ""
    port: int = 0
    txt: bytes | None = field(default=None, repr=False)
    addresses: tuple[IpAddress, ...] = ()
    link: str = ""

    @property
    def is_resolved(self) -> bool:
        """Host, port and at least one address are known."""
        return bool(self.host and self.addresses)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEvent(Event):
    """News of a service that we publish; `key` is the one it was registered under."""

    key: ServiceKey
    instance: str
    service_type: str
    host: str
    port: int
    txt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePublished(ServiceEvent):
    """The name was won and the service announced for the first time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceUpdated(ServiceEvent):
    """Port, host, TXT or subtypes changed and were announced again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceWithdrawn(ServiceEvent):
    """A published service has left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRenamed(ServiceEvent):
    """Another host holds the name, so the service goes on under a new one."""

    old_instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceResolved(Event):
    """A browsed service is known with host, port, addresses and TXT, for the first time or anew."""

    service: ResolvedService
