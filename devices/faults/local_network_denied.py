"""A program without the local network privilege: it is told that there is no route, and the home never hears of it.

Source: Apple's technote 3179 on local network privacy, and public bug reports: `sendto` to a group fails with
EHOSTUNREACH (Java: NoRouteToHostException), connections to hosts of the local network too, for one program and not for
another; a container's programs were told "no route to host" or "connection refused". Its times are those of every
fault: `duration` is how long the user takes to allow it, `start` when it is taken away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from devices.faults.base import FaultContext, fault
from devices.media.medium import Flight

KIND = "local-network-denied"
CLIENT = "client"
"""The target that means the program beside the home."""
TARGETS = f"a phone of the home, or {CLIENT!r}, the program beside it"


@fault(KIND)
@dataclass(frozen=True, slots=True)
class LocalNetworkDenied:
    """A phone's app, or (target `client`) the program beside the home, is kept from the local network.

    `reject` is what that program's calls end in: EHOSTUNREACH, or `refused` as from a host without such a port.
    """

    acts_on_flights: ClassVar[bool] = False

    reject: Literal["no-route", "refused"] = "no-route"

    def apply(self, flight: Flight, context: FaultContext) -> Sequence[Flight]:
        # Nothing is lost on the way: what is denied is never sent.
        return (flight,)
