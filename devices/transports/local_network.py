"""The local network as a program meets it: with the home behind doors that can be shut, as a platform's privacy does.

The program runs in a network namespace. Every server of the home is there at the same address and port, so whatever
the program was told holds inside. While the local network is denied, the kernel refuses to send to any accessory's
port, to a group or to everybody: the call itself fails with EHOSTUNREACH (113, "No route to host"). What is no
accessory (control API, HCI, air) stays open.

How the refusal comes about: an IPsec policy asks for a tunnel to an address without a route, so that looking up the way
of a packet ends in EHOSTUNREACH, and the kernel counts it. It holds for multicast with an explicit interface, too, for
which Linux consults no route.
"""

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Literal, Self

from devices.errors import TransportUnavailableError
from devices.transports.doors import TcpDoor, UdpDoor
from devices.transports.network_namespace import NetworkNamespace
from devices.transports.sockets import watch_sockets

Reject = Literal["no-route", "refused"]
_ANY = "0.0.0.0"  # noqa: S104  # compared with what servers bind
_LOOPBACK = "127.0.0.1"
_BACKLOG = 100
# TEST-NET-1 (RFC 5737): nobody has a route to it in there.
_NO_WAY = "dir out tmpl src 0.0.0.0 dst 192.0.2.1 proto esp mode tunnel"
_GROUPS = ("224.0.0.0/4", "255.255.255.255/32")
_ELSEWHERE = ("default metric 4000", "::/0 metric 4000")


@dataclass(slots=True)
class _Server:
    """A server of the home, and its door where that is open."""

    kind: Literal["tcp", "udp"]
    host: str
    port: int
    on_lan: bool
    door: TcpDoor | UdpDoor | None = field(default=None, repr=False)


class LocalNetwork:
    """One namespace and its doors; a `SocketWatcher`. Open it before the home, close it after the programs in it."""

    def __init__(self, namespace: NetworkNamespace) -> None:
        self._namespace = namespace
        self._servers: dict[int, _Server] = {}
        self._denied: Reject | None = None
        self._counted = 0

    @classmethod
    async def open(cls) -> Self:
        """Granted at first, and told of every server that this task and its children open from now on.

        Raises TransportUnavailableError where the host has no such thing.
        """
        made = cls(await NetworkNamespace.open())
        try:
            made._namespace.configure(["route add 224.0.0.0/4 dev lo"])
            made._try()
        except BaseException:
            await made.close()
            raise
        watch_sockets(made)
        return made

    def _try(self) -> None:
        """Whether this kernel can refuse is tried at once, and not in the middle of a story."""
        try:
            self.deny("no-route")
        except TransportUnavailableError as problem:
            raise TransportUnavailableError(
                f"{problem}; a program is kept from the local network by IPsec policies: modprobe xfrm_user"
            ) from None
        self.grant()

    @property
    def is_denied(self) -> bool:
        """Whether the local network is out of the program's reach now."""
        return self._denied is not None

    def entry(self) -> Sequence[str]:
        """The words before a command that make it run behind the doors."""
        return self._namespace.entry()

    def udp_socket(self) -> socket.socket:
        """A UDP socket in there: where the home's multicast DNS meets the program."""
        return self._namespace.new_socket("udp")

    def adopt(self, addresses: Iterable[IPv4Address]) -> None:
        """Addresses of this host that the home advertises: they are its addresses in there, too."""
        lines = [f"addr add {each}/32 dev lo" for each in addresses if not each.is_loopback]
        if lines:
            self._namespace.configure(lines)

    def admit(self, host: str, port: int) -> None:
        """A TCP server that is no socket of a watched task, and not on the local network."""
        server = _Server("tcp", host, port, on_lan=False)
        self._servers[id(server)] = server
        self._open_door(server)

    # As a watcher of sockets.

    def opened(self, sock: socket.socket, *, on_lan: bool) -> None:
        """Stand in front of it at once, so that whoever is told of it can go there."""
        if id(sock) in self._servers:
            return
        host, port = sock.getsockname()[:2]
        server = _Server("tcp" if sock.type == socket.SOCK_STREAM else "udp", host, port, on_lan)
        self._servers[id(sock)] = server
        if self._denied == "no-route" and on_lan:
            self._namespace.configure([_policy("update", server)])
        if self._denied != "refused" or not on_lan:
            self._open_door(server)

    def closed(self, sock: socket.socket) -> None:
        """Its door is shut, too."""
        server = self._servers.pop(id(sock), None)
        if server is None:
            return
        if server.door is not None:
            server.door.close()
        shared = any((each.kind, each.port) == (server.kind, server.port) for each in self._servers.values())
        if self._denied == "no-route" and server.on_lan and not shared:
            self._namespace.configure([_policy("delete", server)])

    def _open_door(self, server: _Server) -> None:
        sock = self._namespace.new_socket(server.kind)
        try:
            sock.setblocking(False)
            if server.kind == "tcp":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((server.host, server.port))
            if server.kind == "tcp":
                sock.listen(_BACKLOG)
        except OSError as problem:
            sock.close()
            raise TransportUnavailableError(
                f"{server.kind} {server.host}:{server.port} of the home cannot be had beside the program, which may"
                f" use that port itself: {problem.strerror}"
            ) from None
        behind = (_LOOPBACK if server.host == _ANY else server.host, server.port)
        server.door = TcpDoor(sock, behind) if server.kind == "tcp" else UdpDoor(sock, behind)

    # The privilege.

    def deny(self, reject: Reject) -> int:
        """Shut the local network off; the number of connections that were reset."""
        if self._denied is not None:
            self.grant()
        local = [each for each in self._servers.values() if each.on_lan]
        self._namespace.configure(
            [
                *(f"xfrm policy update src 0.0.0.0/0 dst {each} {_NO_WAY}" for each in _GROUPS),
                *(f"route add unreachable {each}" for each in _ELSEWHERE),
                *(_policy("update", each) for each in local if reject == "no-route"),
            ]
        )
        self._denied = reject
        self._counted = self._count()
        cut = 0
        for each in local:
            if each.door is not None:
                cut += each.door.cut_off()
                if reject == "refused":
                    each.door.close()
                    each.door = None
        return cut

    def grant(self) -> None:
        """Open it again: the next call works."""
        if self._denied is None:
            return
        self._denied = None
        self._namespace.configure(["xfrm policy flush", *(f"route delete unreachable {each}" for each in _ELSEWHERE)])
        for each in self._servers.values():
            if each.door is None:
                self._open_door(each)

    def refused(self) -> int:
        """How many calls of the program were refused since this was asked last, or since the denial began."""
        if self._denied is None:
            return 0
        before, self._counted = self._counted, self._count()
        return self._counted - before

    def _count(self) -> int:
        calls = self._namespace.counter("xfrm_stat", "XfrmOutPolError")
        # Who is refused by a host meets no policy; the kernel counts that it tried in vain.
        return calls + (self._namespace.counter("snmp", "AttemptFails") if self._denied == "refused" else 0)

    async def close(self) -> None:
        """Shut every door for good; what is left of the namespace goes with its last program."""
        servers, self._servers = list(self._servers.values()), {}
        for each in servers:
            if each.door is not None:
                each.door.close()
                await each.door.closed()
        await self._namespace.close()


def _policy(what: Literal["update", "delete"], server: _Server) -> str:
    selector = f"src 0.0.0.0/0 dst 0.0.0.0/0 proto {server.kind} dport {server.port}"
    return f"xfrm policy {what} {selector} {_NO_WAY if what == 'update' else 'dir out'}"
