"""Frames that no honest device sends: what they must not be able to do to a pairing."""

from dataclasses import replace

from pairing.engine import SECOND, FrameIgnored, Micros
from pairing.ieee80211.frames import ManagementFrame, Subtype
from pairing.nan.attributes import BootstrappingMethods, PairingBootstrapping
from pairing.nan.device import restored
from pairing.nan.frames import decode_nan_frame
from pairing.nan.pairing_events import PairingCause, PairingFailed
from pairing.pasn.messages import PasnFrame
from tests.support.nan_air import CAMERA, CLUSTER, PHONE, Fate, Fates, Home, delivered, home
from tests.support.nan_people import People, agree, bootstrap, is_paired, pair, paired_home, verify


def with_more_than_fits(number: int, frame: bytes) -> Fate:
    """Whatever the phone asks for in bootstrapping has 300 octets behind its fields."""
    if frame[:1] != b"\xd0" or frame[1] & 0x40:
        return delivered(number, frame)
    decoded = decode_nan_frame(frame)
    bent = tuple(
        replace(each, surplus=bytes(300)) if isinstance(each, PairingBootstrapping) else each
        for each in decoded.attributes
    )
    return Fate(((0, replace(decoded, attributes=bent).encode()),))


def test_a_bootstrapping_request_too_long_to_be_quoted_does_not_harm_pairing() -> None:
    made = home(with_more_than_fits)
    People(None).live_in(made)
    bootstrap(made, BootstrappingMethods.OPPORTUNISTIC)
    made.wire.run_until(made.wire.now + 20_000_000)
    assert is_paired(made.camera)
    assert is_paired(made.phone)


def test_an_ignored_frame_1_does_not_count_as_an_attempt() -> None:
    made = home()
    People().live_in(made)
    bare = ManagementFrame(Subtype.AUTHENTICATION, PHONE, CAMERA, CLUSTER, PasnFrame(1, ()).encode()).encode()
    (ignored,) = made.phone.device.receive(bare, CAMERA, made.wire.now)
    assert isinstance(ignored, FrameIgnored)
    bootstrap(made)
    made.wire.run_until(made.wire.now + 20_000_000)
    assert is_paired(made.phone)
    assert is_paired(made.camera)


# Frames that change on their way and are believed, as the wire fault `corrupt` has it: nobody acknowledges them.


def changed(frame: bytes, place: int) -> bytes:
    return frame[:place] + bytes((frame[place] ^ 1,)) + frame[place + 1 :]


def is_pasn(frame: bytes, transaction: int) -> bool:
    return frame[0] == 0xB0 and frame[26] == transaction


def restarted(fates: Fates) -> Home:
    """The two of a pairing, both started again, on an air with faults."""
    before = paired_home()
    memories = [
        dict(zip(("nik", "paired"), restored(each.device.snapshot()), strict=True)) for each in before.wire.nodes
    ]
    made = home(fates, camera=memories[0], phone=memories[1], seed="later")
    People().live_in(made)
    return made


IN_NIRA = -21


def test_a_frame_1_that_has_changed_is_told_from_the_true_one_by_frame_3() -> None:
    made = restarted(lambda number, frame: delivered(number, frame if number else changed(frame, IN_NIRA)))
    verify(made)
    made.wire.run(made.wire.now + 60 * SECOND)
    assert agree(made)
    assert is_paired(made.camera)
    frames_1 = [each for each in made.wire.sent if is_pasn(each, 1)]
    assert len(frames_1) == 2  # frame 3 waited until the true one had arrived


def test_a_refusal_of_a_frame_1_that_has_changed_is_not_believed() -> None:
    place_of_nira = 24 + 6 + 44 + 4 + 44 + 6 + 8 + 4
    made = restarted(lambda number, frame: delivered(number, frame if number else changed(frame, place_of_nira)))
    verify(made)
    made.wire.run(made.wire.now + 60 * SECOND)
    assert [each.cause for each in made.camera.of(PairingFailed)] == [PairingCause.UNKNOWN_PEER]
    assert made.phone.of(PairingFailed) == []
    assert made.phone.device.keys(CAMERA) == made.camera.device.keys(PHONE) is not None


def test_frame_3_may_overtake_the_true_frame_1() -> None:
    late: Micros = 900_000

    def fates(number: int, frame: bytes) -> Fate:
        if number == 0:
            return Fate(((0, changed(frame, IN_NIRA)),))
        return Fate(((late, frame),), is_told=False) if is_pasn(frame, 1) else delivered(number, frame)

    made = restarted(fates)
    verify(made)
    made.wire.run(made.wire.now + 60 * SECOND)
    assert agree(made)
    assert is_paired(made.camera)


def test_a_frame_3_without_its_nan_element_ends_in_time() -> None:
    made = home()
    People(None).live_in(made)
    pair(made, None)
    place_of_id = 24 + 6 + 5
    made.wire.fates = lambda number, frame: delivered(
        number, changed(frame, place_of_id) if is_pasn(frame, 3) else frame
    )
    made.wire.run(made.wire.now + 120 * SECOND)
    assert agree(made)
    assert not is_paired(made.camera)
    assert made.camera.device.deadline is None


def test_a_late_copy_of_frame_1_that_has_changed_takes_no_keys_away() -> None:
    made = paired_home()
    (frame_1,) = [each for each in made.wire.sent if is_pasn(each, 1)]
    keys = made.camera.device.keys(PHONE)
    for place in range(30, len(frame_1), 3):
        made.wire.do(made.camera, made.camera.device.receive(changed(frame_1, place), PHONE, made.wire.now))
        made.wire.run(made.wire.now + 120 * SECOND)
    assert made.camera.device.keys(PHONE) == made.phone.device.keys(CAMERA) == keys is not None


def test_the_end_of_a_data_path_is_said_until_it_is_heard() -> None:
    made = paired_home()
    made.wire.do(made.phone, made.phone.device.open_data_path(CAMERA, made.wire.now))
    made.wire.run_until(made.wire.now + SECOND)
    first = len(made.wire.sent)
    made.wire.fates = lambda number, frame: Fate(()) if number < first + 20 else delivered(number, frame)
    made.wire.do(made.phone, made.phone.device.close_data_path(1, made.wire.now))
    made.wire.run(made.wire.now + 60 * SECOND)
    assert made.camera.device.open_data_paths == ()
    assert len(made.wire.sent) == first + 21
