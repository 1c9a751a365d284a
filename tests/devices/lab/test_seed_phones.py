"""T1, W1 and W3: exact values, times and frames of what phones do, as the reports and public logs have them."""

import pytest

from devices.home import Home
from devices.lab.result import StepOutcome
from devices.lab.scenario import read_scenario
from devices.transcripts.reader import Frame
from pairing.thread.dataset import Dataset
from tests.support.seed_rows import FOLDER, S, happened, played, times
from tests.support.transcripts import records_of

T1, W1, W3 = "t1-thread-credentials", "w1-paired-device-life-cycle", "w3-accept-policies"
REPORTED = (
    "0e080000000000010000000300001035060004001fffe002083c66f0dc9ef53f1c0708fdb360c72874da9905104094dce45388fd3d3426e992cb"
    "f0697b030d474c2d5332302d6e65773030310102250b04106c9f919a4da9b213764fc83f849381080c0402a0f7f8"
)
PEER_NAMES = (b"Example Works", b"Model 5", b"Shed")


def _took(name: str, text: str) -> list[int]:
    return [each.took_us for each in played(name).steps if each.text == text and each.outcome is StepOutcome.PASSED]


def test_t1_holds_the_reports_208_digits_and_its_id() -> None:
    text = (FOLDER / f"{T1}.toml").read_text(encoding="utf-8")
    assert len(REPORTED) == 208
    assert text.count(REPORTED) > 3
    assert '"9483C451DC3E"' in text
    assert Dataset.decode(bytes.fromhex(REPORTED)).encode().hex() == REPORTED


def test_t1_the_6_byte_id_is_refused_after_4_ms_and_the_hint_names_the_router() -> None:
    (refused, *_) = happened(played(T1), "CredentialRefused", "phone")
    told = refused.as_json()
    assert told["border_agent"] == "9483C451DC3E"
    assert (told["rule"], told["came"]) == ("border-agent-id-length", "6 bytes, looks like a 48-bit MAC")
    assert "4099" in told["symptom"]
    (stored,) = happened(played(T1), "CredentialStored", "phone")
    assert stored.as_json()["border_agent"] in told["hint"]
    assert _took(T1, "do store-credential (phone)")[0] == 4_000


def test_t1_a_good_store_takes_49_ms_and_a_search_in_vain_its_budget_of_5_s() -> None:
    assert _took(T1, "do store-credential (phone)") == [4_000, 49_000, 5 * S]
    assert _took(T1, "do store-credential (no-mdns-match)") == [5 * S]


@pytest.mark.parametrize(
    ("state", "rule", "symptom", "took_us"),
    [
        ("apple-xpc", "helper-unreachable", "NSCocoaErrorDomain 4099", 4_000),
        ("no-mdns-match", "no-meshcop-record", "does not match with any of the active thread networks", 5 * S),
        ("frozen", "frozen", "Can not store frozen credentials", 0),
        ("not-connected", "network-down", "Device is not connected to the network", 0),
        ("preferred-only", "helper-unreachable", "NSCocoaErrorDomain 4099", 4_000),
    ],
)
def test_t1_each_state_of_a_phone_shows_what_real_ones_showed(
    state: str, rule: str, symptom: str, took_us: int
) -> None:
    (refused,) = happened(played(T1), "CredentialRefused", state)
    assert refused.as_json()["rule"] == rule
    assert symptom in refused.as_json()["symptom"]
    assert _took(T1, f"do store-credential ({state})") == [took_us]


def test_t1_reading_asks_nobody_but_where_it_is_for_any_team() -> None:
    found = [(each.text, each.found.partition(":")[0]) for each in played(T1).steps if "thread-call" in each.text]
    assert found == [
        *[("do thread-call (phone)", "done")] * 7,
        ("do thread-call (other-team)", "refused"),
        ("do thread-call (other-team)", "done"),
        ("do thread-call (preferred-only)", "done"),
        ("do thread-call (preferred-only)", "refused"),
        ("do thread-call (consent-denied)", "refused"),
        ("do thread-call (phone)", "refused"),
    ]


def test_w1_names_are_on_the_air_while_pair_setup_is_open_and_never_afterwards() -> None:
    result = played(W1)
    (closed,) = times(result, "PairSetupClosed", "camera")
    frames = [each for each in records_of(result.transcript) if isinstance(each, Frame) and each.medium == "air"]
    mine = [each for each in frames if each.sender == "camera"]
    before = [each for each in mine if each.at_us < closed and all(name in each.payload for name in PEER_NAMES)]
    after = [each for each in mine if each.at_us > closed]
    assert len(before) >= 2
    assert len(after) >= 10
    assert not [each for each in after if any(name in each.payload for name in PEER_NAMES)]


def test_w1_the_subscriber_says_who_it_is_in_its_request_for_a_method() -> None:
    result = played(W1)
    asked = times(result, "BootstrappingStarted", "phone")
    frames = [each for each in records_of(result.transcript) if isinstance(each, Frame) and each.sender == "phone"]
    telling = [each for each in frames if b"vendorName=Apple Inc." in each.payload]
    assert all(b"modelName=iPhone" in each.payload and b"pairingName=" in each.payload for each in telling)
    assert {each.at_us for each in telling} >= set(asked)
    # And nowhere else but there: in the request, and when it comes back for the answer a second and some later.
    assert all(any(0 <= each.at_us - time < 1_100_000 for time in asked) for each in telling)


def test_w1_the_list_is_empty_then_has_one_then_is_empty_again() -> None:
    result = played(W1)
    (paired, *_) = happened(result, "PairingCompleted", "phone")
    assert 0 < int(paired.as_json()["peer_id"]) < 2**64
    (removed,) = happened(result, "PeerRemoved", "phone")
    assert removed.as_json()["peer_id"] == paired.as_json()["peer_id"]
    with Home(read_scenario(FOLDER / f"{W1}.toml").spec, virtual=True) as home:
        phone = home["phone"]
        lists = [phone.do("devices").result()["value"]]
        phone.do("pair", target="camera", service="_sat-simulation._udp").result()
        home.events.wait("PairingCompleted", actor="camera")
        lists.append(phone.do("devices").result()["value"])
        device = home.events.wait("PairingCompleted", actor="phone").as_json()["peer_id"]
        phone.do("devices", action="remove", device=device).result()
        lists.append(phone.do("devices").result()["value"])
    assert (lists[0], lists[2]) == ([], [])
    (listed,) = lists[1]
    told = {"pairing_name": "Shed", "vendor_name": "Example Works", "model_name": "Model 5"}
    assert (listed["id"], listed["name"], listed["pairing_info"]) == (device, "Shed", told)


def test_w1_each_ending_has_an_event_of_its_own_on_both_sides() -> None:
    result = played(W1)
    causes = {
        actor: [each.as_json()["cause"] for each in happened(result, "PairingFailed", actor)]
        for actor in ("phone", "camera", "guarded")
    }
    assert causes["phone"] == ["wrong-password", "cancelled", *["wrong-password"] * 3, "rejected"]
    assert causes["camera"] == ["wrong-password"]
    assert causes["guarded"] == [*["wrong-password"] * 3, "locked"]
    assert len(times(result, "PairingAttemptsExhausted", "guarded")) == 1
    (opened,) = [each.at_us for each in result.steps if each.text == "do open-pairing (thoughtful)"]
    assert times(result, "CodeExpired", "thoughtful") == [opened + 10 * S]


def test_w3_every_step_is_an_event_with_a_time_and_a_peer() -> None:
    result = played(W3)
    steps = ("BootstrappingRequested", "PairingRequested", "PairingCompleted", "PairingFailed", "ConsentRequested")
    events = [each for each in result.events if each.type in steps]
    assert len(events) > 20
    assert all(each.event.peer for each in events)
    assert [each.at_us for each in events] == sorted(each.at_us for each in events)


def test_w3_the_owner_who_thinks_for_3_s_accepts_after_3_s() -> None:
    result = played(W3)
    (asked,) = times(result, "PairingRequested", "slow")
    answers = [each for each in records_of(result.transcript) if isinstance(each, Frame) and each.sender == "slow"]
    first = next(each.at_us for each in answers if each.at_us > asked and each.payload[:1] == b"\xb0")
    assert first - asked == 3 * S


def test_w3_rejected_and_declined_are_told_at_once_and_silence_after_30_s() -> None:
    result = played(W3)
    for owner in ("never", "asked"):
        (declined, *_) = happened(result, "PairingFailed", owner)
        assert declined.as_json()["cause"] == "declined"
    rejected = happened(result, "PairingFailed", "phone", cause="rejected")
    assert len(rejected) == 2
    (late,) = happened(result, "PairingFailed", "phone", cause="timed-out")
    (started,) = times(result, "PairingStarted", "phone", peer=late.event.peer)
    assert late.at_us - started == 30 * S
    assert happened(result, "PairingFailed", "silent") == []


def test_w3_the_wrong_pin_first_and_the_right_one_then() -> None:
    result = played(W3)
    (wrong,), (right,) = (times(result, each, "doorbell") for each in ("PairingFailed", "PairingCompleted"))
    assert wrong < right
