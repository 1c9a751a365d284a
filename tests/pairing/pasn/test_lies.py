"""Each deviation that a role can be told to make: what is on the air, who notices, and that it is reported as told."""

from typing import Any

import pytest

from pairing.engine import FrameIgnored
from pairing.errors import AuthenticationError, ExchangeTimeoutError, NegotiationError, PeerRejectedError
from pairing.pasn.events import LieTold, PasnCompleted, PasnDeclined, PasnFailed, PasnMode
from pairing.pasn.settings import FOREVER, TRUTHFUL, PasnLies
from tests.support.pasn_pair import Pair, body_of


def played(who: str, mode: PasnMode = PasnMode.PASSWORD, **lies: Any) -> Pair:
    """An exchange in which one side lies."""
    pair = Pair(mode, **{who: {"lies": PasnLies(**lies)}})  # type: ignore[arg-type]
    pair.run()
    return pair


def told(pair: Pair, who: str) -> list[tuple[str, int]]:
    """The lies that were told: name and frame."""
    events = pair.phone_events if who == "phone" else pair.camera_events
    return [(event.lie, event.frame) for event in events if isinstance(event, LieTold)]


def error_of(pair: Pair, who: str) -> Exception:
    """The error with which that side's attempt ended."""
    (ending,) = pair.endings[0 if who == "phone" else 1]
    assert isinstance(ending, PasnFailed)
    return ending.error


def test_truth_is_the_default_and_tells_nothing() -> None:
    pair = Pair()
    pair.run()
    assert PasnLies() == TRUTHFUL
    assert told(pair, "phone") == told(pair, "camera") == []


def test_wrong_group_in_frame_2_is_noticed_by_the_initiator() -> None:
    pair = played("camera", wrong_group=20)
    assert body_of(pair.sent[1]).parameters.group == 20
    assert isinstance(error_of(pair, "phone"), NegotiationError)
    assert told(pair, "camera") == [("wrong-group", 2)]


def test_wrong_group_in_frame_1_is_answered_with_77() -> None:
    pair = played("phone", wrong_group=21)
    assert body_of(pair.sent[1]).status == 77
    assert told(pair, "phone") == [("wrong-group", 1)]


@pytest.mark.parametrize(("who", "other", "frame"), [("camera", "phone", 2), ("phone", "camera", 1)])
def test_frame_without_nan_element_is_met_with_silence(who: str, other: str, frame: int) -> None:
    pair = played(who, no_nan_element=True)
    assert told(pair, who) == [("no-nan-element", frame)]
    events = pair.camera_events if other == "camera" else pair.phone_events
    assert isinstance(events[0], FrameIgnored)
    assert isinstance(error_of(pair, "phone"), ExchangeTimeoutError)


@pytest.mark.parametrize("count", [1, 3])
def test_comebacks_end_after_the_given_number(count: int) -> None:
    pair = played("camera", comebacks=count)
    assert told(pair, "camera") == [("comebacks", 2)] * count
    assert isinstance(pair.phone_events[-1], PasnCompleted)
    assert pair.now == count * 100 * 1024


def test_endless_comebacks_end_with_the_initiators_patience() -> None:
    pair = played("camera", comebacks=FOREVER, comeback_tu=1000)
    assert len(told(pair, "camera")) == 30
    assert isinstance(error_of(pair, "phone"), ExchangeTimeoutError)


@pytest.mark.parametrize(("who", "other", "frame"), [("camera", "phone", 2), ("phone", "camera", 3)])
@pytest.mark.parametrize("lie", ["wrong_mic", "wrong_confirm"])
def test_wrong_proof_is_noticed_by_the_other_side(lie: str, who: str, other: str, frame: int) -> None:
    pair = played(who, **{lie: True})
    assert told(pair, who) == [(lie.replace("_", "-"), frame)]
    assert isinstance(error_of(pair, other), AuthenticationError)
    assert len(pair.sent) == frame


def test_wrong_confirm_is_no_lie_where_there_is_no_confirm() -> None:
    pair = played("camera", PasnMode.CACHED, wrong_confirm=True)
    assert told(pair, "camera") == []
    assert isinstance(pair.phone_events[-1], PasnCompleted)


@pytest.mark.parametrize(("who", "other", "frame"), [("camera", "phone", 2), ("phone", "camera", 3)])
def test_rejection_with_a_given_status_reaches_the_other_side(who: str, other: str, frame: int) -> None:
    pair = played(who, reject_status=37)
    assert told(pair, who) == [("reject-status", frame)]
    error = error_of(pair, other)
    assert isinstance(error, PeerRejectedError)
    assert error.wire_code == 37
    (own,) = pair.endings[1 if who == "camera" else 0]
    assert isinstance(own, PasnDeclined)
    assert own.status == 37
    assert len(body_of(pair.sent[-1]).elements) == 1


@pytest.mark.parametrize(("who", "frame"), [("phone", 1), ("camera", 2), ("phone", 3)])
def test_silence_at_a_frame_lets_the_waiting_side_time_out(who: str, frame: int) -> None:
    pair = played(who, silent_at=frame)
    assert told(pair, who) == [("silent-at", frame)]
    assert len(pair.sent) == frame - 1
    waiting = "camera" if frame == 3 else "phone"
    assert isinstance(error_of(pair, waiting), ExchangeTimeoutError)
