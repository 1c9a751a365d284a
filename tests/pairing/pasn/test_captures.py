"""Captured exchanges of an independent implementation, replayed octet by octet in both roles."""

from typing import Any

import pytest

from pairing.engine import Transmit
from pairing.errors import AuthenticationError, PeerRejectedError
from pairing.pasn.events import PasnCompleted, PasnDeclined, PasnFailed, PasnIntermediates, PasnRequested
from pairing.pasn.initiator import PasnInitiator
from pairing.pasn.responder import PasnResponder
from tests.support.pasn_captures import FOLDER, Side, auth_frames, load, side

CAPTURES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "kats" and auth_frames(load(path.stem)))
SUCCESSFUL = [name for name in CAPTURES if len(auth_frames(load(name))) == 3]
FAILING = {
    "wrong_password_128_01": AuthenticationError,
    "wrong_password_256_01": AuthenticationError,
    "verification_npk_mismatch_01": AuthenticationError,
    "pairing_rejected_01": PeerRejectedError,
}


def played(document: dict[str, Any], role: str) -> tuple[Side, list[Any], PasnIntermediates, list[bytes]]:
    """One side against the recorded frames of the other: its side, outputs, values, and frames sent."""
    given = side(document, role)
    frames = auth_frames(document)
    outputs: list[Any] = []
    engine: PasnInitiator | PasnResponder
    if role == "initiator":
        engine = PasnInitiator(given.settings, given.credential, given.entropy)
        outputs += engine.start(0)
        outputs += engine.receive(frames[2], given.settings.peer, 1)
    else:
        engine = PasnResponder(given.settings, given.entropy)
        outputs += engine.receive(frames[1], given.settings.peer, 0)
        assert isinstance(outputs[-1], PasnRequested)
        if document["flow"] == "pairing_rejected":
            outputs += engine.reject(1)
        else:
            outputs += engine.accept(given.credential, 1)
        if 3 in frames:
            outputs += engine.receive(frames[3], given.settings.peer, 2)
    sent = [output.payload for output in outputs if isinstance(output, Transmit)]
    return given, outputs, engine.intermediates, sent


def test_captures_cover_every_way_to_pair_and_to_fail() -> None:
    assert len(SUCCESSFUL) >= 10
    assert sorted({*CAPTURES} - {*SUCCESSFUL}) == sorted(FAILING)


@pytest.mark.parametrize("role", ["initiator", "responder"])
@pytest.mark.parametrize("name", CAPTURES)
def test_each_side_sends_the_recorded_octets(name: str, role: str) -> None:
    document = load(name)
    frames = auth_frames(document)
    given, _, _, sent = played(document, role)
    own = (1, 3) if role == "initiator" else (2,)
    assert [frame.hex() for frame in sent] == [frames[number].hex() for number in own if number in frames]
    assert given.entropy.draws == []


@pytest.mark.parametrize("role", ["initiator", "responder"])
@pytest.mark.parametrize("name", CAPTURES)
def test_each_side_derives_the_recorded_values(name: str, role: str) -> None:
    document = load(name)
    given, _, values, _ = played(document, role)
    assert {key: value.hex() for key, value in values.pasn.items()} == given.recorded.get("pasn", {})
    assert {key: value.hex() for key, value in values.sae.items()} == given.recorded.get("sae", {})


@pytest.mark.parametrize("role", ["initiator", "responder"])
@pytest.mark.parametrize("name", SUCCESSFUL)
def test_successful_exchange_ends_with_the_recorded_keys(name: str, role: str) -> None:
    given, outputs, _, _ = played(load(name), role)
    (completed,) = [output for output in outputs if isinstance(output, PasnCompleted)]
    ptk, keys = completed.keys.ptk, given.recorded["keys"]
    assert (ptk.kck.hex(), ptk.tk.hex(), ptk.kdk.hex()) == (keys["nm_kck"], keys["nm_tk"], keys["nm_kdk"])
    assert completed.mode is given.credential.mode
    assert completed == outputs[-1]


@pytest.mark.parametrize("name", FAILING)
def test_initiator_of_a_failing_exchange_names_the_cause_and_falls_silent(name: str) -> None:
    _, outputs, _, sent = played(load(name), "initiator")
    assert isinstance(outputs[-1], PasnFailed)
    assert type(outputs[-1].error) is FAILING[name]
    assert len(sent) == 1


def test_responder_of_a_rejected_request_reports_its_own_refusal() -> None:
    _, outputs, _, _ = played(load("pairing_rejected_01"), "responder")
    assert outputs[-1] == PasnDeclined(peer=outputs[0].peer, status=1)
