"""Which network interfaces a reach covers, and the addresses they have.

What `ifaddr` reports is regrouped by interface; whether multicast works there shows when the sockets are opened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import ifaddr

from devices.errors import TransportUnavailableError
from devices.spec import Reach


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface with its addresses, in the order in which the system gives them."""

    name: str
    index: int
    v4: tuple[IPv4Address, ...] = ()
    v6: tuple[IPv6Address, ...] = ()

    @property
    def is_loopback(self) -> bool:
        """The interface of the machine itself."""
        return any(address.is_loopback for address in self.v4) or any(address.is_loopback for address in self.v6)

    @property
    def v6_source(self) -> IPv6Address | None:
        """The address to speak from in IPv6: the link-local one if there is one."""
        return next((address for address in self.v6 if address.is_link_local), next(iter(self.v6), None))


def interfaces_of(reach: Reach) -> tuple[Interface, ...]:
    """The interfaces that a reach covers; raises TransportUnavailableError for a name that this host has not."""
    present = _present()
    if reach == "all":
        return tuple(sorted(present, key=lambda each: each.is_loopback))
    if reach == "loopback":
        found = tuple(each for each in present if each.is_loopback)
        if not found:
            raise TransportUnavailableError("reach loopback: this host has no loopback interface with an address")
        return found
    return _named(reach, present)


def _named(names: Sequence[str], present: Sequence[Interface]) -> tuple[Interface, ...]:
    by_name = {each.name: each for each in present}
    for name in names:
        if name not in by_name:
            raise TransportUnavailableError(
                f"reach: no interface {name!r} with an address; this host has {', '.join(sorted(by_name))}"
            )
    return tuple(by_name[name] for name in dict.fromkeys(names))


def _present() -> list[Interface]:
    found: dict[str, Interface] = {}
    for adapter in ifaddr.get_adapters():
        name = adapter.name.partition(":")[0]  # eth0:1 is a second address of eth0
        known = found.get(name) or Interface(name, adapter.index or 0)
        v4 = tuple(IPv4Address(ip.ip) for ip in adapter.ips if isinstance(ip.ip, str))
        v6 = tuple(IPv6Address(ip.ip[0].partition("%")[0]) for ip in adapter.ips if isinstance(ip.ip, tuple))
        if v4 or v6:
            found[name] = Interface(name, known.index, known.v4 + v4, known.v6 + v6)
    return list(found.values())
