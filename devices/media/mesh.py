"""The Thread mesh of a home: who hears whom, and datagrams between neighbours.

There is no IEEE 802.15.4 here. What travels as bytes is what joining needs: the datagrams of a joiner and its Joiner
Router, and the relay between border routers; wire faults act on them. Attaching, roles and datasets are worked out by
`mesh_roles` from who is in reach of whom. Reach is by island: everybody hears everybody of the same one. Chapters 4 and
5 of the Thread specification; what is simplified stands in specs/protocols/mesh.md.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Protocol

from devices.errors import MediumError
from devices.media.medium import Medium, MediumPort, Receive, Tap
from devices.sim.clock import Clock
from pairing.engine import Address, Endpoint, Event, Micros, Outputs
from pairing.thread.border_agent import JOINER_LINK
from pairing.thread.network import Network
from pairing.thread.network_view import NetworkView
from pairing.thread.partition import MeshIdentity, Partition

LATENCY_US = 5_000
JOINER_UDP_PORT = 1000
ALL_ROUTERS = Endpoint("ff02::2", JOINER_UDP_PORT, JOINER_LINK)
"""Every router in reach."""
_LINK_LOCAL = bytes.fromhex("fe80000000000000")


def link_local(ext_address: bytes) -> str:
    """The link-local address of a node with this extended address, as text."""
    return str(IPv6Address(_LINK_LOCAL + bytes((ext_address[0] ^ 0x02,)) + ext_address[1:]))


def joiner_endpoint(ext_address: bytes) -> Endpoint:
    """Where a node with this extended address is reached: a router by joiners, a joiner by its router."""
    return Endpoint(link_local(ext_address), JOINER_UDP_PORT, JOINER_LINK)


class MeshNode(Protocol):
    """A Thread device as the mesh sees it."""

    id: str

    @property
    def network(self) -> Network:
        """Its model; another object after a restart."""

    def perform(self, intent: Callable[[Micros], Outputs]) -> Outputs:
        """Run an intent of the model and act on its outputs."""


@dataclass(slots=True, eq=False)
class MeshPlace:
    """A node's place in the mesh, from power-on to power-off."""

    node: MeshNode
    port: MediumPort
    on_event: Callable[["MeshPlace", Event], None]
    island: int = 0
    is_gone: bool = False
    is_moving: bool = False
    ext_address: bytes = b""
    network_key: bytes | None = field(default=None, repr=False)
    identity: MeshIdentity | None = None
    partition: Partition[NetworkView] | None = None
    parent: "MeshPlace | None" = None
    children: list["MeshPlace"] = field(default_factory=list)

    @property
    def network(self) -> Network:
        """The node's model."""
        return self.node.network

    def perform(self, intent: Callable[[Micros], Outputs]) -> None:
        """Run an intent of the node's model."""
        self.node.perform(intent)

    def follow(self, event: Event) -> None:
        """The node tells what happened to its model."""
        self.on_event(self, event)

    def read_dataset(self) -> None:
        """Remember what decides whom the node hears."""
        dataset = self.network.active_dataset
        self.network_key = None if dataset is None else dataset.network_key
        self.identity = None if dataset is None else MeshIdentity.of(dataset)

    def hears(self, other: "MeshPlace") -> bool:
        """Whether the two are within reach, on one channel, and hold one key."""
        return self.island == other.island and self.identity == other.identity and self.network_key == other.network_key


class Mesh(Medium):
    """The datagram side: ports by address, groups, islands. `mesh_roles.MeshRoles` makes places of it."""

    def __init__(self, clock: Clock, taps: Iterable[Tap] = ()) -> None:
        super().__init__("mesh", clock, taps)
        self.latency_us = LATENCY_US if clock.virtual else 0
        self._by_host: dict[str, MediumPort] = {}
        self._locators: dict[str, str] = {}
        self._islands: dict[str, int] = {}
        self._routers: dict[str, MediumPort] = {}

    def attach(self, actor: str, addresses: Sequence[Address], receive: Receive) -> MediumPort:
        """A port of an actor with endpoints of its own. Raises MediumError if another has one of them."""
        hosts = [_host(address) for address in addresses]
        for host in hosts:
            taken = self._by_host.get(host)
            if taken is not None and taken.actor != actor:
                raise MediumError(f"mesh: address {host} of {actor} belongs to {taken.actor}")
        port = MediumPort(self, actor, tuple(addresses), receive)
        self._ports.append(port)
        self._by_host.update(dict.fromkeys(hosts, port))
        return port

    def detach(self, port: MediumPort) -> None:
        """Take a port off."""
        super().detach(port)
        for host in [host for host in map(_host, port.addresses) if self._by_host.get(host) is port]:
            del self._by_host[host]
        if self._routers.get(port.actor) is port:
            del self._routers[port.actor]
            self._locators.pop(port.actor, None)

    def set_addresses(self, port: MediumPort, addresses: Sequence[Address]) -> None:
        """A port is reached elsewhere from now on."""
        for host in [host for host in map(_host, port.addresses) if self._by_host.get(host) is port]:
            del self._by_host[host]
        port.addresses = tuple(addresses)
        self._by_host.update(dict.fromkeys(map(_host, addresses), port))

    def set_locator(self, port: MediumPort, host: str | None) -> None:
        """Where a router is reached by its routing locator besides, or that it has none."""
        self._locators.pop(port.actor, None)
        if host is not None:
            self._locators[port.actor] = host

    def serve_group(self, port: MediumPort) -> None:
        """From now on the port hears what is sent to all routers."""
        self._routers[port.actor] = port

    def set_island(self, actor: str, island: int) -> None:
        """Put an actor within reach of those of the same island only."""
        self._islands[actor] = island

    def dissolve(self, island: int) -> None:
        """Everyone of an island is within reach of the rest again, those that are off as well."""
        self._islands = {actor: number for actor, number in self._islands.items() if number != island}

    def island_of(self, actor: str) -> int:
        """Where the actor is."""
        return self._islands.get(actor, 0)

    def has_host(self, host: str) -> bool:
        """Whether an address belongs to someone here."""
        return host in self._by_host

    def listeners(self, sender: MediumPort, to: Address) -> Iterable[MediumPort]:
        """All routers in reach, or the one that has the address or locator, if it is in reach."""
        host = _host(to)
        if host == ALL_ROUTERS.host:
            found: Iterable[MediumPort] = tuple(self._routers.values())
        elif host in self._by_host:
            found = (self._by_host[host],)
        else:
            found = [port for port in self._routers.values() if self._locators.get(port.actor) == host]
        island = self.island_of(sender.actor)
        return [port for port in found if port is not sender and self.island_of(port.actor) == island]


def _host(address: Address) -> str:
    if not isinstance(address, Endpoint):
        raise MediumError(f"mesh: carries datagrams between endpoints, not to {address!r}")
    return address.host
