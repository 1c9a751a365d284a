"""The Wi-Fi channel: complete 802.11 frames between radios, without FCS, with acknowledgements and a TSF.

The receiver address in the frame decides who hears it: a unicast frame its owner, a group-addressed one all whose
`Interest` accepts it, monitors everything. One channel; radios do not contend for it and frames do not collide; nothing
is repeated below the engines. Bodies are the engines' business.
Source: IEEE 802.11-2020, 9.3 (frames), 10.3.2.11 (acknowledgement); Wi-Fi Aware specification 4.0, section 3.2.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from devices.errors import MediumError
from devices.media.interest import EVERYTHING, Audience, Interest, topics_of
from devices.media.medium import Arrival, Flight, MediumPort, Receive, Tap
from devices.media.radio_medium import RadioMedium
from devices.sim.clock import Clock
from devices.transports.mac_header import HEADER_LENGTH, MacHeader
from pairing.engine import Address, Micros
from pairing.errors import DecodeError
from pairing.nan.timing import DiscoveryWindows, Tsf

PREAMBLE_US = 20
BITS_PER_US = 6
FCS_OCTETS = 4
ACK_US = 50
"""From the end of a frame to the end of its acknowledgement, and to giving up waiting for one."""
CHANNEL_6_MHZ = 2437
RSSI_DBM = -45
_BEACON = 0x80
_SYNC_BEACON_INTERVAL_TU = 512
_INTERVAL_AT = HEADER_LENGTH + 8

Windows: TypeAlias = Literal["off", "strict"]


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What became of a unicast frame, told to its sender: whether its receiver acknowledged it."""

    to: bytes
    payload: bytes = field(repr=False)
    acknowledged: bool
    at_us: Micros


OnAcknowledged: TypeAlias = Callable[[Acknowledgement], None]
OnIgnored: TypeAlias = Callable[[str, str], None]


@dataclass(slots=True, eq=False)
class AirPort(MediumPort):
    """A radio. While `up` is False it neither hears, acknowledges nor is heard."""

    medium: "Air"
    number: int = 0
    interest: Interest | None = EVERYTHING
    """None for a monitor, which hears everything and acknowledges nothing."""
    on_acknowledged: OnAcknowledged | None = None
    busy_until_us: Micros = 0

    def listen(self, interest: Interest) -> None:
        """Accept other group-addressed frames from now on."""
        self.medium._listen(self, interest)

    def add_address(self, mac: bytes) -> None:
        """One more address that reaches this radio. Raises MediumError if another radio has it."""
        self.medium._own(self, mac)

    def remove_address(self, mac: bytes) -> None:
        """Frames to that address no longer reach this radio."""
        self.medium._disown(self, mac)


class Air(RadioMedium):
    """A frame takes its airtime at 6 Mbit/s in virtual time and nothing in real time."""

    def __init__(
        self,
        clock: Clock,
        taps: Iterable[Tap] = (),
        *,
        cluster_time: Tsf | None = None,
        discovery_windows: Windows = "off",
        on_ignored: OnIgnored = lambda _actor, _reason: None,
    ) -> None:
        super().__init__("air", clock, taps, RSSI_DBM)
        self.cluster_time = cluster_time or Tsf()
        self.discovery_windows: Windows = discovery_windows
        self.frequency_mhz = CHANNEL_6_MHZ
        self.ignored: Counter[str] = Counter()
        """Frames that nobody could hear, by the actor that sent them."""
        self._on_ignored = on_ignored
        self._windows = DiscoveryWindows()
        self._owners: dict[bytes, AirPort] = {}
        self._audience: Audience[AirPort] = Audience()
        self._monitors: dict[int, AirPort] = {}
        self._joined = 0

    def tsf(self) -> Micros:
        """The TSF now."""
        return self.tsf_at(self.clock.now())

    def tsf_at(self, at_us: Micros) -> Micros:
        """The TSF at a moment of the home's clock."""
        return self.cluster_time.at(at_us)

    def actor_at(self, mac: bytes) -> str | None:
        """Whose radio has that address, if it is on the air."""
        owner = self._owners.get(mac)
        return None if owner is None else owner.actor

    def attach(
        self,
        actor: str,
        addresses: Sequence[Address],
        receive: Receive,
        *,
        interest: Interest = EVERYTHING,
        on_acknowledged: OnAcknowledged | None = None,
    ) -> AirPort:
        """A radio with these MAC addresses. Raises MediumError if one is taken, by whomever, or is no MAC address."""
        macs = [self._free(actor, mac) for mac in dict.fromkeys(addresses)]
        port = self._join(actor, receive, interest, on_acknowledged)
        for mac in macs:
            self._own(port, mac)
        self._audience.add(port.number, port, interest)
        return port

    def attach_monitor(self, actor: str, receive: Receive) -> AirPort:
        """A port that hears every frame once, as it was sent: out of range, outside windows, whatever faults do."""
        port = self._join(actor, receive, None, None)
        self._monitors[port.number] = port
        return port

    def _join(
        self, actor: str, receive: Receive, interest: Interest | None, on_acknowledged: OnAcknowledged | None
    ) -> AirPort:
        self._joined += 1
        port = AirPort(
            self, actor, (), receive, actor not in self._off, self._joined, interest, on_acknowledged=on_acknowledged
        )
        self._ports.append(port)
        return port

    def detach(self, port: MediumPort) -> None:
        """Take a port off the air."""
        if not isinstance(port, AirPort) or port not in self._ports:
            return
        super().detach(port)
        for mac in port.addresses:
            del self._owners[_mac(mac)]
        self._monitors.pop(port.number, None)
        if port.interest is not None:
            self._audience.remove(port.number, port.interest)

    def _listen(self, port: AirPort, interest: Interest) -> None:
        if port.interest is None:
            raise MediumError(f"air: {port.actor} is a monitor and hears everything")
        self._audience.remove(port.number, port.interest)
        port.interest = interest
        self._audience.add(port.number, port, interest)

    def _free(self, actor: str, mac: Address) -> bytes:
        mac = _mac(mac)
        owner = self._owners.get(mac)
        if owner is not None:
            raise MediumError(f"air: address {mac.hex(':')} of {actor} belongs to {owner.actor}")
        return mac

    def _own(self, port: AirPort, mac: bytes) -> None:
        self._owners[self._free(port.actor, mac)] = port
        port.addresses = (*port.addresses, mac)

    def _disown(self, port: AirPort, mac: bytes) -> None:
        if self._owners.get(mac) is port:
            del self._owners[mac]
            port.addresses = tuple(each for each in port.addresses if each != mac)

    def carry(self, sender: MediumPort, payload: bytes, to: Address, source: Address | None = None) -> None:
        """Send a frame; the addresses in it count, not `to` and `source`. What is no 802.11 frame is ignored."""
        if not isinstance(sender, AirPort):
            raise MediumError(f"air: {sender.actor} sends from a port of another medium")
        try:
            header = MacHeader.decode(payload)
        except DecodeError as problem:
            for tap in self._taps:
                tap.sent(self.name, sender.actor, sender.addresses[0] if sender.addresses else b"", to, payload)
            self._ignore(sender, f"not an 802.11 frame: {problem}")
            return
        for tap in self._taps:
            tap.sent(self.name, sender.actor, header.transmitter, header.receiver, payload)
        # One radio sends one frame after the other, so a short one never overtakes a long one.
        departs = max(self.clock.now(), sender.busy_until_us)
        sender.busy_until_us = arrives = departs + self.airtime_us(len(payload))
        flight = Flight(
            self.name, sender.actor, "", header.transmitter, header.receiver, payload, departs, arrives, self.rssi_dbm
        )
        if header.is_group_addressed:
            self._to_group(sender, header, flight)
        else:
            self._to_owner(sender, header, flight)
        for monitor in tuple(self._monitors.values()):
            if monitor.up and monitor.actor != sender.actor:
                self.clock.call_at(arrives, Arrival(monitor, self._toward(monitor, flight)))

    def airtime_us(self, octets: int) -> Micros:
        """How long a frame of so many octets is on the air, preamble and FCS included; 0 in real time."""
        return PREAMBLE_US + -(-8 * (octets + FCS_OCTETS) // BITS_PER_US) if self.clock.virtual else 0

    def _to_group(self, sender: AirPort, header: MacHeader, flight: Flight) -> None:
        is_windowed = self.discovery_windows == "strict" and _waits_for_window(flight.payload)
        if is_windowed and not self._is_window_open(flight.arrives_us):
            tsf = self.tsf_at(flight.arrives_us)
            self._ignore(sender, f"outside a discovery window: TSF {tsf}, the next begins at {self._next_window(tsf)}")
            return
        for receiver in self._audience.of(header, flight.payload):
            if receiver is not sender and self._reaches(sender, receiver):
                for each in self.survivors(self._toward(receiver, flight)):
                    if not is_windowed or self._is_window_open(each.arrives_us):
                        self.clock.call_at(each.arrives_us, Arrival(receiver, each))

    def _to_owner(self, sender: AirPort, header: MacHeader, flight: Flight) -> None:
        exchange = _Exchange(self.clock, sender, flight, ACK_US if self.clock.virtual else 0)
        receiver = self._owners.get(header.receiver)
        if receiver is None or receiver is sender or not self._reaches(sender, receiver):
            exchange.ends(flight.arrives_us)
            return
        survivors = self.survivors(self._toward(receiver, flight))
        for each in survivors:
            self.clock.call_at(each.arrives_us, _AcknowledgedArrival(receiver, each, exchange))
        whole = [each.arrives_us for each in survivors if each.payload == flight.payload]
        exchange.ends(min(whole, default=flight.arrives_us))

    def _reaches(self, sender: AirPort, receiver: AirPort) -> bool:
        return receiver.up and not self.is_apart(sender.actor, receiver.actor)

    def _toward(self, receiver: AirPort, flight: Flight) -> Flight:
        return Flight(
            flight.medium,
            flight.sender,
            receiver.actor,
            flight.source,
            flight.to,
            flight.payload,
            flight.departs_us,
            flight.arrives_us,
            self.strength(flight.sender, receiver.actor),
        )

    def _is_window_open(self, at_us: Micros) -> bool:
        return self._windows.is_open(self.tsf_at(at_us))

    def _next_window(self, tsf: Micros) -> Micros | None:
        return self._windows.next_start(tsf)

    def _ignore(self, sender: AirPort, reason: str) -> None:
        self.ignored[sender.actor] += 1
        self._on_ignored(sender.actor, reason)


@dataclass(slots=True)
class _Exchange:
    """A unicast frame and its acknowledgement, of which the sender is told `ack_us` after the first whole arrival.

    Of a frame that does not arrive whole at all it is told as soon.
    """

    clock: Clock
    sender: AirPort
    flight: Flight
    ack_us: Micros
    acknowledged: bool = False

    def ends(self, due_us: Micros) -> None:
        if self.sender.on_acknowledged is not None:
            self.clock.call_at(due_us + self.ack_us, self._report)

    def _report(self) -> None:
        if self.sender.up and self.sender.on_acknowledged is not None:
            to = self.flight.payload[4:10]
            outcome = Acknowledgement(to, self.flight.payload, self.acknowledged, self.clock.now())
            self.sender.on_acknowledged(outcome)


@dataclass(slots=True)
class _AcknowledgedArrival(Arrival):
    """The receiver's radio acknowledges what reaches it whole while it is up, before anyone looks at the body."""

    exchange: _Exchange

    def __call__(self) -> None:
        if self.receiver.up:
            # Bytes that changed on the way would have failed the FCS, and nobody acknowledges those.
            if self.flight.payload == self.exchange.flight.payload:
                self.exchange.acknowledged = True
            self.receiver.receive(self.flight)


def _mac(address: Address) -> bytes:
    if not isinstance(address, bytes) or len(address) != 6 or address[0] & 1:
        raise MediumError(f"air: a radio has individual addresses of six octets, not {address!r}")
    return address


def _waits_for_window(payload: bytes) -> bool:
    """Group-addressed frames that sleeping devices wake up for: multicast SDFs and synchronisation beacons."""
    if payload[0] == _BEACON:
        interval = payload[_INTERVAL_AT : _INTERVAL_AT + 2]
        return len(interval) == 2 and int.from_bytes(interval, "little") == _SYNC_BEACON_INTERVAL_TU
    return bool(topics_of(payload))
