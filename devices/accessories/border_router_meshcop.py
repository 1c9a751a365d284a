"""The Border Agent of a border router: its engine, and the UDP ports and mesh through which it is reached.

In real time ports are sockets, in virtual time places on the simulated lan. The engine tells its ports apart by link;
what joiners and other routers of the mesh say comes in by the mesh.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from devices.accessories.base import Accessory, Lie
from devices.accessories.border_router_meshcop_lies import kind_of, told_settings
from devices.driver import EngineDriver
from devices.events import RequestReceived
from devices.media.lan import GATEWAY
from devices.media.medium import Flight, MediumPort
from devices.sim.chance import Stream
from devices.transports.reach import bind_hosts, shown_host
from devices.transports.udp_server import UdpServer
from pairing.dtls.events import DtlsEvent
from pairing.dtls.events import LieTold as DtlsLieTold
from pairing.engine import Address, Endpoint, Event, FrameIgnored, Micros, Outputs
from pairing.thread.border_agent import EPHEMERAL_LINK, JOINER_LINK, MAIN_LINK, BorderAgent, BorderAgentSettings
from pairing.thread.mesh_relay import MESH_LINK
from pairing.thread.meshcop_events import LieTold, RequestAnswered
from pairing.thread.network import Network

_FIRST_DYNAMIC_PORT = 49153
_DYNAMIC_PORTS = 65536 - _FIRST_DYNAMIC_PORT
_WHAT = {MAIN_LINK: "meshcop", EPHEMERAL_LINK: "ephemeral-key", JOINER_LINK: "joiner"}
_PROTOCOLS = {"dtls": "meshcop", "proxy": "meshcop-proxy", "joiner": "meshcop-joiner"}


def drawn_port(chance: Stream) -> int:
    """A port as the system would give it, in virtual time."""
    return _FIRST_DYNAMIC_PORT + chance.randrange(_DYNAMIC_PORTS)


class MeshCopOwner(Protocol):
    """What the Border Agent needs of its border router beyond being an accessory."""

    network: Network

    def follow_agent(self, event: Event) -> None:
        """The Border Agent has changed the network model, or may have."""

    def send_to_mesh(self, payload: bytes, to: Endpoint) -> None:
        """A datagram for a neighbour in the mesh."""


class _Listener:
    """One open UDP port: a socket in real time, whose datagrams pass by the lan; a place on the lan in virtual time."""

    def __init__(
        self, accessory: Accessory, what: str, number: int, receive: Callable[[bytes, Endpoint], None]
    ) -> None:
        self._accessory = accessory
        self._receive = receive
        site = accessory.site
        self._server: UdpServer | None = None
        self._port: MediumPort | None = None
        if site.real:
            hosts = bind_hosts(site.reach)
            self._server = UdpServer(hosts, number, f"{accessory.id}: {what}", self._on_datagram)
            self.own = Endpoint(shown_host(hosts[0]), self._server.port)
        else:
            self.own = Endpoint(site.lan.host_of(accessory.id), number, "lan")
            self._port = site.lan.attach(accessory.id, (self.own,), self._on_flight)

    def send(self, payload: bytes, to: Endpoint) -> None:
        server, lan = self._server, self._accessory.site.lan
        if self._port is not None:
            self._port.send(payload, to._replace(link="lan"))
        elif server is not None:
            lan.pass_by(self._accessory.id, GATEWAY, self.own, to, payload, lambda each: server.send(each, to))

    def close(self) -> None:
        if self._port is not None:
            self._port.close()
        if self._server is not None:
            self._server.close()

    def _on_flight(self, flight: Flight) -> None:
        if isinstance(flight.source, Endpoint):
            self._receive(flight.payload, flight.source)

    def _on_datagram(self, payload: bytes, sender: Endpoint) -> None:
        lan, name = self._accessory.site.lan, self._accessory.id
        lan.pass_by(GATEWAY, name, sender, self.own, payload, lambda each: self._receive(each, sender))


class BorderRouterMeshCop:
    """The Border Agent of one border router while it has power."""

    def __init__(self, owner: MeshCopOwner, accessory: Accessory, ports: Stream, settings: BorderAgentSettings) -> None:
        self._owner = owner
        self._accessory = accessory
        self._chance_of_ports = ports
        self._listeners: dict[str, _Listener] = {}
        site = accessory.site
        entropy = site.chance.stream(f"accessory/{accessory.id}/border-agent").randbytes
        self._truth = settings
        agent = BorderAgent(owner.network, entropy, told_settings(settings, accessory.told_lies))
        self._driver = EngineDriver(agent, site.clock, on_event=self._on_event, port=self)

    @property
    def agent(self) -> BorderAgent:
        """The engine."""
        return self._driver.engine

    def tell(self, told: Mapping[str, Lie]) -> None:
        """The lies changed."""
        self.agent.change_settings(told_settings(self._truth, told))

    def port_of(self, link: str) -> int | None:
        """The number of an open port."""
        listener = self._listeners.get(link)
        return None if listener is None else listener.own.port

    def open(self, link: str, wanted: int | None) -> int:
        """Open a port; 0 and None = any. Raises TransportUnavailableError."""
        site = self._accessory.site
        number = 0 if wanted is None or site.free_ports else wanted
        if not site.real and number == 0:
            number = drawn_port(self._chance_of_ports)
        listener = _Listener(
            self._accessory, _WHAT[link], number, lambda data, sender: self._on_data(link, data, sender)
        )
        self.close_port(link)
        self._listeners[link] = listener
        return listener.own.port

    def close_port(self, link: str) -> None:
        """Close a port, if it is open."""
        listener = self._listeners.pop(link, None)
        if listener is not None:
            listener.close()

    def follow(self) -> None:
        """The network model may have changed."""
        self.do(lambda agent, now: agent.follow(now))

    def do(self, intent: Callable[[BorderAgent, Micros], Outputs]) -> None:
        """Run an intent of the engine."""
        self._driver.do(intent)

    def stop(self, *, goodbye: bool) -> None:
        """Close every port, with close_notify on every connection or without a word."""
        if goodbye:
            self.do(lambda agent, now: agent.close(now))
        self._driver.stop()
        for link in tuple(self._listeners):
            self.close_port(link)

    # Datagrams

    def hear_mesh(self, flight: Flight) -> None:
        """A datagram of a neighbour: a joiner's, or what another router relays."""
        if isinstance(flight.source, Endpoint) and isinstance(flight.to, Endpoint):
            link = MESH_LINK if flight.to.link == MESH_LINK else JOINER_LINK
            self._driver.deliver(flight.payload, flight.source._replace(link=link))

    def send(self, payload: bytes, to: Address) -> None:
        """A datagram of the engine leaves by the port that its link names."""
        if not isinstance(to, Endpoint):
            return
        if to.link == MESH_LINK or (to.link == JOINER_LINK and self._accessory.site.mesh.mesh.has_host(to.host)):
            self._owner.send_to_mesh(payload, to)
            return
        listener = self._listeners.get(to.link)
        if listener is not None:
            listener.send(payload, to)

    def _on_data(self, link: str, payload: bytes, sender: Endpoint) -> None:
        self._driver.deliver(payload, sender._replace(link=link))

    def _on_event(self, event: Event) -> None:
        match event:
            case LieTold() | DtlsLieTold():
                self._accessory.lie_told(kind_of(event.lie), f"to {event.peer}" if event.peer else "")
            case RequestAnswered():
                self._accessory.emit(_journal(event), "lan")
            case DtlsEvent() | FrameIgnored():
                self._accessory.emit(event, "lan")
            case _:
                self._owner.follow_agent(event)


def _journal(event: RequestAnswered) -> RequestReceived:
    protocol = _PROTOCOLS[event.via]
    return RequestReceived(
        protocol=protocol, method=event.method, path=event.path, status=event.status, peer=event.peer
    )
