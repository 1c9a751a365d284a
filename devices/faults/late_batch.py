"""Messages are accepted and arrive together much later, or never.

Source: a public bug report on messages between a phone and a watch: sent every few seconds, acknowledged as accepted,
received in bulk much later or not at all. The post gives no times; `hold` is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from devices.faults.base import FaultContext, fault
from devices.media.medium import Flight
from devices.spec import duration_us


@fault("late-batch")
@dataclass(frozen=True, slots=True)
class LateBatch:
    """The first frame opens a batch; `hold` later all of it arrives together in order, or (`lost`) none of it."""

    hold: str = "60s"
    ending: Literal["deliver", "lost"] = "deliver"

    def __post_init__(self) -> None:
        if duration_us(self.hold) == 0:
            raise ValueError("hold is how long a batch waits, not 0s")

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        if self.ending == "lost":
            return ()
        until: int = context.memory.get(flight.medium, 0)
        if flight.arrives_us > until:
            until = context.memory[flight.medium] = flight.arrives_us + duration_us(self.hold)
        return (replace(flight, arrives_us=until),)
