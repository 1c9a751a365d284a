"""Fitting questions and records into datagrams that cross an Ethernet whole.

A `Unit` is what belongs together: a question with the records it proposes, an answer with its additional records.
Units fill packets in order; one that is too big by itself is taken apart, and a single record beyond the limit gets a
packet of its own. What goes into the units is decided elsewhere.
Source: RFC 6762 sections 7.2 (known answers over several packets), 17 (packet size), 18.14 (compression).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pairing.dnssd.messages import FLAG_TRUNCATED, Identity, Message, Question, Record, RecordType, split_rdata
from pairing.dnssd.names import MAX_NAME, Name, suffixes
from pairing.errors import EncodeError

PACKET_LIMIT = 1452
"""An Ethernet frame's 1,500 bytes less the headers of IPv6 and UDP."""
SINGLE_RECORD_LIMIT = 8900
"""RFC 6762 section 17 ends at 9,000 bytes, IP and UDP headers included."""
_HEADER_SIZE = 12


class Unit(NamedTuple):
    """Questions and records that should travel in one packet."""

    questions: tuple[Question, ...] = ()
    answers: tuple[Record, ...] = ()
    authorities: tuple[Record, ...] = ()
    additionals: tuple[Record, ...] = ()


def pack(units: Iterable[Unit], *, flags: int, ident: int = 0, compress_srv: bool = True) -> list[bytes]:
    """The units in as few packets as their order allows. A record appears once in a packet."""
    packets: list[bytes] = []
    packet = _Packet(compress_srv)
    for unit in units:
        if packet.add(unit, PACKET_LIMIT):
            continue
        if not packet.is_empty:
            packets.append(packet.message(ident, flags).encode(compress_srv=compress_srv))
            packet = _Packet(compress_srv)
            if packet.add(unit, PACKET_LIMIT):
                continue
        for piece in _pieces(unit):
            if packet.add(piece, PACKET_LIMIT):
                continue
            if not packet.is_empty:
                packets.append(packet.message(ident, flags).encode(compress_srv=compress_srv))
                packet = _Packet(compress_srv)
            if not packet.add(piece, SINGLE_RECORD_LIMIT):
                raise EncodeError(f"one record does not fit the {SINGLE_RECORD_LIMIT} bytes of a multicast DNS packet")
    if not packet.is_empty:
        packets.append(packet.message(ident, flags).encode(compress_srv=compress_srv))
    return packets


def pack_query(questions: Sequence[Question], known: Sequence[Record]) -> list[bytes]:
    """Questions with the answers already known; packets that others follow carry the TC bit (section 7.2).

    Left out are records with more data than a name: the pointers that are known answers have none, but whoever sends
    may put anything behind the name.
    """
    units = [Unit(questions=(question,)) for question in questions]
    units += [Unit(answers=(record,)) for record in known if len(record.rdata) <= MAX_NAME]
    packets = pack(units, flags=0)
    return [truncated(packet) for packet in packets[:-1]] + packets[-1:] if known else packets


def truncated(packet: bytes) -> bytes:
    """The packet with its TC bit set: there is more than it holds."""
    flags = int.from_bytes(packet[2:4], "big") | FLAG_TRUNCATED
    return packet[:2] + flags.to_bytes(2, "big") + packet[4:]


def _pieces(unit: Unit) -> Iterable[Unit]:
    """Each question and record alone, in the order of the sections."""
    yield from (Unit(questions=(question,)) for question in unit.questions)
    yield from (Unit(answers=(record,)) for record in unit.answers)
    yield from (Unit(authorities=(record,)) for record in unit.authorities)
    yield from (Unit(additionals=(record,)) for record in unit.additionals)


class _Packet:
    """One packet being filled. Its size is known before it is written: each name suffix is paid for once."""

    def __init__(self, compress_srv: bool) -> None:
        self._compress_srv = compress_srv
        self._size = _HEADER_SIZE
        self._seen: set[Name] = set()
        self._answered: set[Identity] = set()
        self._added: set[Identity] = set()
        self._questions: list[Question] = []
        self._answers: list[Record] = []
        self._authorities: list[Record] = []
        self._additionals: list[Record] = []

    @property
    def is_empty(self) -> bool:
        """Nothing has been added."""
        return self._size == _HEADER_SIZE

    def add(self, unit: Unit, limit: int) -> bool:
        """Take the unit in, unless it makes the packet bigger than `limit`; False if so, and nothing is taken."""
        fresh: list[Name] = []
        answers = [record for record in unit.answers if record.identity not in self._answered]
        additionals = [
            record
            for record in unit.additionals
            if record.identity not in self._answered and record.identity not in self._added
        ]
        cost = sum(self._name_cost(question.name, fresh) + 4 for question in unit.questions)
        for section in (answers, unit.authorities, additionals):
            cost += sum(self._record_cost(record, fresh) for record in section)
        if self._size + cost > limit:
            self._seen.difference_update(fresh)
            return False
        self._size += cost
        self._questions += unit.questions
        self._answers += answers
        self._authorities += unit.authorities
        self._additionals += additionals
        self._answered.update(record.identity for record in answers)
        self._added.update(record.identity for record in additionals)
        return True

    def message(self, ident: int, flags: int) -> Message:
        """The packet as a message. An additional record that has become an answer as well is left out."""
        return Message(
            ident,
            flags,
            tuple(self._questions),
            tuple(self._answers),
            tuple(self._authorities),
            tuple(record for record in self._additionals if record.identity not in self._answered),
        )

    def _name_cost(self, name: Name, fresh: list[Name]) -> int:
        cost = 0
        for suffix in suffixes(name):
            if suffix in self._seen:
                return cost + 2
            cost += suffix[0] + 1
            self._seen.add(suffix)
            fresh.append(suffix)
        return cost + 1

    def _record_cost(self, record: Record, fresh: list[Name]) -> int:
        cost = self._name_cost(record.name, fresh) + 10
        parts = split_rdata(record.type, record.rdata)
        if parts is None or (record.type == RecordType.SRV and not self._compress_srv):
            return cost + len(record.rdata)
        return cost + len(parts[0]) + self._name_cost(parts[1], fresh) + len(parts[2])
