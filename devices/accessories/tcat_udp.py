"""TCAT's stream over UDP, as simulated devices have it: datagrams are pieces of it, an empty one is a broken link.

A socket in real time, whose datagrams pass by the lan; a place on the lan in virtual time.
"""

from devices.accessories.tcat_server import Link, TcatServer
from devices.actor import Actor
from devices.media.lan import GATEWAY
from devices.media.medium import Flight, MediumPort
from devices.transports.reach import bind_hosts, shown_host
from devices.transports.udp_server import UdpServer
from pairing.engine import Endpoint, peer_name

VIRTUAL_PORT = 10_000
"""Where simulated devices begin; in virtual time, if any port will do."""
_DATAGRAM = 512


class TcatUdp:
    """One port of one device while it has power."""

    def __init__(self, actor: Actor, port: int, server: TcatServer) -> None:
        self._actor = actor
        self._server = server
        self._socket: UdpServer | None = None
        self._place: MediumPort | None = None
        site = actor.site
        if site.real:
            hosts = bind_hosts(site.reach)
            wanted = 0 if site.free_ports else port
            server_socket = self._socket = UdpServer(hosts, wanted, f"{actor.id}: tcat", self._on_datagram)
            self._own = Endpoint(shown_host(hosts[0]), server_socket.port)
        else:
            self._own = Endpoint(site.lan.host_of(actor.id), port or VIRTUAL_PORT, "lan")
            self._place = site.lan.attach(actor.id, (self._own,), self._on_flight)

    @property
    def at(self) -> str:
        """Host and port."""
        return peer_name(self._own)

    def close(self) -> None:
        """Power is off."""
        if self._socket is not None:
            self._socket.close()
        if self._place is not None:
            self._place.close()

    def _on_datagram(self, payload: bytes, sender: Endpoint) -> None:
        lan, name = self._actor.site.lan, self._actor.id
        lan.pass_by(GATEWAY, name, sender, self._own, payload, lambda each: self._heard(each, sender))

    def _on_flight(self, flight: Flight) -> None:
        if isinstance(flight.source, Endpoint):
            self._heard(flight.payload, flight.source)

    def _heard(self, payload: bytes, sender: Endpoint) -> None:
        peer = peer_name(sender)
        if payload:
            self._server.heard(Link(peer, lambda data: self._send(data, sender)), payload)
        else:
            self._server.lost(peer)

    def _send(self, data: bytes, to: Endpoint) -> None:
        lan, server = self._actor.site.lan, self._socket
        for start in range(0, len(data), _DATAGRAM):
            piece = data[start : start + _DATAGRAM]
            if self._place is not None:
                self._place.send(piece, to._replace(link="lan"))
            elif server is not None:
                lan.pass_by(self._actor.id, GATEWAY, self._own, to, piece, lambda each: server.send(each, to))
