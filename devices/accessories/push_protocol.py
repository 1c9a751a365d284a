"""The line protocol of push services, and what a server makes of a client's silence: it warns, then closes.

Lines end in LF (a CR before it is ignored), 1024 octets at most. A client says `PING <text>` and gets `PONG <text>`
and `TIME <seconds>` at once; `HELLO <name>` says who it is. `PUSH <text>` comes unasked. Anything else is answered by
`ERROR <reason>`. Source: none; ours, after a public bug report whose client pinged once a second over TCP and got a
pong and a packet with the time; its server warned at 16 s of silence and closed at 30 s.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from devices.events import RequestReceived
from devices.media.abrupt import CutStep, play_cut, reset
from devices.media.tcp_lan import End
from devices.service_events import Connected, Disconnected, PeerReturned, PeerSilent
from devices.sim.clock import Clock, Timer
from pairing.engine import Event, Micros

LONGEST_LINE = 1024


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server bears silence; None: for ever."""

    warn_us: Micros | None
    close_us: Micros | None


class ServedConnection(Protocol):
    """One client at a service. `raw` is the TCP connection below TLS, where there is one."""

    raw: asyncio.Transport | None

    def say(self, line: str) -> None:
        """Send a line unasked, where the protocol has such."""

    def close(self, reason: str) -> None:
        """End in peace."""

    def cut(self, steps: Sequence[CutStep]) -> None:
        """End abruptly."""

    def vanish(self) -> None:
        """Be gone."""


@dataclass(slots=True)
class PushRoom:
    """The connections of one server, and its counters."""

    clock: Clock
    patience: Patience
    emit: Callable[[Event], None]
    connections: "dict[int, ServedConnection]" = field(default_factory=dict)
    plain_tls: str = "none"
    """What connections say of their TLS that have none."""
    count: int = 0
    octets_in: int = 0
    octets_out: int = 0
    silences: int = 0
    """Connections that were closed for silence."""
    false_disconnects: int = 0
    """Clients that were taken for dead and came back; told apart by the name of HELLO, else by their host."""
    _taken_for_dead: dict[str, Micros] = field(default_factory=dict)

    def enter(self, connection: ServedConnection) -> int:
        """One more connection; its number."""
        self.count += 1
        self.connections[self.count] = connection
        return self.count

    def leave(self, number: int) -> bool:
        """A connection is over; False where it was before."""
        return self.connections.pop(number, None) is not None

    def connection(self) -> "PushConnection":
        """A protocol for one more client."""
        return PushConnection(self)

    def push(self, text: str) -> int:
        """Say something to everybody; to how many it went."""
        for each in tuple(self.connections.values()):
            each.say(f"PUSH {text}")
        return len(self.connections)

    def close(self, reason: str) -> None:
        """End every connection in peace."""
        for each in tuple(self.connections.values()):
            each.close(reason)

    def vanish(self) -> None:
        """Be gone without a word to anybody."""
        for each in tuple(self.connections.values()):
            each.vanish()

    def cut(self, steps: Sequence[CutStep]) -> int:
        """End every connection abruptly; how many there were."""
        there = tuple(self.connections.values())
        for each in there:
            each.cut(steps)
        return len(there)

    def died(self, who: str) -> None:
        """Somebody is taken for dead."""
        self.silences += 1
        self._taken_for_dead[who] = self.clock.now()

    def seen(self, who: str, peer: str) -> None:
        """Somebody is here."""
        since = self._taken_for_dead.pop(who, None)
        if since is not None:
            self.false_disconnects += 1
            away_us = self.clock.now() - since
            self.emit(PeerReturned(peer=peer, away_us=away_us, false_disconnects=self.false_disconnects))


class PushConnection(asyncio.Protocol):
    """One client at a server. An alarm goes off at each limit of silence since it was last heard."""

    def __init__(self, room: PushRoom) -> None:
        self._room = room
        self.raw: asyncio.Transport | None = None
        """The TCP connection below TLS, where there is one."""
        self._number = 0
        self._line = bytearray()
        self._reason = ""
        self._octets_in = self._octets_out = 0
        self._heard_us = 0
        self._alarms: list[Timer] = []
        self._who = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # TCP gives nothing else
        self._transport = transport
        host, port = transport.get_extra_info("peername")[:2]
        actor = transport.get_extra_info("peer")
        self._peer = actor or f"{host}:{port}"
        self._who = actor or host
        self._number = self._room.enter(self)
        secured = transport.get_extra_info("ssl_object")
        tls = self._room.plain_tls if secured is None else str(secured.version())
        self._room.emit(Connected(peer=self._peer, connection=self._number, tls=tls))
        self._room.seen(self._who, self._peer)
        self._heard()

    def data_received(self, data: bytes) -> None:
        self._octets_in += len(data)
        self._room.octets_in += len(data)
        self._heard()
        *lines, rest = (bytes(self._line) + data).split(b"\n")
        self._line = bytearray(rest)
        for line in lines:
            if len(line) > LONGEST_LINE:
                self._too_long()
                return
            self._answer(line.removesuffix(b"\r").decode("utf-8", "replace"))
        if len(self._line) > LONGEST_LINE:
            self._too_long()

    def pause_writing(self) -> None:
        # A client that asks and does not read is not heard until it has read.
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        if not self._reason:
            self._transport.resume_reading()

    def eof_received(self) -> bool:
        self._reason = self._reason or "closed-by-peer"
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if isinstance(exc, ConnectionResetError):
            self._reason = self._reason or "reset-by-peer"
        self._over(self._reason or (type(exc).__name__ if exc is not None else "cut"))

    def say(self, line: str) -> None:
        """Send a line."""
        octets = line.encode() + b"\n"
        self._octets_out += len(octets)
        self._room.octets_out += len(octets)
        self._transport.write(octets)

    def close(self, reason: str) -> None:
        """End in peace."""
        self._reason = reason
        self._over(reason)
        self._transport.close()

    def cut(self, steps: Sequence[CutStep]) -> None:
        """End abruptly."""
        self._reason = "told"
        play_cut(self._room.clock, self.raw or self._transport, steps, lambda: None)

    def vanish(self) -> None:
        """Be gone, as when the plug is pulled; on a socket the system still says so with RST."""
        self._over("power-off")
        if isinstance(self._transport, End):
            self._transport.vanish()
        else:
            reset(self._transport)

    def _answer(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        match word:
            case "PING":
                self.say(f"PONG {rest}")
                self.say(f"TIME {self._room.clock.now() / 1_000_000:.6f}")
                status = "PONG"
            case "HELLO" if rest:
                self._who, status = rest, "OK"
                self._room.seen(rest, self._peer)
            case _:
                self.say("ERROR expected PING <text> or HELLO <name>")
                status = "ERROR"
        known = word if status != "ERROR" else "?"
        self._room.emit(RequestReceived(protocol="push", method=known, path=rest[:64], status=status, peer=self._peer))

    def _too_long(self) -> None:
        self.say(f"ERROR a line is {LONGEST_LINE} octets at the most")
        self.close("too-long")

    def _heard(self) -> None:
        self._quiet()
        clock, patience = self._room.clock, self._room.patience
        self._heard_us = clock.now()
        if self._reason:
            return
        if patience.warn_us is not None:
            self._alarms.append(clock.call_later(patience.warn_us, self._warn))
        if patience.close_us is not None:
            self._alarms.append(clock.call_later(patience.close_us, self._give_up))

    def _quiet(self) -> None:
        for alarm in self._alarms:
            alarm.cancel()
        self._alarms.clear()

    def _warn(self) -> None:
        silent_us = self._room.clock.now() - self._heard_us
        self._room.emit(PeerSilent(peer=self._peer, connection=self._number, silent_us=silent_us))

    def _give_up(self) -> None:
        self._room.died(self._who)
        self.close("silence")

    def _over(self, reason: str) -> None:
        self._quiet()
        if self._room.leave(self._number):
            counts = {"octets_in": self._octets_in, "octets_out": self._octets_out}
            self._room.emit(Disconnected(peer=self._peer, connection=self._number, reason=reason, **counts))
