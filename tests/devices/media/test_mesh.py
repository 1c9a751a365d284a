"""Datagrams between neighbours of the mesh: who hears them, and what a capture makes of them."""

import pytest

from devices.errors import MediumError
from devices.media.mesh import ALL_ROUTERS, Mesh, joiner_endpoint, link_local
from devices.sim.clock import Clock
from devices.transcripts.export import packet_of
from devices.transcripts.reader import Frame
from pairing.engine import Endpoint
from tests.support.media import virtually

ADDRESSES = {"a": bytes.fromhex("0211111111111111"), "b": bytes.fromhex("0222222222222222"), "c": b"\x06" * 8}
LOCATOR = Endpoint("fd00::ff:fe00:400", 61631, "mesh")


class Neighbours:
    """Three nodes, of which `a` and `b` are routers, and what each has heard."""

    def __init__(self, clock: Clock) -> None:
        self.mesh = Mesh(clock)
        self.heard: list[tuple[str, bytes, int]] = []
        self.clock = clock
        self.ports = {
            name: self.mesh.attach(
                name,
                (joiner_endpoint(address),),
                lambda flight, name=name: self.heard.append((name, flight.payload, clock.now())),  # type: ignore[misc]
            )
            for name, address in ADDRESSES.items()
        }
        for name in ("a", "b"):
            self.mesh.serve_group(self.ports[name])

    async def say(self, sender: str, to: Endpoint) -> list[str]:
        """Who hears it."""
        self.heard.clear()
        self.ports[sender].send(b"hello", to)
        await self.clock.sleep(10_000)
        return [name for name, _, _ in self.heard]


def test_a_neighbour_hears_what_is_sent_to_its_address_after_the_latency() -> None:
    async def story(clock: Clock) -> None:
        near = Neighbours(clock)
        assert await near.say("c", joiner_endpoint(ADDRESSES["a"])) == ["a"]
        assert near.heard == [("a", b"hello", 5_000)]
        assert await near.say("c", joiner_endpoint(b"\x0a" * 8)) == []

    virtually(story)


def test_the_group_reaches_the_routers_in_the_order_in_which_they_came() -> None:
    async def story(clock: Clock) -> None:
        near = Neighbours(clock)
        assert await near.say("c", ALL_ROUTERS) == ["a", "b"]
        assert await near.say("a", ALL_ROUTERS) == ["b"], "nobody hears itself"
        near.ports["a"].close()
        assert await near.say("c", ALL_ROUTERS) == ["b"]

    virtually(story)


def test_islands_do_not_hear_each_other() -> None:
    async def story(clock: Clock) -> None:
        near = Neighbours(clock)
        near.mesh.set_island("a", 1)
        assert await near.say("c", ALL_ROUTERS) == ["b"]
        assert await near.say("c", joiner_endpoint(ADDRESSES["a"])) == []
        near.mesh.set_island("c", 1)
        assert await near.say("c", ALL_ROUTERS) == ["a"]

    virtually(story)


def test_a_router_is_reached_by_its_locator_as_long_as_it_has_it() -> None:
    async def story(clock: Clock) -> None:
        near = Neighbours(clock)
        near.mesh.set_locator(near.ports["b"], LOCATOR.host)
        assert await near.say("a", LOCATOR) == ["b"]
        near.mesh.set_locator(near.ports["b"], None)
        assert await near.say("a", LOCATOR) == []

    virtually(story)


def test_a_node_with_another_address_is_not_reached_by_the_old_one() -> None:
    async def story(clock: Clock) -> None:
        near = Neighbours(clock)
        near.mesh.set_addresses(near.ports["b"], (joiner_endpoint(b"\x0e" * 8),))
        assert await near.say("c", joiner_endpoint(ADDRESSES["b"])) == []
        assert await near.say("c", joiner_endpoint(b"\x0e" * 8)) == ["b"]

    virtually(story)


def test_an_address_belongs_to_one_actor_and_is_an_endpoint() -> None:
    async def story(clock: Clock) -> None:
        near = Neighbours(clock)
        with pytest.raises(MediumError, match="belongs to a"):
            near.mesh.attach("other", (joiner_endpoint(ADDRESSES["a"]),), lambda flight: None)
        with pytest.raises(MediumError, match="between endpoints"):
            near.ports["a"].send(b"", b"no endpoint")

    virtually(story)


def test_link_local_addresses_invert_the_bit_of_local_administration() -> None:
    assert link_local(bytes.fromhex("d65e64fa83f81cf7")) == "fe80::d45e:64fa:83f8:1cf7"


def test_a_capture_holds_datagrams_in_ipv6() -> None:
    source, to = joiner_endpoint(ADDRESSES["a"]), joiner_endpoint(ADDRESSES["b"])
    packet = packet_of(Frame(at_us=0, medium="mesh", sender="a", source=source, to=to, payload=b"hello"))
    assert packet[0] >> 4 == 6
    assert packet[6:8] == bytes((17, 255))
    assert packet[8:24] == bytes.fromhex("fe80000000000000") + bytes.fromhex("0011111111111111")
    assert packet[40:48].hex() == "03e803e8000d" + packet[46:48].hex()
    assert packet[48:] == b"hello"
