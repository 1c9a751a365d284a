"""What is told of faults and lies: begun, done something, over."""

from dataclasses import dataclass

from pairing.engine import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultStarted(Event):
    """A fault or lie is in force from now on."""

    fault: str
    kind: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultFired(Event):
    """A fault changed something that happened, or a lie was told."""

    fault: str
    kind: str
    target: str
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultEnded(Event):
    """A fault or lie is over; `fired` counts what it changed."""

    fault: str
    kind: str
    target: str
    fired: int
