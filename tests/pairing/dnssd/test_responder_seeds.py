"""Seeds and loss: however packets fall, every service ends with a name of its own and every browser with the truth."""

import random

import pytest

from pairing.dnssd.responder_states import ClaimState
from pairing.engine import MILLISECOND, SECOND
from tests.support.dnssd_wire import MESHCOP, Station, Wire, service


def crowd(seed: int, loss: float) -> tuple[Wire, list[Station], Station]:
    """Five responders that want one of two names, at about the same time, on a link that loses packets for a while."""
    chance = random.Random(seed)
    wire = Wire()
    wire.loses = lambda _: chance.random() < loss
    stations = [wire.responder(f"192.0.2.{number}", seed=seed * 10 + number) for number in range(1, 6)]
    querier = wire.querier("192.0.2.50")
    wire.do(querier, lambda engine, now: engine.browse(MESHCOP, now))
    for number, station in enumerate(stations):
        each = service(chance.choice(["Hub", "hub"]), chance.choice(["ot", "OT"]), port=1000 + number)
        wire.do(station, lambda engine, now, each=each: engine.register(each, now))
        wire.run(chance.randrange(600) * MILLISECOND)
    wire.run(60 * SECOND)
    wire.loses = lambda _: False
    wire.run(300 * SECOND)
    return wire, stations, querier


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.3, 0.6])
@pytest.mark.parametrize("seed", range(8))
def test_every_service_ends_established_under_a_name_and_a_host_of_its_own(seed: int, loss: float):
    _, stations, _ = crowd(seed, loss)

    current = [each for station in stations for each in station.engine.services]
    assert len({each.service.instance.lower() for each in current}) == 5
    assert len({each.service.host.lower() for each in current}) == 5
    assert all(each.state is ClaimState.ESTABLISHED for each in current)


@pytest.mark.parametrize("loss", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(8))
def test_browser_ends_with_what_the_responders_hold(seed: int, loss: float):
    wire, stations, querier = crowd(seed, loss)
    wire.run(4500 * SECOND)  # names that were lost to another host live on in caches until then

    held = {(each.service.instance, each.service.host) for station in stations for each in station.engine.services}
    assert {(each.instance, each.host) for each in querier.engine.found(MESHCOP)} == held


def test_one_seed_gives_one_course_byte_for_byte():
    first, second = (crowd(3, 0.2)[0].sent for _ in range(2))

    assert [(sent.at, sent.payload) for sent in first] == [(sent.at, sent.payload) for sent in second]
    assert [sent.payload for sent in crowd(4, 0.2)[0].sent] != [sent.payload for sent in first]
