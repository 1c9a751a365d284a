"""A peer that starts again while the other holds keys and a data path with it: heard, verified or paired anew."""

import pytest

from pairing.engine import SECOND, FrameIgnored, Transmit
from pairing.nan.attributes import BootstrappingMethods
from pairing.nan.data_path_events import DataPathClosed
from pairing.nan.device import NanDevice, restored
from pairing.nan.pairing_events import PairingVerified, PeerRecognised
from tests.support.nan_air import (
    CAMERA,
    CAMERA_NDI,
    PHONE,
    PHONE_NDI,
    Home,
    Node,
    camera_service,
    entropy,
    phone_service,
    settings,
)
from tests.support.nan_people import PIN, People, bootstrap, paired_home, paired_keys, verify

OTHER = bytes.fromhex("02000000aa01")


def settle(there: Home, seconds: int = 2) -> None:
    there.wire.run_until(there.wire.now + seconds * SECOND)


def open_path(there: Home) -> None:
    there.wire.do(there.phone, there.phone.device.open_data_path(CAMERA, there.wire.now))
    settle(there)


def connected_home(password: str | None = PIN) -> Home:
    """Paired, with a data path; the camera answers only who asks."""
    there = paired_home(password)
    open_path(there)
    assert there.phone.device.open_data_paths == there.camera.device.open_data_paths == (1,)
    return there


def start_again(there: Home, node: Node, *, remembers: bool, nmi: bytes | None = None) -> None:
    """Without power for a moment: no goodbye, the same address unless another is given."""
    nik, paired = restored(node.device.snapshot())
    memory: dict[str, object] = {"nik": nik, "paired": paired} if remembers else {}
    own, ndi = (CAMERA, CAMERA_NDI) if node is there.camera else (PHONE, PHONE_NDI)
    own = nmi or own
    node.device = NanDevice(settings(own, ndi, **memory), entropy(f"again/{remembers}"), there.wire.now)
    node.addresses = (own, ndi)
    node.events.clear()
    if node is there.camera:
        there.wire.do(node, node.device.publish(camera_service(), there.wire.now))
        there.wire.do(there.phone, there.phone.device.update(phone_service(), there.wire.now))
    else:
        there.wire.do(node, node.device.subscribe(phone_service(), there.wire.now))
    settle(there)


def both(there: Home) -> tuple[Node, Node]:
    return there.phone, there.camera


def expect_one_path(there: Home) -> None:
    """A new data path works, and nobody keeps one from before."""
    open_path(there)
    assert [len(each.device.open_data_paths) for each in both(there)] == [1, 1]


@pytest.mark.parametrize("who", ["phone", "camera"])
def test_who_remembers_is_recognised_and_verified_and_old_data_paths_end(who: str) -> None:
    there = connected_home()
    again = there.phone if who == "phone" else there.camera
    (other,) = [each for each in both(there) if each is not again]
    start_again(there, again, remembers=True)
    assert other.of(PeerRecognised)
    assert other.device.has_lost_keys(PHONE if again is there.phone else CAMERA)
    assert other.device.open_data_paths == (1,)  # nothing is believed before it is proved
    verify(there)
    settle(there)
    assert all(each.of(PairingVerified) for each in both(there))
    assert paired_keys(there)
    assert [each.by_peer for each in other.of(DataPathClosed)] == [False]
    assert not other.device.has_lost_keys(PHONE)
    expect_one_path(there)


@pytest.mark.parametrize("who", ["phone", "camera"])
@pytest.mark.parametrize("password", [PIN, None])
def test_who_has_forgotten_everything_pairs_again(who: str, password: str | None) -> None:
    there = connected_home(password)
    start_again(there, there.phone if who == "phone" else there.camera, remembers=False)
    People(password).live_in(there)
    bootstrap(there, BootstrappingMethods.PIN_KEYPAD if password else BootstrappingMethods.OPPORTUNISTIC)
    settle(there, 15)
    assert paired_keys(there)
    expect_one_path(there)


def test_old_address_of_a_verified_peer_is_given_up() -> None:
    there = connected_home()
    start_again(there, there.phone, remembers=True, nmi=OTHER)
    verify(there)
    settle(there)
    assert there.camera.device.keys(PHONE) is None
    assert there.camera.device.keys(OTHER) == there.phone.device.keys(CAMERA) is not None
    assert there.camera.of(DataPathClosed)
    expect_one_path(there)


def test_who_still_has_the_keys_is_not_heard_in_the_open() -> None:
    there = connected_home()
    stranger = NanDevice(settings(PHONE, PHONE_NDI), entropy("forger"))
    stranger.subscribe(phone_service(identity=there.phone.device.sessions[3].identity), 0)
    for frame in stranger.follow_up(3, CAMERA, 5, b"hello", 0):
        there.wire.do(there.camera, there.camera.device.receive(frame.payload, PHONE, there.wire.now))  # type: ignore[union-attr]
    assert "not protected" in there.camera.of(FrameIgnored)[-1].reason
    assert not there.camera.device.has_lost_keys(PHONE)


def test_what_a_forger_asks_in_the_open_takes_no_keys_away() -> None:
    there = connected_home()
    keys = there.camera.device.keys(PHONE)
    forger = NanDevice(settings(PHONE, PHONE_NDI), entropy("forger"))
    outputs = forger.subscribe(phone_service(), there.wire.now)
    People(accepts=False).live_in(there)
    there.wire.do(there.camera, there.camera.device.receive(outputs[-1].payload, PHONE, there.wire.now))  # type: ignore[union-attr]
    assert there.camera.device.has_lost_keys(PHONE)
    assert there.camera.device.keys(PHONE) == keys
    there.wire.do(there.phone, there.phone.device.follow_up(3, CAMERA, 5, b"here", there.wire.now))
    settle(there)
    assert not there.camera.device.has_lost_keys(PHONE)
    expect = there.camera.device.open_data_paths
    assert expect == there.phone.device.open_data_paths == (1,)


def test_a_forged_identity_is_forgotten_when_the_true_one_is_heard() -> None:
    there = connected_home()
    forger = NanDevice(settings(PHONE, PHONE_NDI), entropy("forger"))
    outputs = forger.subscribe(phone_service(), there.wire.now)
    there.wire.do(there.camera, there.camera.device.receive(outputs[-1].payload, PHONE, there.wire.now))  # type: ignore[union-attr]
    assert there.camera.device.has_lost_keys(PHONE)
    recognised = len(there.camera.of(PeerRecognised))
    there.wire.do(there.phone, there.phone.device.update(phone_service(), there.wire.now))
    settle(there)
    assert not there.camera.device.has_lost_keys(PHONE)
    assert len(there.camera.of(PeerRecognised)) == recognised


def test_who_shows_a_forged_identity_is_verified_by_the_keys_in_use() -> None:
    there = connected_home()
    forger = NanDevice(settings(CAMERA, CAMERA_NDI), entropy("forger"))
    for output in forger.publish(camera_service(is_unsolicited=True), there.wire.now):
        if isinstance(output, Transmit):
            there.wire.do(there.phone, there.phone.device.receive(output.payload, CAMERA, there.wire.now))
    assert there.phone.device.paired_peer(CAMERA) is None
    assert there.phone.device.keyed_peer(CAMERA) is not None
    before = there.phone.device.keys(CAMERA)
    verify(there)
    settle(there)
    assert paired_keys(there)
    assert there.phone.device.keys(CAMERA) != before
