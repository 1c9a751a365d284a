"""Browsing and resolving: what is asked when, what is believed, and how long (RFC 6762 sections 5, 7, 10)."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zeroconf import DNSIncoming

from pairing.dnssd.cache import MAX_RECORDS, Cache
from pairing.dnssd.messages import RESPONSE, Message, Question, Record, RecordType
from pairing.dnssd.names import host_name, instance_name, type_name
from pairing.dnssd.querier import ALL_TYPES, Querier
from pairing.dnssd.records import HostRecords, ServiceRecords
from pairing.dnssd.service import EMPTY_TXT, ResolvedService, ResponderLies, ServiceKey, ServiceResolved
from pairing.engine import MILLISECOND, SECOND, Endpoint, FrameIgnored, PeerDiscovered, PeerLost
from pairing.errors import LocalProtocolError
from tests.support.dnssd_wire import GROUP, MESHCOP, Sent, Station, Wire, link, seeded, service, types

TYPE = type_name(MESHCOP)
LIVING_ROOM = instance_name("Living Room", MESHCOP)
KEY = ServiceKey("Living Room", MESHCOP)
RESOLVED = ResolvedService("Living Room", MESHCOP, "ot1", 49154, b"\x04rv=1", (ip_address("192.0.2.1"),), "lan")


def browsing(wire: Wire, service_type: str = MESHCOP, **options: object) -> Station:
    """A querier that browses from now on."""
    station = wire.querier("192.0.2.50", **options)
    wire.do(station, lambda engine, now: engine.browse(service_type, now))
    return station


def asked(wire: Wire, querier: Station, type_: RecordType = RecordType.PTR) -> list[Sent]:
    """The querier's packets with a question of a type."""
    mine = [sent for sent in wire.sent if sent.sender == querier.name]
    return [sent for sent in mine if any(one.type == type_ for one in sent.message.questions)]


def said(*records: Record) -> bytes:
    """A response on the wire."""
    return Message(flags=RESPONSE, answers=records).encode()


def kinds(station: Station) -> list[str]:
    """What happened, by name."""
    return [type(event).__name__ for event in station.events]


# Asking.


def test_browse_asks_at_once_with_qu_and_then_ever_more_slowly():
    wire = Wire()
    querier = browsing(wire)
    wire.run(130 * SECOND)

    packets = asked(wire, querier)
    first = packets[0].at
    assert 20 * MILLISECOND <= first <= 120 * MILLISECOND
    assert [(sent.at - first) // SECOND for sent in packets] == [0, 1, 3, 7, 15, 31, 63, 127]
    assert [sent.message.questions[0].unicast for sent in packets] == [True] + [False] * 7
    assert {sent.to for sent in packets} == {GROUP}


def test_questions_are_at_most_an_hour_apart():
    wire = Wire()
    querier = browsing(wire)
    wire.run(5 * 3600 * SECOND)

    packets = asked(wire, querier)
    assert packets[-1].at - packets[-2].at == 3600 * SECOND


def test_every_packet_of_a_querier_is_read_by_zeroconf():
    wire = Wire()
    wire.publish(wire.responder("192.0.2.1"), *(service(f"Router {number}", f"h{number}") for number in range(60)))
    querier = browsing(wire)
    wire.run(10 * SECOND)

    for sent in [each for each in wire.sent if each.sender == querier.name]:
        read = DNSIncoming(sent.payload, now=1.0)
        assert read.valid
        assert (len(read.questions), len(read.answers())) == (len(sent.message.questions), len(sent.message.answers))
        assert read.truncated == sent.message.is_truncated


def test_what_is_known_goes_along_as_known_answers_with_the_life_it_has_left():
    wire = Wire()
    wire.publish(wire.responder("192.0.2.1"), service())
    querier = browsing(wire)
    wire.run(10 * SECOND)

    known = [sent.message.answers for sent in asked(wire, querier)]
    assert known[0] == ()
    assert [one.rdata for one in known[1]] == [LIVING_ROOM]
    assert 4490 < known[1][0].ttl < 4500
    assert not known[1][0].cache_flush


def test_many_known_answers_go_on_in_further_packets_and_silence_the_responder():
    wire = Wire()
    responder = wire.responder("192.0.2.1")
    wire.publish(responder, *(service(f"A router with number {number}", f"h{number}") for number in range(100)))
    querier = browsing(wire)
    wire.run(900 * MILLISECOND)
    start = wire.now
    wire.run(2 * SECOND)

    mine = [sent for sent in wire.since(start) if sent.sender == querier.name]
    assert len(mine) > 1
    assert [sent.message.is_truncated for sent in mine] == [True] * (len(mine) - 1) + [False]
    assert [sent for sent in wire.since(start) if sent.sender == responder.name] == []


# Finding.


def test_browse_finds_and_resolves_a_service():
    wire = Wire()
    wire.publish(wire.responder("192.0.2.1"), service())
    querier = browsing(wire)
    wire.run(1 * SECOND)

    assert kinds(querier) == ["PeerDiscovered", "ServiceResolved"]
    discovered, resolved = querier.events
    assert isinstance(discovered, PeerDiscovered)
    assert (discovered.peer, discovered.service) == ("Living Room", MESHCOP)
    assert isinstance(resolved, ServiceResolved)
    assert resolved.service == RESOLVED
    assert querier.engine.found(MESHCOP) == (RESOLVED,)


def test_service_announced_later_is_found_without_another_question():
    wire = Wire()
    querier = browsing(wire)
    wire.run(20 * SECOND)
    wire.publish(wire.responder("192.0.2.1"), service())

    assert kinds(querier) == ["PeerDiscovered", "ServiceResolved"]
    assert querier.times[-1] < 22 * SECOND


def test_announcement_heard_before_the_browse_counts():
    wire = Wire()
    querier = wire.querier("192.0.2.50")
    wire.publish(wire.responder("192.0.2.1"), service())
    wire.do(querier, lambda engine, now: engine.browse(MESHCOP, now))

    assert kinds(querier) == ["PeerDiscovered", "ServiceResolved"]


def test_missing_records_are_asked_for_and_a_lone_pointer_is_resolved():
    wire = Wire()
    wire.publish(wire.responder("192.0.2.1"), service())
    querier = browsing(wire)
    wire.loses = lambda sent: sent.message.is_response and "PTR" in types(sent.message.answers)
    wire.run(10 * MILLISECOND)
    wire.inject(said(Record(TYPE, RecordType.PTR, 4500, LIVING_ROOM)))
    wire.run(3 * SECOND)

    assert asked(wire, querier, RecordType.SRV)
    assert querier.engine.found(MESHCOP) == (RESOLVED,)


def test_service_that_nobody_resolves_is_seen_without_a_host_and_asked_for_more_and_more_slowly():
    wire = Wire()
    querier = browsing(wire)
    wire.inject(said(Record(TYPE, RecordType.PTR, 4500, LIVING_ROOM)))
    wire.run(20 * SECOND)

    assert kinds(querier) == ["PeerDiscovered"]
    (found,) = querier.engine.found(MESHCOP)
    assert (found.instance, found.is_resolved, found.txt) == ("Living Room", False, None)
    assert len(asked(wire, querier, RecordType.SRV)) == 5


def test_family_that_the_owner_denies_is_not_asked_for():
    wire = Wire()
    querier = browsing(wire)
    records = ServiceRecords.of(service())
    nsec = HostRecords.of(host_name("ot1"), [ip_address("192.0.2.1")], 120).nsec
    wire.inject(said(records.pointers[0], records.srv, records.txt, nsec))
    wire.run(3 * SECOND)

    assert asked(wire, querier, RecordType.A)
    assert not asked(wire, querier, RecordType.AAAA)


def test_service_whose_txt_nobody_gives_resolves_without_it_after_three_questions():
    wire = Wire()
    responder = wire.responder("192.0.2.1")
    lies = ResponderLies(no_txt_in_answers=True)
    wire.do(responder, lambda engine, now: engine.register(service(), now, lies))
    wire.run(30 * SECOND)
    querier = browsing(wire)
    wire.run(30 * SECOND)

    (event,) = querier.named(ServiceResolved)
    assert event.service.txt is None
    assert event.service.is_resolved
    assert querier.times[-1] - 30 * SECOND > 3 * SECOND


def test_subtype_browse_finds_only_the_instances_of_the_subtype():
    wire = Wire()
    wire.publish(wire.responder("192.0.2.1"), service("One", "h1", subtypes=("_CM",)), service("Two", "h2"))
    querier = wire.querier("192.0.2.50")
    wire.do(querier, lambda engine, now: engine.browse(MESHCOP, now, "_CM"))
    wire.run(2 * SECOND)

    assert [each.instance for each in querier.engine.found(MESHCOP, "_CM")] == ["One"]
    assert [event.service for event in querier.named(PeerDiscovered)] == ["_CM._sub._meshcop._udp"]
    assert querier.engine.found(MESHCOP) == ()


def test_browsing_all_types_lists_them():
    wire = Wire()
    wire.publish(wire.responder("192.0.2.1"), service(), service("Hub", type="_hap._tcp", host="hub"))
    querier = browsing(wire, ALL_TYPES)
    wire.run(2 * SECOND)

    assert sorted(event.peer or "" for event in querier.named(PeerDiscovered)) == ["_hap._tcp", "_meshcop._udp"]


def test_services_of_two_owners_with_one_name_resolve_to_the_one_heard_last():
    wire = Wire()
    querier = browsing(wire)
    one, two = ServiceRecords.of(service()), ServiceRecords.of(service(port=2))
    address = HostRecords.of(host_name("ot1"), [ip_address("192.0.2.1")], 120).addresses
    wire.inject(said(one.pointers[0], one.srv, one.txt, *address))
    wire.run(10 * MILLISECOND)
    wire.inject(said(two.srv))

    assert [event.service.port for event in querier.named(ServiceResolved)] == [49154, 2]


def test_addresses_of_both_families_and_links_are_put_together():
    links = [link("192.0.2.50", name="eth"), link("198.51.100.50", name="wifi")]
    wire = Wire()
    querier = wire.join(Querier(seeded(1), links), {"eth": "192.0.2.50", "wifi": "198.51.100.50"})
    wire.do(querier, lambda engine, now: engine.browse(MESHCOP, now))
    records = ServiceRecords.of(service())
    for name, address in (("eth", "192.0.2.1"), ("wifi", "2001:db8::1")):
        host = HostRecords.of(host_name("ot1"), [ip_address(address)], 120)
        payload = said(records.pointers[0], records.srv, records.txt, *host.addresses)
        wire.inject(payload, Endpoint("192.0.2.99", 5353, name))

    assert querier.engine.found(MESHCOP)[0].addresses == (ip_address("192.0.2.1"), ip_address("2001:db8::1"))
    assert len(querier.named(PeerDiscovered)) == 1


# Changing and leaving.


def followed() -> tuple[Wire, Station, Station]:
    """A responder whose service a querier has resolved, a while ago."""
    wire = Wire()
    responder = wire.responder("192.0.2.1")
    wire.publish(responder, service())
    querier = browsing(wire)
    wire.run(20 * SECOND)
    return wire, responder, querier


def test_new_txt_replaces_the_old_one():
    wire, responder, querier = followed()
    wire.do(responder, lambda engine, now: engine.update(service(txt=b"\x04rv=2"), now))
    wire.run(5 * SECOND)

    assert [event.service.txt for event in querier.named(ServiceResolved)] == [b"\x04rv=1", b"\x04rv=2"]


def test_new_port_and_host_are_reported_once_each_is_known():
    wire, responder, querier = followed()
    wire.do(responder, lambda engine, now: engine.update(service(host="ot2", port=7), now))
    wire.run(10 * SECOND)

    last = querier.named(ServiceResolved)[-1]
    assert (last.service.host, last.service.port) == ("ot2", 7)
    assert not querier.named(PeerLost)


def test_goodbye_takes_the_service_away_a_second_later():
    wire, responder, querier = followed()
    start = wire.now
    wire.do(responder, lambda engine, now: engine.withdraw(KEY, now))
    wire.run(5 * SECOND)

    (lost,) = querier.named(PeerLost)
    assert (lost.peer, lost.service, lost.reason) == ("Living Room", MESHCOP, "goodbye")
    assert querier.times[-1] == start + SECOND + MILLISECOND
    assert querier.engine.found(MESHCOP) == ()


def test_lost_goodbye_is_made_good_by_its_repetition():
    wire, responder, querier = followed()
    start = wire.now
    wire.loses = lambda sent: sent.at == start
    wire.do(responder, lambda engine, now: engine.withdraw(KEY, now))
    wire.run(5 * SECOND)

    assert len(querier.named(PeerLost)) == 1


def test_service_that_comes_back_after_its_goodbye_is_discovered_again():
    wire, responder, querier = followed()
    wire.do(responder, lambda engine, now: engine.withdraw(KEY, now))
    wire.run(5 * SECOND)
    wire.do(responder, lambda engine, now: engine.register(service(), now))
    wire.run(5 * SECOND)

    assert kinds(querier) == ["PeerDiscovered", "ServiceResolved", "PeerLost", "PeerDiscovered", "ServiceResolved"]


def test_service_that_dies_without_a_goodbye_expires_after_being_asked_for_at_80_85_90_and_95_percent():
    wire, responder, querier = followed()
    announced = max(sent.at for sent in wire.sent if sent.message.is_response)
    wire.leave(responder)
    wire.run(4600 * SECOND)

    (lost,) = querier.named(PeerLost)
    assert lost.reason == "expired"
    life = 4500 * SECOND
    moments = [100 * (sent.at - announced) / life for sent in asked(wire, querier) if sent.at - announced > life // 2]
    for percent in (80, 85, 90, 95):
        assert any(percent <= moment <= percent + 3 for moment in moments)
    assert querier.times[-1] - announced == pytest.approx(life, rel=0.001)


def test_service_that_lives_is_kept_for_hours():
    wire, _, querier = followed()
    wire.run(4 * 3600 * SECOND)

    assert kinds(querier) == ["PeerDiscovered", "ServiceResolved"]
    assert querier.engine.found(MESHCOP) == (RESOLVED,)


def test_cache_flush_spares_records_of_the_last_second():
    cache = Cache()
    name = host_name("hub")
    one, two = (Record(name, RecordType.A, 120, bytes((192, 0, 2, number)), cache_flush=True) for number in (1, 2))
    cache.add([one], 0, 0)
    cache.add([two], SECOND // 2, 0)
    assert [entry.record for entry in cache.entries(name, RecordType.A)] == [one, two]

    cache.add([two], 2 * SECOND, 0)
    expired, _ = cache.step(3 * SECOND)
    assert [end.record for end in expired] == [one]


def test_full_cache_takes_nothing_more_and_still_forgets():
    cache = Cache()
    cache.add((Record(b"\x04%04d\x00" % n, RecordType.TXT, 1, EMPTY_TXT) for n in range(9999)), 0, 0)
    cache.add((Record(b"\x05%05d\x00" % n, RecordType.TXT, 1, EMPTY_TXT) for n in range(MAX_RECORDS)), 0, 0)
    assert cache.is_full

    assert len(cache.step(10 * SECOND)[0]) == MAX_RECORDS
    assert not cache.is_full
    assert cache.next is None


def test_stopping_ends_questions_and_forgets_what_only_it_had_found():
    wire, _, querier = followed()
    wire.do(querier, lambda engine, now: engine.stop(MESHCOP, now))
    start = wire.now
    wire.run(8000 * SECOND)

    assert [sent for sent in wire.since(start) if sent.sender == querier.name] == []
    assert querier.engine.found(MESHCOP) == ()
    assert kinds(querier) == ["PeerDiscovered", "ServiceResolved"]


def test_browsing_twice_or_stopping_what_does_not_run_is_the_callers_mistake():
    engine = Querier(seeded(1), [link("192.0.2.50")])
    engine.browse(MESHCOP, 0)
    with pytest.raises(LocalProtocolError, match="already browsing"):
        engine.browse("_MESHCOP._udp", 0)
    with pytest.raises(LocalProtocolError, match="not browsing"):
        engine.stop("_hap._tcp", 0)


# What is believed.


def test_querier_that_distrusts_announcements_finds_nothing_before_it_asks_again():
    wire = Wire()
    querier = browsing(wire, use_announcements=False)
    wire.run(20 * SECOND)
    wire.publish(wire.responder("192.0.2.1"), service())
    assert querier.named(PeerDiscovered) == []
    assert any("no question of ours" in event.reason for event in querier.named(FrameIgnored))

    wire.run(20 * SECOND)
    assert [type(event) for event in querier.events if not isinstance(event, FrameIgnored)] == [
        PeerDiscovered,
        ServiceResolved,
    ]


def test_querier_that_distrusts_announcements_believes_answers_and_goodbyes():
    wire = Wire()
    responder = wire.responder("192.0.2.1")
    wire.publish(responder, service())
    querier = browsing(wire, use_announcements=False)
    wire.run(20 * SECOND)
    assert querier.engine.found(MESHCOP) == (RESOLVED,)

    wire.do(responder, lambda engine, now: engine.withdraw(KEY, now))
    wire.run(5 * SECOND)
    assert len(querier.named(PeerLost)) == 1


def test_txt_that_is_only_announced_is_seen_by_the_one_that_listens_and_not_by_the_one_that_asks():
    wire = Wire()
    listener = browsing(wire)
    responder = wire.responder("192.0.2.1")
    lies = ResponderLies(no_txt_in_answers=True)
    wire.do(responder, lambda engine, now: engine.register(service(), now, lies))
    wire.run(10 * SECOND)
    asker = browsing(wire, use_announcements=False)
    wire.run(30 * SECOND)

    assert listener.engine.found(MESHCOP)[0].txt == b"\x04rv=1"
    assert asker.engine.found(MESHCOP)[0].txt is None


@pytest.mark.parametrize(
    ("payload", "sender", "reason"),
    [
        (b"\0" * 5, None, "header"),
        (Message(flags=RESPONSE | 2).encode(), None, "opcode and rcode"),
        (Message(flags=RESPONSE).encode(), None, "without a record"),
        (said(ServiceRecords.of(service()).txt), Endpoint("192.0.2.99", 99, "lan"), "port 99"),
        (said(ServiceRecords.of(service()).txt), Endpoint("192.0.2.99", 5353, "else"), "no link"),
    ],
)
def test_ignored_packet_says_why(payload: bytes, sender: Endpoint | None, reason: str):
    querier = Querier(seeded(1), [link("192.0.2.50")])

    (event,) = querier.receive(payload, sender or Endpoint("192.0.2.99", 5353, "lan"), 0)

    assert isinstance(event, FrameIgnored)
    assert reason in event.reason


@pytest.mark.parametrize(
    "record",
    [
        Record(TYPE, RecordType.PTR, 4500, host_name("ot1")),
        Record(TYPE, RecordType.PTR, 4500, LIVING_ROOM + b"more"),
        Record(LIVING_ROOM, RecordType.SRV, 120, b"\0\0\0\0\0\0" + host_name("x") + b"more"),
        Record(host_name("ot1"), RecordType.A, 120, b"\x01"),
    ],
)
def test_malformed_record_data_is_passed_over(record: Record):
    wire, _, querier = followed()
    wire.inject(said(record))
    wire.run(5 * SECOND)

    assert querier.engine.found(MESHCOP) == (RESOLVED,)


def test_queries_of_others_are_passed_over():
    querier = Querier(seeded(1), [link("192.0.2.50")])
    payload = Message(questions=(Question(TYPE, RecordType.PTR),)).encode()

    assert list(querier.receive(payload, Endpoint("192.0.2.99", 5353, "lan"), 0)) == []


RECORDS = ServiceRecords.of(service())
BENT = st.builds(
    lambda change, at, byte: (
        (payload := said(*change))[: at % len(payload)] + bytes((byte,)) + payload[at % len(payload) + 1 :]
    ),
    st.lists(st.sampled_from([*RECORDS.unique, *RECORDS.pointers, RECORDS.nsec, replace(RECORDS.srv, ttl=0)])),
    st.integers(0, 500),
    st.integers(0, 255),
)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.one_of(st.binary(max_size=80), BENT), st.integers(0, 3_000_000)), max_size=12))
def test_random_packets_never_break_the_querier(packets: list[tuple[bytes, int]]):
    wire = Wire()
    querier = browsing(wire)
    for payload, pause in packets:
        wire.inject(payload)
        wire.run(pause)
    wire.publish(wire.responder("192.0.2.1"), service("Bedroom", "ot9"))
    wire.run(10 * SECOND)

    assert "Bedroom" in [each.instance for each in querier.engine.found(MESHCOP) if each.is_resolved]


# Loss.


@pytest.mark.parametrize("lost", range(24))
def test_any_one_packet_may_be_lost_on_the_way_to_a_resolved_service(lost: int):
    wire = Wire()
    swallow: Callable[[Sent], bool] = lambda sent: wire.sent.index(sent) == lost  # noqa: E731  # the wire wants a value
    wire.loses = swallow
    querier = browsing(wire)
    wire.publish(wire.responder("192.0.2.1"), service())
    wire.run(20 * SECOND)

    assert querier.engine.found(MESHCOP) == (RESOLVED,)


def test_a_thousand_services_are_found_and_resolved():
    wire = Wire()
    responder = wire.responder("192.0.2.1")
    for number in range(1000):
        each = service(f"Router {number}", f"h{number}", port=number)
        wire.do(responder, lambda engine, now, each=each: engine.register(each, now))
    wire.run(10 * SECOND)
    querier = browsing(wire)
    start = wire.now
    wire.run(2 * SECOND)

    assert sum(each.is_resolved for each in querier.engine.found(MESHCOP)) == 1000
    assert max(querier.times) - start < SECOND
