"""Sends through an interface that is down succeed, and what is sent vanishes.

Source: a public bug report on `sendto` over an interface without UP: it returned success, and the kernel dropped the
datagram with error 50.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from devices.faults.base import FaultContext, fault
from devices.media.medium import Flight


@fault("link-down-silent")
@dataclass(frozen=True, slots=True)
class LinkDownSilent:
    """Whatever is sent vanishes without an error; the event log alone tells, with the size."""

    reason: ClassVar[str] = "dropped: link down (50): "

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        return ()
