"""The lan: addresses, multicast inside the home, and the gateway to the real network."""

import ipaddress
from collections.abc import Callable

import pytest

from devices.errors import MediumError
from devices.media.lan import Lan
from devices.media.medium import Flight, MediumPort
from devices.sim.clock import Clock
from pairing.dnssd.service import GROUP_V4, GROUP_V6, MDNS_PORT, Link
from pairing.engine import Endpoint
from tests.support.media import virtually

GROUP = Endpoint(GROUP_V4, MDNS_PORT)
PEER = Endpoint("10.1.2.3", 40_000, "eth0")


class _Network:
    """A lan with three actors and, on request, a gateway with two links."""

    def __init__(self, clock: Clock, *, gateway: bool = False) -> None:
        self.lan = Lan(clock)
        self.heard: list[tuple[str, bytes]] = []
        self.forwarded: list[Flight] = []
        if gateway:
            links = [Link.of("lo", (), v4=True), Link.of("eth0", (), v4=True, v6=True)]
            self.lan.open_gateway(links, self.forwarded.append)
        self.ports = {name: self.lan.join(name, self._ear(name)) for name in ("br", "phone", "lamp")}

    def _ear(self, name: str) -> Callable[[Flight], None]:
        return lambda flight: self.heard.append((name, flight.payload))


def _play(story: Callable[[_Network], None], *, gateway: bool = False) -> _Network:
    async def run(clock: Clock) -> _Network:
        network = _Network(clock, gateway=gateway)
        story(network)
        await clock.sleep(10_000)
        return network

    return virtually(run)


def test_a_group_frame_reaches_everyone_but_its_sender() -> None:
    network = _play(lambda net: net.ports["br"].send(b"hello", GROUP))
    assert network.heard == [("phone", b"hello"), ("lamp", b"hello")]


def test_a_frame_to_a_host_reaches_its_owner_alone() -> None:
    def story(net: _Network) -> None:
        net.ports["br"].send(b"you", Endpoint(net.lan.host_of("phone"), MDNS_PORT))

    assert _play(story).heard == [("phone", b"you")]


def test_a_second_port_of_the_same_actor_does_not_hear_its_own_multicast() -> None:
    def story(net: _Network) -> None:
        net.lan.join("br", lambda flight: net.heard.append(("br again", flight.payload)))
        net.ports["br"].send(b"hello", GROUP)

    assert [name for name, _ in _play(story).heard] == ["phone", "lamp"]


def test_without_a_gateway_a_frame_to_a_stranger_is_lost() -> None:
    assert _play(lambda net: net.ports["br"].send(b"x", PEER)).heard == []


def test_what_nobody_here_owns_goes_to_the_gateway_with_its_destination() -> None:
    network = _play(lambda net: net.ports["br"].send(b"x", PEER), gateway=True)
    assert [(each.payload, each.to) for each in network.forwarded] == [(b"x", PEER)]


def test_of_a_copy_on_every_link_the_home_hears_one_and_the_gateway_all() -> None:
    def story(net: _Network) -> None:
        for group in (
            Endpoint(GROUP_V4, MDNS_PORT, "lo"),
            Endpoint(GROUP_V4, MDNS_PORT, "eth0"),
            Endpoint(GROUP_V6, MDNS_PORT, "eth0"),
        ):
            net.ports["br"].send(b"hello", group)

    network = _play(story, gateway=True)
    assert network.heard == [("phone", b"hello"), ("lamp", b"hello")]
    assert [each.to.link for each in network.forwarded if isinstance(each.to, Endpoint)] == ["lo", "eth0", "eth0"]


def test_what_comes_in_reaches_every_port_and_keeps_its_source() -> None:
    sources: list[object] = []

    def story(net: _Network) -> None:
        net.lan.join("curious", lambda flight: sources.append(flight.source))
        net.lan.bring_in(b"outside", PEER)

    network = _play(story, gateway=True)
    assert [name for name, _ in network.heard] == ["br", "phone", "lamp"]
    assert sources == [PEER]
    assert network.forwarded == []


def test_without_a_gateway_nothing_comes_in() -> None:
    assert _play(lambda net: net.lan.bring_in(b"outside", PEER)).heard == []


def test_links_are_the_gateways_where_there_is_one() -> None:
    network = _play(lambda _: None, gateway=True)
    assert [link.name for link in network.lan.links_for("br")] == ["lo", "eth0"]


def test_in_virtual_time_an_actor_advertises_its_own_address() -> None:
    network = _play(lambda _: None)
    (link,) = network.lan.links_for("br")
    assert link.addresses == (ipaddress.ip_address(network.lan.host_of("br")),)


def test_a_frame_to_something_else_than_an_endpoint_is_refused() -> None:
    with pytest.raises(MediumError, match="between endpoints"):
        _play(lambda net: net.ports["br"].send(b"x", b"\x02" * 6))


def test_a_thousand_actors_get_different_addresses_that_belong_to_nobody() -> None:
    async def story(clock: Clock) -> list[str]:
        lan = Lan(clock)
        return [lan.host_of(f"actor {number}") for number in range(1_000)]

    hosts = virtually(story)
    assert len(set(hosts)) == 1_000
    assert all(not ipaddress.ip_address(host).is_global for host in hosts)


def test_when_all_addresses_are_given_out_the_next_actor_is_refused_by_name() -> None:
    async def story(clock: Clock) -> None:
        lan = Lan(clock)
        for number in range(100_000):
            lan.host_of(f"actor-{number}")

    with pytest.raises(MediumError, match="no address left for actor-"):
        virtually(story)


def test_frames_take_a_millisecond_in_virtual_time() -> None:
    moments: list[tuple[int, int]] = []

    async def story(clock: Clock) -> None:
        lan = Lan(clock)
        port: MediumPort = lan.join("a", lambda _: None)
        lan.join("b", lambda flight: moments.append((flight.departs_us, clock.now())))
        await clock.sleep(500)
        port.send(b"x", GROUP)
        await clock.sleep(5_000)

    virtually(story)
    assert moments == [(500, 1_500)]
