"""A phone's app without the local network privilege: what its platform reports, in virtual time."""

import asyncio
from typing import Any

import pytest

from devices.home import HomeOptions, LiveHome
from devices.home.live import read_fault
from devices.sim.loop import VirtualTimeLoop
from devices.spec import read_home

HOME = {
    "accessory": [{"id": "br", "kind": "thread-border-router", "name": "Hall", "attach": "1s"}],
    "phone": [{"id": "phone"}, {"id": "other"}, {"id": "robot", "profile": "android-16"}],
}
DENIED = {"kind": "local-network-denied"}


def _told(fault: dict[str, str], *verbs: tuple[str, str, dict[str, Any]]) -> tuple[list[Any], LiveHome]:
    """What verbs end in, one after the other, beside a router that has long been there."""

    async def story() -> tuple[list[Any], LiveHome]:
        live = LiveHome(read_home(HOME), HomeOptions(virtual=True, seed=1))
        await live.start()
        await live.clock.sleep(5_000_000)
        live.install_fault(read_fault({**DENIED, **fault}))
        answers = [await live.do(actor, verb, arguments) for actor, verb, arguments in verbs]
        await live.stop()
        return answers, live

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(story())


def test_a_browse_waits_with_65570_and_the_fault_says_of_what() -> None:
    (answer,), live = _told({"target": "phone"}, ("phone", "browse", {"within": "1s"}))
    assert (answer["outcome"], answer["verdict"]["rule"]) == ("refused", "local-network-denied")
    assert answer["platform"] == {
        "domain": "NWError.dns",
        "code": -65570,
        "case": "kDNSServiceErr_PolicyDenied",
        "delay_ms": 0,
    }
    assert [each["what"] for each in live.log.since() if each.type == "FaultFired"] == ["browse _meshcop._udp"]


def test_a_browse_that_waits_goes_on_by_itself_once_it_is_granted() -> None:
    (answer,), _ = _told({"target": "phone", "duration": "2s"}, ("phone", "browse", {"within": "3s"}))
    assert [each["instance"] for each in answer] == ["Hall"]


def test_another_phone_is_fine_and_another_platform_has_no_such_code() -> None:
    (other,), _ = _told({"target": "phone"}, ("other", "browse", {"within": "1s"}))
    assert [each["instance"] for each in other] == ["Hall"]
    (robot,), _ = _told({"target": "robot"}, ("robot", "browse", {"within": "1s"}))
    assert (robot["outcome"], robot["platform"]["code"]) == ("refused", None)


def test_a_search_for_who_shares_is_refused_at_once() -> None:
    (answer,), live = _told({"target": "phone"}, ("phone", "fetch-by-code", {}))
    assert answer["verdict"]["rule"] == "local-network-denied"
    assert live.clock.now() == pytest.approx(5_000_000, abs=1_000_000)


def test_of_two_denials_the_second_lasts_when_the_first_ends() -> None:
    async def story() -> list[bool]:
        live = LiveHome(read_home(HOME), HomeOptions(virtual=True, seed=1))
        await live.start()
        first, second = (live.install_fault(read_fault({**DENIED, "target": "phone"})) for _ in range(2))
        denied = []
        for fault in (first, second):
            live.remove_fault(fault.id)
            denied.append(live.phone("phone").local_network.is_denied)
        await live.stop()
        return denied

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(story()) == [True, False]
