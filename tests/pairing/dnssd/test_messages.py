"""The DNS codec: round trips, hostile bytes, names with dots, packet sizes; python-zeroconf as the judge."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zeroconf import DNSAddress, DNSIncoming, DNSOutgoing, DNSPointer, DNSQuestion, DNSService, DNSText

from pairing.dnssd.messages import (
    FLAG_TRUNCATED,
    RESPONSE,
    Message,
    Question,
    Record,
    RecordType,
    decode,
)
from pairing.dnssd.names import (
    RenameStyle,
    host_name,
    instance_name,
    renamed_host,
    renamed_instance,
    reverse_name,
    split_host,
    split_instance,
    subtype_name,
    text,
    type_name,
)
from pairing.dnssd.packing import PACKET_LIMIT, SINGLE_RECORD_LIMIT, Unit, pack, pack_query
from pairing.dnssd.records import HostRecords, ServiceRecords, SrvFields, denies, nsec_record
from pairing.errors import DecodeError, EncodeError
from tests.support.dnssd_wire import MESHCOP, service

LABELS = st.binary(min_size=1, max_size=63).map(lambda data: bytes((len(data),)) + data)
NAMES = st.lists(LABELS, max_size=3).map(lambda labels: b"".join(labels) + b"\x00")
QUESTIONS = st.builds(Question, NAMES, st.integers(0, 0xFFFF), st.booleans(), st.integers(0, 0x7FFF))
PLAIN_RECORDS = st.builds(
    Record,
    NAMES,
    st.sampled_from([1, 13, 16, 28, 41, 65, 999]),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=60),
    st.booleans(),
    st.integers(0, 0x7FFF),
)
NAMED_RECORDS = st.builds(
    lambda name, kind, target, flush: Record(name, kind[0], 120, kind[1] + target + kind[2], flush),
    NAMES,
    st.sampled_from([(12, b"", b""), (5, b"", b""), (33, b"\0\0\0\0\x12\x34", b""), (47, b"", b"\0\x01\x40")]),
    NAMES,
    st.booleans(),
)
RECORDS = st.one_of(PLAIN_RECORDS, NAMED_RECORDS)
SECTIONS = st.lists(RECORDS, max_size=4).map(tuple)
MESSAGES = st.builds(
    Message, st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.lists(QUESTIONS, max_size=3).map(tuple), *[SECTIONS] * 3
)


@given(MESSAGES)
def test_message_survives_the_round_trip(message: Message):
    assert decode(message.encode()) == message


@given(MESSAGES)
def test_compressed_message_decodes_like_the_one_with_plain_srv_targets(message: Message):
    assert decode(message.encode(compress_srv=False)) == message


def decoded(data: bytes) -> Message | None:
    """What the bytes say, or None where the codec names the error that it should."""
    try:
        return decode(data)
    except DecodeError:
        return None


@given(st.binary(max_size=200))
def test_arbitrary_bytes_decode_or_raise_decode_error(data: bytes):
    message = decoded(data)

    assert message is None or decode(message.encode()) == message


@given(MESSAGES, st.data())
def test_bent_messages_decode_or_raise_decode_error(original: Message, data: st.DataObject):
    payload = bytearray(original.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))

    message = decoded(bytes(payload[: data.draw(st.integers(0, len(payload)))]))

    assert message is None or decode(message.encode()) == message


def test_pointer_that_leads_to_itself_is_refused():
    with pytest.raises(DecodeError, match="compression pointer to 12"):
        decode(b"\0\0\0\0\0\x01\0\0\0\0\0\0" + b"\xc0\x0c\0\x01\0\x01")


def test_pointer_that_leads_forward_is_refused():
    with pytest.raises(DecodeError, match="expected an earlier name"):
        decode(b"\0\0\0\0\0\x01\0\0\0\0\0\0" + b"\xc0\x12\0\x01\0\x01\x01a\0")


def test_long_chain_of_pointers_is_refused_without_deep_recursion():
    chain = b"\x01a\0" + b"".join((0xC000 | 12 + max(0, 3 + 2 * (step - 1))).to_bytes(2) for step in range(4000))
    record = b"\x00\x00\x10\x00\x01\x00\x00\x00\x00" + len(chain).to_bytes(2)
    header = b"\0\0\x84\0\0\0\0\x02\0\0\0\0"
    payload = header + chain[:3] + record[1:] + chain + (0xC000 | 12 + 3 + 10 + len(chain) - 2).to_bytes(2) + record[1:]

    with pytest.raises(DecodeError):
        decode(payload)


def test_name_of_more_than_255_bytes_is_refused():
    name = b"\x3f" + b"a" * 63
    with pytest.raises(DecodeError, match="at most 255"):
        decode(b"\0\0\0\0\0\x01\0\0\0\0\0\0" + name * 4 + b"\0\0\x01\0\x01")


def test_unknown_record_types_keep_their_bytes():
    record = Record(host_name("hub"), 65, 120, b"\x00\x01\xc0\x0c")

    assert decode(Message(flags=RESPONSE, answers=(record,)).encode()).answers == (record,)


def test_dot_inside_an_instance_label_stays_inside_its_label():
    name = instance_name("Hub v2.0", "_hap._tcp")

    assert name.startswith(b"\x08Hub v2.0\x04_hap")
    assert split_instance(name) == ("Hub v2.0", "_hap._tcp")
    assert text(name) == "Hub v2\\.0._hap._tcp.local."
    assert decode(Message(questions=(Question(name, 33),)).encode()).questions[0].name == name


def test_records_that_differ_in_the_case_of_names_are_the_same_record():
    one = Record(type_name(MESHCOP), RecordType.PTR, 4500, instance_name("Hub", MESHCOP))
    two = Record(type_name("_MeshCoP._UDP"), RecordType.PTR, 10, instance_name("HUB", MESHCOP))

    assert one.identity == two.identity
    assert one != two


def test_case_of_txt_bytes_matters():
    name = instance_name("Hub", MESHCOP)

    assert Record(name, RecordType.TXT, 1, b"\x01a").identity != Record(name, RecordType.TXT, 1, b"\x01A").identity


# python-zeroconf reads what we write, and we read what it writes.


def test_zeroconf_reads_every_record_that_we_write():
    records = ServiceRecords.of(service(subtypes=("_r1",)))
    host = HostRecords.of(host_name("ot1"), [ip_address("192.0.2.1"), ip_address("fe80::1")], 120)
    message = Message(
        flags=RESPONSE,
        answers=(*records.pointers, records.srv, records.txt, *host.addresses),
        additionals=(records.nsec, host.nsec, *host.reverse, records.enumeration),
    )

    read = DNSIncoming(message.encode(), now=1.0)

    assert read.valid
    kinds = [type(answer).__name__ for answer in read.answers()]
    assert (
        kinds
        == ["DNSPointer"] * 2 + ["DNSService", "DNSText"] + ["DNSAddress"] * 2 + ["DNSNsec"] * 2 + ["DNSPointer"] * 3
    )
    srv, txt, nsec = read.answers()[2], read.answers()[3], read.answers()[6]
    assert (srv.name, srv.server, srv.port) == ("Living Room._meshcop._udp.local.", "ot1.local.", 49154)
    assert (txt.text, txt.unique, txt.ttl) == (b"\x04rv=1", True, 4500)
    assert nsec.rdtypes == [RecordType.TXT, RecordType.SRV]


def test_we_read_every_record_that_zeroconf_writes():
    out = DNSOutgoing(RESPONSE)
    name, host = "Living Room._meshcop._udp.local.", "ot1.local."
    out.add_answer_at_time(DNSPointer("_meshcop._udp.local.", 12, 1, 4500, name, 1.0), 0)
    out.add_answer_at_time(DNSService(name, 33, 0x8001, 120, 0, 0, 49154, host, 1.0), 0)
    out.add_answer_at_time(DNSText(name, 16, 0x8001, 4500, b"\x04rv=1", 1.0), 0)
    out.add_answer_at_time(DNSAddress(host, 1, 0x8001, 120, b"\xc0\x00\x02\x01", created=1.0), 0)

    pointer, srv, txt, address = decode(out.packets()[0]).answers

    records = ServiceRecords.of(service())
    assert (pointer, srv, txt) == (records.pointers[0], records.srv, records.txt)
    assert (address,) == HostRecords.of(host_name("ot1"), [ip_address("192.0.2.1")], 120).addresses


def test_we_read_the_qu_bit_of_a_zeroconf_question():
    out = DNSOutgoing(0)
    question = DNSQuestion("_meshcop._udp.local.", 12, 1)
    question.unicast = True
    out.add_question(question)

    assert decode(out.packets()[0]).questions == (Question(type_name(MESHCOP), RecordType.PTR, unicast=True),)


# Names.


@pytest.mark.parametrize(
    "bad", ["", "x" * 64, "é" * 32, "\ud800"], ids=["empty", "64 bytes", "64 bytes of UTF-8", "lone surrogate"]
)
def test_instance_label_outside_1_to_63_bytes_is_refused(bad: str):
    with pytest.raises(EncodeError):
        service(bad)


@pytest.mark.parametrize("bad", ["meshcop._udp", "_meshcop", "_meshcop._sctp", "_a-service-name-x._udp", "_1._udp"])
def test_service_type_against_rfc_6335_is_refused(bad: str):
    with pytest.raises(EncodeError, match="service type"):
        type_name(bad)


@pytest.mark.parametrize("good", ["_sat-simulation._udp", "_srpl-tls._tcp", "_hap._UDP", "_a._tcp"])
def test_service_type_after_rfc_6335_is_taken(good: str):
    assert text(type_name(good)) == f"{good}.local."


def test_subtype_host_and_reverse_names_have_their_forms():
    assert text(subtype_name("_CM", "_matterc._udp")) == "_CM._sub._matterc._udp.local."
    assert text(host_name("ot1")) == "ot1.local."
    assert text(reverse_name(ip_address("192.0.2.1"))) == "1.2.0.192.in-addr.arpa."
    assert text(reverse_name(ip_address("fe80::1"))).endswith(".8.e.f.ip6.arpa.")
    assert split_host(host_name("ot1")) == "ot1"
    with pytest.raises(EncodeError, match="one label"):
        host_name("ot1.local")


@pytest.mark.parametrize(
    ("style", "names"),
    [
        (RenameStyle.APPLE, ["Hub", "Hub (2)", "Hub (3)"]),
        (RenameStyle.AVAHI, ["Hub", "Hub #2", "Hub #3"]),
        (RenameStyle.OPENTHREAD, ["Hub", "Hub (777)", "Hub (777)"]),
    ],
)
def test_rename_follows_the_platform(style: RenameStyle, names: list[str]):
    renamed = [names[0]]
    for _ in names[1:]:
        renamed.append(renamed_instance(renamed[-1], "Hub", style, lambda: 777))

    assert renamed == names


def test_long_name_is_cut_at_a_character_so_that_the_number_fits():
    assert renamed_instance("é" * 31, "", RenameStyle.APPLE, lambda: 1) == "é" * 29 + " (2)"
    assert renamed_host("x" * 63) == "x" * 61 + "-2"


# Packets.


@given(st.lists(st.integers(0, 1300), min_size=1, max_size=40))
def test_packets_stay_below_the_limit_and_lose_nothing(sizes: list[int]):
    units = []
    for number, size in enumerate(sizes):
        records = ServiceRecords.of(service(f"Service {number}", f"host-{number}", txt=bytes(size) or b"\0"))
        units.append(Unit(answers=records.pointers, additionals=(records.srv, records.txt, records.nsec)))

    packets = [decode(packet) for packet in pack(units, flags=RESPONSE)]

    assert all(len(packet.encode()) <= PACKET_LIMIT for packet in packets)
    sent = [one.identity for packet in packets for one in (*packet.answers, *packet.additionals)]
    assert sorted(sent) == sorted(one.identity for unit in units for one in (*unit.answers, *unit.additionals))


def test_packet_size_is_known_exactly_before_it_is_written():
    record = ServiceRecords.of(service(txt=bytes(1330))).txt
    rest = PACKET_LIMIT - len(pack([Unit(answers=(record,))], flags=RESPONSE)[0])
    exact = ServiceRecords.of(service(txt=bytes(1330 + rest))).txt

    assert [len(packet) for packet in pack([Unit(answers=(exact,))], flags=RESPONSE)] == [PACKET_LIMIT]


def test_one_record_beyond_the_limit_travels_alone():
    records = ServiceRecords.of(service(txt=bytes(5000)))

    sizes = [len(packet) for packet in pack([Unit(answers=records.pointers, additionals=(records.txt,))], flags=0)]

    assert len(sizes) == 2
    assert sizes[0] <= PACKET_LIMIT < sizes[1] <= SINGLE_RECORD_LIMIT


def test_record_beyond_every_limit_is_refused():
    record = Record(host_name("hub"), RecordType.TXT, 120, bytes(SINGLE_RECORD_LIMIT))
    with pytest.raises(EncodeError, match="8900"):
        pack([Unit(answers=(record,))], flags=RESPONSE)


def test_txt_that_no_packet_could_carry_is_refused_at_once():
    with pytest.raises(EncodeError, match="TXT of 9000 bytes"):
        service(txt=bytes(9000))


def test_known_answers_over_several_packets_carry_tc_on_all_but_the_last():
    known = [ServiceRecords.of(service(f"Service number {number}", "h")).pointers[0] for number in range(100)]

    packets = [decode(packet) for packet in pack_query([Question(type_name(MESHCOP), RecordType.PTR)], known)]

    assert len(packets) > 1
    assert [bool(packet.flags & FLAG_TRUNCATED) for packet in packets] == [True] * (len(packets) - 1) + [False]
    assert [len(packet.questions) for packet in packets] == [1] + [0] * (len(packets) - 1)
    assert [one for packet in packets for one in packet.answers] == known


# Fields.


def test_nsec_denies_what_it_does_not_list():
    record = nsec_record(host_name("hub"), [RecordType.A], 120)

    assert denies(record, RecordType.AAAA)
    assert not denies(record, RecordType.A)
    assert denies(nsec_record(host_name("hub"), [], 120), RecordType.A)


def test_srv_fields_come_out_as_they_went_in():
    fields = SrvFields.of(ServiceRecords.of(service(priority=1, weight=2)).srv)

    assert fields == SrvFields(1, 2, 49154, host_name("ot1"))
    assert SrvFields.of(Record(host_name("hub"), RecordType.SRV, 120, b"\0\0")) is None
