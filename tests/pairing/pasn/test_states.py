"""Every state against every message and intent: what the table does not have changes nothing."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pairing.engine import FrameIgnored, Outputs
from pairing.errors import LocalProtocolError
from pairing.ieee80211.elements import Element
from pairing.pasn.events import PasnMode
from pairing.pasn.initiator import PasnInitiator
from pairing.pasn.responder import PasnResponder
from pairing.pasn.states import INITIATOR, RESPONDER, InitiatorState, ResponderState
from tests.support.pasn_pair import CAMERA, PHONE, Pair, rebuilt, sent_by

FAR = 10**9


def recorded(mode: PasnMode = PasnMode.PASSWORD) -> tuple[Pair, dict[str, bytes]]:
    """A pair that has been through it all, with its three frames and a comeback."""
    pair = Pair(mode)
    pair.run()
    away = Pair(mode, camera={"comeback_tu": 100_000 % 0x10000})
    comeback = sent_by(away.camera.receive(pair.sent[0], PHONE, 0))[0]
    return pair, {"frame 1": pair.sent[0], "frame 2": pair.sent[1], "frame 3": pair.sent[2], "comeback": comeback}


_, FRAMES = recorded()
BROKEN = {
    name: rebuilt(FRAMES[name], lambda frame: type(frame)(frame.transaction, (Element(221, b"\x50\x6f\x9a\x13"),)))
    for name in ("frame 1", "frame 2", "frame 3")
}
REFUSALS = {
    name: rebuilt(FRAMES[name], lambda frame: type(frame)(frame.transaction, frame.elements, 1))
    for name in ("frame 1", "frame 2", "frame 3")
}


def initiator(state: InitiatorState) -> PasnInitiator:
    """An initiator in the state, at time 0, with keys that fit the recorded frames."""
    engine = Pair().phone
    if state is not InitiatorState.IDLE:
        engine.start(0)
    if state is InitiatorState.WAIT_COMEBACK:
        engine.receive(FRAMES["comeback"], CAMERA, 0)
    if state is InitiatorState.DONE:
        engine.receive(FRAMES["frame 2"], CAMERA, 0)
    if state is InitiatorState.FAILED:
        engine.abort(0)
    assert engine.state is state
    return engine


def responder(state: ResponderState) -> PasnResponder:
    """A responder in the state, at time 0, with keys that fit the recorded frames."""
    pair = Pair()
    engine = pair.camera
    if state is not ResponderState.IDLE:
        engine.receive(FRAMES["frame 1"], PHONE, 0)
    if state in (ResponderState.WAIT_FRAME_3, ResponderState.DONE):
        engine.accept(pair.camera_credential, 0)
    if state is ResponderState.DONE:
        engine.receive(FRAMES["frame 3"], PHONE, 0)
    if state is ResponderState.FAILED:
        engine.reject(0)
    assert engine.state is state
    return engine


def to_initiator(frame: bytes) -> bytes:
    """The frame with its addresses turned, so that it reaches the other side."""
    return frame[:4] + frame[10:16] + frame[4:10] + frame[16:]


INITIATOR_MESSAGES: dict[str, tuple[bytes, dict[InitiatorState, InitiatorState]]] = {
    "frame 2": (FRAMES["frame 2"], {InitiatorState.WAIT_FRAME_2: InitiatorState.DONE}),
    "frame 2 refused": (REFUSALS["frame 2"], {InitiatorState.WAIT_FRAME_2: InitiatorState.FAILED}),
    "frame 2 broken": (BROKEN["frame 2"], {InitiatorState.WAIT_FRAME_2: InitiatorState.FAILED}),
    "comeback": (FRAMES["comeback"], {InitiatorState.WAIT_FRAME_2: InitiatorState.WAIT_COMEBACK}),
    "frame 1": (to_initiator(FRAMES["frame 1"]), {}),
    "frame 3": (to_initiator(FRAMES["frame 3"]), {}),
    "garbage": (FRAMES["frame 2"][:40], {}),
    "for another": (FRAMES["frame 1"], {}),
    "protected": (b"\xb0\x40" + FRAMES["frame 2"][2:], {}),
    "action frame": (b"\xd0" + FRAMES["frame 2"][1:], {}),
}
RESPONDER_MESSAGES: dict[str, tuple[bytes, dict[ResponderState, ResponderState]]] = {
    "frame 1": (FRAMES["frame 1"], {ResponderState.IDLE: ResponderState.ASKED}),
    "frame 1 refused": (REFUSALS["frame 1"], {}),
    "frame 1 broken": (BROKEN["frame 1"], {ResponderState.IDLE: ResponderState.FAILED}),
    "frame 3": (FRAMES["frame 3"], {ResponderState.WAIT_FRAME_3: ResponderState.DONE}),
    "frame 3 refused": (REFUSALS["frame 3"], {ResponderState.WAIT_FRAME_3: ResponderState.FAILED}),
    "frame 3 broken": (BROKEN["frame 3"], {ResponderState.WAIT_FRAME_3: ResponderState.FAILED}),
    "frame 2": (to_initiator(FRAMES["frame 2"]), {}),
    "garbage": (FRAMES["frame 1"][:40], {}),
    "for another": (FRAMES["frame 2"], {}),
    "protected": (b"\xb0\x40" + FRAMES["frame 1"][2:], {}),
}


@pytest.mark.parametrize("state", InitiatorState)
@pytest.mark.parametrize("message", INITIATOR_MESSAGES)
def test_initiator_moves_as_its_table_says_and_ignores_the_rest(message: str, state: InitiatorState) -> None:
    frame, moves = INITIATOR_MESSAGES[message]
    engine = initiator(state)
    before = engine.deadline
    outputs = engine.receive(frame, CAMERA, 0)
    assert engine.state is moves.get(state, state)
    if state not in moves:
        assert [type(output) for output in outputs] == [FrameIgnored]
        assert engine.deadline == before


@pytest.mark.parametrize("state", ResponderState)
@pytest.mark.parametrize("message", RESPONDER_MESSAGES)
def test_responder_moves_as_its_table_says_and_ignores_the_rest(message: str, state: ResponderState) -> None:
    frame, moves = RESPONDER_MESSAGES[message]
    engine = responder(state)
    before = engine.deadline
    outputs = engine.receive(frame, PHONE, 0)
    assert engine.state is moves.get(state, state)
    is_answered = message.startswith("frame 1") and message != "frame 1 refused" and state not in FINAL
    if state not in moves and not is_answered:
        assert [type(output) for output in outputs] == [FrameIgnored]
        assert engine.deadline == before


FINAL = (ResponderState.DONE, ResponderState.FAILED)

INITIATOR_INTENTS: dict[str, tuple[Callable[[PasnInitiator], Outputs], set[InitiatorState]]] = {
    "start": (lambda engine: engine.start(0), {InitiatorState.IDLE}),
    "abort": (lambda engine: engine.abort(0), {InitiatorState.WAIT_FRAME_2, InitiatorState.WAIT_COMEBACK}),
}
RESPONDER_INTENTS: dict[str, tuple[Callable[[PasnResponder], Outputs], set[ResponderState]]] = {
    "accept": (lambda engine: engine.accept(Pair().camera_credential, 0), {ResponderState.ASKED}),
    "reject": (lambda engine: engine.reject(0), {ResponderState.ASKED, ResponderState.WAIT_FRAME_3}),
}


@pytest.mark.parametrize("state", InitiatorState)
@pytest.mark.parametrize("intent", INITIATOR_INTENTS)
def test_intent_that_the_initiators_state_does_not_allow_raises_and_changes_nothing(
    intent: str, state: InitiatorState
) -> None:
    call, allowed = INITIATOR_INTENTS[intent]
    engine = initiator(state)
    if state in allowed:
        assert call(engine)
        return
    with pytest.raises(LocalProtocolError):
        call(engine)
    assert engine.state is state


@pytest.mark.parametrize("state", ResponderState)
@pytest.mark.parametrize("intent", RESPONDER_INTENTS)
def test_intent_that_the_responders_state_does_not_allow_raises_and_changes_nothing(
    intent: str, state: ResponderState
) -> None:
    call, allowed = RESPONDER_INTENTS[intent]
    engine = responder(state)
    if state in allowed:
        assert call(engine)
        return
    with pytest.raises(LocalProtocolError):
        call(engine)
    assert engine.state is state


@pytest.mark.parametrize("state", [*InitiatorState, *ResponderState])
def test_every_state_but_the_idle_and_the_final_ones_has_an_end_of_its_own(
    state: InitiatorState | ResponderState,
) -> None:
    engine = initiator(state) if isinstance(state, InitiatorState) else responder(state)
    waits = state not in (InitiatorState.IDLE, InitiatorState.DONE, InitiatorState.FAILED, ResponderState.IDLE, *FINAL)
    assert (engine.deadline is not None) is waits
    assert engine.handle_timeout(-1) == ()
    outputs = engine.handle_timeout(FAR)
    assert engine.state.name == ("FAILED" if waits else state.name)
    assert bool(outputs) is waits
    assert engine.deadline is None


def test_final_states_have_no_way_out() -> None:
    assert not [move for move in INITIATOR if move[0] in (InitiatorState.DONE, InitiatorState.FAILED)]
    assert not [move for move in RESPONDER if move[0] in FINAL]


@pytest.mark.parametrize("state", [*InitiatorState, *ResponderState])
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_hostile_frames_never_raise(state: InitiatorState | ResponderState, data: st.DataObject) -> None:
    engine = initiator(state) if isinstance(state, InitiatorState) else responder(state)
    frame = data.draw(st.sampled_from([*FRAMES.values(), *BROKEN.values()]))
    changes = data.draw(st.lists(st.tuples(st.integers(24, len(frame) - 1), st.integers(0, 255)), max_size=4))
    bent = bytearray(frame)
    for place, value in changes:
        bent[place] = value
    tail = data.draw(st.binary(max_size=4))
    outputs = engine.receive(bytes(bent[: data.draw(st.integers(0, len(bent)))] + tail), b"", 0)
    assert outputs
