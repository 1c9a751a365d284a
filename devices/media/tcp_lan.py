"""TCP between actors of a home in virtual time: its segments are flights of the lan, so wire faults act on them.

Each side is an asyncio protocol with an asyncio transport, so a service does not know whether it speaks on a socket.
What TCP makes of faults is `tcp_way`'s and as on real sockets (`socket_wire`): lost segments are sent again, a FIN is
given up, or never comes under a fault that `forgets`, and who is gone answers with RST. A sender that a fault puts to
sleep sends what it wrote when it wakes. Source: RFC 9293.

Transcripts have whole segments, with sequence numbers from 0 and no checksum.

Simplified: one write is one segment; acknowledgements and windows are not sent, but a reader that pauses holds its
writer up; who closes forgets the connection at once and answers what still comes with RST.
"""

import asyncio
import errno
import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from devices.errors import MediumError
from devices.media.abrupt import CutStep, play_cut, steps_of
from devices.media.medium import Flight, Medium
from devices.media.socket_wire import feed
from devices.media.tcp_way import Mark, Way
from pairing.engine import Endpoint, Micros

MEDIUM = "tcp"
"""The medium of its frames in transcripts; to faults it is the lan's."""
_HIGH, _LOW = 262_144, 65_536
_FIRST_PORT = 49_152
_FIN, _SYN, _RST, _PSH, _ACK = 0x01, 0x02, 0x04, 0x08, 0x10
_WINDOW = 65_535

Accept = Callable[[], asyncio.BaseProtocol]


@runtime_checkable
class Sleepy(Protocol):
    """A rule on a medium under which a sender is asleep."""

    def wakes_us(self, flight: Flight) -> Micros | None:
        """When the sender of a flight wakes that it cannot send now; None where it does not sleep."""


@dataclass(slots=True)
class VirtualTcp:
    """The connections and listeners of one medium. `actor_at` says whose an address is."""

    medium: Medium
    actor_at: Callable[[str], str | None]
    _listeners: dict[tuple[str, int], Accept] = field(default_factory=dict)
    _ports: dict[str, int] = field(default_factory=dict)

    def listen(self, own: Endpoint, accept: Accept) -> None:
        """Take connections. Raises MediumError where somebody listens there."""
        if (own.host, own.port) in self._listeners:
            raise MediumError(f"tcp: port {own.port} of {own.host} is taken")
        self._listeners[own.host, own.port] = accept

    def unlisten(self, own: Endpoint) -> None:
        """Refuse from now on; connections go on."""
        self._listeners.pop((own.host, own.port), None)

    async def connect(self, actor: str, host: str, to: Endpoint, protocol: asyncio.BaseProtocol) -> asyncio.Transport:
        """A connection from an actor at `host`. Raises ConnectionRefusedError; in silence it goes on trying."""
        self._ports[actor] = port = self._ports.get(actor, _FIRST_PORT - 1) + 1
        own = Endpoint(host, port)
        near = End(self, actor, own, self.actor_at(to.host) or to.host, to, protocol)
        far = End(self, near.peer_actor, to, actor, own, None)
        near.far, far.far = far, near
        near.opened = asyncio.get_running_loop().create_future()
        near.ask()
        try:
            await near.opened
        except BaseException:
            near.vanish()
            raise
        return near

    def accept(self, end: "End") -> bool:
        """Somebody asks for a connection: whether there is a listener, which then has it."""
        accept = self._listeners.get((end.own.host, end.own.port))
        if accept is not None:
            end.protocol = accept()
        return accept is not None

    def is_up(self, actor: str) -> bool:
        """Whether an actor is there at all, so that it refuses what it does not want."""
        return any(port.actor == actor for port in self.medium.ports)

    def wakes_us(self, flight: Flight) -> Micros | None:
        """When a sleeping sender wakes."""
        times = [rule.wakes_us(flight) for rule in self.medium.rules if isinstance(rule, Sleepy)]
        return max((each for each in times if each is not None), default=None)


class End(asyncio.Transport):
    """One end of a connection: the transport of its protocol."""

    far: "End"

    def __init__(
        self,
        tcp: VirtualTcp,
        actor: str,
        own: Endpoint,
        peer_actor: str,
        peer: Endpoint,
        protocol: asyncio.BaseProtocol | None,
    ) -> None:
        super().__init__({"sockname": (own.host, own.port), "peername": (peer.host, peer.port), "peer": peer_actor})
        self.tcp = tcp
        self.actor = actor
        self.own = own
        self.peer_actor = peer_actor
        self.protocol: Any = protocol
        self.opened: asyncio.Future[None] | None = None
        self.way = Way(tcp.medium.clock, self._due, self._deliver, self.vanish)
        self._peer = peer
        self._is_over = False
        self._closing = False
        self._is_full = False
        self._is_cut = False
        self._numbered = self._passed = 0
        """Sequence numbers given out, and those that have arrived."""
        self._is_new = False
        self._new: Mark | None = None

    # As a transport.

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        if data and not self._closing and not self._is_over:
            self._push(bytes(data))
            self._fill(self.way.waiting > _HIGH)

    def write_eof(self) -> None:
        if not self._closing and not self._is_over:
            self._push(b"", Mark.END)

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        if self._closing or self._is_over:
            return
        self._closing = True
        flight = self._flight(b"")
        if self.tcp.medium.forgets(flight) and (self.way.is_stuck or not self.tcp.medium.survivors(flight)):
            self.vanish()
            return
        self._push(b"", Mark.CLOSED)
        asyncio.get_running_loop().call_soon(self._end, None)

    def abort(self) -> None:
        if not self._is_over:
            self._closing = True
            self._reset()
            asyncio.get_running_loop().call_soon(self._end, None)

    def is_closing(self) -> bool:
        return self._closing or self._is_over

    def pause_reading(self) -> None:
        self.far.way.hold(True)

    def resume_reading(self) -> None:
        self.far.way.hold(False)

    def is_reading(self) -> bool:
        return not self.far.way.is_held

    def get_write_buffer_size(self) -> int:
        return self.way.waiting

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return _LOW, _HIGH

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        protocol: asyncio.BaseProtocol = self.protocol
        return protocol

    # On the wire.

    def _flight(self, octets: bytes) -> Flight:
        medium = self.tcp.medium
        now = medium.clock.now()
        return Flight(
            medium.name, self.actor, self.peer_actor, self.own, self._peer, octets, now, now + medium.latency_us
        )

    def ask(self) -> None:
        """Ask for the connection."""
        self._push(b"", Mark.OPEN)

    def _push(self, octets: bytes, mark: Mark | None = None) -> None:
        self._new = mark
        self._is_new = True
        self.way.push(octets, mark)
        self._is_new = False
        self._numbered += len(octets) + (mark is not None)

    def _due(self, octets: bytes) -> Micros | None:
        """When a segment arrives that is sent now, or that a sleeper sends when it wakes; None: it is lost."""
        mark = self._new if self._is_new else self.way.first
        return self._sent(octets, self._numbered if self._is_new else self._passed, _flags(mark, self.far))

    def _sent(self, octets: bytes, number: int, flags: int) -> Micros | None:
        medium, flight = self.tcp.medium, self._flight(octets)
        head = (self.own.port, self._peer.port, number, self.far.received if flags & _ACK else 0, 0x50, flags, _WINDOW)
        segment = struct.pack(">HHIIBBHHH", *head, 0, 0) + octets
        for tap in medium.taps:
            tap.sent(MEDIUM, self.actor, self.own, self._peer, segment)
        arrivals = [each.arrives_us for each in medium.survivors(flight) if each.payload == octets]
        if arrivals:
            return min(arrivals)
        wakes_us = self.tcp.wakes_us(flight)
        return None if wakes_us is None else wakes_us + medium.latency_us

    @property
    def received(self) -> int:
        """The sequence number up to which what this end said has arrived."""
        return self._passed

    def _deliver(self, octets: bytes, mark: Mark | None) -> None:
        self._passed += len(octets) + (mark is not None)
        self.far.arrived(octets, mark)
        self._fill(self.way.waiting > _LOW)

    def arrived(self, octets: bytes, mark: Mark | None) -> None:
        """A segment of the far end is here."""
        if mark is Mark.OPEN:
            self._asked()
        elif mark is Mark.LOST:
            self._end(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)))
        elif self._is_over or self._closing:
            if mark is None:
                self._reset()
        elif mark is not None:
            if not self.protocol.eof_received():
                self.close()
        elif not self._is_cut and (steps := steps_of(self.tcp.medium.rules, self.far._flight(octets))):
            self._is_cut = True
            self.play(steps, octets)
        else:
            feed(self.protocol, octets)

    def play(self, steps: Sequence[CutStep], unread: bytes = b"") -> None:
        """End abruptly, step by step; what is `unread` is read as long as it reads."""
        play_cut(self.tcp.medium.clock, self, steps, lambda: feed(self.protocol, unread) if unread else None)

    def _asked(self) -> None:
        if self.opened is not None:  # the answer to what this end asked
            if not self.opened.done():
                self.protocol.connection_made(self)
                self.opened.set_result(None)
        elif self.tcp.accept(self):
            self._push(b"", Mark.OPEN)
            self.protocol.connection_made(self)
        elif self.tcp.is_up(self.actor):
            self._reset()

    def _reset(self) -> None:
        """RST, which is not sent again."""
        self.way.clear()
        due = self._sent(b"", self._numbered, _RST | _ACK)
        if due is not None:
            self.tcp.medium.clock.call_at(due, lambda: self.far.arrived(b"", Mark.LOST))

    def vanish(self) -> None:
        """Be gone without a word."""
        self._closing = True
        asyncio.get_running_loop().call_soon(self._end, None, True)

    def _end(self, error: Exception | None, forget: bool = False) -> None:
        if error is not None or forget:
            self.way.clear()
        if self._is_over:
            return
        self._is_over = True
        if self.opened is not None and not self.opened.done():
            self.opened.set_exception(ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED)))
        elif self.protocol is not None and (self.opened is None or not self.opened.cancelled()):
            self.protocol.connection_lost(error)

    def _fill(self, is_full: bool) -> None:
        if is_full != self._is_full and self.protocol is not None and not self._is_over:
            self._is_full = is_full
            (self.protocol.pause_writing if is_full else self.protocol.resume_writing)()


def _flags(mark: Mark | None, far: End) -> int:
    if mark is Mark.OPEN:
        return _SYN | (_ACK if far.received else 0)
    return _ACK | (_PSH if mark is None else _FIN)
