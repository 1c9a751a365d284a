"""The air over UDP: foreign stacks join the Wi-Fi channel with raw 802.11 frames. Real time only.

One datagram is one frame; what registers whom is in `specs/protocols/air.md`. The hub opens a port on the air for each
program that speaks to it, so these meet emulated accessories on equal terms. What frames say is the engines' business.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Protocol, TypeAlias

from devices.errors import ClockError, MediumError
from devices.events import FrameIgnored, RadioForgotten, RadioRegistered
from devices.sim.clock import Clock
from devices.transports.mac_header import MacHeader
from devices.transports.radiotap import Radiotap, TxFlags
from devices.transports.sockets import bind_udp
from pairing.engine import Address, Event, Micros
from pairing.errors import DecodeError

HOST = "127.0.0.1"
PORT = 8710
ACTOR = "air-hub"
SILENCE: Micros = 60_000_000
"""After so long without a word a program is forgotten."""
MAX_CLIENTS = 256
MAX_MONITORS = 16
MAX_ADDRESSES = 16
"""Of one radio; beyond it the one that has not been used for longest is given up."""
MONITOR = b"monitor"
_RECEIVE_BUFFER = 1 << 20

Header: TypeAlias = Literal["none", "radiotap"]
UdpAddress: TypeAlias = tuple[str, int]


class Heard(Protocol):
    """A frame that arrives from the air."""

    @property
    def payload(self) -> bytes:
        """The 802.11 frame."""

    @property
    def departs_us(self) -> Micros:
        """When its first bit was sent."""

    @property
    def rssi_dbm(self) -> int | None:
        """Signal strength."""


class Outcome(Protocol):
    """Whether a unicast frame was acknowledged."""

    @property
    def payload(self) -> bytes:
        """The 802.11 frame."""

    @property
    def acknowledged(self) -> bool:
        """Whether its receiver acknowledged it."""

    @property
    def at_us(self) -> Micros:
        """When that was known."""


class RadioPort(Protocol):
    """A place on the air."""

    def send(self, payload: bytes, to: Address) -> None:
        """Put a frame on the air."""

    def add_address(self, mac: bytes) -> None:
        """Raises MediumError if another radio has it."""

    def remove_address(self, mac: bytes) -> None:
        """Give an address up."""

    def close(self) -> None:
        """Leave the air."""


class Air(Protocol):
    """What the hub needs of `devices.media.air.Air`."""

    clock: Clock
    frequency_mhz: int

    def tsf_at(self, at_us: Micros) -> Micros:
        """The TSF at a moment of the home's clock."""

    def attach(
        self,
        actor: str,
        addresses: tuple[Address, ...],
        receive: Callable[[Heard], None],
        *,
        on_acknowledged: Callable[[Outcome], None],
    ) -> RadioPort:
        """A radio. Raises MediumError if an address is taken."""

    def attach_monitor(self, actor: str, receive: Callable[[Heard], None]) -> RadioPort:
        """A port that hears everything."""


@dataclass(slots=True, eq=False)
class _Client:
    """A program that speaks to the hub: a radio, a monitor, or both. `macs` are in the order of their last use."""

    address: UdpAddress
    actor: str
    heard_at: Micros
    radio: RadioPort | None = None
    monitor: RadioPort | None = None
    macs: dict[bytes, None] = field(default_factory=dict)


class AirHub:
    """An open hub. Whatever arrives is counted in `refused` where it has no meaning, and harms nothing."""

    def __init__(self, air: Air, header: Header, emit: Callable[[Event, str], None], sock: socket.socket) -> None:
        self.refused: Counter[str] = Counter()
        """Datagrams that were refused, by kind of reason."""
        self.lost = 0
        """Datagrams that could not leave, because nobody takes them."""
        self._air = air
        self._header = header
        self._emit = emit
        self._socket = sock
        self._clients: dict[UdpAddress, _Client] = {}
        self._holders: dict[bytes, _Client] = {}
        self._numbered = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._gone: asyncio.Future[None] | None = None

    @classmethod
    async def open(
        cls,
        air: Air,
        host: str = HOST,
        port: int = PORT,
        *,
        header: Header = "none",
        emit: Callable[[Event, str], None] = lambda _event, _actor: None,
    ) -> "AirHub":
        """Open the air at a UDP port; 0 = any. Raises TransportUnavailableError, or ClockError in virtual time."""
        if air.clock.virtual:
            raise ClockError("the air over UDP meets programs that live in real time; start the home in real time")
        hub = cls(air, header, emit, bind_udp(host, port, "air hub", on_lan=False))
        try:
            await hub._serve()
        except BaseException:
            hub._socket.close()
            raise
        return hub

    async def _serve(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self.address: UdpAddress = self._socket.getsockname()
        """Where it is reached."""
        loop = asyncio.get_running_loop()
        self._gone = loop.create_future()
        self._transport, _ = await loop.create_datagram_endpoint(
            partial(_Protocol, self, self._gone), sock=self._socket
        )

    @property
    def registered(self) -> tuple[str, ...]:
        """The actors of the air that stand for the programs known now."""
        return tuple(client.actor for client in self._clients.values())

    async def close(self) -> None:
        """Forget everyone and close the socket. Closing twice does nothing."""
        for client in tuple(self._clients.values()):
            self._forget(client, "the hub is closed")
        if self._transport is not None and self._gone is not None:
            self._transport.close()
            self._transport = None
            await self._gone

    def heard(self, data: bytes, address: UdpAddress) -> None:
        """A datagram has arrived."""
        if self._transport is None:
            return
        if len(data) <= len(MONITOR) + 2 and data.strip() in (b"", MONITOR):
            self._watch(address, data.strip())
            return
        try:
            # No 802.11 frame that a radio sends here begins with zero octets, as every radiotap header does.
            frame = Radiotap.decode(data)[1] if data[:2] == b"\0\0" else data
            header = MacHeader.decode(frame)
        except DecodeError as problem:
            self._refuse("malformed", f"no 802.11 frame: {problem}")
            return
        radio = self._radio_at(address, header.transmitter)
        if radio is not None:
            radio.send(frame, header.receiver)

    def _radio_at(self, address: UdpAddress, mac: bytes) -> RadioPort | None:
        client = self._clients.get(address)
        if client is None and len(self._clients) >= MAX_CLIENTS:
            self._refuse("full", f"{MAX_CLIENTS} programs are registered; one is forgotten after a minute of silence")
            return None
        holder = self._holders.get(mac)
        if holder is not None and holder is not client:
            # A stack that was started again speaks from another port; the latest one has the address.
            self._give_up(holder, mac)
        try:
            if client is None:
                client = self._admit(address, mac)
            elif client.radio is None:
                client.radio = self._attach(client, mac)
            elif mac not in client.macs:
                client.radio.add_address(mac)
        except MediumError as problem:
            self._refuse("taken-address", str(problem))
            return None
        client.macs.pop(mac, None)
        client.macs[mac] = None
        self._holders[mac] = client
        if len(client.macs) > MAX_ADDRESSES:
            self._give_up(client, next(iter(client.macs)))
        client.heard_at = self._air.clock.now()
        return client.radio

    def _admit(self, address: UdpAddress, mac: bytes) -> _Client:
        client = self._client(address)
        client.radio = self._attach(client, mac)
        self._keep(client)
        self._emit(RadioRegistered(peer=mac.hex(":"), role="radio"), client.actor)
        return client

    def _client(self, address: UdpAddress) -> _Client:
        return _Client(address, f"radio:{self._numbered + 1}", self._air.clock.now())

    def _keep(self, client: _Client) -> None:
        self._numbered += 1
        self._clients[client.address] = client
        self._watch_silence(client)

    def _attach(self, client: _Client, mac: bytes) -> RadioPort:
        return self._air.attach(
            client.actor, (mac,), partial(self._to_radio, client), on_acknowledged=partial(self._to_sender, client)
        )

    def _watch(self, address: UdpAddress, word: bytes) -> None:
        client = self._clients.get(address)
        if client is not None:
            client.heard_at = self._air.clock.now()
            if client.monitor is not None or word != MONITOR:
                return  # a sign of life
        if sum(each.monitor is not None for each in self._clients.values()) >= MAX_MONITORS:
            self._refuse("monitors-full", f"{MAX_MONITORS} monitors are registered")
            return
        if client is None:
            if len(self._clients) >= MAX_CLIENTS:
                self._refuse("full", f"{MAX_CLIENTS} programs are registered")
                return
            client = self._client(address)
            self._keep(client)
        client.monitor = self._air.attach_monitor(client.actor, partial(self._to_monitor, client))
        self._emit(RadioRegistered(role="monitor"), client.actor)

    def _watch_silence(self, client: _Client) -> None:
        self._air.clock.call_at(client.heard_at + SILENCE, partial(self._consider, client))

    def _consider(self, client: _Client) -> None:
        if self._clients.get(client.address) is not client:
            return
        if self._air.clock.now() - client.heard_at < SILENCE:
            self._watch_silence(client)
        else:
            self._forget(client, "silent for 60 s")

    def _give_up(self, client: _Client, mac: bytes) -> None:
        del client.macs[mac], self._holders[mac]
        if client.radio is not None:
            client.radio.remove_address(mac)
        if not client.macs and client.monitor is None:
            self._forget(client, f"{mac.hex(':')} speaks from another UDP port")

    def _forget(self, client: _Client, reason: str) -> None:
        del self._clients[client.address]
        for mac in client.macs:
            del self._holders[mac]
        for port in (client.radio, client.monitor):
            if port is not None:
                port.close()
        self._emit(RadioForgotten(reason=reason), client.actor)

    def _to_radio(self, client: _Client, flight: Heard) -> None:
        if client.monitor is None:  # a monitor has heard it already
            self._to_monitor(client, flight)

    def _to_monitor(self, client: _Client, flight: Heard) -> None:
        self._send(client, flight.payload, Radiotap(**self._place(flight.departs_us), signal_dbm=flight.rssi_dbm))

    def _to_sender(self, client: _Client, outcome: Outcome) -> None:
        if self._header == "radiotap":
            flags = 0 if outcome.acknowledged else TxFlags.FAILED
            self._send(client, outcome.payload, Radiotap(**self._place(outcome.at_us), tx_flags=flags))

    def _place(self, at_us: Micros) -> dict[str, int]:
        return {"tsft": self._air.tsf_at(at_us), "frequency_mhz": self._air.frequency_mhz}

    def _send(self, client: _Client, frame: bytes, header: Radiotap) -> None:
        # Not by the transport, which would queue without end for a program that does not read.
        try:
            self._socket.sendto(header.encode() + frame if self._header == "radiotap" else frame, client.address)
        except OSError:
            self.lost += 1

    def _refuse(self, kind: str, reason: str) -> None:
        self.refused[kind] += 1
        count = self.refused[kind]
        # The first, the tenth, the hundredth …: a flood leaves a handful of lines in the log.
        if count == 10 ** (len(str(count)) - 1):
            so_far = f" ({count} datagrams refused so)" if count > 1 else ""
            self._emit(FrameIgnored(reason=reason + so_far, protocol="air over UDP"), ACTOR)


class _Protocol(asyncio.DatagramProtocol):
    """Hands what the socket brings to the hub."""

    def __init__(self, hub: AirHub, gone: asyncio.Future[None]) -> None:
        self._hub = hub
        self._gone = gone

    def datagram_received(self, data: bytes, addr: UdpAddress) -> None:
        self._hub.heard(data, addr)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._gone.done():
            self._gone.set_result(None)

    # error_received is left out: a program that has gone is forgotten by its silence.
