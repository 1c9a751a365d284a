"""Both PASN roles in dialogue: keys on both sides, every failure and refusal of NAN pairing, comebacks, tolerance."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from pairing.crypto.kdf import Hash
from pairing.engine import SECOND, FrameIgnored
from pairing.errors import (
    AuthenticationError,
    ExchangeTimeoutError,
    LocalProtocolError,
    NegotiationError,
    PeerRejectedError,
    RemoteProtocolError,
)
from pairing.ieee80211.elements import (
    Akm,
    CipherSuite,
    Comeback,
    Element,
    ElementId,
    ExtensionId,
    PasnParameters,
    Rsne,
    decode_supported_groups,
    wrapped_data,
)
from pairing.pasn.events import (
    PasnCompleted,
    PasnDeclined,
    PasnFailed,
    PasnMode,
    PasnPostponed,
    PasnRequested,
)
from pairing.pasn.initiator import PasnInitiator
from pairing.pasn.key_schedule import (
    NCS_PK_PASN_128,
    NCS_PK_PASN_256,
    PasnSuite,
    compute_mic,
    frame_1_digest,
    mic_input,
)
from pairing.pasn.messages import NAN_ELEMENT, PasnFrame
from pairing.pasn.settings import TU, CachedKey, PasnTimes
from pairing.pasn.states import InitiatorState, ResponderState
from pairing.sae.messages import SaeCommit
from tests.support.pasn_pair import (
    CAMERA,
    CAMERA_NAN,
    PHONE,
    PHONE_NAN,
    Pair,
    body_of,
    credential,
    entropy,
    rebuilt,
    sent_by,
)

SUITES = [NCS_PK_PASN_128, NCS_PK_PASN_256]


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: f"suite{suite.number}")
@pytest.mark.parametrize("mode", PasnMode)
def test_both_sides_end_with_equal_keys(mode: PasnMode, suite: PasnSuite) -> None:
    pair = Pair(mode, suite)
    pair.run()
    (phone,), (camera,) = pair.endings
    assert isinstance(phone, PasnCompleted)
    assert isinstance(camera, PasnCompleted)
    assert phone.keys == camera.keys
    assert (phone.nan, camera.nan) == (CAMERA_NAN, PHONE_NAN)
    assert (phone.peer, camera.peer) == ("02:00:00:00:00:02", "02:00:00:00:00:01")
    assert len(pair.sent) == 3


def test_keys_differ_from_exchange_to_exchange() -> None:
    keys = set()
    for seed in range(3):
        pair = Pair(PasnMode.CACHED, seed=seed)
        pair.run()
        assert isinstance(pair.phone_events[-1], PasnCompleted)
        keys.add(pair.phone_events[-1].keys.ptk.tk)
    assert len(keys) == 3


def test_verification_shows_each_side_the_others_pmkid() -> None:
    pair = Pair(PasnMode.CACHED)
    pair.phone = PasnInitiator(pair.phone_settings, CachedKey(Akm.PASN, bytes(32), b"p" * 16), entropy(0))
    pair.camera_credential = CachedKey(Akm.PASN, bytes(32), b"c" * 16)
    pair.run()
    (phone,), (camera,) = pair.endings
    assert isinstance(phone, PasnCompleted)
    assert isinstance(camera, PasnCompleted)
    assert (phone.pmkid, camera.pmkid) == (b"c" * 16, b"p" * 16)


# Wrong secrets


@pytest.mark.parametrize("mode", [PasnMode.PASSWORD, PasnMode.CACHED])
def test_wrong_secret_ends_in_silence_and_both_sides_know(mode: PasnMode) -> None:
    pair = Pair(mode, phrases=("right", "wrong"))
    pair.run()
    (phone,), (camera,) = pair.endings
    assert isinstance(phone, PasnFailed)
    assert isinstance(phone.error, AuthenticationError)
    assert isinstance(camera, PasnFailed)
    assert isinstance(camera.error, ExchangeTimeoutError)
    assert len(pair.sent) == 2
    assert pair.now == PasnTimes().frame_3


def test_initiator_that_says_so_spares_the_responder_the_wait() -> None:
    pair = Pair(phrases=("right", "wrong"), phone={"reject_on_failure": True})
    pair.run()
    assert body_of(pair.sent[2]).status == 1
    camera = pair.camera_events[-1]
    assert isinstance(camera, PasnFailed)
    assert isinstance(camera.error, PeerRejectedError)
    assert (pair.now, camera.frame) == (0, 3)


def test_after_a_wrong_password_the_next_frame_1_is_answered_without_asking() -> None:
    pair = Pair(phrases=("wrong", "right"))
    pair.start()
    pair.flush()
    pair.another_phone("again", "right")
    pair.run()
    assert [event.is_repeat for event in pair.camera_events if isinstance(event, PasnRequested)] == [False, True]
    assert isinstance(pair.phone_events[-1], PasnCompleted)
    assert isinstance(pair.camera_events[-1], PasnCompleted)


# What the owner decides


def test_refusal_by_the_owner_is_a_status_and_the_nan_element() -> None:
    pair = Pair()
    outputs = pair.camera.receive(frame_1(pair), PHONE, 0)
    assert isinstance(outputs[-1], PasnRequested)
    refusal = pair.camera.reject(0, nan=b"\x22\x03\x00\x00\x07\x00")
    assert refusal[-1] == PasnDeclined(peer="02:00:00:00:00:01", status=1)
    body = body_of(sent_by(refusal)[0])
    assert (body.transaction, body.status) == (2, 1)
    assert body.elements == (Element(221, NAN_ELEMENT + b"\x22\x03\x00\x00\x07\x00"),)
    phone = pair.phone.receive(sent_by(refusal)[0], b"", 0)
    assert isinstance(phone[-1], PasnFailed)
    assert isinstance(phone[-1].error, PeerRejectedError)
    assert phone[-1].error.wire_code == 1


def test_unknown_pmkid_is_refused_with_53_by_the_owner() -> None:
    pair = Pair(PasnMode.CACHED)
    (requested,) = pair.camera.receive(frame_1(pair), PHONE, 0)
    assert isinstance(requested, PasnRequested)
    assert requested.mode is PasnMode.CACHED
    assert requested.pmkid is not None
    assert body_of(sent_by(pair.camera.reject(0, 53))[0]).status == 53


def test_owner_who_never_decides_ends_the_attempt() -> None:
    pair = Pair()
    pair.camera.receive(frame_1(pair), PHONE, 0)
    assert pair.camera.deadline == PasnTimes().consent
    assert pair.camera.handle_timeout(PasnTimes().consent - 1) == ()
    (failed,) = pair.camera.handle_timeout(PasnTimes().consent)
    assert isinstance(failed, PasnFailed)
    assert "owner" in str(failed.error)
    assert pair.camera.deadline is None


def test_credential_of_another_kind_is_the_callers_mistake() -> None:
    pair = Pair()
    pair.camera.receive(frame_1(pair), PHONE, 0)
    for wrong in (credential(PasnMode.OPPORTUNISTIC), credential(PasnMode.PASSWORD, NCS_PK_PASN_256)):
        with pytest.raises(LocalProtocolError):
            pair.camera.accept(wrong, 0)
        assert pair.camera.state is ResponderState.ASKED
    assert sent_by(pair.camera.accept(pair.camera_credential, 0))


def test_owner_may_give_up_after_frame_2_in_silence() -> None:
    pair = Pair()
    pair.camera.receive(frame_1(pair), PHONE, 0)
    pair.camera.accept(pair.camera_credential, 0)
    assert pair.camera.reject(0) == (PasnDeclined(peer="02:00:00:00:00:01"),)


def test_initiator_may_give_up_in_silence() -> None:
    pair = Pair()
    pair.start()
    assert pair.phone.abort(0) == (PasnDeclined(peer="02:00:00:00:00:02"),)
    assert pair.phone.deadline is None


def test_token_for_another_group_is_the_callers_mistake_and_nothing_has_begun() -> None:
    pair = Pair()
    phone = PasnInitiator(pair.phone_settings, credential(PasnMode.PASSWORD, NCS_PK_PASN_256), entropy(0))
    with pytest.raises(LocalProtocolError, match="P-384"):
        phone.start(0)
    assert phone.state is InitiatorState.IDLE


# Bad frames 1: status and the NAN element, nothing else


def frame_1(pair: Pair) -> bytes:
    """Frame 1 of the pair's phone."""
    return sent_by(pair.phone.start(0))[0]


def put(frame: PasnFrame, element: Element) -> PasnFrame:
    """The frame with the element of that id replaced."""
    key = (element.id, element.extension)
    return replace(
        frame, elements=tuple(element if (each.id, each.extension) == key else each for each in frame.elements)
    )


def without(number: int, extension: int | None = None) -> Callable[[PasnFrame], PasnFrame]:
    """A change that leaves an element out."""
    return lambda frame: replace(
        frame, elements=tuple(each for each in frame.elements if (each.id, each.extension) != (number, extension))
    )


def rsne(**changes: object) -> Callable[[PasnFrame], PasnFrame]:
    """A change of the RSNE's fields."""
    return lambda frame: put(frame, replace(frame.rsne, **changes).encode())  # type: ignore[arg-type]


def parameters(**changes: object) -> Callable[[PasnFrame], PasnFrame]:
    """A change of the PASN Parameters' fields."""
    return lambda frame: put(frame, replace(frame.parameters, **changes).encode())  # type: ignore[arg-type]


def commit(**changes: object) -> Callable[[PasnFrame], PasnFrame]:
    """A change of the SAE Commit's fields."""
    return lambda frame: put(
        frame,
        wrapped_data(replace(SaeCommit.decode(frame.wrapped or b""), **changes).encode()),  # type: ignore[arg-type]
    )


ANOTHER_KEY = b"\x02" + (5).to_bytes(32, "big")  # 5 is the x of a point
BAD_FRAMES_1: dict[str, tuple[int, Callable[[PasnFrame], PasnFrame]]] = {
    "no RSNE": (72, without(48)),
    "cut RSNE": (72, lambda frame: put(frame, Element(48, frame.rsne.encode().body[:-1]))),
    "RSNE of version 2": (72, rsne(version=2)),
    "MFPR missing": (72, rsne(capabilities=Rsne.MFP_CAPABLE)),
    "MFPC missing": (72, rsne(capabilities=Rsne.MFP_REQUIRED)),
    "another AKM": (72, rsne(akms=(0x000FAC02,))),
    "two AKMs": (72, rsne(akms=(Akm.SAE, Akm.PASN))),
    "another cipher": (72, rsne(pairwise=(CipherSuite.GCMP_256,))),
    "no cipher": (72, rsne(pairwise=())),
    "a group cipher": (72, rsne(group=CipherSuite.CCMP_128)),
    "a group management cipher": (72, rsne(group_management=0x000FAC06)),
    "two PMKIDs": (72, rsne(pmkids=(bytes(16), bytes(16)))),
    "no PASN Parameters": (38, without(255, 100)),
    "cut PASN Parameters": (38, lambda frame: put(frame, Element(255, b"\x02", 100))),
    "no group and key": (38, parameters(group=None)),
    "key off the curve": (38, parameters(public_key=b"\x02" + b"\xff" * 32)),
    "key too short": (38, parameters(public_key=b"\x02\x01")),
    "key at infinity": (38, parameters(public_key=b"\x04" + bytes(64))),
    "key of unknown form": (136, parameters(public_key=b"\x05" + bytes(32))),
    "no key": (136, parameters(public_key=b"")),
    "another group": (77, parameters(group=20)),
    "a group nobody has": (77, parameters(group=30)),
    "Commit not by hash-to-element": (1, commit(status=0)),
    "Commit cut": (1, lambda frame: put(frame, wrapped_data((frame.wrapped or b"")[:-1]))),
    "Commit in another group": (1, commit(group=20)),
    "format SAE without Wrapped Data": (1, without(255, 8)),
    "format nobody has": (1, parameters(wrapped_format=9)),
    "format SAE with AKM PASN": (1, rsne(akms=(Akm.PASN,))),
    "AKM SAE with neither Commit nor PMKID": (137, parameters(wrapped_format=0)),
}


@pytest.mark.parametrize("name", BAD_FRAMES_1)
def test_bad_frame_1_is_answered_with_its_status_and_the_nan_element(name: str) -> None:
    status, change = BAD_FRAMES_1[name]
    pair = Pair()
    outputs = pair.camera.receive(rebuilt(frame_1(pair), change), PHONE, 0)
    (answer,) = sent_by(outputs)
    body = body_of(answer)
    assert (body.transaction, body.status) == (2, status)
    assert body.nan == CAMERA_NAN
    assert (body.mic, body.find(ElementId.RSN)) == (None, None)
    groups = body.find(ElementId.EXTENSION, ExtensionId.SUPPORTED_GROUPS)
    assert (None if groups is None else decode_supported_groups(groups)) == ((19,) if status == 77 else None)
    assert len(body.elements) == (2 if status == 77 else 1)
    failed = outputs[-1]
    assert isinstance(failed, PasnFailed)
    assert isinstance(failed.error, RemoteProtocolError)
    assert (failed.error.wire_code, failed.frame) == (status, 1)
    assert pair.camera.state is ResponderState.FAILED
    told = pair.phone.receive(answer, b"", 0)
    assert isinstance(told[-1], PasnFailed)
    assert isinstance(told[-1].error, PeerRejectedError)
    assert told[-1].error.wire_code == status


@pytest.mark.parametrize("name", ["element off the curve", "scalar out of range"])
def test_commit_that_only_sae_can_judge_is_answered_with_status_1(name: str) -> None:
    change = commit(element=b"\x01" * 64) if name == "element off the curve" else commit(scalar=bytes(32))
    pair = Pair()
    pair.camera_does(pair.camera.receive(rebuilt(frame_1(pair), change), PHONE, 0))
    assert body_of(pair.sent[0]).status == 1
    failed = pair.camera_events[-1]
    assert isinstance(failed, PasnFailed)
    assert "SAE Commit" in str(failed.error)


@pytest.mark.parametrize("name", BAD_FRAMES_1)
def test_bad_frame_1_does_not_harm_an_attempt_under_way(name: str) -> None:
    status, change = BAD_FRAMES_1[name]
    pair = Pair()
    first = frame_1(pair)
    pair.camera.receive(first, PHONE, 0)
    frame_2 = sent_by(pair.camera.accept(pair.camera_credential, 0))[0]
    outputs = pair.camera.receive(rebuilt(first, change), PHONE, 0)
    assert body_of(sent_by(outputs)[0]).status == status
    assert isinstance(outputs[-1], FrameIgnored)
    frame_3 = sent_by(pair.phone.receive(frame_2, b"", 0))[0]
    assert isinstance(pair.camera.receive(frame_3, PHONE, 0)[-1], PasnCompleted)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_frame_without_a_nan_element_is_ignored(number: int) -> None:
    def bend(index: int, frame: bytes) -> Sequence[bytes]:
        return (rebuilt(frame, without(221)),) if body_of(frame).transaction == number else (frame,)

    pair = Pair(bend=bend)
    pair.run()
    events = pair.phone_events if number == 2 else pair.camera_events
    (ignored,) = [event for event in events if isinstance(event, FrameIgnored)]
    assert ignored.reason == f"PASN frame {number} has no NAN element"
    assert all(isinstance(event, PasnFailed | PasnCompleted) for ending in pair.endings for event in ending)


# Bad frames 2 and 3


BAD_FRAMES_2: dict[str, tuple[type[Exception], Callable[[PasnFrame], PasnFrame]]] = {
    "MIC gone": (AuthenticationError, without(140)),
    "MIC too long": (AuthenticationError, lambda frame: put(frame, Element(140, bytes(24)))),
    "MIC of zeros": (AuthenticationError, lambda frame: put(frame, Element(140, bytes(16)))),
    "no RSNE": (NegotiationError, without(48)),
    "another AKM": (NegotiationError, rsne(akms=(Akm.PASN,))),
    "another cipher": (NegotiationError, rsne(pairwise=(CipherSuite.GCMP_256,))),
    "no PASN Parameters": (RemoteProtocolError, without(255, 100)),
    "another group": (NegotiationError, parameters(group=20)),
    "another key": (AuthenticationError, parameters(public_key=ANOTHER_KEY)),
    "no Wrapped Data": (RemoteProtocolError, without(255, 8)),
    "RSNXE gone": (AuthenticationError, without(244)),
}


@pytest.mark.parametrize("name", BAD_FRAMES_2)
def test_bad_frame_2_ends_the_attempt_in_silence(name: str) -> None:
    error, change = BAD_FRAMES_2[name]
    pair = Pair(bend=lambda index, frame: (rebuilt(frame, change) if index == 2 else frame,))
    pair.run()
    (phone,), (camera,) = pair.endings
    assert isinstance(phone, PasnFailed)
    assert type(phone.error) is error
    assert phone.frame == 2
    assert isinstance(camera, PasnFailed)
    assert isinstance(camera.error, ExchangeTimeoutError)
    assert len(pair.sent) == 2


@pytest.mark.parametrize("change", [without(140), lambda frame: put(frame, Element(140, bytes(16))), without(255, 8)])
def test_bad_frame_3_fails_the_responder_without_a_frame(change: Callable[[PasnFrame], PasnFrame]) -> None:
    pair = Pair(bend=lambda index, frame: (rebuilt(frame, change) if index == 3 else frame,))
    pair.run()
    (phone,), (camera,) = pair.endings
    assert isinstance(phone, PasnCompleted)
    assert isinstance(camera, PasnFailed)
    assert camera.frame == 3
    assert len(pair.sent) == 3


# Repeats, comebacks, tolerance


def test_repeated_frame_1_gives_a_completely_new_frame_2_that_can_be_finished() -> None:
    pair = Pair()
    first = frame_1(pair)
    pair.camera_does(pair.camera.receive(first, PHONE, 0))
    pair.camera_does(pair.camera.receive(first, PHONE, 0))
    one, other = (body_of(frame) for frame in pair.sent)
    assert one.parameters.public_key != other.parameters.public_key
    assert (one.wrapped or b"")[:112] != (other.wrapped or b"")[:112]
    frame_3 = sent_by(pair.phone.receive(pair.sent[1], b"", 0))[0]
    assert isinstance(pair.camera.receive(frame_3, PHONE, 0)[-1], PasnCompleted)


def test_frame_1_that_asks_for_something_else_is_asked_anew() -> None:
    pair = Pair()
    pair.camera_does(pair.camera.receive(frame_1(pair), PHONE, 0))
    assert pair.camera.state is ResponderState.WAIT_FRAME_3
    other = sent_by(Pair(PasnMode.OPPORTUNISTIC).phone.start(0))[0]
    (requested,) = pair.camera.receive(other, PHONE, 0)
    assert isinstance(requested, PasnRequested)
    assert not requested.is_repeat
    assert pair.camera.state is ResponderState.ASKED


def test_initiator_repeats_frame_1_as_often_as_it_is_told() -> None:
    pair = Pair(phone={"times": PasnTimes(repeats=2)}, bend=lambda index, frame: ())
    pair.run()
    assert len(pair.sent) == 3
    assert len(set(pair.sent)) == 1
    assert pair.now == PasnTimes().attempt


def test_comeback_is_waited_for_and_its_cookie_returned() -> None:
    pair = Pair(camera={"comeback_tu": 100})
    pair.run()
    assert pair.now == 100 * TU
    refusal, again = body_of(pair.sent[1]), body_of(pair.sent[2])
    assert refusal.status == 30
    comeback = refusal.parameters.comeback
    assert comeback is not None
    assert (comeback.after_tu, len(comeback.cookie)) == (100, 8)
    assert again.parameters.comeback == Comeback(comeback.cookie)
    assert [type(event) for event in pair.phone_events] == [PasnPostponed, PasnCompleted]
    assert [type(event) for event in pair.camera_events] == [PasnPostponed, PasnRequested, PasnCompleted]


def test_wrong_cookie_is_sent_away_again() -> None:
    def bend(index: int, frame: bytes) -> Sequence[bytes]:
        return (rebuilt(frame, parameters(comeback=Comeback(b"stale"))),) if index == 3 else (frame,)

    pair = Pair(camera={"comeback_tu": 10}, bend=bend)
    pair.run()
    assert [type(event) for event in pair.phone_events] == [PasnPostponed, PasnPostponed, PasnCompleted]


def test_status_30_without_a_time_ends_the_attempt() -> None:
    pair = Pair(
        camera={"comeback_tu": 10},
        bend=lambda index, frame: (rebuilt(frame, without(255, 100)) if index == 2 else frame,),
    )
    pair.run()
    assert isinstance(pair.phone_events[-1], PasnFailed)


def test_comeback_beyond_the_end_of_the_attempt_ends_it() -> None:
    pair = Pair(camera={"comeback_tu": 0xFFFF})
    pair.run()
    phone = pair.phone_events[-1]
    assert isinstance(phone, PasnFailed)
    assert "comeback" in str(phone.error)
    assert pair.now == 30 * SECOND


def uncompressed(frame: PasnFrame) -> PasnFrame:
    """The same key with both coordinates."""
    curve = NCS_PK_PASN_128.curve
    x = int.from_bytes(frame.parameters.public_key[1:], "big")
    y = curve.sqrt(curve.right_side(x)) or 0
    key = b"\x04" + curve.encode_number(x) + curve.encode_number(y)
    return parameters(public_key=key)(frame)


TOLERATED: dict[str, Callable[[PasnFrame], PasnFrame]] = {
    "elements in another order": lambda frame: replace(frame, elements=tuple(reversed(frame.elements))),
    "a second cipher": rsne(pairwise=(CipherSuite.CCMP_128, CipherSuite.GCMP_256)),
    "RSNXE of one octet": lambda frame: put(frame, Element(244, b"\x20")),
    "no RSNXE": without(244),
    "an unknown element": lambda frame: replace(frame, elements=(Element(7, b"?"), *frame.elements)),
    "key marked odd": lambda frame: parameters(public_key=b"\x03" + frame.parameters.public_key[1:])(frame),
    "key uncompressed": uncompressed,
    "PMKID beside the Commit": rsne(pmkids=(bytes(16),)),
}


@pytest.mark.parametrize("name", TOLERATED)
def test_frame_1_in_another_shape_is_taken(name: str) -> None:
    pair = Pair()
    bent = rebuilt(frame_1(pair), TOLERATED[name])
    pair.camera_does(pair.camera.receive(bent, PHONE, 0))
    assert pair.camera.state is ResponderState.WAIT_FRAME_3
    # The phone believes to have sent the straight frame: make its MIC cover the bent one.
    frame_3 = sent_by(pair.phone.receive(pair.sent[0], b"", 0))[0]
    covered = frame_1_digest(Hash.SHA256, bent[24:])
    kck = pair.phone.intermediates.pasn["kck"]
    fitting = rebuilt(
        frame_3,
        lambda frame: frame.with_mic(
            compute_mic(Hash.SHA256, kck, mic_input(PHONE, CAMERA, covered, frame.with_zero_mic()))
        ),
    )
    assert isinstance(pair.camera.receive(fitting, PHONE, 0)[-1], PasnCompleted)


def test_secrets_are_in_no_repr() -> None:
    for mode in PasnMode:
        pair = Pair(mode)
        pair.run()
        values = pair.phone.intermediates
        secret = [*values.pasn.values(), *(value for name, value in values.sae.items() if name != "pmkid")]
        keys = pair.phone_events[-1].keys  # type: ignore[attr-defined]
        texts = repr([pair.phone_events, pair.camera_events, keys, values, pair.phone_credential, pair.phone_settings])
        assert len(secret) >= 9
        for value in secret:
            assert repr(value)[2:-1] not in texts
            assert value.hex() not in texts


def test_parameters_element_of_frame_3_is_short() -> None:
    pair = Pair()
    pair.run()
    assert body_of(pair.sent[2]).parameters == PasnParameters(3)
