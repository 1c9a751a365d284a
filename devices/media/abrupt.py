"""How one side ends a TCP connection abruptly, step by step: it stops reading, ends what it says, or resets.

On sockets and in virtual time alike; a fault says the steps, as an accessory's verb may.
"""

import socket
import struct
from asyncio import BaseTransport, Transport, WriteTransport
from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from devices.media.medium import Flight, FlightRule
from devices.sim.clock import Clock
from pairing.engine import Micros


class Cut(Enum):
    """What a side does to its connection."""

    STOP_READING = "stops reading, so that the other side's writes pile up"
    END_WRITING = "says no more: FIN"
    RESET = "RST"


CutStep: TypeAlias = tuple[Micros, Cut]
"""How long after the step before it, and what."""


Order: TypeAlias = Literal["at-once", "read-first", "write-first"]


def steps_in(order: Order, pending: Micros) -> Sequence[CutStep]:
    """The steps of an order, with `pending` between two of them."""
    if order == "write-first":
        return ((0, Cut.END_WRITING), (pending, Cut.RESET))
    middle = ((pending, Cut.END_WRITING),) if order == "read-first" else ()
    return ((0, Cut.STOP_READING), *middle, (pending, Cut.RESET))


@runtime_checkable
class Abrupt(Protocol):
    """A rule on a medium that makes receivers end their connections."""

    def cut_steps(self, flight: Flight) -> Sequence[CutStep]:
        """How the receiver of this segment ends its connection now; none: it does not."""


def steps_of(rules: Sequence[FlightRule], flight: Flight) -> Sequence[CutStep]:
    """What the first rule that has something to say makes of the connection of a segment."""
    for rule in rules:
        if isinstance(rule, Abrupt) and (steps := rule.cut_steps(flight)):
            return steps
    return ()


def play_cut(clock: Clock, transport: Transport, steps: Sequence[CutStep], read: Callable[[], None]) -> None:
    """Do these steps. `read` hands over what came just now, and is called only by a side that reads on."""
    if not steps or steps[0] != (0, Cut.STOP_READING):
        read()
    _play(clock, transport, steps)


def _play(clock: Clock, transport: Transport, steps: Sequence[CutStep]) -> None:
    for number, (delay, cut) in enumerate(steps):
        if delay:
            rest = ((0, cut), *steps[number + 1 :])
            clock.call_later(delay, partial(_play, clock, transport, rest))
            return
        if cut is Cut.STOP_READING:
            transport.pause_reading()
        elif cut is Cut.END_WRITING:
            transport.write_eof()
        else:
            reset(transport)


def reset(transport: BaseTransport) -> None:
    """End a TCP connection by RST, whatever was still to be sent."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.fileno() != -1:  # it may have ended by itself meanwhile
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(transport, WriteTransport):
        transport.abort()
