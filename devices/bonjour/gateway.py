"""The door between engines and the real link: multicast DNS datagrams out and in, on the interfaces of a reach.

Datagrams that come back because multicast is looped to the sender are dropped here, since inside a home the simulated
lan has delivered them already. Many at once are spread over time, or a browser on this machine would lose every second
one in its receive buffer. What the datagrams say is the engines' business.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from devices.bonjour.interfaces import Interface, interfaces_of
from devices.bonjour.sockets import REFUSED, SocketPair, explained, open_pair
from devices.errors import TransportUnavailableError
from devices.spec import Reach
from pairing.dnssd.names import IpAddress
from pairing.dnssd.service import GROUP_V4, GROUP_V6, MDNS_PORT, Link
from pairing.engine import Address, Endpoint

Receive: TypeAlias = Callable[[bytes, Endpoint], None]

ECHO_LIFE = 5.0
"""Seconds after which a copy of our own packet is no longer waited for."""
MAX_ECHOES = 4096
BURST = 160_000
"""Bytes that may leave at once: two thirds of Linux's default receive buffer."""
RATE = 1_750_000
"""Bytes a second after that: what python-zeroconf was seen to digest on a slow machine."""
TICK = 0.01
PACKET_OVERHEAD = 1024
"""What a small packet takes up in a receive buffer beside its own bytes."""


def _none(_interfaces: tuple[Interface, ...]) -> list[SocketPair]:
    return []


class MdnsGateway:
    """Real multicast DNS sockets. `open`, then `send` and whatever `receive` is called with, then `close`."""

    def __init__(self, reach: Reach = "loopback", *, advertise_ipv6: bool = True) -> None:
        self._reach = reach
        self._advertise_ipv6 = advertise_ipv6
        self._links: tuple[Link, ...] = ()
        self._doors: dict[tuple[str, bool], _Door] = {}
        self._own_hosts: frozenset[str] = frozenset()
        self._pace = _Pace()
        self._silent: set[str] = set()

    async def open(self, receive: Receive, more: Callable[[tuple[Interface, ...]], list[SocketPair]] = _none) -> None:
        """Open the sockets; raises TransportUnavailableError if not one interface of the reach carries multicast.

        `more` gives links of another network, once it is known which interfaces there are here.
        """
        interfaces = interfaces_of(self._reach)
        pairs = self._open_pairs(interfaces)
        try:
            pairs += more(interfaces)
        except BaseException:
            _close_all(pairs)
            raise
        self._own_hosts = frozenset(
            str(address) for pair in pairs for address in (*pair.interface.v4, *pair.interface.v6)
        )
        for pair in pairs:
            self._doors[pair.interface.name, pair.is_v6] = _Door(pair, self, receive)
        try:
            for door in self._doors.values():
                await door.open()
        except BaseException:
            await self.close()
            raise
        self._links = tuple(self._link(interface) for interface in dict.fromkeys(pair.interface for pair in pairs))

    def links(self) -> tuple[Link, ...]:
        """The links as engines want them; empty while closed."""
        return self._links

    def send(self, payload: bytes, to: Address) -> None:
        """Send to a group or a host on the link that `to` names. On a link that is not here, nothing happens."""
        if not isinstance(to, Endpoint):
            return
        link = to.link or (self._links[0].name if self._links else "")
        door = self._doors.get((link, ":" in to.host))
        if door is not None and link not in self._silent:
            self._pace.send(door, payload, to)

    def silence(self, link: str, *, is_silent: bool) -> None:
        """Neither speak nor hear on a link, or do so again."""
        (self._silent.add if is_silent else self._silent.discard)(link)

    def hears(self, link: str) -> bool:
        """Whether it is not silenced there."""
        return link not in self._silent

    async def close(self) -> None:
        """Send what is still held back, then close every socket."""
        await self._pace.finish()
        doors, self._doors, self._links = list(self._doors.values()), {}, ()
        for door in doors:
            await door.close()

    def is_echo(self, payload: bytes, source: Endpoint, door: "_Door") -> bool:
        """Whether a datagram that a door heard is a copy of one that we sent."""
        if source.port != MDNS_PORT or source.host not in self._own_hosts:
            return False
        if door.echoes.arrived(payload):
            return True
        # Two interfaces on one network hear each other.
        return any(other.echoes.awaits(payload) for other in self._doors.values() if other is not door)

    def _open_pairs(self, interfaces: tuple[Interface, ...]) -> list[SocketPair]:
        pairs: list[SocketPair] = []
        refusal: TransportUnavailableError | None = None
        for interface in interfaces:
            families = [False] * bool(interface.v4) + [True] * bool(interface.v6)
            for is_v6 in families:
                try:
                    pairs.append(open_pair(interface, is_v6=is_v6))
                except OSError as error:
                    refusal = refusal or explained(f"{interface.name} ({'IPv6' if is_v6 else 'IPv4'})", error)
                    if error.errno in REFUSED:
                        _close_all(pairs)
                        raise refusal from error
            is_asked_for = self._reach not in ("all", "loopback")
            if is_asked_for and refusal is not None and not any(pair.interface is interface for pair in pairs):
                _close_all(pairs)
                raise refusal
        if not pairs:
            raise refusal or TransportUnavailableError("multicast DNS: no interface with an address")
        return pairs

    def _link(self, interface: Interface) -> Link:
        families = [is_v6 for (name, is_v6) in self._doors if name == interface.name]
        groups = tuple(Endpoint(GROUP_V6 if v6 else GROUP_V4, MDNS_PORT, interface.name) for v6 in families)
        speaks_v6 = self._advertise_ipv6 and (True in families or not interface.is_loopback)
        addresses: tuple[IpAddress, ...] = (*interface.v4, *interface.v6) if speaks_v6 else interface.v4
        return Link(interface.name, groups, addresses)


def _close_all(pairs: list[SocketPair]) -> None:
    for pair in pairs:
        pair.hearing.close()
        pair.speaking.close()


class _Echoes:
    """How many copies of which packets will come back to one socket."""

    def __init__(self) -> None:
        self._awaited: dict[bytes, tuple[int, float]] = {}

    def sent(self, payload: bytes, now: float) -> None:
        count, _ = self._awaited.pop(payload, (0, 0.0))
        self._awaited[payload] = (count + 1, now + ECHO_LIFE)
        while len(self._awaited) > MAX_ECHOES or next(iter(self._awaited.values()))[1] < now:
            del self._awaited[next(iter(self._awaited))]

    def arrived(self, payload: bytes) -> bool:
        """One copy fewer to wait for; False if none was awaited."""
        count, until = self._awaited.get(payload, (0, 0.0))
        if count > 1:
            self._awaited[payload] = (count - 1, until)
        elif count:
            del self._awaited[payload]
        return count > 0

    def awaits(self, payload: bytes) -> bool:
        return payload in self._awaited


class _Pace:
    """Lets packets through in order: a burst at once, the rest at a steady rate."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[_Door, bytes, Endpoint]] = deque()
        self._room: float = BURST
        self._filled_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    def send(self, door: "_Door", payload: bytes, to: Endpoint) -> None:
        self._waiting.append((door, payload, to))
        if self._timer is None:
            self._let_through()

    def _let_through(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        self._room = min(BURST, self._room + (loop.time() - self._filled_at) * RATE)
        self._filled_at = loop.time()
        while self._waiting and self._room > 0:
            door, payload, to = self._waiting.popleft()
            self._room -= len(payload) + PACKET_OVERHEAD
            door.send(payload, to)
        if self._waiting:
            self._timer = loop.call_later(TICK, self._let_through)
            self._is_empty.clear()
        else:
            self._is_empty.set()

    async def finish(self) -> None:
        """Return once nothing waits."""
        await self._is_empty.wait()


class _Door:
    """The sockets of one interface and family, on the event loop."""

    def __init__(self, pair: SocketPair, gateway: MdnsGateway, receive: Receive) -> None:
        self.echoes = _Echoes()
        self._pair = pair
        self._gateway = gateway
        self._receive = receive
        self._hearing: asyncio.DatagramTransport | None = None
        self._speaking: asyncio.DatagramTransport | None = None
        self._gone: list[asyncio.Future[None]] = []

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._hearing, _ = await loop.create_datagram_endpoint(self._protocol, sock=self._pair.hearing)
        self._speaking, _ = await loop.create_datagram_endpoint(self._protocol, sock=self._pair.speaking)

    def _protocol(self) -> "_Protocol":
        gone = asyncio.get_running_loop().create_future()
        self._gone.append(gone)
        return _Protocol(self, gone)

    def send(self, payload: bytes, to: Endpoint) -> None:
        if self._speaking is None:
            return
        if to.host in (GROUP_V4, GROUP_V6):
            self.echoes.sent(payload, asyncio.get_running_loop().time())
        self._speaking.sendto(payload, self._pair.target(to.host, to.port))

    def heard(self, payload: bytes, host: str, port: int) -> None:
        source = Endpoint(host.partition("%")[0], port, self._pair.interface.name)
        if self._gateway.hears(source.link) and not self._gateway.is_echo(payload, source, self):
            self._receive(payload, source)

    async def close(self) -> None:
        for transport, sock in ((self._hearing, self._pair.hearing), (self._speaking, self._pair.speaking)):
            if transport is None:
                sock.close()
            else:
                transport.close()
        self._hearing = self._speaking = None
        await asyncio.gather(*self._gone)
        self._gone.clear()


class _Protocol(asyncio.DatagramProtocol):
    """Hands what a socket brings to its door."""

    def __init__(self, door: _Door, gone: asyncio.Future[None]) -> None:
        self._door = door
        self._gone = gone

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._door.heard(data, addr[0], addr[1])

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._gone.done():
            self._gone.set_result(None)

    # error_received is left out: a datagram that could not leave is a lost datagram, and engines repeat.
