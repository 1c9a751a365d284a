"""Bootstrapping as a dialogue of two devices: every method, every answer, every message lost once, every profile."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.engine import MILLISECOND, SECOND, FrameIgnored, Micros, Transmit
from pairing.errors import LocalProtocolError
from pairing.nan.attributes import (
    BootstrappingMethods,
    NpbaStatus,
    NpbaType,
    PairingBootstrapping,
    PairingBootstrappingExtension,
)
from pairing.nan.bootstrapping import MAX_RESPONDERS, Bootstrapping
from pairing.nan.bootstrapping_exchange import Partner
from pairing.nan.bootstrapping_initiator import BootstrappingInitiator
from pairing.nan.bootstrapping_responder import BootstrappingResponder
from pairing.nan.bootstrapping_rules import (
    ANDROID_FRAMEWORK,
    IOS_26_PUBLISHER,
    REFERENCE_PEER,
    BootstrappingProfile,
    MethodReading,
    complement,
    explain_reject,
    is_single,
)
from pairing.nan.bootstrapping_states import (
    INITIATOR_TRANSITIONS,
    RESPONDER_TRANSITIONS,
    InitiatorInput,
    InitiatorState,
    ResponderInput,
    ResponderState,
)
from pairing.nan.discovery import Discovery
from pairing.nan.events import (
    BootstrappingCompleted,
    BootstrappingDeferred,
    BootstrappingFailed,
    BootstrappingRequested,
    BootstrappingStarted,
)
from pairing.nan.frames import decode_nan_frame
from pairing.nan.service_frames import follow_up_frame
from pairing.nan.sessions import Publish, Subscribe
from pairing.nan.timing import DW_PERIOD, TU, DiscoveryWindows
from tests.support.nan_stations import Air, Station, counting_entropy, local_device, nmi

M = BootstrappingMethods
CAMERA, PHONE = nmi(1), nmi(2)
NAME = "_camera._udp"
METHODS = [method for method in M if method]
ALL = M(sum(METHODS))
PROFILE = BootstrappingProfile(comeback_after=100)


def publish(methods: BootstrappingMethods = ALL, **changes: Any) -> Publish:
    return Publish(**{"name": NAME, "instance_id": 9, "methods": methods, "is_unsolicited": False, **changes})


def subscribe(**changes: Any) -> Subscribe:
    return Subscribe(**{"name": NAME, "instance_id": 11, "is_active": False, "peer_timeout": None, **changes})


def bootstrapping(
    number: int, session: Publish | Subscribe, profile: BootstrappingProfile, **more: Any
) -> Bootstrapping:
    discovery = Discovery(local_device(number))
    _ = discovery.publish(session, 0) if isinstance(session, Publish) else discovery.subscribe(session, 0)
    return Bootstrapping(discovery, counting_entropy(number), profile, **more)


class Scene:
    """A phone that asks and a camera that is asked; `user` answers the camera's user the moment it is asked."""

    def __init__(
        self,
        *,
        camera: BootstrappingProfile = PROFILE,
        phone: BootstrappingProfile = PROFILE,
        offered: BootstrappingMethods = ALL,
        lost: tuple[int, ...] = (),
        **more: Any,
    ) -> None:
        self.camera = bootstrapping(1, publish(offered), camera, **more)
        self.phone = bootstrapping(2, subscribe(), phone, **more)
        self.at_camera, self.at_phone = Station(CAMERA, [self.camera]), Station(PHONE, [self.phone])
        self.air = Air(self.at_camera, self.at_phone, lost=lost)
        self.offered = offered

    def ask(self, method: BootstrappingMethods) -> "Scene":
        outputs = self.phone.request(11, CAMERA, 9, method, self.air.now, offered=self.offered)
        self.air.act(self.at_phone, outputs)
        return self

    def run(self, seconds: float) -> "Scene":
        self.air.run(self.air.now + round(seconds * SECOND))
        return self

    def accept(self) -> "Scene":
        self.air.act(self.at_camera, self.camera.accept(PHONE, self.air.now))
        return self

    def reject(self, reason: int | None = None) -> "Scene":
        self.air.act(self.at_camera, self.camera.reject(PHONE, self.air.now, reason))
        return self

    def failure(self, station: Station) -> BootstrappingFailed:
        (failed,) = station.events(BootstrappingFailed)
        return failed

    @property
    def is_agreed(self) -> bool:
        completed = [len(station.events(BootstrappingCompleted)) for station in (self.at_camera, self.at_phone)]
        assert completed in ([0, 0], [1, 1]), "both ends agree, once, or neither does"
        return completed == [1, 1]

    @property
    def reasons(self) -> list[str]:
        return [each.reason for station in (self.at_camera, self.at_phone) for each in station.events(FrameIgnored)]

    def messages(self) -> list[PairingBootstrapping]:
        found = [decode_nan_frame(octets).find(PairingBootstrapping) for octets in self.air.frames]
        return [each for each in found if each is not None]


# Methods.


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_method_is_agreed_on_when_the_user_says_yes(method: BootstrappingMethods) -> None:
    scene = Scene().ask(method).run(0.05)
    if method is not M.OPPORTUNISTIC:
        (asked,) = scene.at_camera.events(BootstrappingRequested)
        assert (asked.method, asked.requested) == (complement(method), method)
        assert (asked.instance_id, asked.peer_instance_id) == (9, 11)
        scene.accept()
    scene.run(1)
    assert scene.is_agreed
    theirs, ours = scene.camera.agreement(PHONE), scene.phone.agreement(CAMERA)
    assert theirs is not None
    assert ours is not None
    assert (theirs.method, ours.method) == (complement(method), method)
    assert (theirs.is_initiator, ours.is_initiator) == (False, True)


def test_complements_are_pairs_and_unknown_bits_have_none() -> None:
    assert all(complement(complement(method)) == method for method in METHODS)
    assert complement(M.PIN_DISPLAY | M.QR_SCAN) == M.PIN_KEYPAD | M.QR_DISPLAY
    assert complement(M(0x0200)) == M.NONE
    assert not is_single(M.PIN_DISPLAY | M.QR_SCAN)
    assert not is_single(M.NONE)


def test_a_method_that_is_not_offered_is_rejected_with_reason_13_and_no_methods() -> None:
    scene = Scene(offered=M.OPPORTUNISTIC).ask(M.PIN_KEYPAD).run(0.1)
    answer = scene.messages()[-1]
    assert (answer.status, answer.reason, answer.methods) == (NpbaStatus.REJECTED, 13, M.NONE)
    assert scene.failure(scene.at_phone).error == "PeerRejectedError"
    assert scene.failure(scene.at_camera).error == "NegotiationError"
    assert scene.phone.deadline is None


def test_several_methods_in_one_request_are_rejected() -> None:
    scene = Scene()
    request = PairingBootstrapping(5, NpbaType.REQUEST, NpbaStatus.ACCEPTED, M.PIN_KEYPAD | M.QR_SCAN)
    frame = follow_up_frame(local_device(2), subscribe(), CAMERA, 9, carried=[request])
    outputs = scene.camera.receive_frame(frame, 1)
    assert [type(each) for each in outputs] == [Transmit, BootstrappingFailed]


def test_the_request_takes_setup_info_along() -> None:
    phone = bootstrapping(2, subscribe(setup_info=b"\x03a=b"), PROFILE)
    started, frame = phone.request(11, CAMERA, 9, M.PIN_KEYPAD, 0)
    assert isinstance(started, BootstrappingStarted)
    assert isinstance(frame, Transmit)
    carried = decode_nan_frame(frame.payload).find(PairingBootstrappingExtension)
    assert carried == PairingBootstrappingExtension(setup_info=b"\x03a=b")


# The user.


def test_the_peer_comes_back_until_the_user_has_decided() -> None:
    scene = Scene().ask(M.PIN_KEYPAD).run(3)
    deferred = scene.at_phone.events(BootstrappingDeferred)
    assert [each.count for each in deferred] == list(range(1, len(deferred) + 1))
    assert len(deferred) > 20
    assert deferred[0].comeback_after == 100
    assert len(scene.at_camera.events(BootstrappingRequested)) == 1, "the user is asked once"
    assert scene.camera.waiting_for_user == (PHONE,)
    assert scene.camera.is_in_progress(PHONE)
    scene.accept().run(1)
    assert scene.is_agreed
    assert scene.camera.waiting_for_user == ()


@pytest.mark.parametrize(("reason", "told"), [(None, 13), (2, 2)])
def test_a_user_who_refuses_is_heard_at_the_next_return(reason: int | None, told: int) -> None:
    scene = Scene().ask(M.PIN_KEYPAD).run(0.05).reject(reason).run(1)
    assert not scene.is_agreed
    failed = scene.failure(scene.at_phone)
    assert (failed.error, failed.reason, failed.rule) == ("PeerRejectedError", told, "status")
    assert scene.failure(scene.at_camera).rule == "user"


def test_a_user_may_change_his_mind_before_the_peer_returns() -> None:
    scene = Scene().ask(M.PIN_KEYPAD).run(0.05).reject().accept().run(1)
    assert scene.is_agreed
    scene = Scene().ask(M.PIN_KEYPAD).run(0.05).accept().reject().run(1)
    assert not scene.is_agreed


def test_intents_without_a_request_are_errors() -> None:
    scene = Scene()
    for intent in (scene.accept, scene.reject, lambda: scene.phone.cancel(CAMERA, 0)):
        with pytest.raises(LocalProtocolError):
            intent()


def test_a_user_who_cancels_falls_silent() -> None:
    scene = Scene().ask(M.PIN_KEYPAD).run(0.05)
    scene.air.act(scene.at_phone, scene.phone.cancel(CAMERA, scene.air.now))
    sent = len(scene.air.frames)
    scene.run(5)
    assert len(scene.air.frames) == sent
    assert scene.failure(scene.at_phone).error == "cancelled"


def test_one_request_at_a_time() -> None:
    scene = Scene().ask(M.PIN_KEYPAD)
    with pytest.raises(LocalProtocolError, match="in progress"):
        scene.ask(M.PIN_KEYPAD)
    with pytest.raises(LocalProtocolError, match="one method"):
        scene.phone.request(11, nmi(3), 9, ALL, 0)
    with pytest.raises(LocalProtocolError, match="no session"):
        scene.phone.request(12, nmi(3), 9, M.PIN_KEYPAD, 0)
    with pytest.raises(LocalProtocolError, match="dialog token"):
        scene.phone.request(11, nmi(3), 9, M.PIN_KEYPAD, 0, dialog_token=0)


def test_dialog_tokens_count_up_and_never_become_zero() -> None:
    phone = bootstrapping(2, subscribe(), PROFILE)
    tokens = []
    for number in range(300):
        started, _ = phone.request(11, nmi(number % 200 + 3), 9, M.PIN_KEYPAD, 0)
        assert isinstance(started, BootstrappingStarted)
        tokens.append(started.dialog_token)
        phone.forget(nmi(number % 200 + 3))
    assert tokens == [number % 255 + 1 for number in range(300)]


def test_both_may_ask_each_other_at_once() -> None:
    scene = Scene()
    scene.phone = bootstrapping(2, subscribe(methods=ALL), PROFILE)
    scene.at_phone.engines = [scene.phone]
    scene.ask(M.OPPORTUNISTIC)
    scene.air.act(scene.at_camera, scene.camera.request(9, PHONE, 11, M.OPPORTUNISTIC, 0))
    scene.run(1)
    for station in (scene.at_camera, scene.at_phone):
        assert len(station.events(BootstrappingCompleted)) == 2


# Loss, time and repetition.


@pytest.mark.parametrize("lost", range(6))
def test_the_loss_of_any_message_is_made_up_for(lost: int) -> None:
    scene = Scene(lost=(lost,)).ask(M.PIN_KEYPAD).run(1.5)
    if scene.camera.waiting_for_user:
        scene.accept()
    scene.run(4)
    assert scene.is_agreed
    assert len(scene.at_camera.events(BootstrappingRequested)) == 1


@pytest.mark.parametrize("lost", range(3))
def test_the_loss_of_any_opportunistic_message_is_made_up_for(lost: int) -> None:
    assert Scene(lost=(lost,)).ask(M.OPPORTUNISTIC).run(4).is_agreed


@pytest.mark.parametrize("lost", range(2))
def test_the_loss_of_any_refusal_is_made_up_for(lost: int) -> None:
    scene = Scene(lost=(lost,), offered=M.OPPORTUNISTIC).ask(M.PIN_KEYPAD).run(4)
    assert scene.failure(scene.at_phone).reason == 13
    assert len(scene.at_camera.events(BootstrappingFailed)) == 1


@given(st.sets(st.integers(0, 30), max_size=12), st.booleans())
def test_whatever_is_lost_both_ends_agree_or_neither_has(lost: set[int], does_accept: bool) -> None:
    scene = Scene(lost=tuple(lost)).ask(M.PIN_KEYPAD)
    for _ in range(30):
        scene.run(1)
        if PHONE in scene.camera.waiting_for_user and not scene.at_camera.events(BootstrappingCompleted):
            try:
                _ = scene.accept() if does_accept else scene.reject()
            except LocalProtocolError:
                pass  # said already
    assert scene.is_agreed is does_accept


def test_the_reference_peer_and_the_loss_of_its_first_answer_wait_for_ever() -> None:
    scene = Scene(camera=REFERENCE_PEER, lost=(1,)).ask(M.PIN_KEYPAD).run(30)
    assert not scene.is_agreed
    assert "a request without the cookie while a comeback is pending" in scene.reasons


def test_retries_are_limited_if_the_profile_says_so() -> None:
    scene = Scene(phone=replace(PROFILE, max_retries=2), lost=tuple(range(100))).ask(M.PIN_KEYPAD).run(60)
    assert len(scene.air.frames) == 3
    failed = scene.failure(scene.at_phone)
    assert (failed.error, failed.rule) == ("ExchangeTimeoutError", "retries")
    assert scene.phone.deadline is None


def test_requests_are_repeated_every_second_for_ever_by_default() -> None:
    scene = Scene(lost=tuple(range(1000))).ask(M.PIN_KEYPAD).run(60)
    assert len(scene.air.frames) == 61
    assert not scene.at_phone.events(BootstrappingFailed)


def test_an_overall_timeout_ends_the_comebacks() -> None:
    scene = Scene(phone=replace(PROFILE, timeout=5 * SECOND)).ask(M.PIN_KEYPAD).run(20)
    assert scene.failure(scene.at_phone).rule == "timeout"
    assert scene.phone.deadline is None


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_comebacks_are_honoured_as_often_as_the_profile_says(limit: int) -> None:
    scene = Scene(phone=replace(PROFILE, max_comebacks=limit)).ask(M.PIN_KEYPAD).run(20)
    assert len(scene.at_phone.events(BootstrappingDeferred)) == limit
    failed = scene.failure(scene.at_phone)
    assert (failed.error, failed.came) == ("PeerRejectedError", f"comeback number {limit + 1}")


def test_a_peer_that_does_not_come_back_is_given_up() -> None:
    scene = Scene(phone=replace(PROFILE, max_comebacks=0)).ask(M.PIN_KEYPAD).run(30)
    assert scene.camera.waiting_for_user == (PHONE,)
    scene.run(31)
    assert scene.failure(scene.at_camera).error == "ExchangeTimeoutError"
    assert scene.camera.waiting_for_user == ()
    assert scene.camera.deadline is None


def test_what_was_answered_is_remembered_for_a_while_and_then_forgotten() -> None:
    scene = Scene().ask(M.OPPORTUNISTIC).run(1)
    assert scene.camera.deadline is not None
    scene.run(20)
    assert scene.camera.deadline is None
    assert scene.camera.agreement(PHONE) is not None
    scene.camera.forget(PHONE)
    assert scene.camera.agreement(PHONE) is None


@pytest.mark.parametrize(("unit", "wait"), [(TU, 100 * TU), (MILLISECOND, 100 * MILLISECOND)])
def test_comeback_times_are_time_units_except_to_the_reference_peer(unit: Micros, wait: Micros) -> None:
    scene = Scene(phone=replace(PROFILE, comeback_unit=unit)).ask(M.PIN_KEYPAD).run(0.05)
    assert scene.phone.deadline == 200 + wait


def test_in_strict_windows_messages_wait_for_one() -> None:
    scene = Scene(windows=DiscoveryWindows())
    scene.air.run(DW_PERIOD // 2)
    scene.ask(M.OPPORTUNISTIC)
    assert not scene.air.frames
    assert scene.phone.deadline == DW_PERIOD
    assert scene.run(2).is_agreed


# Cookies, tokens and instances.


def pending() -> tuple[Scene, PairingBootstrapping]:
    """A camera whose user thinks, and the request that comes back as it should."""
    scene = Scene().ask(M.PIN_KEYPAD).run(0.05)
    cookie = scene.messages()[-1].cookie
    return scene, PairingBootstrapping(1, NpbaType.REQUEST, NpbaStatus.COMEBACK, M.PIN_KEYPAD, cookie=cookie)


@pytest.mark.parametrize(
    ("changes", "instance", "reason"),
    [
        ({"cookie": b"none"}, 11, "cookie 6e6f6e65, expected"),
        ({"cookie": b""}, 11, "cookie , expected"),
        ({"dialog_token": 2}, 11, "dialog token 2, expected 1"),
        ({"methods": M.QR_SCAN}, 11, "method 0x0080, expected 0x0020"),
        ({}, 12, "instance 12, expected 11"),
    ],
)
def test_a_return_that_is_not_the_right_one_is_ignored_with_a_reason(
    changes: dict[str, Any], instance: int, reason: str
) -> None:
    scene, right = pending()
    scene.accept()
    wrong = follow_up_frame(
        local_device(2), subscribe(instance_id=instance), CAMERA, 9, carried=[replace(right, **changes)]
    )
    (ignored,) = scene.camera.receive_frame(wrong, scene.air.now)
    assert isinstance(ignored, FrameIgnored)
    assert reason in ignored.reason
    good = follow_up_frame(local_device(2), subscribe(), CAMERA, 9, carried=[right])
    assert isinstance(scene.camera.receive_frame(good, scene.air.now)[-1], BootstrappingCompleted)


def test_a_new_dialog_begins_anew() -> None:
    scene, _ = pending()
    again = PairingBootstrapping(7, NpbaType.REQUEST, NpbaStatus.ACCEPTED, M.PIN_KEYPAD)
    frame = follow_up_frame(local_device(2), subscribe(), CAMERA, 9, carried=[again])
    outputs = scene.camera.receive_frame(frame, scene.air.now)
    assert [type(each) for each in outputs] == [BootstrappingRequested, Transmit]


@pytest.mark.parametrize(
    ("message", "instance", "reason"),
    [
        (PairingBootstrapping(9, 2, 0, M.PIN_DISPLAY), 9, "dialog token 9, expected 1"),
        (PairingBootstrapping(1, 2, 0, M.PIN_DISPLAY), 8, "response from instance 8, which was not asked"),
        (PairingBootstrapping(1, 5, 0, M.PIN_DISPLAY), 9, "NPBA type 5"),
    ],
)
def test_answers_that_belong_elsewhere_are_ignored(message: PairingBootstrapping, instance: int, reason: str) -> None:
    scene = Scene().ask(M.PIN_KEYPAD)
    frame = follow_up_frame(local_device(1), publish(instance_id=instance), PHONE, 11, carried=[message])
    (ignored,) = scene.phone.receive_frame(frame, 1)
    assert isinstance(ignored, FrameIgnored)
    assert reason in ignored.reason


def test_messages_without_a_question_are_ignored() -> None:
    scene = Scene()
    answer = PairingBootstrapping(1, NpbaType.RESPONSE, NpbaStatus.ACCEPTED, M.PIN_DISPLAY)
    back = PairingBootstrapping(1, NpbaType.REQUEST, NpbaStatus.COMEBACK, M.PIN_KEYPAD, cookie=b"abcd")
    nowhere = follow_up_frame(local_device(2), subscribe(), CAMERA, 77, carried=[back])
    for engine, frame in (
        (scene.phone, follow_up_frame(local_device(1), publish(), PHONE, 11, carried=[answer])),
        (scene.camera, follow_up_frame(local_device(2), subscribe(), CAMERA, 9, carried=[back])),
        (scene.camera, nowhere),
    ):
        (ignored,) = engine.receive_frame(frame, 1)
        assert isinstance(ignored, FrameIgnored)
    other = replace(nowhere, destination=nmi(5))
    assert scene.camera.receive_frame(other, 1) == []
    assert scene.camera.receive_frame(follow_up_frame(local_device(2), subscribe(), CAMERA, 9), 1) == []


@pytest.mark.parametrize(
    ("message", "error", "rule"),
    [
        (PairingBootstrapping(1, 2, 0, M.QR_DISPLAY), "NegotiationError", "accepted method"),
        (PairingBootstrapping(1, 2, 0, M.PIN_KEYPAD), "NegotiationError", "accepted method"),
        (PairingBootstrapping(1, 2, 7, M.NONE), "RemoteProtocolError", "status"),
        (PairingBootstrapping(1, 2, 1, M.NONE, 2), "PeerRejectedError", "status"),
    ],
)
def test_answers_that_end_it_say_what_was_expected(message: PairingBootstrapping, error: str, rule: str) -> None:
    scene = Scene().ask(M.PIN_KEYPAD)
    frame = follow_up_frame(local_device(1), publish(), PHONE, 11, carried=[message])
    (failed,) = scene.phone.receive_frame(frame, 1)
    assert isinstance(failed, BootstrappingFailed)
    assert (failed.error, failed.rule) == (error, rule)
    assert failed.expected
    assert failed.came
    assert scene.phone.receive_frame(frame, 2)[0] != failed, "it is over"


def test_too_many_peers_are_turned_away_for_want_of_resources() -> None:
    scene = Scene()
    for number in range(MAX_RESPONDERS + 1):
        device = replace(local_device(2), nmi=nmi(100 + number))
        request = PairingBootstrapping(1, NpbaType.REQUEST, NpbaStatus.ACCEPTED, M.PIN_KEYPAD)
        frame = follow_up_frame(device, subscribe(), CAMERA, 9, carried=[request])
        outputs = scene.camera.receive_frame(frame, 1)
    assert [type(each) for each in outputs] == [Transmit, FrameIgnored]
    assert isinstance(outputs[0], Transmit)
    answer = decode_nan_frame(outputs[0].payload).find(PairingBootstrapping)
    assert answer is not None
    assert (answer.status, answer.reason) == (NpbaStatus.REJECTED, 2)
    assert len(scene.camera.waiting_for_user) == MAX_RESPONDERS


@given(st.binary(max_size=100))
def test_arbitrary_octets_end_in_one_named_refusal(octets: bytes) -> None:
    scene = Scene()
    assert [type(each) for each in scene.camera.receive(octets, PHONE, 1)] == [FrameIgnored]


@given(st.integers(24, 80), st.integers(0, 255))
def test_a_bent_request_never_raises(place: int, value: int) -> None:
    scene, right = pending()
    octets = bytearray(follow_up_frame(local_device(2), subscribe(), CAMERA, 9, carried=[right]).encode())
    octets[place % len(octets)] = value
    outputs = scene.camera.receive(bytes(octets), PHONE, scene.air.now)
    assert len(outputs) <= 2


def test_bootstrapping_with_a_peer_that_we_share_keys_with_is_protected() -> None:
    discovery = Discovery(local_device(1))
    discovery.publish(publish(), 0)
    discovery.protect(PHONE)
    camera = Bootstrapping(discovery, counting_entropy())
    request = PairingBootstrapping(1, NpbaType.REQUEST, NpbaStatus.ACCEPTED, M.OPPORTUNISTIC)
    plain = follow_up_frame(local_device(2), subscribe(), CAMERA, 9, carried=[request])
    assert [type(each) for each in camera.receive_frame(plain, 1)] == [FrameIgnored]
    protected = follow_up_frame(local_device(2), subscribe(), CAMERA, 9, carried=[request], is_protected=True)
    answer, _ = camera.receive_frame(protected, 1)
    assert isinstance(answer, Transmit)
    assert decode_nan_frame(answer.payload).is_protected_dual


# Profiles.


def test_an_iphone_rejects_the_initiators_own_role_without_a_reason() -> None:
    scene = Scene(camera=IOS_26_PUBLISHER, offered=M.PIN_DISPLAY).ask(M.PIN_KEYPAD).run(0.1)
    answer = scene.messages()[-1]
    assert (answer.status, answer.reason) == (NpbaStatus.REJECTED, 0)
    assert "the bit it advertised (0x0002) would be accepted" in scene.failure(scene.at_phone).hint


def test_an_iphone_does_not_reject_its_own_bit_but_shows_nothing() -> None:
    asking = replace(PROFILE, reading=IOS_26_PUBLISHER.reading, accepted_bit=IOS_26_PUBLISHER.accepted_bit)
    scene = Scene(camera=IOS_26_PUBLISHER, phone=asking, offered=M.PIN_DISPLAY).ask(M.PIN_KEYPAD).run(5)
    assert scene.messages()[0].methods == M.PIN_DISPLAY
    assert not scene.at_camera.events(BootstrappingRequested)
    assert not scene.at_phone.events(BootstrappingFailed)
    assert not scene.is_agreed


def test_two_androids_agree_at_once_and_one_comeback_is_honoured() -> None:
    scene = Scene(camera=ANDROID_FRAMEWORK, phone=ANDROID_FRAMEWORK).ask(M.PIN_KEYPAD).run(0.1)
    assert scene.is_agreed
    assert [each.methods for each in scene.messages()] == [M.PIN_DISPLAY, M.PIN_DISPLAY]
    scene = Scene(phone=ANDROID_FRAMEWORK).ask(M.PIN_KEYPAD).run(25)
    assert scene.failure(scene.at_phone).rule == "comebacks"


def test_an_android_asking_a_peer_that_takes_complements_is_explained() -> None:
    scene = Scene(phone=ANDROID_FRAMEWORK, offered=M.PIN_DISPLAY).ask(M.PIN_KEYPAD).run(0.1)
    failed = scene.failure(scene.at_phone)
    assert "this peer takes the complement" in failed.hint
    assert "(0x0020)" in failed.hint


@pytest.mark.parametrize("phone", [PROFILE, ANDROID_FRAMEWORK, replace(PROFILE, reading=MethodReading.EITHER)])
def test_a_responder_that_takes_either_bit_agrees_with_everybody(phone: BootstrappingProfile) -> None:
    tolerant = replace(PROFILE, reading=MethodReading.EITHER, auto_accept=ALL)
    scene = Scene(camera=tolerant, phone=phone, offered=M.PIN_DISPLAY).ask(M.PIN_KEYPAD).run(0.1)
    assert scene.is_agreed
    assert scene.at_camera.events(BootstrappingCompleted)[0].method is M.PIN_DISPLAY
    scene = Scene(camera=tolerant, phone=phone, offered=M.PIN_DISPLAY).ask(M.QR_SCAN).run(0.1)
    assert scene.failure(scene.at_phone).error == "PeerRejectedError"


def test_rejections_are_explained_only_by_mistakes_that_fit() -> None:
    assert explain_reject(M.PIN_KEYPAD, M.NONE) == "the peer advertised no bootstrapping method"
    assert explain_reject(M.PIN_KEYPAD, M.QR_DISPLAY) == "the peer did not advertise this method"
    assert explain_reject(M.OPPORTUNISTIC, M.OPPORTUNISTIC) == ""


# Every state and every input.


def initiator_in(state: InitiatorState) -> BootstrappingInitiator:
    partner = Partner(local_device(2), subscribe(), CAMERA, 9)
    engine = BootstrappingInitiator(partner, PROFILE, M.PIN_KEYPAD, 1)
    if state is InitiatorState.IDLE:
        return engine
    engine.start(0)
    if state in (InitiatorState.DEFERRED, InitiatorState.RETURNED):
        engine.on_response(COMEBACK, 0)
        if state is InitiatorState.RETURNED:
            engine.handle_timeout(SECOND)
    elif state is InitiatorState.COMPLETED:
        engine.on_response(ACCEPTED, 0)
    elif state is InitiatorState.FAILED:
        engine.cancel(0)
    return engine


COMEBACK = PairingBootstrapping(1, 2, 2, M.NONE, comeback_after=100, cookie=b"abcd")
ACCEPTED = PairingBootstrapping(1, 2, 0, M.PIN_DISPLAY)
REJECTED = PairingBootstrapping(1, 2, 1, M.NONE, 13)
ANSWERS = {
    InitiatorInput.COMEBACK_ASKED: COMEBACK,
    InitiatorInput.ACCEPTED: ACCEPTED,
    InitiatorInput.REFUSED: REJECTED,
}


@pytest.mark.parametrize("state", InitiatorState)
@pytest.mark.parametrize("by", ANSWERS)
def test_an_initiator_takes_each_answer_as_its_table_says(state: InitiatorState, by: InitiatorInput) -> None:
    engine = initiator_in(state)
    assert engine.state is state
    outputs = engine.on_response(ANSWERS[by], 2 * SECOND)
    assert engine.state is INITIATOR_TRANSITIONS.get((state, by), state)
    if (state, by) not in INITIATOR_TRANSITIONS:
        assert [type(each) for each in outputs] == [FrameIgnored]


@pytest.mark.parametrize("state", InitiatorState)
@pytest.mark.parametrize("by", [InitiatorInput.START, InitiatorInput.CANCEL])
def test_an_initiator_refuses_intents_outside_its_table(state: InitiatorState, by: InitiatorInput) -> None:
    engine = initiator_in(state)
    intent: Callable[[Micros], object] = engine.start if by is InitiatorInput.START else engine.cancel
    if (state, by) in INITIATOR_TRANSITIONS:
        intent(0)
        assert engine.state is INITIATOR_TRANSITIONS[state, by]
    else:
        with pytest.raises(LocalProtocolError):
            intent(0)
        assert engine.state is state


def responder_in(state: ResponderState) -> BootstrappingResponder:
    method = M.OPPORTUNISTIC if state is ResponderState.COMPLETED else M.PIN_KEYPAD
    offered = M.NONE if state is ResponderState.REJECTED else ALL
    partner = Partner(local_device(1), publish(offered), PHONE, 11)
    request = PairingBootstrapping(1, NpbaType.REQUEST, NpbaStatus.ACCEPTED, method)
    engine = BootstrappingResponder(partner, PROFILE, lambda length: b"abcd", request)
    if state is ResponderState.IDLE:
        return engine
    engine.start(0)
    if state is ResponderState.AUTHORISED:
        engine.accept(0)
    elif state is ResponderState.REFUSED:
        engine.reject(0)
    elif state is ResponderState.ABANDONED:
        engine.handle_timeout(61 * SECOND)
    return engine


@pytest.mark.parametrize("state", ResponderState)
@pytest.mark.parametrize("by", [ResponderInput.REPEATED, ResponderInput.RETURNED])
def test_a_responder_takes_each_request_as_its_table_says(state: ResponderState, by: ResponderInput) -> None:
    engine = responder_in(state)
    assert engine.state is state
    back = PairingBootstrapping(1, NpbaType.REQUEST, NpbaStatus.COMEBACK, M.PIN_KEYPAD, cookie=b"abcd")
    outputs = engine.on_repetition(1) if by is ResponderInput.REPEATED else engine.on_return(back, 11, 1)
    never_deferred = state in (ResponderState.COMPLETED, ResponderState.REJECTED) and by is ResponderInput.RETURNED
    if (state, by) in RESPONDER_TRANSITIONS and not never_deferred:
        assert isinstance(outputs[0], Transmit)
        assert engine.state is RESPONDER_TRANSITIONS[state, by]
    else:
        assert [type(each) for each in outputs] == [FrameIgnored]
        assert engine.state is state


@pytest.mark.parametrize("state", ResponderState)
@pytest.mark.parametrize("by", [ResponderInput.ACCEPT, ResponderInput.REJECT])
def test_a_responder_refuses_intents_outside_its_table(state: ResponderState, by: ResponderInput) -> None:
    engine = responder_in(state)
    intent: Callable[[Micros], object] = engine.accept if by is ResponderInput.ACCEPT else engine.reject
    if (state, by) in RESPONDER_TRANSITIONS:
        assert intent(0) == []
        assert engine.state is RESPONDER_TRANSITIONS[state, by]
    else:
        with pytest.raises(LocalProtocolError):
            intent(0)
        assert engine.state is state


def test_timeouts_that_come_early_do_nothing() -> None:
    scene = Scene().ask(M.PIN_KEYPAD)
    assert scene.phone.handle_timeout(1) == []
    scene.run(0.05)
    assert scene.camera.handle_timeout(scene.air.now) == []
