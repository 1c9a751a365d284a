"""Data paths between two devices: every kind of security, refusals, loss of any frame, lies, re-keying, states."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from pairing.engine import SECOND, Event, FrameIgnored, Micros
from pairing.errors import LocalProtocolError
from pairing.ieee80211.frames import ManagementFrame
from pairing.nan.attributes import (
    CipherSuiteInfo,
    DeviceCapability,
    KeyInfo,
    Ndc,
    Ndl,
    NdlControl,
    NdlType,
    Ndp,
    NdpExtension,
    NegotiationStatus,
    ReasonCode,
    ScheduleEntry,
    SdeaControl,
    SharedKeyDescriptor,
)
from pairing.nan.availability import TimeBitmap
from pairing.nan.data_path_events import (
    DataPathClosed,
    DataPathFailed,
    DataPathOpened,
    DataPathRequested,
    DataPathStarted,
)
from pairing.nan.data_path_rules import DataPathLies, DataPathSettings, strength
from pairing.nan.data_path_states import (
    INITIATOR_TRANSITIONS,
    RESPONDER_TRANSITIONS,
    InitiatorInput,
    InitiatorState,
    ResponderInput,
    ResponderState,
)
from pairing.nan.device_settings import NanLies
from pairing.nan.frames import NafSubtype, NanActionFrame, decode_nan_frame
from pairing.nan.platform_rules import DataPathSecurity
from pairing.pasn.events import LieTold
from tests.support.nan_air import (
    CAMERA,
    CAMERA_NDI,
    PHONE,
    PHONE_NDI,
    Fate,
    Fates,
    Home,
    Node,
    delivered,
    home,
    losing,
)
from tests.support.nan_people import People, pair, paired_home, path_ends

WAYS = ("open", "passphrase-1", "passphrase-2", "paired")
PHRASE = "hello-world"
FINAL_I = (InitiatorState.CLOSED, InitiatorState.FAILED)
FINAL_R = (ResponderState.CLOSED, ResponderState.FAILED)


def ready(way: str, fates: Fates = delivered, seed: object = 0, *, is_told: bool = True, **made: object) -> Home:
    """A home in which the phone may ask for a data path of that kind; faults begin with the next frame."""
    calm, before = [True], [0]

    def later(number: int, frame: bytes) -> Fate:
        return delivered(number, frame) if calm[0] else fates(number - before[0], frame)

    if way == "paired":
        there = paired_home(fates=later, seed=seed, is_told=is_told, **made)
    else:
        suite = 2 if way.endswith("2") else 1
        service = {"cipher_suites": CipherSuiteInfo.of(5, suite)} if way != "open" else {}
        offer: dict[str, object] = {"passphrase": PHRASE} if way != "open" else {}
        there = home(later, seed=seed, is_told=is_told, camera_session=service, publishing=offer, **made)  # type: ignore[arg-type]
        People().live_in(there)
    before[0] = len(there.wire.sent)
    calm[0] = False
    for node in (there.phone, there.camera):
        node.events.clear()
    return there


def ask(there: Home, way: str, phrase: str = PHRASE) -> None:
    passphrase = phrase if way.startswith("passphrase") else None
    there.wire.do(there.phone, there.phone.device.open_data_path(CAMERA, there.wire.now, passphrase=passphrase))


def opened(way: str, **made: object) -> Home:
    there = ready(way, **made)  # type: ignore[arg-type]
    ask(there, way)
    return finished(there)


def finished(there: Home) -> Home:
    there.wire.run(there.wire.now + 100 * SECOND)
    return there


def failure(node: Node) -> DataPathFailed:
    (ended,) = path_ends(node)
    assert isinstance(ended, DataPathFailed)
    return ended


def news(there: Home, kind: type[Event]) -> tuple[Event, Event]:
    (mine,), (theirs,) = there.phone.of(kind), there.camera.of(kind)
    return mine, theirs


# Dialogues.


@pytest.mark.parametrize("way", WAYS)
def test_data_path_opens_on_both_sides_with_the_same_keys(way: str) -> None:
    there = opened(way)
    mine, theirs = news(there, DataPathOpened)
    assert isinstance(mine, DataPathOpened)
    assert isinstance(theirs, DataPathOpened)
    assert mine.keys.ptk == theirs.keys.ptk
    assert (mine.keys.ptk is None) == (way == "open")
    assert (mine.own_ndi, mine.peer_ndi) == (theirs.peer_ndi, theirs.own_ndi)
    assert (mine.own_address, mine.peer_address) == (theirs.peer_address, theirs.own_address)
    assert mine.own_address == "fe80::ff:fe00:f1"
    assert mine.security == theirs.security == way.split("-")[0]
    assert there.phone.device.open_data_paths == there.camera.device.open_data_paths == (1,)
    assert len(there.phone.of(DataPathStarted)) == len(there.camera.of(DataPathRequested)) == 1


@pytest.mark.parametrize("way", WAYS)
def test_medium_that_tells_nothing_is_believed_to_deliver(way: str) -> None:
    there = opened(way, is_told=False)
    assert news(there, DataPathOpened)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("closes", ["phone", "camera"])
def test_either_side_closes_and_both_are_told(way: str, closes: str) -> None:
    there = opened(way)
    node, other = (there.phone, there.camera) if closes == "phone" else (there.camera, there.phone)
    there.wire.do(node, node.device.close_data_path(1, there.wire.now))
    finished(there)
    (ours,), (theirs,) = node.of(DataPathClosed), other.of(DataPathClosed)
    assert (ours.by_peer, theirs.by_peer) == (False, True)
    assert (ours.reason, theirs.reason) == (1, 1)
    assert there.phone.device.open_data_paths == there.camera.device.open_data_paths == ()


def test_end_of_a_secure_path_between_strangers_is_protected_from_interface_to_interface() -> None:
    there = opened("passphrase-1")
    there.wire.sent.clear()
    there.wire.do(there.phone, there.phone.device.close_data_path(1, there.wire.now))
    finished(there)
    (end,) = there.wire.sent
    assert (end[4:10], end[10:16]) == (CAMERA_NDI, PHONE_NDI)
    assert ManagementFrame.decode(end).is_protected
    assert there.camera.of(DataPathClosed)


def test_frames_of_a_paired_path_are_protected_between_management_addresses() -> None:
    there = ready("paired")
    there.wire.sent.clear()
    ask(there, "paired")
    finished(there)
    assert len(there.wire.sent) == 4
    assert all(ManagementFrame.decode(each).is_protected and each[10:16] in (PHONE, CAMERA) for each in there.wire.sent)


def test_service_info_travels_with_request_and_response() -> None:
    there = ready("open")
    there.wire.owner = lambda node, event: (
        there.wire.do(node, node.device.accept_data_path(1, there.wire.now, service_info=b"port 8443"))
        if isinstance(event, DataPathRequested)
        else None
    )
    there.wire.do(there.phone, there.phone.device.open_data_path(CAMERA, there.wire.now, service_info=b"hello"))
    finished(there)
    (requested,), (mine,) = there.camera.of(DataPathRequested), there.phone.of(DataPathOpened)
    assert (requested.service_info, mine.service_info) == (b"hello", b"port 8443")


def test_device_without_ndpe_is_met_with_the_older_attribute() -> None:
    old = {"device_capability": DeviceCapability(committed_dw=1)}
    there = ready("passphrase-1", camera=old)
    ask(there, "passphrase-1")
    finished(there)
    (mine,) = there.phone.of(DataPathOpened)
    assert mine.peer_address == ""
    frames = [decode_nan_frame(each) for each in there.wire.sent if not ManagementFrame.decode(each).is_protected]
    actions = [each for each in frames if isinstance(each, NanActionFrame)]
    assert all(each.find(Ndp) is not None and each.find(NdpExtension) is None for each in actions)


def test_given_pmk_opens_a_path_without_a_passphrase() -> None:
    there = home(camera_session={"cipher_suites": CipherSuiteInfo.of(5, 1)})
    there.wire.owner = lambda node, event: (
        there.wire.do(node, node.device.accept_data_path(1, there.wire.now, pmk=b"p" * 32))
        if isinstance(event, DataPathRequested)
        else None
    )
    there.wire.do(there.phone, there.phone.device.open_data_path(CAMERA, there.wire.now, pmk=b"p" * 32))
    finished(there)
    mine, theirs = news(there, DataPathOpened)
    assert mine.keys == theirs.keys  # type: ignore[attr-defined]
    with pytest.raises(LocalProtocolError, match="32 octets"):
        there.phone.device.open_data_path(CAMERA, there.wire.now, pmk=b"short")


@pytest.mark.parametrize(("suite", "capabilities"), [(1, 0b00010), (2, 0b10100)])
def test_group_keys_are_exchanged_where_both_offer_them(suite: int, capabilities: int) -> None:
    table = {"data_path": DataPathSettings(security_capabilities=capabilities)}
    service = {
        "cipher_suites": CipherSuiteInfo.of(5, suite, capabilities=capabilities),
        "sdea_control": SdeaControl.DATA_PATH_REQUIRED | SdeaControl.SECURITY_REQUIRED | SdeaControl.GTK_REQUIRED,
    }
    there = home(phone=table, camera=table, camera_session=service, publishing={"passphrase": PHRASE})
    People().live_in(there)
    ask(there, "passphrase")
    finished(there)
    mine, theirs = news(there, DataPathOpened)
    assert isinstance(mine, DataPathOpened)
    assert isinstance(theirs, DataPathOpened)
    assert (mine.keys.own, mine.keys.peer) == (theirs.keys.peer, theirs.keys.own)
    assert mine.keys.own.igtk != mine.keys.peer.igtk
    assert mine.keys.own.gtk is not None
    assert len(mine.keys.own.gtk) == (16 if suite == 1 else 32)
    assert (mine.keys.own.bigtk is None) == (capabilities == 0b00010)


# Several paths.


def test_second_path_between_the_same_interfaces_keeps_the_stronger_key() -> None:
    there = opened("passphrase-2")
    before = there.phone.of(DataPathOpened)[-1].keys.ptk
    there.wire.do(there.phone, there.phone.device.open_data_path(CAMERA, there.wire.now, passphrase=PHRASE, suite=1))
    finished(there)
    (_, second), (_, theirs) = there.phone.of(DataPathOpened), there.camera.of(DataPathOpened)
    assert (second.suite, second.is_key_in_use, theirs.is_key_in_use) == (1, False, False)
    assert before is not None
    assert there.phone.device.open_data_paths == (1, 2)
    there.wire.do(there.phone, there.phone.device.close_data_path(1, there.wire.now))
    finished(there)
    assert there.phone.device.open_data_paths == there.camera.device.open_data_paths == (2,)


def test_stronger_second_path_takes_its_key_into_use() -> None:
    there = opened("passphrase-1")
    there.wire.do(there.phone, there.phone.device.open_data_path(CAMERA, there.wire.now, passphrase=PHRASE, suite=2))
    finished(there)
    (_, second), (_, theirs) = there.phone.of(DataPathOpened), there.camera.of(DataPathOpened)
    assert second.is_key_in_use
    assert theirs.is_key_in_use
    there.wire.do(there.camera, there.camera.device.close_data_path(2, there.wire.now))
    finished(there)
    assert there.phone.of(DataPathClosed)[-1].by_peer


def test_order_of_strength_is_the_reference_peers() -> None:
    order = [(8, True), (7, True), (2, True), (1, True), (8, False), (7, False), (0, False)]
    ranks = [strength(suite, is_authenticated=known) for suite, known in order]
    assert ranks == sorted(ranks, reverse=True)
    assert len({*ranks}) == len(order)


def test_paths_with_several_phones_live_side_by_side() -> None:
    there = opened("open")
    other = there.wire.add(other_phone())
    from tests.support.nan_air import phone_service

    there.wire.do(other, other.device.subscribe(phone_service(), there.wire.now))
    there.wire.run_until(there.wire.now + SECOND)
    there.wire.do(other, other.device.open_data_path(CAMERA, there.wire.now))
    finished(there)
    assert len(there.camera.device.open_data_paths) == 2
    there.wire.do(there.phone, there.phone.device.close_data_path(1, there.wire.now))
    finished(there)
    assert other.device.open_data_paths == (1,)
    assert there.camera.device.open_data_paths == (2,)


def other_phone() -> object:
    from tests.support.nan_air import settings

    return settings(bytes.fromhex("020000000003"), bytes.fromhex("0200000000f3"))


# Refusals and failures.


def test_rejection_by_the_owner_has_reason_10() -> None:
    there = ready("open")
    there.wire.owner = lambda node, event: (
        there.wire.do(node, node.device.reject_data_path(1, there.wire.now))
        if isinstance(event, DataPathRequested)
        else None
    )
    ask(there, "open")
    finished(there)
    mine, theirs = failure(there.phone), failure(there.camera)
    assert (mine.error, mine.reason) == ("PeerRejectedError", ReasonCode.NDP_REJECTED)
    assert theirs.reason == ReasonCode.NDP_REJECTED


@pytest.mark.parametrize("suite", [1, 2])
def test_wrong_passphrase_is_named_on_both_sides_with_reason_3(suite: int) -> None:
    there = ready(f"passphrase-{suite}")
    ask(there, "passphrase", "another one")
    finished(there)
    for node in (there.phone, there.camera):
        ended = failure(node)
        assert (ended.error, ended.rule, ended.reason) == ("AuthenticationError", "ND-PMKID", 3)
        assert ended.mistake == ""


@pytest.mark.parametrize(
    ("way", "table", "service", "reason", "rule"),
    [
        (
            "open",
            {"accepts": frozenset({DataPathSecurity.PAIRED})},
            {},
            ReasonCode.SECURITY_POLICY,
            "data-path-security",
        ),
        ("open", {}, {"sdea_control": SdeaControl.SECURITY_REQUIRED}, ReasonCode.SECURITY_POLICY, "service"),
        ("open", {"max_data_paths": 0}, {}, ReasonCode.RESOURCE_LIMITATION, "number of data paths"),
        (
            "passphrase",
            {"accepts": frozenset({DataPathSecurity.PAIRED})},
            {},
            ReasonCode.SECURITY_POLICY,
            "data-path-security",
        ),
    ],
)
def test_request_against_a_rule_is_refused_by_its_name(
    way: str, table: dict[str, object], service: dict[str, object], reason: int, rule: str
) -> None:
    data_path = replace(DataPathSettings(), **table)  # type: ignore[arg-type]
    there = home(camera={"data_path": data_path}, camera_session=service, publishing={"passphrase": PHRASE})
    People().live_in(there)
    ask(there, way)
    finished(there)
    mine, theirs = failure(there.phone), failure(there.camera)
    assert (mine.error, mine.reason) == ("PeerRejectedError", reason)
    assert (theirs.rule, theirs.reason) == (rule, reason)
    assert not there.camera.of(DataPathRequested)


def test_paired_peer_is_given_no_lesser_security() -> None:
    there = ready("paired")
    phone_forgets(there)
    ask(there, "open")
    finished(there)
    assert failure(there.phone).error == "ExchangeTimeoutError"  # unprotected frames of a paired peer are dropped
    assert [each for each in there.camera.of(FrameIgnored) if "not protected" in each.reason]


def phone_forgets(there: Home) -> None:
    there.phone.device._core.protection.remove(PHONE, CAMERA)


def test_owner_who_never_decides_lets_both_fail() -> None:
    there = ready("open")
    there.wire.owner = lambda node, event: None
    ask(there, "open")
    finished(there)
    assert failure(there.phone).error == "ExchangeTimeoutError"
    assert failure(there.camera).error in ("ExchangeTimeoutError", "PeerRejectedError")


def test_path_that_is_given_up_before_it_opens_fails_on_both_sides() -> None:
    there = ready("open")
    there.wire.owner = lambda node, event: None
    ask(there, "open")
    there.wire.run_until(there.wire.now + SECOND)
    there.wire.do(there.phone, there.phone.device.close_data_path(1, there.wire.now))
    finished(there)
    assert failure(there.phone).error == "cancelled"
    assert failure(there.camera).error == "PeerRejectedError"


def test_intents_for_paths_that_are_not_there_are_our_own_mistakes() -> None:
    there = opened("open")
    device, now = there.phone.device, there.wire.now
    for wrong in (
        lambda: device.accept_data_path(1, now),
        lambda: device.reject_data_path(9, now),
        lambda: device.close_data_path(9, now),
        lambda: device.open_data_path(b"\x02\0\0\0\0\x77", now),
    ):
        with pytest.raises(LocalProtocolError):
            wrong()


def test_path_cannot_begin_while_pairing_goes_on() -> None:
    there = home()
    pair(there)
    with pytest.raises(LocalProtocolError, match="in progress"):
        ask(there, "open")


# Loss, repetition, seeds.


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("way", WAYS)
def test_loss_of_any_one_frame_is_made_up_for(way: str, number: int) -> None:
    there = opened(way, fates=losing(number))
    assert news(there, DataPathOpened)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("way", WAYS)
def test_silence_from_any_frame_on_ends_both(way: str, number: int) -> None:
    there = opened(way, fates=losing(*range(number, 5000)))
    is_open = there.phone.device.open_data_paths, there.camera.device.open_data_paths
    assert is_open[0] == is_open[1]
    assert path_ends(there.phone)
    assert bool(there.camera.of(DataPathRequested)) == bool(path_ends(there.camera))


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("way", WAYS)
def test_repeated_frames_do_no_harm(way: str, number: int) -> None:
    def twice(at: int, frame: bytes) -> Fate:
        return Fate(((0, frame), (40_000, frame))) if at == number else delivered(at, frame)

    there = opened(way, fates=twice)
    assert news(there, DataPathOpened)


@pytest.mark.parametrize("seed", range(100))
def test_both_have_the_path_or_neither(seed: int) -> None:
    sweep(seed)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_both_have_the_path_or_neither_whatever_the_seed(part: int) -> None:
    for seed in range(1000 + 500 * part, 1500 + 500 * part):
        sweep(seed)


def sweep(seed: int) -> None:
    chance = random.Random(seed)
    loss, doubled = chance.choice((0, 0.1, 0.3, 0.5, 0.7)), chance.choice((0, 0.2))
    delay: Micros = chance.choice((0, 50_000, 900_000))

    def fate(number: int, frame: bytes) -> Fate:
        if chance.random() < loss:
            return Fate(())
        late = int(chance.random() * delay) if chance.random() < 0.3 else 0
        again = ((int(chance.random() * delay), frame),) if chance.random() < doubled else ()
        return Fate(((late, frame), *again))

    way, is_right = chance.choice(WAYS), chance.random() < 0.8
    there = ready(way, fate, seed)
    ask(there, way, PHRASE if is_right else "another one")
    finished(there)
    mine, theirs = there.phone.device.open_data_paths, there.camera.device.open_data_paths
    assert len(mine) == len(theirs) <= 1, f"seed {seed}"
    assert path_ends(there.phone), f"seed {seed}"
    if mine:
        assert is_right or way in ("open", "paired"), f"seed {seed}"
        assert there.phone.of(DataPathOpened)[-1].keys.ptk == there.camera.of(DataPathOpened)[-1].keys.ptk


# Lies and known mistakes.


@pytest.mark.parametrize("number", [2, 4])
@pytest.mark.parametrize(("lie", "name"), [("wrong_mic_at", "wrong-mic-at"), ("silent_at", "silent-at")])
def test_lie_of_the_camera_is_told_and_neither_has_the_path(lie: str, name: str, number: int) -> None:
    there = ready("passphrase-1")
    there.camera.device.tell_lies(NanLies(data_path=DataPathLies(**{lie: number})))
    ask(there, "passphrase")
    finished(there)
    told = there.camera.of(LieTold)[0]
    assert (told.lie, told.frame) == (name, number)
    assert there.phone.device.open_data_paths == there.camera.device.open_data_paths == ()
    assert isinstance(path_ends(there.phone)[-1], DataPathFailed)
    if lie == "wrong_mic_at":
        assert failure(there.phone).error == "AuthenticationError"


@pytest.mark.parametrize("number", [1, 3])
def test_silence_of_the_phone_is_a_lie_too(number: int) -> None:
    there = ready("passphrase-1")
    there.phone.device.tell_lies(NanLies(data_path=DataPathLies(silent_at=number)))
    ask(there, "passphrase")
    finished(there)
    assert there.phone.of(LieTold)
    assert there.phone.device.open_data_paths == there.camera.device.open_data_paths == ()


def test_rejection_on_purpose_has_the_reason_that_was_asked_for() -> None:
    there = ready("open")
    there.camera.device.tell_lies(NanLies(data_path=DataPathLies(reject_reason=ReasonCode.NDL_UNACCEPTABLE)))
    ask(there, "open")
    finished(there)
    assert failure(there.phone).reason == ReasonCode.NDL_UNACCEPTABLE


def bent(change: Callable[[NanActionFrame], NanActionFrame], subtype: int) -> Fates:
    """Frames of that subtype arrive changed, and as if nothing had happened to them."""

    def fate(number: int, frame: bytes) -> Fate:
        decoded = decode_nan_frame(frame)
        is_it = isinstance(decoded, NanActionFrame) and decoded.subtype == subtype
        return Fate(((0, change(decoded).encode()),)) if is_it else delivered(number, frame)  # type: ignore[arg-type]

    return fate


def with_key_info(frame: NanActionFrame, info: int) -> NanActionFrame:
    carried = frame.find(SharedKeyDescriptor)
    assert carried is not None
    descriptor = replace(carried.key_descriptor(16), key_info=KeyInfo(info)).encode()
    changed = SharedKeyDescriptor(carried.publish_id, descriptor)
    return replace(frame, attributes=tuple(changed if each is carried else each for each in frame.attributes))


@pytest.mark.parametrize("subtype", [6, 7, 8])
def test_forged_message_is_ignored_and_the_right_one_still_counts(subtype: int) -> None:
    sent = [0]
    forge = bent(lambda frame: with_key_info(frame, 0x10), subtype)

    def once(number: int, frame: bytes) -> Fate:
        fate = forge(number, frame)
        if fate.arrivals[0][1] != frame and not sent[0]:
            sent[0] += 1
            return fate
        return delivered(number, frame)

    there = opened("passphrase-1", fates=once)
    assert sent == [1]
    assert news(there, DataPathOpened)


def test_message_that_stays_wrong_fails_by_its_rule() -> None:
    there = opened("passphrase-1", fates=bent(lambda frame: with_key_info(frame, 0x10), 6))
    ended = failure(there.phone)
    assert ended.error == "RemoteProtocolError"
    assert "key info 0x0010" in ended.came
    assert ended.came.startswith("M2")


# States.


def test_every_state_has_a_way_out_and_final_states_none() -> None:
    for state in InitiatorState:
        moves = {by for (at, by) in INITIATOR_TRANSITIONS if at is state}
        assert bool(moves) == (state not in FINAL_I)
        if state not in (*FINAL_I, InitiatorState.IDLE):
            assert {InitiatorInput.CLOSE, InitiatorInput.TERMINATED} <= moves
    for at in ResponderState:
        answers = {by for (before, by) in RESPONDER_TRANSITIONS if before is at}
        assert bool(answers) == (at not in FINAL_R)
        if at not in (*FINAL_R, ResponderState.IDLE):
            assert {ResponderInput.CLOSE, ResponderInput.TERMINATED} <= answers


@pytest.mark.parametrize("way", WAYS)
def test_frames_of_another_path_change_nothing_at_any_step(way: str) -> None:
    old = opened(way, seed="another")
    frames = [each for each in old.wire.sent if each[0] == 0xD0 and not each[4] & 1]
    for step in range(8):
        there = ready(way)
        ask(there, way)
        for _ in range(2 * step):
            there.wire._step(there.wire.now + SECOND)
        for frame in frames:
            node = there.camera if frame[4:10] == CAMERA else there.phone
            there.wire.do(node, node.device.receive(frame, frame[10:16], there.wire.now))
        finished(there)
        assert len(there.phone.device.open_data_paths) == len(there.camera.device.open_data_paths)


# Schedules: what an independent NAN device does and our own two never would.


def frames_of(there: Home) -> list[NanActionFrame]:
    """The data path frames of an open path, in order."""
    read = [decode_nan_frame(each) for each in there.wire.sent]
    return [each for each in read if isinstance(each, NanActionFrame)]


def test_responder_gives_the_schedule_a_name_that_the_request_leaves_unnamed() -> None:
    unnamed = DataPathSettings(ndl_control=NdlControl.QOS_PRESENT)
    there = opened("open", phone={"data_path": unnamed})
    request, response, *_ = frames_of(there)
    assert request.find(Ndc) is None
    named = response.find(Ndc)
    assert named is not None
    assert any(named.ndc_id)
    assert news(there, DataPathOpened)


def test_confirm_agrees_to_the_schedule_that_the_responder_proposes() -> None:
    proposed = Ndc(bytes(range(6)), 1, (ScheduleEntry(1, TimeBitmap(b"\xfe\xff\xfe\xff")),))

    def counter(number: int, frame: bytes) -> Fate:
        heard = decode_nan_frame(frame)
        if not isinstance(heard, NanActionFrame) or heard.subtype != NafSubtype.DATA_PATH_RESPONSE:
            return delivered(number, frame)
        ndl = heard.find(Ndl)
        assert ndl is not None
        bent = {ndl: replace(ndl, status=NegotiationStatus.CONTINUED), heard.find(Ndc): proposed}
        attributes = tuple(bent.get(each, each) for each in heard.attributes)
        return delivered(number, replace(heard, attributes=attributes).encode())

    there = opened("open", fates=counter)
    confirm = next(each for each in frames_of(there) if each.subtype == NafSubtype.DATA_PATH_CONFIRM)
    agreed = confirm.find(Ndl)
    assert agreed is not None
    assert (agreed.type, agreed.status) == (NdlType.CONFIRM, NegotiationStatus.ACCEPTED)
    assert confirm.find(Ndc) == proposed
