"""Each lie of a Wi-Fi Aware accessory is told on the air, counted, and ends in a named event on the other side."""

from typing import Any

import pytest

from devices.errors import UsageError
from devices.home import Home
from pairing.errors import DecodeError
from pairing.nan.attributes import Availability
from pairing.nan.frames import decode_nan_frame
from tests.support.camera_and_viewer import camera, events_of, home_of, open_path, pair, viewer


def _failures(home: Home, actor: str = "viewer") -> list[tuple[str, str]]:
    """How its attempts failed, each way once."""
    failed = [(each["error"], each["cause"]) for each in events_of(home, actor, "PairingFailed")]
    return list(dict.fromkeys(failed))


@pytest.mark.parametrize(
    ("lie", "parameters", "there", "here"),
    [
        ("wrong-group", {"group": 21}, ("NegotiationError", "not-agreed"), ("ExchangeTimeoutError", "abandoned")),
        ("no-nan-element", {}, ("ExchangeTimeoutError", "timed-out"), ("ExchangeTimeoutError", "abandoned")),
        (
            "comeback",
            {"count": "forever"},
            ("ExchangeTimeoutError", "timed-out"),
            ("ExchangeTimeoutError", "timed-out"),
        ),
        ("wrong-mic", {}, ("AuthenticationError", "wrong-password"), ("ExchangeTimeoutError", "abandoned")),
        ("wrong-confirm", {}, ("AuthenticationError", "wrong-password"), ("ExchangeTimeoutError", "abandoned")),
        ("reject-status", {"status": 53}, ("PeerRejectedError", "unknown-peer"), ("LocalProtocolError", "lie")),
        ("reject-status", {"status": 1}, ("PeerRejectedError", "rejected"), ("LocalProtocolError", "lie")),
        ("silence", {"frame": 2}, ("ExchangeTimeoutError", "timed-out"), ("ExchangeTimeoutError", "timed-out")),
        ("silent-nik", {}, ("ExchangeTimeoutError", "identity"), ("ExchangeTimeoutError", "identity")),
        ("wrong-nik-key", {}, ("ExchangeTimeoutError", "identity"), ("ExchangeTimeoutError", "identity")),
    ],
)
def test_a_lie_in_pairing_fails_it_on_both_sides(
    lie: str, parameters: dict[str, Any], there: tuple[str, str], here: tuple[str, str]
) -> None:
    with home_of(camera(), viewer()) as home:
        with home.fault(lie, target="camera", **parameters):
            pair(home)
            home.advance("60s")
            assert _failures(home) == [there]
            assert _failures(home, "camera") == [here]
        pair(home)
        home.advance("5s")
        assert len(events_of(home, "viewer", "PairingCompleted")) == 1


def test_a_comeback_that_ends_is_followed_by_a_pairing() -> None:
    with home_of(camera(), viewer()) as home, home.fault("comeback", target="camera", count=2, after_tu=50):
        pair(home)
        assert len(events_of(home, "viewer", "PairingCompleted")) == 1
        assert len([each for each in events_of(home, "camera", "LieTold") if each["lie"] == "comebacks"]) == 2


def test_a_subscriber_lies_as_initiator() -> None:
    with home_of(camera(), viewer()) as home, home.fault("wrong-mic", target="viewer"):
        pair(home)
        home.advance("20s")
        assert _failures(home, "camera")[0][0] == "AuthenticationError"
        assert [each["cause"] for each in events_of(home, "viewer", "PairingFailed")] in (["lie"], ["identity"])


def test_an_odd_bitmap_period_is_on_the_air_and_pairs_all_the_same() -> None:
    with home_of(camera(), viewer()) as home:
        frames: list[bytes] = []
        home.call(lambda: home.live.air.attach_monitor("monitor", lambda flight: frames.append(flight.payload)))
        with home.fault("odd-bitmap-period", target="camera", period=5):
            home.advance("2s")
            pair(home)
        assert len(events_of(home, "viewer", "PairingCompleted")) == 1
        assert 5 in {period for frame in frames for period in _periods(frame)}
        frames.clear()
        home.advance("2s")
        assert {period for frame in frames for period in _periods(frame)} == {3}


def _periods(frame: bytes) -> list[int]:
    try:
        decoded = decode_nan_frame(frame)
    except DecodeError:
        return []
    found = decoded.find(Availability)
    return [] if found is None else [each.time_bitmap.period for each in found.entries if each.time_bitmap is not None]


@pytest.mark.parametrize(
    ("lie", "parameters", "there"),
    [
        ("wrong-mic", {"exchange": "data-path", "message": 2}, "AuthenticationError"),
        ("wrong-mic", {"exchange": "data-path", "message": 4}, "AuthenticationError"),
        ("silence", {"exchange": "data-path", "frame": 2}, "PeerRejectedError"),
        ("silence", {"exchange": "data-path", "frame": 4}, "ExchangeTimeoutError"),
        ("reject-data-path", {"reason": 2}, "PeerRejectedError"),
    ],
)
def test_a_lie_in_a_data_path_opens_none(lie: str, parameters: dict[str, Any], there: str) -> None:
    with home_of(camera(), viewer(verification=False)) as home:
        pair(home)
        with home.fault(lie, target="camera", **parameters):
            home["viewer"].do("open-data-path").result()
            home.advance("60s")
            assert [each["error"] for each in events_of(home, "viewer", "DataPathFailed")] == [there]
        assert [each for each in home.events.all("EndpointOpened") if each.actor == "viewer"] == []
        assert open_path(home)


def test_lies_can_stand_in_the_file_and_survive_a_restart() -> None:
    with home_of(camera(lies=[{"kind": "reject-status", "status": 72}]), viewer()) as home:
        home["camera"].do("restart").result()
        pair(home)
        assert events_of(home, "viewer", "PairingFailed")[0]["status"] == 72


@pytest.mark.parametrize(
    ("lie", "parameters", "message"),
    [
        ("comeback", {"count": 0}, "count is 1"),
        ("wrong-mic", {"message": 1}, "has a MIC"),
        ("odd-bitmap-period", {"period": 3}, "512 TU"),
        ("reject-status", {"status": 0}, "status is 1"),
        ("silence", {"frame": 4}, "frame is 1 to 3"),
        ("reject-data-path", {"reason": 256}, "reason is 0"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(lie: str, parameters: dict[str, Any], message: str) -> None:
    with home_of(camera()) as home, pytest.raises(UsageError, match=message), home.fault(lie, "camera", **parameters):
        pass
