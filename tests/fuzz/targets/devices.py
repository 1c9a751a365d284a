"""What `devices` reads from outside besides HTTP: radiotap and MAC headers, transcripts."""

import io
from collections.abc import Iterator

import cbor2

from devices.errors import TranscriptError
from devices.transcripts.reader import Record, read_transcript
from devices.transcripts.recorder import FORMAT, VERSION
from devices.transports.mac_header import MacHeader
from devices.transports.radiotap import Radiotap
from tests.fuzz.target import decoder
from tests.fuzz.targets.ieee80211 import frames

ADDRESS = b"\x02\0\0\0\0\x01"


def with_radiotap() -> Iterator[bytes]:
    """Frames behind a header with every field that is written."""
    headers = (Radiotap(), Radiotap(1, 0, 2437, -40, 1), Radiotap(2**64 - 1, 0x10, 5745, -128, None))
    for header, frame in zip(headers, list(frames())[-3:], strict=True):
        yield header.encode() + frame


def transcripts() -> Iterator[bytes]:
    """A transcript with a record of every kind."""
    header = {"format": FORMAT, "version": VERSION, "scenario": bytes(32), "seed": 1}
    endpoint = ["192.0.2.1", 5353, "lan"]
    frame = {"t": 1, "k": "frame", "m": "air", "s": "phone", "from": ADDRESS, "to": ADDRESS, "b": b"\xd0"}
    packet = {"t": 2, "k": "frame", "m": "lan", "s": "br", "from": endpoint, "to": endpoint, "b": b"\0"}
    fate = {"t": 3, "k": "fate", "m": "air", "s": "phone", "r": "camera", "at": [5, 9], "b": [b"\xd0", b""]}
    event = {"t": 4, "k": "event", "e": {"id": 1, "type": "PairingFailed", "actor": "phone"}}
    yield b"".join(cbor2.dumps(each) for each in (header, frame, packet, fate, event))
    yield cbor2.dumps(header)


def read(data: bytes) -> list[Record]:
    """All records."""
    return list(read_transcript(io.BytesIO(data)))


TARGETS = (
    decoder("radiotap", Radiotap.decode, with_radiotap),
    decoder("mac-header", MacHeader.decode, frames),
    decoder("transcript", read, transcripts, errors=(TranscriptError,)),
)
