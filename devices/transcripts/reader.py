"""Reads transcripts back: bytes that are checked record by record against `specs/transcript.cddl`.

A file that is cut off or corrupt gives every record before the damage, then one TranscriptError that says where it is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, TypeAlias, TypeVar

import cbor2

from devices.errors import TranscriptError
from devices.transcripts.recorder import FORMAT, VERSION
from pairing.engine import Address, Endpoint, Micros

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class Header:
    """The first record: the SHA-256 of the home or scenario file, and the seed."""

    scenario: bytes
    seed: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A port has sent bytes."""

    at_us: Micros
    medium: str
    sender: str
    source: Address
    to: Address
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fate:
    """A fault has changed what becomes of the last frame for one receiver: when copies arrive, and which bytes."""

    at_us: Micros
    medium: str
    sender: str
    receiver: str
    arrivals: tuple[Micros, ...]
    payloads: tuple[bytes, ...] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Octets:
    """Octets of a TCP connection that a real program has to an actor; `inward` from the program."""

    at_us: Micros
    actor: str
    own: Endpoint
    peer: Endpoint
    inward: bool
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Happened:
    """An event, in the flat form of the log."""

    at_us: Micros
    event: Mapping[str, Any]


Record: TypeAlias = Header | Frame | Fate | Octets | Happened


def read_transcript(stream: BinaryIO, name: str = "transcript") -> Iterator[Record]:
    """The header, then each record as it is read. Raises TranscriptError at the first damage."""
    decoder = cbor2.CBORDecoder(stream)
    index = 0
    while True:
        offset = stream.tell()
        if not stream.read(1):
            if index == 0:
                raise TranscriptError(f"{name}: is empty, not a transcript")
            return
        stream.seek(offset)
        place = f"{name}: record {index} at byte {offset}"
        try:
            value = decoder.decode()
        except cbor2.CBORDecodeEOF:
            raise TranscriptError(f"{place} is cut off: the file ends in the middle of it") from None
        except (cbor2.CBORDecodeError, ValueError, TypeError, RecursionError, MemoryError, OverflowError) as problem:
            raise TranscriptError(f"{place} is not CBOR: {problem}") from None
        try:
            yield _header(value) if index == 0 else _record(value)
        except _WrongMemberError as problem:
            raise TranscriptError(f"{place}: {problem}") from None
        index += 1


class _WrongMemberError(Exception):
    """A record that CBOR can say and a transcript cannot."""


def _header(value: object) -> Header:
    if not isinstance(value, Mapping) or value.get("format") != FORMAT:
        raise _WrongMemberError("this is no transcript; pairlab writes them with --transcript DIR")
    if value.get("version") != VERSION:
        raise _WrongMemberError(f"version {value.get('version')!r}, this pairlab reads version {VERSION}")
    return Header(_member(value, "scenario", _octets), _member(value, "seed", _uint))


def _record(value: object) -> Record:
    if not isinstance(value, Mapping):
        raise _WrongMemberError(f"a record is a map, not {type(value).__name__}")
    at_us = _member(value, "t", _uint)
    match value.get("k"):
        case "frame":
            return Frame(
                at_us,
                _member(value, "m", _text),
                _member(value, "s", _text),
                _member(value, "from", _address),
                _member(value, "to", _address),
                _member(value, "b", _octets),
            )
        case "fate":
            arrivals = _member(value, "at", _list_of(_uint))
            payloads = _member(value, "b", _list_of(_octets)) if "b" in value else None
            medium, sender, receiver = (_member(value, name, _text) for name in ("m", "s", "r"))
            return Fate(at_us, medium, sender, receiver, arrivals, payloads)
        case "octets":
            own, peer = (_member(value, name, _endpoint) for name in ("own", "peer"))
            inward, payload = _member(value, "in", _truth), _member(value, "b", _octets)
            return Octets(at_us, _member(value, "s", _text), own, peer, inward, payload)
        case "event":
            event = _member(value, "e", _mapping)
            _member(event, "id", _uint)
            _member(event, "type", _text)
            _member(event, "actor", _text)
            return Happened(at_us, event)
        case kind:
            raise _WrongMemberError(f"no record is of kind {kind!r}; known: event, fate, frame, octets")


def _member(value: Mapping[Any, Any], name: str, check: Callable[[object], ValueT]) -> ValueT:
    if name not in value:
        raise _WrongMemberError(f"member {name!r} is missing")
    try:
        return check(value[name])
    except _WrongMemberError as problem:
        raise _WrongMemberError(f"member {name!r}: {problem}") from None


def _uint(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise _WrongMemberError(f"expected an unsigned number, came {_shown(value)}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _WrongMemberError(f"expected a text, came {_shown(value)}")
    return value


def _octets(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise _WrongMemberError(f"expected bytes, came {_shown(value)}")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise _WrongMemberError(f"expected true or false, came {_shown(value)}")
    return value


def _endpoint(value: object) -> Endpoint:
    address = _address(value)
    if not isinstance(address, Endpoint):
        raise _WrongMemberError(f"expected [host, port, link], came {_shown(value)}")
    return address


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise _WrongMemberError(f"expected a map with text keys, came {_shown(value)}")
    return value


def _list_of(check: Callable[[object], ValueT]) -> Callable[[object], tuple[ValueT, ...]]:
    def check_all(value: object) -> tuple[ValueT, ...]:
        if not isinstance(value, list | tuple):
            raise _WrongMemberError(f"expected a list, came {_shown(value)}")
        return tuple(check(each) for each in value)

    return check_all


def _address(value: object) -> Address:
    if isinstance(value, bytes | str):
        return value
    if isinstance(value, list | tuple) and len(value) == 3:
        host, port, link = value
        if _uint(port) <= 0xFFFF:
            return Endpoint(_text(host), _uint(port), _text(link))
    raise _WrongMemberError(f"expected [host, port, link], bytes or a name, came {_shown(value)}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
