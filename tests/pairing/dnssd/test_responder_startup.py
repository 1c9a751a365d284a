"""Winning a name and keeping it: probing, tie-break, announcing, conflicts, renaming (RFC 6762 sections 8 and 9)."""

import re

import pytest
from zeroconf import DNSIncoming

from pairing.dnssd.messages import RESPONSE, Message, Question, Record, RecordType
from pairing.dnssd.names import RenameStyle, host_name, instance_name
from pairing.dnssd.records import ServiceRecords, nsec_record
from pairing.dnssd.responder_states import ClaimState
from pairing.dnssd.service import ServicePublished, ServiceRenamed, ServiceUpdated
from pairing.engine import MILLISECOND, SECOND
from pairing.errors import LocalProtocolError
from tests.support.dnssd_wire import MESHCOP, OTHER_HOST, Sent, Station, Wire, answers, probes, responses, service

LIVING_ROOM = instance_name("Living Room", MESHCOP)


def names(*stations: Station) -> list[str]:
    """The instance names that the stations hold."""
    return [each.service.instance for station in stations for each in station.engine.services]


def theirs(instance: str = "Living Room", host: str = "other", port: int = 1, ttl: int | None = None) -> bytes:
    """A response in which another host claims the name."""
    records = ServiceRecords.of(service(instance, host, port=port, host_ttl=120 if ttl is None else ttl))
    return Message(flags=RESPONSE, answers=(records.srv,)).encode()


def test_registration_probes_three_times_a_quarter_second_apart_then_announces_three_times():
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.publish(station, service())

    asked, said = probes(wire.sent), responses(wire.sent)
    start = asked[0].at
    assert 0 <= start <= 250 * MILLISECOND
    assert [each.at - start for each in asked] == [0, 250 * MILLISECOND, 500 * MILLISECOND]
    assert [each.at - start for each in said] == [750 * MILLISECOND, 1750 * MILLISECOND, 3750 * MILLISECOND]


def test_probe_asks_any_for_both_names_with_unicast_welcome_and_proposes_its_records():
    wire = Wire()
    wire.publish(wire.responder("192.0.2.1"), service())

    probe = probes(wire.sent)[0].message
    assert set(probe.questions) == {
        Question(LIVING_ROOM, RecordType.ANY, unicast=True),
        Question(host_name("ot1"), RecordType.ANY, unicast=True),
    }
    assert sorted(one.type for one in probe.authorities) == [RecordType.A, RecordType.TXT, RecordType.SRV]
    assert not any(one.cache_flush for one in probe.authorities)


def test_announcement_holds_every_record_with_its_ttl_and_cache_flush_on_the_unique_ones_only():
    wire = Wire()
    wire.publish(wire.responder("192.0.2.1"), service(subtypes=("_r1", "_r2")))

    announced = {(one.name, one.type): one for one in responses(wire.sent)[0].message.answers}
    assert {type_: one.ttl for (_, type_), one in announced.items()} == {
        RecordType.PTR: 4500,
        RecordType.SRV: 120,
        RecordType.TXT: 4500,
        RecordType.A: 120,
    }
    assert all(one.cache_flush == (one.type != RecordType.PTR) for one in announced.values())
    assert sum(one.type == RecordType.PTR for one in announced.values()) == 4  # type, two subtypes, enumeration


def test_published_event_comes_once_and_with_the_first_announcement():
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.publish(station, service())

    (event,) = station.events
    assert isinstance(event, ServicePublished)
    assert (event.instance, event.host, event.port, event.txt) == ("Living Room", "ot1", 49154, b"\x04rv=1")
    assert station.times == [responses(wire.sent)[0].at]


def test_services_registered_together_share_their_packets():
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.publish(station, *(service(f"Router {number}", f"host{number}") for number in range(5)))

    assert len(probes(wire.sent)) == 3
    assert len(names(station)) == 5


def test_service_on_a_host_that_is_won_already_probes_for_its_own_name_only():
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.publish(station, service("One"))
    start = wire.now
    wire.publish(station, service("Two"))

    assert [one.name for one in probes(wire.since(start))[0].message.questions] == [instance_name("Two", MESHCOP)]


def test_everything_that_a_responder_sends_is_read_by_zeroconf():
    wire = Wire()
    one, two = wire.responder("192.0.2.1"), wire.responder("192.0.2.2")
    wire.publish(one, service(subtypes=("_a",)))
    wire.publish(two, service("Living Room", "ot2"))
    wire.do(one, lambda engine, now: engine.close(now))

    for sent in wire.sent:
        read, ours = DNSIncoming(sent.payload, now=1.0), sent.message
        assert read.valid
        assert len(read.questions) == len(ours.questions)
        assert len(read.answers()) == len((*ours.answers, *ours.authorities, *ours.additionals))


def test_registering_a_key_twice_is_the_callers_mistake():
    wire = Wire()
    station = wire.responder("192.0.2.1")
    station.engine.register(service(), 0)

    with pytest.raises(LocalProtocolError, match="registered already"):
        station.engine.register(service(), 0)


# Conflicts while probing.


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (RenameStyle.APPLE, r"Living Room \(2\)"),
        (RenameStyle.AVAHI, r"Living Room #2"),
        (RenameStyle.OPENTHREAD, r"Living Room \(\d{1,5}\)"),
    ],
)
def test_taken_name_is_given_up_in_the_style_of_the_platform(style: RenameStyle, expected: str):
    wire = Wire()
    first = wire.responder("192.0.2.1")
    second = wire.responder("192.0.2.2", rename_style=style)
    wire.publish(first, service())
    wire.publish(second, service(host="ot2"))

    (renamed,) = second.named(ServiceRenamed)
    assert renamed.old_instance == "Living Room"
    assert names(first) == ["Living Room"]
    assert re.fullmatch(expected, renamed.instance)
    assert [type(event) for event in second.events] == [ServiceRenamed, ServicePublished]


def test_taken_host_name_is_given_up_and_the_service_follows():
    wire = Wire()
    first, second = wire.responder("192.0.2.1"), wire.responder("192.0.2.2")
    wire.publish(first, service("One"))
    wire.publish(second, service("Two"))

    (current,) = second.engine.services
    assert (current.service.instance, current.service.host) == ("Two", "ot1-2")
    assert [event.host for event in second.named(ServicePublished)] == ["ot1-2"]


def test_two_responders_that_share_a_host_with_equal_addresses_keep_it():
    wire = Wire()
    first, second = wire.responder("192.0.2.1"), wire.responder("192.0.2.1")
    wire.publish(first, service("One"))
    wire.publish(second, service("Two"))

    assert [each.service.host for each in (*first.engine.services, *second.engine.services)] == ["ot1", "ot1"]


def test_conflict_is_noticed_during_the_wait_before_the_first_probe():
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.do(station, lambda engine, now: engine.register(service(), now))
    wire.inject(theirs())
    wire.run(5 * SECOND)

    assert names(station) == ["Living Room (2)"]
    assert all(LIVING_ROOM not in [one.name for one in each.message.questions] for each in probes(wire.sent))


@pytest.mark.parametrize("type_", [RecordType.TXT, RecordType.A, 99])
def test_any_record_of_the_name_shows_while_probing_that_it_is_taken(type_: int):
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.do(station, lambda engine, now: engine.register(service(), now))
    wire.run(400 * MILLISECOND)
    wire.inject(Message(flags=RESPONSE, answers=(Record(LIVING_ROOM, type_, 120, b"\x01x"),)).encode())
    wire.run(5 * SECOND)

    assert names(station) == ["Living Room (2)"]


@pytest.mark.parametrize(
    "record",
    [
        ServiceRecords.of(service(host="other", host_ttl=0)).srv,
        ServiceRecords.of(service()).srv,
        nsec_record(LIVING_ROOM, [RecordType.TXT], 120),
        Record(LIVING_ROOM, RecordType.TXT, 120, b"\x01x", class_=3),
    ],
    ids=["goodbye", "our own data", "NSEC", "another class"],
)
def test_what_is_no_conflict_leaves_the_name_alone(record: Record):
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.do(station, lambda engine, now: engine.register(service(), now))
    wire.run(400 * MILLISECOND)
    wire.inject(Message(flags=RESPONSE, answers=(record,)).encode())
    wire.run(5 * SECOND)
    wire.inject(Message(flags=RESPONSE, answers=(record,)).encode())
    wire.run(5 * SECOND)

    assert names(station) == ["Living Room"]
    assert [type(event) for event in station.events] == [ServicePublished]


def test_names_are_compared_without_regard_to_case():
    wire = Wire()
    first, second = wire.responder("192.0.2.1"), wire.responder("192.0.2.2")
    wire.publish(first, service("LIVING room"))
    wire.publish(second, service("living ROOM", "ot2"))

    assert names(first, second) == ["LIVING room", "living ROOM (2)"]


def test_fifteen_conflicts_in_ten_seconds_slow_probing_down_to_five_seconds():
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.do(station, lambda engine, now: engine.register(service(), now))
    for _ in range(15):
        wire.inject(theirs(names(station)[0]))
    conflict = wire.now
    wire.run(10 * SECOND)

    asked = [each.at for each in probes(wire.since(conflict)) if len(each.message.questions) == 1]
    assert asked[-3] == conflict + 5 * SECOND
    assert names(station) == ["Living Room (16)"]


# Simultaneous probes.


def test_simultaneous_probes_end_with_two_names_whoever_starts_first():
    outcomes = set()
    for seed in range(20):
        wire = Wire()
        first = wire.responder("192.0.2.1", seed=seed)
        second = wire.responder("192.0.2.2", seed=100 + seed)
        for station, host in ((first, "ot1"), (second, "ot2")):
            wire.do(station, lambda engine, now, host=host: engine.register(service(host=host), now))
        wire.run(10 * SECOND)
        outcomes.add(tuple(names(first, second)))

    assert outcomes == {("Living Room (2)", "Living Room")}  # ot2 > ot1 in the SRV record, so the second one wins


def test_loser_of_the_tie_break_waits_a_second_before_it_probes_again():
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.do(station, lambda engine, now: engine.register(service(), now))
    wire.run(300 * MILLISECOND)
    stronger = ServiceRecords.of(service(host="zzz"))
    wire.inject(_probe(stronger))
    lost = wire.now
    wire.run(5 * SECOND)

    asked = [
        each.at for each in probes(wire.since(lost)) if LIVING_ROOM in [one.name for one in each.message.questions]
    ]
    assert asked == [lost + SECOND + step * 250 * MILLISECOND for step in range(3)]
    assert names(station) == ["Living Room"]  # nobody defended it in the end


@pytest.mark.parametrize("records", [ServiceRecords.of(service(host="aa")), ServiceRecords.of(service())])
def test_weaker_or_equal_probe_does_not_stop_ours(records: ServiceRecords):
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.do(station, lambda engine, now: engine.register(service(), now))
    wire.run(300 * MILLISECOND)
    wire.inject(_probe(records))
    wire.run(5 * SECOND)

    asked = [each.at for each in probes(wire.sent)]
    assert [at - asked[0] for at in asked] == [0, 250 * MILLISECOND, 500 * MILLISECOND]


def test_longer_list_of_records_wins_where_the_rest_is_equal():
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.do(station, lambda engine, now: engine.register(service(), now))
    wire.run(300 * MILLISECOND)
    ours = ServiceRecords.of(service())
    question = Question(LIVING_ROOM, RecordType.ANY, unicast=True)
    more = Record(LIVING_ROOM, 99, 120, b"")
    wire.inject(Message(questions=(question,), authorities=(more, ours.txt, ours.srv)).encode(), OTHER_HOST)

    assert station.engine.services[0].state is ClaimState.WAITING


# Keeping the name.


def test_owner_defends_its_name_at_once_and_the_prober_renames():
    wire = Wire()
    first, second = wire.responder("192.0.2.1"), wire.responder("192.0.2.2")
    wire.publish(first, service())
    start = wire.now
    wire.publish(second, service(host="ot2"))

    probe = probes(wire.since(start))[0]
    defence = responses(wire.since(start))[0]
    assert defence.sender == first.name
    assert defence.at == probe.at + MILLISECOND
    assert {one.type for one in defence.message.answers} >= {RecordType.SRV, RecordType.TXT}


def test_defence_is_heard_although_the_record_was_multicast_a_moment_ago():
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.do(station, lambda engine, now: engine.register(service(), now))
    wire.run(5 * SECOND)
    for _ in range(2):
        wire.inject(_probe(ServiceRecords.of(service(host="zz"))))
        wire.run(300 * MILLISECOND)

    assert len(answers(wire.since(5 * SECOND), RecordType.SRV)) >= 2


def test_conflict_after_registration_is_probed_again_and_the_name_kept_if_nobody_defends():
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.publish(station, service())
    start = wire.now
    wire.inject(theirs())
    assert station.engine.services[0].state is ClaimState.WAITING
    wire.run(5 * SECOND)

    assert len(probes(wire.since(start))) == 3
    assert names(station) == ["Living Room"]
    assert station.named(ServiceRenamed) == []


def test_conflict_after_registration_ends_in_a_new_name_if_the_other_defends():
    wire = Wire()
    first, second = wire.responder("192.0.2.1"), wire.responder("192.0.2.2")
    wire.loses = lambda _: True  # two networks, each with its own owner of the name
    wire.publish(first, service())
    wire.publish(second, service(host="ot2"))
    wire.loses = lambda _: False  # now they are joined, and one of them speaks
    wire.do(second, lambda engine, now: engine.update(service(host="ot2", port=2), now))
    wire.run(20 * SECOND)

    assert sorted(names(first, second)) == ["Living Room", "Living Room (2)"]
    (loser,) = [station for station in (first, second) if station.named(ServiceRenamed)]
    assert [type(event) for event in loser.events][-1] is ServiceUpdated


def test_host_conflict_after_registration_renames_the_host_and_updates_its_services():
    wire = Wire()
    first, second = wire.responder("192.0.2.1"), wire.responder("192.0.2.2")
    wire.loses = lambda _: True
    wire.publish(first, service("One"), service("Two"))
    wire.publish(second, service("Three"))
    wire.loses = lambda _: False
    wire.do(second, lambda engine, now: engine.update(service("Three", port=2), now))
    wire.run(1 * SECOND)
    wire.do(first, lambda engine, now: engine.update(service("One", port=2), now))
    wire.run(20 * SECOND)

    hosts = {each.service.host for station in (first, second) for each in station.engine.services}
    assert hosts == {"ot1", "ot1-2"}
    assert all(
        answer.rdata[6:] in (host_name("ot1"), host_name("ot1-2")) for answer in answers(wire.sent, RecordType.SRV)
    )


def test_own_renamed_service_blocks_its_new_name_for_a_later_registration():
    wire = Wire()
    first, second = wire.responder("192.0.2.1"), wire.responder("192.0.2.2")
    wire.publish(first, service())
    wire.publish(second, service(host="ot2"))
    wire.publish(second, service("Living Room (2)", "ot2"))

    assert names(second) == ["Living Room (2)", "Living Room (3)"]


def test_five_responders_with_one_name_end_with_five_names():
    wire = Wire()
    stations = [wire.responder(f"192.0.2.{number}") for number in range(1, 6)]
    for number, station in enumerate(stations):
        wire.do(station, lambda engine, now, n=number: engine.register(service(host=f"ot{n}", port=n + 1), now))
    wire.run(60 * SECOND)

    assert len({name.lower() for name in names(*stations)}) == 5
    assert all(each.state is ClaimState.ESTABLISHED for station in stations for each in station.engine.services)


# Loss.


@pytest.mark.parametrize("lost", range(40))
def test_any_one_packet_may_be_lost_and_two_names_result(lost: int):
    wire = Wire()
    first, second = wire.responder("192.0.2.1"), wire.responder("192.0.2.2")
    wire.loses = lambda sent: wire.sent.index(sent) == lost
    wire.do(first, lambda engine, now: engine.register(service(), now))
    wire.run(100 * MILLISECOND)
    wire.do(second, lambda engine, now: engine.register(service(host="ot2"), now))
    wire.run(30 * SECOND)

    assert sorted(names(first, second)) == ["Living Room", "Living Room (2)"]


def test_lost_probes_of_one_side_do_not_matter_while_one_gets_through():
    wire = Wire()
    first, second = wire.responder("192.0.2.1"), wire.responder("192.0.2.2")
    wire.publish(first, service())

    def first_two_probes(sent: Sent) -> bool:
        return bool(sent.message.authorities) and len(probes(wire.since(5 * SECOND))) <= 2

    wire.loses = first_two_probes
    wire.publish(second, service(host="ot2"))

    assert names(second) == ["Living Room (2)"]


def _probe(records: ServiceRecords) -> bytes:
    question = Question(records.name, RecordType.ANY, unicast=True)
    return Message(questions=(question,), authorities=records.unique).encode()
