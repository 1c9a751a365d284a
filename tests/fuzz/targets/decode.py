"""Bytes of any layer, and captures, as `devices.decode` shows them to people."""

import io
import struct
from collections.abc import Iterator

from devices.decode.captures import IEEE802_11, read_capture, summary_of
from devices.decode.layers import decode, decode_as, layers
from devices.errors import CaptureError
from devices.transcripts.pcapng import PcapngWriter
from tests.fuzz import corpus
from tests.fuzz.target import Target, decoder
from tests.fuzz.targets.ieee80211 import frames


def samples() -> Iterator[bytes]:
    """Something of every layer."""
    yield from frames()
    yield from corpus.octets("bonjour/*", "txt")
    yield from corpus.octets("thread/*", "hex", "payload_hex")


def shown() -> Iterator[Target]:
    """The guess, and every layer by its name."""
    yield decoder("decode", lambda data: decode(data).as_json(), samples)
    for name, layer in layers().items():
        yield decoder(f"decode-{name}", lambda data, layer=layer: decode_as(layer, data).as_json(), samples)  # type: ignore[misc]


def captures() -> Iterator[bytes]:
    """A file of either kind with the same frames."""
    packets = list(frames())[-4:]
    blocks: list[bytes] = []
    writer = PcapngWriter(blocks.append)
    pcap = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 16, IEEE802_11)
    for number, packet in enumerate(packets):
        writer.frame("air", number, packet, "a comment")
        pcap += struct.pack("<IIII", number, 0, len(packet), len(packet)) + packet
    yield b"".join(blocks)
    yield pcap


def summaries(data: bytes) -> list[str]:
    """One line for each packet of a capture."""
    return [summary_of(packet) for packet in read_capture(io.BytesIO(data), "capture")]


TARGETS = (decoder("capture", summaries, captures, errors=(CaptureError,)), *shown())
