"""A medium carries bytes between ports: one flight per receiver, in the order in which they joined.

It has no clock or chance of its own: the home hands both in. Installed rules (the wire faults) turn each flight into
none, one or more; survivors arrive ordered by (time, sequence). The recorder notes every fate.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, runtime_checkable

from devices.errors import MediumError
from devices.sim.clock import Clock
from pairing.engine import Address, Micros


@dataclass(frozen=True, slots=True)
class Flight:
    """Bytes on their way from one actor to one receiver. Times are the home's microseconds."""

    medium: str
    sender: str
    receiver: str
    source: Address
    to: Address
    payload: bytes = field(repr=False)
    departs_us: Micros
    arrives_us: Micros
    rssi_dbm: int | None = None
    """Signal strength at the receiver, on media of radios."""

    def delayed(self, delay_us: Micros) -> "Flight":
        """The same flight, later."""
        return replace(self, arrives_us=self.arrives_us + delay_us)

    def carrying(self, payload: bytes) -> "Flight":
        """The same flight with other bytes."""
        return replace(self, payload=payload)


class FlightRule(Protocol):
    """Something installed on a medium that decides what becomes of a flight."""

    def apply(self, flight: Flight) -> Sequence[Flight]:
        """None, one or more flights in place of the given one."""


@runtime_checkable
class Forgetful(Protocol):
    """A rule on a medium that may end connections unheard."""

    def forgets(self, flight: Flight) -> bool:
        """Whether whoever closes a connection now is not heard of again."""


class Tap(Protocol):
    """Sees every frame once when it is sent and the fate of each of its flights."""

    def sent(self, medium: str, sender: str, source: Address, to: Address, payload: bytes) -> None:
        """A port has sent a frame."""

    def fate(self, flight: Flight, survivors: Sequence[Flight]) -> None:
        """A rule has changed what becomes of a flight."""


Receive = Callable[[Flight], None]


@dataclass(slots=True)
class MediumPort:
    """One actor's place on a medium. `addresses` are those that reach it; the first is its source address."""

    medium: "Medium"
    actor: str
    addresses: tuple[Address, ...]
    receive: Receive
    up: bool = True

    def send(self, payload: bytes, to: Address) -> None:
        """Put a frame on the medium. From a port that is down it vanishes, as from a radio that is off."""
        if self.up:
            self.medium.carry(self, payload, to)

    def close(self) -> None:
        """Leave the medium; flights under way to this port are lost."""
        self.up = False
        self.medium.detach(self)


class Medium:
    """The base of every medium. A subclass says who hears a frame (`listeners`) and how long it takes."""

    latency_us: Micros = 1_000

    def __init__(self, name: str, clock: Clock, taps: Iterable[Tap] = ()) -> None:
        self.name = name
        self.clock = clock
        self.rules: list[FlightRule] = []
        self._taps = tuple(taps)
        self._ports: list[MediumPort] = []

    @property
    def taps(self) -> Sequence[Tap]:
        """Who sees what it carries."""
        return self._taps

    @property
    def ports(self) -> Sequence[MediumPort]:
        """The ports in the order in which they joined."""
        return tuple(self._ports)

    def attach(self, actor: str, addresses: Sequence[Address], receive: Receive) -> MediumPort:
        """A new port. Raises MediumError if an address is taken by another actor."""
        for port in self._ports:
            taken = set(port.addresses) & set(addresses)
            if taken and port.actor != actor:
                raise MediumError(f"{self.name}: address {min(map(str, taken))} of {actor} belongs to {port.actor}")
        port = MediumPort(self, actor, tuple(addresses), receive)
        self._ports.append(port)
        return port

    def detach(self, port: MediumPort) -> None:
        """Take a port off the medium."""
        if port in self._ports:
            self._ports.remove(port)

    def listeners(self, sender: MediumPort, to: Address) -> Iterable[MediumPort]:
        """Who hears a frame sent to `to`; never the sender itself."""
        return [port for port in self._ports if port is not sender and to in port.addresses]

    def carry(self, sender: MediumPort, payload: bytes, to: Address, source: Address | None = None) -> None:
        """Send a frame from a port, called by the port itself; `source` only where the port speaks for others."""
        now = self.clock.now()
        source = sender.addresses[0] if source is None else source
        for tap in self._taps:
            tap.sent(self.name, sender.actor, source, to, payload)
        for receiver in self.listeners(sender, to):
            flight = Flight(self.name, sender.actor, receiver.actor, source, to, payload, now, now + self.latency_us)
            self._launch(receiver, flight)

    def _launch(self, receiver: MediumPort, flight: Flight) -> None:
        for each in self.survivors(flight):
            self.clock.call_at(each.arrives_us, Arrival(receiver, each))

    def hand_over(self, flight: Flight, deliver: Callable[[bytes], None]) -> None:
        """Deliver what the rules leave of a flight: what is due at once, the rest when it is."""
        for each in self.survivors(flight):
            if each.arrives_us <= self.clock.now():
                deliver(each.payload)  # at once: a socket may be closed a moment later
            else:
                self.clock.call_at(each.arrives_us, partial(deliver, each.payload))

    def forgets(self, flight: Flight) -> bool:
        """Whether a rule is in force under which a FIN that is lost now is lost for good."""
        return any(rule.forgets(flight) for rule in self.rules if isinstance(rule, Forgetful))

    def survivors(self, flight: Flight) -> Sequence[Flight]:
        if not self.rules:
            return (flight,)
        flights: Sequence[Flight] = (flight,)
        for rule in tuple(self.rules):
            flights = [survivor for each in flights for survivor in rule.apply(each)]
        if len(flights) != 1 or flights[0] != flight:
            for tap in self._taps:
                tap.fate(flight, flights)
        return flights


@dataclass(slots=True)
class Arrival:
    """A flight that is due: called at its time, it hands the frame to the receiver, if that is still up."""

    receiver: MediumPort
    flight: Flight

    def __call__(self) -> None:
        if self.receiver.up:
            self.receiver.receive(self.flight)
