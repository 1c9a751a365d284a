"""Converts transcripts: pcapng for Wireshark, JSON lines for scripts, and the artifacts of one run in a folder.

What is readable of a damaged transcript is converted; then its TranscriptError is raised.
"""

import json
import struct
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

from devices.errors import TranscriptError
from devices.transcripts.key_log import key_log_line
from devices.transcripts.ladder import ladder
from devices.transcripts.pcapng import PcapngWriter, captured
from devices.transcripts.reader import Frame, Happened, Octets, Record, read_transcript
from devices.transcripts.rungs import Cast
from devices.transcripts.show import record_document
from devices.transcripts.tcp_stream import Connections, TcpPacket
from devices.transcripts.tls_streams import NAME as TLS_STREAMS
from devices.transcripts.tls_streams import TlsStreams


def to_pcapng(records: Iterable[Record], sink: Callable[[bytes], object]) -> int:
    """Every frame as it was sent, on an interface of its sender on its medium; returns how many there were.

    Keys of DTLS and TLS connections, where the transcript tells them, go before all frames: Wireshark reads a capture
    once. TLS that did not go over TCP is there a second time as if it had, on an interface of its own.
    """
    frames: list[Frame | Octets] = []
    lines: dict[str, None] = {}
    damage: TranscriptError | None = None
    try:
        for record in records:
            if isinstance(record, Frame | Octets):
                frames.append(record)
            elif isinstance(record, Happened) and (line := key_log_line(record)) is not None:
                lines[line] = None
    except TranscriptError as problem:
        damage = problem
    writer = PcapngWriter(sink)
    if lines:
        writer.secrets("".join(f"{line}\n" for line in lines).encode())
    streams, connections = TlsStreams(), Connections()
    for frame in frames:
        if isinstance(frame, Octets):
            for segment in _segments(connections, frame):
                writer.frame("tcp", frame.at_us, segment.data, segment.comment, sender=frame.actor)
            continue
        writer.frame(frame.medium, frame.at_us, packet_of(frame), f"from {frame.sender}", sender=frame.sender)
        piece = streams.packet(frame)
        if piece is not None:
            writer.frame(TLS_STREAMS, frame.at_us, piece.data, piece.comment)
    if damage is not None:
        raise damage
    return len(frames)


def to_json_lines(records: Iterable[Record], sink: Callable[[bytes], object]) -> int:
    """One document a line; returns how many there were."""
    count = 0
    for record in records:
        sink(json.dumps(record_document(record), separators=(",", ":")).encode() + b"\n")
        count += 1
    return count


def write_artifacts(folder: Path, transcript: bytes, replay: str, *, is_private: bool = False) -> None:
    """`transcript.cbor`, `capture.pcapng`, `ladder.txt` and `replay.txt` of a run, in a folder that is made.

    Of a private one, whose transcript holds keys, transcript and capture are for their owner's eyes.
    """
    folder.mkdir(mode=0o700 if is_private else 0o777, parents=True, exist_ok=True)
    for name in ("transcript.cbor", "capture.pcapng") if is_private else ():
        (folder / name).touch(mode=0o600)
        (folder / name).chmod(0o600)  # a file that was there before keeps its rights otherwise
    (folder / "transcript.cbor").write_bytes(transcript)
    records = list(read_transcript(BytesIO(transcript)))
    with (folder / "capture.pcapng").open("wb") as capture:
        to_pcapng(records, capture.write)
    lines = ladder(records, Cast.of(records))
    (folder / "ladder.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (folder / "replay.txt").write_text(f"{replay}\n", encoding="utf-8")


def _segments(connections: Connections, octets: Octets) -> list[TcpPacket]:
    try:
        return connections.packets(octets)
    except (ValueError, TypeError, struct.error) as problem:
        raise TranscriptError(f"the octets at {octets.at_us} us cannot be in IP packets: {problem}") from None


def packet_of(frame: Frame) -> bytes:
    """The frame as a capture holds it; TranscriptError if it cannot be in one."""
    try:
        return captured(frame.medium, frame.source, frame.to, frame.payload)
    except (ValueError, TypeError, IndexError, struct.error) as problem:
        raise TranscriptError(f"the frame at {frame.at_us} us cannot be an IP packet: {problem}") from None
