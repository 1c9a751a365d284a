"""Frames vanish."""

from collections.abc import Sequence
from dataclasses import dataclass

from devices.faults.base import FaultContext, fault
from devices.media.medium import Flight


@fault("drop")
@dataclass(frozen=True, slots=True)
class Drop:
    """The frame never arrives."""

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        return ()
