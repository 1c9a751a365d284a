"""A fault or lie in force in a home: whom it hits, how often, for how long, and how often it has fired."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from devices.faults.base import FaultContext, WireFault
from devices.faults.schedule import Way, way_of
from devices.media.abrupt import CutStep
from devices.media.medium import Flight
from devices.sim.chance import Stream
from devices.spec import FaultSpec
from pairing.engine import Micros


@dataclass(slots=True)
class InstalledFault:
    """One installation. Lies have no wire fault; their accessory reports each time they are told."""

    id: str
    spec: FaultSpec
    wire: WireFault | None
    context: FaultContext
    on_fired: Callable[["InstalledFault", str], None]
    streams: Callable[[str], Stream] | None = None
    """In real time: chance by name. What is drawn for one way must not depend on what else happens meanwhile."""
    active: bool = False
    over: bool = False
    fired: int = 0
    seen: int = field(default=0, repr=False)
    _by_way: dict[Way, Stream] = field(default_factory=dict, repr=False)

    @property
    def silent(self) -> bool:
        """True when it never fired although somebody counts on it."""
        return self.fired == 0 and not self.spec.optional

    def apply(self, flight: Flight) -> Sequence[Flight]:
        """As a rule on a medium: what becomes of a flight."""
        if not self.active or self.wire is None or not self._hits(flight):
            return (flight,)
        if self.streams is not None:
            self.context.chance = self._stream_of(way_of(flight), self.streams)
        if self.spec.probability < 1 and self.context.chance.random() >= self.spec.probability:
            return (flight,)
        survivors = self.wire.apply(flight, self.context)
        # Where nothing has changed, the fault has not fired: a reorder lets the overtaking frame go on time.
        if len(survivors) != 1 or survivors[0] != flight:
            reason: str = getattr(self.wire, "reason", "")  # a bundle says it in its platform's words
            self.fire(f"{reason}{flight.sender} to {flight.receiver}, {len(flight.payload)} bytes")
        return survivors

    def _stream_of(self, way: Way, streams: Callable[[str], Stream]) -> Stream:
        if way not in self._by_way:
            self._by_way[way] = streams(f"fault/{self.id}/{'/'.join(way)}")
        return self._by_way[way]

    def forgets(self, flight: Flight) -> bool:
        """Whether it is in force for this flight and whoever closes a connection meanwhile is not heard of again."""
        return self.active and getattr(self.wire, "forgets", False) and self._hits(flight)

    def wakes_us(self, flight: Flight) -> Micros | None:
        """When the sender of a flight wakes, where this fault has put it to sleep."""
        wakes = getattr(self.wire, "wakes_us", None)
        if wakes is None or not self.active or not self._hits(flight):
            return None
        at_us: Micros | None = wakes(flight, self.context)
        return at_us

    def cut_steps(self, flight: Flight) -> Sequence[CutStep]:
        """How the receiver of a segment ends its connection."""
        cut = getattr(self.wire, "cut_steps", None)
        if cut is None or not self.active or not self._hits(flight):
            return ()
        if self.spec.probability < 1 and self.context.chance.random() >= self.spec.probability:
            return ()
        steps: Sequence[CutStep] = cut(flight, self.context)
        if steps:
            self.fire(f"{flight.receiver} ends its connection with {flight.sender}")
        return steps

    def fire(self, what: str) -> None:
        """Count one effect and tell the home."""
        self.fired += 1
        self.on_fired(self, what)

    def _hits(self, flight: Flight) -> bool:
        if self.spec.medium not in ("*", flight.medium):
            return False
        target, direction = self.spec.target, self.spec.direction
        if target == "*":
            return True
        return (direction in ("in", "both") and flight.receiver == target) or (
            direction in ("out", "both") and flight.sender == target
        )
