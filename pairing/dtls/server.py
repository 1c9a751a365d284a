"""The DTLS server of one port: asks strangers for a cookie, holds a connection per peer, forgets those that are over.

Before the cookie it keeps nothing of a peer, unless its policy is exclusive: then it keeps the address.
Order of draws: the secret of its cookies at construction, then those of each connection as it comes about.
Source: RFC 6347, section 4.2.1; what OpenThread does around it is in `settings.ConnectionPolicy`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from pairing.crypto.kdf import is_equal
from pairing.dtls.connection import PROTOCOL
from pairing.dtls.cookies import AddressCookies, CookieSource
from pairing.dtls.events import LieTold
from pairing.dtls.messages import ClientHello, HandshakeMessage, HandshakeType, HelloVerifyRequest, decode_fragments
from pairing.dtls.negotiation import is_dtls
from pairing.dtls.record import DTLS_1_2, ContentType, DtlsRecord
from pairing.dtls.server_connection import DtlsServerConnection
from pairing.dtls.settings import BORDER_AGENT_POLICY, FOREVER, ConnectionPolicy, DtlsSettings
from pairing.engine import Address, Entropy, FrameIgnored, Micros, Output, Outputs, Transmit, peer_name
from pairing.errors import DecodeError, LocalProtocolError
from pairing.wire import Reader

LAST_FIRST_SEQUENCE, LAST_FIRST_MESSAGE = 2**47, 2**15
"""Our numbers go on from those of a ClientHello, and would overflow if it were one with higher ones."""
MOST_DEAF = 1024
"""So many peers at most are ignored after their end; of more, the first are forgotten early."""


@dataclass(frozen=True, slots=True)
class _Greeting:
    """A ClientHello that fills its record, as a stranger or a returning peer sends it."""

    hello: ClientHello
    message: HandshakeMessage
    sequence: int


class DtlsServer:
    """All connections of one port. They share a password, which `change_password` changes for those to come."""

    def __init__(
        self,
        password: bytes,
        entropy: Entropy,
        settings: DtlsSettings | None = None,
        policy: ConnectionPolicy = BORDER_AGENT_POLICY,
        cookies: CookieSource | None = None,
    ) -> None:
        self._password = password
        self._entropy = entropy
        self._settings = settings or DtlsSettings()
        self._policy = policy
        self._cookies = cookies or AddressCookies(entropy)
        self._connections: dict[Address, DtlsServerConnection] = {}
        self._deaf: dict[Address, Micros] = {}
        """Peers whose connection is over, and until when they are ignored, in the order of those times."""
        self._claimed: Address | None = None

    @property
    def deadline(self) -> Micros | None:
        """The earliest moment at which a connection wants to act or a peer stops being ignored."""
        waits = [*islice(self._deaf.values(), 1)]
        waits += [each.deadline for each in self._connections.values() if each.deadline is not None]
        return min(waits, default=None)

    @property
    def connections(self) -> dict[Address, DtlsServerConnection]:
        """The connections that are not over, by address."""
        return dict(self._connections)

    def change_password(self, password: bytes) -> None:
        """Another password for connections to come."""
        self._password = password

    def change_settings(self, settings: DtlsSettings) -> None:
        """Another behaviour towards connections to come."""
        self._settings = settings

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A datagram has arrived."""
        outputs = list(self.handle_timeout(now))
        if sender in self._deaf:
            return [*outputs, _ignored(sender, "datagram within the deaf time after the connection's end")]
        connection = self._connections.get(sender)
        greeting = _read_greeting(payload)
        if connection is None:
            return [*outputs, *self._on_stranger(greeting, sender, now)]
        if isinstance(greeting, _Greeting) and self._replaces(greeting, connection):
            return [*outputs, *self._on_greeting(greeting, sender, now)]
        return [*outputs, *self._act(connection, lambda: connection.receive(payload, sender, now), now)]

    def handle_timeout(self, now: Micros) -> Outputs:
        """Let every connection act that is due, and forget the peers whose deaf time is over."""
        while self._deaf and next(iter(self._deaf.values())) <= now:
            self._forget(next(iter(self._deaf)))
        outputs: list[Output] = []
        for connection in tuple(self._connections.values()):
            if connection.deadline is not None and connection.deadline <= now:
                outputs += self._act(connection, lambda due=connection: due.handle_timeout(now), now)  # type: ignore[misc]
        return outputs

    def send(self, address: Address, data: bytes, now: Micros) -> Outputs:
        """Send application data to a peer."""
        return self._connection(address).send(data, now)

    def close(self, address: Address, now: Micros) -> Outputs:
        """End the connection with a peer."""
        connection = self._connection(address)
        return list(self._act(connection, lambda: connection.close(now), now))

    def close_all(self, now: Micros) -> Outputs:
        """End every connection."""
        return [output for address in self.connections for output in self.close(address, now)]

    def _connection(self, address: Address) -> DtlsServerConnection:
        connection = self.connections.get(address)
        if connection is None:
            raise LocalProtocolError(f"DTLS server: no connection with {peer_name(address)}")
        return connection

    def _act(self, connection: DtlsServerConnection, action: Callable[[], Outputs], now: Micros) -> Iterator[Output]:
        """Let a connection act, and note if it is over then."""
        yield from action()
        if not connection.state.is_final:
            return
        del self._connections[connection.address]
        self._deaf[connection.address] = now + self._policy.deaf_after
        if not self._policy.deaf_after or len(self._deaf) > MOST_DEAF:
            self._forget(next(iter(self._deaf)))

    def _forget(self, address: Address) -> None:
        del self._deaf[address]
        if self._claimed == address:
            self._claimed = None

    # Strangers

    def _on_stranger(self, greeting: "_Greeting | str", sender: Address, now: Micros) -> list[Output]:
        if isinstance(greeting, str):
            return [_ignored(sender, greeting)]
        if self._policy.is_exclusive:
            if self._claimed not in (None, sender):
                return [_ignored(sender, "ClientHello while another peer has the one place")]
            self._claimed = sender
        return self._on_greeting(greeting, sender, now)

    def _on_greeting(self, greeting: _Greeting, sender: Address, now: Micros) -> list[Output]:
        """Ask for a cookie, or begin a connection."""
        times = self._settings.lies.hello_verify_requests
        if times == FOREVER or greeting.message.message_seq < times:
            request = self._hello_verify_request(greeting, sender)
            if self._settings.cookie_exchange and not self._has_cookie(greeting, sender):
                return [request]  # as without the lie
            return [LieTold(peer=peer_name(sender), address=sender, lie="hello-verify-requests"), request]
        if self._settings.cookie_exchange and not self._has_cookie(greeting, sender):
            return [self._hello_verify_request(greeting, sender)]
        outputs = self._make_room(sender)
        if len(self._connections) >= self._policy.max_connections:
            return [_ignored(sender, f"ClientHello while {len(self._connections)} connections take all places")]
        connection = DtlsServerConnection(sender, self._password, self._entropy, self._settings)
        self._connections[sender] = connection
        message, hello, sequence = greeting.message, greeting.hello, greeting.sequence
        return [*outputs, *self._act(connection, lambda: connection.accept(message, hello, sequence, now), now)]

    def _make_room(self, sender: Address) -> list[Output]:
        """End what a new connection replaces: the one from the same address, else the oldest handshake if need be."""
        before, reason = self._connections.get(sender), "the peer began another handshake"
        if before is None and len(self._connections) >= self._policy.max_connections:
            waiting = (each for each in self._connections.values() if each.is_shaking_hands)
            before, reason = next(waiting, None), "the handshake gave way to another peer's, all places being taken"
        if before is None:
            return []
        del self._connections[before.address]
        return [*before.abandon(reason)]

    def _has_cookie(self, greeting: _Greeting, sender: Address) -> bool:
        return is_equal(greeting.hello.cookie, self._cookies.make(sender))

    def _replaces(self, greeting: _Greeting, connection: DtlsServerConnection) -> bool:
        """Whether a hello from the address of a connection is for another one, rather than its own once more."""
        return self._policy.replace_on_new_hello and greeting.hello.random != connection.client_random

    def _hello_verify_request(self, greeting: _Greeting, sender: Address) -> Transmit:
        """It takes both its numbers from the ClientHello, so that nothing has to be kept."""
        request = HelloVerifyRequest(self._cookies.make(sender), self._settings.hello_verify_version)
        number = greeting.message.message_seq
        message = HandshakeMessage(HandshakeType.HELLO_VERIFY_REQUEST, number, request.encode())
        record = DtlsRecord(ContentType.HANDSHAKE, DTLS_1_2, 0, greeting.sequence, message.encode())
        return Transmit(record.encode(), sender)


def _read_greeting(datagram: bytes) -> "_Greeting | str":
    """The ClientHello that a datagram begins with, or why there is none."""
    try:
        record = DtlsRecord.read(Reader(datagram))
        if record.epoch or record.content_type != ContentType.HANDSHAKE or not is_dtls(record.version):
            return f"record of type {record.content_type} in epoch {record.epoch}, expected a ClientHello"
        fragment = decode_fragments(record.fragment)[0]
        if fragment.msg_type != HandshakeType.CLIENT_HELLO:
            return f"handshake message of type {fragment.msg_type}, expected a ClientHello"
        if not fragment.is_whole:
            return "ClientHello in fragments: a server without memory of the peer cannot put it together"
        if record.sequence > LAST_FIRST_SEQUENCE or fragment.message_seq > LAST_FIRST_MESSAGE:
            return f"ClientHello {fragment.message_seq} in record {record.sequence}: no numbers left to go on from"
        message = HandshakeMessage(fragment.msg_type, fragment.message_seq, fragment.body)
        return _Greeting(ClientHello.decode(fragment.body), message, record.sequence)
    except DecodeError as error:
        return f"no ClientHello: {error}"


def _ignored(sender: Address, reason: str) -> FrameIgnored:
    return FrameIgnored(peer=peer_name(sender), reason=reason, protocol=PROTOCOL)
