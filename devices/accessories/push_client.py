"""A client of a push server of the home: it pings, gives up when no answer comes, and connects again.

It stands for an app or extension that keeps a connection; on a fault its own view can be compared with the server's.
"""

import asyncio
import contextlib
import ssl
from typing import Any, Literal

from devices.accessories.base import Accessory, Settings
from devices.accessories.bonjour_presence import MEDIUM
from devices.accessories.push_server import PushService
from devices.accessories.registry import accessory
from devices.accessories.tls_service import TlsService
from devices.actor import Site, verb
from devices.errors import ActionRefusedError, HomeFileError
from devices.media.abrupt import reset
from devices.media.socket_wire import SocketWire
from devices.service_events import AnswerReceived, Connected, ConnectingFailed, Disconnected, PushReceived
from devices.sim.clock import Timer
from devices.spec import Duration, Period, duration_us
from devices.stores.tls_identities import tls_identities
from devices.transports.simulated_tls import SimulatedTlsClient
from pairing.engine import Endpoint, Micros


class PushClientSettings(Settings):
    """Whom it connects to, and how patient it is."""

    target: str
    """The id of a push-server, or of a tls-service that speaks `push`, further up in the file."""
    heartbeat: Period = "1s"
    """How often it pings."""
    patience: Duration = "0s"
    """How long after the last answer it gives the connection up, or the attempt to make one; 0s = never."""
    reconnect: Duration | None = None
    """How long after the end of a connection it makes a new one; by default it does not."""
    resume: bool = True
    """Whether it shows the ticket of an earlier TLS session."""
    connects: Literal["at-once", "told"] = "at-once"


class _Connection(asyncio.Protocol):
    """The client's side of one connection. `over` is done when it has ended."""

    def __init__(self, client: "PushClient", number: int) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.number = number
        self.tls = "none"
        self._client = client
        self._rest = b""
        self._reason = ""
        self._asked: dict[int, Micros] = {}
        self._count = 0
        self._octets_in = self._octets_out = 0
        self._ping: Timer | None = None
        self._alarm: Timer | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # TCP gives nothing else
        self._transport = transport
        secured = transport.get_extra_info("ssl_object")
        if secured is not None:
            self.tls = str(secured.version())
        self._client.tell(Connected(peer=self._client.settings.target, connection=self.number, tls=self.tls))
        self._heard()
        self._beat()

    def data_received(self, data: bytes) -> None:
        self._octets_in += len(data)
        self._heard()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._read(line.decode("utf-8", "replace"))

    def eof_received(self) -> bool:
        self._reason = self._reason or "closed-by-peer"
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if isinstance(exc, ConnectionResetError):
            self._reason = self._reason or "reset-by-peer"
        self._end(self._reason or (type(exc).__name__ if exc is not None else "cut"))

    def close(self, reason: str, *, abruptly: bool = False) -> None:
        """End it from this side."""
        self._reason = reason
        transport = self._transport
        self._end(reason)
        if transport is not None:
            if abruptly:
                reset(transport)
            else:
                transport.close()

    def _beat(self) -> None:
        clock = self._client.site.clock
        self._count += 1
        self._asked[self._count] = clock.now()
        line = b"PING %d\n" % self._count
        self._octets_out += len(line)
        if self._transport is not None:
            self._transport.write(line)
        self._ping = clock.call_later(duration_us(self._client.settings.heartbeat), self._beat)

    def _heard(self) -> None:
        patience = duration_us(self._client.settings.patience)
        if self._alarm is not None:
            self._alarm.cancel()
        if patience and not self._reason:
            self._alarm = self._client.site.clock.call_later(patience, lambda: self.close("no-answer", abruptly=True))

    def _read(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "PUSH":
            self._client.tell(PushReceived(connection=self.number, text=rest, peer=self._peer))
        elif word == "PONG" and rest.isdecimal() and (asked := self._asked.pop(int(rest), None)) is not None:
            after_us = self._client.site.clock.now() - asked
            answer = AnswerReceived(connection=self.number, number=int(rest), after_us=after_us, peer=self._peer)
            self._client.tell(answer)

    @property
    def _peer(self) -> str:
        return self._client.settings.target

    def _end(self, reason: str) -> None:
        for timer in (self._ping, self._alarm):
            if timer is not None:
                timer.cancel()
        if not self.over.done():
            self.over.set_result(None)
            counts = {"octets_in": self._octets_in, "octets_out": self._octets_out}
            self._client.tell(Disconnected(peer=self._peer, connection=self.number, reason=reason, **counts))


@accessory("push-client")
class PushClient(Accessory):
    """Keeps a connection to a push server of the home, with a ping every second."""

    settings_model = PushClientSettings
    settings: PushClientSettings

    def __init__(self, site: Site, actor_id: str, name: str, settings: PushClientSettings) -> None:
        super().__init__(site, actor_id, name, settings)
        server = next((each for each in site.others() if each.id == settings.target), None)
        if not isinstance(server, PushService):
            raise HomeFileError(f"accessory {actor_id!r}: target {settings.target!r} is no push server above")
        self._server = server
        self._count = 0
        self._ticket = ""
        self._task: asyncio.Task[None] | None = None
        self._connection: _Connection | None = None
        self._wire = SocketWire(site.lan, actor_id)

    @property
    def state(self) -> str:
        return super().state if self._connection is None or not self.powered else "connected"

    def tell(self, event: Any) -> None:
        """Log something that a connection tells."""
        self.emit(event, MEDIUM)

    async def _start(self) -> None:
        if self.settings.connects == "at-once":
            self._begin()

    async def _stop(self, *, goodbye: bool) -> None:
        await self._leave("power-off", abruptly=not goodbye)
        self._wire.close()

    @verb("connect")
    async def _do_connect(self) -> None:
        """Connect, and go on as the settings say."""
        if not self.powered or self._task is not None:
            raise ActionRefusedError(f"{self.id} is {'connecting or connected' if self.powered else 'off'}")
        self._begin()

    @verb("disconnect")
    async def _do_disconnect(self) -> None:
        """End the connection in peace and make no new one."""
        await self._leave("told")

    @verb("close-abruptly")
    async def _do_close_abruptly(self) -> None:
        """End the connection with RST; a new one is made as the settings say."""
        if self._connection is None:
            raise ActionRefusedError(f"{self.id} is not connected")
        self._connection.close("told", abruptly=True)

    def _begin(self) -> None:
        if self.powered and self._task is None:
            self._task = asyncio.ensure_future(self._keep_connected())

    async def _leave(self, reason: str, *, abruptly: bool = False) -> None:
        task, self._task = self._task, None
        if self._connection is not None:
            self._connection.close(reason, abruptly=abruptly)
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _keep_connected(self) -> None:
        while True:
            self._count += 1
            connection = _Connection(self, self._count)
            try:
                await self._open_in_time(connection)
                self._connection = connection
                await connection.over
            except OSError as problem:
                reason = "refused" if isinstance(problem, ConnectionRefusedError) else str(problem)
                self.tell(ConnectingFailed(reason=reason, peer=self.settings.target))
            finally:
                self._connection = None
            if self.settings.reconnect is None:
                self._task = None
                return
            await self.site.clock.sleep(duration_us(self.settings.reconnect))

    async def _open_in_time(self, connection: _Connection) -> None:
        """Open it, or give up after its patience. Raises OSError."""
        patience = duration_us(self.settings.patience)
        opening = asyncio.ensure_future(self._open(connection))

        def give_up() -> None:
            opening.cancel()

        alarm = self.site.clock.call_later(patience, give_up) if patience else None
        try:
            await opening
        except asyncio.CancelledError:
            own = asyncio.current_task()
            if alarm is None or alarm.action is not None or (own is not None and own.cancelling()):
                raise
            raise TimeoutError("no answer") from None
        finally:
            if alarm is not None:
                alarm.cancel()

    async def _open(self, connection: _Connection) -> None:
        server = self._server
        host, _, port = server.door.place.rpartition(":")
        if not port:
            raise ConnectionRefusedError(f"{server.id} is off")
        if not self.site.real:
            await self._open_in_virtual_time(connection, server, Endpoint(host, int(port)))
            return
        loop = asyncio.get_running_loop()
        if not isinstance(server, TlsService):
            await loop.create_connection(lambda: self._wire.protocol(connection), host, int(port))
            return
        files = tls_identities(server.settings.identities)
        context = ssl.create_default_context(cafile=files.authority)
        context.load_cert_chain(files.client_certificate, files.client_key)
        if server.settings.certificate == "self-signed":
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        await loop.create_connection(lambda: connection, host, int(port), ssl=context, server_hostname=host)

    async def _open_in_virtual_time(self, connection: _Connection, server: PushService, to: Endpoint) -> None:
        lan = self.site.lan
        if not isinstance(server, TlsService):
            await lan.tcp.connect(self.id, lan.host_of(self.id), to, connection)
            return
        connection.tls = "simulated"
        ticket = self._ticket if self.settings.resume else ""
        shaking = SimulatedTlsClient("1.3", ticket, connection)
        transport = await lan.tcp.connect(self.id, lan.host_of(self.id), to, shaking)
        try:
            self._ticket = (await shaking.shaken).ticket
        except BaseException:
            transport.abort()
            raise
