"""Discovery against recorded exchanges of an independent implementation: every frame of either side to the byte."""

from itertools import pairwise

import pytest

from pairing.engine import Event, Outputs, PeerDiscovered
from pairing.nan.discovery import Discovery
from pairing.nan.events import FollowUpReceived, SubscriberAnswered
from pairing.nan.identifiers import address_text
from pairing.nan.sessions import Publish
from tests.support.nan_capture import ROLES, Capture, captures, sent

DISCOVERY = [name for name in captures() if name.startswith("discovery_")]
ALL = list(captures())


def replay(capture: Capture, role: str) -> Outputs:
    """One side's engine hears the other's frames at their times and does what its user did; all it put out."""
    announcements = capture.of(role, "publish")
    period = min((later.at - earlier.at for earlier, later in pairwise(announcements)), default=None)
    engine = Discovery(capture.device(role))
    session = capture.session(role, period)
    outputs = list(engine.publish(session, 0) if isinstance(session, Publish) else engine.subscribe(session, 0))
    for frame in capture.frames:
        if frame.sender != role:
            outputs += engine.receive(frame.octets, capture.nmi(frame.sender), frame.at)
        elif frame.kind == "followup":
            of = frame.descriptor
            outputs += engine.follow_up(
                session.instance_id, frame.sdf.destination, of.requestor_instance_id, frame.service_info, frame.at
            )
        else:
            outputs += engine.handle_timeout(frame.at)
    return outputs


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", DISCOVERY)
def test_every_frame_of_a_side_is_reproduced(name: str, role: str) -> None:
    capture = captures()[name]
    assert sent(replay(capture, role)) == [frame.octets.hex() for frame in capture.of(role)]


@pytest.mark.parametrize("name", ALL)
def test_first_publish_of_every_capture_is_reproduced_and_understood(name: str) -> None:
    capture = captures()[name]
    (publish, *_) = capture.of("responder", "publish")
    subscribes = capture.of("initiator", "subscribe")
    engine = Discovery(capture.device("responder"))
    session = capture.session("responder", None if subscribes else 10**9)
    assert isinstance(session, Publish)
    outputs = list(engine.publish(session, 0))
    for frame in subscribes:
        outputs += engine.receive(frame.octets, capture.nmi("initiator"), frame.at)
    assert sent(outputs) == [publish.octets.hex()]

    subscriber = Discovery(capture.device("initiator"))
    subscribe = capture.session("initiator")
    assert not isinstance(subscribe, Publish)
    assert sent(subscriber.subscribe(subscribe, 0)) == [frame.octets.hex() for frame in subscribes]
    (found,) = subscriber.receive(publish.octets, capture.nmi("responder"), publish.at)
    assert isinstance(found, PeerDiscovered)
    (told,) = subscriber.discovered.values()
    event = next(each for each in capture.document["initiator"]["events"] if each["name"] == "discovery")
    assert f"publish_id={told.publish_id} pbm={told.methods.value:#06x}" in event["text"]
    assert f"ncs={len(told.suites)}" in event["text"]
    assert told.security_capabilities == (session.cipher_suites.capabilities if session.cipher_suites else 0)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", DISCOVERY)
def test_events_tell_what_the_recorded_device_told_its_user(name: str, role: str) -> None:
    capture = captures()[name]
    told: list[Event] = [each for each in replay(capture, role) if isinstance(each, Event)]
    other = capture.nmi("responder" if role == "initiator" else "initiator")
    expected = {"discovery": PeerDiscovered, "replied": SubscriberAnswered, "followup": FollowUpReceived}
    recorded = [each["name"] for each in capture.document[role]["events"] if each["name"] in expected]
    news = [each for each in told if each.peer == address_text(other)]
    assert [type(each) for each in news] == [expected[name] for name in recorded]


def test_follow_up_carries_the_octets_of_the_application() -> None:
    capture = captures()["discovery_unsolicited_01"]
    told = [each for each in replay(capture, "responder") if isinstance(each, FollowUpReceived)]
    assert [each.service_info for each in told] == [b"hello"]
    assert (told[0].instance_id, told[0].peer_instance_id) == (2, 4)
