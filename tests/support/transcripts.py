"""A small transcript, and records as CBOR, for tests."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import cbor2

from devices.event_log import EventLog
from devices.events import StateChanged
from devices.media.medium import Flight
from devices.transcripts.reader import Record, read_transcript
from devices.transcripts.recorder import FORMAT, VERSION, MemoryTranscript, Recorder
from pairing.dnssd.messages import Message, Question, RecordType
from pairing.dnssd.names import type_name
from pairing.engine import Endpoint

GROUP = Endpoint("224.0.0.251", 5353, "lan")
BR = Endpoint("192.0.2.1", 5353, "lan")
PHONE = Endpoint("192.0.2.2", 5353, "lan")
QUERY = Message(questions=(Question(type_name("_meshcop._udp"), RecordType.PTR),)).encode()


def small_transcript() -> bytes:
    """A header, an event of `br`, a query of `phone` to all, its loss, and a unicast frame back."""
    transcript = MemoryTranscript()
    times = iter((5, 5, 1_000, 1_000, 2_500_000))
    recorder = Recorder(transcript, now=lambda: next(times), seed=7, source=b"the file")
    log = EventLog(lambda: next(times))
    log.add_sink(recorder.happened)
    log.append(StateChanged(state="on", reason="power-on"), actor="br")
    next(times)
    recorder.sent("lan", "phone", PHONE, GROUP, QUERY)
    recorder.fate(Flight("lan", "phone", "br", PHONE, GROUP, QUERY, 1_000, 2_000), ())
    recorder.sent("lan", "br", BR, PHONE, b"\x00\x01")
    return transcript.getvalue()


def records_of(transcript: bytes) -> list[Record]:
    """All records; raises what the reader raises."""
    return list(read_transcript(BytesIO(transcript), "t"))


def header(**changes: Any) -> bytes:
    """A header with some members changed."""
    whole = {"format": FORMAT, "version": VERSION, "scenario": bytes(32), "seed": 1, **changes}
    return cbor2.dumps(whole, canonical=True)


def sequence(*records: Mapping[str, Any] | Sequence[Any] | object) -> bytes:
    """A header and these records."""
    return header() + b"".join(cbor2.dumps(each, canonical=True) for each in records)
