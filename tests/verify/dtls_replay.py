"""One side of a recorded DTLS connection, replayed: our engine gets what the other side sent, and must send the same.

Free are the cutting into fragments, records and datagrams, and extra ClientHellos; times only say when a timer fired.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pairing.crypto.intermediates import Intermediates
from pairing.dtls.alerts import AlertDescription
from pairing.dtls.client import DtlsClient
from pairing.dtls.events import ApplicationDataReceived, HandshakeCompleted, HandshakeFailed
from pairing.dtls.flights import Reassembler
from pairing.dtls.key_schedule import DtlsKeys
from pairing.dtls.messages import HandshakeMessage, decode_fragments
from pairing.dtls.record import ContentType, DtlsRecord, decode_records
from pairing.dtls.server import DtlsServer
from pairing.dtls.states import DtlsState
from pairing.engine import Event, Output, Transmit
from pairing.errors import DecodeError
from tests.verify.dtls_capture import CLIENT, SERVER, Capture, Datagram, opened
from tests.verify.mismatch import Mismatch, compare


@dataclass
class Replay:
    """One side: `direction` is what it sends."""

    capture: Capture
    engine: DtlsClient | DtlsServer
    direction: str
    sent: list[DtlsRecord] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @classmethod
    def of_client(cls, capture: Capture) -> "Replay":
        """The client's side."""
        return cls(capture, capture.client(), "c2s")

    @classmethod
    def of_server(cls, capture: Capture) -> "Replay":
        """The server's side."""
        return cls(capture, capture.server(), "s2c")

    # Running

    def run(self) -> None:
        """Feed what came, do what this side did, and compare all that it sent."""
        if isinstance(self.engine, DtlsClient):
            self._take(self.engine.start(self.capture.datagrams[0].now))
        for datagram in self.capture.datagrams:
            if datagram.direction == self.direction:
                self._act(datagram)
            elif not datagram.is_lost:
                sender = SERVER if self.direction == "c2s" else CLIENT
                is_last = datagram.index == len(self.capture.datagrams) - 1
                self._take(self.engine.receive(datagram.octets, sender, datagram.now), is_recorded=not is_last)
        self._compare()

    def _act(self, datagram: Datagram) -> None:
        """This side sent a datagram: if it is not one that our engine sent by itself, make it."""
        for record in datagram.records:
            plaintext = opened(record, self.direction, self.keys)
            if plaintext is None:
                continue
            if record.content_type == ContentType.APPLICATION_DATA:
                self._take(self._send(plaintext, datagram.now))
            elif record.content_type == ContentType.ALERT and record.epoch and self._is_connected:
                if plaintext[1:] == bytes((AlertDescription.CLOSE_NOTIFY,)):
                    self._take(self._close(datagram.now))
            elif record.content_type == ContentType.HANDSHAKE:
                self._repeat_if_due(datagram, plaintext)

    def _repeat_if_due(self, datagram: Datagram, plaintext: bytes) -> None:
        """A message more often in the file than from our engine is a timer of that side: let ours fire too."""
        number = decode_fragments(plaintext)[0].message_seq
        before = self.capture.datagrams[: datagram.index + 1]
        recorded = sum(
            any(each.message_seq == number and not each.offset for each in self._fragments(record))
            for earlier in before
            if earlier.direction == self.direction
            for record in earlier.records
        )
        ours = sum(
            any(each.message_seq == number and not each.offset for each in self._fragments(r)) for r in self.sent
        )
        deadline = self.engine.deadline
        if ours < recorded and deadline is not None:
            self._take(self.engine.handle_timeout(max(datagram.now, deadline)))

    def _fragments(self, record: DtlsRecord) -> Sequence:  # type: ignore[type-arg]
        plaintext = opened(record, self.direction, self.keys)
        if record.content_type != ContentType.HANDSHAKE or plaintext is None:
            return ()
        return decode_fragments(plaintext)

    def _send(self, data: bytes, now: int) -> Sequence[Output]:
        if isinstance(self.engine, DtlsClient):
            return self.engine.send(data, now)
        return self.engine.send(CLIENT, data, now)

    def _close(self, now: int) -> Sequence[Output]:
        if isinstance(self.engine, DtlsClient):
            return self.engine.close(now)
        return self.engine.close(CLIENT, now)

    def _take(self, outputs: Sequence[Output], *, is_recorded: bool = True) -> None:
        """Note what came of something. What answers the last datagram of the file is not in it."""
        for output in outputs:
            if isinstance(output, Transmit):
                self.sent += decode_records(output.payload) if is_recorded else ()
            else:
                self.events.append(output)

    # What came of it

    @property
    def _is_connected(self) -> bool:
        if isinstance(self.engine, DtlsClient):
            return self.engine.state is DtlsState.CONNECTED
        connection = self.engine.connections.get(CLIENT)
        return connection is not None and connection.state is DtlsState.CONNECTED

    @property
    def ending(self) -> HandshakeCompleted | HandshakeFailed:
        """How the handshake ended."""
        endings = [each for each in self.events if isinstance(each, HandshakeCompleted | HandshakeFailed)]
        if len(endings) != 1:
            raise Mismatch(
                self.capture.path("datagrams"), "one end of the handshake", [type(e).__name__ for e in endings]
            )
        return endings[0]

    @property
    def keys(self) -> DtlsKeys | None:
        """This side's keys."""
        if isinstance(self.engine, DtlsClient):
            return self.engine.keys
        connection = self.engine.connections.get(CLIENT)
        if connection is not None and connection.keys is not None:
            return connection.keys
        ended = [each for each in self.events if isinstance(each, HandshakeCompleted | HandshakeFailed)]
        if ended and "master_secret" in ended[0].intermediates:
            values = ended[0].intermediates
            return DtlsKeys(
                *(values[name] for name in ("client_random", "server_random", "master_secret", "key_block"))
            )
        return None

    @property
    def intermediates(self) -> Intermediates:
        """Every value of this side."""
        return self.ending.intermediates

    @property
    def received(self) -> list[bytes]:
        """The application data that came."""
        return [each.data for each in self.events if isinstance(each, ApplicationDataReceived)]

    def messages(self) -> dict[int, HandshakeMessage]:
        """The handshake messages that our engine sent."""
        reassembler = Reassembler(0, 1 << 16)
        found = {}
        for record in self.sent:
            for fragment in self._fragments(record):
                try:
                    reassembler.add(fragment)
                except DecodeError:
                    continue  # sent again
                while (message := reassembler.next_message()) is not None:
                    found[message.message_seq] = message
        return found

    def _compare(self) -> None:
        capture, direction = self.capture, self.direction
        path = capture.path("datagrams")
        recorded, ours = capture.messages(direction, self.keys), self.messages()
        compare(f"{path} ({direction}: message_seq)", sorted(recorded), sorted(ours))
        for number, message in recorded.items():
            compare(f"{path} ({direction}: message {number})", message.encode().hex(), ours[number].encode().hex())
        for content_type in (ContentType.CHANGE_CIPHER_SPEC, ContentType.ALERT, ContentType.APPLICATION_DATA):
            theirs = capture.sent(direction, content_type, self.keys)
            made = [opened(each, direction, self.keys) for each in self.sent if each.content_type == content_type]
            if content_type is ContentType.CHANGE_CIPHER_SPEC:
                theirs, made = theirs[:1], made[:1]  # how often is the timers' business
            compare(f"{path} ({direction}: {content_type.name.lower()})", _hex(theirs), _hex(made))
        self._compare_records()

    def _compare_records(self) -> None:
        """Where both cut at the same place, the whole record is the same."""
        ours = {(each.epoch, each.sequence): each for each in self.sent}
        for datagram in self.capture.datagrams:
            for record in datagram.records if datagram.direction == self.direction else ():
                mine = ours.get((record.epoch, record.sequence))
                if mine is None or not record.epoch:
                    continue
                if opened(record, self.direction, self.keys) == opened(mine, self.direction, self.keys):
                    member = self.capture.path(f"datagrams[{datagram.index}].hex")
                    compare(member, record.encode().hex(), mine.encode().hex())


def _hex(values: Sequence[bytes | None]) -> list[str | None]:
    return [None if each is None else each.hex() for each in values]
