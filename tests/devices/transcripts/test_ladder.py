"""Ladders: who sent what to whom when, readable and safe on a terminal."""

import re

from hypothesis import given
from hypothesis import strategies as st

from devices.transcripts.ladder import ladder
from devices.transcripts.reader import Fate, Frame, Happened, Header, Record
from devices.transcripts.rungs import Cast
from devices.transcripts.summary import event_summary, fate_summary, frame_summary
from pairing.dnssd.messages import RESPONSE, Message, Question, RecordType
from pairing.dnssd.messages import Record as DnsRecord
from pairing.dnssd.names import instance_name, type_name
from pairing.dnssd.records import ServiceRecords
from pairing.dnssd.service import ServiceInstance
from pairing.engine import Endpoint
from tests.support.transcripts import BR, GROUP, PHONE, QUERY, records_of, small_transcript

MESHCOP = "_meshcop._udp"
SERVICE = ServiceRecords.of(ServiceInstance("Living Room", MESHCOP, "br-host", 49_152))


def _lines(*records: Record) -> list[str]:
    return list(ladder(records, Cast.of(records)))


def _mdns(message: Message, sender: str = "br", source: Endpoint = BR, to: Endpoint = GROUP) -> Frame:
    return Frame(0, "lan", sender, source, to, message.encode())


def _event(actor: str, **members: object) -> Happened:
    return Happened(0, {"id": 1, "type": "StateChanged", "actor": actor, **members})


def test_the_small_transcript_reads_as_a_dialogue() -> None:
    records = records_of(small_transcript())
    assert [line.rstrip() for line in _lines(*records)] == [
        "     seconds  br     phone",
        "    0.000005  ◆      │        StateChanged state=on reason=power-on",
        "    0.001000  ◀──────●        query PTR _meshcop._udp",
        "    0.001000  ✕      │        lost on the way from phone to br",
        "    2.500000  ●──────▶        lan 2 bytes that are no DNS message: "
        "a DNS header has 12 bytes, 2 came (at offset 2)",
    ]


def test_a_group_frame_points_at_everyone_else() -> None:
    everyone = [_event("a"), _event("b"), _event("c")]
    (arrow,) = _lines(*everyone, Frame(0, "air", "b", "B", "all", b""))[4:]
    assert arrow[14:].split("  ")[0].rstrip() == "◀─────●─────▶"


def test_a_frame_to_an_address_points_at_its_owner_alone() -> None:
    frames = [Frame(0, "air", name, name.encode(), b"x", b"") for name in "abcd"]
    (arrow,) = _lines(*frames, Frame(0, "air", "d", b"d", b"b", b"12"))[5:]
    assert arrow[14:].rstrip() == "│     ◀───────────●       air 2 bytes"


def test_times_are_exact_to_the_microsecond() -> None:
    (line,) = _lines(Happened(86_400_000_001, {"id": 1, "type": "StateChanged", "actor": "a"}))[1:]
    assert line.startswith("86400.000001")


def test_an_event_of_nobody_and_an_empty_transcript_can_be_drawn() -> None:
    assert "ClientExited" in _lines(Happened(0, {"id": 1, "type": "ClientExited", "actor": ""}))[1]
    assert _lines(Header(bytes(32), 1)) == ["     seconds"]


def test_what_came_from_a_network_cannot_drive_the_terminal() -> None:
    name = instance_name("evil\x1b[2J\r\nname", MESHCOP)
    answer = Message(flags=RESPONSE, answers=(DnsRecord(name, RecordType.TXT, 120, b"\x00"),))
    lines = _lines(_mdns(answer), _event("we\x1bird", reason="a\nb"))
    assert not re.search(r"[\x00-\x1f\x7f]", "".join(lines))
    assert any("\\x1b[2J" in line for line in lines)


def test_many_actors_with_long_names_are_cut_to_fit() -> None:
    lines = _lines(*(_event(f"actor-with-a-long-name-{number}") for number in range(9)))
    assert len(lines[0]) <= 90
    assert lines[0].count("…") == 9


@given(st.binary(max_size=80))
def test_a_frame_of_arbitrary_bytes_has_a_summary(payload: bytes) -> None:
    assert frame_summary(Frame(0, "lan", "x", PHONE, GROUP, payload))


@given(
    st.lists(st.text(max_size=20), max_size=4), st.dictionaries(st.text(max_size=8), st.text(max_size=90), max_size=4)
)
def test_any_event_gives_one_printable_line(actors: list[str], members: dict[str, str]) -> None:
    given_members = {name: value for name, value in members.items() if name not in ("id", "type", "actor")}
    lines = _lines(*(_event(actor, **given_members) for actor in actors))
    assert len(lines) == len(actors) + 1
    assert all(line.isprintable() for line in lines)


def test_summaries_of_queries() -> None:
    question = Question(type_name(MESHCOP), RecordType.PTR, unicast=True)
    assert frame_summary(_mdns(Message(questions=(question,), answers=SERVICE.pointers))) == (
        "query PTR _meshcop._udp (QU), knows 1 record"
    )
    many = tuple(Question(type_name(f"_x{number}._udp"), RecordType.ANY) for number in range(5))
    assert frame_summary(_mdns(Message(questions=many))) == "query ANY _x0._udp, ANY _x1._udp, ANY _x2._udp and 2 more"
    assert frame_summary(_mdns(Message())) == "query nothing"


def test_summary_of_a_probe() -> None:
    probe = Message(questions=(Question(SERVICE.name, RecordType.ANY),), authorities=SERVICE.unique)
    assert frame_summary(_mdns(probe)) == "probe Living Room._meshcop._udp: would claim 2 records"


def test_summaries_of_answers() -> None:
    answer = Message(flags=RESPONSE, answers=(*SERVICE.pointers, SERVICE.srv), additionals=(SERVICE.txt,))
    assert frame_summary(_mdns(answer)) == (
        "answer 2 records: PTR _meshcop._udp -> Living Room._meshcop._udp,"
        " SRV Living Room._meshcop._udp -> br-host:49152, beside it 1 record"
    )
    odd = DnsRecord(SERVICE.name, 65_280, 1, b"")
    assert frame_summary(_mdns(Message(flags=RESPONSE, answers=(odd,)))) == (
        "answer 1 record: TYPE65280 Living Room._meshcop._udp"
    )
    assert frame_summary(_mdns(Message(flags=RESPONSE))) == "answer without records"


def test_summary_of_a_goodbye() -> None:
    records = ServiceRecords.of(ServiceInstance("Living Room", MESHCOP, "br-host", 49_152), zero_ttls=True)
    assert frame_summary(_mdns(Message(flags=RESPONSE, answers=(records.srv,)))) == (
        "goodbye SRV Living Room._meshcop._udp -> br-host:49152"
    )


def test_a_frame_of_another_port_is_not_taken_for_dns() -> None:
    frame = Frame(0, "lan", "x", Endpoint("192.0.2.9", 4_000), Endpoint("192.0.2.1", 49_152), QUERY)
    assert frame_summary(frame) == f"lan {len(QUERY)} bytes"


def test_summaries_of_fates() -> None:
    assert fate_summary(Fate(1_000, "lan", "a", "b", (201_500,))) == "the frame from a reaches b 200.5 ms later"
    assert fate_summary(Fate(0, "lan", "a", "b", (1_000, 2_000))) == "2 copies from a reach b, the first 1 ms later"
    assert fate_summary(Fate(0, "lan", "a", "b", (1_000,), (b"x",))).endswith("1 ms later, with other bytes")


def test_an_event_shows_its_members_as_its_class_declares_them_and_cuts_long_ones() -> None:
    shown = event_summary(_event("br", reason="r" * 99, state="on", peer="p", extra={"txt": "00", "port": 1}))
    assert shown == f"StateChanged peer=p state=on reason={'r' * 47}… extra={{port:1}}"
