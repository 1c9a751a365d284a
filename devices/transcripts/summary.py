"""One line for a record: what a frame says, what became of it, what happened.

Frames are read with the codecs of `pairing`; bytes that nobody here understands are counted. Texts are as they came:
whoever prints them to a terminal escapes them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from devices.decode.air_summary import Names, air_summary
from devices.decode.hci import hci_summary
from devices.events import members
from devices.transcripts.reader import Fate, Frame, Happened, Octets
from pairing.dnssd.messages import Message, Question, Record, RecordType, decode
from pairing.dnssd.names import text
from pairing.dnssd.records import SrvFields, address_of, pointed
from pairing.dnssd.service import MDNS_PORT
from pairing.engine import Address, Endpoint
from pairing.errors import DecodeError

_HTTP = re.compile(rb"[A-Z]{3,10} [!-~]{1,200} HTTP/1\.[01]|HTTP/1\.[01] [0-9]{3} [ -~]{0,80}")
_TEXT = re.compile(rb"[ -~]{1,80}")
_TCP_HEAD = 20
_TCP_FLAGS = ((0x04, "RST"), (0x02, "SYN"), (0x01, "FIN"))
_SHOWN = 3
_LONGEST_VALUE = 48
_NOT_SHOWN = frozenset(
    {"id", "at_us", "type", "actor", "medium", "names", "key", "txt", "intermediates", "keys", "remembered"}
)
"""Members that every line shows elsewhere, and those that would push everything else off it."""


def frame_summary(frame: Frame, names: Names | None = None) -> str:
    """What a frame says; `names` are those of Wi-Fi Aware services, by service ID."""
    if frame.medium == "air":
        return air_summary(frame.payload, names)
    if frame.medium == "ble":
        return hci_summary(frame.payload)
    if frame.medium == "tcp":
        return _segment(frame.payload)
    if MDNS_PORT in (_port(frame.source), _port(frame.to)):
        try:
            return message_summary(decode(frame.payload))
        except DecodeError as problem:
            return f"{frame.medium} {len(frame.payload)} bytes that are no DNS message: {problem}"
    return f"{frame.medium} {len(frame.payload)} bytes"


def _segment(segment: bytes) -> str:
    """What a TCP segment is: its first line where that is text, or its flags."""
    if len(segment) < _TCP_HEAD:
        return f"tcp {len(segment)} bytes"
    octets, flags = segment[_TCP_HEAD:], segment[13]
    said = [name for bit, name in _TCP_FLAGS if flags & bit]
    line = octets.partition(b"\n")[0].rstrip(b"\r")
    if octets and _TEXT.fullmatch(line):
        return f"tcp {line.decode('ascii')}"
    return f"tcp {' '.join(said)}" if said else f"tcp {len(octets)} bytes"


def octets_summary(octets: Octets) -> str:
    """What octets of a TCP connection say: the first line of a request or an answer, or how many they are."""
    line = octets.payload.partition(b"\r\n")[0]
    if _HTTP.fullmatch(line):
        return line.decode("ascii")
    return f"tcp {len(octets.payload)} bytes"


def message_summary(message: Message) -> str:
    """What a DNS message says, for example `query PTR _meshcop._udp`."""
    if message.is_response:
        return _response(message)
    if message.authorities:
        names = list(dict.fromkeys(_name(each.name) for each in message.questions))
        return f"probe {_some(names, len(names))}: would claim {_counted(message.authorities)}"
    asked = _some(map(_question, message.questions), len(message.questions))
    known = f", knows {_counted(message.answers)}" if message.answers else ""
    more = ", more follows" if message.is_truncated else ""
    return f"query {asked or 'nothing'}{known}{more}"


def fate_summary(fate: Fate) -> str:
    """What a fault made of a frame for one receiver."""
    if not fate.arrivals:
        return f"lost on the way from {fate.sender} to {fate.receiver}"
    first = (fate.arrivals[0] - fate.at_us) / 1_000
    if len(fate.arrivals) > 1:
        what = f"{len(fate.arrivals)} copies from {fate.sender} reach {fate.receiver}, the first {first:g} ms later"
    else:
        what = f"the frame from {fate.sender} reaches {fate.receiver} {first:g} ms later"
    return what if fate.payloads is None else f"{what}, with other bytes"


def event_summary(happened: Happened) -> str:
    """An event's type and what it carries."""
    event = happened.event
    members = (
        f"{name}={_short(event[name])}"
        for name in _in_order(event)
        if name not in _NOT_SHOWN and event[name] not in (None, "", {}, [])
    )
    return " ".join((str(event["type"]), *members))


def _in_order(event: Mapping[str, Any]) -> list[str]:
    """The members as their class declares them; canonical CBOR has sorted them by length."""
    declared = members(str(event["type"]))
    return [*(name for name in declared if name in event), *(name for name in event if name not in declared)]


def _response(message: Message) -> str:
    records = (*message.answers, *message.additionals)
    if records and all(each.ttl == 0 for each in records):
        return f"goodbye {_some(map(_record, message.answers), len(message.answers))}"
    shown = _some(map(_record, message.answers), len(message.answers))
    more = f", beside it {_counted(message.additionals)}" if message.additionals else ""
    return f"answer {_counted(message.answers)}: {shown}{more}" if shown else f"answer without records{more}"


def _question(question: Question) -> str:
    return f"{_type(question.type)} {_name(question.name)}{' (QU)' if question.unicast else ''}"


def _record(record: Record) -> str:
    return f"{_type(record.type)} {_name(record.name)}{_value(record)}"


def _value(record: Record) -> str:
    target = pointed(record) if record.type == RecordType.PTR else None
    if target is not None:
        return f" -> {_name(target)}"
    srv = SrvFields.of(record) if record.type == RecordType.SRV else None
    if srv is not None:
        return f" -> {_name(srv.target)}:{srv.port}"
    address = address_of(record)
    return f" {address}" if address is not None else ""


def _type(number: int) -> str:
    try:
        return RecordType(number).name
    except ValueError:
        return f"TYPE{number}"


def _name(name: bytes) -> str:
    return text(name).removesuffix(".").removesuffix(".local")


def _counted(records: tuple[Record, ...]) -> str:
    return "1 record" if len(records) == 1 else f"{len(records)} records"


def _some(parts: Iterable[str], count: int) -> str:
    shown = [part for part, _ in zip(parts, range(_SHOWN), strict=False)]
    return ", ".join(shown) + (f" and {count - _SHOWN} more" if count > _SHOWN else "")


def _port(address: Address) -> int | None:
    return address.port if isinstance(address, Endpoint) else None


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        members = ",".join(f"{name}:{_short(each)}" for name, each in value.items() if name not in _NOT_SHOWN)
        shown = f"{{{members}}}"
    else:
        shown = str(value)
    return shown if len(shown) <= _LONGEST_VALUE else f"{shown[: _LONGEST_VALUE - 1]}…"
