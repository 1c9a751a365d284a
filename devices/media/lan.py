"""The home's IP network: unicast by endpoint, multicast to all, and a gateway where the real network begins.

In a real-time home the gateway port forwards what leaves the home and brings in what arrives; in a virtual home there
is none. Here each actor has an IPv4 address of the blocks set aside for documentation and benchmarks; what it
advertises in a real-time home are the host's own addresses.
"""

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address

from devices.errors import MediumError
from devices.media.medium import Flight, Medium, MediumPort, Receive, Tap
from devices.media.socket_wire import GATEWAY as GATEWAY
from devices.media.tcp_lan import VirtualTcp
from devices.sim.clock import Clock
from pairing.dnssd.service import GROUP_V4, GROUP_V6, MDNS_PORT, Link
from pairing.engine import Address, Endpoint

LATENCY_US = 1_000
_VIRTUAL_LINK = "lan"
_BLOCKS = ("192.0.2", "198.51.100", "203.0.113", *(f"198.18.{third}" for third in range(256)))
_HOSTS_PER_BLOCK = 250


class Lan(Medium):
    """IP multicast and unicast; a frame takes a millisecond in virtual time and nothing in real time."""

    def __init__(self, clock: Clock, taps: Iterable[Tap] = ()) -> None:
        super().__init__("lan", clock, taps)
        self.latency_us = LATENCY_US if clock.virtual else 0
        self._hosts: dict[str, str] = {}
        self._actors: dict[str, str] = {}
        self.tcp = VirtualTcp(self, self._actors.get)
        """Connections in virtual time."""
        self._gateway: MediumPort | None = None
        self._gateway_links: tuple[Link, ...] = ()

    def host_of(self, actor: str) -> str:
        """The actor's IPv4 address on this network; the first call gives out the next free one."""
        if actor not in self._hosts:
            block, host = divmod(len(self._hosts), _HOSTS_PER_BLOCK)
            if block >= len(_BLOCKS):
                raise MediumError(f"lan: no address left for {actor}; {len(self._hosts)} are in use")
            self._hosts[actor] = f"{_BLOCKS[block]}.{host + 1}"
            self._actors[self._hosts[actor]] = actor
        return self._hosts[actor]

    def links_for(self, actor: str) -> Sequence[Link]:
        """The links on which the actor speaks multicast DNS, with the addresses it advertises there."""
        if self._gateway_links:
            return self._gateway_links
        return (Link.of(_VIRTUAL_LINK, (IPv4Address(self.host_of(actor)),)),)

    def join(self, actor: str, receive: Receive) -> MediumPort:
        """A port for the actor's multicast DNS."""
        home_link = self.links_for(actor)[0].name
        return self.attach(actor, (Endpoint(self.host_of(actor), MDNS_PORT, home_link),), receive)

    def open_gateway(self, links: Sequence[Link], forward: Callable[[Flight], None]) -> MediumPort:
        """Where the real network begins: `forward` is called for every frame that leaves the home."""
        self._gateway_links = tuple(links)
        self._gateway = self.attach(GATEWAY, (Endpoint(GATEWAY, MDNS_PORT),), forward)
        return self._gateway

    def bring_in(self, payload: bytes, source: Endpoint) -> None:
        """A datagram from the real network, for every port of the home."""
        if self._gateway is not None:
            self.carry(self._gateway, payload, Endpoint(GROUP_V4, MDNS_PORT, source.link), source)

    def pass_by(
        self,
        sender: str,
        receiver: str,
        source: Endpoint,
        to: Endpoint,
        payload: bytes,
        deliver: Callable[[bytes], None],
    ) -> None:
        """A datagram between a socket of the home and the real network: it is recorded, and wire faults act on it."""
        now = self.clock.now()
        for tap in self._taps:
            tap.sent(self.name, sender, source, to, payload)
        self.hand_over(Flight(self.name, sender, receiver, source, to, payload, now, now), deliver)

    def listeners(self, sender: MediumPort, to: Address) -> Iterable[MediumPort]:
        """A group reaches all who have that port, a host its own; whatever nobody here owns goes to the gateway."""
        if not isinstance(to, Endpoint):
            raise MediumError(f"lan: carries datagrams between endpoints, not to {to!r}")
        if to.host in (GROUP_V4, GROUP_V6):
            inside = sender is self._gateway or self._is_home_copy(to)
            return [
                port
                for port in self._ports
                if port is not sender and (port is self._gateway or (inside and self._hears(port, sender, to)))
            ]
        owner = self._actors.get(to.host)
        if owner is not None:
            return [
                port for port in self._ports if port.actor == owner and port is not sender and _has_port(port, to.port)
            ]
        return [self._gateway] if self._gateway is not None and self._gateway is not sender else []

    def refuses(self, to: Endpoint) -> bool:
        """Whether the host at an address is up and has no such port, which it would tell by ICMP."""
        ports = [port for port in self._ports if port.actor == self._actors.get(to.host)]
        return bool(ports) and not any(_has_port(port, to.port) for port in ports)

    def _hears(self, port: MediumPort, sender: MediumPort, to: Endpoint) -> bool:
        return port.actor != sender.actor and _has_port(port, to.port)

    def _is_home_copy(self, to: Endpoint) -> bool:
        # A host with several links sends one copy on each; inside the home one of them is enough.
        first = self._gateway_links[0] if self._gateway_links else None
        return first is None or (to.link in ("", first.name) and to.host == first.groups[0].host)


def _has_port(port: MediumPort, number: int) -> bool:
    return any(isinstance(address, Endpoint) and address.port == number for address in port.addresses)
