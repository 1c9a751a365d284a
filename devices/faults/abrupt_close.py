"""The other side of a connection resets it while one's own writes are pending.

Source: a public bug report on a proxy whose flows were closed, first writing and then reading, while writes were still
pending. What the other side did is not in it; the orders and the pause are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from devices.faults.base import FaultContext, fault
from devices.media.abrupt import CutStep, Order, steps_in
from devices.media.medium import Flight
from devices.spec import duration_us


@fault("abrupt-close")
@dataclass(frozen=True, slots=True)
class AbruptClose:
    """Each TCP connection to the target ends with RST, `pending` after it was next spoken to, what it was told unread.

    `order`: `at-once` stops reading, then RST; `read-first` stops reading, FIN, RST; `write-first` FIN, then RST.
    """

    acts_on_flights: ClassVar[bool] = False

    order: Order = "at-once"
    pending: str = "1s"

    def __post_init__(self) -> None:
        duration_us(self.pending)

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        return (flight,)

    def cut_steps(self, flight: Flight, context: FaultContext) -> Sequence[CutStep]:
        """What the receiver of a segment does to its connection."""
        if context.target not in ("*", flight.receiver):
            return ()
        return steps_in(self.order, duration_us(self.pending))
