"""A capture of a home that runs: each frame once, as it was sent; with the keys of its DTLS on request.

Wireshark reads a capture once, so a key must stand before what it opens. The frames of a handshake are therefore held
back from the first one that is sealed until the key is told, two seconds at most; nothing changes places. TLS that goes
over Bluetooth or UDP is written a second time as TCP, and is held back from its first piece.
"""

from collections.abc import Callable
from typing import Any, Final

from devices.event_log import StampedEvent
from devices.transcripts.hci_secrets import without_keys
from devices.transcripts.key_log import key_log_line
from devices.transcripts.pcapng import IP_MEDIA, PcapngWriter, captured
from devices.transcripts.reader import Frame, Happened
from devices.transcripts.tls_streams import NAME as TLS_STREAMS
from devices.transcripts.tls_streams import TlsStreams
from pairing.engine import SECOND, Micros

_CHANGE_CIPHER_SPEC: Final = 20
_HANDSHAKE: Final = 22
_CLIENT_KEY_EXCHANGE: Final = 16
_DTLS_1_2: Final = b"\xfe\xfd"
_RECORD_HEADER: Final = 13
_LONGEST_HOLD: Final[Micros] = 2 * SECOND
_MOST_HELD: Final = 2_000

Packet = tuple[str, Micros, bytes, str, str]
"""Medium, time, octets, comment, and whose interface."""
Later = Callable[[Micros, Callable[[], None]], object]
"""Calls something after a while."""


class PcapngTap:
    """Taps media; `later` is asked for only with `secrets`, whose keys come from `happened`, as a sink of the log."""

    def __init__(
        self,
        writer: PcapngWriter,
        now: Callable[[], Micros],
        started_us: Micros = 0,
        *,
        later: Later | None = None,
        secrets: bool = False,
    ) -> None:
        self._writer = writer
        self._now = now
        self._started_us = started_us
        self._secrets = secrets
        self._later = later if secrets else None
        self._held: list[Packet] = []
        self._streams = TlsStreams()
        self._waiting_for: set[frozenset[Any]] = set()
        self._holds = 0
        self._told: set[str] = set()

    def sent(self, medium: str, sender: str, source: Any, to: Any, payload: bytes) -> None:
        """A port has sent a frame."""
        at_us = self._started_us + self._now()
        if medium == "ble" and not self._secrets:
            payload = without_keys(payload)
        packets = [(medium, at_us, captured(medium, source, to, payload), f"from {sender}", sender)]
        if self._later is not None and medium in IP_MEDIA and _seals(payload):
            self._hold(frozenset((source[:2], to[:2])), self._later)
        piece = self._streams.packet(Frame(at_us, medium, sender, source, to, payload))
        if piece is not None:
            packets.append((TLS_STREAMS, at_us, piece.data, piece.comment, ""))
            if self._later is not None and piece.is_first:
                self._hold(frozenset((piece.comment, at_us)), self._later)
        for packet in packets:
            self._put(packet)

    def _put(self, packet: Packet) -> None:
        if not self._waiting_for:
            self._write(packet)
            return
        self._held.append(packet)
        if len(self._held) >= _MOST_HELD:
            self.flush()

    def fate(self, flight: Any, survivors: Any) -> None:
        """Fates are in the transcript; a capture shows what was sent."""

    def happened(self, event: StampedEvent) -> None:
        """Something was logged: a key, or that there will be none."""
        if self._later is None:
            return
        if event.type in ("HandshakeFailed", "TcatHandshakeFailed", "TcatSessionRefused"):
            self._let_go()
            return
        line = key_log_line(Happened(event.at_us, event.as_json(secrets=True)))
        if line is not None and line not in self._told:
            self._told.add(line)
            self._writer.secrets(f"{line}\n".encode())
            self._let_go()

    def flush(self) -> None:
        """Write what is held back."""
        held, self._held = self._held, []
        self._waiting_for.clear()
        self._holds += 1
        for packet in held:
            self._write(packet)

    def _hold(self, ends: frozenset[Any], later: Later) -> None:
        if not self._waiting_for:
            number = self._holds
            later(_LONGEST_HOLD, lambda: self.flush() if self._holds == number else None)
        self._waiting_for.add(ends)

    def _let_go(self) -> None:
        """One handshake less is waited for; whose it was is told by no event, and does not matter."""
        if self._waiting_for:
            self._waiting_for.pop()
        if not self._waiting_for:
            self.flush()

    def _write(self, packet: Packet) -> None:
        medium, at_us, data, comment, sender = packet
        self._writer.frame(medium, at_us, data, comment, sender=sender)


def _seals(datagram: bytes) -> bool:
    """Whether a record of DTLS 1.2 in it opens what only a key can read, or comes right before that."""
    while len(datagram) > _RECORD_HEADER and datagram[1:3] == _DTLS_1_2:
        kind, length = datagram[0], int.from_bytes(datagram[11:13], "big")
        body = datagram[_RECORD_HEADER : _RECORD_HEADER + length]
        epoch = int.from_bytes(datagram[3:5], "big")
        if kind == _CHANGE_CIPHER_SPEC:
            return True
        if kind == _HANDSHAKE and epoch == 0 and body[:1] == bytes((_CLIENT_KEY_EXCHANGE,)):
            return True
        datagram = datagram[_RECORD_HEADER + length :]
    return False
