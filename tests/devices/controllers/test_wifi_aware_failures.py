"""Every failure that specs/protocols/wifi-aware.md lists for a platform, on demand and as it arises by itself."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pairing.nan.platform_failures import NanStatus, WAError
from tests.support.wifi_aware_home import SERVICE, WifiAwareHome

PAGE = Path(__file__).parents[3] / "specs" / "protocols" / "wifi-aware.md"
ON_DEMAND = "only on demand"
Way = Callable[[WifiAwareHome], Any]


def table(title: str) -> dict[str, str]:
    """The rows of a table of the page by their case."""
    _, _, after = PAGE.read_text().partition(f"| `{title}`")
    rows = after.partition("\n\n")[0].splitlines()[2:]
    found = (re.fullmatch(r"\| `(\w+)` \| (.+) \|", row) for row in rows)
    return {row[1]: row[2] for row in found if row is not None}


IOS, ANDROID = table("WAError"), table("NanStatus")


def test_the_page_lists_every_failure() -> None:
    assert list(IOS) == [each.value for each in WAError]
    assert len(IOS) == 15
    assert list(ANDROID) == [each.name for each in NanStatus if each is not NanStatus.SUCCESS]


@pytest.mark.parametrize(("profile", "cases"), [("ios-27", IOS), ("android-17", ANDROID)])
def test_each_can_be_had_on_demand_by_call_and_by_phone(profile: str, cases: dict[str, str]) -> None:
    with WifiAwareHome(profile) as home:
        for case in cases:
            assert home.do("open", target="camera", produce=case)["platform"]["case"] == case
        for case in cases:
            home.home.live.phone("phone").set_outcome(case)
            for verb in ("open", "verify"):
                refused = home.do(verb, target="camera")
                told = (refused["outcome"], refused["platform"]["case"])
                assert told in (("refused", case), ("refused", None))  # what the system keeps to itself


def ask(home: WifiAwareHome, call: str, *arguments: Any, **named: Any) -> dict[str, Any]:
    """A call in Apple's shape."""
    made = getattr(home.home.live.phone("phone").ios, call)(*arguments, **named)
    answer: dict[str, Any] = home.home.submit(made).result()
    return answer


def later(home: WifiAwareHome, kind: str) -> dict[str, Any]:
    """How what runs has failed after a moment, as if it were an answer."""
    home.home.advance("5s")
    (shown,) = home.home.call(lambda: home.home.live.phone("phone").ios.all_running(kind))  # type: ignore[arg-type]
    assert shown["state"] == "failed"
    return {"platform": shown["error"]}


def listening(home: WifiAwareHome, **named: Any) -> dict[str, Any]:
    home.pair()
    return ask(home, "listen", SERVICE, "all-paired", **named)


def browsing(home: WifiAwareHome, **named: Any) -> dict[str, Any]:
    home.pair()
    return ask(home, "browse", SERVICE, "all-paired", **named)


def after(act: Callable[[WifiAwareHome], Any], then: Way) -> Way:
    """One after the other."""

    def way(home: WifiAwareHome) -> Any:
        act(home)
        return then(home)

    return way


def connect(home: WifiAwareHome) -> dict[str, Any]:
    return ask(home, "connect", "camera")


def too_many_browsers(home: WifiAwareHome) -> dict[str, Any]:
    home.pair()
    return [ask(home, "browse", f"_s{number}._tcp", "all-paired") for number in range(9)][-1]


def closed_by_the_camera(home: WifiAwareHome) -> dict[str, Any]:
    home.pair()
    assert connect(home)["outcome"] == "done"
    home.tell_camera("close-data-path")
    return later(home, "connection")


IOS_WAYS: dict[str, tuple[Way, dict[str, Any]]] = {
    "error": (after(WifiAwareHome.pair, lambda home: ask(home, "browse", SERVICE, "user-specified")), {}),
    "entitlementMissing": (listening, {"phone": {"entitlements": ["subscribe"]}}),
    "noRadioResources": (too_many_browsers, {}),
    "serviceNotDeclared": (
        lambda home: ask(home, "browse", SERVICE, "all-paired"),
        {"phone": {"services": {"_other._tcp": ["subscribe"]}}},
    ),
    "serviceAlreadySubscribing": (after(browsing, lambda home: ask(home, "browse", SERVICE, "all-paired")), {}),
    "serviceAlreadyPublishing": (after(listening, lambda home: ask(home, "listen", SERVICE, "all-paired")), {}),
    "noPairedDevices": (connect, {}),
    "deviceInvalid": (after(WifiAwareHome.pair, lambda home: ask(home, "listen", SERVICE, ["1"])), {}),
    "deviceNoLongerAvailable": (
        after(WifiAwareHome.pair, after(lambda home: home.tell_camera("power-off"), connect)),
        {},
    ),
    "publisherTimeout": (
        after(lambda home: listening(home, active_us=1_000_000), lambda home: later(home, "listener")),
        {},
    ),
    "subscriberTimeout": (
        after(lambda home: browsing(home, active_us=1_000_000), lambda home: later(home, "browser")),
        {},
    ),
    "connectionFailed": (after(WifiAwareHome.pair, connect), {"camera": {"data_path": {"accept": "never"}}}),
    "connectionTerminated": (closed_by_the_camera, {}),
}


def verb(name: str, **arguments: Any) -> Way:
    """A verb of the phone."""
    return lambda home: home.do(name, target="camera", **arguments)


def another_camera(home: WifiAwareHome) -> dict[str, Any]:
    home.pair()
    refused: dict[str, Any] = home.do("verify", target="other")
    return refused


OTHER = {"id": "other", "kind": "wifi-aware-publisher", "name": "Other", "service": SERVICE}
ANDROID_WAYS: dict[str, tuple[Way, dict[str, Any]]] = {
    "PROTOCOL_FAILURE": (verb("pair", wait=True), {"camera": {"pairing": {"accept": "never"}}}),
    "NO_RESOURCES_AVAILABLE": (
        lambda home: [home.do("browse", service=f"s{number}", within="0s") for number in range(256)][-1],
        {},
    ),
    "INVALID_PEER_ID": (another_camera, {"others": [OTHER]}),
    "NO_OTA_ACK": (verb("pair", wait=True), {"camera": {"lies": ["silence"]}}),
    "INVALID_PAIRING_ID": (verb("verify", wait=True), {}),
    "NO_CONNECTION": (
        after(WifiAwareHome.pair, after(lambda home: home.tell_camera("power-off"), verb("open"))),
        {},
    ),
}
WAYS = [
    *(("ios-27", case, *IOS_WAYS.get(case, ())) for case, how in IOS.items() if ON_DEMAND not in how),
    *(("android-17", case, *ANDROID_WAYS.get(case, ())) for case, how in ANDROID.items() if ON_DEMAND not in how),
]


@pytest.mark.parametrize(("profile", "case", "way", "tables"), WAYS)
def test_each_that_is_said_to_arise_by_itself_does(
    profile: str, case: str, way: Way, tables: dict[str, dict[str, Any]]
) -> None:
    with WifiAwareHome(profile, **tables) as home:
        assert way(home)["platform"]["case"] == case
