"""One connection of a DTLS server, from a ClientHello whose cookie is right to its end.

Order of draws: server random (32 octets), session id, EC-JPAKE's draws (`ecjpake.exchange`).
Source: RFC 6347, section 4.2; draft-cragie-tls-ecjpake-01. Alerts and their order as Mbed TLS has them.
"""

from collections.abc import Iterator

from pairing.dtls.alerts import AlertDescription
from pairing.dtls.client import altered
from pairing.dtls.connection import Connection
from pairing.dtls.events import HandshakeStarted
from pairing.dtls.flights import FlightItem, Reassembler
from pairing.dtls.messages import (
    RANDOM_LENGTH,
    ClientHello,
    HandshakeMessage,
    HandshakeType,
    HelloVerifyRequest,
    ServerHello,
    decode_client_key_exchange,
    encode_server_key_exchange,
)
from pairing.dtls.negotiation import Agreed, answer_extensions, check_client_hello
from pairing.dtls.record_layer import RecordLayer
from pairing.dtls.secrets import answered_with
from pairing.dtls.states import SERVER, DtlsInput, DtlsState
from pairing.ecjpake.exchange import EcJpakeRole
from pairing.engine import Micros, Output, Outputs
from pairing.errors import RemoteProtocolError


class DtlsServerConnection(Connection):
    """One peer's connection. `accept` begins it."""

    role = EcJpakeRole.SERVER
    table = SERVER
    renegotiation = HandshakeType.CLIENT_HELLO

    @property
    def client_random(self) -> bytes:
        """The random of the ClientHello that began it: another one asks for another connection."""
        return self._secrets.client_random

    def accept(self, message: HandshakeMessage, hello: ClientHello, sequence: int, now: Micros) -> Outputs:
        """Take a ClientHello, which came in the record with this sequence number, and answer it.

        Record and message numbers go on from the client's, as RFC 6347 asks of a server that kept no state before.
        """
        self._records = RecordLayer(sequence)
        self._records.mark_read(sequence)
        self._reassembler = Reassembler(message.message_seq + 1, self._settings.largest_message)
        self._next_seq = self._previous = message.message_seq
        started = HandshakeStarted(**self._facts())
        self._secrets.client_random = hello.random
        try:
            agreed = self._check(hello)
        except RemoteProtocolError as error:
            return [started, *self._refuse(error)]
        self._move(DtlsInput.CLIENT_HELLO)
        self._note_before(message, hello)
        self._secrets.transcript.add(message)
        return [started, *self._answer(hello, agreed, now)]

    def _note_before(self, message: HandshakeMessage, hello: ClientHello) -> None:
        """What must have gone before a hello with a cookie; nothing was kept of it."""
        if hello.cookie and message.message_seq:
            number = message.message_seq - 1
            first = hello.with_cookie(b"").encode()
            request = HelloVerifyRequest(hello.cookie, self._settings.hello_verify_version).encode()
            self._secrets.transcript.add(HandshakeMessage(HandshakeType.CLIENT_HELLO, number, first))
            asked = HandshakeMessage(HandshakeType.HELLO_VERIFY_REQUEST, number, request)
            self._secrets.transcript.restart(asked)

    def _check(self, hello: ClientHello) -> Agreed:
        refusal = self._settings.lies.refuse_hello
        if refusal is not None:
            raise RemoteProtocolError(f"DTLS: refusing every ClientHello with {refusal.name.lower()}", refusal)
        agreed = check_client_hello(hello, self._settings.server_hello)
        with answered_with(AlertDescription.ILLEGAL_PARAMETER):
            self._secrets.jpake.read_round_one(*agreed.key_pairs)
        return agreed

    def _answer(self, hello: ClientHello, agreed: Agreed, now: Micros) -> list[Output]:
        """ServerHello, ServerKeyExchange, ServerHelloDone."""
        shape, secrets = self._settings.server_hello, self._secrets
        secrets.server_random = self._entropy(RANDOM_LENGTH)
        session_id = self._entropy(shape.session_id_length) if shape.session_id_length else b""
        first, second = secrets.jpake.round_one()
        if self._settings.lies.wrong_proof:
            first = altered(first)
            self._tell("wrong-proof")
        answer = ServerHello(
            random=secrets.server_random,
            session_id=session_id,
            extensions=answer_extensions(shape, hello, (first, second)),
            cipher_suite=shape.cipher_suite,
            version=shape.version,
            compression_method=shape.compression_method,
        )
        self._largest_record = agreed.largest_record
        secrets.is_extended = agreed.extended_master_secret
        flight = (
            self._message(HandshakeType.SERVER_HELLO, answer.encode()),
            self._message(HandshakeType.SERVER_KEY_EXCHANGE, encode_server_key_exchange(secrets.jpake.round_two())),
            self._message(HandshakeType.SERVER_HELLO_DONE, b""),
        )
        return self._send_flight([FlightItem(0, message) for message in flight], now)

    def _transmit_flight(self) -> Iterator[Output]:
        if self._settings.lies.ignore_hello:
            yield self._lie("ignore-hello")
        else:
            yield from super()._transmit_flight()

    def _handle(self, message: HandshakeMessage, now: Micros) -> list[Output]:
        match (self.state, message.msg_type):
            case (DtlsState.WAIT_CLIENT_KEY_EXCHANGE, HandshakeType.CLIENT_KEY_EXCHANGE):
                return self._on_client_key_exchange(message, now)
            case (DtlsState.WAIT_FINISHED, HandshakeType.FINISHED):
                return self._on_finished(message, now)
        raise self._unexpected(message)

    def _on_client_key_exchange(self, message: HandshakeMessage, now: Micros) -> list[Output]:
        pair = decode_client_key_exchange(message.body)
        with answered_with(AlertDescription.HANDSHAKE_FAILURE):
            self._secrets.jpake.read_round_two(pair)
            self._secrets.transcript.add(message)
            self._secrets.derive()
        self._records.install(*self._secrets.protection)
        self._move(DtlsInput.CLIENT_KEY_EXCHANGE)
        return self._on_change_cipher_spec(now) if self._is_changed_early else []

    def _on_finished(self, message: HandshakeMessage, now: Micros) -> list[Output]:
        self._secrets.check_finished(message.body)
        self._secrets.transcript.add(message)
        finished = self._finished()
        self._previous = message.message_seq
        self._move(DtlsInput.FINISHED)
        sent = self._send_flight((FlightItem(0, None), FlightItem(1, finished)), now, is_last=True)
        return [*sent, *self._completed(now)]
