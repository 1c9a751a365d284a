"""A foreign stack says nothing of itself: what its frames and its silence tell."""

from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from devices.explain.finding import Finding, Outcome, explain_all
from devices.explain.story import Story
from devices.transcripts.reader import Happened, read_transcript
from pairing.nan.attributes import CipherSuiteInfo
from pairing.nan.pairing_events import PairingCause, PairingFailed
from tests.support.nan_transcript import RecordedHome, transcript_of
from tests.support.pasn_pair import Pair

FOREIGN = "02:6e:70:00:00:01"


def alone(actor: str, transcript: bytes, password: str = "") -> Finding:
    """The first failure of an actor, where the other side is not recorded."""
    records = read_transcript(BytesIO(transcript))
    kept = [each for each in records if not isinstance(each, Happened) or each.event["actor"] == actor]
    return next(each for each in explain_all(Story(kept, password)) if each.is_failure)


def failed(**told: Any) -> PairingFailed:
    made = PairingFailed(
        peer=FOREIGN,
        service="_camera._udp",
        mode="password",
        is_initiator=True,
        error="ExchangeTimeoutError",
        cause=PairingCause.TIMED_OUT,
        rule="timeout",
        expected="the next frame in time",
        came="nothing usable came while waiting for PASN frame 2",
    )
    return replace(made, **told)


def test_who_falls_silent_after_frame_2_has_another_password() -> None:
    transcript = RecordedHome(typed="271828").pair().rest().transcript
    camera = alone("camera", transcript)
    assert camera.outcome is Outcome.OTHER_SIDE
    assert "another password" in camera.because


def test_confirm_that_does_not_fit_the_given_password_is_of_another() -> None:
    transcript = RecordedHome(typed="271828").pair().rest().transcript
    assert alone("phone", transcript).outcome is Outcome.UNKNOWN
    right = alone("phone", transcript, "271828")
    assert (right.outcome, right.because) == (Outcome.OTHER_SIDE, "it has another password than the given one")
    wrong = alone("phone", transcript, "314159")
    assert (wrong.outcome, wrong.because) == (Outcome.MISTAKE, "phone has another password than the given one")


def test_nd_pmkid_that_no_mistake_gives_is_of_another_passphrase() -> None:
    session: dict[str, Any] = {"cipher_suites": CipherSuiteInfo.of(5, 1)}
    home = RecordedHome(camera_session=session, publishing={"passphrase": "one passphrase"})
    found = alone("camera", home.open(passphrase="another passphrase", suite=1).transcript)
    assert found.outcome is Outcome.OTHER_SIDE
    assert "another passphrase or key" in found.because


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (failed(), "nothing was heard of it any more"),
        (failed(cause=PairingCause.REJECTED, error="PeerRejectedError", status=1, came="status 1"), "it said no"),
        (
            failed(mode="cached", cause=PairingCause.WRONG_KEY, error="AuthenticationError"),
            "another key of the earlier",
        ),
        (failed(mode="cached", cause=PairingCause.ABANDONED), "another key of the earlier pairing"),
    ],
)
def test_what_is_left_is_told(event: PairingFailed, said: str) -> None:
    found = alone("phone", transcript_of([], {"phone": [event]}))
    assert found.outcome is Outcome.OTHER_SIDE
    assert said in found.because


@pytest.mark.parametrize(
    ("mode", "said"), [("cached", "it has forgotten the pairing"), ("password", "its owner has not decided")]
)
def test_who_is_in_view_and_does_not_answer_is_told_from_who_is_gone(mode: str, said: str) -> None:
    pair = Pair()
    pair.run()
    ask, answer = pair.sent[:2]
    found = alone("phone", transcript_of([ask, answer], {"phone": [failed(mode=mode, peer=answer[10:16].hex(":"))]}))
    assert found.because.startswith("it is in view and did not answer")
    assert said in found.because
