"""Frames arrive late."""

from collections.abc import Sequence
from dataclasses import dataclass

from devices.faults.base import FaultContext, fault
from devices.media.medium import Flight
from devices.spec import duration_us


@fault("delay")
@dataclass(frozen=True, slots=True)
class Delay:
    """The frame arrives `delay` later, plus a random part of up to `jitter`."""

    delay: str = "200ms"
    jitter: str = "0s"

    def __post_init__(self) -> None:
        duration_us(self.delay)
        duration_us(self.jitter)

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        return (flight.delayed(duration_us(self.delay) + context.chance.randint(0, duration_us(self.jitter))),)
