"""Doors: sockets in one network, behind each a server in another. What comes in is relayed as it comes.

TCP as it is: octets, half-closes and resets pass either way. UDP: each client gets a socket of its own towards the
server for as long as it is heard. Opened and closed without awaiting.
"""

import asyncio
import socket
import struct
from typing import Any

_AT_ONCE = 64
_LONGEST = 65_535
_IDLE_S = 120.0
_MOST_CLIENTS = 1_024


class TcpDoor:
    """A listening socket of another network, from now on ours, in front of a TCP server of this one."""

    def __init__(self, listener: socket.socket, server: tuple[str, int]) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._server = server
        self._relays: set[_Relay] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop.add_reader(listener, self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setblocking(False)
            task = self._loop.create_task(self._connect(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self, client: socket.socket) -> None:
        relay = _Relay(self._relays)
        try:
            await self._loop.create_connection(lambda: relay.server, *self._server)
        except (OSError, asyncio.CancelledError):
            _reset_socket(client)
            relay.cut_off()
            return
        try:
            await self._loop.connect_accepted_socket(lambda: relay.client, client)
        except BaseException:
            _reset_socket(client)
            relay.cut_off()
            raise

    def cut_off(self) -> int:
        """Reset every connection that is open, and say how many there were."""
        for task in tuple(self._tasks):
            task.cancel()
        relays = tuple(self._relays)
        for each in relays:
            each.cut_off()
        return len(relays)

    def close(self) -> None:
        """Take no more connections; those that are open are reset."""
        self._loop.remove_reader(self._listener)
        self._listener.close()
        self.cut_off()

    async def closed(self) -> None:
        """Once the last connection has gone."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for each in tuple(self._relays):
            await each.over.wait()


class _Relay:
    """Two ends of a connection, which share their fate."""

    def __init__(self, among: "set[_Relay]") -> None:
        self._among = among
        self.client = _End(self)
        self.server = _End(self)
        self.client.other, self.server.other = self.server, self.client
        self.over = asyncio.Event()
        among.add(self)

    def ended(self) -> None:
        """One end has nothing more to say; when neither has, both are closed."""
        if self.client.has_ended and self.server.has_ended:
            self.client.close()
            self.server.close()

    def lost(self, end: "_End") -> None:
        """One end is gone: in peace if both had said all."""
        end.is_gone = True
        if not (self.client.has_ended and self.server.has_ended):
            self.cut_off()
        self._forget()

    def cut_off(self) -> None:
        """Reset both ends."""
        for end in (self.client, self.server):
            end.reset()
        self._forget()

    def _forget(self) -> None:
        if self.client.is_gone and self.server.is_gone:
            self._among.discard(self)
            self.over.set()


class _End(asyncio.Protocol):
    other: "_End"

    def __init__(self, relay: _Relay) -> None:
        self._relay = relay
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []
        self.has_ended = False
        self.is_gone = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        early, self._early = self._early, []
        for octets in early:
            transport.write(octets)
        if self.other.has_ended:
            transport.write_eof()

    def data_received(self, data: bytes) -> None:
        self.other.write(data)

    def eof_received(self) -> bool:
        self.has_ended = True
        self.other.write_eof()
        self._relay.ended()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._relay.lost(self)

    def pause_writing(self) -> None:
        if self.other._transport is not None:
            self.other._transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other._transport is not None:
            self.other._transport.resume_reading()

    def write(self, octets: bytes) -> None:
        if self._transport is None:
            # The server speaks first and its client is not taken up yet.
            self._early.append(octets)
        else:
            self._transport.write(octets)

    def write_eof(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write_eof()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        if self._transport is None:
            self.is_gone = True
        elif not self.is_gone:
            sock = self._transport.get_extra_info("socket")
            if sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()


class UdpDoor:
    """A bound socket of another network, from now on ours, in front of a UDP server of this one."""

    def __init__(self, sock: socket.socket, server: tuple[str, int]) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._server = server
        self._clients: dict[tuple[str, int], tuple[socket.socket, float]] = {}
        self._loop.add_reader(sock, self._read_clients)

    def _read_clients(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                payload, client = self._sock.recvfrom(_LONGEST)
            except OSError:
                return
            self._send(self._towards(client), payload)

    def _towards(self, client: tuple[str, int]) -> socket.socket:
        now = self._loop.time()
        known = self._clients.pop(client, None)
        # The order is that of the last word: the first ones have been silent for longest.
        while self._clients and (len(self._clients) >= _MOST_CLIENTS or self._oldest() < now - _IDLE_S):
            self._forget(next(iter(self._clients)))
        if known is None:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setblocking(False)
            sock.connect(self._server)
            self._loop.add_reader(sock, self._read_server, sock, client)
        else:
            sock = known[0]
        self._clients[client] = (sock, now)
        return sock

    def _oldest(self) -> float:
        return next(iter(self._clients.values()))[1]

    def _read_server(self, sock: socket.socket, client: tuple[str, int]) -> None:
        for _ in range(_AT_ONCE):
            try:
                payload = sock.recv(_LONGEST)
            except OSError:
                return
            try:
                self._sock.sendto(payload, client)
            except OSError:
                continue  # a datagram that cannot leave is a lost one

    def _send(self, sock: socket.socket, payload: bytes) -> None:
        try:
            sock.send(payload)
        except OSError:
            return

    def _forget(self, client: tuple[str, int]) -> None:
        sock, _ = self._clients.pop(client)
        self._loop.remove_reader(sock)
        sock.close()

    def cut_off(self) -> int:
        """There is no connection to reset."""
        return 0

    def close(self) -> None:
        """Close it and all that stands behind it."""
        self._loop.remove_reader(self._sock)
        self._sock.close()
        for client in tuple(self._clients):
            self._forget(client)

    async def closed(self) -> None:
        """At once."""


def _reset_socket(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
