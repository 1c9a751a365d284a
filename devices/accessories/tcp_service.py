"""Where a service of an accessory listens for TCP: a socket in real time, the home's lan in virtual time.

Wire faults act on both. With it goes the service's advert by Bonjour, and the ways in which a server misbehaves.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from devices.accessories.bonjour_presence import BonjourPresence
from devices.actor import Actor
from devices.errors import HomeFileError
from devices.media.medium import Flight
from devices.media.socket_wire import SocketWire
from devices.spec import slug
from devices.transports.reach import bind_hosts, shown_host
from devices.transports.sockets import listen_tcp
from pairing.dnssd.service import ServiceInstance
from pairing.dnssd.txt import TxtRecord
from pairing.engine import Endpoint, Micros
from pairing.errors import EncodeError

_FIRST_DYNAMIC_PORT, _DYNAMIC_PORTS = 49_152, 65_536 - 49_152


class TcpDoor:
    """One listening port. `port` is the one in use while it is open, else 0."""

    def __init__(self, owner: Actor, port: int, *, explicit: bool) -> None:
        self.port = 0
        self._owner = owner
        self._wanted = 0 if owner.site.free_ports and owner.site.real else port
        self._explicit = explicit
        self._servers: list[asyncio.Server] = []
        self._wire: SocketWire | None = None

    @property
    def place(self) -> str:
        """host:port; empty while it is shut."""
        return f"{self._host()}:{self.port}" if self.port else ""

    async def open(self, accept: Callable[[], asyncio.BaseProtocol]) -> None:
        """Listen. Raises TransportUnavailableError."""
        owner, site = self._owner, self._owner.site
        if not site.real:
            drawn = site.chance.stream(f"accessory/{owner.id}/ports").randrange(_DYNAMIC_PORTS)
            self.port = self._wanted or _FIRST_DYNAMIC_PORT + drawn
            site.lan.tcp.listen(Endpoint(self._host(), self.port), accept)
            return
        wire = self._wire = SocketWire(site.lan, owner.id)
        loop = asyncio.get_running_loop()
        for host in bind_hosts(site.reach):
            sock = listen_tcp(host, self.port or self._wanted, owner.id, explicit=self._explicit or bool(self.port))
            self._servers.append(await loop.create_server(lambda: wire.protocol(accept()), sock=sock))
            self.port = int(sock.getsockname()[1])

    def close(self) -> None:
        """Refuse from now on; connections are the service's to end."""
        site = self._owner.site
        if not site.real and self.port:
            site.lan.tcp.unlisten(Endpoint(self._host(), self.port))
        for server in self._servers:
            server.close()
        self._servers.clear()
        if self._wire is not None:
            self._wire.close()
            self._wire = None
        self.port = 0

    def _host(self) -> str:
        site = self._owner.site
        return shown_host(bind_hosts(site.reach)[0]) if site.real else site.lan.host_of(self._owner.id)


class Advert:
    """One service said by Bonjour while it is open."""

    def __init__(self, owner: Actor, service: str, txt: Sequence[tuple[str, bytes]] = ()) -> None:
        self._owner = owner
        self._service = service
        self._txt = TxtRecord.of([("id", owner.id.encode()), *txt]).encode()
        self._presence = BonjourPresence(owner)
        try:
            self._instance(1)
        except EncodeError as problem:
            raise HomeFileError(f"accessory {owner.id!r}: service: {problem}") from None

    def start(self, port: int) -> None:
        """Join the lan and publish."""
        self._presence.join()
        self._presence.publish(self._instance(port))

    def stop(self, *, goodbye: bool) -> None:
        """Leave the lan, with a goodbye or without a word."""
        self._presence.leave(goodbye=goodbye)

    def _instance(self, port: int) -> ServiceInstance:
        owner = self._owner
        return ServiceInstance(owner.name, self._service, slug(owner.id), port, txt=self._txt)


@dataclass(frozen=True, slots=True)
class OwnStall:
    """A rule on the lan: nothing passes to or from an actor until `until_us`, and nobody is told."""

    actor: str
    until_us: Micros
    direction: Literal["in", "out", "both"]
    ending: Literal["resume", "lost"]

    def apply(self, flight: Flight) -> Sequence[Flight]:
        """As a rule: what comes during the stall waits, or is lost."""
        if not self._holds(flight):
            return (flight,)
        return () if self.ending == "lost" else (replace(flight, arrives_us=max(flight.arrives_us, self.until_us)),)

    def forgets(self, flight: Flight) -> bool:
        """Whether who closes now is not heard of again."""
        return self.ending == "lost" and self._holds(flight)

    def _holds(self, flight: Flight) -> bool:
        if flight.departs_us >= self.until_us:
            return False
        is_in, is_out = flight.receiver == self.actor, flight.sender == self.actor
        return (is_in and self.direction != "out") or (is_out and self.direction != "in")


def start_stall(
    owner: Actor, duration_us: Micros, direction: Literal["in", "out", "both"], ending: Literal["resume", "lost"]
) -> None:
    """Put a stall in force; it ends by itself."""
    lan, clock = owner.site.lan, owner.site.clock
    rule = OwnStall(owner.id, clock.now() + duration_us, direction, ending)
    lan.rules.append(rule)
    clock.call_later(duration_us, lambda: lan.rules.remove(rule))
