"""The gateway: real sockets on loopback, its own copies dropped, others' heard, nothing left behind."""

import asyncio
import errno
import json
import sys
from collections.abc import AsyncIterator
from ipaddress import IPv6Address

import pytest
import pytest_asyncio

from devices.bonjour.gateway import ECHO_LIFE, MAX_ECHOES, MdnsGateway, _Echoes
from devices.bonjour.interfaces import Interface, interfaces_of
from devices.bonjour.sockets import explained
from devices.errors import TransportUnavailableError
from pairing.dnssd.service import GROUP_V4, MDNS_PORT
from pairing.engine import Endpoint
from tests.support.namespaces import cable
from tests.support.needs import requires_root, requires_tools
from tests.support.programs import Program


class Ear:
    """Keeps what a gateway hears; `until` waits for a payload."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, Endpoint]] = []
        self._news = asyncio.Event()

    def __call__(self, payload: bytes, source: Endpoint) -> None:
        self.heard.append((payload, source))
        self._news.set()

    async def until(self, payload: bytes) -> Endpoint:
        """Where the payload came from, once it is there."""
        async with asyncio.timeout(5):
            while True:
                for known, source in self.heard:
                    if known == payload:
                        return source
                self._news.clear()
                await self._news.wait()


@pytest_asyncio.fixture
async def pair() -> AsyncIterator[tuple[MdnsGateway, Ear, MdnsGateway, Ear]]:
    """Two gateways on loopback, as two programs would have them."""
    one, two, at_one, at_two = MdnsGateway(), MdnsGateway(), Ear(), Ear()
    await one.open(at_one)
    await two.open(at_two)
    yield one, at_one, two, at_two
    await one.close()
    await two.close()


@pytest.mark.asyncio
async def test_other_programs_hear_what_is_multicast_and_the_sender_does_not(
    pair: tuple[MdnsGateway, Ear, MdnsGateway, Ear],
):
    one, at_one, two, at_two = pair
    (group,) = one.links()[0].groups
    one.send(b"pairlab gateway test: from one", group)
    two.send(b"pairlab gateway test: from two", group)

    source = await at_two.until(b"pairlab gateway test: from one")
    await at_one.until(b"pairlab gateway test: from two")

    assert source == Endpoint("127.0.0.1", MDNS_PORT, one.links()[0].name)
    assert b"pairlab gateway test: from one" not in [payload for payload, _ in at_one.heard]


@pytest.mark.asyncio
async def test_equal_packet_of_another_program_is_not_taken_for_our_own(
    pair: tuple[MdnsGateway, Ear, MdnsGateway, Ear],
):
    one, at_one, two, at_two = pair
    (group,) = one.links()[0].groups
    one.send(b"pairlab gateway test: same", group)
    two.send(b"pairlab gateway test: same", group)

    await at_one.until(b"pairlab gateway test: same")
    await at_two.until(b"pairlab gateway test: same")

    two.send(b"pairlab gateway test: end", group)
    await at_one.until(b"pairlab gateway test: end")
    assert [payload for payload, _ in at_one.heard].count(b"pairlab gateway test: same") == 1


@pytest.mark.asyncio
async def test_loopback_reach_gives_one_link_with_the_loopback_address():
    gateway = MdnsGateway("loopback")
    await gateway.open(Ear())
    (link,) = gateway.links()
    await gateway.close()

    assert [str(address) for address in link.addresses if address.version == 4] == ["127.0.0.1"]
    assert Endpoint(GROUP_V4, MDNS_PORT, link.name) in link.groups
    assert gateway.links() == ()


@pytest.mark.asyncio
async def test_closed_gateway_sends_nothing_and_leaves_no_task():
    before = asyncio.all_tasks()
    gateway, ear = MdnsGateway(), Ear()
    await gateway.open(ear)
    (group,) = gateway.links()[0].groups
    await gateway.close()
    gateway.send(b"pairlab gateway test: late", group)
    await gateway.close()

    assert asyncio.all_tasks() == before


@pytest.mark.asyncio
async def test_many_packets_at_once_all_arrive_in_order_even_when_the_sender_closes_behind_them(
    pair: tuple[MdnsGateway, Ear, MdnsGateway, Ear],
):
    one, _, _, at_two = pair
    (group,) = one.links()[0].groups
    sent = [b"pairlab gateway test: %04d" % number + bytes(1000) for number in range(500)]
    for payload in sent:
        one.send(payload, group)
    await one.close()
    await at_two.until(sent[-1])

    assert [payload for payload, _ in at_two.heard if payload in set(sent)] == sent


@pytest.mark.asyncio
async def test_packet_for_a_link_that_is_not_here_goes_nowhere(pair: tuple[MdnsGateway, Ear, MdnsGateway, Ear]):
    one, _, _, at_two = pair
    one.send(b"pairlab gateway test: elsewhere", Endpoint(GROUP_V4, MDNS_PORT, "no-such-link"))
    one.send(b"pairlab gateway test: by name", "a name")
    one.send(b"pairlab gateway test: here", one.links()[0].groups[0])
    await at_two.until(b"pairlab gateway test: here")

    payloads = [payload for payload, _ in at_two.heard if payload.startswith(b"pairlab")]
    assert payloads == [b"pairlab gateway test: here"]


@pytest.mark.asyncio
async def test_unknown_interface_is_named_with_those_that_exist():
    with pytest.raises(TransportUnavailableError, match=r"no interface 'nope0'.*this host has .*lo"):
        await MdnsGateway(["nope0"]).open(Ear())


def test_taken_port_is_explained_with_what_to_do():
    error = explained("lo (IPv4)", OSError(errno.EADDRINUSE, "Address already in use"))

    assert str(error).startswith("multicast DNS on lo (IPv4): Address already in use: UDP port 5353 is held by")
    assert "lsof" in str(error)


def test_interface_without_multicast_is_explained_with_what_to_do():
    error = explained("tun0 (IPv4)", OSError(errno.ENODEV, "No such device"))

    assert "choose another reach" in str(error)


def test_echo_is_expected_once_for_each_time_that_it_was_sent():
    echoes = _Echoes()
    echoes.sent(b"x", 0.0)
    echoes.sent(b"x", 0.0)

    assert [echoes.arrived(b"x") for _ in range(3)] == [True, True, False]
    assert not echoes.arrived(b"y")


def test_echoes_are_forgotten_in_time_and_in_number():
    echoes = _Echoes()
    echoes.sent(b"old", 0.0)
    echoes.sent(b"new", ECHO_LIFE + 1.0)
    assert not echoes.awaits(b"old")

    for number in range(MAX_ECHOES):
        echoes.sent(b"%d" % number, ECHO_LIFE + 1.0)
    assert not echoes.awaits(b"new")
    assert echoes.awaits(b"0")


def test_all_covers_every_interface_with_loopback_last_and_loopback_only_itself():
    everything = interfaces_of("all")

    assert everything[-1].is_loopback
    assert interfaces_of("loopback") == tuple(each for each in everything if each.is_loopback)
    assert interfaces_of([each.name for each in everything] * 2) == everything


def test_link_local_address_is_the_one_to_speak_from_in_ipv6():
    both = Interface("eth", 2, (), (IPv6Address("2001:db8::1"), IPv6Address("fe80::1")))

    assert both.v6_source == IPv6Address("fe80::1")
    assert Interface("eth", 2).v6_source is None


@pytest.mark.interop
def test_port_held_by_a_program_that_does_not_share_it_is_reported():
    requires_root()
    requires_tools("ip")
    hold = "import socket; s = socket.socket(2, 2); s.bind(('', 5353)); print('held', flush=True); input()"
    with cable() as (near, _), Program(near.command(sys.executable, "-c", hold)) as holder:
        holder.expect(lambda line: line == "held")
        arguments = json.dumps({"reach": [near.interface]})
        with Program(near.command(sys.executable, "-m", "tests.support.bonjour_host", arguments)) as host:
            line = host.expect(lambda line: "TransportUnavailableError" in line)

    assert "UDP port 5353 is held by a program that does not share it" in line
