"""A UDP socket that serves anybody: what arrives is handed on with who sent it.

Made at once, without awaiting, since a border router opens and closes ports in the middle of what it does.
"""

import asyncio
import socket
from collections.abc import Callable

from pairing.engine import Endpoint

_AT_ONCE = 64
"""So many datagrams are read before others get their turn."""
_LONGEST = 65_535


class UdpServer:
    """Serves a bound socket, which is its own from now on. `receive` is called on the running loop."""

    def __init__(self, sock: socket.socket, receive: Callable[[bytes, Endpoint], None]) -> None:
        self._sock = sock
        self._receive = receive
        self._is_open = True
        host, port = sock.getsockname()
        self.own = Endpoint(host, port)
        """Where it is bound."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._read)

    def send(self, payload: bytes, to: Endpoint) -> None:
        """A datagram to a peer; one that the system does not take is lost, as any may be."""
        if not self._is_open:
            return
        try:
            self._sock.sendto(payload, (to.host, to.port))
        except OSError:
            return

    def close(self) -> None:
        """Close it; what was sent has left."""
        if self._is_open:
            self._is_open = False
            self._loop.remove_reader(self._sock)
            self._sock.close()

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            if not self._is_open:
                return  # by what the last datagram led to
            try:
                payload, (host, port) = self._sock.recvfrom(_LONGEST)
            except BlockingIOError:
                return
            except OSError:
                continue  # what became of something that was sent
            self._receive(payload, Endpoint(host, port))
