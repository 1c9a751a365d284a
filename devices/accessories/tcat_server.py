"""One TCAT agent behind its TLS: streams of bytes come in from Bluetooth or UDP, one commissioner at a time.

After an end the device takes no new hello for two seconds. Source: Thread 1.4 specification, chapter 13; the guard time
as measured from OpenThread.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from devices.driver import EngineDriver
from devices.sim.clock import Clock, Timer
from devices.transports.tcat_tls import LONGEST_ANSWER, SecureChannel, TlsRefusedError
from pairing.engine import SECOND, Address, Event, FrameIgnored, Micros, Outputs
from pairing.errors import DecodeError
from pairing.thread.meshcop_events import LieTold
from pairing.thread.tcat.device import TcatAgent
from pairing.thread.tcat.events import TcatHandshakeFailed, TcatSessionClosed

GUARD: Micros = 2 * SECOND


@dataclass(slots=True)
class Link:
    """A way to a commissioner: who it is, and how bytes of the stream get there."""

    peer: str
    send: Callable[[bytes], None]
    cut: Callable[[], None] | None = None
    """Break it off, where there is a link that can break."""


@dataclass(slots=True)
class StreamHabits:
    """What becomes of the stream on its way out; as it is, a well-behaved device's."""

    record: int = 0
    """Bytes of an answer in one TLS record; 0: as many as devices put there."""
    piece: int = 0
    """Bytes of the stream in one packet; 0: as many as fit."""
    every_us: Micros = 0
    parts_after: int | None = None
    """Bytes of an answer after which the link is gone."""


class TcatServer:
    """`open_channel` makes the device's end of TLS; events go to `emit`."""

    def __init__(
        self, agent: TcatAgent, clock: Clock, open_channel: Callable[[], SecureChannel], emit: Callable[[Event], None]
    ) -> None:
        self._clock = clock
        self._open_channel = open_channel
        self._emit = emit
        self._driver = EngineDriver(agent, clock, on_event=self._on_event, port=self)
        self._link: Link | None = None
        self._channel: SecureChannel | None = None
        self._is_established = False
        self._guarded_until: Micros = 0
        self.habits = StreamHabits()
        self._pieces: deque[tuple[Link, bytes]] = deque()
        self._pause: Timer | None = None

    @property
    def agent(self) -> TcatAgent:
        """The engine."""
        return self._driver.engine

    @property
    def peer(self) -> str | None:
        """Who is connected."""
        return None if self._link is None else self._link.peer

    def do(self, intent: Callable[[TcatAgent, Micros], Outputs]) -> Outputs:
        """Run an intent of the agent."""
        return self._driver.do(intent)

    def stop(self) -> None:
        """Power is off."""
        self._driver.stop()
        if self._pause is not None:
            self._pause.cancel()
        self._pieces.clear()
        self._link = self._channel = None

    # The stream

    def heard(self, link: Link, data: bytes) -> None:
        """Bytes of a commissioner's stream."""
        if self._link is not None and self._link.peer != link.peer:
            if self._is_established:
                self._ignore(link.peer, "another commissioner is connected")
                return
            self._drop()
        channel = self._channel
        if channel is None:
            if self._clock.now() < self._guarded_until:
                self._ignore(link.peer, "within the guard time after a connection")
                return
            self._link, channel = link, self._open_channel()
            self._channel, self._is_established = channel, False
        try:
            heard = channel.receive(data)
        except TlsRefusedError as problem:
            self._flush()
            self._drop()
            self._emit(TcatHandshakeFailed(reason=str(problem), peer=link.peer))
            return
        self._flush()
        if heard.established:
            self._established(channel, link)
        for plaintext in heard.plaintext:
            if self._channel is channel:
                self._driver.deliver(plaintext, link.peer)
        if heard.closed and self._channel is channel:
            self.lost(link.peer, "close-notify")
        self._flush()

    def lost(self, peer: str, reason: str = "link-lost") -> None:
        """The stream is gone, or the other end has closed it."""
        if self._link is None or self._link.peer != peer:
            return
        if self._is_established:
            self._driver.do(lambda agent, now: agent.disconnected(now, reason))
        self._drop()

    def _established(self, channel: SecureChannel, link: Link) -> None:
        self._is_established = True
        try:
            certificate = channel.peer()
        except DecodeError as problem:
            self._emit(TcatHandshakeFailed(reason=problem.reason, peer=link.peer))
            self._end()
            return
        self._driver.do(lambda agent, now: agent.connected(link.peer, certificate, now))

    def send(self, payload: bytes, to: Address) -> None:
        """An answer of the agent's."""
        habits = self.habits
        if self._channel is None:
            return
        if habits.parts_after is not None:
            payload = payload[: habits.parts_after]
        size = habits.record or LONGEST_ANSWER
        for start in range(0, len(payload), size):
            self._channel.send(payload[start : start + size])
        self._flush()
        if habits.parts_after is not None:
            self._clock.call_later(0, self._part)

    def _part(self) -> None:
        """The link is gone in the middle of an answer."""
        link = self._link
        if link is None:
            return
        self._emit(LieTold(lie="parts-mid-answer", peer=link.peer))
        if link.cut is not None:
            link.cut()
        self._link = Link(link.peer, lambda _: None)
        self.lost(link.peer, "link-lost")

    def _on_event(self, event: Event) -> None:
        if isinstance(event, TcatSessionClosed):
            self._end()
        self._emit(event)

    def _end(self) -> None:
        """Close from this side."""
        if self._channel is not None:
            self._channel.close()
            self._flush()
            self._drop()

    def _flush(self) -> None:
        if self._channel is not None and self._link is not None:
            sent = self._channel.take()
            if sent:
                self._put(self._link, sent)

    def _put(self, link: Link, data: bytes) -> None:
        """On its way, in pieces where it is told to."""
        size = self.habits.piece or len(data)
        if len(data) > size or (self.habits.record and self._is_established):
            self._emit(LieTold(lie="split-answers", peer=link.peer))
        self._pieces += ((link, data[start : start + size]) for start in range(0, len(data), size))
        if self._pause is None:
            self._put_next()

    def _put_next(self) -> None:
        self._pause = None
        while self._pieces:
            link, piece = self._pieces.popleft()
            link.send(piece)
            if self._pieces and self.habits.every_us:
                self._pause = self._clock.call_later(self.habits.every_us, self._put_next)
                return

    def _drop(self) -> None:
        if self._is_established:
            self._guarded_until = self._clock.now() + GUARD
        self._link, self._channel, self._is_established = None, None, False

    def _ignore(self, peer: str, reason: str) -> None:
        self._emit(FrameIgnored(reason=reason, protocol="tcat", peer=peer))
