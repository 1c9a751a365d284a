"""DNS messages as multicast DNS has them, and TXT record data; a border agent's TXT record key by key.

Messages are judged by `pairing.dnssd`; where its fields lie is found here, since it keeps no offsets.
"""

import ipaddress

from devices.decode.fields import TracedReader
from devices.decode.layers import layer
from devices.decode.nan_service import printable
from pairing.dnssd.messages import (
    CLASS_ANY,
    CLASS_IN,
    FLAG_AUTHORITATIVE,
    FLAG_RESPONSE,
    FLAG_TRUNCATED,
    MASK_OPCODE,
    MASK_RCODE,
    NAME_IN_RDATA,
    Message,
    Record,
    RecordType,
    decode,
)
from pairing.dnssd.names import split_instance, text
from pairing.dnssd.records import SrvFields, pointed
from pairing.dnssd.service import MDNS_PORT
from pairing.dnssd.txt import TxtRecord
from pairing.errors import DecodeError
from pairing.thread.meshcop_txt import FIELD_NAMES, SERVICE_TYPE, MeshCopTxt, quirks
from pairing.thread.state_bitmap import StateBitmap

_HEADER = 12
_KNOWN_FLAGS = FLAG_RESPONSE | FLAG_AUTHORITATIVE | FLAG_TRUNCATED
_MESHCOP_KEYS = frozenset((b"rv", b"nn", b"xp", b"xa", b"sb", b"tv", b"at"))


def _guess_message(data: bytes) -> int:
    if len(data) < _HEADER:
        return 0
    flags = int.from_bytes(data[2:4], "big")
    counts = [int.from_bytes(data[at : at + 2], "big") for at in (4, 6, 8, 10)]
    if flags & MASK_OPCODE or not 0 < sum(counts) <= len(data) // 5:
        return 0
    return 85 if data[:2] == b"\0\0" and not flags & ~_KNOWN_FLAGS else 35


@layer("dns", "DNS message", guess=_guess_message, ports=(MDNS_PORT,))
def read_message(reader: TracedReader) -> None:
    """Header, questions, and the three sections of records."""
    whole, base = reader.peek(reader.remaining), reader.offset
    try:
        message = decode(whole)
    except DecodeError as error:
        reader.take(min(_HEADER, reader.remaining), "header")
        raise DecodeError(base + error.offset, error.reason) from None
    _read_header(reader, message)
    for question in message.questions:
        with reader.group("question", f"{_type(question.type)} {text(question.name)}"):
            _read_name(reader, "name", text(question.name))
            reader.u16be("type")
            reader.mean(_type(question.type))
            reader.u16be("class")
            reader.mean(_class(question.class_) + (", a unicast answer is welcome (QU)" if question.unicast else ""))
    sections = (("answer", message.answers), ("authority", message.authorities), ("additional", message.additionals))
    for section, records in sections:
        for record in records:
            _read_record(reader, record, section)


def _read_header(reader: TracedReader, message: Message) -> None:
    with reader.group("header"):
        reader.u16be("id")
        reader.u16be("flags")
        words = ["response" if message.is_response else "query"]
        words += ["authoritative"] if message.flags & FLAG_AUTHORITATIVE else []
        words += ["truncated: more follows"] if message.is_truncated else []
        words += [f"rcode {message.flags & MASK_RCODE}"] if message.flags & MASK_RCODE else []
        reader.mean(", ".join(words))
        for what in ("questions", "answers", "authorities", "additionals"):
            reader.u16be(what)


def _read_name(reader: TracedReader, what: str, meaning: str) -> None:
    """A name in place: labels up to the root or to a pointer. The message has been decoded, so it is whole."""
    data, at = reader.peek(reader.remaining), 0
    while 0 < data[at] < 0x40:
        at += 1 + data[at]
    reader.take(at + (2 if data[at] else 1), what)
    reader.mean(meaning)


def _read_record(reader: TracedReader, record: Record, section: str) -> None:
    with reader.group(section, f"{_type(record.type)} {text(record.name)}"):
        _read_name(reader, "name", text(record.name))
        reader.u16be("type")
        reader.mean(_type(record.type))
        reader.u16be("class")
        reader.mean(_class(record.class_) + (", cache flush" if record.cache_flush else ""))
        reader.u32be("TTL")
        reader.mean(f"{record.ttl} s" if record.ttl else "0 s, goodbye")
        data = reader.sub(reader.u16be("data length"), "data")
        _read_data(data, record)
        reader.last.meaning = _data_meaning(record)


def _read_data(data: TracedReader, record: Record) -> None:
    before = NAME_IN_RDATA.get(record.type)  # type: ignore[call-overload]  # any int may come
    match record.type:
        case RecordType.TXT:
            instance = split_instance(record.name)
            read_txt(data, is_meshcop=instance is not None and instance[1].lower() == SERVICE_TYPE)
        case RecordType.SRV:
            fields = SrvFields.of(record)
            for what in ("priority", "weight", "port"):
                data.u16be(what)
            _read_name(data, "target", "" if fields is None else text(fields.target))
        case _ if before == 0:
            name = pointed(record)
            _read_name(data, "name", "" if name is None else text(name))
    data.rest()


def _data_meaning(record: Record) -> str:
    if record.type == RecordType.A and len(record.rdata) == 4:
        return str(ipaddress.IPv4Address(record.rdata))
    if record.type == RecordType.AAAA and len(record.rdata) == 16:
        return str(ipaddress.IPv6Address(record.rdata))
    return ""


def _type(number: int) -> str:
    try:
        return RecordType(number).name
    except ValueError:
        return f"TYPE{number}"


def _class(number: int) -> str:
    return {CLASS_IN: "IN", CLASS_ANY: "ANY"}.get(number, f"class {number}")


# TXT


def _guess_txt(data: bytes) -> int:
    """Strings that end where the bytes end and look like `key=value`; those of a border agent are known by name."""
    keys: list[bytes] = []
    at = 0
    while at < len(data):
        string = data[at + 1 : at + 1 + data[at]]
        key = string.partition(b"=")[0]
        if not key or not key.isascii() or not key.decode().isprintable():
            break
        keys.append(key)
        at += 1 + data[at]
    if len(_MESHCOP_KEYS & set(keys)) >= 3:
        return 92
    if data == b"\0":
        return 30
    return 15 + min(40, 10 * len(keys)) if keys and at == len(data) else 10 * (len(keys) > 2)


@layer("txt", "DNS-SD TXT record data", guess=_guess_txt)
def read_txt_alone(reader: TracedReader) -> None:
    """Strings up to the end; a border agent's are recognised by their keys."""
    data = reader.peek(reader.remaining)
    read_txt(reader, is_meshcop=_guess_txt(data) > 90)


def read_txt(reader: TracedReader, *, is_meshcop: bool) -> None:
    """Strings up to the end, each by its key."""
    data = reader.peek(reader.remaining)
    meanings = _meshcop_meanings(data) if is_meshcop else {}
    while reader.remaining:
        length = reader.peek(1)[0]
        string = reader.peek(1 + length)[1:]
        key, equals, value = string.partition(b"=")
        shown = key.decode("utf-8", "replace")
        with reader.group(f"string {shown}" if key else "empty string"):
            reader.u8("string length")
            if length > len(string):
                reader.take(length, "TXT string")
            reader.take(len(key), "key")
            reader.mean(shown)
            reader.take(len(equals), "equals sign")
            reader.take(len(value), "value")
            meaning = meanings.get(key.lower()) or (printable(value) if equals else "key without value")
            if value or meaning:
                reader.mean(meaning)
                if key.lower() == b"sb" and is_meshcop and len(value) == 4:
                    _mean_bitmap(TracedReader(value, reader.last.offset, reader.last.fields))


def _meshcop_meanings(data: bytes) -> dict[bytes, str]:
    try:
        record = MeshCopTxt.from_txt(TxtRecord.decode(data))
    except DecodeError:
        return {}
    found = {
        key.encode(): f"{name.replace('_', ' ')} {_shown(record.meaning(key))}"
        for key, name in FIELD_NAMES.items()
        if key != "sb" and record.meaning(key) is not None
    }
    found |= {key.lower(): "a value that this key cannot have" for key, _ in record.malformed}
    first = next(iter(TxtRecord.decode(data).keys), b"").lower()
    habits = "; ".join(quirk.what for quirk in quirks(record))
    if habits and first in found:
        found[first] = f"{found[first]} ({habits})"
    return found


def _shown(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else repr(value) if isinstance(value, str) else str(value)


# State bitmap


def _guess_bitmap(data: bytes) -> int:
    if len(data) != 4:
        return 0
    return 2 if StateBitmap.decode(data).bits_above_defined else 28


@layer("state-bitmap", "state bitmap of a border agent (sb)", guess=_guess_bitmap)
def read_bitmap(reader: TracedReader) -> None:
    """Four octets."""
    if reader.remaining < 4:
        reader.take(4, "state bitmap")
    _mean_bitmap(reader)


def _mean_bitmap(reader: TracedReader) -> None:
    words = StateBitmap.decode(reader.peek(4)).meaning()
    number = reader.u32be("bits")
    told = [f"{_spaced(name)} {_yes(value)}" for name, value in words.items() if name not in ("value", _ABOVE)]
    told += [f"bits above: {words[_ABOVE]:#x}"] if words[_ABOVE] else []
    reader.mean(f"{number:#010x}: {', '.join(told)}")


_ABOVE = "bitsAboveDefined"


def _spaced(name: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)


def _yes(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
