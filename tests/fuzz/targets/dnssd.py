"""DNS messages and TXT records of `pairing.dnssd`, and its responders and queriers on a link with each other."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_address

from pairing.dnssd.messages import Message, Question, Record, RecordType, decode
from pairing.dnssd.names import instance_name, labels, split_host, split_instance, suffixes, text, type_name
from pairing.dnssd.querier import Querier
from pairing.dnssd.records import SrvFields, address_of, denies, nsec_record, pointed
from pairing.dnssd.responder import Responder
from pairing.dnssd.service import MDNS_PORT, Link, ServiceInstance
from pairing.dnssd.txt import TxtRecord
from pairing.engine import SECOND, Endpoint
from pairing.errors import DecodeError
from tests.fuzz import corpus
from tests.fuzz.stage import Dialogue, Party, Stage, engine_target
from tests.fuzz.target import decoder
from tests.support.recorded_entropy import seeded

LINK = "lan"
MESHCOP = "_meshcop._udp"
LIVING_ROOM = instance_name("Living Room", MESHCOP)
TXT = TxtRecord.of((("rv", b"1"), ("tv", b"1.4.0"), ("sb", b"\0\0\x01\xb1"))).encode()
LOAD = bytes(9000)
CALM = 12 * SECOND
"""So long after the last word every claim has settled."""


def at(number: int) -> tuple[list[Link], Endpoint]:
    """The link as one host has it, and where that host sends from."""
    host = f"192.0.2.{number}"
    return [Link.of(LINK, [ip_address(host)])], Endpoint(host, MDNS_PORT, LINK)


def responder(number: int) -> Party:
    """A host that will publish."""
    links, source = at(number)
    return Party(Responder(seeded(number), links), source)


def querier(number: int, *, use_announcements: bool = True) -> Party:
    """A host that looks for services."""
    links, source = at(number)
    return Party(Querier(seeded(number), links, use_announcements=use_announcements), source)


def service(number: int) -> ServiceInstance:
    """A border router's service; all want the same name."""
    return ServiceInstance("Living Room", MESHCOP, f"ot{number}", 49154, TXT, subtypes=("_router",))


def begin() -> Stage:
    """Two hosts claim one name; one querier believes what it hears, another only what it asked for."""
    stage = Stage(responder(1), responder(2), querier(3), querier(4, use_announcements=False), horizon=CALM)
    for number, party in enumerate(stage.parties, 1):
        if isinstance(party.engine, Responder):
            stage.do(party, party.engine.register(service(number), 0))
        elif isinstance(party.engine, Querier):
            stage.do(party, party.engine.browse(MESHCOP, 0))
    return stage


def begin_change() -> Stage:
    """The same, once both are established: one changes its TXT, the other says goodbye."""
    stage = begin()
    while stage.now < 4 * SECOND and stage.step():
        pass
    stage.horizon = stage.now + CALM
    first, second = stage.parties[:2]
    assert isinstance(first.engine, Responder)
    assert isinstance(second.engine, Responder)
    stage.do(first, first.engine.update(replace(service(1), txt=b"\x04rv=2"), stage.now))
    stage.do(second, second.engine.withdraw(service(2).key, stage.now))
    return stage


def check(stage: Stage, was_ignored: bool) -> None:
    """Every name is held, and whoever comes and asks finds it, with its host's address."""
    newcomer = querier(9)
    stage.parties.append(newcomer)
    stage.horizon = stage.now + CALM
    assert isinstance(newcomer.engine, Querier)
    stage.do(newcomer, newcomer.engine.browse(MESHCOP, stage.now))
    stage.play()
    resolved = {found.instance for found in newcomer.engine.found(MESHCOP) if found.addresses}
    for party in stage.parties:
        if isinstance(party.engine, Responder):
            for each in party.engine.services:
                assert each.is_published, f"{each.service.instance} is {each.state.value}"
                assert each.service.instance in resolved, f"{each.service.instance} is not found"


def heavy(packet: bytes) -> Iterator[bytes]:
    """The packet with a load behind the data of each answer in turn."""
    message = decode(packet)
    for place, record in enumerate(message.answers):
        bent = replace(record, rdata=record.rdata + LOAD)
        yield replace(message, answers=(*message.answers[:place], bent, *message.answers[place + 1 :])).encode()


def read_message(data: bytes) -> Message:
    """A message of which every record was looked at as the querier does."""
    message = decode(data)
    for question in message.questions:
        assert repr((labels(question.name), text(question.name), suffixes(question.name)))
    for record in (*message.answers, *message.authorities, *message.additionals):
        read_record(record)
    return message


def read_record(record: Record) -> None:
    """A record's names and data."""
    assert repr((labels(record.name), split_instance(record.name), split_host(record.name), text(record.name)))
    assert repr((SrvFields.of(record), pointed(record), address_of(record), denies(record, RecordType.TXT)))
    if record.type == RecordType.TXT:
        try_txt(record.rdata)


def messages() -> Iterator[bytes]:
    """What the dialogues send, and messages with every record type in them."""
    for start in (begin, begin_change):
        stage = start()
        stage.play()
        yield from dict.fromkeys(sent.payload for sent in stage.carried)
    denial = nsec_record(LIVING_ROOM, (RecordType.SRV, RecordType.TXT), 120)
    question = Question(type_name(MESHCOP), RecordType.PTR, unicast=True)
    yield Message(7, 0x0200, (question,), (denial,), (), (denial,)).encode()


def try_txt(data: bytes) -> TxtRecord | None:
    """TXT data as a client reads it."""
    try:
        record = TxtRecord.decode(data)
    except DecodeError:
        return None
    assert repr((record.keys, list(record.items()), record.get("rv"), "rv" in record))
    return record


_DIALOGUES: tuple[tuple[str, Callable[[], Stage]], ...] = (("mdns", begin), ("mdns-change", begin_change))
TARGETS = (
    decoder("dns-message", read_message, messages, encode=Message.encode, is_exact=False),
    decoder("dns-txt", TxtRecord.decode, lambda: corpus.octets("bonjour/*", "txt"), encode=TxtRecord.encode),
    *(engine_target(Dialogue(name, start, check, bend=heavy)) for name, start in _DIALOGUES),
)
