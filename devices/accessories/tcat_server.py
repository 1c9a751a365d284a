"""One TCAT agent behind its TLS: streams of bytes come in from Bluetooth or UDP, one commissioner at a time.

After an end the device takes no new hello for two seconds. Source: Thread 1.4 specification, chapter 13; the guard time
as measured from OpenThread.
"""

from collections.abc import Callable
from dataclasses import dataclass

from devices.driver import EngineDriver
from devices.sim.clock import Clock
from devices.transports.tcat_tls import LONGEST_ANSWER, SecureChannel, TlsRefusedError
from pairing.engine import SECOND, Address, Event, FrameIgnored, Micros, Outputs
from pairing.errors import DecodeError
from pairing.thread.tcat.device import TcatAgent
from pairing.thread.tcat.events import TcatHandshakeFailed, TcatSessionClosed

GUARD: Micros = 2 * SECOND


@dataclass(slots=True)
class Link:
    """A way to a commissioner: who it is, and how bytes of the stream get there."""

    peer: str
    send: Callable[[bytes], None]


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
        if self._channel is not None:
            for start in range(0, len(payload), LONGEST_ANSWER):
                self._channel.send(payload[start : start + LONGEST_ANSWER])
            self._flush()

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
                self._link.send(sent)

    def _drop(self) -> None:
        if self._is_established:
            self._guarded_until = self._clock.now() + GUARD
        self._link, self._channel, self._is_established = None, None, False

    def _ignore(self, peer: str, reason: str) -> None:
        self._emit(FrameIgnored(reason=reason, protocol="tcat", peer=peer))
