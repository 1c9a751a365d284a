"""Whatever arrives at a border router's ports, by the lan or over the mesh, ends in an event, and others are served."""

import random
from collections.abc import Iterator

import pytest

from devices import Home
from devices.media.medium import Flight
from devices.media.mesh import joiner_endpoint
from pairing.coap.message import CoapCode, CoapMessage, CoapType, path_options
from pairing.engine import Endpoint
from pairing.thread.mesh_relay import MESH_LINK
from pairing.thread.relay import RelayMessage
from pairing.thread.udp_proxy import TMF_PORT, locator_address
from tests.pairing.dtls.test_server import first_hello, with_cookie

EUI64 = bytes.fromhex("18b4300000000002")


def mangled(chance: random.Random, original: bytes) -> bytes:
    """A datagram that is almost right, or not at all."""
    match chance.randrange(5):
        case 0:
            return chance.randbytes(chance.randrange(60))
        case 1:
            return original[: chance.randrange(len(original) + 1)]
        case 2:
            return original + chance.randbytes(chance.randrange(1, 40))
        case _:
            octets = bytearray(original)
            for _ in range(chance.randrange(1, 6)):
                octets[chance.randrange(len(octets))] = chance.randrange(256)
            return bytes(octets)


class Attacker:
    """One socket on the lan; what comes back is kept."""

    def __init__(self, home: Home) -> None:
        self.heard: list[bytes] = []
        lan = home.live.lan
        own = Endpoint(lan.host_of("attacker"), 50_001, "lan")
        self._port = lan.attach("attacker", (own,), self._hear)

    def _hear(self, flight: Flight) -> None:
        self.heard.append(flight.payload)

    def send(self, payload: bytes, place: str) -> None:
        host, port = place.split(":")
        self._port.send(payload, Endpoint(host, int(port)))


@pytest.fixture
def home() -> Iterator[Home]:
    """A leader with a code open, and somebody who wants to commission."""
    router = {"id": "br", "kind": "thread-border-router", "attach": "1s"}
    with Home({"accessory": [router], "commissioner": [{"id": "installer"}]}, seed=1, virtual=True) as running:
        running.advance("2s")
        running["br"].do("share-code").result()
        yield running


@pytest.mark.parametrize("name", ["meshcop", "ephemeral-key", "joiner"])
def test_datagrams_from_nowhere_disturb_nobody(home: Home, name: str) -> None:
    chance = random.Random(name)
    attacker = Attacker(home)
    place = home["br"].endpoints[name]
    hello = first_hello()
    attacker.send(hello, place)
    home.advance("100ms")
    known = [hello, EUI64]
    if attacker.heard:
        known.append(with_cookie(hello, attacker.heard[0]))
    for _ in range(300):
        attacker.send(mangled(chance, chance.choice(known)), place)
        home.advance("10ms")
    assert home.events.all("FrameIgnored")
    home.advance("130s")
    assert home["installer"].do("petition").result()["outcome"] == "done"


def test_what_comes_over_the_mesh_disturbs_nobody(home: Home) -> None:
    chance = random.Random(1)
    network = home.live.accessories["br"].network  # type: ignore[attr-defined]  # it is a border router
    mesh = home.live.mesh
    port = mesh.attach("neighbour", (joiner_endpoint(bytes(8)),), lambda flight: None)
    relayed = RelayMessage(
        joiner_udp_port=1000,
        joiner_iid=bytes(8),
        joiner_router_locator=network.rloc16,
        dtls=first_hello(),
        kek=bytes(16),
    )
    to_router = Endpoint(str(locator_address(network.mesh_local_prefix, network.rloc16)), TMF_PORT, MESH_LINK)
    for _ in range(300):
        path, payload = chance.choice(
            [("c/rx", relayed.encode_received()), ("c/tx", relayed.encode_transmit()), ("c/as", b"")]
        )
        message = CoapMessage(CoapType.NON, CoapCode.POST, 1, b"", path_options(path), payload).encode()
        port.send(mangled(chance, message), to_router)
        port.send(mangled(chance, EUI64), joiner_endpoint(network.ext_address))
        home.advance("10ms")
    assert home.events.all("FrameIgnored")
    assert home["installer"].do("petition").result()["outcome"] == "done"
