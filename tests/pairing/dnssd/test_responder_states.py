"""The table of states is the law: every state meets every message, and hostile packets change nothing."""

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairing.dnssd.messages import FLAG_TRUNCATED, RESPONSE, Message, Question, Record, RecordType
from pairing.dnssd.names import host_name, instance_name, type_name
from pairing.dnssd.records import ServiceRecords
from pairing.dnssd.responder_states import ANSWERING, TRANSITIONS, ClaimInput, ClaimState
from pairing.dnssd.service import ServicePublished, ServiceRenamed
from pairing.engine import MILLISECOND, SECOND, Endpoint, FrameIgnored
from tests.support.dnssd_wire import GROUP, LINK, MESHCOP, OTHER_HOST, Station, Wire, responses, service

LIVING_ROOM = instance_name("Living Room", MESHCOP)
TYPE = type_name(MESHCOP)
OURS, THEIRS = ServiceRecords.of(service()), ServiceRecords.of(service(host="zzz", port=1))


def query(*questions: Question, **sections: object) -> bytes:
    """A query on the wire."""
    return Message(questions=questions, **sections).encode()  # type: ignore[arg-type]


def response(*records: Record) -> bytes:
    """A response on the wire."""
    return Message(flags=RESPONSE, answers=records).encode()


PACKETS: dict[str, bytes] = {
    "browse": query(Question(TYPE, RecordType.PTR)),
    "resolve": query(Question(LIVING_ROOM, RecordType.ANY)),
    "resolve QU": query(Question(LIVING_ROOM, RecordType.SRV, unicast=True)),
    "truncated": query(Question(TYPE, RecordType.PTR), flags=FLAG_TRUNCATED),
    "known answers alone": query(answers=(OURS.pointers[0],)),
    "stronger probe": query(Question(LIVING_ROOM, RecordType.ANY, unicast=True), authorities=THEIRS.unique),
    "probe for the host": query(
        Question(host_name("ot1"), RecordType.ANY, unicast=True),
        authorities=(Record(host_name("ot1"), RecordType.A, 120, b"\xff" * 4),),
    ),
    "conflict": response(THEIRS.srv),
    "host conflict": response(Record(host_name("ot1"), RecordType.A, 120, b"\xff" * 4)),
    "our own record": response(OURS.srv),
    "goodbye for our pointer": response(Record(TYPE, RecordType.PTR, 0, LIVING_ROOM)),
    "goodbye of another": response(Record(LIVING_ROOM, RecordType.SRV, 0, THEIRS.srv.rdata)),
    "empty response": response(),
    "empty query": query(),
    "garbage": b"\x00" * 11,
    "cut name": query(Question(TYPE, RecordType.PTR))[:-7],
    "notify opcode": query(Question(TYPE, RecordType.PTR), flags=0x2000),
    "error response": Message(flags=RESPONSE | 3, answers=(THEIRS.srv,)).encode(),
}
ALLOWED = (FrameIgnored, ServicePublished, ServiceRenamed)


def waiting(wire: Wire, station: Station) -> None:
    """Just registered."""
    wire.do(station, lambda engine, now: engine.register(service(), now))


def probing(wire: Wire, station: Station) -> None:
    """Between the first and the last probe."""
    waiting(wire, station)
    wire.run(400 * MILLISECOND)


def announcing(wire: Wire, station: Station) -> None:
    """Between the first and the last announcement."""
    waiting(wire, station)
    wire.run(2 * SECOND)


def established(wire: Wire, station: Station) -> None:
    """Announced for good."""
    waiting(wire, station)
    wire.run(10 * SECOND)


def withdrawn(wire: Wire, station: Station) -> None:
    """Gone a moment ago."""
    established(wire, station)
    key = station.engine.services[0].key
    wire.do(station, lambda engine, now: engine.withdraw(key, now))


STATES: dict[ClaimState, Callable[[Wire, Station], None]] = {
    ClaimState.WAITING: waiting,
    ClaimState.PROBING: probing,
    ClaimState.ANNOUNCING: announcing,
    ClaimState.ESTABLISHED: established,
    ClaimState.WITHDRAWN: withdrawn,
}


def brought_to(state: ClaimState) -> tuple[Wire, Station]:
    """A responder whose service is in a state."""
    wire = Wire()
    station = wire.responder("192.0.2.1")
    STATES[state](wire, station)
    return wire, station


@pytest.mark.parametrize("state", list(ClaimState))
def test_helpers_bring_a_service_to_the_state_that_they_name(state: ClaimState):
    _, station = brought_to(state)

    assert [each.state for each in station.engine.services] == ([] if state is ClaimState.WITHDRAWN else [state])


@pytest.mark.parametrize(("state", "packet"), list(product(ClaimState, PACKETS)))
def test_any_packet_in_any_state_leaves_a_working_responder(state: ClaimState, packet: str):
    wire, station = brought_to(state)
    seen = len(station.events)
    wire.inject(PACKETS[packet])
    wire.run(20 * SECOND)

    assert all(isinstance(event, ALLOWED) for event in station.events[seen:])
    if state is not ClaimState.WITHDRAWN:
        (current,) = station.engine.services
        assert current.state is ClaimState.ESTABLISHED
        start = wire.now
        wire.inject(query(Question(TYPE, RecordType.PTR)))
        wire.run(2 * SECOND)
        assert [sent.to for sent in wire.since(start)] == [GROUP]


@pytest.mark.parametrize("state", [state for state in ClaimState if state not in ANSWERING])
@pytest.mark.parametrize("packet", ["browse", "resolve", "resolve QU"])
def test_no_question_is_answered_in_a_state_in_which_the_name_is_not_ours(state: ClaimState, packet: str):
    wire, _ = brought_to(state)
    start = wire.now
    wire.inject(PACKETS[packet])
    wire.run(90 * MILLISECOND)

    said = [one for sent in responses(wire.since(start)) for one in sent.message.answers]
    assert [one for one in said if one.ttl] == []


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        ("garbage", "header has 12 bytes"),
        ("cut name", "name is cut short"),
        ("notify opcode", "opcode and rcode are zero"),
        ("error response", "opcode and rcode are zero"),
        ("empty query", "query without a question"),
        ("known answers alone", "query without a question"),
    ],
)
def test_ignored_packet_says_why(packet: str, reason: str):
    wire, station = brought_to(ClaimState.ESTABLISHED)
    seen = len(station.events)
    wire.inject(PACKETS[packet])

    (event,) = station.events[seen:]
    assert isinstance(event, FrameIgnored)
    assert reason in event.reason
    assert (event.peer, event.protocol) == (OTHER_HOST.host, "mdns")


@pytest.mark.parametrize("sender", [Endpoint("192.0.2.9", 5353, "elsewhere"), "a name", b"\x02\0\0\0\0\x01"])
def test_packet_from_no_link_of_ours_is_ignored(sender: Endpoint | str | bytes):
    _, station = brought_to(ClaimState.ESTABLISHED)

    (event,) = station.engine.receive(PACKETS["conflict"], sender, 0)

    assert isinstance(event, FrameIgnored)
    assert "no link" in event.reason


def test_table_leads_from_every_state_to_withdrawn_and_never_back():
    assert all(
        TRANSITIONS[state, ClaimInput.WITHDRAW] is ClaimState.WITHDRAWN
        for state in ClaimState
        if state is not ClaimState.WITHDRAWN
    )
    assert all(state is not ClaimState.WITHDRAWN for state, _ in TRANSITIONS)


def test_every_state_and_input_has_its_place_in_the_table():
    assert {state for state, _ in TRANSITIONS} | set(TRANSITIONS.values()) == set(ClaimState)
    assert {what for _, what in TRANSITIONS} == set(ClaimInput)


def test_handle_timeout_called_early_does_nothing():
    wire, station = brought_to(ClaimState.PROBING)
    deadline = station.engine.deadline
    assert deadline is not None

    assert list(station.engine.handle_timeout(deadline - 1)) == []
    assert station.engine.deadline == deadline
    wire.run(10 * SECOND)
    assert station.engine.services[0].state is ClaimState.ESTABLISHED


SENDERS = st.sampled_from([OTHER_HOST, Endpoint("192.0.2.99", 40000, LINK), Endpoint("fe80::9", 5353, LINK)])
BENT = st.builds(
    lambda packet, at, byte: packet[: at % len(packet)] + bytes((byte,)) + packet[at % len(packet) + 1 :],
    st.sampled_from(list(PACKETS.values())),
    st.integers(0, 1000),
    st.integers(0, 255),
)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.one_of(st.binary(max_size=80), BENT), SENDERS, st.integers(0, 400_000)), max_size=12))
def test_random_packets_are_ignored_and_the_responder_goes_on(packets: list[tuple[bytes, Endpoint, int]]):
    wire, station = brought_to(ClaimState.PROBING)
    for payload, sender, pause in packets:
        wire.inject(payload, sender)
        wire.run(pause)
    wire.run(60 * SECOND)

    assert all(isinstance(event, ALLOWED) for event in station.events)
    (current,) = station.engine.services
    assert current.state is ClaimState.ESTABLISHED


@given(st.lists(st.binary(max_size=100), max_size=8))
def test_arbitrary_bytes_bring_nothing_but_frame_ignored(payloads: list[bytes]):
    wire, station = brought_to(ClaimState.ESTABLISHED)
    seen = len(station.events)
    for payload in payloads:
        wire.inject(payload)
    wire.run(5 * SECOND)

    assert all(isinstance(event, FrameIgnored) for event in station.events[seen:])
