"""Bound sockets: TCP listeners and silent UDP ports, with errors that name what is taken.

Somebody may watch which servers there are (`watch_sockets`), in order to stand in front of them.
"""

import errno
import socket
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Protocol

from devices.errors import TransportUnavailableError

_NEXT_PORTS = 200
_BACKLOG = 100


class SocketWatcher(Protocol):
    """Is told of every server that opens, before anybody else is, and of its end."""

    def opened(self, sock: socket.socket, *, on_lan: bool) -> None:
        """A TCP socket listens, or a UDP socket is bound; `on_lan` unless it is no accessory's."""

    def closed(self, sock: socket.socket) -> None:
        """It is being closed."""


_WATCHER: ContextVar[SocketWatcher | None] = ContextVar("watcher", default=None)


def watch_sockets(watcher: SocketWatcher) -> None:
    """From now on, in this task and in all that it starts."""
    _WATCHER.set(watcher)


class _Watched(socket.socket):
    """Tells its watcher, if it has one."""

    watcher: SocketWatcher | None = None
    on_lan = True

    def bind(self, address: object) -> None:
        super().bind(address)  # type: ignore[arg-type]  # typeshed's name for it is private
        if self.type == socket.SOCK_DGRAM and self.watcher is not None:
            self.watcher.opened(self, on_lan=self.on_lan)

    def listen(self, backlog: int = _BACKLOG, /) -> None:
        super().listen(backlog)
        if self.watcher is not None:
            self.watcher.opened(self, on_lan=self.on_lan)

    def close(self) -> None:
        if self.watcher is not None:
            self.watcher.closed(self)
        super().close()


def _socket(kind: socket.SocketKind, *, on_lan: bool) -> socket.socket:
    watcher = _WATCHER.get()
    if watcher is None:
        return socket.socket(socket.AF_INET, kind)
    sock = _Watched(socket.AF_INET, kind)
    sock.watcher, sock.on_lan = watcher, on_lan
    return sock


def _bind(kind: socket.SocketKind, host: str, port: int, *, on_lan: bool) -> socket.socket:
    sock = _socket(kind, on_lan=on_lan)
    try:
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind((host, port))
        if kind == socket.SOCK_STREAM:
            sock.listen(_BACKLOG)  # two programs may bind one port; it belongs to the one that listens
    except BaseException:
        sock.close()
        raise
    return sock


def listen_tcp(host: str, port: int, what: str, *, explicit: bool, on_lan: bool = True) -> socket.socket:
    """A listening TCP socket; port 0 = any. A default port that is taken gives the next free one.

    `on_lan` is False where it stands for no accessory on the local network.

    Raises TransportUnavailableError, which names the port, where an explicit one is taken.
    """
    candidates: Sequence[int] = (port,) if explicit or port == 0 else range(port, port + _NEXT_PORTS)
    for candidate in candidates:
        try:
            return _bind(socket.SOCK_STREAM, host, candidate, on_lan=on_lan)
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE:
                raise TransportUnavailableError(
                    f"{what}: cannot listen on {host}:{candidate}: {problem.strerror}"
                ) from None
    if explicit:
        raise TransportUnavailableError(
            f"{what}: port {port} on {host} is taken by another program; end it, or choose another port (0 = any)"
        )
    raise TransportUnavailableError(f"{what}: no free port on {host} from {port} to {port + _NEXT_PORTS - 1}")


def reserve_tcp(host: str, port: int, what: str) -> socket.socket:
    """A port that refuses every connection until somebody listens there; 0 = any. Raises TransportUnavailableError."""
    sock = _socket(socket.SOCK_STREAM, on_lan=True)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except OSError as problem:
        sock.close()
        raise TransportUnavailableError(f"{what}: cannot bind {host}:{port}: {problem.strerror}") from None
    return sock


def bind_udp(host: str, port: int, what: str, *, on_lan: bool = True) -> socket.socket:
    """A bound UDP socket that nobody reads; port 0 = any. Raises TransportUnavailableError."""
    try:
        return _bind(socket.SOCK_DGRAM, host, port, on_lan=on_lan)
    except OSError as problem:
        reason = "is taken by another program" if problem.errno == errno.EADDRINUSE else f"fails: {problem.strerror}"
        raise TransportUnavailableError(
            f"{what}: UDP port {port} on {host} {reason}; choose another port (0 = any)"
        ) from None
