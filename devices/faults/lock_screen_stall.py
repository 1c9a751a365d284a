"""A phone whose screen is locked is silent for half a minute, and nothing tells anybody.

Source: a public bug report on local push connectivity: every 1 to 3 hours about 30 s without a packet either way; no
error, no FIN, no RST; the server warned at 16 s of silence and closed at 30 s, the client learned of it 84.8 s later.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from devices.faults.base import FaultContext, fault
from devices.media.medium import Flight
from devices.spec import duration_us


@fault("lock-screen-stall")
@dataclass(frozen=True, slots=True)
class LockScreenStall:
    """Silence for `stall`, first after `onset`, then `every` so often; `resume` delivers what waited, `lost` does not.

    `every = "0s"`: once. What waited arrives in order when the stall is over. `direction` makes it inbound or outbound.
    """

    onset: str = "0s"
    stall: str = "30s"
    every: str = "2h"
    ending: Literal["resume", "lost"] = "resume"

    @property
    def forgets(self) -> bool:
        """Whether a connection that was closed meanwhile is gone for good: no FIN follows when the stall is over."""
        return self.ending == "lost"

    def __post_init__(self) -> None:
        onset, stall, every = map(duration_us, (self.onset, self.stall, self.every))
        if onset < 0 or stall == 0 or 0 < every <= stall:
            raise ValueError("stall is more than 0s, and every is more than stall, or 0s for once")

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        onset, stall, every = map(duration_us, (self.onset, self.stall, self.every))
        since = flight.departs_us - context.started_us - onset
        if since < 0:
            return (flight,)
        into = since % every if every else since
        if into >= stall:
            return (flight,)
        if self.ending == "lost":
            return ()
        return (replace(flight, arrives_us=max(flight.arrives_us, flight.departs_us - into + stall)),)
