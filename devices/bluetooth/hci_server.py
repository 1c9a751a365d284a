"""HCI over TCP: any host stack joins the home's Bluetooth with a controller of its own. Real time only.

The stream is H4 (Core Specification 5.4, Vol 4, Part A, 2): a type octet, then the packet. One connection is one
controller; when it ends, the controller hangs up its connections and is gone.
"""

import asyncio
from collections.abc import Callable

from bumble.transport.common import PacketParser

from devices.ble_events import HostJoined, HostLeft
from devices.bluetooth.radio import Radio, public_address
from devices.errors import TransportUnavailableError
from devices.media.ble import BleMedium
from devices.sim.chance import Chance
from pairing.engine import Event

MAX_CLIENTS = 64
_CHUNK = 65_536
_BACKLOG = 4 << 20
"""A host that does not read loses its controller once so many octets wait for it."""


class HciServer:
    """Listens until it is closed. `emit` takes an event and the actor's name."""

    def __init__(self, medium: BleMedium, chance: Chance, emit: Callable[[Event, str], None]) -> None:
        self._medium = medium
        self._chance = chance
        self._emit = emit
        self._server: asyncio.Server | None = None
        self._hosts: dict[str, tuple[_Host, asyncio.Task[None]]] = {}
        self._joined = 0

    @classmethod
    async def open(
        cls, medium: BleMedium, chance: Chance, emit: Callable[[Event, str], None], host: str, port: int
    ) -> "HciServer":
        """Raises TransportUnavailableError if the port is taken."""
        server = cls(medium, chance, emit)
        try:
            server._server = await asyncio.start_server(server._accept, host, port)
        except OSError as problem:
            raise TransportUnavailableError(
                f"cannot listen for HCI at {host}:{port}: {problem.strerror or problem}; [ble] hci takes another port"
            ) from None
        return server

    @property
    def place(self) -> str:
        """Where it listens: host:port."""
        if self._server is None:
            raise TransportUnavailableError("the HCI server is closed")
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    async def close(self) -> None:
        """Every controller hangs up."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for _, task in tuple(self._hosts.values()):
            task.cancel()
        await asyncio.gather(*(task for _, task in self._hosts.values()), return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if len(self._hosts) >= MAX_CLIENTS or task is None:
            writer.close()
            return
        self._joined += 1
        actor = f"host-{self._joined}"
        stream = self._chance.stream(f"ble/radio/{actor}")
        address = public_address(stream)
        radio = Radio(self._medium, actor, address, stream, self._medium.tap_of(actor))
        host = _Host(radio, writer)
        self._hosts[actor] = host, task
        self._emit(HostJoined(peer=address), actor)
        reason = "closed"
        try:
            reason = await host.serve(reader)
        except (ConnectionError, asyncio.CancelledError):
            reason = "lost"
        finally:
            del self._hosts[actor]
            radio.hang_up()
            writer.close()
            self._emit(HostLeft(peer=address, reason=reason), actor)


class _Host:
    """One client: octets in, packets to its controller; packets of the controller out."""

    def __init__(self, radio: Radio, writer: asyncio.StreamWriter) -> None:
        self._radio = radio
        self._writer = writer
        self._parser = PacketParser(radio)
        radio.host = self

    def on_packet(self, packet: bytes) -> None:
        """A packet of the controller."""
        if not self._writer.is_closing():
            self._writer.write(packet)
            if self._writer.transport.get_write_buffer_size() > _BACKLOG:
                self._writer.close()

    async def serve(self, reader: asyncio.StreamReader) -> str:
        """Until the host goes, or says what is no HCI; why it ended."""
        while data := await reader.read(_CHUNK):
            try:
                self._parser.feed_data(data)
            except Exception as problem:  # Bumble's parsers raise what they like on what is no HCI
                return f"not HCI: {type(problem).__name__}"
        return "closed"
