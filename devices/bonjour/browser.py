"""What Bonjour shows on a reach, seen by python-zeroconf: a client that shares no code with our responder.

Behind `pairlab browse`. TXT stays raw; its decoding is left to `pairing.dnssd.txt`.
"""

import asyncio
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from devices.bonjour.interfaces import interfaces_of
from devices.bonjour.sockets import explained
from devices.errors import UsageError
from devices.spec import Reach
from pairing.dnssd.names import type_name
from pairing.dnssd.querier import ALL_TYPES
from pairing.dnssd.service import ResolvedService
from pairing.errors import EncodeError

DOMAIN = ".local."

PATIENCE_MS = 3000
"""How long one service is asked for its details."""


async def browse(types: Sequence[str], seconds: float, reach: Reach) -> tuple[ResolvedService, ...]:
    """The services of these types, or of every type, that show within the time; sorted by type and instance.

    One that was seen but not resolved has no host. Raises UsageError for a bad type, TransportUnavailableError where
    sockets cannot be had.
    """
    for service_type in types:
        try:
            type_name(service_type)
        except EncodeError as error:
            raise UsageError(str(error)) from error
    hosts = _hosts(reach)
    try:
        zeroconf = AsyncZeroconf(interfaces=hosts, ip_version=_ip_version(hosts))
    except OSError as error:
        raise explained(", ".join(hosts), error) from error
    try:
        search = _Search(zeroconf)
        search.start(f"{service_type}{DOMAIN}" for service_type in dict.fromkeys(types or (ALL_TYPES,)))
        await asyncio.sleep(seconds)
        return await search.finish()
    finally:
        await zeroconf.async_close()


def _hosts(reach: Reach) -> list[str]:
    interfaces = interfaces_of(reach)
    v4 = [str(each.v4[0]) for each in interfaces if each.v4]
    v6 = [str(each.v6_source) for each in interfaces if each.v6_source is not None and not each.is_loopback]
    return v4 + v6


def _ip_version(hosts: Iterable[str]) -> IPVersion:
    families = {":" in host for host in hosts}
    if families == {True}:
        return IPVersion.V6Only
    return IPVersion.All if True in families else IPVersion.V4Only


class _Search:
    """Browses, follows types that turn up, and resolves every instance as it appears."""

    def __init__(self, zeroconf: AsyncZeroconf) -> None:
        self._zeroconf = zeroconf
        self._browsers: dict[str, AsyncServiceBrowser] = {}
        self._found: dict[str, str] = {}
        self._resolving: dict[str, asyncio.Task[ResolvedService]] = {}

    def start(self, types: Iterable[str]) -> None:
        for service_type in types:
            if service_type not in self._browsers:
                browser = AsyncServiceBrowser(self._zeroconf.zeroconf, service_type, handlers=[self._on_change])
                self._browsers[service_type] = browser

    def _on_change(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if service_type == f"{ALL_TYPES}{DOMAIN}":
            if state_change is ServiceStateChange.Added:
                self.start([name])
        elif state_change is ServiceStateChange.Removed:
            self._found.pop(name, None)
        else:
            self._found[name] = service_type
            if name not in self._resolving:
                self._resolving[name] = asyncio.ensure_future(self._resolve(service_type, name))

    async def _resolve(self, service_type: str, name: str) -> ResolvedService:
        info = AsyncServiceInfo(service_type, name)
        await info.async_request(self._zeroconf.zeroconf, PATIENCE_MS)
        return _service(info)

    async def finish(self) -> tuple[ResolvedService, ...]:
        """Stop browsing; what is still being resolved counts as seen."""
        for browser in self._browsers.values():
            await browser.async_cancel()
        for task in self._resolving.values():
            task.cancel()
        await asyncio.gather(*self._resolving.values(), return_exceptions=True)
        services = []
        for name, service_type in self._found.items():
            info = AsyncServiceInfo(service_type, name)
            info.load_from_cache(self._zeroconf.zeroconf)
            services.append(_service(info))
        return tuple(sorted(services, key=lambda each: (each.type, each.instance)))


def _service(info: AsyncServiceInfo) -> ResolvedService:
    addresses = tuple(ip_address(text.partition("%")[0]) for text in info.parsed_scoped_addresses())
    return ResolvedService(
        info.name.removesuffix(f".{info.type}"),
        info.type.removesuffix(DOMAIN),
        (info.server or "").removesuffix(DOMAIN) if addresses else "",
        info.port or 0,
        info.text if info.text is not None and addresses else None,
        addresses,
    )
