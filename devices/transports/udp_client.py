"""A UDP socket that speaks with one peer, and learns from the operating system when nobody listens there."""

import asyncio
import socket
from collections.abc import Callable

from devices.errors import TransportUnavailableError, UsageError
from pairing.engine import Address, Endpoint, peer_name


class UdpClient:
    """`send`, and `receive` is called with what comes back. `refused` is called for each ICMP refusal."""

    def __init__(self, transport: asyncio.DatagramTransport, gone: "asyncio.Future[None]") -> None:
        self._transport = transport
        self._gone = gone

    @classmethod
    async def open(
        cls, peer: Endpoint, receive: Callable[[bytes, Address], None], refused: Callable[[], None]
    ) -> "UdpClient":
        """A socket for that peer, whose host may be a name. Raises UsageError, TransportUnavailableError."""
        loop = asyncio.get_running_loop()
        gone: asyncio.Future[None] = loop.create_future()

        def protocol() -> _Protocol:
            return _Protocol(lambda payload: receive(payload, peer), refused, gone)

        try:
            transport, _ = await loop.create_datagram_endpoint(protocol, remote_addr=(peer.host, peer.port))
        except socket.gaierror as problem:
            raise UsageError(f"{peer_name(peer)}: no such host ({problem.strerror or problem})") from None
        except OSError as problem:
            raise TransportUnavailableError(
                f"{peer_name(peer)}: cannot be reached from here: {problem.strerror or problem}"
            ) from None
        return cls(transport, gone)

    def send(self, payload: bytes, to: Address) -> None:
        """Send to the peer; it is the only one there is."""
        self._transport.sendto(payload)

    async def close(self) -> None:
        """Close the socket; what was sent has left."""
        self._transport.close()
        await asyncio.shield(self._gone)


class _Protocol(asyncio.DatagramProtocol):
    """What the socket says."""

    def __init__(
        self, receive: Callable[[bytes], None], refused: Callable[[], None], gone: "asyncio.Future[None]"
    ) -> None:
        self._receive = receive
        self._refused = refused
        self._gone = gone

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._receive(data)

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, ConnectionRefusedError):
            self._refused()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._gone.done():
            self._gone.set_result(None)
