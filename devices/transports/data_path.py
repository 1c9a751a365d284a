"""What is at the end of a Wi-Fi Aware data path: one session, reached by loopback sockets or, in the home, in memory.

The air carries the frames that set a data path up; the octets of applications take this short cut. Every session has
sockets of its own, on ports that nobody else gets, which refuse everyone as soon as the data path has ended. What is
said on them is the service's business.
"""

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from devices.errors import ActionRefusedError, TransportUnavailableError
from devices.transports.data_streams import DataStream, SocketStream, memory_streams
from devices.transports.reach import LOOPBACK
from devices.transports.sockets import bind_udp, listen_tcp
from devices.transports.tls_accept import TlsAccept
from pairing.engine import Endpoint
from pairing.nan.data_path_terms import DataPathTerms

Address: TypeAlias = tuple[str, int]
MAX_TRIES = 20
MAX_FLOWS = 64
"""UDP clients of one session; beyond it the one that has been silent for longest is given up."""


class DatagramFlow(Protocol):
    """One client's datagrams at a service."""

    def receive(self, payload: bytes) -> None:
        """One has come from the client."""

    def close(self) -> None:
        """The client is gone."""


class Service(Protocol):
    """What an accessory offers to whoever has a data path to it."""

    page_of_interest: str
    """Where it is a web server: what to fetch first, as a path; else empty."""

    async def converse(self, stream: DataStream) -> None:
        """Serve one connection to its end. ConnectionError and cancellation may pass through."""

    def open_flow(self, reply: Callable[[bytes], None]) -> DatagramFlow:
        """Serve the datagrams of one more client."""


@dataclass(frozen=True, slots=True)
class SessionName:
    """Who a session is between: `owner` serves, `peer` is the actor on the other side, where one of the home is."""

    session: str
    owner: str
    peer: str | None


def session_id(terms: DataPathTerms) -> str:
    """One name for a data path on both of its sides: made of its interfaces, its NDP ID and its NDC ID."""
    parts = (terms.initiator_nmi, terms.initiator_ndi, terms.responder_ndi, bytes((terms.ndp_id,)), terms.ndc_id)
    return hashlib.sha256(b"data path" + b"".join(parts)).hexdigest()[:16]


class Wire(Protocol):
    """What stands between a session's sockets and the world: the wire faults of a home."""

    def protocol(self, inner: asyncio.BaseProtocol) -> asyncio.Protocol:
        """What a TCP socket gets in place of `inner`."""

    def datagram(
        self, payload: bytes, peer: Endpoint, own: Endpoint, deliver: Callable[[bytes], None], *, inward: bool
    ) -> None:
        """Deliver a datagram from the peer, or to it."""

    def close(self) -> None:
        """Close what is left of connections."""


class SessionSockets:
    """A TCP listener and a UDP socket that lead to one session and nowhere else."""

    def __init__(self, session: "DataPathSession", listener: socket.socket, datagrams: socket.socket) -> None:
        self.tcp: Address = listener.getsockname()[:2]
        self.udp: Address = datagrams.getsockname()[:2]
        self._session = session
        self._listener = listener
        self._datagrams = datagrams
        self._server: asyncio.Server | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._flows: dict[Address, DatagramFlow] = {}

    async def serve(self, tls: ssl.SSLContext | None) -> None:
        """Take what comes; connections made before wait in the backlog."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=self._datagrams)
        wire = self._session.wire

        def accept() -> asyncio.Protocol:
            protocol = _streams(self._accepted) if tls is None else TlsAccept(tls, lambda: _streams(self._accepted))
            return protocol if wire is None else wire.protocol(protocol)

        self._server = await loop.create_server(accept, sock=self._listener)

    def close(self) -> None:
        """Refuse everyone from now on."""
        if self._server is not None:
            self._server.close()
        if self._transport is not None:
            self._transport.abort()
        self._listener.close()
        self._datagrams.close()
        for flow in self._flows.values():
            flow.close()
        self._flows.clear()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._session.serve(SocketStream(reader, writer))

    def received(self, payload: bytes, sender: Address) -> None:
        """A datagram has come to the socket."""
        if (wire := self._session.wire) is None:
            self._arrived(payload, sender)
        else:
            own = Endpoint(*self.udp)
            wire.datagram(payload, Endpoint(*sender), own, lambda each: self._arrived(each, sender), inward=True)

    def _arrived(self, payload: bytes, sender: Address) -> None:
        if self._transport is None or self._transport.is_closing():
            return  # it has ended while the datagram was under way
        flow = self._flows.pop(sender, None)
        if flow is None:
            flow = self._session.service.open_flow(lambda answer: self._reply(answer, sender))
            if len(self._flows) >= MAX_FLOWS:
                self._flows.pop(next(iter(self._flows))).close()
        self._flows[sender] = flow  # the end of the dict: heard last
        flow.receive(payload)

    def _reply(self, payload: bytes, to: Address) -> None:
        if (wire := self._session.wire) is None:
            self._leave(payload, to)
        else:
            own = Endpoint(*self.udp)
            wire.datagram(payload, Endpoint(*to), own, lambda each: self._leave(each, to), inward=False)

    def _leave(self, payload: bytes, to: Address) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(payload, to)


class DataPathSession:
    """One open data path as its owner serves it."""

    def __init__(
        self, name: SessionName, service: Service, tls: ssl.SSLContext | None = None, wire: Wire | None = None
    ) -> None:
        self.name = name
        self.wire = wire
        self.service = service
        self.endpoints: dict[str, str] = {}
        """`tcp` and `udp` as host:port, `http` as a URL where the service is a web server; empty in virtual time."""
        self.is_open = True
        self._tls = tls
        self._tasks: set[asyncio.Task[Any]] = set()
        self._streams: set[DataStream] = set()
        self._flows: list[DatagramFlow] = []
        self._sockets: list[SessionSockets] = []

    # Reaching it.

    def connect(self) -> DataStream:
        """A connection to the service, without a socket. Raises ActionRefusedError after the end."""
        self._require_open()
        near, far = memory_streams()
        self.serve(far)
        return near

    def open_flow(self, reply: Callable[[bytes], None]) -> DatagramFlow:
        """Datagrams to the service, without a socket. Raises ActionRefusedError after the end."""
        self._require_open()
        flow = self.service.open_flow(reply)
        self._flows.append(flow)
        return flow

    def serve(self, stream: DataStream) -> None:
        """Let the service speak on one more connection."""
        if not self.is_open:
            stream.abort()
            return
        self._streams.add(stream)
        self._spawn(self._converse(stream))

    def open_sockets(self) -> None:
        """Listen on loopback, on any port: that is in `endpoints`. Raises TransportUnavailableError."""
        sockets = self.listen(LOOPBACK)
        self.endpoints = {"tcp": _shown(sockets.tcp), "udp": _shown(sockets.udp)}
        if self.service.page_of_interest and self._tls is None:
            self.endpoints["http"] = f"http://{_shown(sockets.tcp)}{self.service.page_of_interest}"

    def listen(self, host: str, port: int = 0) -> SessionSockets:
        """Listen at one more place, until the end. Raises TransportUnavailableError. Needs a running loop."""
        sockets = SessionSockets(self, *_bound(host, port, f"data path {self.name.session}"))
        self._sockets.append(sockets)
        self._spawn(sockets.serve(self._tls))
        return sockets

    def _require_open(self) -> None:
        if not self.is_open:
            raise ActionRefusedError(f"data path {self.name.session} has ended; nobody is let in")

    # Its end.

    def close(self) -> None:
        """The data path has ended: refuse, and cut off what is connected."""
        if not self.is_open:
            return
        self.is_open = False
        for sockets in self._sockets:
            sockets.close()
        for flow in self._flows:
            flow.close()
        for stream in tuple(self._streams):
            stream.abort()
        for task in tuple(self._tasks):
            task.cancel()
        if self.wire is not None:
            self.wire.close()

    async def wait_closed(self) -> None:
        """Until nothing of it is left on the loop."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))
        await asyncio.sleep(0)  # sockets are told that they are closed in the loop's next turn

    # Parts.

    async def _converse(self, stream: DataStream) -> None:
        try:
            await self.service.converse(stream)
        except OSError:
            pass  # the other side has gone, which is its right
        finally:
            stream.close()
            await stream.wait_closed()
            self._streams.discard(stream)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _bound(host: str, port: int, what: str) -> tuple[socket.socket, socket.socket]:
    """TCP and UDP under one number, which is one that both are free at where none is asked for."""
    for _ in range(MAX_TRIES):
        listener = listen_tcp(host, port, what, explicit=port != 0)
        try:
            return listener, bind_udp(host, listener.getsockname()[1], what)
        except TransportUnavailableError:
            listener.close()
            if port:
                raise
    raise TransportUnavailableError(f"{what}: no port on {host} is free for TCP and UDP")


def _streams(accepted: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]) -> asyncio.StreamReaderProtocol:
    loop = asyncio.get_running_loop()
    return asyncio.StreamReaderProtocol(asyncio.StreamReader(loop=loop), accepted, loop=loop)


class _Datagrams(asyncio.DatagramProtocol):
    """Hands what the socket brings on."""

    def __init__(self, sockets: SessionSockets) -> None:
        self._sockets = sockets

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._sockets.received(data, addr)


@dataclass(slots=True)
class DataPathRegistry:
    """The open sessions of a home, so that the other side of a data path finds what is at its end."""

    _open: dict[tuple[str, str], DataPathSession] = field(default_factory=dict)
    _waiting: list[asyncio.Event] = field(default_factory=list)

    def add(self, session: DataPathSession) -> None:
        """A session has begun."""
        self._open[session.name.session, session.name.owner] = session
        for each in self._waiting:
            each.set()

    def remove(self, session: DataPathSession) -> None:
        """A session has ended."""
        self._open.pop((session.name.session, session.name.owner), None)

    def find(self, session: str, asker: str) -> DataPathSession | None:
        """What the other side serves in that session; None if it is not open, or `asker` is none of its two sides."""
        for (name, owner), each in self._open.items():
            if name == session and owner != asker and each.name.peer == asker:
                return each
        return None

    async def wait(self, session: str, asker: str) -> DataPathSession:
        """The same, as soon as it is open: one side of a data path has it a little earlier than the other."""
        news = asyncio.Event()
        self._waiting.append(news)
        try:
            while (found := self.find(session, asker)) is None:
                news.clear()
                await news.wait()
            return found
        finally:
            self._waiting.remove(news)

    @property
    def sessions(self) -> Mapping[tuple[str, str], DataPathSession]:
        """By session and owner."""
        return dict(self._open)


def _shown(address: Address) -> str:
    return f"{address[0]}:{address[1]}"
