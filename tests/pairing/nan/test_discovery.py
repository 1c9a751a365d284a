"""Discovery: who finds whom, what is refused and why, and when things are said, with windows and without."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.engine import SECOND, FrameIgnored, PeerDiscovered, PeerLost, Transmit
from pairing.errors import EncodeError, LocalProtocolError
from pairing.nan.attributes import (
    BootstrappingMethods,
    DeviceCapability,
    DeviceCapabilityExtension,
    PairingCapabilities,
    ServiceControlType,
    ServiceDescriptor,
)
from pairing.nan.discovery import MAX_DISCOVERED, Discovery
from pairing.nan.discovery_states import SESSION_TRANSITIONS, SessionInput, SessionState
from pairing.nan.events import (
    FollowUpReceived,
    PeerUpdated,
    PublishStarted,
    SessionTerminated,
    SessionUpdated,
    SubscriberAnswered,
    SubscribeStarted,
)
from pairing.nan.frames import ServiceDiscoveryFrame, decode_nan_frame
from pairing.nan.heard import MAX_DEVICES
from pairing.nan.identifiers import NAN_NETWORK_ID
from pairing.nan.matching_filter import encode_filter
from pairing.nan.service_frames import follow_up_frame, publish_frame, subscribe_frame
from pairing.nan.service_id import service_id_as_spelled
from pairing.nan.service_response_filter import ServiceResponseFilter
from pairing.nan.sessions import Publish, Subscribe
from pairing.nan.setup_info import PairingSetupInfo
from pairing.nan.timing import DW_DURATION, DW_PERIOD, DiscoveryWindows, Tsf
from tests.support.nan_stations import Air, Station, local_device, nmi

NAME = "_Camera._udp"
CAMERA, PHONE = 1, 2


def publish(**changes: Any) -> Publish:
    return Publish(**{"name": NAME, "instance_id": 9, **changes})


def subscribe(**changes: Any) -> Subscribe:
    return Subscribe(**{"name": NAME, "instance_id": 11, **changes})


def engine(number: int, **settings: Any) -> Discovery:
    return Discovery(local_device(number), **settings)


class Scene:
    """A camera that publishes and a phone that subscribes."""

    def __init__(self, published: Publish, subscribed: Subscribe, **settings: Any) -> None:
        self.camera, self.phone = engine(CAMERA, **settings), engine(PHONE, **settings)
        self.at_camera = Station(nmi(CAMERA), [self.camera])
        self.at_phone = Station(nmi(PHONE), [self.phone])
        self.air = Air(self.at_camera, self.at_phone)
        self.air.act(self.at_camera, self.camera.publish(published, 0))
        self.air.act(self.at_phone, self.phone.subscribe(subscribed, 0))

    def run(self, until: int) -> "Scene":
        self.air.run(until)
        return self

    @property
    def reasons(self) -> list[str]:
        ignored = self.at_camera.events(FrameIgnored) + self.at_phone.events(FrameIgnored)
        return [each.reason for each in ignored]


@pytest.mark.parametrize(
    ("published", "subscribed", "is_found"),
    [
        ({"is_unsolicited": False}, {}, True),
        ({"is_solicited": False}, {"is_active": False}, True),
        ({"is_unsolicited": False}, {"is_active": False}, False),
        ({"is_solicited": False}, {}, True),
        ({"is_unsolicited": False, "is_answer_multicast": True}, {}, True),
    ],
)
def test_who_finds_whom(published: dict[str, Any], subscribed: dict[str, Any], is_found: bool) -> None:
    scene = Scene(publish(**published), subscribe(**subscribed)).run(2 * SECOND)
    assert bool(scene.at_phone.events(PeerDiscovered)) is is_found
    assert len(scene.phone.discovered) == is_found


def test_sessions_announce_themselves_to_their_owner() -> None:
    scene = Scene(publish(), subscribe())
    (started,) = scene.at_camera.events(PublishStarted)
    assert (started.service, started.instance_id, started.service_id) == (NAME, 9, publish().service_id.hex())
    assert scene.at_phone.events(SubscribeStarted)[0].instance_id == 11


def test_a_publisher_is_discovered_once_however_often_it_announces() -> None:
    scene = Scene(publish(), subscribe()).run(20 * SECOND)
    assert len(scene.at_phone.events(PeerDiscovered)) == 1
    assert len(scene.air.frames) > 40
    assert not scene.at_phone.events(PeerUpdated)


def test_the_publisher_learns_who_was_answered() -> None:
    scene = Scene(publish(is_unsolicited=False), subscribe(query_period=None, service_info=b"who")).run(SECOND)
    (answered,) = scene.at_camera.events(SubscriberAnswered)
    assert (answered.instance_id, answered.peer_instance_id, answered.service_info) == (9, 11, b"who")
    assert answered.peer == "02:00:00:00:00:02"


def test_discovery_says_what_the_publisher_offers() -> None:
    offered = publish(
        service_info=b"\x01\x02",
        methods=BootstrappingMethods.PIN_DISPLAY,
        setup_info=PairingSetupInfo("Porch", "Example", "M1").encode(),
        device_capability_extension=DeviceCapabilityExtension(pairing=PairingCapabilities.PAIRING_SETUP),
    )
    scene = Scene(offered, subscribe()).run(SECOND)
    (found,) = scene.at_phone.events(PeerDiscovered)
    assert found.service == NAME
    assert found.info == {
        "publish_id": "9",
        "subscribe_id": "11",
        "service_info": "0102",
        "methods": "0x0002",
        "pairing_setup": "yes",
        "caching": "no",
        "pairing_name": "Porch",
        "vendor": "Example",
        "model": "M1",
    }
    record = scene.phone.discovered[11, nmi(CAMERA), 9]
    assert (record.service_info, record.protocol, record.methods) == (b"\x01\x02", 2, BootstrappingMethods.PIN_DISPLAY)


def test_broken_setup_info_does_not_hide_a_publisher() -> None:
    scene = Scene(publish(methods=BootstrappingMethods.PIN_DISPLAY, setup_info=b"\x09x"), subscribe()).run(SECOND)
    (found,) = scene.at_phone.events(PeerDiscovered)
    assert "9 bytes" in found.info["setup_info"]


def test_service_info_in_the_sda_is_read_without_a_protocol() -> None:
    scene = Scene(publish(service_info=b"old", is_service_info_in_sda=True), subscribe()).run(SECOND)
    (record,) = scene.phone.discovered.values()
    assert (record.service_info, record.protocol) == (b"old", None)


# Refusals.


def test_matching_filters_are_respected_at_the_subscriber() -> None:
    filters = (encode_filter([b"front"]), encode_filter([b"back"]))
    scene = Scene(publish(matching_filter=filters[0]), subscribe(matching_filter=filters[1], is_active=False)).run(
        SECOND
    )
    assert not scene.phone.discovered
    assert "subscribe filter has 6261636b, publish filter 66726f6e74" in scene.reasons[0]


def test_matching_filters_are_respected_at_the_publisher() -> None:
    scene = Scene(
        publish(matching_filter=encode_filter([b"front"]), is_unsolicited=False),
        subscribe(matching_filter=encode_filter([b"back"])),
    ).run(SECOND)
    assert not scene.at_camera.events(SubscriberAnswered)
    assert "at 0" in scene.reasons[0]


@pytest.mark.parametrize("include", [True, False])
def test_response_filters_choose_who_answers(include: bool) -> None:
    chosen = ServiceResponseFilter.of_addresses([nmi(CAMERA)], include=include)
    scene = Scene(publish(is_unsolicited=False), subscribe(response_filter=chosen)).run(SECOND)
    assert bool(scene.phone.discovered) is include
    assert include or scene.reasons[0] == "the service response filter does not admit us"


def test_a_publish_that_is_not_solicited_says_why_it_does_not_answer() -> None:
    scene = Scene(publish(is_solicited=False, announcement_period=None), subscribe(query_period=None)).run(SECOND)
    assert "publish 9 is not solicited" in scene.reasons


def test_a_service_of_another_name_is_reported_once_with_the_mistake_that_explains_it() -> None:
    phone = engine(PHONE)
    phone.subscribe(subscribe(is_active=False), 0)
    spelled = publish_frame(local_device(CAMERA), publish())
    descriptor = spelled.attributes[0]
    assert isinstance(descriptor, ServiceDescriptor)
    wrong = replace(spelled, attributes=(replace(descriptor, service_id=service_id_as_spelled(NAME)),)).encode()
    (ignored,) = phone.receive(wrong, nmi(CAMERA), 1)
    assert isinstance(ignored, FrameIgnored)
    assert f"is none of ours; it comes from {NAME!r}: the name is hashed without lower-casing" in ignored.reason
    assert phone.receive(wrong, nmi(CAMERA), 2) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"bssid": bytes.fromhex("506f9a010999")}, "cluster 50:6f:9a:01:09:99"),
        ({"destination": nmi(7)}, "addressed to"),
        ({"destination": b"\xff" * 6}, "expected the NAN network ID"),
    ],
)
def test_frames_for_others_are_ignored_with_a_reason(changes: dict[str, Any], reason: str) -> None:
    phone = engine(PHONE)
    phone.subscribe(subscribe(is_active=False), 0)
    frame = replace(publish_frame(local_device(CAMERA), publish()), **changes)
    (ignored,) = phone.receive(frame.encode(), nmi(CAMERA), 1)
    assert isinstance(ignored, FrameIgnored)
    assert reason in ignored.reason
    assert not phone.discovered


def test_unsynchronised_frames_are_heard() -> None:
    phone = engine(PHONE)
    phone.subscribe(subscribe(is_active=False), 0)
    frame = replace(publish_frame(local_device(CAMERA), publish()), bssid=NAN_NETWORK_ID)
    assert isinstance(phone.receive(frame.encode(), nmi(CAMERA), 1)[0], PeerDiscovered)


def test_own_frames_and_answers_to_others_are_passed_over() -> None:
    phone = engine(PHONE)
    phone.subscribe(subscribe(is_active=False), 0)
    assert phone.receive(publish_frame(local_device(PHONE), publish()).encode(), nmi(PHONE), 1) == []
    other = publish_frame(local_device(CAMERA), publish(), nmi(PHONE), subscribe_id=12)
    assert phone.receive(other.encode(), nmi(CAMERA), 1) == []


def test_a_reserved_service_control_type_is_ignored_with_a_reason() -> None:
    phone = engine(PHONE)
    phone.subscribe(subscribe(is_active=False), 0)
    descriptor = ServiceDescriptor(subscribe().service_id, 9, 0, ServiceControlType.RESERVED)
    frame = replace(publish_frame(local_device(CAMERA), publish()), attributes=(descriptor,))
    (ignored,) = phone.receive_frame(frame, 1)
    assert isinstance(ignored, FrameIgnored)
    assert "reserved" in ignored.reason


def test_a_cut_filter_is_ignored_with_a_reason() -> None:
    camera = engine(CAMERA)
    camera.publish(publish(is_unsolicited=False), 0)
    asked = subscribe_frame(local_device(PHONE), subscribe(matching_filter=b"\x05a"))
    (ignored,) = camera.receive_frame(asked, 1)
    assert isinstance(ignored, FrameIgnored)
    assert "filter value needs 5 bytes" in ignored.reason


@given(st.binary(max_size=120))
def test_arbitrary_octets_end_in_one_named_refusal(octets: bytes) -> None:
    phone = engine(PHONE)
    phone.subscribe(subscribe(is_active=False), 0)
    outputs = phone.receive(octets, nmi(CAMERA), 1)
    assert [type(each) for each in outputs] == [FrameIgnored]
    assert list(phone.sessions) == [11]


@given(st.integers(24, 90), st.integers(0, 255))
def test_a_bent_publish_never_raises_and_never_ends_a_session(place: int, value: int) -> None:
    phone = engine(PHONE)
    phone.subscribe(subscribe(is_active=False), 0)
    octets = bytearray(publish_frame(local_device(CAMERA), publish(service_info=b"x" * 20)).encode())
    octets[place % len(octets)] = value
    for output in phone.receive(bytes(octets), nmi(CAMERA), 1):
        assert not isinstance(output, Transmit)
    assert list(phone.sessions) == [11]


# Follow-ups.


def test_follow_ups_reach_the_instance_they_are_for() -> None:
    scene = Scene(publish(), subscribe()).run(SECOND)
    scene.air.act(scene.at_phone, scene.phone.follow_up(11, nmi(CAMERA), 9, b"hello", scene.air.now))
    scene.run(2 * SECOND)
    (received,) = scene.at_camera.events(FollowUpReceived)
    assert (received.instance_id, received.peer_instance_id, received.service_info) == (9, 11, b"hello")


def test_a_follow_up_for_no_instance_of_ours_names_those_we_have() -> None:
    camera = engine(CAMERA)
    camera.publish(publish(), 0)
    camera.publish(publish(instance_id=10), 0)
    frame = follow_up_frame(local_device(PHONE), subscribe(), nmi(CAMERA), 77, b"hello")
    (ignored,) = camera.receive_frame(frame, 1)
    assert isinstance(ignored, FrameIgnored)
    assert ignored.reason == "follow-up for instance 77, that service has 9, 10"


def test_a_bare_follow_up_is_still_one() -> None:
    camera = engine(CAMERA)
    camera.publish(publish(), 0)
    (received,) = camera.receive_frame(follow_up_frame(local_device(PHONE), subscribe(), nmi(CAMERA), 9), 1)
    assert isinstance(received, FollowUpReceived)
    assert received.service_info == b""


def test_frames_between_peers_that_share_keys_have_the_protected_category() -> None:
    scene = Scene(publish(is_unsolicited=False), subscribe())
    scene.camera.protect(nmi(PHONE))
    scene.phone.protect(nmi(CAMERA))
    scene.run(SECOND)
    scene.air.act(scene.at_phone, scene.phone.follow_up(11, nmi(CAMERA), 9, b"hello", scene.air.now))
    scene.run(2 * SECOND)
    for octets in scene.air.frames:
        frame = decode_nan_frame(octets)
        assert frame.is_protected_dual is (frame.destination != NAN_NETWORK_ID)
    (received,) = scene.at_camera.events(FollowUpReceived)
    assert received.is_protected


def test_an_unprotected_frame_from_a_peer_with_keys_is_dropped_with_a_reason() -> None:
    camera = engine(CAMERA)
    camera.publish(publish(), 0)
    camera.protect(nmi(PHONE))
    frame = follow_up_frame(local_device(PHONE), subscribe(), nmi(CAMERA), 9, b"hello")
    (ignored,) = camera.receive_frame(frame, 1)
    assert isinstance(ignored, FrameIgnored)
    assert "unprotected" in ignored.reason
    camera.protect(nmi(PHONE), is_protected=False)
    assert isinstance(camera.receive_frame(frame, 1)[0], FollowUpReceived)


# Life of sessions.


def test_a_time_to_live_ends_a_session_and_its_discoveries() -> None:
    scene = Scene(publish(), subscribe(ttl=3 * SECOND)).run(2 * SECOND)
    assert scene.phone.discovered
    scene.run(4 * SECOND)
    (ended,) = scene.at_phone.events(SessionTerminated)
    assert ended.reason == "time to live is over"
    assert not scene.phone.discovered
    assert not scene.phone.sessions
    assert scene.phone.deadline is None


def test_a_publisher_that_falls_silent_is_lost() -> None:
    scene = Scene(publish(), subscribe(peer_timeout=3 * SECOND)).run(2 * SECOND)
    scene.air.act(scene.at_camera, scene.camera.terminate(9, scene.air.now))
    scene.run(10 * SECOND)
    (lost,) = scene.at_phone.events(PeerLost)
    assert (lost.peer, lost.service) == ("02:00:00:00:00:01", NAME)
    assert "not heard for 3" in lost.reason
    assert not scene.phone.discovered


def test_an_update_is_announced_at_once_and_told_by_its_fields() -> None:
    scene = Scene(publish(service_info=b"v1", update_indicator=255), subscribe()).run(SECOND)
    sent = len(scene.air.frames)
    scene.air.act(
        scene.at_camera, scene.camera.update(publish(service_info=b"v2", update_indicator=255), scene.air.now)
    )
    assert len(scene.air.frames) == sent + 1
    scene.run(scene.air.now + 200)
    assert scene.at_camera.events(SessionUpdated)
    (updated,) = scene.at_phone.events(PeerUpdated)
    assert updated.changed == ("service_info", "update_indicator")
    assert scene.phone.discovered[11, nmi(CAMERA), 9].update_indicator == 0, "it wraps"


def test_an_update_cannot_change_name_or_kind() -> None:
    camera = engine(CAMERA)
    camera.publish(publish(), 0)
    for other in (publish(name="other"), subscribe(instance_id=9)):
        with pytest.raises(LocalProtocolError, match="instance 9 stays"):
            camera.update(other, 1)


def test_an_instance_id_is_given_once() -> None:
    camera = engine(CAMERA)
    camera.publish(publish(instance_id=1), 0)
    assert camera.free_instance_id == 2
    with pytest.raises(LocalProtocolError, match="in use"):
        camera.subscribe(subscribe(instance_id=1), 0)
    for number in range(2, 256):
        camera.publish(publish(instance_id=number), 0)
    with pytest.raises(LocalProtocolError, match="all 255"):
        _ = camera.free_instance_id


@pytest.mark.parametrize(
    "changes",
    [
        {"instance_id": 0},
        {"instance_id": 256},
        {"is_solicited": False, "is_unsolicited": False},
        {"announcement_period": 1},
    ],
)
def test_impossible_publish_sessions_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(EncodeError):
        publish(**changes)


def test_a_query_period_below_a_time_unit_is_refused() -> None:
    with pytest.raises(EncodeError, match="query period"):
        subscribe(query_period=0)


@pytest.mark.parametrize("state", SessionState)
@pytest.mark.parametrize("wish", SessionInput)
def test_only_a_running_session_takes_intents(state: SessionState, wish: SessionInput) -> None:
    assert ((state, wish) in SESSION_TRANSITIONS) is (state is SessionState.RUNNING)


@pytest.mark.parametrize("end", ["terminate", "expire"])
def test_an_ended_session_refuses_every_intent(end: str) -> None:
    camera = engine(CAMERA)
    camera.publish(publish(ttl=SECOND), 0)
    _ = camera.terminate(9, 1) if end == "terminate" else camera.handle_timeout(SECOND)
    for intent in (
        lambda: camera.update(publish(), 2),
        lambda: camera.terminate(9, 2),
        lambda: camera.follow_up(9, nmi(PHONE), 11, b"", 2),
    ):
        with pytest.raises(LocalProtocolError, match="no such session runs"):
            intent()


def test_a_timeout_that_comes_early_does_nothing() -> None:
    camera = engine(CAMERA)
    camera.publish(publish(ttl=SECOND), 0)
    assert camera.handle_timeout(1) == []


# Windows.


def test_in_strict_windows_everything_is_sent_inside_them() -> None:
    scene = Scene(publish(is_solicited=False), subscribe(is_active=False), windows=DiscoveryWindows(), tsf=Tsf(5000))
    scene.run(4 * SECOND)
    assert scene.phone.discovered
    assert len(scene.air.frames) == 8, "one in each window, the first one now"
    assert scene.at_phone.events(FrameIgnored) == []


def test_a_group_frame_outside_windows_is_not_heard_and_says_until_when() -> None:
    phone = engine(PHONE, windows=DiscoveryWindows())
    phone.subscribe(subscribe(is_active=False), 0)
    frame = publish_frame(local_device(CAMERA), publish())
    (ignored,) = phone.receive(frame.encode(), nmi(CAMERA), DW_DURATION)
    assert isinstance(ignored, FrameIgnored)
    assert ignored.reason == f"outside discovery windows, asleep until TSF {DW_PERIOD}"
    answer = replace(frame, destination=nmi(PHONE))
    assert isinstance(phone.receive(answer.encode(), nmi(CAMERA), DW_DURATION)[0], PeerDiscovered)


def test_a_device_that_wakes_rarely_still_finds_a_publisher_that_always_does() -> None:
    camera, phone = engine(CAMERA, windows=DiscoveryWindows()), engine(PHONE, windows=DiscoveryWindows(5))
    stations = Station(nmi(CAMERA), [camera]), Station(nmi(PHONE), [phone])
    air = Air(*stations)
    air.run(1)
    air.act(stations[0], camera.publish(publish(), DW_DURATION))
    air.act(stations[1], phone.subscribe(subscribe(is_active=False), DW_DURATION))
    air.run(8 * SECOND)
    assert not phone.discovered
    air.run(9 * SECOND)
    assert phone.discovered


def test_another_clock_moves_what_waits() -> None:
    camera = engine(CAMERA, windows=DiscoveryWindows())
    camera.publish(publish(), DW_DURATION)
    assert camera.deadline == DW_PERIOD
    camera.synchronise(Tsf(1000), DW_DURATION)
    assert camera.deadline == DW_PERIOD - 1000


def test_a_new_address_is_used_from_the_next_frame_on() -> None:
    camera = engine(CAMERA)
    camera.set_device(local_device(33))
    (_, frame) = camera.publish(publish(), 0)
    assert isinstance(frame, Transmit)
    assert decode_nan_frame(frame.payload).source == nmi(33)


# Bounds.


def test_the_view_is_bounded_and_loses_whom_it_heard_least_recently() -> None:
    phone = engine(PHONE)
    phone.subscribe(subscribe(is_active=False), 0)
    for number in range(MAX_DISCOVERED + 1):
        device = replace(local_device(CAMERA), nmi=b"\x02\x01" + number.to_bytes(4, "big"))
        outputs = phone.receive_frame(publish_frame(device, publish()), number)
    assert [type(each) for each in outputs] == [PeerDiscovered, PeerLost]
    assert len(phone.discovered) == MAX_DISCOVERED
    assert MAX_DEVICES == MAX_DISCOVERED
    assert phone.peer_device(b"\x02\x01" + bytes(4)) is None


def test_what_a_peer_says_of_itself_is_kept_until_it_says_otherwise() -> None:
    camera = engine(CAMERA)
    camera.publish(publish(is_unsolicited=False), 0)
    capability = DeviceCapability(committed_dw=9)
    told = replace(local_device(PHONE), device_capability=capability)
    camera.receive_frame(subscribe_frame(told, subscribe()), 1)
    camera.receive_frame(subscribe_frame(local_device(PHONE), subscribe()), 2)
    heard = camera.peer_device(nmi(PHONE))
    assert heard is not None
    assert heard.device_capability == capability


def test_two_services_in_one_frame_are_both_found() -> None:
    phone = engine(PHONE)
    phone.subscribe(subscribe(is_active=False), 0)
    phone.subscribe(subscribe(name="other", instance_id=12, is_active=False), 0)
    one = publish_frame(local_device(CAMERA), publish(service_info=b"1"))
    two = publish_frame(local_device(CAMERA), publish(name="other", instance_id=10, service_info=b"2"))
    both: ServiceDiscoveryFrame = replace(one, attributes=one.attributes + two.attributes)
    phone.receive(both.encode(), nmi(CAMERA), 1)
    assert {key: found.service_info for key, found in phone.discovered.items()} == {
        (11, nmi(CAMERA), 9): b"1",
        (12, nmi(CAMERA), 10): b"2",
    }
