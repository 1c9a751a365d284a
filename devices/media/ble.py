"""Bluetooth LE's radio: adverts to those who listen, connections that are reliable and in order, range and strength.

Adverts are heard only by ports that listen, in the order in which they joined, so an idle home costs nothing. A
connection repeats what is lost at every connection interval, as the link layer does; what gets through at no interval
for the supervision timeout ends it on both sides. Nothing here knows HCI or any host stack.
Source: Bluetooth Core Specification 5.4, Vol 6, Part B, 4.4 (air interface), 4.5.2 (supervision timeout), 4.5.9 (ARQ).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from devices.errors import MediumError
from devices.media.medium import Flight, MediumPort, Tap
from devices.media.radio_medium import RadioMedium
from devices.sim.clock import Clock
from pairing.engine import Address, Micros

HOST, CONTROLLER = b"host", b"controller"
"""The two ends of an HCI packet in transcripts: what is recorded of this medium is what each host says and hears."""
RSSI_DBM = -50
SENSITIVITY_DBM = -100
"""What arrives more weakly than this is not heard."""
AIRTIME_US = 400
"""A packet and its acknowledgement at 1 Mbit/s, about; virtual time only."""


@dataclass(frozen=True, slots=True)
class Advert:
    """One advertising event, as a listener may hear it. `address` is six octets in the order people write them."""

    address: bytes
    is_random: bool
    data: bytes
    scan_response: bytes = b""
    connectable: bool = True
    scannable: bool = True
    legacy: bool = True
    sid: int = 0
    directed_to: bytes | None = None


class Advertiser(Protocol):
    """Something that advertises while somebody listens."""

    def wake(self) -> None:
        """Somebody listens again: arm the next advertising event."""

    def offers(self, address: bytes) -> bool:
        """True while it takes connections at that address."""


HearAdvert = Callable[[Advert, int], None]
TakePayload = Callable[["BleConnection", Any], None]
Lose = Callable[["BleConnection"], None]


@dataclass(slots=True, eq=False)
class BlePort(MediumPort):
    """A radio. `on_advert` hears (advert, dBm) while `listening`; data and loss of a connection go to the other two."""

    medium: "BleMedium"
    on_advert: HearAdvert = lambda _advert, _rssi: None
    on_payload: TakePayload = lambda _connection, _payload: None
    on_lost: Lose = lambda _connection: None
    owner: object = None
    """Whose radio it is: a controller that others may connect to."""
    listening: bool = False

    def listen(self, listening: bool) -> None:
        """Hear adverts, or no longer."""
        if self.listening != listening:
            self.listening = listening
            self.medium._listening_changed()


@dataclass(slots=True, eq=False)
class _Sent:
    """What one side has sent and the other has not got yet: octets of L2CAP, or a control PDU of the link layer."""

    payload: Any
    since_us: Micros
    faultless: bool


@dataclass(slots=True, eq=False)
class BleConnection:
    """Two radios that hear each other. Each direction keeps its order; only octets meet wire faults."""

    medium: "BleMedium"
    central: BlePort
    peripheral: BlePort
    central_address: bytes
    peripheral_address: bytes
    interval_us: Micros
    timeout_us: Micros
    is_open: bool = True
    _queues: dict[bool, list[_Sent]] = field(default_factory=lambda: {True: [], False: []})
    _latest: dict[bool, Micros] = field(default_factory=lambda: {True: 0, False: 0})
    _watched: bool = False
    _stalled: set[bool] = field(default_factory=set)
    """The directions that wait for the ends to hear each other again."""

    _left: set[bool] = field(default_factory=set)

    def peer_of(self, port: BlePort) -> BlePort:
        """The radio at the other end."""
        return self.peripheral if port is self.central else self.central

    def send(self, sender: BlePort, payload: Any) -> None:
        """Octets, or any other object as a control PDU, for the other end."""
        if self.is_open and sender.up:
            sent = _Sent(payload, self.medium.clock.now(), not isinstance(payload, bytes))
            queue = self._queues[sender is self.central]
            queue.append(sent)
            if len(queue) == 1:
                self._try(sender is self.central)

    def leave(self, port: BlePort) -> None:
        """One end has said goodbye, what it sent is still under way; when both have, the connection is closed."""
        self._left.add(port is self.central)
        if len(self._left) == 2:
            self.close()

    def close(self) -> None:
        """It is over; what is under way is lost."""
        self.is_open = False
        self.medium._forget(self)

    def check(self) -> None:
        """Range or power has changed: when the ends no longer hear each other, the supervision timeout runs."""
        if not self.is_open:
            return
        if self._hear_each_other():
            for from_central in sorted(self._stalled):
                self._stalled.discard(from_central)
                self._try(from_central)
        elif not self._watched:
            self._watched = True
            self.medium.clock.call_later(self.timeout_us, self._supervise)

    def _stall(self, from_central: bool) -> None:
        self._stalled.add(from_central)
        self.check()

    def _hear_each_other(self) -> bool:
        return self.central.up and self.peripheral.up and self.medium.reaches(self.central, self.peripheral)

    def _supervise(self) -> None:
        self._watched = False
        if self.is_open and not self._hear_each_other():
            self._lose()

    def _lose(self) -> None:
        self.close()
        for port in (self.central, self.peripheral):
            port.on_lost(self)

    def _try(self, from_central: bool) -> None:
        queue = self._queues[from_central]
        if not queue or not self.is_open:
            return
        if not self._hear_each_other():
            self._stall(from_central)
            return
        sent = queue[0]
        arrives = self._arrival(sent, from_central)
        clock = self.medium.clock
        if arrives is not None:
            self._latest[from_central] = arrives = max(arrives, self._latest[from_central])
            clock.call_at(arrives, lambda: self._arrived(sent, from_central))
        elif clock.now() - sent.since_us >= self.timeout_us:
            self._lose()
        else:
            clock.call_later(self.interval_us, lambda: self._try(from_central))

    def _arrival(self, sent: _Sent, from_central: bool) -> Micros | None:
        """When the packet arrives whole; None when this attempt is lost."""
        medium = self.medium
        now = medium.clock.now()
        if sent.faultless or not medium.rules:
            return now + medium.latency_us
        sender, receiver = (self.central, self.peripheral) if from_central else (self.peripheral, self.central)
        flight = medium.flight(sender, receiver, sent.payload)
        # A packet that changed on the way fails its CRC; one that comes twice is told by its sequence number.
        whole = [each.arrives_us for each in medium.survivors(flight) if each.payload == sent.payload]
        return min(whole, default=None)

    def _arrived(self, sent: _Sent, from_central: bool) -> None:
        if not self.is_open:
            return
        if not self._hear_each_other():
            self._stall(from_central)
            return
        queue = self._queues[from_central]
        if queue and queue[0] is sent:
            queue.pop(0)
            receiver = self.peripheral if from_central else self.central
            receiver.on_payload(self, sent.payload)
            self._try(from_central)


class BleMedium(RadioMedium):
    """Who hears whom, and how strongly."""

    def __init__(self, clock: Clock, taps: Iterable[Tap] = ()) -> None:
        super().__init__("ble", clock, taps, RSSI_DBM)
        self.latency_us = AIRTIME_US if clock.virtual else 0
        self.connections: list[BleConnection] = []
        self.passkeys: dict[str, int] = {}
        """What hosts of this home show their users now, by the address of the host: an owner reads it off."""
        self._listeners: tuple[BlePort, ...] = ()
        self._advertisers: dict[int, Advertiser] = {}
        self._initiators: list[Callable[[], None]] = []

    @property
    def is_heard(self) -> bool:
        """True while anybody listens."""
        return bool(self._listeners)

    def join(
        self, actor: str, on_advert: HearAdvert, on_payload: TakePayload, on_lost: Lose, *, owner: object = None
    ) -> BlePort:
        """A radio for the actor; an actor may have several."""
        up = actor not in self._off
        port = BlePort(self, actor, (), _no_flights, up, on_advert, on_payload, on_lost, owner)
        self._ports.append(port)
        return port

    def tap_of(self, actor: str) -> Callable[[bytes, bool], None] | None:
        """What is told each HCI packet of an actor, and whether its host sent it; None where nobody looks."""
        if not self._taps:
            return None

        def tell(packet: bytes, from_host: bool) -> None:
            source, to = (HOST, CONTROLLER) if from_host else (CONTROLLER, HOST)
            for tap in self._taps:
                tap.sent(self.name, actor, source, to, packet)

        return tell

    def detach(self, port: MediumPort) -> None:
        """Take a radio off: its connections run into their supervision timeout."""
        super().detach(port)
        self._listening_changed()
        self._reach_changed()

    def add_advertiser(self, advertiser: Advertiser) -> None:
        """Something began to advertise; whoever waits to connect looks again."""
        self._advertisers[id(advertiser)] = advertiser
        self._wake_initiators()

    def remove_advertiser(self, advertiser: Advertiser) -> None:
        """It no longer advertises."""
        self._advertisers.pop(id(advertiser), None)

    def on_new_advertiser(self, look: Callable[[], None]) -> Callable[[], None]:
        """Call `look` whenever something may have come into reach; the returned call ends that."""
        self._initiators.append(look)

        def end() -> None:
            if look in self._initiators:
                self._initiators.remove(look)

        return end

    def advertise(self, port: BlePort, advert: Advert) -> None:
        """One advertising event."""
        if not port.up:
            return
        for listener in self._listeners:
            if listener is port or not listener.up or not self.reaches(port, listener):
                continue
            if not self.rules and not self.latency_us:
                listener.on_advert(advert, self.strength(port.actor, listener.actor))
                continue
            flight = self.flight(port, listener, advert.data)
            for each in self.survivors(flight):
                # An advert whose octets changed fails its CRC.
                if each.payload == advert.data:
                    self.clock.call_at(each.arrives_us, _Heard(listener, advert, each.rssi_dbm or self.rssi_dbm))

    def connect(
        self, central: BlePort, peripheral: BlePort, addresses: tuple[bytes, bytes], timing: tuple[Micros, Micros]
    ) -> BleConnection:
        """A connection of `(central, peripheral)` addresses, with `(interval, supervision timeout)` in microseconds."""
        connection = BleConnection(self, central, peripheral, *addresses, *timing)
        self.connections.append(connection)
        return connection

    def flight(self, sender: BlePort, receiver: BlePort, payload: bytes) -> Flight:
        """Octets on their way now, for the wire faults to judge."""
        now = self.clock.now()
        rssi = self.strength(sender.actor, receiver.actor)
        return Flight(
            self.name, sender.actor, receiver.actor, b"", b"", payload, now, now + self.latency_us, rssi_dbm=rssi
        )

    def reaches(self, one: BlePort, other: BlePort) -> bool:
        """True when two radios are in each other's range."""
        is_near = not self.is_apart(one.actor, other.actor)
        return is_near and self.strength(one.actor, other.actor) >= SENSITIVITY_DBM

    def listeners(self, sender: MediumPort, to: Address) -> Sequence[MediumPort]:
        """Nobody is reached by address here: adverts go to listeners, data along connections."""
        raise MediumError("ble: send through `advertise` or a connection")

    def _listening_changed(self) -> None:
        heard = self.is_heard
        self._listeners = tuple(port for port in self._ports if isinstance(port, BlePort) and port.listening)
        if self._listeners and not heard:
            for advertiser in tuple(self._advertisers.values()):
                advertiser.wake()

    def _reach_changed(self) -> None:
        for connection in tuple(self.connections):
            connection.check()
        self._wake_initiators()

    def _wake_initiators(self) -> None:
        for look in tuple(self._initiators):
            look()

    def _forget(self, connection: BleConnection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)


@dataclass(slots=True)
class _Heard:
    """An advert that is due at a listener."""

    listener: BlePort
    advert: Advert
    rssi_dbm: int

    def __call__(self) -> None:
        if self.listener.up and self.listener.listening:
            self.listener.on_advert(self.advert, self.rssi_dbm)


def _no_flights(flight: Flight) -> None:
    raise MediumError(f"ble: {flight.sender} sends to a radio past its connections")
