"""A UDP port that serves anybody: what arrives is handed on with who sent it, what is sent leaves where it was asked.

Made at once, without awaiting, since a border router opens and closes ports in the middle of what it does.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence

from devices.transports.sockets import bind_udp
from pairing.engine import Endpoint

_AT_ONCE = 64
"""So many datagrams are read before others get their turn."""
_LONGEST = 65_535
_MOST_PEERS = 1_024
"""Of so many peers it is remembered at which of several addresses they asked."""


class UdpServer:
    """One port at each of the addresses, 0 = any. `receive` is called on the running loop.

    Raises TransportUnavailableError, which says what the port was for.
    """

    def __init__(self, hosts: Sequence[str], port: int, what: str, receive: Callable[[bytes, Endpoint], None]) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._sockets: list[socket.socket] = []
        self._asked_at: dict[tuple[str, int], socket.socket] = {}
        try:
            for host in hosts:
                self._sockets.append(bind_udp(host, port, what))
                port = int(self._sockets[0].getsockname()[1])
        except BaseException:
            self._close_sockets()
            raise
        self.port = port
        """Its number."""
        for sock in self._sockets:
            self._loop.add_reader(sock, self._read, sock)

    def send(self, payload: bytes, to: Endpoint) -> None:
        """A datagram to a peer; one that the system does not take is lost, as any may be."""
        if not self._sockets:
            return
        peer = (to.host, to.port)
        try:
            self._asked_at.get(peer, self._sockets[0]).sendto(payload, peer)
        except OSError:
            return

    def close(self) -> None:
        """Close it; what was sent has left."""
        for sock in self._sockets:
            self._loop.remove_reader(sock)
        self._close_sockets()

    def _close_sockets(self) -> None:
        for sock in self._sockets:
            sock.close()
        self._sockets.clear()
        self._asked_at.clear()

    def _read(self, sock: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            if sock not in self._sockets:
                return  # closed by what the last datagram led to
            try:
                payload, (host, port) = sock.recvfrom(_LONGEST)
            except BlockingIOError:
                return
            except OSError:
                continue  # what became of something that was sent
            if len(self._sockets) > 1:
                self._remember((host, port), sock)
            self._receive(payload, Endpoint(host, port))

    def _remember(self, peer: tuple[str, int], sock: socket.socket) -> None:
        self._asked_at.pop(peer, None)
        self._asked_at[peer] = sock
        if len(self._asked_at) > _MOST_PEERS:
            del self._asked_at[next(iter(self._asked_at))]
