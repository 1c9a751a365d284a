"""A network falls apart: those on one side do not hear those on the other."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from devices.faults.base import FaultContext, fault
from devices.media.medium import Flight


@fault("partition")
@dataclass(frozen=True, slots=True)
class Partition:
    """Nothing passes between the `side` (ids) and everybody else, either way; within each all is well.

    Without a side it is the target alone that is cut off.
    """

    side: list[str] = field(default_factory=list)

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        if not self.side:
            return ()
        return () if (flight.sender in self.side) != (flight.receiver in self.side) else (flight,)
