"""A bottleneck: bytes pass at a rate, what does not pass at once queues, and what does not fit is lost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from devices.faults.base import FaultContext, fault
from devices.media.medium import Flight


@fault("rate")
@dataclass(frozen=True, slots=True)
class Rate:
    """Each way carries `bytes_per_second`; frames queue in order, at most `queue` bytes of them, and more are lost."""

    bytes_per_second: int = 1_000
    queue: int = 10_000

    def __post_init__(self) -> None:
        if self.bytes_per_second < 1 or self.queue < 0:
            raise ValueError("bytes_per_second is 1 or more, queue 0 or more")

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        way = (flight.medium, flight.sender, flight.receiver)
        free_at: int = max(flight.departs_us, context.memory.get(way, 0))
        waiting = (free_at - flight.departs_us) * self.bytes_per_second // 1_000_000
        if waiting > self.queue:
            return ()
        passed = free_at + len(flight.payload) * 1_000_000 // self.bytes_per_second
        context.memory[way] = passed
        return (replace(flight, arrives_us=flight.arrives_us + passed - flight.departs_us),)
