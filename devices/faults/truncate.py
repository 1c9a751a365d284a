"""Frames lose their end on the way."""

from collections.abc import Sequence
from dataclasses import dataclass

from devices.faults.base import FaultContext, fault
from devices.media.medium import Flight


@fault("truncate")
@dataclass(frozen=True, slots=True)
class Truncate:
    """The frame arrives cut off after `length` bytes; -1 = anywhere, drawn for each frame."""

    length: int = -1

    def __post_init__(self) -> None:
        if self.length < -1:
            raise ValueError(f"length is a number of bytes, or -1 for anywhere; not {self.length}")

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        whole = len(flight.payload)
        if not whole:
            return (flight,)
        length = context.chance.randrange(whole) if self.length == -1 else self.length
        return (flight.carrying(flight.payload[:length]),)
