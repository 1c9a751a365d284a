"""Whole recorded exchanges of an independent implementation, played by two of our devices to the octet."""

from typing import Any

import pytest

from pairing.engine import Event
from pairing.nan.pairing_events import PairingCause, PairingFailed
from tests.support.nan_capture import captures
from tests.verify.formats import wifi_aware_capture
from tests.verify.mismatch import Mismatch
from tests.verify.nan_answers import compare_answers
from tests.verify.nan_exchange import Exchange

ALL = {name: capture.document for name, capture in captures().items()}


def played(name: str) -> Exchange:
    exchange = Exchange(ALL[name])
    exchange.play()
    return exchange


def failures(exchange: Exchange, role: str) -> list[PairingFailed]:
    events: list[Event] = exchange.sides[role].events
    return [each for each in events if isinstance(each, PairingFailed)]


def test_captures_cover_every_way_to_pair_to_connect_and_to_fail() -> None:
    kinds = {frame["kind"] for document in ALL.values() for frame in document["frames"]}
    assert {"auth3", "nik_followup", "ndp_key_install", "ndp_termination", "bootstrap_response_rejected"} <= kinds
    assert {document["parameters"]["cipher"] for document in ALL.values()} == {"128", "256"}
    assert len(ALL) >= 30


@pytest.mark.parametrize("name", ALL)
def test_every_frame_and_value_of_an_exchange_is_reproduced(name: str) -> None:
    exchange = played(name)
    compare_answers(exchange)
    assert all(not side.pending for side in exchange.sides.values())


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith("wrong_password")])
def test_wrong_password_is_named_by_the_initiator_and_silence_by_the_responder(name: str) -> None:
    exchange = played(name)
    (mine,), (theirs,) = failures(exchange, "initiator"), failures(exchange, "responder")
    assert (mine.cause, theirs.cause) == (PairingCause.WRONG_PASSWORD, PairingCause.ABANDONED)


def test_different_npk_is_a_wrong_key() -> None:
    exchange = played("verification_npk_mismatch_01")
    (mine,) = failures(exchange, "initiator")
    assert (mine.error, mine.cause) == ("AuthenticationError", PairingCause.WRONG_KEY)


def test_rejected_pairing_tells_its_status() -> None:
    exchange = played("pairing_rejected_01")
    (mine,), (theirs,) = failures(exchange, "initiator"), failures(exchange, "responder")
    assert (mine.cause, mine.status, theirs.cause) == (PairingCause.REJECTED, 1, PairingCause.DECLINED)


@pytest.mark.parametrize("name", [name for name, each in ALL.items() if "auth2" in [f["kind"] for f in each["frames"]]])
def test_exchange_that_is_cut_short_is_noticed(name: str) -> None:
    document: dict[str, Any] = {**ALL[name], "frames": ALL[name]["frames"][:-1]}
    with pytest.raises(Mismatch):
        wifi_aware_capture.check(document)
