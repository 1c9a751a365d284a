"""Bytes change on the way."""

from collections.abc import Sequence
from dataclasses import dataclass

from devices.faults.base import FaultContext, fault
from devices.media.medium import Flight


@fault("corrupt")
@dataclass(frozen=True, slots=True)
class Corrupt:
    """`bits` bits of the frame flip, at random places."""

    bits: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 10_000:
            raise ValueError(f"bits is 1 to 10000, not {self.bits}")

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        payload = bytearray(flight.payload)
        if not payload:
            return (flight,)
        for place in context.chance.sample(range(8 * len(payload)), min(self.bits, 8 * len(payload))):
            payload[place // 8] ^= 1 << (place % 8)
        return (flight.carrying(bytes(payload)),)
