"""A network falls apart in one direction: those on one side are heard and hear nothing, or the other way round."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from devices.faults.base import FaultContext, fault
from devices.media.medium import Flight


@fault("one-way-partition")
@dataclass(frozen=True, slots=True)
class OneWayPartition:
    """What the `side` (ids) sends does not reach anybody else, while it hears them.

    Without a side the target is mute.
    """

    side: list[str] = field(default_factory=list)

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        if not self.side:
            return () if context.target in ("*", flight.sender) else (flight,)
        return () if flight.sender in self.side and flight.receiver not in self.side else (flight,)
