"""What a phone does when it is told verbs: calls at the same time, and names that no network can hold."""

import asyncio
from collections.abc import Mapping

import pytest

from devices.errors import ActionRefusedError, HomeFileError, UsageError
from devices.home import HomeOptions, LiveHome
from devices.sim.loop import VirtualTimeLoop
from devices.spec import read_home


def _on_phone(profile: str, *verbs: tuple[str, Mapping[str, object]]) -> list[object]:
    """What a phone alone in a home answers to verbs that it is told at one moment."""

    async def story() -> list[object]:
        home = read_home({"phone": [{"id": "phone", "profile": profile}]})
        live = LiveHome(home, HomeOptions(virtual=True, seed=1))
        await live.start()
        answers = await asyncio.gather(*(live.do("phone", verb, arguments) for verb, arguments in verbs))
        await live.stop()
        return answers

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(story())


@pytest.mark.parametrize("profile", ["ios-26", "android-16"])
def test_calls_at_the_same_time_share_a_search(profile: str) -> None:
    browse = ("browse", {"service_type": "_meshcop._udp"})
    store = ("store-credential", {"border_agent": "00" * 16, "dataset": "0300000f"})
    assert _on_phone(profile, browse, browse, store, store)[:2] == [[], []]


@pytest.mark.parametrize("service_type", ["", "_x", "5s", "x" * 300])
def test_a_type_that_no_network_can_hold_is_refused_by_name(service_type: str) -> None:
    with pytest.raises(UsageError, match="browse: "):
        _on_phone("ios-26", ("browse", {"service_type": service_type}))


def test_deleting_what_is_not_there_is_refused() -> None:
    for profile, call in (("ios-26", 8), ("android-16", 16)):
        (answer,) = _on_phone(profile, ("delete-credential", {"border_agent": "00" * call}))
        assert isinstance(answer, dict)
        assert (answer["outcome"], answer["verdict"]["rule"]) == ("refused", "no-credential")
        with pytest.raises(ActionRefusedError, match="nothing stored for border agent 00"):
            _on_phone(profile, ("delete-credential", {"border_agent": "00" * call, "in_settings": True}))


def test_a_store_of_networks_deletes_nothing_by_border_agent() -> None:
    with pytest.raises(UsageError, match="by network, not by border agent"):
        _on_phone("home-assistant", ("delete-credential", {"border_agent": "00"}))


def test_two_apps_of_one_phone_share_a_store_and_see_only_their_own() -> None:
    async def story() -> list[dict[str, object]]:
        two = [{"id": "ours"}, {"id": "other", "team": "TEAM000002", "store": "ours"}]
        home = read_home({"accessory": [{"id": "br", "kind": "thread-border-router"}], "phone": two})
        live = LiveHome(home, HomeOptions(virtual=True, seed=1))
        await live.start()
        network = live.accessory("br").facts
        await live.clock.sleep(10_000_000)
        agent, dataset = network["ext_address"], live.accessory("br").network.active_dataset.hex()
        await live.do("other", "store-credential", {"border_agent": agent, "dataset": dataset})
        answers = [
            await live.phone(each).thread_call("retrieveCredentials", arguments)
            for each in ("ours", "other")
            for arguments in ({"border_agent_id": agent}, {"extended_pan_id": network["ext_pan_id"]})
        ]
        await live.stop()
        return answers

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        outcomes = [each["outcome"] for each in runner.run(story())]
    assert outcomes == ["refused", "done", "done", "done"]


def test_a_store_is_that_of_a_phone_above() -> None:
    with pytest.raises(HomeFileError, match="store = 'nobody' is no phone above"):
        read_home({"phone": [{"id": "phone", "store": "nobody"}]})
