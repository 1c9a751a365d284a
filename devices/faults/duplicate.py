"""Frames arrive more than once."""

from collections.abc import Sequence
from dataclasses import dataclass

from devices.faults.base import FaultContext, fault
from devices.media.medium import Flight
from devices.spec import duration_us


@fault("duplicate")
@dataclass(frozen=True, slots=True)
class Duplicate:
    """The frame arrives `copies` more times, each `gap` after the one before."""

    copies: int = 1
    gap: str = "1ms"

    def __post_init__(self) -> None:
        duration_us(self.gap)
        if not 1 <= self.copies <= 100:
            raise ValueError(f"copies is 1 to 100, not {self.copies}")

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        return tuple(flight.delayed(duration_us(self.gap) * index) for index in range(self.copies + 1))
