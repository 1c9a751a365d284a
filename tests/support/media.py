"""Media for tests: a virtual-time loop that runs a story, and a tap that keeps what it saw."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from devices.media.medium import Flight
from devices.sim.clock import Clock
from devices.sim.loop import VirtualTimeLoop
from pairing.engine import Address

ResultT = TypeVar("ResultT")


def virtually(story: Callable[[Clock], Awaitable[ResultT]]) -> ResultT:
    """Run a story on a virtual-time loop, with a clock that starts at 0."""
    loop = VirtualTimeLoop()

    async def run() -> ResultT:
        return await story(Clock(loop, virtual=True))

    try:
        return loop.run_until_complete(run())
    finally:
        loop.close()


class KeepingTap:
    """A tap that keeps every frame and fate as plain values."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, str, Any, Any, bytes]] = []
        self.fates: list[tuple[str, int]] = []

    def sent(self, medium: str, sender: str, source: Address, to: Address, payload: bytes) -> None:
        self.frames.append((medium, sender, source, to, payload))

    def fate(self, flight: Flight, survivors: Sequence[Flight]) -> None:
        self.fates.append((flight.receiver, len(survivors)))


def flight(payload: bytes = b"payload", *, at_us: int = 1_000, sender: str = "a", receiver: str = "b") -> Flight:
    """A flight that takes a millisecond."""
    return Flight("lan", sender, receiver, b"from", b"to", payload, at_us, at_us + 1_000)
