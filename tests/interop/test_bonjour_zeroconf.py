"""Our responder and python-zeroconf, unmodified, over real sockets on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address

import pytest
import pytest_asyncio
from zeroconf import NonUniqueNameException, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from devices.bonjour.browser import browse
from pairing.dnssd.service import ResolvedService, ServiceKey, ServicePublished, ServiceRenamed, ServiceUpdated
from tests.support.bonjour_host import BonjourHost
from tests.support.dnssd_wire import service

pytestmark = [pytest.mark.interop, pytest.mark.asyncio]
TYPE = "_pairlab-zc._udp"
ZC_TYPE = f"{TYPE}.local."
TXT = b"\x04rv=1\x11xa=" + bytes(range(14))


@pytest_asyncio.fixture
async def host() -> AsyncIterator[BonjourHost]:
    """Our responder on loopback."""
    async with BonjourHost() as host:
        yield host


@pytest_asyncio.fixture
async def client() -> AsyncIterator[AsyncZeroconf]:
    """python-zeroconf on loopback."""
    client = AsyncZeroconf(interfaces=["127.0.0.1"])
    yield client
    await client.async_close()


class Seen:
    """What a ServiceBrowser reports, in order."""

    def __init__(self, client: AsyncZeroconf, service_type: str) -> None:
        self.changes: list[tuple[ServiceStateChange, str]] = []
        self._news = asyncio.Event()
        self.browser = AsyncServiceBrowser(client.zeroconf, service_type, handlers=[self._changed])

    def _changed(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        self.changes.append((state_change, name))
        self._news.set()

    async def until(self, change: ServiceStateChange, name: str, seconds: float = 10.0) -> None:
        """Wait for a change."""
        async with asyncio.timeout(seconds):
            while (change, f"{name}.{ZC_TYPE}") not in self.changes:
                self._news.clear()
                await self._news.wait()


async def published(at: BonjourHost, instance: str, **fields: object) -> ServicePublished:
    """Register a service and wait for its announcement."""
    new = service(instance, **{"type": TYPE, "host": "pairlab-zc", "txt": TXT, **fields})  # type: ignore[arg-type]
    at.do(lambda responder, now: responder.register(new, now))
    event = await at.wait_for(ServicePublished)
    assert isinstance(event, ServicePublished)
    return event


async def test_zeroconf_finds_and_resolves_our_service_byte_for_byte(host: BonjourHost, client: AsyncZeroconf):
    seen = Seen(client, ZC_TYPE)
    await published(host, "Living Room")
    await seen.until(ServiceStateChange.Added, "Living Room")

    info = AsyncServiceInfo(ZC_TYPE, f"Living Room.{ZC_TYPE}")
    assert await info.async_request(client.zeroconf, 3000)
    assert (info.server, info.port, info.text) == ("pairlab-zc.local.", 49154, TXT)
    assert info.addresses == [socket.inet_aton("127.0.0.1")]


async def test_zeroconf_sees_updates_and_goodbyes(host: BonjourHost, client: AsyncZeroconf):
    seen = Seen(client, ZC_TYPE)
    await published(host, "Changing")
    await seen.until(ServiceStateChange.Added, "Changing")

    new = service("Changing", "pairlab-zc", type=TYPE, txt=b"\x04rv=2")
    host.do(lambda responder, now: responder.update(new, now))
    await host.wait_for(ServiceUpdated)
    await seen.until(ServiceStateChange.Updated, "Changing")
    info = AsyncServiceInfo(ZC_TYPE, f"Changing.{ZC_TYPE}")
    info.load_from_cache(client.zeroconf)
    assert info.text == b"\x04rv=2"

    host.do(lambda responder, now: responder.withdraw(ServiceKey("Changing", TYPE), now))
    await seen.until(ServiceStateChange.Removed, "Changing", seconds=3)


async def test_zeroconf_browses_one_subtype_only(host: BonjourHost, client: AsyncZeroconf):
    seen = Seen(client, f"_r1._sub.{ZC_TYPE}")
    await asyncio.gather(published(host, "With", subtypes=("_r1", "_r2")), published(host, "Without"))
    await seen.until(ServiceStateChange.Added, "With")

    assert {name for _, name in seen.changes} == {f"With.{ZC_TYPE}"}


async def test_zeroconf_registering_our_name_meets_a_conflict(host: BonjourHost, client: AsyncZeroconf):
    await published(host, "Held")
    info = AsyncServiceInfo(ZC_TYPE, f"Held.{ZC_TYPE}", port=1, server="else.local.", addresses=[b"\x7f\x00\x00\x01"])

    with pytest.raises(NonUniqueNameException):
        await client.async_register_service(info)


async def test_we_rename_when_zeroconf_has_the_name(host: BonjourHost, client: AsyncZeroconf):
    info = AsyncServiceInfo(ZC_TYPE, f"Taken.{ZC_TYPE}", port=1, server="else.local.", addresses=[b"\x7f\x00\x00\x01"])
    await (await client.async_register_service(info))

    event = await published(host, "Taken")

    assert event.instance == "Taken (2)"
    assert any(isinstance(each, ServiceRenamed) for each in host.events)


async def test_two_responders_in_one_process_hear_each_other_over_the_socket(host: BonjourHost):
    async with BonjourHost() as other:
        first = await published(host, "Twin", host="near")
        second = await published(other, "Twin", host="far")

    assert (first.instance, second.instance) == ("Twin", "Twin (2)")


async def test_browse_lists_every_type_and_service_with_raw_txt(host: BonjourHost):
    await published(host, "Hub v2.0", subtypes=("_r1",))

    found = await browse([], 1.2, "loopback")

    address = ip_address("127.0.0.1")
    assert ResolvedService("Hub v2.0", TYPE, "pairlab-zc", 49154, TXT, (address,)) in found
    assert not any("_sub" in each.type for each in found)


async def test_browse_of_a_type_leaves_others_out(host: BonjourHost):
    first = published(host, "Here")
    second = published(host, "There", type="_pairlab-zd._udp")
    await asyncio.gather(first, second)

    found = await browse([TYPE], 0.6, "loopback")

    assert [each.instance for each in found] == ["Here"]
