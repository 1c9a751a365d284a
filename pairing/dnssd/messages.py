"""DNS messages as multicast DNS uses them: header, questions, and resource records in three sections.

Record data is kept as bytes with the names in it uncompressed, so that records of unknown types survive, rdata can be
compared as RFC 6762 section 8.2 asks, and equal records are equal whatever the packet did to compress them. Fitting
records into datagrams is left to `packing`, the meaning of the records to `records` and the engines.
Source: RFC 1035 section 4, RFC 6762 section 18, RFC 2782 (SRV), RFC 4034 section 4 (NSEC).
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import TypeAlias

from pairing.dnssd.names import MAX_NAME, Name, suffixes
from pairing.errors import DecodeError, EncodeError

CLASS_IN = 1
CLASS_ANY = 255
TOP_BIT = 0x8000
"""In a record's class: cache flush. In a question's class: a unicast answer is welcome (QU)."""

FLAG_RESPONSE = 0x8000
FLAG_AUTHORITATIVE = 0x0400
FLAG_TRUNCATED = 0x0200
MASK_OPCODE = 0x7800
MASK_RCODE = 0x000F
RESPONSE = FLAG_RESPONSE | FLAG_AUTHORITATIVE

Identity: TypeAlias = tuple[Name, int, int, bytes]
"""Name, type, class and data with letters folded: what makes two records the same record."""


class RecordType(IntEnum):
    """The record types that DNS-SD works with."""

    A = 1
    NS = 2
    CNAME = 5
    PTR = 12
    MX = 15
    TXT = 16
    AAAA = 28
    SRV = 33
    DNAME = 39
    NSEC = 47
    ANY = 255


NAME_IN_RDATA = {
    RecordType.NS: 0,
    RecordType.CNAME: 0,
    RecordType.PTR: 0,
    RecordType.MX: 2,
    RecordType.SRV: 6,
    RecordType.DNAME: 0,
    RecordType.NSEC: 0,
}
"""Where record data holds a name that may be compressed: the bytes before it (RFC 6762 section 18.14)."""

_MAX_STEPS = 255  # 127 labels are the most that 255 bytes hold; the rest is patience with chained pointers
_HEADER = struct.Struct(">6H")
_QUESTION = struct.Struct(">HH")
_RECORD = struct.Struct(">HHIH")


@dataclass(frozen=True, slots=True)
class Question:
    """What a querier asks: a name, a type (255 for any), and whether it welcomes a unicast answer."""

    name: Name
    type: int
    unicast: bool = False
    class_: int = CLASS_IN
    key: Name = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", self.name.lower())


@dataclass(frozen=True, slots=True)
class Record:
    """A resource record; names inside `rdata` are uncompressed. `cache_flush` marks a record that has one owner."""

    name: Name
    type: int
    ttl: int
    rdata: bytes = field(repr=False)
    cache_flush: bool = False
    class_: int = CLASS_IN
    key: Name = field(init=False, repr=False, compare=False)
    identity: Identity = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        key = self.name.lower()
        at = NAME_IN_RDATA.get(self.type)  # type: ignore[call-overload]  # any int may be asked for
        data = self.rdata if at is None else self.rdata[:at] + self.rdata[at:].lower()
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "identity", (key, self.type, self.class_, data))


@dataclass(frozen=True, slots=True)
class Message:
    """A whole DNS message. Multicast responses have id 0 and no questions."""

    id: int = 0
    flags: int = 0
    questions: tuple[Question, ...] = ()
    answers: tuple[Record, ...] = ()
    authorities: tuple[Record, ...] = ()
    additionals: tuple[Record, ...] = ()
    subjects: frozenset[Name] = field(init=False, repr=False, compare=False)
    """The folded names that answers and additional records bear or point at; lets a reader pass over it quickly."""

    def __post_init__(self) -> None:
        records = (*self.answers, *self.additionals)
        subjects = [record.key for record in records]
        subjects += [record.identity[3] for record in records if record.type == RecordType.PTR]
        object.__setattr__(self, "subjects", frozenset(subjects))

    @property
    def is_response(self) -> bool:
        """A response rather than a query."""
        return bool(self.flags & FLAG_RESPONSE)

    @property
    def is_truncated(self) -> bool:
        """A query whose known answers go on in the next packet."""
        return bool(self.flags & FLAG_TRUNCATED)

    def encode(self, *, compress_srv: bool = True) -> bytes:
        """The message on the wire, names compressed; SRV targets only where the reader speaks multicast DNS."""
        sections = (self.answers, self.authorities, self.additionals)
        encoder = _Encoder(compress_srv)
        encoder.data += _HEADER.pack(self.id, self.flags, len(self.questions), *map(len, sections))
        for question in self.questions:
            encoder.name(question.name)
            encoder.data += _QUESTION.pack(question.type, question.class_ | (TOP_BIT if question.unicast else 0))
        for section in sections:
            encoder.records(section)
        return bytes(encoder.data)


@lru_cache(maxsize=512)
def decode(payload: bytes) -> Message:
    """The message in a datagram. Cached, since on one link every engine decodes the same packets."""
    if len(payload) < _HEADER.size:
        raise DecodeError(len(payload), f"a DNS header has {_HEADER.size} bytes, {len(payload)} came")
    ident, flags, *counts = _HEADER.unpack_from(payload)
    decoder = _Decoder(payload)
    questions = tuple(decoder.question() for _ in range(counts[0]))
    answers, authorities, additionals = (tuple(decoder.record() for _ in range(count)) for count in counts[1:])
    return Message(ident, flags, questions, answers, authorities, additionals)


@lru_cache(maxsize=16384)
def split_rdata(type_: int, rdata: bytes) -> tuple[bytes, Name, bytes] | None:
    """Record data around the name in it, as (before, name, after); None for types without a name."""
    start = NAME_IN_RDATA.get(type_)  # type: ignore[call-overload]  # any int may be asked for
    if start is None:
        return None
    end = start
    while end < len(rdata) and rdata[end]:
        end += rdata[end] + 1
    if end >= len(rdata):
        raise EncodeError(f"record data of type {type_} has no complete name at byte {start}")
    return rdata[:start], rdata[start : end + 1], rdata[end + 1 :]


class _Encoder:
    """Appends to one datagram and remembers where each name suffix stands."""

    def __init__(self, compress_srv: bool) -> None:
        self.data = bytearray()
        self._compress_srv = compress_srv
        self._places: dict[Name, int] = {}

    def name(self, name: Name) -> None:
        for suffix in suffixes(name):
            place = self._places.get(suffix)
            if place is not None:
                self.data += (0xC000 | place).to_bytes(2, "big")
                return
            if len(self.data) < 0x4000:
                self._places[suffix] = len(self.data)
            self.data += suffix[: suffix[0] + 1]
        self.data.append(0)

    def records(self, records: Iterable[Record]) -> None:
        data = self.data
        for record in records:
            self.name(record.name)
            class_ = record.class_ | (TOP_BIT if record.cache_flush else 0)
            data += _RECORD.pack(record.type, class_, record.ttl, 0)
            start = len(data)
            parts = split_rdata(record.type, record.rdata)
            if parts is None or (record.type == RecordType.SRV and not self._compress_srv):
                data += record.rdata
            else:
                data += parts[0]
                self.name(parts[1])
                data += parts[2]
            length = len(data) - start
            if length > 0xFFFF:
                raise EncodeError(f"record data of {length} bytes, expected at most 65535")
            data[start - 2 : start] = length.to_bytes(2, "big")


class _Decoder:
    """Reads one datagram. Compression pointers must lead backwards, which ends every chain of them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = _HEADER.size
        self._names: dict[int, Name] = {}

    def question(self) -> Question:
        name = self._name(len(self._data))
        type_, class_ = self._unpack(_QUESTION, "question")
        return Question(name, type_, bool(class_ & TOP_BIT), class_ & ~TOP_BIT)

    def record(self) -> Record:
        name = self._name(len(self._data))
        type_, class_, ttl, length = self._unpack(_RECORD, "record")
        end = self._at + length
        if end > len(self._data):
            raise DecodeError(self._at, f"record data needs {length} bytes, {len(self._data) - self._at} left")
        before = NAME_IN_RDATA.get(type_)  # type: ignore[call-overload]  # any int may come
        if before is None:
            rdata = self._data[self._at : end]
        else:
            prefix = self._data[self._at : self._at + before]
            self._at += before
            inner = self._name(end)
            rdata = prefix + inner + self._data[self._at : end]
        self._at = end
        return Record(name, type_, ttl, rdata, bool(class_ & TOP_BIT), class_ & ~TOP_BIT)

    def _unpack(self, layout: struct.Struct, what: str) -> tuple[int, ...]:
        if self._at + layout.size > len(self._data):
            raise DecodeError(self._at, f"{what} needs {layout.size} bytes, {len(self._data) - self._at} left")
        found = layout.unpack_from(self._data, self._at)
        self._at += layout.size
        return found

    def _name(self, end: int) -> Name:
        """The name at the cursor; its bytes in place stop before `end`."""
        data, at, start = self._data, self._at, self._at
        resume: int | None = None
        parts: list[tuple[int, bytes]] = []
        tail: Name = b"\x00"
        for _ in range(_MAX_STEPS):
            length = data[at] if at < end else -1
            if length == 0:
                self._at = at + 1 if resume is None else resume
                break
            if 0 < length < 0x40 and at + length < end:
                parts.append((at, data[at : at + length + 1]))
                at += length + 1
            elif length >= 0xC0 and at + 1 < end:
                resume = at + 2 if resume is None else resume
                target = (length & 0x3F) << 8 | data[at + 1]
                if not _HEADER.size <= target < start:
                    raise DecodeError(at, f"compression pointer to {target}, expected an earlier name")
                if target in self._names:
                    tail, self._at = self._names[target], resume
                    break
                at, start, end = target, target, start
            else:
                raise DecodeError(at, "unknown label type" if 0x40 <= length < 0xC0 else "name is cut short")
        else:
            raise DecodeError(at, f"name of more than {_MAX_STEPS} labels and pointers")
        return self._joined(parts, tail)

    def _joined(self, parts: list[tuple[int, bytes]], tail: Name) -> Name:
        for place, label in reversed(parts):
            tail = label + tail
            self._names[place] = tail
        if len(tail) > MAX_NAME:
            raise DecodeError(self._at, f"name of {len(tail)} bytes, expected at most {MAX_NAME}")
        return tail
