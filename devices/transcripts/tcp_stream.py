"""A stream of octets as the TCP segments of a capture, where there were none, or none were seen.

It begins in the middle: without a handshake, both sequence numbers at 1, one segment for what was said at once.
Source: RFC 9293, 3.1.
"""

import struct
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from devices.transcripts.pcapng import ip_packet
from devices.transcripts.reader import Octets
from pairing.engine import Endpoint

_TCP: Final = 6
_LONGEST: Final = 65_495
"""Octets of a segment with which its IPv4 packet is still one."""


class TcpPacket(NamedTuple):
    """An IP packet with a piece of a stream, and whose it is."""

    data: bytes
    comment: str
    is_first: bool = False
    """Whether the stream begins with it."""


@dataclass(slots=True)
class TcpStream:
    """One connection: who its client and its other end are, and what is said of each segment."""

    client: tuple[str, int]
    device: tuple[str, int]
    comment: str
    sent: dict[bool, int] = field(default_factory=lambda: {True: 1, False: 1})
    """The next sequence number, of the client's side and of the device's."""

    def packets(self, data: bytes, *, from_client: bool) -> "list[TcpPacket]":
        """As many segments as it takes."""
        starts = range(0, len(data), _LONGEST)
        return [self.packet(data[start : start + _LONGEST], from_client=from_client) for start in starts]

    def packet(self, data: bytes, *, from_client: bool) -> TcpPacket:
        """One segment."""
        source, to = (self.client, self.device) if from_client else (self.device, self.client)
        head = struct.pack(
            ">HHIIBBHHH", source[1], to[1], self.sent[from_client], self.sent[not from_client], 0x50, 0x18, 0xFFFF, 0, 0
        )
        is_first = set(self.sent.values()) == {1}
        self.sent[from_client] += len(data)
        return TcpPacket(ip_packet(source[0], to[0], _TCP, head + data), self.comment, is_first)


class Connections:
    """The TCP connections of real programs, of which a transcript has the octets alone."""

    def __init__(self) -> None:
        self._streams: dict[tuple[Endpoint, Endpoint], TcpStream] = {}

    def packets(self, octets: Octets) -> list[TcpPacket]:
        """The segments of what was said."""
        own, peer = octets.own, octets.peer
        fresh = TcpStream((peer.host, peer.port), (own.host, own.port), f"to or from {octets.actor}")
        return self._streams.setdefault((own, peer), fresh).packets(octets.payload, from_client=octets.inward)
