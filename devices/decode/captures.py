"""Captures: pcap and pcapng files packet by packet, and what layer each packet is of.

A small reader of our own: packets, link types, times and comments are all that is looked at. What is whole comes before
the error of a file that is damaged or cut. Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from devices.decode.air_summary import air_summary
from devices.decode.hci import hci_summary
from devices.decode.layers import Decoded, Layer, decode, decode_as, layer_called
from devices.errors import CaptureError
from pairing.errors import DecodeError

ETHERNET, RAW, IEEE802_11, RADIOTAP, IPV4, IPV6 = 1, 101, 105, 127, 228, 229
BLUETOOTH_H4, BLUETOOTH_H4_WITH_DIRECTION = 187, 201
_LAYER_OF_LINK: Final = {
    ETHERNET: "ethernet",
    RAW: "ip",
    IPV4: "ip",
    IPV6: "ip",
    IEEE802_11: "802.11",
    RADIOTAP: "radiotap",
    BLUETOOTH_H4: "hci",
    BLUETOOTH_H4_WITH_DIRECTION: "hci-phdr",
}
_PCAP_MAGICS: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1_000_000_000),
    b"\xa1\xb2\x3c\x4d": (">", 1_000_000_000),
}
_SHB: Final = 0x0A0D0D0A
_IDB, _PACKET, _SPB, _EPB = 1, 2, 3, 6
_BYTE_ORDER_MAGIC: Final = b"\x1a\x2b\x3c\x4d"
_TIME_RESOLUTION, _COMMENT, _TIME_OFFSET = 9, 1, 14
LARGEST_BLOCK: Final = 1 << 26


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of a capture. `at_ns` counts as the file does, usually from 1970."""

    number: int
    at_ns: int
    link_type: int
    data: bytes = field(repr=False)
    length: int
    """How long it was; more than the data where the capture has cut it."""
    comment: str = ""


def is_capture(head: bytes) -> bool:
    """Whether a file that begins so is a capture."""
    return head[:4] in _PCAP_MAGICS or head[:4] == _SHB.to_bytes(4, "big")


def read_capture(stream: BinaryIO, name: str) -> Iterator[Packet]:
    """Packet after packet. Raises CaptureError at the first damage, with its place in the file."""
    reader = _File(stream, name)
    magic = reader.take(4, "magic number")
    if magic in _PCAP_MAGICS:
        return _pcap(reader, *_PCAP_MAGICS[magic])
    if magic == _SHB.to_bytes(4, "big"):
        return _pcapng(reader)
    raise CaptureError(f"{name}: begins with {magic.hex()}, neither pcap nor pcapng")


def decode_packet(packet: Packet) -> Decoded:
    """The packet as its link type says; of an unknown one, as its bytes look. Raises DecodeError if they look like
    nothing."""
    known = layer_of_link(packet.link_type)
    return decode(packet.data) if known is None else decode_as(known, packet.data)


def summary_of(packet: Packet) -> str:
    """One line: what a frame of the air or of HCI says, else the title and the innermost meaning that there is."""
    known = layer_of_link(packet.link_type)
    if known is not None and known.name == "802.11":
        return air_summary(packet.data)
    if packet.link_type in (BLUETOOTH_H4, BLUETOOTH_H4_WITH_DIRECTION):
        return hci_summary(packet.data[4 * (packet.link_type == BLUETOOTH_H4_WITH_DIRECTION) :])
    try:
        decoded = decode_packet(packet)
    except DecodeError:
        return f"link type {packet.link_type}, {len(packet.data)} bytes"
    return " · ".join(_headlines(decoded))


def _headlines(decoded: Decoded) -> list[str]:
    """Names of the groups at the top, each with its meaning."""
    told = [f"{each.name} {each.meaning}".rstrip() for each in decoded.fields if each.fields]
    return told or [decoded.layer.title]


def layer_of_link(link_type: int) -> Layer | None:
    """The layer of a link type, if there is one."""
    name = _LAYER_OF_LINK.get(link_type)
    return None if name is None else layer_called(name)


class _File:
    """A stream that counts, and says where a file ends too early."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self._name = name
        self.offset = 0

    def take(self, length: int, what: str) -> bytes:
        data = self._stream.read(length)
        if len(data) < length:
            raise self.damage(f"{what} needs {length} bytes, {len(data)} left")
        self.offset += length
        return data

    def take_or_end(self, length: int, what: str) -> bytes | None:
        """None at the end of the file."""
        first = self._stream.read(1)
        if not first:
            return None
        self.offset += 1
        return first + self.take(length - 1, what)

    def damage(self, reason: str) -> CaptureError:
        return CaptureError(f"{self._name}: {reason} (at byte {self.offset})")


def _pcap(reader: _File, order: str, fraction: int) -> Iterator[Packet]:
    _, _, _, _, _, link_type = struct.unpack(f"{order}HHiIII", reader.take(20, "file header"))
    number = 0
    while True:
        head = reader.take_or_end(16, "packet header")
        if head is None:
            return
        seconds, parts, kept, length = struct.unpack(f"{order}IIII", head)
        if kept > LARGEST_BLOCK:
            raise reader.damage(f"a packet of {kept} bytes")
        number += 1
        at_ns = seconds * 1_000_000_000 + parts * (1_000_000_000 // fraction)
        yield Packet(number, at_ns, link_type & 0xFFFF, reader.take(kept, f"packet {number}"), length)


@dataclass(slots=True)
class _Interface:
    link_type: int
    ticks_per_second: int
    offset_s: int


def _pcapng(reader: _File) -> Iterator[Packet]:
    """Blocks of one section after the other; those that hold no packets are passed over."""
    order = _section(reader)
    interfaces: list[_Interface] = []
    number = 0
    while True:
        head = reader.take_or_end(4, "block type")
        if head is None:
            return
        if head == _SHB.to_bytes(4, "big"):
            order, interfaces = _section(reader), []
            continue
        kind = struct.unpack(f"{order}I", head)[0]
        body = _body(reader, order)
        if kind == _IDB:
            interfaces.append(_interface(reader, order, body))
        elif kind in (_EPB, _PACKET, _SPB):
            number += 1
            yield _packet(reader, order, kind, body, interfaces, number)


def _section(reader: _File) -> str:
    """The rest of a section header, whose byte order only its third field tells."""
    raw_length, magic = reader.take(4, "block length"), reader.take(4, "byte-order magic")
    if magic not in (_BYTE_ORDER_MAGIC, _BYTE_ORDER_MAGIC[::-1]):
        raise reader.damage(f"byte-order magic {magic.hex()}")
    order = ">" if magic == _BYTE_ORDER_MAGIC else "<"
    length = struct.unpack(f"{order}I", raw_length)[0]
    if not 28 <= length <= LARGEST_BLOCK:
        raise reader.damage(f"a section header of {length} bytes")
    reader.take(length - 12, "section header")
    return order


def _body(reader: _File, order: str) -> bytes:
    length = struct.unpack(f"{order}I", reader.take(4, "block length"))[0]
    if length < 12 or length % 4 or length > LARGEST_BLOCK:
        raise reader.damage(f"a block of {length} bytes")
    body = reader.take(length - 12, "block")
    again = struct.unpack(f"{order}I", reader.take(4, "block length"))[0]
    if again != length:
        raise reader.damage(f"a block of {length} bytes that ends as one of {again}")
    return body


def _interface(reader: _File, order: str, body: bytes) -> _Interface:
    if len(body) < 8:
        raise reader.damage(f"an interface description of {len(body)} bytes")
    options = _options(order, body[8:])
    resolution = (options.get(_TIME_RESOLUTION) or b"\x06")[0]
    ticks = 1 << (resolution & 0x7F) if resolution & 0x80 else 10 ** (resolution & 0x7F)
    offset = struct.unpack(f"{order}q", options[_TIME_OFFSET][:8])[0] if len(options.get(_TIME_OFFSET, b"")) >= 8 else 0
    return _Interface(struct.unpack(f"{order}H", body[:2])[0], ticks, offset)


def _packet(reader: _File, order: str, kind: int, body: bytes, interfaces: list[_Interface], number: int) -> Packet:
    fixed = 4 if kind == _SPB else 20
    if len(body) < fixed:
        raise reader.damage(f"a packet block of {len(body)} bytes")
    if kind == _SPB:
        length = struct.unpack(f"{order}I", body[:4])[0]
        which, ticks, kept = 0, 0, min(length, len(body) - fixed)
    elif kind == _EPB:
        which, high, low, kept, length = struct.unpack(f"{order}IIIII", body[:20])
        ticks = high << 32 | low
    else:
        which, _, high, low, kept, length = struct.unpack(f"{order}HHIIII", body[:20])
        ticks = high << 32 | low
    if which >= len(interfaces):
        raise reader.damage(f"packet {number} of interface {which}, {len(interfaces)} are described")
    if kept > len(body) - fixed:
        raise reader.damage(f"packet {number} of {kept} bytes in a block with {len(body) - fixed}")
    interface = interfaces[which]
    at_ns = interface.offset_s * 1_000_000_000 + ticks * 1_000_000_000 // interface.ticks_per_second
    options = {} if kind == _SPB else _options(order, body[fixed + kept + -kept % 4 :])
    comment = options.get(_COMMENT, b"").decode("utf-8", "replace")
    return Packet(number, at_ns, interface.link_type, body[fixed : fixed + kept], length, comment)


def _options(order: str, data: bytes) -> dict[int, bytes]:
    """The first option of each code; what is cut is left out."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        code, length = struct.unpack(f"{order}HH", data[at : at + 4])
        if code == 0:
            break
        found.setdefault(code, data[at + 4 : at + 4 + length])
        at += 4 + length + -length % 4
    return found
