"""A phone and a camera over the air in virtual time: pairing, codes, verification, data paths, paired devices."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from devices.errors import ActionRefusedError, UnknownKindError, UnknownVerbError, UsageError
from devices.home import Home, HomeOptions, LiveHome
from devices.lab.run import run_scenario
from devices.lab.scenario import read_scenario
from devices.sim.loop import VirtualTimeLoop
from devices.spec import read_home
from devices.stores.state import StateDirectory
from tests.support.wifi_aware_home import SERVICE, WifiAwareHome

SETUP_OPEN = bytes.fromhex("2a02000003")
"""Device Capability Extension with pairing setup and caching enabled."""
PLATFORMS = ("ios-26", "ios-27", "android-16", "android-17", "hostap", "raw")


# Finding.


def test_browsing_lists_publishers_as_a_picker_does() -> None:
    with WifiAwareHome() as home:
        (found,) = home.do("browse", service=SERVICE, within="1s")["value"]
        assert (found["accessory"], found["service_id"], found["pairing_open"]) == ("camera", "63487a70d3a0", True)
        assert found["pairing_info"] == {
            "pairing_name": "Garage Camera",
            "vendor_name": "pairlab",
            "model_name": "CAM-1",
        }
        assert found["methods"] == ["pin-display"]
        assert home.do("browse", service="_other._udp", within="1s")["value"] == []
        assert home.do("browse", service="*", within="1s")["value"] == [found]


@pytest.mark.parametrize(
    "wanted",
    [
        {"target": "camera"},
        {"target": "garage camera"},
        {"name": "Garage Camera"},
        {"model": "cam-1"},
        {"service_id": "63487A70D3A0"},
        {"name": "Garage Camera", "model": "CAM-1", "service": SERVICE},
    ],
)
def test_a_device_is_picked_by_name_model_service_id_or_accessory(wanted: dict[str, Any]) -> None:
    with WifiAwareHome() as home:
        assert home.do("pick", **wanted)["value"]["accessory"] == "camera"
        assert home.do("pair", wait=True)["value"]["accessory"] == "camera"


@pytest.mark.parametrize(
    ("wanted", "rule", "came"),
    [
        ({"target": "camra"}, "in-view", "only camera"),
        ({"name": "Kitchen"}, "in-view", "only camera"),
        ({"target": "camera", "service": "_other._udp"}, "in-view", "nobody within 5 s"),
    ],
)
def test_who_is_not_there_is_a_refusal_that_says_who_is(wanted: dict[str, Any], rule: str, came: str) -> None:
    with WifiAwareHome() as home:
        refused = home.do("pick", **wanted)
        assert (refused["outcome"], refused["verdict"]["rule"], refused["verdict"]["came"]) == ("refused", rule, came)
        assert refused["platform"]["delay_ms"] == 5000


def test_a_home_without_publishers_asks_which_service() -> None:
    with Home({"phone": [{"id": "phone"}]}, seed=1, virtual=True) as home:
        with pytest.raises(UsageError, match="which service"):
            home["phone"].do("browse", service="*").result()
        assert home["phone"].do("browse", service=SERVICE, within="1s").result()["value"] == []


def test_a_closed_device_is_in_view_but_not_to_be_paired_with() -> None:
    with WifiAwareHome(camera={"pairing": {"open": "closed"}}) as home:
        refused = home.do("pair", target="camera")
        assert refused["verdict"]["rule"] == "pairing-open"
        assert "open-pairing" in refused["verdict"]["hint"]
        home.tell_camera("open-pairing")
        assert home.pair()["device"]["name"] == "Garage Camera"


# Pairing.


@pytest.mark.parametrize("profile", PLATFORMS)
def test_wrong_code_fails_and_the_right_one_pairs(profile: str) -> None:
    with WifiAwareHome(profile) as home:
        begun = home.do("pair", target="camera", code="000000")
        assert begun["value"] == {
            "peer": begun["value"]["peer"],
            "accessory": "camera",
            "service": SERVICE,
            "method": "pin-keypad",
        }
        failed = home.expect("PairingFailed", error="AuthenticationError")
        assert (failed["cause"], failed["wrong_attempts"]) == ("wrong-password", 1)
        assert home.pair(code=home.code)["device"]["pairing_info"]["model_name"] == "CAM-1"
        assert home.expect("PairingFailed", "camera")["wrong_attempts"] == 1
        assert len(home.devices) == 1


@pytest.mark.parametrize(
    ("profile", "cause", "within_us"), [("ios-26", "wrong-password", 0), ("hostap", "abandoned", 10_000_000)]
)
def test_the_camera_hears_of_a_wrong_code_before_the_phones_user_or_has_to_wait(
    profile: str, cause: str, within_us: int
) -> None:
    with WifiAwareHome(profile) as home:
        home.do("pair", target="camera", code="000000")
        mine, theirs = home.expect("PairingFailed"), home.expect("PairingFailed", "camera")
        assert theirs["cause"] == cause
        assert theirs.at_us - mine.at_us <= within_us
        assert (theirs.id < mine.id) == (profile == "ios-26")


@pytest.mark.parametrize("profile", ["ios-26", "android-17"])
@pytest.mark.parametrize(
    ("policy", "failures", "paired"), [("right", 0, 1), ("wrong", 1, 0), ("wrong-then-right", 1, 1)]
)
def test_the_user_types_as_the_file_says(profile: str, policy: str, failures: int, paired: int) -> None:
    with WifiAwareHome(profile, phone={"code": policy}) as home:
        home.do("pair", target="camera")
        home.home.advance("60s")
        assert len(home.events("PairingFailed", "phone")) == failures
        assert len(home.events("PairingCompleted", "phone")) == paired
        assert len(home.devices) == paired
        asked = home.events("CodeRequired", "phone")
        assert [each["is_waiting"] for each in asked] == [False] * (failures + paired)


def test_a_user_who_types_nothing_is_typed_for_by_accept() -> None:
    with WifiAwareHome(phone={"code": "none"}) as home:
        home.do("pair", target="camera")
        asked = home.expect("CodeRequired")
        assert (asked["kind"], asked["is_waiting"]) == ("pin", True)
        home.do("accept", request=asked["request"], code=home.code)
        assert home.expect("PairingCompleted")


def test_a_code_that_nobody_types_expires_on_both_sides() -> None:
    with WifiAwareHome(phone={"code": "none", "patience": "20s"}, camera={"pairing": {"expires": "30s"}}) as home:
        home.do("pair", target="camera")
        failed = home.expect("PairingFailed", cause="expired")
        assert (failed["error"], failed["expected"]) == ("ExchangeTimeoutError", "a code within 20 s")
        assert home.expect("CodeExpired", "camera")
        home.home.advance("10s")
        assert home.do("pair", target="camera")["verdict"]["rule"] == "pairing-open"
        assert home.devices == []


@pytest.mark.parametrize("how", ["cancel", "reject"])
def test_a_user_who_changes_his_mind_ends_it(how: str) -> None:
    with WifiAwareHome(phone={"code": "none"}) as home:
        home.do("pair", target="camera")
        home.expect("CodeRequired")
        home.do(how)
        failed = home.expect("PairingFailed")
        assert (failed["error"], failed["cause"]) == ("cancelled", "cancelled")
        with pytest.raises(ActionRefusedError, match="under way"):
            home.do("cancel")
        home.do("pair", target="camera", code=home.code)  # nothing is left of it
        assert home.expect("PairingCompleted")


def test_cancelling_before_the_method_is_agreed_ends_bootstrapping() -> None:
    with WifiAwareHome(camera={"pairing": {"bootstrapping": "silent"}}) as home:
        home.do("pair", target="camera")
        with pytest.raises(ActionRefusedError, match="under way; `cancel` ends it"):
            home.do("pair", target="camera")
        home.do("cancel", target="camera")
        assert home.expect("BootstrappingFailed")["error"] == "cancelled"


def test_the_third_wrong_code_locks_and_opening_pairing_again_forgives() -> None:
    with WifiAwareHome() as home:
        for attempt in (1, 2, 3):
            refused = home.do("pair", target="camera", code="000000", wait=True)
            assert refused["verdict"]["symptom"] == "AuthenticationError (wrong-password)"
            assert home.expect("PairingFailed")["wrong_attempts"] == attempt
            home.home.advance("10s")  # the camera waits for a frame 3 that does not come
        for actor in ("phone", "camera"):
            assert [each["attempts"] for each in home.events("PairingAttemptsExhausted", actor)] == [3]
        code = home.code
        refused = home.do("pair", target="camera", code=code, wait=True)
        assert refused["outcome"] == "refused"
        assert home.events("PairingFailed", "camera")[-1]["cause"] == "locked"
        home.tell_camera("open-pairing")
        assert home.pair(code=home.code)["device"]


@pytest.mark.parametrize(("accept", "error"), [("never", "PeerRejectedError"), ("silent", "ExchangeTimeoutError")])
def test_an_accessory_that_does_not_want_ends_it_in_an_event(accept: str, error: str) -> None:
    with WifiAwareHome(camera={"pairing": {"accept": accept}}) as home:
        refused = home.do("pair", target="camera", wait=True)
        assert refused["outcome"] == "refused"
        assert home.expect("PairingFailed")["error"] == error
        assert home.devices == []


def test_pairing_waits_for_an_accessory_that_asks_its_owner() -> None:
    with WifiAwareHome(camera={"pairing": {"accept": "ask"}}) as home:
        assert home.do("pair", target="camera")["outcome"] == "done"
        asked = home.expect("ConsentRequested", "camera")
        home.tell_camera("accept", request=asked["request"])
        assert home.expect("PairingCompleted")


@pytest.mark.parametrize(
    ("methods", "word", "kind"),
    [
        (["passphrase-display"], None, "passphrase"),
        (["qr-display"], None, "qr"),
        (["pin-display", "passphrase-display"], "passphrase", "passphrase"),
    ],
)
def test_other_codes_are_read_off_too(methods: list[str], word: str | None, kind: str) -> None:
    with WifiAwareHome("android-17", camera={"pairing": {"methods": methods}}) as home:
        home.pair(method=word)
        assert home.events("CodeRequired", "phone")[0]["kind"] == kind


def test_opportunistic_pairing_needs_no_code() -> None:
    with WifiAwareHome("android-17", camera={"pairing": {"methods": ["opportunistic"]}}) as home:
        assert home.pair()["method"] == "opportunistic"
        assert home.events("CodeRequired") == []


def test_an_iphone_knows_pins_alone() -> None:
    with WifiAwareHome(camera={"pairing": {"methods": ["passphrase-display"]}}) as home:
        refused = home.do("pair", target="camera")
        assert refused["verdict"]["rule"] == "bootstrapping-method"
        assert refused["verdict"]["came"] == "passphrase-display"
        refused = home.do("pair", target="camera", method="passphrase")
        assert refused["verdict"]["rule"] == "bootstrapping-method"
        with pytest.raises(UsageError, match="there is no 'semaphore'"):
            home.do("pair", target="camera", method="semaphore")


def test_an_iphone_publisher_of_the_field_is_met_in_its_own_manner() -> None:
    with WifiAwareHome("ios-26", camera={"profile": "ios-26"}) as home:
        home.pair()
    with WifiAwareHome("hostap", camera={"profile": "ios-26"}) as home:
        refused = home.do("pair", target="camera", wait=True)
        assert refused["verdict"]["rule"] == "status"
        assert "the bit it advertised" in refused["verdict"]["hint"]


def test_names_are_on_the_air_only_while_pair_setup_is_open() -> None:
    with WifiAwareHome() as home:
        heard: list[bytes] = []
        home.home.call(lambda: home.home.live.air.attach_monitor("m", lambda flight: heard.append(flight.payload)))
        home.do("browse", service=SERVICE, within="2s")
        nmi = bytes.fromhex(home.home["phone"].facts["nmi"].replace(":", ""))
        assert any(frame[10:16] == nmi for frame in heard)
        assert _naming(heard, nmi, b"Phone") == _naming(heard, nmi, SETUP_OPEN) == []
        home.do("pair", target="camera", code="000000")
        home.expect("PairingFailed")
        assert _naming(heard, nmi, b"Phone")  # the request said who asks
        assert _naming(heard, nmi, SETUP_OPEN)
        home.pair(code=home.code)
        heard.clear()
        home.do("verify", target="camera", wait=True)
        home.do("open", target="camera")
        home.home.advance("30s")
        assert _naming(heard, nmi, b"Phone") == _naming(heard, nmi, SETUP_OPEN) == []
        assert [frame for frame in heard if b"Garage Camera" in frame or b"CAM-1" in frame] == []


def _naming(frames: list[bytes], sender: bytes, name: bytes) -> list[bytes]:
    return [frame for frame in frames if frame[10:16] == sender and name in frame]


def test_pairing_works_in_strict_discovery_windows() -> None:
    with WifiAwareHome(air={"discovery_windows": "strict"}) as home:
        home.pair()
        assert home.do("open", target="camera")["outcome"] == "done"


# Verification.


@pytest.mark.parametrize("profile", PLATFORMS)
def test_a_pairing_is_verified_after_a_restart_under_other_addresses(profile: str) -> None:
    with WifiAwareHome(profile) as home:
        device = home.pair()["device"]
        before = home.home["phone"].facts["nmi"]
        home.do("restart")
        assert home.home["phone"].facts["nmi"] != before
        verified = home.do("verify", target=device["name"], wait=True)
        assert verified["value"]["device"]["id"] == device["id"]
        assert home.expect("PairingVerified")["peer_id"] == device["id"]
        assert home.do("open", target=device["id"])["value"]["security"] == "paired"


def test_an_android_verifies_by_itself_once_a_device_is_recognised() -> None:
    with WifiAwareHome("android-17") as home:
        home.pair()
        home.do("restart")
        home.do("browse", service=SERVICE, within="5s")
        assert home.expect("PeerRecognised")
        assert home.expect("PairingVerified")
        assert len(home.events("PairingVerified", "phone")) == 1


@pytest.mark.parametrize("profile", ["ios-26", "android-17"])
@pytest.mark.parametrize("is_restarted", [True, False])
def test_a_device_that_forgot_the_phone_is_paired_with_again_without_a_loop(profile: str, is_restarted: bool) -> None:
    with WifiAwareHome(profile) as home:
        device = home.pair()["device"]
        home.tell_camera("forget")
        if is_restarted:
            home.do("restart")
        refused = home.do("verify", target="camera", wait=True)
        assert "unknown-peer" in refused["verdict"]["symptom"]
        assert "pair again" in refused["verdict"]["hint"]
        failures = len(home.events("PairingFailed", "phone"))
        home.home.advance("10m")
        assert len(home.events("PairingFailed", "phone")) == failures <= 2
        assert home.pair()["device"]["id"] == device["id"]
        assert len(home.devices) == 1
        assert home.do("open", target="camera")["outcome"] == "done"


@pytest.mark.parametrize("verb", ["forget", "factory-reset"])
def test_a_device_that_lost_its_keys_can_be_paired_with_at_once(verb: str) -> None:
    with WifiAwareHome() as home:
        home.pair()
        home.tell_camera(verb)
        home.home.advance("2s")
        home.pair()
        assert home.do("open", target="camera")["outcome"] == "done"
        assert len(home.devices) == (1 if verb == "forget" else 2)  # after a reset it is another device


def test_a_device_that_was_reset_is_a_stranger() -> None:
    with WifiAwareHome() as home:
        home.pair()
        home.tell_camera("factory-reset")
        home.home.advance("2s")
        refused = home.do("open", target="camera")
        assert (refused["verdict"]["rule"], refused["platform"]["case"]) == ("paired-required", "deviceInvalid")


def test_a_device_that_is_open_for_all_can_be_paired_with_twice() -> None:
    with WifiAwareHome(camera={"pairing": {"open": "always"}}) as home:
        first = home.pair()["device"]
        assert home.pair()["device"] == first


def test_verifying_whom_one_never_met_is_refused() -> None:
    with WifiAwareHome() as home:
        refused = home.do("verify", target="camera")
        assert (refused["verdict"]["rule"], refused["verdict"]["came"]) == ("paired-required", "no paired devices")


# Data paths.


def test_opening_waits_for_the_pairing_under_way_and_names_the_session() -> None:
    with WifiAwareHome() as home:
        home.do("pair", target="camera")
        opened = home.do("open", target="camera")["value"]
        assert opened["accessory"] == "camera"
        assert opened["session"] == home.expect("EndpointOpened", "camera")["session"]
        assert opened["endpoints"] == {}  # no sockets in virtual time
        home.do("close", target=opened["session"])
        assert home.expect("DataPathClosed", "camera")["by_peer"]
        with pytest.raises(ActionRefusedError, match="no data path"):
            home.do("close")


@pytest.mark.parametrize(
    ("profile", "case", "code"),
    [("ios-26", "noPairedDevices", None), ("android-17", "INVALID_PAIRING_ID", 13), ("raw", "no-paired-devices", None)],
)
def test_a_path_to_a_stranger_is_refused_in_the_platforms_words(profile: str, case: str, code: int | None) -> None:
    with WifiAwareHome(profile) as home:
        refused = home.do("open", target="camera")
        assert refused["verdict"]["rule"] == "paired-required"
        assert (refused["platform"]["case"], refused["platform"]["code"]) == (case, code)
        told = home.expect("PlatformRefused")
        assert (told["call"], told["case"]) == ("open", case)


def test_another_device_than_the_paired_one_is_invalid() -> None:
    lamp = {"id": "lamp", "kind": "wifi-aware-publisher", "name": "Lamp", "service": "_lamp._udp"}
    with WifiAwareHome(others=[lamp]) as home:
        home.pair()
        refused = home.do("open", target="lamp", within="1s")
        assert refused["platform"]["case"] == "deviceInvalid"
        home.tell_camera("power-off")
        home.home.advance("30s")
        refused = home.do("open", target="camera", within="1s")
        assert refused["platform"]["case"] == "deviceNoLongerAvailable"


@pytest.mark.parametrize("security", ["open", "passphrase", "pmk"])
def test_an_iphone_opens_no_path_that_is_not_paired(security: str) -> None:
    with WifiAwareHome(camera={"data_path": {"security": "open"}}) as home:
        refused = home.do("open", target="camera", security=security, passphrase="eight letters")
        assert (refused["verdict"]["rule"], refused["platform"]["case"]) == ("data-path-security", "connectionFailed")


@pytest.mark.parametrize("profile", ["android-17", "hostap", "raw"])
def test_others_open_paths_without_a_pairing_where_the_accessory_allows_it(profile: str) -> None:
    with WifiAwareHome(profile, camera={"data_path": {"security": "open"}}) as home:
        assert home.do("open", target="camera", security="open")["value"]["security"] == "open"
    locked = {"data_path": {"security": "passphrase", "passphrase": "correct horse"}}
    with WifiAwareHome(profile, camera=locked) as home:
        opened = home.do("open", target="camera", security="passphrase", passphrase="correct horse")
        assert opened["value"]["security"] == "passphrase"
        refused = home.do("open", target="camera", security="passphrase", passphrase="wrong horse")
        assert refused["outcome"] == "refused"
        refused = home.do("open", target="camera", security="open")
        assert refused["verdict"]["rule"]


def test_a_removed_device_may_not_connect_any_more() -> None:
    with WifiAwareHome() as home:
        device = home.pair()["device"]
        home.do("open", target="camera")
        assert home.do("devices", action="remove", device=device["id"])["value"] == []
        assert home.expect("PeerRemoved")["peer_id"] == device["id"]
        assert home.expect("DataPathClosed")
        assert home.do("open", target="camera")["platform"]["case"] == "noPairedDevices"


def test_a_path_that_the_accessory_refuses_has_failed() -> None:
    with WifiAwareHome(camera={"data_path": {"accept": "never"}}) as home:
        home.pair()
        refused = home.do("open", target="camera")
        assert refused["platform"]["case"] == "connectionFailed"
        assert home.expect("DataPathFailed")["error"] == "PeerRejectedError"


# Paired devices.


def test_devices_are_listed_renamed_and_removed() -> None:
    with WifiAwareHome() as home:
        assert home.devices == []
        device = home.pair(name="My camera")["device"]
        assert device["name"] == "My camera"
        assert device["id"] == str(int(device["id"]))
        (renamed,) = home.do("devices", action="rename", device="My camera", name="Garage")["value"]
        assert (renamed["name"], renamed["pairing_info"]["pairing_name"]) == ("Garage", "Garage Camera")
        assert home.expect("PairedDeviceRenamed")["name"] == "Garage"
        with pytest.raises(ActionRefusedError, match="no paired device 'My camera'"):
            home.do("devices", action="remove", device="My camera")
        with pytest.raises(UsageError, match="needs device"):
            home.do("devices", action="remove")
        home.do("power-off")
        assert home.do("devices", action="remove", device="Garage")["value"] == []
        with pytest.raises(ActionRefusedError, match="switched off"):
            home.do("pair", target="camera")


def _with_state(folder: Path, app: str, *verbs: tuple[str, str, dict[str, Any]]) -> list[Any]:
    """What the verbs of one run of a home with state answer."""
    tables = {
        "accessory": [{"id": "camera", "kind": "wifi-aware-publisher", "service": SERVICE}],
        "phone": [{"id": "phone", "app": app}],
    }

    async def story() -> list[Any]:
        with StateDirectory(folder) as state:
            live = LiveHome(read_home(tables), HomeOptions(virtual=True, seed=1, state=state))
            await live.start()
            answers = []
            for actor, verb, arguments in verbs:
                answers.append(await live.do(actor, verb, arguments))
                await live.clock.sleep(2_000_000)
            await live.stop()
            return answers

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(story())


def test_paired_devices_survive_the_program_and_belong_to_the_app(tmp_path: Path) -> None:
    devices = ("phone", "devices", {})
    paired, _ = _with_state(
        tmp_path,
        "com.example.one",
        ("phone", "pair", {"target": "camera", "wait": True}),
        ("phone", "devices", {"action": "rename", "device": "camera", "name": "Mine"}),
    )
    device = paired["value"]["device"]
    (other,) = _with_state(tmp_path, "com.example.two", devices)
    assert other["value"] == []
    again, opened, _ = _with_state(
        tmp_path,
        "com.example.one",
        devices,
        ("phone", "open", {"target": "Mine"}),
        ("phone", "devices", {"action": "remove", "device": "Mine"}),
    )
    assert [(each["id"], each["name"]) for each in again["value"]] == [(device["id"], "Mine")]
    assert opened["outcome"] == "done"
    (gone,) = _with_state(tmp_path, "com.example.one", devices)
    assert gone["value"] == []


# What the platform allows.


def test_an_app_may_only_do_what_it_declares_and_is_entitled_to() -> None:
    with WifiAwareHome(phone={"services": {SERVICE: ["subscribe"]}, "entitlements": ["publish"]}) as home:
        refused = home.do("pair", target="camera")
        assert refused["verdict"]["rule"] == "entitlement"
    with WifiAwareHome(phone={"services": {"_other._udp": ["subscribe"]}}) as home:
        refused = home.do("pair", target="camera", service=SERVICE)
        assert (refused["verdict"]["rule"], refused["verdict"]["came"]) == ("declared-service", "_other._udp")
    with WifiAwareHome("android-17", phone={"services": {"_other._udp": ["subscribe"]}}) as home:
        home.pair(service=SERVICE)  # Android knows no declarations


@pytest.mark.parametrize("service", ["camera", "_x._quic", "_-x._udp"])
def test_an_iphone_app_crashes_with_a_wrong_name(service: str) -> None:
    with WifiAwareHome() as home:
        refused = home.do("browse", service=service, within="1s")
        assert refused["verdict"]["symptom"] == "the framework crashes the app"
        assert home.do("pair", target="camera", service=service)["outcome"] == "refused"


@pytest.mark.parametrize("profile", ["openthread", "ot-commissioner", "home-assistant"])
def test_profiles_without_wifi_aware_say_so(profile: str) -> None:
    with WifiAwareHome(profile) as home:
        with pytest.raises(UnknownVerbError, match=f"{profile} has no Wi-Fi Aware"):
            home.do("pair", target="camera")
        assert home.do("browse", within="0s") == []  # Bonjour they have


@pytest.mark.parametrize("profile", ["raw", "hostap", "openthread", "ot-commissioner"])
def test_profiles_without_a_credential_store_say_so(profile: str) -> None:
    no_store = pytest.raises(UnknownVerbError, match=f"{profile} has no Thread credential store")
    with WifiAwareHome(profile) as home, no_store:
        home.do("store-credential", border_agent="00", dataset="00")


def test_an_unknown_profile_or_outcome_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownKindError, match="did you mean 'hostap'"), WifiAwareHome("hostapd"):
        pass
    with pytest.raises(UnknownKindError, match="no outcome"), WifiAwareHome(phone={"outcome": "nonsense"}):
        pass
    with WifiAwareHome(phone={"outcome": "noRadioResources"}) as home:
        assert home.do("open", target="camera")["platform"]["case"] == "noRadioResources"


SCENARIO = """
name = "As the manual has it"
seed = 1
[[accessory]]
id = "camera"
kind = "wifi-aware-publisher"
name = "Garage Camera"
service = "_sat-simulation._udp"
pairing = { methods = ["pin-display"], accept = "always" }
[[phone]]
id = "phone"
profile = "ios-26"
code = "right"
[[step]]
do = "pair"
actor = "phone"
with = { target = "camera", code = "000000" }
[[step]]
expect = "PairingFailed"
actor = "phone"
where = { error = "AuthenticationError" }
within = "30s"
[[step]]
do = "pair"
actor = "phone"
with = { target = "camera", code = "${camera.code}" }
[[step]]
never = "PairingFailed"
during = "10s"
"""


def test_a_scenario_reads_the_code_and_never_sees_a_failure_after_it(tmp_path: Path) -> None:
    path = tmp_path / "pin.toml"
    path.write_text(SCENARIO)
    result = run_scenario(read_scenario(path))
    assert result.failure is None
    assert [each.type for each in result.events].count("PairingCompleted") == 2


def test_a_step_that_opens_waits_for_the_pairing_before_it(tmp_path: Path) -> None:
    steps = """
[[step]]
do = "pair"
actor = "phone"
with = { target = "camera" }
[[step]]
do = "open"
actor = "phone"
with = { target = "camera" }
save = "path"
[[step]]
do = "close"
actor = "phone"
with = { target = "${path.value.session}" }
"""
    path = tmp_path / "open.toml"
    path.write_text(SCENARIO.partition("[[step]]")[0] + steps)
    assert run_scenario(read_scenario(path)).failure is None


def test_one_seed_gives_one_transcript() -> None:
    def transcript() -> bytes:
        with WifiAwareHome(seed=9) as home:
            home.do("pair", target="camera", code="000000")
            home.expect("PairingFailed")
            home.pair(code=home.code)
            home.do("open", target="camera")
            return home.home.transcript

    assert transcript() == transcript()


def test_phone_pairs_at_once_with_a_camera_that_answers_it_in_the_open() -> None:
    with WifiAwareHome("hostap") as home:
        home.pair()
        for verb in ("restart", "forget", "open-pairing"):
            home.tell_camera(verb)
        home.home.advance("10s")
        last = home.home.events.all()[-1].id
        assert home.do("pair", target="camera", wait=True)["outcome"] == "done"
        begun = home.home.events.all("PairingStarted", after=last)
        assert [each["mode"] for each in begun if each.actor == "phone"] == ["password"]
