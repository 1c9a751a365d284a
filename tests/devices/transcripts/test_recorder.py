"""The recorder writes canonical CBOR in the order of things, with no secret unless asked for."""

from dataclasses import dataclass, field, replace

import cbor2

from devices.event_log import EventLog
from devices.media.medium import Flight
from devices.transcripts.reader import Fate
from devices.transcripts.recorder import MemoryTranscript, Recorder
from pairing.engine import Event
from tests.support.transcripts import BR, GROUP, records_of, small_transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeysKnown(Event):
    key: bytes = field(repr=False, metadata={"secret": True})


def _recorder(*, secrets: bool = False) -> tuple[MemoryTranscript, Recorder]:
    transcript = MemoryTranscript()
    return transcript, Recorder(transcript, now=lambda: 10, seed=1, secrets=secrets)


def test_the_same_things_give_the_same_bytes() -> None:
    assert small_transcript() == small_transcript()


def test_every_record_is_canonical() -> None:
    whole = small_transcript()
    again = b"".join(cbor2.dumps(each, canonical=True) for each in _decoded(whole))
    assert again == whole


def _decoded(transcript: bytes) -> list[object]:
    from io import BytesIO

    stream = BytesIO(transcript)
    decoder = cbor2.CBORDecoder(stream)
    found = []
    while stream.tell() < len(transcript):
        found.append(decoder.decode())
    return found


def test_a_fate_says_when_copies_arrive_and_their_bytes_only_where_they_differ() -> None:
    transcript, recorder = _recorder()
    flight = Flight("lan", "br", "phone", BR, GROUP, b"abc", 10, 20)
    recorder.fate(flight, (flight, replace(flight, arrives_us=30)))
    recorder.fate(flight, (replace(flight, payload=b"abd"),))
    assert records_of(transcript.getvalue())[1:] == [
        Fate(10, "lan", "br", "phone", (20, 30), None),
        Fate(10, "lan", "br", "phone", (20,), (b"abd",)),
    ]


def test_secrets_are_left_out_unless_asked_for() -> None:
    for secrets in (False, True):
        transcript, recorder = _recorder(secrets=secrets)
        log = EventLog(lambda: 10)
        log.add_sink(recorder.happened)
        log.append(_KeysKnown(key=b"\xaa\xbb"), actor="br")
        assert (b"aabb" in transcript.getvalue()) is secrets
