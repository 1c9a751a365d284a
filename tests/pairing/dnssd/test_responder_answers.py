"""Answering questions: who gets what, when, and what is left unsaid (RFC 6762 sections 5 to 7, RFC 6763)."""

from ipaddress import ip_address

import pytest
from zeroconf import DNSOutgoing, DNSPointer, DNSQuestion

from pairing.dnssd.messages import FLAG_TRUNCATED, RESPONSE, Message, Question, Record, RecordType
from pairing.dnssd.names import SERVICES, Name, host_name, instance_name, reverse_name, subtype_name, type_name
from pairing.dnssd.records import HostRecords, ServiceRecords, denies, pointed
from pairing.dnssd.responder import Responder
from pairing.dnssd.service import GROUP_V4, GROUP_V6
from pairing.engine import MILLISECOND, SECOND, Endpoint, FrameIgnored
from tests.support.dnssd_wire import (
    GROUP,
    LINK,
    MESHCOP,
    OTHER_HOST,
    Sent,
    Station,
    Wire,
    additionals,
    answers,
    link,
    seeded,
    service,
    types,
)

LIVING_ROOM = instance_name("Living Room", MESHCOP)
HOST = host_name("ot1")
TYPE = type_name(MESHCOP)
LEGACY = Endpoint("192.0.2.99", 40000, LINK)


@pytest.fixture
def wire() -> Wire:
    """A link on which one responder has published one service a while ago."""
    wire = Wire()
    wire.publish(wire.responder("192.0.2.1"), service(subtypes=("_r1", "_r2")))
    wire.run(10 * SECOND)
    return wire


def ask(wire: Wire, name: Name, type_: int, *known: Record, sender: Endpoint = OTHER_HOST, **flags: bool) -> list[Sent]:
    """What is sent within two seconds of a question."""
    start = wire.now
    wire.inject(Message(questions=(Question(name, type_, **flags),), answers=known).encode(), sender)
    wire.run(2 * SECOND)
    return wire.since(start)


def test_question_for_the_type_is_answered_with_the_pointer_and_everything_needed_to_connect(wire: Wire):
    (sent,) = ask(wire, TYPE, RecordType.PTR)

    assert sent.to == GROUP
    assert sent.message.flags == RESPONSE
    assert not sent.message.questions
    assert [pointed(one) for one in sent.message.answers] == [LIVING_ROOM]
    assert types(sent.message.additionals) == ["A", "NSEC", "NSEC", "SRV", "TXT"]


def test_shared_answer_waits_20_to_120_milliseconds(wire: Wire):
    delays = set()
    for _ in range(20):
        start = wire.now
        (sent,) = ask(wire, TYPE, RecordType.PTR)
        delays.add(sent.at - start)

    assert all(20 * MILLISECOND <= delay <= 120 * MILLISECOND for delay in delays)
    assert len(delays) > 10


@pytest.mark.parametrize(
    ("name", "type_", "expected"),
    [
        (LIVING_ROOM, RecordType.SRV, ["SRV"]),
        (LIVING_ROOM, RecordType.TXT, ["TXT"]),
        (LIVING_ROOM, RecordType.ANY, ["SRV", "TXT"]),
        (HOST, RecordType.A, ["A"]),
        (HOST, RecordType.ANY, ["A"]),
        (instance_name("LIVING room", "_MESHCOP._udp"), RecordType.SRV, ["SRV"]),
    ],
)
def test_unique_records_are_answered_at_once(wire: Wire, name: Name, type_: int, expected: list[str]):
    start = wire.now
    (sent,) = ask(wire, name, type_)

    assert sent.at == start
    assert types(sent.message.answers) == expected
    assert all(one.cache_flush for one in sent.message.answers)


def test_answer_with_srv_brings_the_addresses_along(wire: Wire):
    assert "A" in types(additionals(ask(wire, LIVING_ROOM, RecordType.SRV)))


@pytest.mark.parametrize("type_", [RecordType.AAAA, 65, 13])
def test_type_that_the_host_has_not_is_denied(wire: Wire, type_: int):
    (nsec,) = answers(ask(wire, HOST, type_))

    assert nsec.type == RecordType.NSEC
    assert denies(nsec, type_)
    assert not denies(nsec, RecordType.A)


def test_type_that_the_instance_has_not_is_denied(wire: Wire):
    (nsec,) = answers(ask(wire, LIVING_ROOM, RecordType.A))

    assert denies(nsec, RecordType.A)
    assert not denies(nsec, RecordType.SRV)
    assert not denies(nsec, RecordType.TXT)


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        (type_name("_hap._udp"), RecordType.PTR),
        (instance_name("Bedroom", MESHCOP), RecordType.SRV),
        (host_name("other"), RecordType.A),
        (TYPE, RecordType.SRV),
        (subtype_name("_r3", MESHCOP), RecordType.PTR),
        (reverse_name(ip_address("192.0.2.2")), RecordType.PTR),
    ],
)
def test_what_is_not_ours_is_left_to_others(wire: Wire, name: Name, type_: int):
    assert ask(wire, name, type_) == []


def test_question_of_another_class_is_not_for_us(wire: Wire):
    wire.inject(Message(questions=(Question(HOST, RecordType.A, class_=3),)).encode())
    start = wire.now
    wire.run(2 * SECOND)

    assert wire.since(start) == []


@pytest.mark.parametrize("subtype", ["_r1", "_r2", "_R2"])
def test_each_subtype_and_the_base_type_enumerate_the_instance(wire: Wire, subtype: str):
    for name in (subtype_name(subtype, MESHCOP), TYPE):
        assert [pointed(one) for one in answers(ask(wire, name, RecordType.PTR))] == [LIVING_ROOM]


def test_enumeration_of_types_names_each_type_once_and_no_subtype(wire: Wire):
    station = wire.stations[0]
    wire.publish(station, service("Bedroom", subtypes=("_r1",)), service("Bedroom", type="_trel._udp"))

    found = answers(ask(wire, SERVICES, RecordType.PTR))

    assert [pointed(one) for one in found] == [TYPE, type_name("_trel._udp")]


def test_reverse_lookup_gives_the_host(wire: Wire):
    (record,) = answers(ask(wire, reverse_name(ip_address("192.0.2.1")), RecordType.PTR))

    assert pointed(record) == HOST


def test_nothing_is_answered_while_the_name_is_only_probed_for():
    wire = Wire()
    wire.do(wire.responder("192.0.2.1"), lambda engine, now: engine.register(service(), now))
    wire.run(500 * MILLISECOND)
    start = wire.now
    wire.inject(Message(questions=(Question(LIVING_ROOM, RecordType.SRV), Question(TYPE, RecordType.PTR))).encode())
    wire.run(200 * MILLISECOND)

    assert all(not each.message.is_response for each in wire.since(start))


# Known answers.


@pytest.mark.parametrize(("ttl", "answered"), [(4500, False), (2250, False), (2249, True), (0, True)])
def test_known_answer_with_at_least_half_its_life_left_is_not_repeated(wire: Wire, ttl: int, answered: bool):
    known = Record(TYPE, RecordType.PTR, ttl, LIVING_ROOM)

    assert bool(ask(wire, TYPE, RecordType.PTR, known)) is answered


def test_known_answer_of_another_instance_suppresses_nothing(wire: Wire):
    known = Record(TYPE, RecordType.PTR, 4500, instance_name("Bedroom", MESHCOP))

    assert len(ask(wire, TYPE, RecordType.PTR, known)) == 1


def test_zeroconf_known_answer_list_suppresses_ours(wire: Wire):
    out = DNSOutgoing(0)
    out.add_question(DNSQuestion("_meshcop._udp.local.", 12, 1))
    out.add_answer_at_time(
        DNSPointer("_meshcop._udp.local.", 12, 1, 4500, "Living Room._meshcop._udp.local.", 1.0), 1000.0
    )
    start = wire.now
    wire.inject(out.packets()[0])
    wire.run(2 * SECOND)

    assert wire.since(start) == []


def test_truncated_query_waits_for_the_known_answers_that_follow(wire: Wire):
    start = wire.now
    question = Message(flags=FLAG_TRUNCATED, questions=(Question(TYPE, RecordType.PTR),))
    wire.inject(question.encode())
    wire.run(300 * MILLISECOND)
    wire.inject(Message(answers=(Record(TYPE, RecordType.PTR, 4500, LIVING_ROOM),)).encode())
    wire.run(2 * SECOND)

    assert wire.since(start) == []


def test_truncated_query_that_nothing_follows_is_answered_after_400_to_500_milliseconds(wire: Wire):
    start = wire.now
    wire.inject(Message(flags=FLAG_TRUNCATED, questions=(Question(LIVING_ROOM, RecordType.SRV),)).encode())
    wire.run(2 * SECOND)

    (sent,) = wire.since(start)
    assert 400 * MILLISECOND <= sent.at - start <= 500 * MILLISECOND


def test_known_answers_of_another_asker_do_not_count(wire: Wire):
    start = wire.now
    wire.inject(Message(flags=FLAG_TRUNCATED, questions=(Question(TYPE, RecordType.PTR),)).encode())
    known = Message(answers=(Record(TYPE, RecordType.PTR, 4500, LIVING_ROOM),)).encode()
    wire.inject(known, Endpoint("192.0.2.98", 5353, LINK))
    wire.run(2 * SECOND)

    assert len(wire.since(start)) == 1


# QU.


def test_unicast_answer_goes_to_the_asker_alone_when_the_link_heard_the_record_lately(wire: Wire):
    (sent,) = ask(wire, LIVING_ROOM, RecordType.SRV, unicast=True)

    assert sent.to == OTHER_HOST
    assert types(sent.message.answers) == ["SRV"]


def test_qu_question_is_multicast_when_the_link_has_not_heard_the_record_for_a_quarter_of_its_life(wire: Wire):
    wire.run(30 * SECOND)  # a quarter of the 120 seconds of an SRV record; PTR has 4,500
    start = wire.now
    message = Message(questions=(Question(LIVING_ROOM, RecordType.SRV, True), Question(TYPE, RecordType.PTR, True)))
    wire.inject(message.encode())
    wire.run(2 * SECOND)

    by_target = {sent.to: types(sent.message.answers) for sent in wire.since(start)}
    assert by_target == {GROUP: ["SRV"], OTHER_HOST: ["PTR"]}


def test_asker_on_our_own_address_gets_multicast_soon_since_unicast_may_reach_another_program(wire: Wire):
    flatmate = Endpoint("192.0.2.1", 5353, LINK)
    wire.inject(Message(questions=(Question(LIVING_ROOM, RecordType.SRV),)).encode())
    first = wire.now
    wire.run(100 * MILLISECOND)
    (sent,) = ask(wire, LIVING_ROOM, RecordType.SRV, unicast=True, sender=flatmate)

    assert sent.to == GROUP
    assert sent.at - first == 250 * MILLISECOND


# Legacy queries.


def test_legacy_query_is_answered_as_an_ordinary_resolver_expects(wire: Wire):
    start = wire.now
    question = Question(LIVING_ROOM, RecordType.SRV)
    wire.inject(Message(id=0x1234, questions=(question,)).encode(), LEGACY)
    wire.run(2 * SECOND)

    (sent,) = wire.since(start)
    assert sent.to == LEGACY
    assert sent.message.id == 0x1234
    assert sent.message.questions == (question,)
    records = (*sent.message.answers, *sent.message.additionals)
    assert all(one.ttl <= 10 and not one.cache_flush for one in records)
    assert b"\x03ot1\x05local\x00" in sent.payload  # the SRV target is not compressed


def test_legacy_answer_that_does_not_fit_one_packet_says_so():
    wire = Wire()
    wire.publish(wire.responder("192.0.2.1"), *(service(f"Router {number}", f"h{number}") for number in range(50)))

    (sent,) = ask(wire, TYPE, RecordType.PTR, sender=LEGACY)

    assert sent.message.is_truncated
    assert sent.message.answers


def test_legacy_query_for_a_name_that_is_not_ours_is_not_answered(wire: Wire):
    assert ask(wire, host_name("other"), RecordType.A, sender=LEGACY) == []


def test_response_from_another_port_is_ignored(wire: Wire):
    wire.inject(Message(flags=RESPONSE, answers=ServiceRecords.of(service(host="x")).unique).encode(), LEGACY)

    (event,) = wire.stations[0].named(FrameIgnored)
    assert "port 40000" in event.reason


# Rates, duplicates, cooperation.


def test_record_is_multicast_at_most_once_a_second(wire: Wire):
    start = wire.now
    for _ in range(10):
        wire.inject(Message(questions=(Question(LIVING_ROOM, RecordType.SRV),)).encode())
        wire.run(300 * MILLISECOND)

    times = [sent.at for sent in wire.since(start) if "SRV" in types(sent.message.answers)]
    assert [at - start for at in times] == [0, SECOND, 2 * SECOND, 3 * SECOND]


def test_no_record_is_multicast_twice_within_a_second_whatever_is_asked(wire: Wire):
    start = wire.now
    for number in range(40):
        name, type_ = [(TYPE, 12), (LIVING_ROOM, 33), (HOST, 1), (LIVING_ROOM, 16), (SERVICES, 12)][number % 5]
        wire.inject(Message(questions=(Question(name, type_),)).encode())
        wire.run(70 * MILLISECOND)

    last: dict[object, int] = {}
    for sent in wire.since(start):
        for record in (*sent.message.answers, *sent.message.additionals):
            assert sent.at - last.get(record.identity, -SECOND) >= SECOND
            last[record.identity] = sent.at


def test_pointer_answer_that_was_delayed_still_brings_srv_and_txt(wire: Wire):
    ask(wire, LIVING_ROOM, RecordType.TXT)
    wire.inject(Message(questions=(Question(LIVING_ROOM, RecordType.TXT),)).encode())
    sent = ask(wire, TYPE, RecordType.PTR)

    (answer,) = [each for each in sent if "PTR" in types(each.message.answers)]
    assert {"SRV", "TXT"} <= set(types((*answer.message.answers, *answer.message.additionals)))


def test_answer_that_another_responder_gives_first_is_not_given_again(wire: Wire):
    start = wire.now
    wire.inject(Message(questions=(Question(SERVICES, RecordType.PTR),)).encode())
    wire.run(10 * MILLISECOND)
    wire.inject(Message(flags=RESPONSE, answers=(Record(SERVICES, RecordType.PTR, 4500, TYPE),)).encode())
    wire.run(2 * SECOND)

    assert wire.since(start) == []


@pytest.mark.parametrize("ttl", [0, 100])
def test_pointer_that_another_host_lets_die_is_announced_again(wire: Wire, ttl: int):
    start = wire.now
    wire.inject(Message(flags=RESPONSE, answers=(Record(TYPE, RecordType.PTR, ttl, LIVING_ROOM),)).encode())
    wire.run(999 * MILLISECOND)

    assert [one.ttl for one in answers(wire.since(start))] == [4500]


def test_unique_record_that_another_host_says_goodbye_for_is_announced_again(wire: Wire):
    start = wire.now
    address = HostRecords.of(HOST, [ip_address("192.0.2.1")], 0).addresses
    wire.inject(Message(flags=RESPONSE, answers=address).encode())
    wire.run(999 * MILLISECOND)

    assert [(one.name, one.ttl) for one in answers(wire.since(start))] == [(HOST, 120)]


# Links.


def two_links() -> tuple[Wire, Station]:
    """One host on two links, with a link-local address on each, speaking IPv4 and IPv6."""
    links = [
        link("192.0.2.1", "fe80::1", name="eth", v6=True),
        link("198.51.100.1", "fe80::2", name="wifi", v6=True),
    ]
    wire = Wire()
    station = wire.join(Responder(seeded(1), links), {"eth": "192.0.2.1", "wifi": "198.51.100.1"})
    wire.publish(station, service())
    return wire, station


def test_every_packet_carries_the_addresses_of_its_own_link_only():
    wire, _ = two_links()

    for sent in wire.sent:
        records = (*sent.message.answers, *sent.message.authorities, *sent.message.additionals)
        found = {one.rdata for one in records if one.type in (RecordType.A, RecordType.AAAA)}
        own = {"eth": ("192.0.2.1", "fe80::1"), "wifi": ("198.51.100.1", "fe80::2")}[sent.to.link]
        assert found == {ip_address(address).packed for address in own}


def test_both_groups_of_every_link_hear_every_announcement():
    wire, _ = two_links()

    groups = {(sent.to.link, sent.to.host) for sent in wire.sent if sent.message.is_response}
    assert groups == {(name, host) for name in ("eth", "wifi") for host in (GROUP_V4, GROUP_V6)}


def test_answer_leaves_on_the_link_and_family_of_the_question():
    wire, _ = two_links()
    wire.run(10 * SECOND)
    start = wire.now
    wire.inject(Message(questions=(Question(HOST, RecordType.AAAA),)).encode(), Endpoint("fe80::99", 5353, "wifi"))
    wire.run(2 * SECOND)

    (sent,) = wire.since(start)
    assert (sent.to.host, sent.to.link) == (GROUP_V6, "wifi")
    assert [one.rdata for one in sent.message.answers] == [ip_address("fe80::2").packed]


def test_own_records_heard_on_the_other_link_are_no_conflict():
    wire, station = two_links()
    for sent in [each for each in wire.sent if each.message.is_response]:
        other = Endpoint("192.0.2.1", 5353, "wifi" if sent.to.link == "eth" else "eth")
        wire.inject(sent.payload, other)
    wire.run(5 * SECOND)

    assert [each.service.instance for each in station.engine.services] == ["Living Room"]
    assert [each.service.host for each in station.engine.services] == ["ot1"]


# Many.


def test_answers_about_many_services_are_complete_and_fill_their_packets():
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.publish(station, *(service(f"Router {number}", f"h{number}", txt=bytes(150)) for number in range(300)))
    wire.run(5 * SECOND)

    sent = ask(wire, TYPE, RecordType.PTR)

    assert len(answers(sent, RecordType.PTR)) == 300
    assert len({one.identity for one in additionals(sent) if one.type == RecordType.TXT}) == 300
    assert len(sent) < 100
