"""The UDP sockets of multicast DNS on one interface and family.

Two sockets for each: one bound to the group hears multicast of this interface alone, one bound to the interface's own
address speaks and hears unicast. Neither takes datagrams that are meant for other addresses of the host, so a system
responder beside us keeps its own traffic.
Source: RFC 6762 sections 11 (TTL 255), 15.1 (sharing the port).
"""

import contextlib
import errno
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass

from devices.bonjour.interfaces import Interface
from devices.errors import TransportUnavailableError
from pairing.dnssd.service import GROUP_V4, GROUP_V6, MDNS_PORT

REFUSED = frozenset({errno.EADDRINUSE, errno.EACCES, errno.EPERM})
"""Errors that no other interface or family makes good: the port is not to be had."""
RECEIVE_BUFFER = 4 * 1024 * 1024
# Linux names that Python's socket module has not.
_SO_RCVBUFFORCE = 33
_IP_MULTICAST_ALL = 49
_IPV6_MULTICAST_ALL = 29


@dataclass(frozen=True, slots=True)
class SocketPair:
    """Hears the group on one interface, and speaks from its address."""

    interface: Interface
    is_v6: bool
    hearing: socket.socket
    speaking: socket.socket

    def target(self, host: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
        """The address to give to `sendto`."""
        return (host, port, 0, self.interface.index) if self.is_v6 else (host, port)


def open_pair(interface: Interface, *, is_v6: bool, make: Callable[[], socket.socket] | None = None) -> SocketPair:
    """Open both sockets, or raise OSError and leave none open. `make` gives them where they are of another network."""
    with contextlib.ExitStack() as cleanup:
        hearing = cleanup.enter_context(_udp(is_v6, make))
        speaking = cleanup.enter_context(_udp(is_v6, make))
        if is_v6:
            _join_v6(interface, hearing, speaking)
        else:
            _join_v4(interface, hearing, speaking)
        _enlarge(hearing)
        _enlarge(speaking)
        cleanup.pop_all()
    return SocketPair(interface, is_v6, hearing, speaking)


def explained(what: str, error: OSError) -> TransportUnavailableError:
    """The error that says what is taken or missing, and what to do."""
    forbidden = "the system forbids it: check firewall, sandbox and the local network privilege"
    hints = {
        errno.EADDRINUSE: (
            f"UDP port {MDNS_PORT} is held by a program that does not share it; find it with"
            f" `lsof -nP -iUDP:{MDNS_PORT}`, and with avahi set disallow-other-stacks=no"
        ),
        errno.EACCES: forbidden,
        errno.EPERM: forbidden,
        errno.ENOBUFS: "too many group memberships: raise net.ipv4.igmp_max_memberships",
    }
    hint = hints.get(error.errno or 0, "the interface carries no multicast; choose another reach")
    return TransportUnavailableError(f"multicast DNS on {what}: {error.strerror or error}: {hint}")


def _udp(is_v6: bool, make: Callable[[], socket.socket] | None = None) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_DGRAM) if make is None else make()
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "SO_REUSEPORT"):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return sock


def _join_v4(interface: Interface, hearing: socket.socket, speaking: socket.socket) -> None:
    own = interface.v4[0].packed
    hearing.bind((GROUP_V4, MDNS_PORT))
    if sys.platform == "linux":
        hearing.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
    hearing.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP_V4) + own)
    speaking.bind((str(interface.v4[0]), MDNS_PORT))
    speaking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
    speaking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    speaking.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
    speaking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)


def _join_v6(interface: Interface, hearing: socket.socket, speaking: socket.socket) -> None:
    source = interface.v6_source
    group = socket.inet_pton(socket.AF_INET6, GROUP_V6)
    for sock in (hearing, speaking):
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    hearing.bind((GROUP_V6, MDNS_PORT, 0, interface.index))
    if sys.platform == "linux":
        hearing.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
    hearing.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + struct.pack("@I", interface.index))
    scope = interface.index if source is not None and source.is_link_local else 0
    speaking.bind((str(source), MDNS_PORT, 0, scope))
    speaking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, interface.index)
    speaking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    speaking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 255)
    speaking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 1)
    with _udp(is_v6=True) as trial:  # connecting sends nothing, but fails where there is no route, as on Linux's lo
        # pytest-socket replaces `connect` and refuses groups; the inherited method is the system's own.
        super(socket.socket, trial).connect((GROUP_V6, MDNS_PORT, 0, interface.index))


def _enlarge(sock: socket.socket) -> None:
    """A large receive buffer: a thousand services answer at once."""
    if sys.platform == "linux":
        try:
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
            return
        except PermissionError:
            pass  # without CAP_NET_ADMIN the system's limit holds
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    except OSError:
        pass  # macOS refuses what exceeds its limit; the default still works
