"""Reach: one setting that governs which interfaces every socket of a home uses.

`loopback` = this machine only, `all` = every interface, or a list of interface names.
"""

import os
from collections.abc import Sequence
from ipaddress import IPv4Address

import ifaddr

from devices.errors import TransportUnavailableError, UsageError
from devices.spec import Reach

VARIABLE = "PAIRLAB_REACH"
LOOPBACK = "127.0.0.1"


def parse_reach(text: str) -> Reach:
    """`loopback`, `all`, or interface names separated by commas."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise UsageError("reach is loopback, all, or interface names separated by commas; it is empty")
    if words == ["loopback"]:
        return "loopback"
    if words == ["all"]:
        return "all"
    if {"loopback", "all"} & set(words):
        raise UsageError(f"reach is loopback, all, or interface names; not a mix: {text!r}")
    return words


def choose_reach(option: str | None, spec: Reach | None, default: Reach) -> Reach:
    """The reach in force: the command line, then the environment, then the home file, then the default."""
    if option is not None:
        return parse_reach(option)
    variable = os.environ.get(VARIABLE)
    if variable:
        return parse_reach(variable)
    return spec if spec is not None else default


def bind_hosts(reach: Reach) -> Sequence[str]:
    """The IPv4 addresses to bind servers to; the first is the one to show. Raises TransportUnavailableError."""
    if reach == "loopback":
        return (LOOPBACK,)
    if reach == "all":
        return ("0.0.0.0",)  # noqa: S104  # what `all` means
    by_name = {
        name: [str(ip.ip) for ip in adapter.ips if ip.is_IPv4]
        for adapter in ifaddr.get_adapters()
        for name in {adapter.name, adapter.nice_name}
    }
    hosts = []
    for name in reach:
        if name not in by_name:
            raise TransportUnavailableError(f"reach: no interface {name!r}; this host has {', '.join(sorted(by_name))}")
        if not by_name[name]:
            raise TransportUnavailableError(f"reach: interface {name!r} has no IPv4 address")
        hosts += by_name[name]
    return tuple(hosts)


def check_within(host: str, reach: Reach, what: str) -> None:
    """Raise UsageError if a server at that IPv4 address would be seen beyond the reach."""
    allowed = bind_hosts(reach)
    if reach != "all" and not IPv4Address(host).is_loopback and host not in allowed:
        raise UsageError(f"{what}: {host} is outside the reach of this home, which is {', '.join(allowed)}")


def shown_host(host: str) -> str:
    """The address to print for a bound one: a wildcard is reached from here by loopback."""
    return LOOPBACK if host == "0.0.0.0" else host  # noqa: S104  # compared, not bound
