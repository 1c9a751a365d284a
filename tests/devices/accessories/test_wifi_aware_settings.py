"""What a Wi-Fi Aware table may say, and what is refused before anything is on the air, with the rule."""

from typing import Any

import pytest

from devices.accessories.wifi_aware_policy import AcceptPolicy, Answer
from devices.errors import HomeFileError, MediumError
from devices.nan_capabilities import DEVICE_CAPABILITY, availability
from pairing.nan.attributes import encode_attributes
from tests.support.camera_and_viewer import camera, events_of, home_of, pair, viewer


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"service": "no spaces here", "profile": "ios-26"}, "name-form"),
        ({"service": "_sixteen-letters-x._udp", "profile": "ios-26"}, "label-length"),
        ({"profile": "ios-26", "pairing": {"methods": ["qr-display"]}}, "bootstrapping-method"),
        ({"profile": "ios-26", "data_path": {"security": "open"}}, "an iPhone knows no open or passphrase path"),
        ({"profile": "palm-os"}, "no Wi-Fi Aware rules"),
        ({"pairing": {"methods": ["pin"]}}, "pairing.methods.0"),
        ({"pairing": {"accept": "after:soon"}}, "a duration is"),
        ({"pairing": {"accept": "perhaps"}}, "a policy is"),
        ({"pairing": {"pin": "12"}}, "pairing.pin"),
        ({"pairing": {"pine": "1234"}}, "did you mean 'pin'"),
        ({"nmi": "01:00:00:00:00:01"}, "the first even"),
        ({"data_path": {"service": "somewhere"}}, "HOST:PORT"),
        ({"data_path": {"service": "127.0.0.1:0"}}, "HOST:PORT"),
        ({"data_path": {"tls": "psk", "security": "open"}}, "takes its key from the pairing"),
        ({"suites": [9]}, "suites.0"),
        ({"bonjour_bridge": True, "service": "cellar"}, "bonjour_bridge"),
    ],
)
def test_a_table_that_says_no_device_is_refused_with_the_rule(table: dict[str, Any], message: str) -> None:
    with pytest.raises(HomeFileError, match=message):
        home_of(camera(**table)).start()


def test_the_table_of_the_design_page_is_a_device() -> None:
    table = {
        "kind": "wifi-aware-publisher",
        "service": "_sat-simulation._udp",
        "pairing": {"methods": ["pin-display"], "accept": "always"},
    }
    with home_of({"id": "camera", "name": "Garage Camera", **table}) as home:
        assert home["camera"].facts["service_id"] == "63487a70d3a0"
        assert home["camera"].facts["methods"] == ["pin-display"]


def test_addresses_are_as_given_or_drawn_from_the_seed() -> None:
    with home_of(camera(nmi="02-00-00-00-00-0A", ndi="02000000000b"), viewer()) as home:
        facts, drawn = home["camera"].facts, home["viewer"].facts
        assert (facts["nmi"], facts["ndi"]) == ("02:00:00:00:00:0a", "02:00:00:00:00:0b")
    with home_of(viewer()) as home:
        assert home["viewer"].facts["nmi"] == drawn["nmi"]


def test_two_devices_with_one_address_are_refused() -> None:
    with pytest.raises(MediumError, match="belongs to camera"):
        home_of(camera(nmi="02:00:00:00:00:0a"), viewer(nmi="02:00:00:00:00:0a")).start()


@pytest.mark.parametrize("profile", ["raw", "hostap", "android-16", "ios-26"])
@pytest.mark.parametrize("other", ["raw", "hostap"])
def test_accessories_of_all_manners_meet_one_that_takes_either(profile: str, other: str) -> None:
    with home_of(camera(profile="raw"), viewer(profile=profile)) as home:
        pair(home)
        assert len(events_of(home, "camera", "PairingCompleted")) == 1
    with home_of(camera(profile=other), viewer(profile="raw")) as home:
        pair(home)
        assert len(events_of(home, "camera", "PairingCompleted")) == 1


def test_manners_that_do_not_meet_fail_with_the_reason() -> None:
    with home_of(camera(profile="hostap"), viewer(profile="ios-26")) as home:
        pair(home)
        failed = events_of(home, "viewer", "BootstrappingFailed")[0]
        assert "the initiator's own role" in failed["hint"]


@pytest.mark.parametrize(("suites", "used"), [([7, 8], 7), ([8, 7], 8), ([8], 8)])
def test_the_suite_is_the_first_that_both_have(suites: list[int], used: int) -> None:
    with home_of(camera(suites=suites), viewer(suites=suites)) as home:
        pair(home)
        assert events_of(home, "camera", "PairingCompleted")[0]["suite"] == used


@pytest.mark.parametrize(
    ("publish", "subscribe", "is_found"),
    [("unsolicited", "passive", True), ("solicited", "active", True), ("solicited", "passive", False)],
)
def test_who_announces_or_asks_is_found(publish: str, subscribe: str, is_found: bool) -> None:
    with home_of(camera(publish=publish), viewer(subscribe=subscribe)) as home:
        home.advance("3s")
        assert len(events_of(home, "viewer", "PeerDiscovered")) == is_found


def test_a_subscriber_that_asks_in_every_window_is_told_of_once() -> None:
    with home_of(camera(), viewer()) as home:
        home.advance("10s")
        assert len(events_of(home, "camera", "SubscriberAnswered")) == 1


def test_text_beside_the_service_is_on_the_air() -> None:
    with home_of(camera(service_info="lens cap on"), viewer()) as home:
        home.advance("1s")
        found = home.call(lambda: [*home.live.accessory("viewer").device.discovered.values()])  # type: ignore[attr-defined]
        assert [each.service_info for each in found] == [b"lens cap on"]


def test_strict_discovery_windows_pair_too() -> None:
    with home_of(camera(), viewer(), air={"discovery_windows": "strict"}) as home:
        home["viewer"].do("pair").result()
        home.advance("20s")
        assert len(events_of(home, "camera", "PairingCompleted")) == 1


def test_the_attributes_of_the_device_are_those_of_a_recorded_one() -> None:
    octets = encode_attributes((DEVICE_CAPABILITY, *availability()))
    assert octets.hex().endswith("013100" + "0e00e11218000" + "4fefffeff117d010000" + "0700fa021151200000")


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("always", [Answer.ACCEPT, Answer.ACCEPT]),
        ("never", [Answer.REJECT, Answer.REJECT]),
        ("ask", [Answer.ASK, Answer.ASK]),
        ("silent", [Answer.NOTHING, Answer.NOTHING]),
        ("reject-then-accept", [Answer.REJECT, Answer.ACCEPT]),
    ],
)
def test_a_policy_answers_as_it_says(text: str, answers: list[Answer]) -> None:
    policy = AcceptPolicy(text)
    assert [policy.decide().answer for _ in answers] == answers


def test_a_policy_can_think_first() -> None:
    assert AcceptPolicy("after:3s").decide().after == 3_000_000
