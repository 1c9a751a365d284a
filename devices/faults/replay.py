"""Somebody has recorded a frame and sends it again much later."""

from collections.abc import Sequence
from dataclasses import dataclass

from devices.faults.base import FaultContext, fault
from devices.media.medium import Flight
from devices.spec import duration_us


@fault("replay")
@dataclass(frozen=True, slots=True)
class Replay:
    """The frame arrives on time, and the same bytes `times` more, `after` one another.

    Unlike a duplicate, which the network makes, a replay comes when the exchange it belonged to is over.
    """

    after: str = "10s"
    times: int = 1

    def __post_init__(self) -> None:
        if duration_us(self.after) == 0:
            raise ValueError("after is how much later the bytes come again, not 0s")
        if not 1 <= self.times <= 100:
            raise ValueError(f"times is 1 to 100, not {self.times}")

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        return tuple(flight.delayed(duration_us(self.after) * index) for index in range(self.times + 1))
