"""Many border routers with a commissioner each, and a border router that many begin to speak with and leave."""

import pytest

from devices import Home
from devices.media.medium import Flight
from pairing.engine import Endpoint
from tests.pairing.dtls.test_server import first_hello, with_cookie

MOST_CONNECTIONS = 32


def with_commissioners(count: int) -> Home:
    """So many border routers, each a network of its own, and a commissioner for each."""
    routers = [{"id": f"br{number}", "kind": "thread-border-router", "attach": "1s"} for number in range(count)]
    commissioners = [{"id": f"c{number}"} for number in range(count)]
    return Home({"accessory": routers, "commissioner": commissioners}, seed=1, virtual=True)


@pytest.mark.parametrize("count", [8, pytest.param(100, marks=pytest.mark.slow)])
def test_every_border_router_has_a_commissioner_of_its_own_at_once(count: int) -> None:
    with with_commissioners(count) as home:
        home.advance("2s")
        begun = [home[f"c{number}"].do("petition", target=f"br{number}") for number in range(count)]
        assert [each.result()["outcome"] for each in begun] == ["done"] * count
        home.advance("2m")
        assert {home[f"c{number}"].state for number in range(count)} == {"active"}
        read = [home[f"c{number}"].do("get").result() for number in range(count)]
        assert len({each["value"]["ext_pan_id"] for each in read}) == count, "each has its own network's dataset"
        resigned = [home[f"c{number}"].do("resign").result()["outcome"] for number in range(count)]
        assert resigned == ["done"] * count
        lost = home.events.all("CommissionerLost")
        assert {(each.actor, each["reason"]) for each in lost if each.actor.startswith("br")} == {
            (f"br{number}", "resigned") for number in range(count)
        }


class Silent:
    """Somebody who shows a cookie and then says nothing more."""

    hello = first_hello()

    def __init__(self, home: Home, number: int, router: Endpoint) -> None:
        self.heard = 0
        self._router = router
        lan = home.live.lan
        self._port = lan.attach("stranger", (Endpoint(lan.host_of("stranger"), number, "lan"),), self._on_flight)
        self._port.send(self.hello, router)

    def _on_flight(self, flight: Flight) -> None:
        self.heard += 1
        if self.heard == 1:
            self._port.send(with_cookie(self.hello, flight.payload), self._router)


@pytest.mark.parametrize("count", [80, pytest.param(1000, marks=pytest.mark.slow)])
def test_half_open_handshakes_take_no_place_from_those_who_go_on(count: int) -> None:
    with with_commissioners(2) as home:
        home.advance("2s")
        assert home["c0"].do("petition", target="br0").result()["outcome"] == "done"
        host, _, port = home["br0"].endpoints["meshcop"].rpartition(":")

        async def flood() -> list[Silent]:
            return [Silent(home, 20_000 + number, Endpoint(host, int(port), "lan")) for number in range(count)]

        strangers = home.submit(flood()).result()
        home.advance("1s")
        assert {each.heard for each in strangers} == {2}, "a cookie and a flight for each"
        failed = home.events.all("HandshakeFailed")
        assert len(failed) == count - (MOST_CONNECTIONS - 1)
        assert {each["intermediates"] == {} for each in failed} == {True}
        assert home["c0"].do("get").result()["outcome"] == "done", "who was there before"
        assert home["c1"].do("get", target="br0").result()["outcome"] == "done", "who comes after"
