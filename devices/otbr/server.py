"""Puts the REST application on a socket that is bound already, in the caller's loop, and takes all of it away again.

Uses uvicorn's HTTP/1.1 protocol without its server loop: no signal handlers, no ticking, no Server and Date headers.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from devices.errors import TransportUnavailableError
from devices.otbr.app import AsgiApp

KEEP_ALIVE_S = 5
SHUTDOWN_GRACE_S = 0.2
"""How long answers that are under way may take when the server goes."""

# Without a handler anywhere, Python would print uvicorn's remarks about bad requests on the terminal.
logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())


class _Connection(H11Protocol):
    """A connection whose answers leave at once: head and body are two writes, and a socket made without naming TCP as
    its protocol gets no TCP_NODELAY from asyncio, which costs 40 ms an answer.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)


@asynccontextmanager
async def serve(app: AsgiApp, sock: socket.socket) -> AsyncIterator[int]:
    """Serve the application on a bound TCP socket, which is closed at the end; yields its port.

    On exit no task, connection or socket is left. Raises TransportUnavailableError if the socket cannot listen.
    """
    config = Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    host, port = sock.getsockname()[:2]
    try:
        server = await loop.create_server(lambda: _Connection(config, state, {}), sock=sock)
    except OSError as problem:
        sock.close()
        raise TransportUnavailableError(
            f"REST API: cannot listen on {host}:{port}: {problem.strerror}; "
            "end the program that uses this port, or choose another one (0 = any)"
        ) from None
    try:
        yield port
    finally:
        await _shut_down(server, state)


async def _shut_down(server: asyncio.Server, state: ServerState) -> None:
    server.close()
    for connection in tuple(state.connections):
        connection.shutdown()
    if state.tasks:
        await asyncio.wait(tuple(state.tasks), timeout=SHUTDOWN_GRACE_S)
    # Who waits longer, for a slow answer or for a client that never finishes its body, is cut off: the application
    # sees that the client has gone, and ends.
    for connection in tuple(state.connections):
        if isinstance(connection, H11Protocol):
            connection.transport.abort()
    if state.tasks:
        await asyncio.wait(tuple(state.tasks))
    await server.wait_closed()
    # Closed transports tell their protocols in the next turn of the loop.
    await asyncio.sleep(0)
