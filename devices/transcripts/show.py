"""Shows a transcript: as a ladder, or as JSON documents. What is readable of a damaged file comes before the error."""

from collections import deque
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from devices.errors import TranscriptError
from devices.event_log import plain
from devices.media.lan import GATEWAY
from devices.transcripts.ladder import drawn, ladder
from devices.transcripts.reader import Fate, Frame, Happened, Header, Octets, Record, read_transcript
from devices.transcripts.recorder import FORMAT, VERSION
from devices.transcripts.rungs import Cast, rungs
from devices.transcripts.summary import frame_summary, octets_summary
from pairing.dnssd.messages import decode
from pairing.dnssd.service import MDNS_PORT
from pairing.engine import Address, Endpoint
from pairing.errors import DecodeError


def read_file(path: Path) -> Iterator[Record]:
    """The records of a file, one by one. Raises TranscriptError where it cannot be read or is damaged."""
    try:
        stream = path.open("rb")
    except OSError as problem:
        raise TranscriptError(f"{path}: cannot be read: {problem.strerror}") from None
    with stream:
        try:
            yield from read_transcript(stream, str(path))
        except OSError as problem:
            raise TranscriptError(f"{path}: cannot be read: {problem.strerror}") from None


def ladder_of_file(path: Path, *, hci: bool = False) -> Iterator[str]:
    """The ladder of a file, line by line; a damaged one ends in TranscriptError after what was readable."""
    cast = Cast()
    try:
        for record in read_file(path):
            cast.add(record)
    except TranscriptError:
        if not cast.actors:
            raise
    yield from ladder(read_file(path), cast, hci=hci)


def last_rungs(transcript: bytes, count: int) -> list[str]:
    """The ladder of a transcript in memory: its last `count` rungs, without what strangers say of themselves."""
    records = [each for each in read_transcript(BytesIO(transcript)) if not _is_strangers(each)]
    cast = Cast.of(records)
    return list(drawn(deque(rungs(records, cast), maxlen=count), cast.actors))


def _is_strangers(record: Record) -> bool:
    """Multicast DNS from outside the home that is no question: on a busy network it would push all else out."""
    if not isinstance(record, Frame) or record.medium != "lan" or record.sender != GATEWAY:
        return False
    is_mdns = isinstance(record.source, Endpoint) and record.source.port == MDNS_PORT
    try:
        message = decode(record.payload) if is_mdns else None
    except DecodeError:
        return True
    return message is not None and (message.is_response or bool(message.authorities))


def record_document(record: Record) -> dict[str, Any]:
    """A record as JSON has it: bytes as lower-case hex, endpoints as host:port."""
    match record:
        case Header():
            header = {"record": "header", "format": FORMAT, "version": VERSION}
            return {**header, "scenario": record.scenario.hex(), "seed": record.seed}
        case Frame():
            return {
                "record": "frame",
                "at_us": record.at_us,
                "medium": record.medium,
                "sender": record.sender,
                "source": _address(record.source),
                "to": _address(record.to),
                "summary": frame_summary(record),
                "payload": record.payload.hex(),
            }
        case Fate():
            document: dict[str, Any] = {
                "record": "fate",
                "at_us": record.at_us,
                "medium": record.medium,
                "sender": record.sender,
                "receiver": record.receiver,
                "arrivals": list(record.arrivals),
            }
            if record.payloads is not None:
                document["payloads"] = [each.hex() for each in record.payloads]
            return document
        case Octets():
            return {
                "record": "octets",
                "at_us": record.at_us,
                "actor": record.actor,
                "own": _address(record.own),
                "peer": _address(record.peer),
                "inward": record.inward,
                "summary": octets_summary(record),
                "payload": record.payload.hex(),
            }
        case Happened():
            return {"record": "event", "at_us": record.at_us, **plain(record.event)}


def _address(address: Address) -> str:
    if isinstance(address, Endpoint):
        host = f"[{address.host}]" if ":" in address.host else address.host
        return f"{host}:{address.port}"
    return address.hex(":") if isinstance(address, bytes) else address
