"""What a wire fault is: a frozen record of parameters with `apply(flight, context)`, registered under a kind.

Dropping returns nothing, duplicating returns two, corrupting returns a changed copy. What a fault must remember and its
stream of chance live in the context, one per installation, so the record stays a value.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Protocol, TypeVar

from devices.errors import UnknownKindError
from devices.media.medium import Flight
from devices.sim.chance import Stream
from devices.spec import closest, make_record
from pairing.engine import Micros


class WireFault(Protocol):
    """One way in which a medium misbehaves."""

    kind: ClassVar[str]

    def apply(self, flight: Flight, context: "FaultContext") -> Sequence[Flight]:
        """What becomes of a flight that this fault has chosen."""


@dataclass(slots=True)
class FaultContext:
    """What one installation of a fault remembers: its chance, its target, when it began, and what it keeps."""

    chance: Stream
    target: str = "*"
    started_us: Micros = 0
    memory: dict[Any, Any] = field(default_factory=dict)


FaultT = TypeVar("FaultT", bound=type)
_KINDS: dict[str, type[WireFault]] = {}


def fault(kind: str) -> Callable[[FaultT], FaultT]:
    """Register a frozen record under its kind; the outermost decorator."""

    def register(cls: FaultT) -> FaultT:
        cls.kind = kind  # type: ignore[attr-defined]  # what the WireFault protocol asks for
        _KINDS[kind] = cls
        return cls

    return register


def wire_faults() -> Mapping[str, type[WireFault]]:
    """Every wire fault by kind, sorted."""
    _load()
    return dict(sorted(_KINDS.items()))


@cache
def _load() -> None:
    package = importlib.import_module("devices.faults")
    for module in sorted(each.name for each in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"devices.faults.{module}")


def make_fault(kind: str, parameters: Mapping[str, Any]) -> WireFault:
    """A fault from its kind and parameters. Raises UnknownKindError or UsageError."""
    kinds = wire_faults()
    if kind not in kinds:
        raise UnknownKindError(f"no fault is called {kind!r}{closest(kind, kinds)}")
    return make_record(kinds[kind], parameters, f"fault {kind}")
