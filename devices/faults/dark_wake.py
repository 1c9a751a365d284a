"""A machine that sleeps wakes in the dark for seconds, every quarter of an hour, and is silent in between.

Source: a public bug report on a proxy with a heartbeat of 20 s: it stopped in sleep, the peer's dead-peer detection
closed, and about every 15 minutes a wake tried the old connection and made a new one. How long a wake lasts is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from devices.faults.base import FaultContext, fault
from devices.media.medium import Flight
from devices.spec import duration_us
from pairing.engine import Micros


@fault("dark-wake")
@dataclass(frozen=True, slots=True)
class DarkWake:
    """Asleep at once: nothing passes but in a `window` after each `period`."""

    period: str = "15m"
    window: str = "5s"

    def __post_init__(self) -> None:
        if not 0 < duration_us(self.window) < duration_us(self.period):
            raise ValueError("window is more than 0s and less than period")

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        period, window = duration_us(self.period), duration_us(self.window)
        since = flight.departs_us - context.started_us
        # The first wake begins when the first period is over.
        return (flight,) if since >= period and since % period < window else ()

    def wakes_us(self, flight: Flight, context: FaultContext) -> Micros | None:
        """When the sleeper sends what it could not send now; None for others, who are awake and send in vain."""
        if context.target not in ("*", flight.sender):
            return None
        period = duration_us(self.period)
        return flight.departs_us + period - (flight.departs_us - context.started_us) % period
