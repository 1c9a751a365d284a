"""The control API on a socket, in the home's own loop."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from devices.control.app import app_of
from devices.control.desk import Desk
from devices.control.guard import is_loopback
from devices.errors import UsageError
from devices.home import LiveHome
from devices.transports.reach import shown_host
from devices.transports.sockets import listen_tcp
from devices.transports.web import serve_web

DEFAULT_PORT = 8700
WHAT = "control API (--api-port)"


@asynccontextmanager
async def serve_control(
    live: LiveHome,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    explicit: bool = False,
    *,
    token: str | None = None,
) -> AsyncIterator[str]:
    """The API's URL while it is served. Raises TransportUnavailableError where an explicit port is taken.

    Stop the home inside the block, so that its goodbyes still reach whoever follows the events.
    """
    if token is None and not is_loopback(host):
        raise UsageError(f"the control API stays on loopback without a token, so it cannot listen on {host}")
    sock = listen_tcp(host, port, WHAT, explicit=explicit, on_lan=False)
    async with serve_control_on(live, sock, token=token) as url:
        yield url


@asynccontextmanager
async def serve_control_on(live: LiveHome, sock: socket.socket, *, token: str | None = None) -> AsyncIterator[str]:
    """The same on a socket that is bound already, which it takes over."""
    host, port = sock.getsockname()[:2]
    desk = Desk(live)
    server = await serve_web(app_of(desk, token=token, hosts=[host]), [sock])
    try:
        yield f"http://{shown_host(host)}:{port}"
    finally:
        desk.closing.set()
        await server.close()
