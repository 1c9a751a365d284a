"""Who is kept from the local network now: phones of the home, and the program beside it.

A phone is told by its own platform; the program meets the doors of `devices.transports.local_network`, and the home's
multicast DNS is silent for it.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from devices.controllers.phone import Phone
from devices.errors import UsageError
from devices.faults.local_network_denied import CLIENT, TARGETS
from devices.home.installed_fault import InstalledFault
from devices.spec import FaultSpec, closest
from devices.transports.local_network import LocalNetwork
from devices.transports.network_preload import NetworkPreload

if TYPE_CHECKING:
    from devices.bonjour.gateway import MdnsGateway
    from devices.bonjour.interfaces import Interface
    from devices.bonjour.sockets import SocketPair

ProgramNetwork: TypeAlias = LocalNetwork | NetworkPreload
"""How the program beside the home is kept from the local network."""
LINK = "client"
"""The link on which the home's multicast DNS meets the program."""
_POLL_S = 0.05


class Denials:
    """The denials of one home. `phones` is asked each time, as is whether one is denied."""

    def __init__(self, network: ProgramNetwork | None, phones: Callable[[], Mapping[str, Phone]]) -> None:
        self._network = network
        self._phones = phones
        self._gateway: MdnsGateway | None = None
        self._in_force: list[InstalledFault] = []
        self._poll: asyncio.TimerHandle | None = None

    def check(self, spec: FaultSpec) -> None:
        """Whether there is such a target. Raises UsageError, which says whom there is."""
        phones = self._phones()
        if spec.target == CLIENT:
            if self._network is None:
                raise UsageError(
                    f"fault {spec.kind}: no program stands behind doors that could be shut: start it with `pairlab exec"
                    " --local-network granted`, or by the [client] of a scenario that has this fault"
                )
        elif spec.target not in phones:
            near = closest(spec.target, [*phones, CLIENT])
            raise UsageError(f"fault {spec.kind}: target is {TARGETS}; not {spec.target!r}{near}")

    def links(self, gateway: "MdnsGateway", interfaces: "tuple[Interface, ...]") -> "list[SocketPair]":
        """The program's link, for a gateway that opens."""
        if not isinstance(self._network, LocalNetwork):
            return []
        from devices.bonjour.interfaces import Interface
        from devices.bonjour.sockets import open_pair

        self._gateway = gateway
        v4 = tuple(dict.fromkeys(address for each in interfaces for address in each.v4))
        self._network.adopt(v4)
        # 1 is the index of loopback in every namespace.
        inside = Interface(LINK, 1, tuple(sorted(v4, key=lambda each: not each.is_loopback)))
        return [open_pair(inside, is_v6=False, make=self._network.udp_socket)]

    def begin(self, installed: InstalledFault) -> None:
        """It is in force from now on."""
        self._in_force.append(installed)
        self._apply(installed.spec.target)

    def end(self, installed: InstalledFault) -> None:
        """It is over; another one may still be in force."""
        if installed in self._in_force:
            self._count()
            self._in_force.remove(installed)
            self._apply(installed.spec.target)

    def stop(self) -> None:
        """The home goes down."""
        if self._poll is not None:
            self._poll.cancel()
            self._poll = None

    def _newest(self, target: str) -> InstalledFault | None:
        return next((each for each in reversed(self._in_force) if each.spec.target == target), None)

    def _apply(self, target: str) -> None:
        newest = self._newest(target)
        phone = self._phones().get(target)
        if phone is not None:
            phone.local_network.set(None if newest is None else newest.fire)
        elif target == CLIENT and self._network is not None:
            self._apply_to_client(self._network, newest)

    def _apply_to_client(self, network: ProgramNetwork, newest: InstalledFault | None) -> None:
        self.stop()
        if self._gateway is not None:
            self._gateway.silence(LINK, is_silent=newest is not None)
        if newest is None:
            network.grant()
            return
        wire: Any = newest.wire
        cut = network.deny(wire.reject)
        if cut:
            newest.fire(f"{cut} {'connection' if cut == 1 else 'connections'} reset")
        self._watch()

    def _watch(self) -> None:
        self._poll = asyncio.get_running_loop().call_later(_POLL_S, self._watch)
        self._count()

    def _count(self) -> None:
        newest = self._newest(CLIENT)
        if newest is None or self._network is None:
            return
        calls = self._network.refused()
        if calls:
            newest.fire(f"{calls} {'call' if calls == 1 else 'calls'} refused")
