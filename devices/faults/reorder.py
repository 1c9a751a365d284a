"""A frame overtakes the one before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from devices.faults.base import FaultContext, fault
from devices.media.medium import Flight
from devices.spec import duration_us


@fault("reorder")
@dataclass(frozen=True, slots=True)
class Reorder:
    """A chosen frame waits for `patience`; the next one on the same way overtakes it."""

    patience: str = "500ms"

    def __post_init__(self) -> None:
        duration_us(self.patience)

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        way = (flight.medium, flight.sender, flight.receiver)
        held_until: int | None = context.memory.pop(way, None)
        if held_until is not None and flight.departs_us < held_until:
            # The one held back arrives at held_until; this one goes first, on time.
            return (flight,)
        late = replace(flight, arrives_us=flight.arrives_us + duration_us(self.patience))
        context.memory[way] = late.arrives_us
        return (late,)
