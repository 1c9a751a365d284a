"""Sockets of real programs with the home's wire faults on them: late, stalled, lost, cut off.

It stands between a server's protocol and its socket: while no fault is in force octets pass straight through. What TCP
makes of faults: a segment that is lost or damaged is sent again after 200 ms and then after twice as long each time, a
minute at most (RFC 6298); copies and overtaking are not seen by who reads. A RST that is lost is not sent again, and a
FIN eight times at most, or not at all under a fault that `forgets`: then nobody is behind the connection any more, its
client does not know, and the next segment of the client that gets through is answered by RST.

Simplified: the client's system has taken part in the handshake, and acknowledged what the client sends, before a fault
is asked; each chunk that is read or written is one segment.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from devices.media.abrupt import play_cut, reset, steps_of
from devices.media.medium import Flight, Medium
from devices.media.tcp_way import Mark, Way
from pairing.engine import Endpoint, Micros

GATEWAY = "gateway"
"""Who stands for every real program."""
_HIGH, _LOW = 262_144, 65_536
"""Octets under way: above the first a side is told to wait, below the second to go on."""


@runtime_checkable
class OctetTap(Protocol):
    """A tap of a medium that sees what goes over TCP connections, too."""

    def octets(self, actor: str, own: Endpoint, peer: Endpoint, payload: bytes, *, inward: bool) -> None:
        """Octets were sent, by the real program (`inward`) or to it."""


class SocketWire:
    """The medium that the sockets of one actor run on. Close it after its servers."""

    def __init__(self, medium: Medium, actor: str, peer: str = GATEWAY) -> None:
        self.medium = medium
        self.actor = actor
        self.peer = peer
        self.taps = [each for each in medium.taps if isinstance(each, OctetTap)]
        self._open: set[asyncio.Transport] = set()

    def protocol(self, inner: asyncio.BaseProtocol) -> asyncio.Protocol:
        """The protocol to give to a socket in place of `inner`."""
        return _Connection(self, inner)

    def datagram(
        self, payload: bytes, peer: Endpoint, own: Endpoint, deliver: Callable[[bytes], None], *, inward: bool
    ) -> None:
        """Deliver a datagram from the peer (`inward`) or to it: now, later, several times, or not."""
        self.medium.hand_over(self.flight(payload, peer, own, inward=inward), deliver)

    def survivors(self, payload: bytes, peer: Endpoint, own: Endpoint, *, inward: bool) -> "list[Flight]":
        """What the faults make of octets on their way from the peer (`inward`) or to it."""
        return [*self.medium.survivors(self.flight(payload, peer, own, inward=inward))]

    def flight(self, payload: bytes, peer: Endpoint, own: Endpoint, *, inward: bool = True) -> Flight:
        """Octets on their way, as a fault sees them."""
        now = self.medium.clock.now()
        sender, receiver, source, to = self.peer, self.actor, peer, own
        if not inward:
            sender, receiver, source, to = receiver, sender, to, source
        return Flight(self.medium.name, sender, receiver, source, to, payload, now, now)

    def forgets(self, peer: Endpoint, own: Endpoint) -> bool:
        """Whether a fault is in force under which a FIN that is lost is lost for good."""
        return self.medium.forgets(self.flight(b"", peer, own, inward=False))

    def add(self, transport: asyncio.Transport) -> None:
        """A connection is open."""
        self._open.add(transport)

    def forget(self, transport: asyncio.Transport) -> None:
        """It is closed."""
        self._open.discard(transport)

    def close(self) -> None:
        """Close what its servers have left, or could not end because of a fault; what ends in peace goes on."""
        for each in tuple(self._open):
            if not each.is_closing():
                each.abort()


class _Connection(asyncio.Protocol):
    """What the socket sees as its protocol, and, through `_Facade`, the protocol as its transport."""

    def __init__(self, wire: SocketWire, inner: asyncio.BaseProtocol) -> None:
        self.inner: Any = inner
        self.closing = False
        self._wire = wire
        clock = wire.medium.clock
        self._inward = Way(clock, lambda octets: self._due(octets, inward=True), self._arrived, self._finish)
        self._outward = Way(clock, lambda octets: self._due(octets, inward=False), self._left, self._vanish)
        self._loop = asyncio.get_running_loop()
        self._is_over = False
        self._is_cut = False
        self._is_mute = False
        self._is_full = {"socket": False, "wire": False}
        self._error: Exception | None = None

    # As the socket's protocol.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # create_server gives nothing else
        self.transport = transport
        self._wire.add(transport)
        self._peer, self._own = (
            Endpoint(*(transport.get_extra_info(name) or ("", 0))[:2]) for name in ("peername", "sockname")
        )
        self.inner.connection_made(_Facade(self))

    def data_received(self, data: bytes) -> None:
        if self._is_over:
            if self._due(data, inward=True) is not None:
                reset(self.transport)
            return
        for tap in self._wire.taps:
            tap.octets(self._wire.actor, self._own, self._peer, data, inward=True)
        self._inward.push(data)
        if self._inward.waiting > _HIGH:
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        if not self._is_over:
            self._inward.push(b"", Mark.END)
        return not self._is_over

    def connection_lost(self, exc: Exception | None) -> None:
        self._wire.forget(self.transport)
        self._outward.clear()
        self._error = exc
        if self.closing:
            self._finish()
        elif not self._is_over:
            self._inward.push(b"", Mark.LOST)

    def pause_writing(self) -> None:
        self._fill("socket", is_full=True)

    def resume_writing(self) -> None:
        self._fill("socket", is_full=False)

    # As the server's transport.

    def send(self, octets: bytes, mark: Mark | None = None) -> None:
        """What the server writes, or that it ends."""
        if self._is_over or (mark is None and (self.closing or self._is_mute)):
            return
        if mark is Mark.LOST:
            self._cut_off()
            return
        if octets:
            for tap in self._wire.taps:
                tap.octets(self._wire.actor, self._own, self._peer, octets, inward=False)
        self._is_mute = self._is_mute or mark is Mark.END
        if mark is Mark.CLOSED:
            self.closing = True
            is_lost = self._outward.is_stuck or self._due(b"", inward=False) is None
            if is_lost and self._wire.forgets(self._peer, self._own):
                self._vanish()
                return
        self._outward.push(octets, mark)
        self._fill("wire", is_full=self._outward.waiting > _HIGH)

    def hold(self, is_held: bool) -> None:
        """The server does not want to read now, or wants to again."""
        if is_held:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()
        self._inward.hold(is_held)

    @property
    def waiting(self) -> int:
        """Octets that the server has written and the socket has not."""
        return self._outward.waiting + self.transport.get_write_buffer_size()

    # Between them.

    def _due(self, octets: bytes, *, inward: bool) -> Micros | None:
        """When these octets arrive; None = they are lost, or damaged, which TCP's checksum finds."""
        if not self._wire.medium.rules:
            return self._wire.medium.clock.now()
        survivors = self._wire.survivors(octets, self._peer, self._own, inward=inward)
        return min((each.arrives_us for each in survivors if each.payload == octets), default=None)

    def _arrived(self, octets: bytes, mark: Mark | None) -> None:
        if mark is Mark.LOST:
            self._finish()
        elif self.closing:
            return  # a transport that is closed gives its protocol nothing more
        elif mark is Mark.END:
            if not self.inner.eof_received():
                self.send(b"", Mark.CLOSED)
        elif not self._is_over:
            self._read(octets)
            if self._inward.waiting <= _LOW and not (self.closing or self._inward.is_held):
                self.transport.resume_reading()

    def _read(self, octets: bytes) -> None:
        medium = self._wire.medium
        steps = () if self._is_cut else steps_of(medium.rules, self._wire.flight(octets, self._peer, self._own))
        if steps:
            self._is_cut = True
            play_cut(medium.clock, _Facade(self), steps, lambda: feed(self.inner, octets))
        else:
            feed(self.inner, octets)

    def _left(self, octets: bytes, mark: Mark | None) -> None:
        match mark:
            case None:
                self.transport.write(octets)
            case Mark.END:
                self.transport.write_eof()
            case Mark.CLOSED:
                self.transport.close()
            case Mark.LOST:
                self.transport.abort()
        self._fill("wire", is_full=self._outward.waiting > _LOW)

    def _fill(self, where: str, *, is_full: bool) -> None:
        before = any(self._is_full.values())
        self._is_full[where] = is_full
        after = any(self._is_full.values())
        if before != after and not self._is_over:
            (self.inner.pause_writing if after else self.inner.resume_writing)()

    def _cut_off(self) -> None:
        """The server ends at once; its RST may come later, or never."""
        self.closing = True
        self._vanish()
        if not self.transport.is_closing() and self._due(b"", inward=False) is not None:
            self._outward.push(b"", Mark.LOST)

    def _vanish(self) -> None:
        """The server has gone, and neither FIN nor RST of it gets through."""
        if not self.transport.is_closing():
            self.transport.resume_reading()
        self._outward.clear()
        self._loop.call_soon(self._finish)

    def _finish(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._inward.clear()
            self.inner.connection_lost(self._error)


class _Facade(asyncio.Transport):
    """The transport that the server's protocol is given."""

    _start_tls_compatible = True  # what asyncio's start_tls asks of a transport

    def __init__(self, connection: _Connection) -> None:
        super().__init__()
        self._connection = connection

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._connection.transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._connection.inner = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        inner: asyncio.BaseProtocol = self._connection.inner
        return inner

    def is_closing(self) -> bool:
        return self._connection.closing or self._connection.transport.is_closing()

    def is_reading(self) -> bool:
        return self._connection.transport.is_reading()

    def pause_reading(self) -> None:
        self._connection.hold(True)

    def resume_reading(self) -> None:
        self._connection.hold(False)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._connection.transport.set_write_buffer_limits(high, low)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._connection.transport.get_write_buffer_limits()

    def get_write_buffer_size(self) -> int:
        return self._connection.waiting

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        if data:
            self._connection.send(bytes(data))

    def write_eof(self) -> None:
        self._connection.send(b"", Mark.END)

    def can_write_eof(self) -> bool:
        return self._connection.transport.can_write_eof()

    def close(self) -> None:
        if not self._connection.closing:
            self._connection.send(b"", Mark.CLOSED)

    def abort(self) -> None:
        self._connection.send(b"", Mark.LOST)

    def _force_close(self, _exc: BaseException | None) -> None:
        """How asyncio's TLS ends a handshake that fails; the alert that it leaves behind goes out first."""
        outgoing = getattr(self._connection.inner, "_outgoing", None)
        alert = outgoing.read() if isinstance(outgoing, ssl.MemoryBIO) else b""
        if alert:
            self._connection.send(alert)
            self.close()
        else:
            self.abort()


def feed(protocol: Any, octets: bytes) -> None:
    """Hand octets to a protocol of either kind."""
    if not isinstance(protocol, asyncio.BufferedProtocol):
        protocol.data_received(octets)
        return
    while octets:
        buffer = memoryview(protocol.get_buffer(len(octets)))
        taken = min(len(buffer), len(octets))
        buffer[:taken] = octets[:taken]
        protocol.buffer_updated(taken)
        octets = octets[taken:]
