"""A controller's UDP conversation with one peer: a real socket in real time, the simulated lan in virtual time."""

from collections.abc import Callable
from typing import Protocol

from devices.actor import Site
from devices.media.medium import MediumPort
from devices.sim.chance import Stream
from pairing.dtls.settings import DtlsSettings, DtlsTimes
from pairing.engine import SECOND, Address, Endpoint

RETRIES = DtlsSettings(times=DtlsTimes(first_wait=SECOND))
"""RFC 6347's first wait: somebody sits and waits, and a Border Agent is deaf for two seconds after a wrong key."""
_FIRST_DYNAMIC_PORT = 49152
_DYNAMIC_PORTS = 65536 - _FIRST_DYNAMIC_PORT


class DatagramPath(Protocol):
    """What an engine's driver sends through, until it is closed."""

    def send(self, payload: bytes, to: Address) -> None:
        """Put a datagram on its way."""

    async def close(self) -> None:
        """End it; nothing is received any more."""


async def open_path(
    site: Site,
    actor: str,
    peer: Endpoint,
    *,
    ports: Stream,
    receive: Callable[[bytes, Address], None],
    refused: Callable[[], None],
) -> DatagramPath:
    """A path from a port of the actor's own to the peer. `ports` draws the number in virtual time.

    `refused` is called when the host says that nobody listens there. Raises UsageError, TransportUnavailableError.
    """
    if site.real:
        from devices.transports.udp_client import UdpClient  # sockets: real time only

        return await UdpClient.open(peer, receive, refused)
    number = _FIRST_DYNAMIC_PORT + ports.randrange(_DYNAMIC_PORTS)
    own = Endpoint(site.lan.host_of(actor), number, site.lan.links_for(actor)[0].name)
    port = site.lan.attach(actor, (own,), lambda flight: receive(flight.payload, peer))
    return _LanPath(site, port, refused)


class _LanPath:
    """A port of the simulated lan."""

    def __init__(self, site: Site, port: MediumPort, refused: Callable[[], None]) -> None:
        self._site = site
        self._port = port
        self._refused = refused

    def send(self, payload: bytes, to: Address) -> None:
        self._port.send(payload, to)
        if isinstance(to, Endpoint) and self._site.lan.refuses(to):
            self._site.clock.call_later(2 * self._site.lan.latency_us, self._refused)

    async def close(self) -> None:
        self._port.close()
