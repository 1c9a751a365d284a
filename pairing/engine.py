"""What an engine is: one role of one protocol, without I/O, clock or chance.

An engine takes bytes, intents and the time, and returns an ordered sequence of outputs. It never raises for what the
network brought: a frame it cannot use ends in an event. Time is integer microseconds on a monotonic clock of the
caller's; randomness comes from an `Entropy` handed in at construction. Engines stack by composition: the outer one
wraps the inner one's `Transmit` and consumes or passes on its events.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

Micros: TypeAlias = int
"""Monotonic time in microseconds; only differences mean anything."""

Entropy: TypeAlias = Callable[[int], bytes]
"""Called with a number of bytes, returns that many."""

SECOND: Micros = 1_000_000
MILLISECOND: Micros = 1_000


class Endpoint(NamedTuple):
    """Where a datagram comes from or goes to: an IP address as text, a UDP port, and the link (interface) it crosses.

    `link` is empty where the sender does not care. Group addresses are ordinary hosts (`224.0.0.251`).
    """

    host: str
    port: int
    link: str = ""


Address: TypeAlias = Endpoint | bytes | str
"""An IP endpoint, a link-layer address (six bytes) or a name, as the medium has it. Engines compare, never parse it."""


def peer_name(address: Address) -> str:
    """An address as text, for events: `127.0.0.1:49153`, hexadecimal for octets."""
    if isinstance(address, Endpoint):
        host = f"[{address.host}]" if ":" in address.host else address.host
        return f"{host}:{address.port}"
    return address if isinstance(address, str) else address.hex()


@dataclass(frozen=True, slots=True)
class Transmit:
    """Bytes to put on the medium, for one address (a group address reaches all that listen)."""

    payload: bytes = field(repr=False)
    to: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact in the past tense. Subclasses add fields; secret ones are `field(repr=False, metadata={"secret": True})`.

    `peer` names the other party where there is one.
    """

    peer: str | None = None


Output: TypeAlias = Transmit | Event
Outputs: TypeAlias = Sequence[Output]


class Engine(Protocol):
    """One role of one protocol. Beside these, an engine has its own intents, each `(…, now) -> Outputs`."""

    @property
    def deadline(self) -> Micros | None:
        """The one next moment at which `handle_timeout` wants to be called, or None."""

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A datagram or frame has arrived."""

    def handle_timeout(self, now: Micros) -> Outputs:
        """The deadline has passed. Called early, it does nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameIgnored(Event):
    """Something arrived that the standard says to discard silently, or that did not parse."""

    reason: str
    protocol: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerDiscovered(Event):
    """A peer's service came into view. `service` is its type or name, `info` what the medium says of it, as text."""

    service: str
    info: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerLost(Event):
    """A peer's service went out of view: goodbye, expiry, or silence."""

    service: str
    reason: str = ""
