"""What the owner asks of a responder: update, withdraw, close, other links, and the lies it may tell."""

from dataclasses import replace

import pytest

from pairing.dnssd.messages import Message, Question, Record, RecordType
from pairing.dnssd.names import SERVICES, host_name, instance_name, subtype_name, type_name
from pairing.dnssd.responder import Responder
from pairing.dnssd.responder_states import ClaimState
from pairing.dnssd.service import (
    ResponderLies,
    ServiceInstance,
    ServiceKey,
    ServicePublished,
    ServiceRenamed,
    ServiceUpdated,
    ServiceWithdrawn,
)
from pairing.engine import MILLISECOND, SECOND
from pairing.errors import LocalProtocolError
from tests.support.dnssd_wire import (
    LINK,
    MESHCOP,
    Sent,
    Station,
    Wire,
    additionals,
    answers,
    link,
    probes,
    responses,
    seeded,
    service,
    types,
)

LIVING_ROOM = instance_name("Living Room", MESHCOP)
KEY = ServiceKey("Living Room", MESHCOP)
TYPE = type_name(MESHCOP)


@pytest.fixture
def wire() -> Wire:
    """A link on which one responder has published one service a while ago."""
    wire = Wire()
    wire.publish(wire.responder("192.0.2.1"), service(subtypes=("_r1", "_r2")))
    wire.run(10 * SECOND)
    return wire


def update(wire: Wire, new: ServiceInstance) -> list[Sent]:
    """What is sent within five seconds of an update."""
    start = wire.now
    wire.do(wire.stations[0], lambda engine, now: engine.update(new, now))
    wire.run(5 * SECOND)
    return wire.since(start)


def goodbyes(sent: list[Sent]) -> set[tuple[bytes, int]]:
    """Name and type of every record that was said goodbye for."""
    return {(one.name, one.type) for one in answers(sent) if one.ttl == 0}


# Update.


def test_new_txt_is_announced_three_times_with_cache_flush_and_without_probing(wire: Wire):
    start = wire.now
    sent = update(wire, service(txt=b"\x04rv=2", subtypes=("_r1", "_r2")))

    texts = [(each.at - start, one) for each in sent for one in each.message.answers if one.type == RecordType.TXT]
    assert [at for at, _ in texts] == [0, SECOND, 3 * SECOND]
    assert all(one.rdata == b"\x04rv=2" and one.cache_flush for _, one in texts)
    assert probes(sent) == []
    assert [type(event) for event in wire.stations[0].events] == [ServicePublished, ServiceUpdated]


def test_old_txt_never_appears_after_an_update_not_even_in_an_answer_that_was_waiting(wire: Wire):
    wire.inject(Message(questions=(Question(TYPE, RecordType.PTR), Question(LIVING_ROOM, RecordType.TXT))).encode())
    wire.run(10 * MILLISECOND)
    sent = update(wire, service(txt=b"\x04rv=2", subtypes=("_r1", "_r2")))

    texts = {one.rdata for one in (*answers(sent), *additionals(sent)) if one.type == RecordType.TXT}
    assert texts == {b"\x04rv=2"}


def test_update_back_and_forth_within_a_second_ends_with_the_last_value(wire: Wire):
    for txt in (b"\x01b", b"\x01a", b"\x01c", b"\x01a"):
        wire.do(wire.stations[0], lambda engine, now, txt=txt: engine.update(service(txt=txt), now))
        wire.run(100 * MILLISECOND)
    start = wire.now
    wire.run(5 * SECOND)

    assert {one.rdata for one in answers(wire.since(start), RecordType.TXT)} == {b"\x01a"}
    assert len(answers(wire.since(start), RecordType.TXT)) >= 2


def test_subtype_that_is_dropped_is_said_goodbye_for(wire: Wire):
    sent = update(wire, service(subtypes=("_r2", "_r3")))

    assert goodbyes(sent) == {(subtype_name("_r1", MESHCOP), RecordType.PTR)}
    assert subtype_name("_r3", MESHCOP) in {one.name for one in answers(sent) if one.ttl}


def test_new_host_is_probed_for_before_the_service_moves_and_the_old_one_leaves(wire: Wire):
    sent = update(wire, service(host="ot2", subtypes=("_r1", "_r2")))

    assert {one.name for each in probes(sent) for one in each.message.questions} == {host_name("ot2")}
    first_move = next(each.at for each in sent if "SRV" in types([one for one in each.message.answers if one.ttl]))
    assert first_move > probes(sent)[-1].at
    assert (host_name("ot1"), RecordType.A) in goodbyes(sent)
    assert wire.stations[0].named(ServiceUpdated)[0].host == "ot2"


def test_update_without_a_difference_says_nothing(wire: Wire):
    assert update(wire, service(subtypes=("_r1", "_r2"))) == []


def test_update_while_probing_publishes_the_new_value_only():
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.do(station, lambda engine, now: engine.register(service(), now))
    wire.run(400 * MILLISECOND)
    wire.do(station, lambda engine, now: engine.update(service(txt=b"\x01n", host="ot2"), now))
    wire.run(5 * SECOND)

    assert {one.rdata for one in answers(wire.sent, RecordType.TXT)} == {b"\x01n"}
    assert [type(event) for event in station.events] == [ServicePublished]


def test_updating_or_withdrawing_what_is_not_registered_is_the_callers_mistake(wire: Wire):
    engine = wire.stations[0].engine
    with pytest.raises(LocalProtocolError, match="not registered"):
        engine.update(service("Bedroom"), wire.now)
    with pytest.raises(LocalProtocolError, match="not registered"):
        engine.withdraw(ServiceKey("Bedroom", MESHCOP), wire.now)


# Withdraw and close.


def test_withdrawing_says_goodbye_for_every_record_at_once_and_again_a_second_later(wire: Wire):
    start = wire.now
    wire.do(wire.stations[0], lambda engine, now: engine.withdraw(KEY, now))
    wire.run(10 * SECOND)

    sent = wire.since(start)
    assert [each.at - start for each in sent] == [0, SECOND]
    expected = {(TYPE, 12), (LIVING_ROOM, 33), (LIVING_ROOM, 16), (host_name("ot1"), 1)}
    expected |= {(subtype_name(one, MESHCOP), 12) for one in ("_r1", "_r2")}
    assert goodbyes(sent[:1]) == goodbyes(sent[1:]) == expected
    assert all(one.ttl == 0 for one in answers(sent))
    assert [event.instance for event in wire.stations[0].named(ServiceWithdrawn)] == ["Living Room"]
    assert wire.stations[0].engine.services == ()


def test_host_addresses_stay_while_another_service_runs_on_the_host(wire: Wire):
    wire.publish(wire.stations[0], service(type="_trel._udp"))
    start = wire.now
    wire.do(wire.stations[0], lambda engine, now: engine.withdraw(KEY, now))

    assert (host_name("ot1"), RecordType.A) not in goodbyes(wire.since(start))
    wire.run(5 * SECOND)
    wire.inject(Message(questions=(Question(host_name("ot1"), RecordType.A),)).encode())
    assert "A" in types(answers(wire.since(wire.now)))


def test_service_that_comes_back_is_not_hit_by_the_repeated_goodbye(wire: Wire):
    lies = ResponderLies(assert_without_probing=True)
    wire.do(wire.stations[0], lambda engine, now: engine.withdraw(KEY, now))
    wire.do(wire.stations[0], lambda engine, now: engine.register(service(), now, lies))
    start = wire.now
    wire.run(100 * MILLISECOND)
    assert responses(wire.since(start + 1))[:1] == []
    wire.run(5 * SECOND)

    assert goodbyes(wire.since(start + 1)) <= {(subtype_name(one, MESHCOP), 12) for one in ("_r1", "_r2")}


def test_service_that_was_never_announced_leaves_without_a_word():
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.do(station, lambda engine, now: engine.register(service(), now))
    wire.run(400 * MILLISECOND)
    start = wire.now
    wire.do(station, lambda engine, now: engine.withdraw(KEY, now))
    wire.run(10 * SECOND)

    assert responses(wire.since(start)) == []
    assert probes(wire.since(start)) == []
    assert station.events == []


def test_closing_says_all_goodbyes_in_few_packets_and_then_nothing_ever(wire: Wire):
    station = wire.stations[0]
    wire.publish(station, *(service(f"Router {number}", f"h{number}") for number in range(100)))
    start = wire.now
    wire.do(station, lambda engine, now: engine.close(now))

    sent = wire.since(start)
    assert len([one for one in answers(sent, RecordType.PTR) if one.name == TYPE and one.ttl == 0]) == 101
    assert len(sent) < 20
    assert len(station.named(ServiceWithdrawn)) == 101
    assert station.engine.deadline is None
    wire.inject(Message(questions=(Question(TYPE, RecordType.PTR),)).encode())
    wire.run(60 * SECOND)
    wire.do(station, lambda engine, now: engine.close(now))
    assert wire.since(start) == sent
    with pytest.raises(LocalProtocolError, match="closed"):
        station.engine.register(service(), wire.now)


# Lies.


def told(lies: ResponderLies, **fields: object) -> tuple[Wire, Station]:
    """A responder that has registered one service with these lies, at time 0."""
    wire = Wire()
    station = wire.responder("192.0.2.1")
    wire.do(station, lambda engine, now: engine.register(service(**fields), now, lies))
    return wire, station


def test_lie_no_txt_in_answers_leaves_it_in_announcements_only():
    wire, _ = told(ResponderLies(no_txt_in_answers=True))
    wire.run(10 * SECOND)
    assert len(answers(wire.sent, RecordType.TXT)) == 3

    start = wire.now
    for name, type_ in ((TYPE, 12), (LIVING_ROOM, 16), (LIVING_ROOM, 255)):
        wire.inject(Message(questions=(Question(name, type_),)).encode())
        wire.run(2 * SECOND)
    sent = wire.since(start)
    assert "TXT" not in types([*answers(sent), *additionals(sent)])
    assert {"PTR", "SRV"} <= set(types(answers(sent)))


def test_lie_zero_ttls_gives_no_record_a_life():
    wire, _ = told(ResponderLies(zero_ttls=True))
    wire.run(5 * SECOND)
    wire.inject(Message(questions=(Question(TYPE, RecordType.PTR),)).encode())
    wire.run(5 * SECOND)

    sent = responses(wire.sent)
    assert {one.ttl for one in (*answers(sent), *additionals(sent))} == {0}
    assert len(sent) == 4


def test_lie_no_goodbye_leaves_without_a_word():
    wire, station = told(ResponderLies(no_goodbye=True))
    wire.run(10 * SECOND)
    start = wire.now
    wire.do(station, lambda engine, now: engine.withdraw(KEY, now))
    wire.run(5 * SECOND)

    assert wire.since(start) == []
    assert len(station.named(ServiceWithdrawn)) == 1


def test_lie_no_goodbye_of_one_service_does_not_silence_the_other():
    wire, station = told(ResponderLies(no_goodbye=True))
    wire.publish(station, service("Bedroom", "ot2"))
    start = wire.now
    wire.do(station, lambda engine, now: engine.close(now))

    assert {name for name, _ in goodbyes(wire.since(start))} == {
        TYPE,
        instance_name("Bedroom", MESHCOP),
        host_name("ot2"),
    }


def test_lie_late_start_sends_nothing_before_its_time():
    wire, _ = told(ResponderLies(late_start=7 * SECOND))
    wire.run(20 * SECOND)

    assert 7 * SECOND <= wire.sent[0].at <= 7 * SECOND + 250 * MILLISECOND


def test_lie_assert_without_probing_announces_at_once_and_never_gives_the_name_up():
    wire, station = told(ResponderLies(assert_without_probing=True))
    honest = wire.responder("192.0.2.2")
    wire.run(1 * MILLISECOND)
    assert probes(wire.sent) == []
    assert len(responses(wire.sent)) == 1

    wire.publish(honest, service(host="ot2"))
    assert [each.service.instance for each in honest.engine.services] == ["Living Room (2)"]
    assert [each.service.instance for each in station.engine.services] == ["Living Room"]
    assert station.named(ServiceRenamed) == []


def test_nine_responders_that_assert_one_name_all_keep_it_without_a_storm():
    wire = Wire()
    lies = ResponderLies(assert_without_probing=True)
    stations = [wire.responder(f"192.0.2.{number}") for number in range(1, 10)]
    for number, station in enumerate(stations):
        each = service(host=f"ot{number}", port=number + 1)
        wire.do(station, lambda engine, now, each=each: engine.register(each, now, lies))
    wire.run(60 * SECOND)

    assert {each.service.instance for station in stations for each in station.engine.services} == {"Living Room"}
    assert len({one.rdata for one in answers(wire.sent, RecordType.SRV)}) == 9
    assert len(wire.sent) < 9 * 60


# Links.


def test_new_address_is_announced_and_the_old_one_said_goodbye_for(wire: Wire):
    station, start = wire.stations[0], wire.now
    wire.do(station, lambda engine, now: engine.set_links([link("192.0.2.7", "2001:db8::7")], now))
    wire.run(5 * SECOND)

    sent = wire.since(start)
    assert next(one.rdata for one in answers(sent, RecordType.A) if one.ttl == 0) == bytes((192, 0, 2, 1))
    assert {one.rdata for one in answers(sent, RecordType.A) if one.ttl} == {bytes((192, 0, 2, 7))}
    assert "AAAA" in types(answers(sent))
    assert probes(sent) == []


def test_new_link_means_probing_anew_on_all_of_them(wire: Wire):
    station, start = wire.stations[0], wire.now
    station.hosts["wifi"] = "198.51.100.1"
    wire.do(station, lambda engine, now: engine.set_links([link("192.0.2.1"), link("198.51.100.1", name="wifi")], now))
    wire.run(6 * SECOND)

    assert {each.to.link for each in probes(wire.since(start))} == {LINK, "wifi"}
    assert len(probes(wire.since(start))) == 6
    assert station.engine.services[0].state is ClaimState.ESTABLISHED
    assert [type(event) for event in station.events] == [ServicePublished]


def test_link_without_addresses_has_services_but_no_address_records():
    wire = Wire()
    station = wire.join(Responder(seeded(1), [link()]), {LINK: "192.0.2.1"})
    wire.publish(station, service())

    assert "A" not in types(answers(wire.sent))
    assert "SRV" in types(answers(wire.sent))
    wire.inject(Message(questions=(Question(host_name("ot1"), RecordType.A),)).encode())
    assert wire.since(wire.now) == []


# The snapshot.


def test_snapshot_tells_state_and_current_name():
    wire = Wire()
    first, second = wire.responder("192.0.2.1"), wire.responder("192.0.2.2")
    wire.publish(first, service())
    new = service(host="ot2", port=7)
    wire.do(second, lambda engine, now: engine.register(new, now))
    (before,) = second.engine.services
    wire.run(10 * SECOND)
    (after,) = second.engine.services

    assert (before.state, before.is_published, before.service) == (ClaimState.WAITING, False, new)
    assert (after.state, after.is_published) == (ClaimState.ESTABLISHED, True)
    assert after.key == KEY
    assert after.service == replace(new, instance="Living Room (2)")


def test_given_ttls_go_out_instead_of_the_standards():
    wire = Wire()
    wire.publish(wire.responder("192.0.2.1"), service(host_ttl=30, other_ttl=60))

    ttls = {RecordType(one.type).name: one.ttl for one in answers(wire.sent)}
    assert ttls == {"PTR": 60, "TXT": 60, "SRV": 30, "A": 30}


def test_empty_txt_goes_out_as_one_zero_byte():
    wire = Wire()
    wire.publish(wire.responder("192.0.2.1"), service(txt=b""))

    assert {one.rdata for one in answers(wire.sent, RecordType.TXT)} == {b"\x00"}


def test_enumeration_survives_while_one_service_of_the_type_is_left(wire: Wire):
    wire.publish(wire.stations[0], service("Bedroom"))
    wire.do(wire.stations[0], lambda engine, now: engine.withdraw(KEY, now))
    wire.run(5 * SECOND)
    start = wire.now
    wire.inject(Message(questions=(Question(SERVICES, RecordType.PTR),)).encode())
    wire.run(1 * SECOND)

    assert answers(wire.since(start)) == [Record(SERVICES, RecordType.PTR, 4500, TYPE)]
