"""The frames of a transcript as packets of a capture, for whoever reads captures."""

from collections.abc import Iterator
from typing import BinaryIO

from devices.decode.captures import BLUETOOTH_H4_WITH_DIRECTION, IEEE802_11, RAW, Packet
from devices.transcripts.export import packet_of
from devices.transcripts.pcapng import IP_MEDIA, LINKTYPE_USER0
from devices.transcripts.reader import Frame, read_transcript
from devices.transcripts.recorder import FORMAT

_LINK_TYPES = {**dict.fromkeys((*IP_MEDIA, "tcp"), RAW), "air": IEEE802_11, "ble": BLUETOOTH_H4_WITH_DIRECTION}


def is_transcript(head: bytes) -> bool:
    """Whether a file that begins so is a transcript."""
    return FORMAT.encode() in head


def read_packets(stream: BinaryIO, name: str) -> Iterator[Packet]:
    """Every frame as it was sent. Raises TranscriptError where the file is damaged."""
    number = 0
    for record in read_transcript(stream, name):
        if isinstance(record, Frame):
            number += 1
            data = packet_of(record)
            link_type = _LINK_TYPES.get(record.medium, LINKTYPE_USER0)
            yield Packet(number, record.at_us * 1_000, link_type, data, len(data), f"from {record.sender}")
