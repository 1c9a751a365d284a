"""pcapng: one interface for each actor on each medium, named after both, so Wireshark shows a home as a network.

Lan and mesh are written as raw IP (LINKTYPE_RAW) with headers made from the endpoints. Source: the pcapng specification
(draft-ietf-opsawg-pcapng), blocks SHB, IDB, EPB and DSB.
"""

import ipaddress
import struct
from collections.abc import Callable
from typing import Any, Final

from devices.media.ble import CONTROLLER
from pairing.engine import Micros

LINKTYPE_RAW: Final = 101
LINKTYPE_IEEE802_11: Final = 105
LINKTYPE_USER0: Final = 147
LINKTYPE_BLUETOOTH_HCI_H4_WITH_PHDR: Final = 201
IP_MEDIA: Final = ("lan", "mesh")
"""Media whose frames are UDP payloads between endpoints."""
_LINKTYPES: Final = {
    **dict.fromkeys((*IP_MEDIA, "tls", "tcp"), LINKTYPE_RAW),
    "air": LINKTYPE_IEEE802_11,
    "ble": LINKTYPE_BLUETOOTH_HCI_H4_WITH_PHDR,
}
_IF_NAME: Final = 2
_IF_FCSLEN: Final = 13
_SHB: Final = 0x0A0D0D0A
_IDB: Final = 1
_EPB: Final = 6
_DSB: Final = 0x0A
_TLS_KEY_LOG: Final = 0x544C534B


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _block(kind: int, body: bytes) -> bytes:
    total = len(body) + 12
    return struct.pack("<II", kind, total) + body + struct.pack("<I", total)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _pad(value)


_END: Final = struct.pack("<HH", 0, 0)


class PcapngWriter:
    """Writes blocks to `sink`. Times are microseconds, the default resolution."""

    def __init__(self, sink: Callable[[bytes], object]) -> None:
        self._sink = sink
        self._interfaces: dict[str, int] = {}
        body = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + _option(4, b"pairlab") + _END
        self._sink(_block(_SHB, body))

    def frame(self, medium: str, at_us: Micros, payload: bytes, comment: str = "", *, sender: str = "") -> None:
        """One packet on its sender's interface there, for example `air camera`; each is described at its first use."""
        name = f"{medium} {sender}".rstrip()
        if name not in self._interfaces:
            self._interfaces[name] = len(self._interfaces)
            link_type = _LINKTYPES.get(medium, LINKTYPE_USER0)
            options = _option(_IF_NAME, name.encode())
            if link_type == LINKTYPE_IEEE802_11:
                options += _option(_IF_FCSLEN, b"\0")  # frames end where their bodies end
            self._sink(_block(_IDB, struct.pack("<HHI", link_type, 0, 0) + options + _END))
        head = struct.pack(
            "<IIIII", self._interfaces[name], at_us >> 32, at_us & 0xFFFFFFFF, len(payload), len(payload)
        )
        options = _option(1, comment.encode()) + _END if comment else b""
        self._sink(_block(_EPB, head + _pad(payload) + options))

    def secrets(self, key_log: bytes) -> None:
        """A TLS key log in NSS form, which lets Wireshark decrypt what follows."""
        self._sink(_block(_DSB, struct.pack("<II", _TLS_KEY_LOG, len(key_log)) + _pad(key_log)))


def captured(medium: str, source: Any, to: Any, payload: bytes) -> bytes:
    """A frame as a capture holds it: of lan, mesh, tcp in an IP packet, on ble after its direction, else as it is."""
    if medium == "ble":
        return struct.pack(">I", source == CONTROLLER) + payload
    if medium == "tcp":
        return ip_packet(source[0], to[0], 6, payload)
    return datagram(source, to, payload) if medium in IP_MEDIA else payload


def datagram(source: Any, to: Any, payload: bytes) -> bytes:
    """An IP packet with a UDP header around the payload. `source` and `to` are (host, port, link)."""
    src, dst = ipaddress.ip_address(_host(source[0], to[0])), ipaddress.ip_address(to[0])
    length = 8 + len(payload)
    pseudo = (
        src.packed
        + dst.packed
        + (struct.pack(">BBH", 0, 17, length) if dst.version == 4 else struct.pack(">II", length, 17))
    )
    udp = struct.pack(">HHHH", source[1], to[1], length, 0)
    checksum = _checksum(pseudo + udp + payload) or 0xFFFF
    udp = struct.pack(">HHHH", source[1], to[1], length, checksum)
    return ip_packet(str(src), str(dst), 17, udp + payload)


def ip_packet(source: str, to: str, protocol: int, payload: bytes) -> bytes:
    """An IP packet between two addresses of one family. Raises ValueError."""
    src, dst = ipaddress.ip_address(source), ipaddress.ip_address(to)
    if dst.version == 6:
        return struct.pack(">IHBB", 0x60000000, len(payload), protocol, 255) + src.packed + dst.packed + payload
    total = 20 + len(payload)
    head = struct.pack(">BBHHHBBH", 0x45, 0, total, 0, 0x4000, 255, protocol, 0) + src.packed + dst.packed
    return head[:10] + struct.pack(">H", _checksum(head)) + head[12:] + payload


def _host(source: str, to: str) -> str:
    source = source.split("%", 1)[0]
    try:
        version: int | None = ipaddress.ip_address(source).version
    except ValueError:
        version = None
    wanted = ipaddress.ip_address(to).version
    if version == wanted:
        return source
    # A group of the other family: the packet needs some source of that family, and the actor has none here.
    return "0.0.0.0" if wanted == 4 else "::"  # noqa: S104  # an address in a packet, nothing is bound


def _checksum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
