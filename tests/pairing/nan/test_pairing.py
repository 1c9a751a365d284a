"""Pairing setup and verification between two devices: dialogues, refusals, states, loss of each frame, lies, seeds."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from pairing.engine import SECOND, Event, FrameIgnored, Micros
from pairing.errors import KeyStoreError, LocalProtocolError
from pairing.ieee80211.frames import ManagementFrame, StatusCode
from pairing.nan.attributes import BootstrappingMethods
from pairing.nan.device_settings import NanLies
from pairing.nan.events import BootstrappingFailed
from pairing.nan.pairing_events import (
    PairingAttemptsExhausted,
    PairingCause,
    PairingCompleted,
    PairingFailed,
    PairingRequested,
    PairingVerified,
)
from pairing.nan.pairing_rules import REFERENCE_PEER_PAIRING, PairingLies, PairingProfile
from pairing.nan.pairing_states import (
    INITIATOR_TRANSITIONS,
    RESPONDER_TRANSITIONS,
    InitiatorInput,
    InitiatorState,
    ResponderInput,
    ResponderState,
)
from pairing.pasn.events import LieTold
from pairing.pasn.settings import PasnLies
from tests.support.nan_air import (
    CAMERA,
    NOT_CACHING,
    PHONE,
    Fate,
    Fates,
    Home,
    Node,
    delivered,
    home,
    losing,
)
from tests.support.nan_people import (
    PIN,
    People,
    agree,
    bootstrap,
    is_paired,
    pair,
    paired_home,
    paired_keys,
    pairing_ends,
    verify,
)

WAYS = ("password", "opportunistic", "without-caching", "verification")
_M = BootstrappingMethods


def begun(way: str, fates: Fates = delivered, seed: object = 0, *, is_told: bool = True, **made: object) -> Home:
    """A home in which the phone has just begun to pair in that way; faults begin with it."""
    if way == "verification":
        calm = [True]
        there = paired_home(
            fates=lambda number, frame: delivered(number, frame) if calm[0] else fates(number - before[0], frame),
            seed=seed,
            is_told=is_told,
            **made,
        )
        before = [len(there.wire.sent)]
        calm[0] = False
        for node in (there.phone, there.camera):
            node.events.clear()
        verify(there)
        return there
    session = {"device_capability_extension": NOT_CACHING} if way == "without-caching" else {}
    there = home(fates, seed=seed, is_told=is_told, phone_session=session, camera_session=session, **made)  # type: ignore[arg-type]
    password = None if way == "opportunistic" else PIN
    People(password).live_in(there)
    pair(there, password)
    return there


def finished(there: Home) -> Home:
    there.wire.run(there.wire.now + 400 * SECOND)
    return there


def failure(node: Node) -> PairingFailed:
    (ended,) = pairing_ends(node)
    assert isinstance(ended, PairingFailed)
    return ended


# Dialogues.


@pytest.mark.parametrize("suite", [7, 8])
@pytest.mark.parametrize("password", [PIN, None])
def test_setup_ends_with_equal_keys_and_remembered_identities(password: str | None, suite: int) -> None:
    there = home()
    People(password).live_in(there)
    pair(there, password, suite)
    finished(there)
    (mine,), (theirs,) = pairing_ends(there.phone), pairing_ends(there.camera)
    assert isinstance(mine, PairingCompleted)
    assert isinstance(theirs, PairingCompleted)
    assert mine.keys == theirs.keys
    assert (mine.keys.suite, mine.keys.is_authenticated) == (suite, password is not None)
    (camera,), (phone,) = there.phone.device.paired_peers, there.camera.device.paired_peers
    assert (camera.npk, camera.akm, camera.suite) == (phone.npk, phone.akm, phone.suite)
    assert camera.peer_nik == phone.own_nik
    assert camera.own_nik == phone.peer_nik
    assert (mine.peer_id, theirs.peer_id) == (camera.peer_id, phone.peer_id)


@pytest.mark.parametrize(
    "method", [_M.PIN_KEYPAD, _M.PASSPHRASE_DISPLAY, _M.QR_SCAN, _M.NFC_TAG, _M.SERVICE_MANAGED, _M.OPPORTUNISTIC]
)
def test_bootstrapping_leads_to_pairing_by_the_same_method(method: BootstrappingMethods) -> None:
    there = home()
    People(None if method is _M.OPPORTUNISTIC else PIN).live_in(there)
    bootstrap(there, method)
    finished(there)
    assert agree(there)
    assert is_paired(there.phone)
    (requested,) = there.camera.of(PairingRequested)
    assert requested.method


def test_without_caching_keys_are_in_force_and_nothing_is_remembered() -> None:
    there = finished(begun("without-caching"))
    assert paired_keys(there)
    assert there.phone.device.paired_peers == there.camera.device.paired_peers == ()
    (ended,) = there.phone.of(PairingCompleted)
    assert ended.peer_id is None


@pytest.mark.parametrize("password", [PIN, None])
def test_verification_brings_fresh_keys_and_the_same_npk(password: str | None) -> None:
    there = paired_home(password)
    before = there.phone.device.keys(CAMERA)
    verify(there)
    finished(there)
    after = there.phone.device.keys(CAMERA)
    assert paired_keys(there)
    assert before is not None
    assert after is not None
    assert after.npk == before.npk
    assert (after.nm_tk, after.nd_pmk) != (before.nm_tk, before.nd_pmk)
    assert [type(each) for each in pairing_ends(there.camera)] == [PairingCompleted, PairingVerified]


def test_peers_do_not_repeat_what_was_said_once_all_arrives() -> None:
    there = finished(begun("password"))
    assert len(there.wire.sent) == 5


def test_medium_that_tells_nothing_is_believed_to_deliver() -> None:
    for way in WAYS:
        there = finished(begun(way, is_told=False))
        assert is_paired(there.phone)
        assert paired_keys(there)


def test_lost_frame_3_is_said_again_where_the_medium_tells_nothing() -> None:
    there = finished(begun("password", losing(2), is_told=False))
    assert is_paired(there.phone)
    assert paired_keys(there)


# Refusals and failures.


@pytest.mark.parametrize("told", [False, True])
def test_wrong_password_is_named_on_both_sides(told: bool) -> None:
    profile = PairingProfile(does_tell_failure=told)
    there = home(phone={"pairing": profile})
    People().live_in(there)
    pair(there, "000000")
    finished(there)
    mine, theirs = failure(there.phone), failure(there.camera)
    assert (mine.error, mine.cause, mine.frame) == ("AuthenticationError", PairingCause.WRONG_PASSWORD, 2)
    expected = (
        ("PeerRejectedError", PairingCause.WRONG_PASSWORD) if told else ("ExchangeTimeoutError", PairingCause.ABANDONED)
    )
    assert (theirs.error, theirs.cause) == expected
    assert (mine.wrong_attempts, theirs.wrong_attempts) == (1, 1)
    assert mine.intermediates.sae["pwd_seed"] != theirs.intermediates.sae["pwd_seed"]
    assert not paired_keys(there)


def test_right_password_after_a_wrong_one_pairs_and_is_not_asked_for_twice() -> None:
    there = home()
    People().live_in(there)
    pair(there, "000000")
    there.wire.run_until(there.wire.now + SECOND)
    pair(there)
    finished(there)
    assert paired_keys(there)
    assert [type(each) for each in pairing_ends(there.phone)] == [PairingFailed, PairingCompleted]
    assert [type(each) for each in pairing_ends(there.camera)] == [PairingFailed, PairingCompleted]
    assert len(there.camera.of(PairingRequested)) == 1


def test_third_wrong_password_has_its_own_event_and_locks_until_pairing_is_opened_again() -> None:
    there = home()
    People().live_in(there)
    for _ in range(3):
        pair(there, "000000")
        there.wire.run_until(there.wire.now + 10 * SECOND)
    for node in (there.phone, there.camera):
        (exhausted,) = node.of(PairingAttemptsExhausted)
        assert exhausted.attempts == 3
    pair(there)
    there.wire.run_until(there.wire.now + 10 * SECOND)
    locked, refused = pairing_ends(there.camera)[-1], pairing_ends(there.phone)[-1]
    assert isinstance(locked, PairingFailed)
    assert isinstance(refused, PairingFailed)
    assert (locked.cause, refused.cause) == (PairingCause.LOCKED, PairingCause.REJECTED)
    there.wire.do(there.camera, there.camera.device.open_pairing(there.wire.now))
    pair(there)
    finished(there)
    assert paired_keys(there)


def test_reference_peer_counts_no_wrong_passwords() -> None:
    there = home(phone={"pairing": REFERENCE_PEER_PAIRING}, camera={"pairing": REFERENCE_PEER_PAIRING})
    People().live_in(there)
    for _ in range(4):
        pair(there, "000000")
        there.wire.run_until(there.wire.now + 10 * SECOND)
    pair(there)
    finished(there)
    assert paired_keys(there)
    assert not there.camera.of(PairingAttemptsExhausted)


def test_rejection_by_the_owner_is_told_with_its_status() -> None:
    there = home()
    pair(there)
    there.wire.run_until(there.wire.now + SECOND // 2)
    assert there.camera.device.waiting_for_user == (PHONE,)
    there.wire.do(there.camera, there.camera.device.reject_pairing(PHONE, there.wire.now))
    finished(there)
    mine, theirs = failure(there.phone), failure(there.camera)
    assert (mine.cause, mine.status) == (PairingCause.REJECTED, StatusCode.UNSPECIFIED_FAILURE)
    assert theirs.cause is PairingCause.DECLINED


def test_cancelled_attempt_ends_in_an_event_on_both_sides() -> None:
    there = home()
    pair(there)
    there.wire.run_until(there.wire.now + SECOND // 2)
    there.wire.do(there.phone, there.phone.device.cancel(CAMERA, there.wire.now))
    finished(there)
    assert failure(there.phone).cause is PairingCause.CANCELLED
    assert failure(there.camera).cause is PairingCause.EXPIRED


def test_responder_can_cancel_what_it_accepted() -> None:
    there = home(losing(2, *range(3, 400)))
    People().live_in(there)
    pair(there)
    there.wire.run_until(there.wire.now + SECOND)
    there.wire.do(there.camera, there.camera.device.cancel(PHONE, there.wire.now))
    finished(there)
    assert failure(there.camera).cause is PairingCause.CANCELLED
    assert not is_paired(there.phone)


def test_owner_who_never_decides_lets_both_attempts_end() -> None:
    there = finished(begun_unanswered())
    assert failure(there.camera).cause is PairingCause.EXPIRED
    assert failure(there.phone).cause is PairingCause.TIMED_OUT


def begun_unanswered() -> Home:
    there = home()
    pair(there)
    return there


def test_closed_pairing_refuses_and_still_verifies() -> None:
    there = paired_home()
    there.wire.do(there.camera, there.camera.device.close_pairing(there.wire.now))
    pair(there)
    there.wire.run_until(there.wire.now + SECOND)
    refused = pairing_ends(there.camera)[-1]
    assert isinstance(refused, PairingFailed)
    assert (refused.cause, refused.rule) == (PairingCause.DECLINED, "pairing setup")
    verify(there)
    finished(there)
    assert is_paired(there.phone)
    assert paired_keys(there)


def test_whoever_agreed_on_a_password_is_not_talked_into_doing_without() -> None:
    there = home()
    People().live_in(there)
    there.wire.owner = accept_bootstrapping_alone(there)
    bootstrap(there)
    there.wire.run_until(there.wire.now + 3 * SECOND)
    pair(there, None)
    finished(there)
    refused = pairing_ends(there.camera)[-1]
    assert isinstance(refused, PairingFailed)
    assert (refused.error, refused.rule) == ("NegotiationError", "method")
    assert not paired_keys(there)


def accept_bootstrapping_alone(there: Home) -> Callable[[Node, Event], None]:
    def owner(node: Node, event: Event) -> None:
        if type(event).__name__ == "BootstrappingRequested":
            there.wire.do(node, node.device.accept_bootstrapping(PHONE, there.wire.now))

    return owner


def test_forgotten_pairing_cannot_be_verified_and_says_so() -> None:
    there = paired_home()
    there.wire.do(there.camera, there.camera.device.forget(there.wire.now))
    there.camera.events.clear()
    there.phone.events.clear()
    verify(there)
    finished(there)
    mine, theirs = failure(there.phone), failure(there.camera)
    assert (mine.cause, mine.status) == (PairingCause.UNKNOWN_PEER, StatusCode.INVALID_PMKID)
    assert (theirs.cause, theirs.error) == (PairingCause.UNKNOWN_PEER, "KeyStoreError")


def test_different_keys_of_an_earlier_pairing_fail_as_wrong_keys() -> None:
    there = paired_home()
    (phone,) = there.camera.device.paired_peers
    camera_settings = replace(there_settings(there), paired=(replace(phone, npk=bytes(32)),))
    other = home(camera={"nik": camera_settings.nik, "paired": camera_settings.paired}, phone=remembered(there))
    verify(other)
    finished(other)
    mine, theirs = failure(other.phone), failure(other.camera)
    assert (mine.error, mine.cause) == ("AuthenticationError", PairingCause.WRONG_KEY)
    assert theirs.cause is PairingCause.ABANDONED


def there_settings(there: Home) -> object:
    from tests.support.nan_air import CAMERA_NDI, settings

    device = there.camera.device
    return settings(CAMERA, CAMERA_NDI, nik=device.nik, paired=device.paired_peers)


def remembered(there: Home) -> dict[str, object]:
    device = there.phone.device
    return {"nik": device.nik, "paired": device.paired_peers}


def test_verification_of_an_unknown_peer_is_our_own_mistake() -> None:
    there = home()
    with pytest.raises(KeyStoreError):
        there.phone.device.verify(CAMERA, there.wire.now)


def test_attempts_do_not_begin_twice_or_while_bootstrapping_goes_on() -> None:
    there = home()
    pair(there)
    with pytest.raises(LocalProtocolError, match="in progress"):
        pair(there)
    other = home()
    bootstrap(other)
    with pytest.raises(LocalProtocolError, match="bootstrapping"):
        pair(other)


def test_credential_of_another_mode_is_our_own_mistake_and_changes_nothing() -> None:
    there = home()
    pair(there)
    there.wire.run_until(there.wire.now + SECOND // 2)
    with pytest.raises(LocalProtocolError):
        there.camera.device.accept_pairing(PHONE, there.wire.now)
    there.wire.do(there.camera, there.camera.device.accept_pairing(PHONE, there.wire.now, password=PIN))
    finished(there)
    assert paired_keys(there)


def test_of_two_that_begin_at_once_the_higher_address_goes_first() -> None:
    there = home()
    People().live_in(there)
    camera, phone = there.camera, there.phone
    camera_pairs = camera.device._core.pairing.pair(
        PHONE, there.wire.now, password=PIN, instance_id=5, peer_instance_id=3
    )
    phone_pairs = phone.device.pair(CAMERA, there.wire.now, password=PIN)
    there.wire.do(camera, camera_pairs)
    there.wire.do(phone, phone_pairs)
    there.wire.owner = lambda node, event: (
        there.wire.do(node, node.device.accept_pairing(CAMERA, there.wire.now, password=PIN))
        if isinstance(event, PairingRequested)
        else None
    )
    finished(there)
    assert paired_keys(there)
    assert [type(each) for each in pairing_ends(phone)] == [PairingFailed, PairingCompleted]
    assert [type(each) for each in pairing_ends(camera)] == [PairingCompleted]


# Loss of each frame, and of many.


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("way", WAYS)
def test_loss_of_any_one_frame_is_made_up_for(way: str, number: int) -> None:
    there = finished(begun(way, losing(number)))
    assert agree(there)
    assert is_paired(there.phone)


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("way", WAYS)
def test_silence_from_any_frame_on_ends_both_attempts(way: str, number: int) -> None:
    there = finished(begun(way, losing(*range(number, 5000))))
    assert is_paired(there.phone) == is_paired(there.camera)
    assert pairing_ends(there.phone)


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("way", WAYS)
def test_repeated_frames_do_no_harm(way: str, number: int) -> None:
    def twice(at: int, frame: bytes) -> Fate:
        return Fate(((0, frame), (40_000, frame))) if at == number else delivered(at, frame)

    there = finished(begun(way, twice))
    assert agree(there)
    assert is_paired(there.phone)


@pytest.mark.parametrize("seed", range(150))
def test_both_agree_on_the_key_or_both_failed(seed: int) -> None:
    sweep(seed)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_both_agree_whatever_the_seed(part: int) -> None:
    for seed in range(1000 + 500 * part, 1500 + 500 * part):
        sweep(seed)


def sweep(seed: int) -> None:
    """One pairing over a bad wire drawn from the seed."""
    import random

    chance = random.Random(seed)
    loss, doubled = chance.choice((0, 0.1, 0.3, 0.5, 0.7)), chance.choice((0, 0.2))
    delay: Micros = chance.choice((0, 50_000, 900_000))

    def fate(number: int, frame: bytes) -> Fate:
        if chance.random() < loss:
            return Fate(())
        late = int(chance.random() * delay) if chance.random() < 0.3 else 0
        again = ((int(chance.random() * delay), frame),) if chance.random() < doubled else ()
        return Fate(((late, frame), *again))

    way = chance.choice((*WAYS, "bootstrapped", "wrong"))
    if way in WAYS:
        there = finished(begun(way, fate, seed))
    else:
        there = home(fate, seed=seed)
        People(phone_passwords=["000000"] if way == "wrong" else []).live_in(there)
        bootstrap(there)
        finished(there)
    assert is_paired(there.phone) == is_paired(there.camera), f"seed {seed}"
    keys = there.phone.device.keys(CAMERA), there.camera.device.keys(PHONE)
    assert keys[0] == keys[1], f"seed {seed}"
    assert pairing_ends(there.phone), f"seed {seed}"
    assert way != "wrong" or not is_paired(there.phone), f"seed {seed}"


# Lies.


@pytest.mark.parametrize(
    "lies",
    [
        PairingLies(pasn=PasnLies(wrong_mic=True)),
        PairingLies(pasn=PasnLies(wrong_confirm=True)),
        PairingLies(pasn=PasnLies(wrong_group=21)),
        PairingLies(pasn=PasnLies(no_nan_element=True)),
        PairingLies(pasn=PasnLies(reject_status=1)),
        PairingLies(pasn=PasnLies(silent_at=2)),
        PairingLies(silent_nik=True),
        PairingLies(wrong_nik_key=True),
    ],
)
def test_lie_of_the_camera_is_told_and_both_attempts_fail(lies: PairingLies) -> None:
    there = home()
    People().live_in(there)
    there.camera.device.tell_lies(NanLies(pairing=lies))
    pair(there)
    finished(there)
    assert there.camera.of(LieTold)
    assert not is_paired(there.phone)
    assert not is_paired(there.camera)
    assert agree(there)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "lies",
    [
        PasnLies(wrong_mic=True),
        PasnLies(no_nan_element=True),
        PasnLies(silent_at=1),
        PasnLies(silent_at=3),
        PasnLies(reject_status=1),
    ],
)
def test_lie_of_the_phone_is_told_and_both_attempts_fail(lies: PasnLies, way: str) -> None:
    if way == "verification":
        there = paired_home()
    else:
        session = {"device_capability_extension": NOT_CACHING} if way == "without-caching" else {}
        there = home(phone_session=session, camera_session=session)
        People(None if way == "opportunistic" else PIN).live_in(there)
    for node in (there.phone, there.camera):
        node.events.clear()
    there.phone.device.tell_lies(NanLies(pairing=PairingLies(pasn=lies)))
    if way == "verification":
        verify(there)
    else:
        pair(there, None if way == "opportunistic" else PIN)
    finished(there)
    assert there.phone.of(LieTold)
    assert [type(each) for each in pairing_ends(there.phone)] == [PairingFailed]
    assert not is_paired(there.camera)


def test_endless_comeback_ends_at_the_initiators_patience() -> None:
    there = home()
    there.camera.device.tell_lies(NanLies(pairing=PairingLies(pasn=PasnLies(comebacks=-1))))
    pair(there)
    finished(there)
    assert failure(there.phone).cause is PairingCause.TIMED_OUT


def sent_away_for_two_seconds() -> Home:
    """A phone that was told to come back later, and whose owner has changed his mind."""
    there = home()
    People().live_in(there)
    lies = PasnLies(comebacks=1, comeback_tu=2000)
    there.camera.device.tell_lies(NanLies(pairing=PairingLies(pasn=lies)))
    pair(there)
    there.wire.run_until(there.wire.now + SECOND // 2)
    there.wire.do(there.phone, there.phone.device.cancel(CAMERA, there.wire.now))
    return there


def test_who_was_sent_away_and_does_not_come_back_is_not_waited_for_without_end() -> None:
    there = sent_away_for_two_seconds()
    finished(there)
    failed = failure(there.camera)
    assert (failed.cause, failed.expected) == (PairingCause.TIMED_OUT, "frame 1 after the comeback in time")
    assert there.camera.device.deadline is None
    pair(there)
    finished(there)
    assert agree(there)


def test_owner_may_cancel_what_a_peer_was_sent_away_with() -> None:
    there = sent_away_for_two_seconds()
    there.wire.do(there.camera, there.camera.device.cancel(PHONE, there.wire.now))
    assert failure(there.camera).cause is PairingCause.CANCELLED
    assert there.camera.device.deadline is None


def test_bootstrapping_without_an_answer_ends_too() -> None:
    there = home(losing(*range(5000)))
    bootstrap(there)
    finished(there)
    assert [each.error for each in there.phone.of(BootstrappingFailed)] == ["ExchangeTimeoutError"]


# States and hostile frames.


def test_every_state_has_a_way_out_and_final_states_none_but_answers() -> None:
    for state in InitiatorState:
        moves = [by for (at, by) in INITIATOR_TRANSITIONS if at is state]
        is_final = state in (InitiatorState.COMPLETED, InitiatorState.FAILED)
        assert bool(moves) != is_final
        assert is_final or state is InitiatorState.IDLE or InitiatorInput.FAIL in moves
    for at in ResponderState:
        answers = [by for (before, by) in RESPONDER_TRANSITIONS if before is at]
        if at is ResponderState.COMPLETED:
            assert answers == [ResponderInput.NIK_RECEIVED]
        else:
            assert (at is ResponderState.FAILED) != (ResponderInput.FAIL in answers)


@pytest.mark.parametrize("way", WAYS)
def test_frames_of_another_exchange_leave_no_side_paired_alone(way: str) -> None:
    """Every frame of a whole pairing arrives once more after each step of another one."""
    old = finished(begun(way, seed="another"))
    frames = [each for each in old.wire.sent if not each[4] & 1]
    for step in range(8):
        there = begun(way)
        for _ in range(2 * step):
            there.wire._step(there.wire.now + SECOND)
        for frame in frames:
            node = there.camera if frame[4:10] == CAMERA else there.phone
            there.wire.do(node, node.device.receive(frame, frame[10:16], there.wire.now))
        finished(there)
        assert successes(there.phone) == successes(there.camera)
        assert there.phone.device.keys(CAMERA) == there.camera.device.keys(PHONE)


def successes(node: Node) -> int:
    return sum(isinstance(each, (PairingCompleted, PairingVerified)) for each in pairing_ends(node))


def test_frame_1_of_whoever_it_is_does_not_end_an_exchange_of_niks() -> None:
    old = finished(begun("password", seed="another"))
    there = begun("password")
    while there.camera.device.keys(PHONE) is None:
        there.wire._step(there.wire.now + SECOND)
    (ignored,) = there.camera.device.receive(old.wire.sent[0], PHONE, there.wire.now)
    assert isinstance(ignored, FrameIgnored)
    finished(there)
    assert paired_keys(there)


def test_bent_frame_1_does_not_harm_an_attempt_under_way() -> None:
    there = home(losing(1))
    People().live_in(there)
    pair(there)
    there.wire.run_until(there.wire.now + 30_000)
    frame_1 = ManagementFrame.decode(there.wire.sent[0])
    for cut in (30, 40, 60):
        bent = replace(frame_1, body=frame_1.body[:cut]).encode()
        there.wire.do(there.camera, there.camera.device.receive(bent, PHONE, there.wire.now))
    finished(there)
    assert paired_keys(there)
