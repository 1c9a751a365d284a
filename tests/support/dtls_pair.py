"""A DTLS client and a DTLS server on a wire that the test holds in its hands."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from pairing.dtls.client import DtlsClient
from pairing.dtls.events import (
    AlertSent,
    ApplicationDataReceived,
    ConnectionClosed,
    HandshakeCompleted,
    HandshakeFailed,
    LieTold,
)
from pairing.dtls.messages import Extension, ExtensionType
from pairing.dtls.record import decode_records
from pairing.dtls.server import DtlsServer
from pairing.dtls.settings import BORDER_AGENT_POLICY, ConnectionPolicy, DtlsLies, DtlsSettings
from pairing.engine import Endpoint, Event, Micros, Output, Transmit
from tests.support.recorded_entropy import seeded

PHONE, AGENT = Endpoint("192.0.2.1", 49200), Endpoint("192.0.2.2", 49191)
PASSWORD, OTHER_PASSWORD = b"J01NME", b"J01NMF"
EXTENDED = Extension(ExtensionType.EXTENDED_MASTER_SECRET)
E = TypeVar("E", bound=Event)
Sent = tuple[str, bytes]
"""A datagram on its way, and who sent it."""


def with_extended_master_secret(settings: DtlsSettings) -> DtlsSettings:
    """The same, offering or accepting the extended master secret."""
    client, server = settings.client_hello, settings.server_hello
    return replace(
        settings,
        client_hello=replace(client, extensions=(*client.extensions, EXTENDED)),
        server_hello=replace(server, extensions=(*server.extensions, EXTENDED)),
    )


def lying(**lies: object) -> DtlsSettings:
    """Settings with these lies."""
    return DtlsSettings(lies=DtlsLies(**lies))  # type: ignore[arg-type]


class DtlsPair:
    """Nothing travels by itself: `flush` carries what was sent. `bend` maps the n-th datagram to those that arrive."""

    def __init__(
        self,
        client: DtlsSettings | None = None,
        server: DtlsSettings | None = None,
        *,
        passwords: tuple[bytes, bytes] = (PASSWORD, PASSWORD),
        policy: ConnectionPolicy = BORDER_AGENT_POLICY,
        seed: object = 0,
        bend: Callable[[int, Sent], Sequence[Sent]] | None = None,
    ) -> None:
        self.client = DtlsClient(AGENT, passwords[0], seeded(f"{seed}/client"), client)
        self.server = DtlsServer(passwords[1], seeded(f"{seed}/server"), server, policy)
        self.now: Micros = 0
        self.sent: list[Sent] = []
        """Every datagram by who sent it, whether it arrived or not."""
        self.client_events: list[Event] = []
        self.server_events: list[Event] = []
        self.wire: list[Sent] = []
        self._bend = bend or (lambda number, sent: (sent,))

    def take(self, outputs: Sequence[Output], who: str) -> None:
        """Note events, put datagrams on the wire."""
        for output in outputs:
            if isinstance(output, Transmit):
                sent = (who, output.payload)
                self.sent.append(sent)
                self.wire += self._bend(len(self.sent), sent)
            else:
                (self.client_events if who == "client" else self.server_events).append(output)

    def start(self) -> None:
        """The client's first flight goes onto the wire."""
        self.take(self.client.start(self.now), "client")

    def step(self) -> None:
        """Carry one datagram."""
        who, datagram = self.wire.pop(0)
        if who == "client":
            self.take(self.server.receive(datagram, PHONE, self.now), "server")
        else:
            self.take(self.client.receive(datagram, AGENT, self.now), "client")

    def flush(self) -> None:
        """Carry all that is on the wire, and what comes of it."""
        while self.wire:
            self.step()

    def connect(self) -> "DtlsPair":
        """A whole handshake on a perfect wire."""
        self.start()
        self.flush()
        return self

    def pass_time(self, until: Micros) -> None:
        """Let both act at their deadlines, carrying what they send."""
        while True:
            due = [each.deadline for each in (self.client, self.server) if each.deadline is not None]
            if not due or min(due) > until:
                self.now = until
                return
            self.now = max(self.now, min(due))
            self.take(self.client.handle_timeout(self.now), "client")
            self.take(self.server.handle_timeout(self.now), "server")
            self.flush()

    def send(self, data: bytes, who: str = "client") -> None:
        """Application data onto the wire."""
        if who == "client":
            self.take(self.client.send(data, self.now), "client")
        else:
            self.take(self.server.send(PHONE, data, self.now), "server")

    # What came of it

    def events(self, who: str, kind: type[E]) -> list[E]:
        """The events of one side and kind."""
        events = self.client_events if who == "client" else self.server_events
        return [each for each in events if isinstance(each, kind)]

    def completed(self, who: str) -> HandshakeCompleted:
        """The one completed handshake of a side."""
        (event,) = self.events(who, HandshakeCompleted)
        return event

    def failed(self, who: str) -> HandshakeFailed:
        """The one failed handshake of a side."""
        (event,) = self.events(who, HandshakeFailed)
        return event

    def closed(self, who: str) -> ConnectionClosed:
        """The one end of a side's connection."""
        (event,) = self.events(who, ConnectionClosed)
        return event

    def data(self, who: str) -> list[bytes]:
        """The application data that reached a side."""
        return [each.data for each in self.events(who, ApplicationDataReceived)]

    def alerts(self, who: str) -> list[tuple[str, bool]]:
        """The alerts that a side sent: name, and whether encrypted."""
        return [(each.alert.name, each.is_encrypted) for each in self.events(who, AlertSent)]

    def lies(self, who: str) -> list[str]:
        """The lies that a side told."""
        return [each.lie for each in self.events(who, LieTold)]

    def records(self, who: str) -> list[tuple[int, int, int]]:
        """Content type, epoch and sequence number of each record that a side sent."""
        return [
            (record.content_type, record.epoch, record.sequence)
            for sender, datagram in self.sent
            if sender == who
            for record in decode_records(datagram)
        ]
