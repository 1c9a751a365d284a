"""What an independent implementation sent to our devices and was sent by them, and what it taught."""

from dataclasses import replace

import pytest

from pairing.ieee80211.frames import ManagementFrame
from pairing.nan.attributes import Availability, ElementContainer, IdentityResolution, Ndc
from pairing.nan.data_path_schedule import committed_to
from pairing.nan.frames import NanActionFrame, decode_nan_frame
from pairing.nan.identifiers import NAN_NETWORK_ID
from pairing.nan.lost_keys import LostKeys
from pairing.nan.pairing_events import PairingCause, PairingFailed
from pairing.nan.protection import FrameProtection
from tests.support.nan_air import CAMERA, Fate, delivered, home
from tests.support.nan_live import THEIRS, Frame, recordings
from tests.support.nan_people import People, paired_home, path_ends

NAN = [(name, frame) for name, frames in recordings().items() for frame in frames if frame.kind != "authentication"]
CAPABLE: dict[str, object] = {"element_container": ElementContainer(0, bytes.fromhex("2d1a2c0017ffff" + 21 * "00"))}


def kinds_in(frame: object) -> list[str]:
    assert isinstance(frame, NanActionFrame)
    return [type(each).__name__ for each in frame.attributes]


@pytest.mark.parametrize(("name", "frame"), NAN)
def test_every_recorded_frame_is_read_to_the_octet(name: str, frame: Frame) -> None:
    assert frame.nan.encode() == frame.octets


def test_a_request_tells_our_radio_as_the_independent_device_does() -> None:
    # It opened no data path with a device whose 802.11 capabilities it had not heard before the request.
    there = home(phone_session=CAPABLE, camera_session=CAPABLE)
    People().live_in(there)
    there.wire.do(there.phone, there.phone.device.open_data_path(CAMERA, there.wire.now))
    there.wire.run(there.wire.now + 1_000_000)
    assert path_ends(there.phone)
    request, response, *later = [decode_nan_frame(each) for each in there.wire.sent]
    (theirs,) = (
        each.nan for each in recordings()["data_path_passphrase_initiator"] if each.kind == "data path request"
    )
    assert kinds_in(theirs)[-1] == kinds_in(request)[-1] == kinds_in(response)[-1] == ElementContainer.__name__
    assert all(ElementContainer.__name__ not in kinds_in(each) for each in later)


def test_a_confirm_commits_us_to_the_slots_that_it_agrees_to() -> None:
    # It ended the data path as long as the schedule that it had proposed was not part of our availability.
    request, response, confirm = (each.nan for each in recordings()["data_path_counter_proposal"][:3])
    assert isinstance(response, NanActionFrame)
    proposed = response.find(Ndc)
    before, after = request.find(Availability), confirm.find(Availability)
    assert proposed is not None
    assert before is not None
    assert after is not None
    assert committed_to((before,), proposed) == (after,)
    assert before.sequence_id != after.sequence_id
    assert committed_to((after,), proposed) == (after,)


def test_who_answers_us_in_the_open_has_lost_its_keys_and_is_verified() -> None:
    # It drops the keys of a pairing with its last data path, and answers under the same NIRA as before.
    answer = next(each.octets for each in recordings()["keys_lost_with_the_last_data_path"] if each.kind == "sdf")
    frame, protection = ManagementFrame.decode(answer), FrameProtection()
    protection.install_data_path(frame.receiver, frame.transmitter, 7, bytes(16))
    key = protection.in_use(frame.receiver, frame.transmitter)
    identity = decode_nan_frame(answer).find(IdentityResolution)
    lost = LostKeys()
    assert lost.hears(frame, key, identity)
    assert identity is not None
    lost.calm(frame.transmitter, identity)
    assert frame.transmitter in lost
    everybody = replace(frame, receiver=NAN_NETWORK_ID)
    assert not LostKeys().hears(everybody, key, identity)


def test_silence_after_a_verification_says_that_the_peer_may_have_forgotten_us() -> None:
    # It neither answers nor rejects the frame 1 of a pairing that it does not remember.
    is_paired: list[bool] = []
    there = paired_home(fates=lambda number, frame: Fate(()) if is_paired else delivered(number, frame))
    is_paired.append(True)
    there.wire.do(there.phone, there.phone.device.verify(CAMERA, there.wire.now))
    there.wire.run(there.wire.now + 60_000_000)
    failed = there.phone.of(PairingFailed)[-1]
    assert failed.cause is PairingCause.TIMED_OUT
    assert "has forgotten" in failed.came


def test_recordings_hold_both_sides() -> None:
    for frames in recordings().values():
        assert {each.sender for each in frames} == {THEIRS, "pairlab"}
