"""uvicorn's HTTP/1.1 (h11) on a loop that already runs: no signals, no ticking task, no access log, no own headers.

`uvicorn.Server` owns a process; a home has several web servers and must be gone when it says so. Here the caller hands
in bound sockets and gets a server whose `close()` ends every task and connection. Importing this loads uvicorn.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, TypeAlias

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
AsgiReceive: TypeAlias = Callable[[], Awaitable[Message]]
AsgiSend: TypeAlias = Callable[[Message], Awaitable[None]]
Wire: TypeAlias = Callable[[asyncio.Protocol], asyncio.Protocol]
Asgi: TypeAlias = Callable[[Scope, AsgiReceive, AsgiSend], Awaitable[None]]

_LOG = logging.getLogger("pairlab.web")
_LOG.setLevel(logging.ERROR)  # what a client sends wrongly is the event log's matter; failures of our own are shown


class WebServer:
    """A running server. `ports` are those of the sockets it was given, in their order."""

    def __init__(self, app: Asgi, keep_alive_s: int, wire: Wire) -> None:
        self._wire = wire
        self.ports: tuple[int, ...] = ()
        self._app = app
        self._config = uvicorn.Config(
            self._guarded,
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=keep_alive_s,
        )
        self._config.load()
        self._state = ServerState()
        self._servers: list[asyncio.Server] = []
        self._lost = asyncio.Event()
        self._closing = False

    async def open(self, sockets: Sequence[socket.socket]) -> None:
        """Serve on bound sockets, which belong to the server from now on."""
        loop = asyncio.get_running_loop()
        self.ports = tuple(sock.getsockname()[1] for sock in sockets)
        for sock in sockets:
            self._servers.append(await loop.create_server(self._connection, sock=sock, backlog=100))

    async def close(self, grace_s: float = 1.0) -> None:
        """Stop listening, let answers under way finish for `grace_s`, then cut off what is left."""
        self._closing = True
        for server in self._servers:
            server.close()
        for connection in tuple(self._state.connections):
            try:
                connection.shutdown()
            except h11.LocalProtocolError:
                connection.transport.abort()  # it is in the middle of refusing what the client sent
        try:
            async with asyncio.timeout(grace_s):
                await self._idle()
        except TimeoutError:
            for connection in tuple(self._state.connections):
                connection.transport.abort()
            for task in tuple(self._state.tasks):
                task.cancel()
            await self._idle()

    async def _idle(self) -> None:
        while self._state.tasks or self._state.connections:
            if self._state.tasks:
                await asyncio.wait(tuple(self._state.tasks))
            if self._state.connections:
                self._lost.clear()
                await self._lost.wait()

    def _connection(self) -> asyncio.Protocol:
        return self._wire(_Connection(self._config, self._state, self._lost, lambda: self._closing))

    async def _guarded(self, scope: Scope, receive: AsgiReceive, send: AsgiSend) -> None:
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if not self._closing:
                raise
            # Cut off by `close`: uvicorn would log it as a failure of the application.


class _Connection(H11Protocol):
    """One TCP connection, quiet in the log of whoever runs us, and heard when it is gone."""

    def __init__(
        self, config: uvicorn.Config, state: ServerState, lost: asyncio.Event, is_closing: Callable[[], bool]
    ) -> None:
        super().__init__(config=config, server_state=state, app_state={})
        self.logger = _LOG
        self.access_log = False
        self._lost = lost
        self._is_closing = is_closing

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        # Head and body are two writes; without this the body waits 40 ms for the acknowledgement of the head. asyncio
        # sets it only on sockets made with IPPROTO_TCP.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        if self._is_closing():
            transport.abort()  # it was on its way in while `close` let the others go, and nobody is behind it any more

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._lost.set()


async def serve_web(
    app: Asgi, sockets: Sequence[socket.socket], *, keep_alive_s: int = 5, wire: Wire = lambda protocol: protocol
) -> WebServer:
    """Serve an ASGI application on bound sockets, as `listen_tcp` gives them. Close it before the loop ends.

    `wire` puts something between each connection and its socket.
    """
    server = WebServer(app, keep_alive_s, wire)
    try:
        await server.open(sockets)
    except BaseException:
        await server.close()
        for sock in sockets:
            sock.close()
        raise
    return server
