"""What a phone does when it is told verbs: calls at the same time, and names that no network can hold."""

import asyncio

import pytest

from devices.errors import UsageError
from devices.home import HomeOptions, LiveHome
from devices.sim.loop import VirtualTimeLoop
from devices.spec import read_home


def _on_phone(profile: str, *verbs: tuple[str, dict[str, object]]) -> list[object]:
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
