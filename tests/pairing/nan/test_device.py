"""The whole device: what is on the air while pairing is open, recognition, removal, snapshots, many peers."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from pairing.engine import SECOND, Event, PeerDiscovered
from pairing.errors import KeyStoreError, LocalProtocolError
from pairing.ieee80211.frames import ManagementFrame
from pairing.nan.attributes import (
    BootstrappingMethods,
    DeviceCapabilityExtension,
    IdentityResolution,
    NpbaType,
    PairingBootstrapping,
    PairingBootstrappingExtension,
    SecurityContextInfo,
)
from pairing.nan.cluster import ClusterSettings
from pairing.nan.cluster_states import ROLES
from pairing.nan.data_path_events import DataPathClosed, DataPathOpened
from pairing.nan.device import NanDevice, restored
from pairing.nan.events import BootstrappingFailed, ClusterJoined, ClusterStarted, FollowUpReceived
from pairing.nan.frames import NanFrame, decode_nan_frame
from pairing.nan.pairing_events import (
    PairingCompleted,
    PairingRequested,
    PairingVerified,
    PeerRecognised,
    PeerRemoved,
)
from pairing.nan.sessions import CipherSuiteInfo
from pairing.nan.setup_info import PairingSetupInfo
from pairing.nan.timing import DiscoveryWindows
from tests.support.nan_air import (
    CAMERA,
    CAMERA_NDI,
    CLUSTER,
    PAIRABLE,
    PHONE,
    PHONE_NDI,
    SERVICE,
    Home,
    Node,
    Wire,
    camera_service,
    entropy,
    home,
    phone_service,
    settings,
)
from tests.support.nan_people import PIN, People, bootstrap, is_paired, pair, paired_home, paired_keys, verify

INFO = PairingSetupInfo(pairing_name="Garage", vendor_name="Example", model_name="C-1").encode()
PHONE_INFO = PairingSetupInfo(pairing_name="My phone").encode()
OTHER = bytes.fromhex("020000000055")


def on_air(there: Home, source: bytes) -> list[NanFrame]:
    """The readable NAN frames of one device since the wire was cleared."""
    plain = [each for each in there.wire.sent if each[0] == 0xD0 and not ManagementFrame.decode(each).is_protected]
    return [decode_nan_frame(each) for each in plain if each[10:16] == source]


def announced(there: Home) -> NanFrame:
    """What the camera answers when the phone asks again."""
    there.wire.sent.clear()
    there.wire.do(there.phone, there.phone.device.update(phone_service(), there.wire.now))
    there.wire.run_until(there.wire.now + SECOND)
    return on_air(there, CAMERA)[-1]


# What is on the air.


def test_names_and_methods_are_on_the_air_only_while_pairing_is_open() -> None:
    there = home(camera_session={"setup_info": INFO})
    shown = announced(there)
    extension = shown.find(PairingBootstrappingExtension)
    assert extension is not None
    assert extension.setup_info == INFO
    capabilities = shown.find(DeviceCapabilityExtension)
    assert capabilities is not None
    assert capabilities.is_pairing_setup_enabled

    there.wire.do(there.camera, there.camera.device.close_pairing(there.wire.now))
    hidden = announced(there)
    assert hidden.find(PairingBootstrappingExtension) is None
    assert not [each for each in hidden.find_all(PairingBootstrapping) if each.type == NpbaType.ADVERTISE]
    capabilities = hidden.find(DeviceCapabilityExtension)
    assert capabilities is not None
    assert not capabilities.is_pairing_setup_enabled
    assert capabilities.is_caching_enabled
    assert not there.camera.device.is_pairing_open(5)

    there.wire.do(there.camera, there.camera.device.open_pairing(there.wire.now))
    assert announced(there).find(PairingBootstrappingExtension) is not None


def test_device_that_starts_closed_never_shows_its_names() -> None:
    there = home(camera_session={"setup_info": INFO, "is_unsolicited": True}, publishing={"is_pairing_open": False})
    assert all(each.find(PairingBootstrappingExtension) is None for each in on_air(there, CAMERA))
    assert INFO not in b"".join(there.wire.sent)


def test_bootstrapping_request_carries_the_phones_names_and_the_camera_keeps_them() -> None:
    there = home(phone_session={"setup_info": PHONE_INFO}, camera_session={"setup_info": INFO})
    People().live_in(there)
    bootstrap(there)
    there.wire.run(there.wire.now + 20 * SECOND)
    (requested,) = there.camera.of(PairingRequested)
    assert requested.setup_info == PHONE_INFO
    assert there.camera.device.paired_peers[0].setup_info == PHONE_INFO
    assert there.phone.device.paired_peers[0].setup_info == INFO
    assert there.phone.device.setup_info(CAMERA) == INFO


def test_identity_is_shown_by_devices_that_cache_and_changes_with_nothing_else() -> None:
    there = home()
    first, second = announced(there), announced(there)
    assert first.find(IdentityResolution) is not None
    assert first.find(IdentityResolution) == second.find(IdentityResolution)
    silent = home(camera_session={"device_capability_extension": replace(PAIRABLE, pairing=type(PAIRABLE.pairing)(1))})
    assert announced(silent).find(IdentityResolution) is None


def test_passphrase_is_named_in_publish_frames() -> None:
    there = home(camera_session={"cipher_suites": CipherSuiteInfo.of(5, 1, 2)}, publishing={"passphrase": "hello"})
    contexts = announced(there).find(SecurityContextInfo)
    assert contexts is not None
    assert len({*contexts.pmkids(5)}) == 2


def test_paired_peer_is_answered_and_messaged_under_protection() -> None:
    there = paired_home()
    there.wire.sent.clear()
    there.wire.do(there.phone, there.phone.device.update(phone_service(), there.wire.now))
    there.wire.do(there.phone, there.phone.device.follow_up(3, CAMERA, 5, b"hello", there.wire.now))
    there.wire.run_until(there.wire.now + SECOND)
    unicast = [ManagementFrame.decode(each) for each in there.wire.sent if not each[4] & 1]
    assert len(unicast) == 2
    assert all(each.is_protected for each in unicast)
    (message,) = there.camera.of(FollowUpReceived)
    assert (message.service_info, message.is_protected) == (b"hello", True)


# Paired peers.


def moved(there: Home, **changes: object) -> Home:
    """The same two owners later: the phone under another address, both with what they remember."""
    again = home(
        phone={"nmi": OTHER, "ndi": OTHER[:5] + b"\xf5", **memory(there.phone)},
        camera={**memory(there.camera), **changes},
        seed="later",
    )
    People().live_in(again)
    return again


def memory(node: Node) -> dict[str, object]:
    nik, paired = restored(node.device.snapshot())
    return {"nik": nik, "paired": paired}


def test_peer_is_recognised_and_verified_under_another_address_after_a_restart() -> None:
    before = paired_home()
    there = moved(before)
    (camera,) = there.phone.of(PeerRecognised)
    assert camera.peer_id == before.phone.of(PairingCompleted)[-1].peer_id
    (phone,) = there.camera.of(PeerRecognised)
    assert phone.peer == OTHER.hex(":")
    verify(there)
    there.wire.run(there.wire.now + 20 * SECOND)
    assert there.phone.of(PairingVerified)
    assert there.camera.of(PairingVerified)
    assert there.phone.device.keys(CAMERA) == there.camera.device.keys(OTHER) is not None


def test_snapshot_is_json_and_gives_the_same_memory_back() -> None:
    import json

    there = paired_home()
    document = json.loads(json.dumps(there.phone.device.snapshot()))
    nik, paired = restored(document)
    assert nik == there.phone.device.nik
    assert paired == there.phone.device.paired_peers


@pytest.mark.parametrize("document", [{}, {"nik": "zz", "paired": []}, {"nik": "00", "paired": [5]}, {"nik": 1}])
def test_damaged_snapshot_is_one_named_error(document: dict[str, object]) -> None:
    with pytest.raises(KeyStoreError):
        restored(document)


def test_removed_peer_loses_its_data_path_and_keys_and_is_told_once() -> None:
    there = paired_home()
    there.wire.do(there.phone, there.phone.device.open_data_path(CAMERA, there.wire.now))
    there.wire.run_until(there.wire.now + SECOND)
    assert there.camera.of(DataPathOpened)
    (phone,) = there.camera.device.paired_peers
    there.wire.do(there.camera, there.camera.device.remove_peer(phone.peer_id, there.wire.now))
    there.wire.run(there.wire.now + 20 * SECOND)
    (removed,) = there.camera.of(PeerRemoved)
    assert removed.peer_id == phone.peer_id
    assert there.camera.device.keys(PHONE) is None
    assert [each.by_peer for each in there.camera.of(DataPathClosed)] == [False]
    assert [each.by_peer for each in there.phone.of(DataPathClosed)] == [True]
    with pytest.raises(KeyStoreError):
        there.camera.device.remove_peer(phone.peer_id, there.wire.now)


def test_removed_peer_can_pair_again_as_if_new() -> None:
    there = paired_home()
    for node in (there.phone, there.camera):
        there.wire.do(node, node.device.forget(there.wire.now))
        node.events.clear()
    pair(there)
    there.wire.run(there.wire.now + 20 * SECOND)
    assert is_paired(there.phone)
    assert paired_keys(there)
    assert there.camera.of(PairingRequested)


def test_peer_that_was_forgotten_by_the_other_side_pairs_again_although_keys_are_in_use_here() -> None:
    there = paired_home()
    there.wire.do(there.phone, there.phone.device.forget(there.wire.now))
    People("another").live_in(there)
    pair(there, "another")
    there.wire.run(there.wire.now + 20 * SECOND)
    assert paired_keys(there)
    assert len(there.camera.of(PairingRequested)) == 2  # what was granted before holds no more
    assert len(there.camera.device.paired_peers) == 1


def test_lifetime_over_removes_a_peer_where_it_is_honoured() -> None:
    there = paired_home(camera={"does_forget_expired": True})
    there.wire.run_until(43_300 * SECOND)
    (removed,) = there.camera.of(PeerRemoved)
    assert "lifetime" in removed.reason
    assert there.camera.device.paired_peers == ()
    assert there.phone.device.paired_peers != ()


def test_restarted_phone_opens_a_path_under_the_name_of_its_old_one() -> None:
    there = home()
    People().live_in(there)
    there.wire.do(there.phone, there.phone.device.open_data_path(CAMERA, there.wire.now))
    there.wire.run_until(there.wire.now + SECOND)
    there.wire.nodes.remove(there.phone)
    there.phone = there.wire.add(settings(PHONE, PHONE_NDI), "restarted")
    there.wire.do(there.phone, there.phone.device.subscribe(phone_service(), there.wire.now))
    there.wire.run_until(there.wire.now + SECOND)
    there.wire.do(there.phone, there.phone.device.open_data_path(CAMERA, there.wire.now))
    there.wire.run(there.wire.now + 20 * SECOND)
    assert there.phone.device.open_data_paths == (1,)
    assert there.camera.device.open_data_paths == (2,)
    assert [each.by_peer for each in there.camera.of(DataPathClosed)] == [True]


def test_new_address_ends_what_went_on_and_is_recognised_and_verified() -> None:
    there = paired_home()
    there.wire.do(there.phone, there.phone.device.open_data_path(CAMERA, there.wire.now))
    there.wire.run_until(there.wire.now + SECOND)
    there.phone.addresses = (PHONE, PHONE_NDI, OTHER)
    before = on_air_identity(there)
    there.wire.do(there.phone, there.phone.device.change_address(OTHER, there.wire.now))
    there.wire.run_until(there.wire.now + SECOND)
    assert there.phone.device.keys(CAMERA) is None
    assert there.phone.of(DataPathClosed)
    assert there.camera.of(DataPathClosed)
    assert on_air_identity(there) != before
    (recognised,) = there.camera.of(PeerRecognised)
    assert recognised.peer == OTHER.hex(":")
    verify(there)
    there.wire.run(there.wire.now + 20 * SECOND)
    assert there.phone.device.keys(CAMERA) == there.camera.device.keys(OTHER) is not None


def on_air_identity(there: Home) -> object:
    return there.phone.device.sessions[3].identity


# The cluster.


def test_devices_that_send_beacons_find_one_cluster_and_speak_by_its_clock() -> None:
    wire = Wire()
    windows = DiscoveryWindows()
    nodes = [
        wire.add(settings(nmi, ndi, windows=windows, cluster=ClusterSettings(nmi=nmi, warm_up=SECOND)))
        for nmi, ndi in ((CAMERA, CAMERA_NDI), (PHONE, PHONE_NDI))
    ]
    camera, phone = nodes
    wire.do(camera, camera.device.start_cluster(0))
    wire.run_until(2 * SECOND)
    wire.do(phone, phone.device.start_cluster(wire.now))
    wire.do(camera, camera.device.publish(camera_service(), wire.now))
    wire.run_until(wire.now + 2 * SECOND)
    wire.do(phone, phone.device.subscribe(phone_service(query_period=SECOND), wire.now))
    wire.run_until(wire.now + 5 * SECOND)
    assert camera.of(ClusterStarted)
    assert phone.of(ClusterJoined)
    assert phone.device.device.cluster_id == camera.device.device.cluster_id != CLUSTER
    assert phone.device.cluster_state in ROLES
    assert [each.service for each in phone.of(PeerDiscovered)] == [SERVICE]
    with pytest.raises(LocalProtocolError, match="keeps its address"):
        phone.device.change_address(OTHER, wire.now)


def test_device_without_beacons_has_no_cluster_to_start_and_hears_none() -> None:
    there = home()
    with pytest.raises(LocalProtocolError):
        there.phone.device.start_cluster(there.wire.now)
    assert there.phone.device.cluster_state is None
    beacon = bytes.fromhex("80000000") + b"\xff" * 6 + CAMERA + CLUSTER + bytes(40)
    assert list(there.phone.device.receive(beacon, CAMERA, there.wire.now)) == []


# Many peers and services.


def test_many_phones_pair_with_one_camera_side_by_side() -> None:
    there = home()
    phones = [there.phone]
    for number in range(3, 8):
        nmi = bytes((2, 0, 0, 0, 0, number))
        node = there.wire.add(settings(nmi, nmi[:5] + bytes((0xF0 | number,))), number)
        there.wire.do(node, node.device.subscribe(phone_service(), there.wire.now))
        phones.append(node)
    there.wire.run_until(there.wire.now + SECOND)

    def owner(node: Node, event: Event) -> None:
        if isinstance(event, PairingRequested) and event.peer is not None:
            peer = bytes.fromhex(event.peer.replace(":", ""))
            there.wire.do(node, node.device.accept_pairing(peer, there.wire.now, password=PIN))

    there.wire.owner = owner
    for phone in phones:
        there.wire.do(phone, phone.device.pair(CAMERA, there.wire.now, password=PIN))
    there.wire.run(there.wire.now + 20 * SECOND)
    assert len(there.camera.device.paired_peers) == len(phones)
    for phone in phones:
        assert phone.device.keys(CAMERA) == there.camera.device.keys(phone.addresses[0]) is not None
    assert len({phone.device.keys(CAMERA).nm_tk for phone in phones}) == len(phones)  # type: ignore[union-attr]


def test_several_services_of_one_device_have_lives_of_their_own() -> None:
    there = home()
    more = camera_service(name="_door._tcp", instance_id=6, methods=BootstrappingMethods.NONE)
    there.wire.do(there.camera, there.camera.device.publish(more, there.wire.now))
    there.wire.do(
        there.phone, there.phone.device.subscribe(phone_service(name="_door._tcp", instance_id=4), there.wire.now)
    )
    there.wire.run_until(there.wire.now + SECOND)
    assert [each.service for each in there.phone.of(PeerDiscovered)] == [SERVICE, "_door._tcp"]
    there.wire.do(there.camera, there.camera.device.terminate(5, there.wire.now))
    assert [*there.camera.device.sessions] == [6]
    with pytest.raises(LocalProtocolError):
        there.camera.device.close_pairing(there.wire.now, 5)


def test_peer_that_publishes_anew_is_met_at_its_new_instance() -> None:
    there = home()
    wire, camera, phone = there.wire, there.camera, there.phone
    camera.device = NanDevice(settings(CAMERA, CAMERA_NDI), entropy("restarted"), wire.now)
    wire.do(camera, camera.device.publish(camera_service(instance_id=9), wire.now))
    wire.do(phone, phone.device.update(phone_service(), wire.now))
    wire.run_until(wire.now + SECOND)
    assert sorted(each.publish_id for each in phone.device.discovered.values()) == [5, 9]
    People().live_in(there)
    bootstrap(there)
    wire.run(wire.now + 20 * SECOND)
    assert paired_keys(there)


def test_instance_ids_are_not_given_twice() -> None:
    there = home()
    with pytest.raises(LocalProtocolError, match="in use"):
        there.camera.device.publish(camera_service(), there.wire.now)
    assert [*there.camera.device.sessions] == [5]


def test_cancel_ends_bootstrapping_as_well() -> None:
    there = home()
    bootstrap(there)
    there.wire.run_until(there.wire.now + SECOND // 2)
    there.wire.do(there.phone, there.phone.device.cancel(CAMERA, there.wire.now))
    assert [each.error for each in there.phone.of(BootstrappingFailed)] == ["cancelled"]
    there.wire.do(there.camera, there.camera.device.cancel(PHONE, there.wire.now))
    with pytest.raises(LocalProtocolError):
        there.phone.device.cancel(b"\x02\0\0\0\0\x77", there.wire.now)


def test_same_seed_gives_the_same_frames_and_another_seed_others() -> None:
    runs = [paired_home(seed=seed).wire.sent for seed in ("one", "one", "two")]
    assert runs[0] == runs[1] != runs[2]


def test_no_secret_is_in_the_repr_of_an_event() -> None:
    there = paired_home()
    keys = there.phone.device.keys(CAMERA)
    assert keys is not None
    secrets = [keys.nm_tk, keys.nm_kdk, keys.npk, keys.nd_pmk, there.phone.device.nik, PIN.encode()]
    shown = " ".join(repr(each) for each in [*there.phone.events, *there.camera.events])
    assert all(repr(each)[2:-1] not in shown and each.hex() not in shown for each in secrets)


# Any octets.


def seasoned() -> list[bytes]:
    there = paired_home()
    there.wire.do(there.phone, there.phone.device.open_data_path(CAMERA, there.wire.now))
    there.wire.run_until(there.wire.now + SECOND)
    return there.wire.sent


FRAMES = seasoned()


def listening() -> NanDevice:
    device = NanDevice(settings(CAMERA, CAMERA_NDI), entropy("fuzz"))
    device.publish(camera_service(), 0, passphrase="hello")
    device.subscribe(phone_service(instance_id=7), 0)
    return device


@given(st.binary(max_size=400))
def test_any_octets_raise_nothing(payload: bytes) -> None:
    outputs = listening().receive(payload, PHONE, 1)
    assert isinstance(list(outputs), list)


@effort(suppress_health_check=[HealthCheck.too_slow], max_examples=200, deadline=None)
@given(st.data())
def test_bent_frames_in_any_order_raise_nothing(data: st.DataObject) -> None:
    device, now = listening(), 0
    for _ in range(data.draw(st.integers(1, 8))):
        frame = bytearray(data.draw(st.sampled_from(FRAMES)))
        for _ in range(data.draw(st.integers(0, 3))):
            frame[data.draw(st.integers(24, len(frame) - 1))] = data.draw(st.integers(0, 255))
        frame[4:10] = CAMERA
        cut = data.draw(st.integers(10, len(frame)) | st.just(len(frame)))
        now += 1000
        device.receive(bytes(frame[:cut]), PHONE, now)
        for peer in device.waiting_for_user:
            try:
                device.accept_pairing(peer, now, password=PIN)
            except LocalProtocolError:
                device.cancel(peer, now)
        if device.deadline is not None and data.draw(st.booleans()):
            now = max(now, device.deadline)
            device.handle_timeout(now)
    assert device.keys(PHONE) is None
