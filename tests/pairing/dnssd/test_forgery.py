"""Packets that no honest host sends: what they must not be able to do to a querier."""

from pairing.dnssd.messages import RESPONSE, Message, Question, Record, RecordType
from pairing.dnssd.names import instance_name, type_name
from pairing.dnssd.packing import SINGLE_RECORD_LIMIT, pack_query
from pairing.engine import SECOND
from tests.support.dnssd_wire import MESHCOP, Wire


def test_a_pointer_with_a_load_behind_its_name_does_not_stop_the_questions() -> None:
    wire = Wire()
    station = wire.querier("192.0.2.1")
    wire.do(station, lambda engine, now: engine.browse(MESHCOP, now))
    wire.run(2 * SECOND)
    load = instance_name("Hall", MESHCOP) + bytes(SINGLE_RECORD_LIMIT)
    pointer = Record(type_name(MESHCOP), RecordType.PTR, 4500, load)
    wire.inject(Message(flags=RESPONSE, answers=(pointer,)).encode())
    asked = len(wire.sent)
    wire.run(60 * SECOND)
    assert len(wire.sent) > asked


def test_a_query_leaves_out_what_is_no_pointer_by_its_length() -> None:
    question = Question(type_name(MESHCOP), RecordType.PTR)
    fits = Record(question.name, RecordType.PTR, 60, instance_name("Hall", MESHCOP))
    heavy = Record(question.name, RecordType.PTR, 60, fits.rdata + bytes(300))
    assert pack_query([question], [heavy, fits]) == pack_query([question], [fits])
