"""A link in virtual time for multicast DNS engines: delivers, may lose packets, and keeps what was sent."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from heapq import heappop, heappush
from ipaddress import ip_address
from itertools import count

from pairing.dnssd.messages import Message, Record, RecordType, decode
from pairing.dnssd.querier import Querier
from pairing.dnssd.responder import Responder
from pairing.dnssd.service import GROUP_V4, GROUP_V6, MDNS_PORT, Link, ServiceInstance
from pairing.engine import MILLISECOND, SECOND, Endpoint, Entropy, Event, Micros, Outputs, Transmit

LINK = "lan"
LATENCY = 1 * MILLISECOND
MESHCOP = "_meshcop._udp"
OTHER_HOST = Endpoint("192.0.2.99", MDNS_PORT, LINK)
GROUP = Endpoint(GROUP_V4, MDNS_PORT, LINK)


def seeded(seed: int) -> Entropy:
    """Entropy that one seed fixes."""
    calls = count()
    return lambda length: sha256(f"{seed}/{next(calls)}".encode()).digest()[:length]


def link(*addresses: str, name: str = LINK, v6: bool = False) -> Link:
    """A link whose host records carry these addresses."""
    return Link.of(name, [ip_address(address) for address in addresses], v6=v6)


def service(instance: str = "Living Room", host: str = "ot1", **fields: object) -> ServiceInstance:
    """A border router's service, with what the test wants different."""
    values: dict[str, object] = {"type": MESHCOP, "port": 49154, "txt": b"\x04rv=1", **fields}
    return ServiceInstance(instance=instance, host=host, **values)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Sent:
    """One packet on the wire."""

    at: Micros
    sender: str
    to: Endpoint
    payload: bytes = field(repr=False)
    message: Message


@dataclass
class Station:
    """An engine on the wire, with its address on each link and what happened to it."""

    name: str
    engine: Responder | Querier
    hosts: dict[str, str]
    events: list[Event] = field(default_factory=list)
    times: list[Micros] = field(default_factory=list)

    def named(self, kind: type[Event]) -> list[Event]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]


class Wire:
    """Stations, time, and every packet sent. `loses` may swallow a packet for everybody."""

    def __init__(self) -> None:
        self.now: Micros = 0
        self.sent: list[Sent] = []
        self.stations: list[Station] = []
        self.loses: Callable[[Sent], bool] = lambda _: False
        self._flights: list[tuple[Micros, int, Station, bytes, Endpoint]] = []
        self._sequence = count()

    def responder(self, address: str, seed: int | None = None, **options: object) -> Station:
        """Add a responder with one address on the link."""
        chance = seeded(len(self.stations) if seed is None else seed)
        return self.join(Responder(chance, [link(address)], **options), {LINK: address})  # type: ignore[arg-type]

    def querier(self, address: str, **options: object) -> Station:
        """Add a querier with one address on the link."""
        return self.join(
            Querier(seeded(len(self.stations)), [link(address)], **options),  # type: ignore[arg-type]
            {LINK: address},
        )

    def join(self, engine: Responder | Querier, hosts: dict[str, str]) -> Station:
        """Add an engine."""
        station = Station(f"{type(engine).__name__} {len(self.stations)}", engine, hosts)
        self.stations.append(station)
        return station

    def leave(self, station: Station) -> None:
        """Power is cut: no goodbye."""
        self.stations.remove(station)

    def do(self, station: Station, intent: Callable[..., Outputs]) -> None:
        """Run an intent, `lambda engine, now: engine.register(service, now)`, now."""
        self._perform(station, intent(station.engine, self.now))

    def publish(self, station: Station, *services: ServiceInstance) -> None:
        """Register services and wait until they are announced for good."""
        for each in services:
            self.do(station, lambda engine, now, each=each: engine.register(each, now))
        self.run(5 * SECOND)

    def inject(self, payload: bytes, sender: Endpoint = OTHER_HOST) -> None:
        """A packet from outside, for everybody on that link, now."""
        for station in list(self.stations):
            if sender.link in station.hosts:
                self._perform(station, station.engine.receive(payload, sender, self.now))

    def run(self, duration: Micros) -> None:
        """Let time pass."""
        end = self.now + duration
        while (then := self._next()) is not None and then <= end:
            self.now = max(self.now, then)
            while self._flights and self._flights[0][0] <= self.now:
                _, _, station, payload, sender = heappop(self._flights)
                if station in self.stations:
                    self._perform(station, station.engine.receive(payload, sender, self.now))
            for station in list(self.stations):
                deadline = station.engine.deadline
                if deadline is not None and deadline <= self.now:
                    self._perform(station, station.engine.handle_timeout(self.now))
        self.now = end

    def since(self, start: Micros) -> list[Sent]:
        """What was sent from a moment on."""
        return [each for each in self.sent if each.at >= start]

    def _next(self) -> Micros | None:
        times = [station.engine.deadline for station in self.stations]
        times += [self._flights[0][0]] if self._flights else []
        return min((time for time in times if time is not None), default=None)

    def _perform(self, station: Station, outputs: Outputs) -> None:
        for output in outputs:
            if isinstance(output, Transmit):
                assert isinstance(output.to, Endpoint)
                self._carry(station, output.payload, output.to)
            else:
                station.events.append(output)
                station.times.append(self.now)

    def _carry(self, station: Station, payload: bytes, to: Endpoint) -> None:
        sent = Sent(self.now, station.name, to, payload, decode(payload))
        self.sent.append(sent)
        if self.loses(sent):
            return
        sender = Endpoint(station.hosts[to.link], MDNS_PORT, to.link)
        for other in self.stations:
            is_group = to.host in (GROUP_V4, GROUP_V6)
            if other is not station and to.link in other.hosts and (is_group or other.hosts[to.link] == to.host):
                heappush(self._flights, (self.now + LATENCY, next(self._sequence), other, payload, sender))


def responses(sent: Iterable[Sent]) -> list[Sent]:
    """The responses among packets."""
    return [each for each in sent if each.message.is_response]


def probes(sent: Iterable[Sent]) -> list[Sent]:
    """The probes among packets."""
    return [each for each in sent if each.message.authorities]


def answers(sent: Iterable[Sent], type_: RecordType | None = None) -> list[Record]:
    """The answers in packets, of one type if given."""
    return [one for each in sent for one in each.message.answers if type_ in (None, one.type)]


def additionals(sent: Iterable[Sent]) -> list[Record]:
    """The additional records in packets."""
    return [one for each in sent for one in each.message.additionals]


def types(records: Sequence[Record]) -> list[str]:
    """The records' types by name, sorted."""
    return sorted(RecordType(one.type).name for one in records)
