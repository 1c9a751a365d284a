"""Two accessories pair by verbs alone: every method, every policy of the owners, codes that are wrong or late."""

from typing import Any

import pytest

from devices.errors import ActionRefusedError
from devices.home import Home
from pairing.errors import DecodeError
from pairing.ieee80211.frames import ManagementFrame
from pairing.nan.attributes import NpbaType, PairingBootstrapping, PairingBootstrappingExtension
from pairing.nan.frames import ServiceDiscoveryFrame, decode_nan_frame
from pairing.nan.setup_info import PairingSetupInfo
from tests.support.camera_and_viewer import camera, events_of, happened, home_of, pair, viewer

ENDINGS = ("PairingCompleted", "PairingFailed")


def _home(pairing: dict[str, Any] | None = None, other: dict[str, Any] | None = None) -> Home:
    return home_of(camera(pairing=pairing or {}), viewer(pairing=other or {}))


def _is_paired(home: Home) -> bool:
    return happened(home, "camera", *ENDINGS)[-1:] == happened(home, "viewer", *ENDINGS)[-1:] == ["PairingCompleted"]


@pytest.mark.parametrize(
    ("shown", "typed"),
    [
        ("pin-display", "pin-keypad"),
        ("passphrase-display", "passphrase-keypad"),
        ("qr-display", "qr-scan"),
        ("nfc-tag", "nfc-reader"),
        ("pin-keypad", "pin-display"),
        ("passphrase-keypad", "passphrase-display"),
        ("qr-scan", "qr-display"),
        ("opportunistic", "opportunistic"),
    ],
)
def test_accessories_pair_by_every_method(shown: str, typed: str) -> None:
    with _home({"methods": [shown]}, {"methods": [typed]}) as home:
        pair(home)
        assert _is_paired(home)
        completed = events_of(home, "camera", "PairingCompleted")[0]
        assert completed["mode"] == ("opportunistic" if shown == "opportunistic" else "password")


def test_a_code_is_shown_while_pair_setup_is_open_and_no_longer() -> None:
    with _home() as home:
        code = home["camera"].code
        assert len(code) == 6
        assert home["camera"].state == "pairable"
        pair(home)
        assert dict(home["camera"].shows) == {}
        assert home["camera"].state == "paired"
        assert happened(home, "camera", "CodeShown", "PairSetupOpened", "PairSetupClosed") == [
            "PairSetupOpened",
            "CodeShown",
            "PairSetupClosed",
        ]


def test_every_kind_of_code_can_be_read_off() -> None:
    with _home({"methods": ["passphrase-display", "pin-display", "qr-display"], "pin": "2468"}) as home:
        shows = dict(home["camera"].shows)
        assert len(shows["passphrase"]) == 12
        assert shows["qr"].startswith("NAN:_viewed._tcp;")
        assert shows["code"] == "2468"


def test_an_event_says_that_a_code_is_shown_without_the_code() -> None:
    with _home() as home:
        shown = events_of(home, "camera", "CodeShown")[0]
        assert "code" not in shown.as_json()
        assert shown.as_json(secrets=True)["code"] == home["camera"].code


def test_a_new_opening_shows_another_code() -> None:
    with _home() as home:
        before = home["camera"].code
        home["camera"].do("close-pairing").result()
        assert home["camera"].do("open-pairing").result()["code"] not in ("", before)


def test_a_wrong_code_ends_in_an_event_on_both_sides_and_the_right_one_pairs_then() -> None:
    with _home() as home:
        pair(home, code="000000")
        home.advance("30s")
        there, here = events_of(home, "viewer", "PairingFailed"), events_of(home, "camera", "PairingFailed")
        assert [(each["error"], each["cause"]) for each in there] == [("AuthenticationError", "wrong-password")]
        assert [(each["error"], each["cause"]) for each in here] == [("ExchangeTimeoutError", "abandoned")]
        pair(home, code=home["camera"].code)
        assert _is_paired(home)


def test_an_owner_can_err_once_by_habit() -> None:
    with _home(other={"code": "wrong-then-right"}) as home:
        pair(home)
        home.advance("10s")
        assert happened(home, "viewer", *ENDINGS) == ["PairingFailed", "PairingCompleted"]
        assert _is_paired(home)


def test_the_third_wrong_code_has_an_event_of_its_own_and_the_peer_is_refused_until_pairing_opens_again() -> None:
    with _home() as home:
        for _ in range(4):
            pair(home, code="000000")
            home.advance("10s")
        assert [each["attempts"] for each in events_of(home, "camera", "PairingAttemptsExhausted")] == [3]
        assert events_of(home, "camera", "PairingFailed")[-1]["cause"] == "locked"
        assert events_of(home, "viewer", "PairingFailed")[-1]["cause"] == "rejected"
        home["camera"].do("open-pairing").result()
        pair(home, code=home["camera"].code)
        assert _is_paired(home)


def test_a_code_that_expires_has_an_event_of_its_own_and_pairs_nobody() -> None:
    with _home({"expires": "20s"}) as home:
        code = home["camera"].code
        home.advance("21s")
        assert happened(home, "camera", "CodeExpired", "PairSetupClosed") == ["CodeExpired", "PairSetupClosed"]
        assert events_of(home, "camera", "PairSetupClosed")[0]["reason"] == "expired"
        with pytest.raises(ActionRefusedError, match="lets no new peer pair"):
            home["viewer"].do("pair", code=code).result()


def test_who_waits_when_the_code_expires_is_turned_away() -> None:
    with _home({"accept": "ask", "expires": "20s"}) as home:
        pair(home)
        home.advance("20s")
        assert [each["cause"] for each in events_of(home, "camera", "PairingFailed")] == ["declined"]
        assert [each["cause"] for each in events_of(home, "viewer", "PairingFailed")] == ["rejected"]
        assert home["camera"].facts["requests"] == []


def test_an_owner_who_ignores_the_method_ends_in_a_timeout_on_both_sides() -> None:
    with _home({"bootstrapping": "silent"}) as home:
        pair(home)
        home.advance("3m")
        assert [each["error"] for each in home.events.all("BootstrappingFailed")] == 2 * ["ExchangeTimeoutError"]
        assert home["camera"].facts["requests"] == []


def test_an_owner_who_never_accepts_rejects() -> None:
    with _home({"accept": "never"}) as home:
        pair(home)
        assert [each["cause"] for each in events_of(home, "viewer", "PairingFailed")] == ["rejected"]
        assert [each["cause"] for each in events_of(home, "camera", "PairingFailed")] == ["declined"]


def test_an_owner_who_refuses_the_method_ends_bootstrapping() -> None:
    with _home({"bootstrapping": "never"}) as home:
        pair(home)
        assert events_of(home, "viewer", "BootstrappingFailed")[0]["error"] == "PeerRejectedError"
        assert events_of(home, "camera", "PairingRequested") == []


def test_an_owner_who_thinks_accepts_after_that_time() -> None:
    with _home({"accept": "after:3s"}) as home:
        pair(home)
        home.advance("5s")
        asked, paired = (events_of(home, "camera", kind)[0] for kind in ("PairingRequested", "PairingCompleted"))
        assert 3_000_000 <= paired.at_us - asked.at_us < 4_000_000


def test_an_owner_can_reject_first_and_accept_then() -> None:
    with _home({"accept": "reject-then-accept"}) as home:
        pair(home)
        pair(home)
        assert happened(home, "viewer", *ENDINGS) == ["PairingFailed", "PairingCompleted"]


def test_an_owner_who_says_nothing_ends_in_a_timeout_on_both_sides() -> None:
    with _home({"accept": "silent"}) as home:
        pair(home)
        home.advance("70s")
        assert [each["cause"] for each in events_of(home, "viewer", "PairingFailed")] == ["timed-out"]
        assert [each["cause"] for each in events_of(home, "camera", "PairingFailed")] == ["expired"]
        assert home["camera"].facts["requests"] == []


def test_an_owner_who_is_asked_can_accept() -> None:
    with _home({"accept": "ask"}) as home:
        pair(home)
        asked = events_of(home, "camera", "ConsentRequested")[0]
        assert (asked["call"], asked.event.peer) == ("pairing", home["viewer"].facts["nmi"])
        assert home["camera"].do("accept", request=asked["request"]).result() == {"request": asked["request"]}
        home.advance("3s")
        assert _is_paired(home)


def test_an_owner_who_is_asked_can_reject() -> None:
    with _home({"accept": "ask"}) as home:
        pair(home)
        home["camera"].do("reject").result()
        home.advance("1s")
        assert [each["cause"] for each in events_of(home, "camera", "PairingFailed")] == ["declined"]


def test_an_answer_before_the_pairing_request_counts_for_it() -> None:
    with _home({"accept": "ask"}) as home:
        home["viewer"].do("pair", code="000000").result()
        home.events.wait("BootstrappingCompleted", actor="camera")
        assert happened(home, "camera", "BootstrappingCompleted", "PairingRequested") == ["BootstrappingCompleted"]
        assert home["camera"].do("accept", peer="viewer").result() == {"request": None}
        home.advance("3s")
        assert events_of(home, "camera", "ConsentRequested") == []
        assert events_of(home, "viewer", "PairingFailed")[0]["cause"] == "wrong-password"


def test_answers_to_nothing_are_refused() -> None:
    with _home() as home:
        with pytest.raises(ActionRefusedError, match="nobody asks"):
            home["camera"].do("accept").result()
        with pytest.raises(ActionRefusedError, match="no open request 7"):
            home["camera"].do("reject", request=7).result()


def test_a_code_can_be_typed_by_verb_on_the_side_that_was_asked() -> None:
    with _home({"methods": ["pin-keypad"], "code": "none"}, {"methods": ["pin-display"]}) as home:
        pair(home)
        required = events_of(home, "camera", "CodeRequired")[0]
        assert (required["kind"], required["is_waiting"]) == ("pin", True)
        home["camera"].do("accept", code=home["viewer"].code).result()
        home.advance("3s")
        assert _is_paired(home)


def test_a_code_can_be_typed_by_verb_on_the_side_that_began() -> None:
    with _home(other={"code": "none"}) as home:
        pair(home)
        required = events_of(home, "viewer", "CodeRequired")[0]
        assert required["is_waiting"]
        home["viewer"].do("accept", request=required["request"], code=home["camera"].code).result()
        home.advance("3s")
        assert _is_paired(home)


def test_who_began_can_cancel_and_pair_again() -> None:
    with _home({"accept": "ask"}) as home:
        pair(home)
        home["viewer"].do("cancel").result()
        assert events_of(home, "viewer", "PairingFailed")[0]["cause"] == "cancelled"
        pair(home)
        home["camera"].do("accept").result()
        home.advance("3s")
        assert _is_paired(home)


def test_who_was_asked_can_cancel() -> None:
    with _home({"accept": "ask"}) as home:
        pair(home)
        home["camera"].do("cancel").result()
        home.advance("1s")
        assert events_of(home, "camera", "PairingFailed")[0]["cause"] == "cancelled"
        assert events_of(home, "viewer", "PairingFailed")[0]["cause"] == "rejected"


@pytest.mark.parametrize("target", ["camera", "Garage", "Camera", "_viewed._tcp"])
def test_a_publisher_is_picked_by_id_name_model_or_service(target: str) -> None:
    with _home() as home:
        home["viewer"].do("pick", target=target).result()
        home.advance("5s")
        assert _is_paired(home)


def test_a_publisher_is_picked_by_service_id() -> None:
    with _home() as home:
        home["viewer"].do("pick", target=home["camera"].facts["service_id"]).result()
        home.advance("5s")
        assert _is_paired(home)


def test_nobody_of_that_name_is_refused_after_the_time_given() -> None:
    with _home() as home, pytest.raises(ActionRefusedError, match="no 'cellar' is in view"):
        home["viewer"].do("pair", target="cellar", within="2s").result()


def test_a_subscriber_can_pick_by_itself_once() -> None:
    with home_of(camera(), viewer(pick="Garage")) as home:
        home.advance("10s")
        assert _is_paired(home)
        assert len(events_of(home, "viewer", "BootstrappingStarted")) == 1


def test_without_a_common_method_the_refusal_names_both() -> None:
    with _home({"methods": ["qr-display"]}) as home, pytest.raises(ActionRefusedError, match=r"pin-keypad.*qr-display"):
        home["viewer"].do("pair").result()


def test_a_button_opens_pairing_where_the_file_leaves_it_closed() -> None:
    with _home({"open": "closed"}) as home:
        assert home["camera"].state == "on"
        home["camera"].do("press").result()
        pair(home)
        assert _is_paired(home)


def test_the_same_seed_gives_the_same_transcript_and_another_seed_another() -> None:
    def transcript(seed: int) -> bytes:
        with home_of(camera(), viewer(), seed=seed) as home:
            pair(home)
            return home.transcript

    assert transcript(4) == transcript(4)
    assert transcript(4) != transcript(5)


def _named(home: Home) -> tuple[list[str], list[str]]:
    """Who said its pairing name in the frames heard, and in which kind of frame; and all frames with methods."""
    names, methods = [], []
    for payload in _heard(home):
        try:
            frame = decode_nan_frame(payload)
        except DecodeError:
            continue  # encrypted
        if not isinstance(frame, ServiceDiscoveryFrame):
            continue
        extension, bootstrapping = frame.find(PairingBootstrappingExtension), frame.find(PairingBootstrapping)
        if extension is not None and extension.setup_info is not None:
            names.append(PairingSetupInfo.decode(extension.setup_info).pairing_name or "")
        if bootstrapping is not None:
            methods.append(NpbaType(bootstrapping.type).name)
    return names, methods


def _heard(home: Home) -> list[bytes]:
    heard = home.call(lambda: home.live.air)
    frames: list[bytes] = []
    home.call(lambda: heard.attach_monitor("monitor", lambda flight: frames.append(flight.payload)))
    home.advance("3s")
    return [frame for frame in frames if ManagementFrame.decode(frame).body]


def test_names_and_methods_are_on_the_air_only_while_pair_setup_is_open() -> None:
    with _home() as home:
        before, methods_before = _named(home)
        assert set(before) == {"Garage"}
        assert "ADVERTISE" in methods_before
        pair(home)
        assert _named(home) == ([], [])
        home["camera"].do("open-pairing").result()
        assert set(_named(home)[0]) == {"Garage"}
        home["camera"].do("close-pairing").result()
        assert _named(home) == ([], [])


def test_a_subscriber_says_its_name_in_the_bootstrapping_request() -> None:
    with _home() as home:
        pair(home)
        info = events_of(home, "camera", "PairingRequested")[0].event
        assert PairingSetupInfo.decode(info.setup_info).pairing_name == "Viewer"  # type: ignore[attr-defined]
        assert [each["name"] for each in home["camera"].facts["paired"]] == ["Viewer"]
        assert [each["vendor"] for each in home["camera"].facts["paired"]] == ["pairlab"]
