"""Bound sockets: TCP listeners and silent UDP ports, with errors that name what is taken."""

import errno
import socket
from collections.abc import Sequence

from devices.errors import TransportUnavailableError

_NEXT_PORTS = 200
_BACKLOG = 100


def _bind(kind: socket.SocketKind, host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, kind)
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


def listen_tcp(host: str, port: int, what: str, *, explicit: bool) -> socket.socket:
    """A listening TCP socket; port 0 = any. A default port that is taken gives the next free one.

    Raises TransportUnavailableError, which names the port, where an explicit one is taken.
    """
    candidates: Sequence[int] = (port,) if explicit or port == 0 else range(port, port + _NEXT_PORTS)
    for candidate in candidates:
        try:
            return _bind(socket.SOCK_STREAM, host, candidate)
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
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except OSError as problem:
        sock.close()
        raise TransportUnavailableError(f"{what}: cannot bind {host}:{port}: {problem.strerror}") from None
    return sock


def bind_udp(host: str, port: int, what: str) -> socket.socket:
    """A bound UDP socket that nobody reads; port 0 = any. Raises TransportUnavailableError."""
    try:
        return _bind(socket.SOCK_DGRAM, host, port)
    except OSError as problem:
        reason = "is taken by another program" if problem.errno == errno.EADDRINUSE else f"fails: {problem.strerror}"
        raise TransportUnavailableError(
            f"{what}: UDP port {port} on {host} {reason}; choose another port (0 = any)"
        ) from None
