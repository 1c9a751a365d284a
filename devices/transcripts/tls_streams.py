"""TLS that went over GATT characteristics or in datagrams, as TCP: only there does Wireshark open it.

TCAT puts TLS records into writes and notifications, and into datagrams where devices are simulated. A stream begins
with a ClientHello; of Bluetooth the side of the host that is written to is taken, so each stream is found once.
Source: RFC 5246, 6.2.1; RFC 9293, 3.1; Core Specification 5.4, Vol 3, Part A, 3.1 and Part F, 3.4.
"""

from typing import Any, Final

from devices.media.ble import CONTROLLER
from devices.transcripts.reader import Frame
from devices.transcripts.tcp_stream import TcpPacket, TcpStream
from pairing.errors import DecodeError
from pairing.wire import Reader

NAME: Final = "tls"
"""Of the interface that has them."""
_DATA, _ATT, _HANDLE_MASK, _CONTINUES = 2, 4, 0x0FFF, 1
_WRITES, _NEWS = (0x12, 0x52), (0x1B, 0x1D)
_CLIENT_PORT: Final = 49_152
_DEVICE_PORT: Final = 10_000
_LOOPBACK: Final = "127.0.0.1"


class TlsStreams:
    """Follows every stream through a transcript."""

    def __init__(self) -> None:
        self._count = 0
        self._lan: dict[frozenset[tuple[str, int]], TcpStream] = {}
        self._gatt: dict[tuple[str, int], tuple[int, TcpStream]] = {}
        """By host and connection: the attribute that is written, and the stream."""
        self._partial: dict[tuple[str, int, bool], bytes] = {}

    def packet(self, frame: Frame) -> TcpPacket | None:
        """The piece of a stream that this frame carries, if it does."""
        if frame.medium == "ble":
            return self._of_hci(frame)
        return self._of_datagram(frame) if frame.medium == "lan" else None

    def _of_datagram(self, frame: Frame) -> TcpPacket | None:
        source, to = _endpoint(frame.source), _endpoint(frame.to)
        if source is None or to is None or not frame.payload:
            return None
        if _is_client_hello(frame.payload):
            self._lan[frozenset((source, to))] = TcpStream(source, to, "sent as UDP")
        stream = self._lan.get(frozenset((source, to)))
        return None if stream is None else stream.packet(frame.payload, from_client=source == stream.client)

    def _of_hci(self, frame: Frame) -> TcpPacket | None:
        """What is written to a host comes from its controller, what it notifies goes there."""
        comes = frame.source == CONTROLLER
        try:
            pdu = self._att_pdu(frame, comes=comes)
        except DecodeError:
            return None
        if pdu is None or len(pdu[1]) < 4:
            return None
        key, att = (frame.sender, pdu[0]), pdu[1]
        attribute, value = int.from_bytes(att[1:3], "little"), att[3:]
        if comes and att[0] in _WRITES and _is_client_hello(value):
            self._gatt[key] = (attribute, self._opened(frame.sender))
        written, stream = self._gatt.get(key, (None, None))
        if stream is None:
            return None
        is_piece = att[0] in _WRITES and attribute == written if comes else att[0] in _NEWS
        return stream.packet(value, from_client=comes) if is_piece else None

    def _opened(self, host: str) -> TcpStream:
        self._count += 1
        client = (_LOOPBACK, _CLIENT_PORT + self._count % 0x4000)
        return TcpStream(client, (_LOOPBACK, _DEVICE_PORT), f"sent over Bluetooth LE, {host}")

    def _att_pdu(self, frame: Frame, *, comes: bool) -> tuple[int, bytes] | None:
        """A whole PDU of ATT and its connection. Raises DecodeError."""
        reader = Reader(frame.payload)
        if reader.u8("kind") != _DATA:
            return None
        flags = reader.u16le("handle")
        handle, key = flags & _HANDLE_MASK, (frame.sender, flags & _HANDLE_MASK, comes)
        fragment = reader.take(reader.u16le("length"), "fragment")
        whole = self._partial.pop(key, b"") + fragment if flags >> 12 & 3 == _CONTINUES else fragment
        inner = Reader(whole)
        length, channel = inner.u16le("L2CAP length"), inner.u16le("channel")
        if inner.remaining < length:
            self._partial[key] = whole
            return None
        return (handle, inner.rest()) if channel == _ATT else None


def _endpoint(address: Any) -> tuple[str, int] | None:
    is_one = isinstance(address, (tuple, list)) and len(address) >= 2 and isinstance(address[1], int)
    return (str(address[0]).split("%")[0], address[1]) if is_one else None


def _is_client_hello(data: bytes) -> bool:
    """A handshake record of TLS 1.0 to 1.2 whose first message is a ClientHello."""
    return len(data) > 5 and data[0] == 22 and data[1] == 3 and data[2] in (1, 2, 3) and data[5] == 1
