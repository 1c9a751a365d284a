"""The server's side of TLS on a connection that was accepted without it, whatever stands between it and the socket.

asyncio's own `ssl=` puts TLS right on the socket; here it runs on the transport that the protocol is given.
"""

import asyncio
import ssl
from collections.abc import Callable

HANDSHAKE_S = 60.0


class TlsAccept(asyncio.Protocol):
    """Accepts, shakes hands, and then hands the connection to the protocol that `inner` makes. A failure ends it."""

    def __init__(
        self,
        context: ssl.SSLContext,
        inner: Callable[[], asyncio.Protocol],
        failed: Callable[[OSError, asyncio.BaseTransport], None] = lambda problem, transport: None,
    ) -> None:
        self._context = context
        self._make_inner = inner
        self._failed = failed
        self._early = bytearray()
        self._has_ended = False
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # create_server gives nothing else
        if self._task is None:
            self._task = asyncio.ensure_future(self._shake_hands(transport))

    def data_received(self, data: bytes) -> None:
        # What came in one flight with the end of the handshake, before the inner protocol was in place.
        self._early += data

    def eof_received(self) -> None:
        self._has_ended = True

    def connection_lost(self, exc: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _shake_hands(self, transport: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        try:
            secured = await loop.start_tls(
                transport, self, self._context, server_side=True, ssl_handshake_timeout=HANDSHAKE_S
            )
        except OSError as problem:  # what ssl raises is one
            self._failed(problem, transport)
            if not transport.is_closing():
                transport.abort()
            return
        if secured is None:
            return
        inner = self._make_inner()
        secured.set_protocol(inner)
        inner.connection_made(secured)
        if self._early:
            inner.data_received(bytes(self._early))
        if self._has_ended and not inner.eof_received():
            secured.close()
