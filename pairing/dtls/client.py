"""The DTLS client: sends ClientHello, repeats it with the server's cookie, and proves the password first.

Order of draws: client random (32 octets), then EC-JPAKE's (`ecjpake.exchange`); the nonce of round two with the second
flight. Source: RFC 6347, section 4.2; draft-cragie-tls-ecjpake-01.
"""

from dataclasses import replace

from pairing.dtls.alerts import AlertDescription
from pairing.dtls.connection import Connection
from pairing.dtls.flights import FlightItem
from pairing.dtls.messages import (
    RANDOM_LENGTH,
    ClientHello,
    Extension,
    ExtensionType,
    HandshakeMessage,
    HandshakeType,
    HelloVerifyRequest,
    ServerHello,
    decode_server_key_exchange,
    encode_key_pairs,
)
from pairing.dtls.negotiation import check_server_hello, is_dtls
from pairing.dtls.secrets import answered_with
from pairing.dtls.settings import DtlsSettings
from pairing.dtls.states import CLIENT, DtlsInput, DtlsState
from pairing.ecjpake.exchange import EcJpakeRole
from pairing.ecjpake.proof import KeyKp
from pairing.engine import Address, Entropy, Micros, Output, Outputs
from pairing.errors import LocalProtocolError, RemoteProtocolError

HELLO_VERIFY_REQUESTS = 4
"""So many are answered: a server that always asks for another cookie is not worth more."""


class DtlsClient(Connection):
    """One connection to the server at `address`. `start` begins it."""

    role = EcJpakeRole.CLIENT
    table = CLIENT
    renegotiation = HandshakeType.HELLO_REQUEST

    def __init__(
        self, address: Address, password: bytes, entropy: Entropy, settings: DtlsSettings | None = None
    ) -> None:
        super().__init__(address, password, entropy, settings or DtlsSettings())
        self._hello: ClientHello | None = None
        self._verify_requests = 0

    def start(self, now: Micros) -> Outputs:
        """Draw our keys and send ClientHello."""
        self._move(DtlsInput.START)
        random = self._entropy(RANDOM_LENGTH)
        first, second = self._secrets.jpake.round_one()
        if self._settings.lies.wrong_proof:
            first = altered(first)
            self._tell("wrong-proof")
        shape = self._settings.client_hello
        kind = ExtensionType.ECJPAKE_KEY_KP_PAIR
        key_pairs = Extension(kind, encode_key_pairs((first, second)))
        extensions = tuple(key_pairs if each.extension_type == kind else each for each in shape.extensions)
        self._hello = ClientHello(
            random=random,
            cipher_suites=shape.cipher_suites,
            extensions=extensions,
            version=shape.version,
            session_id=shape.session_id,
            compression_methods=shape.compression_methods,
        )
        self._secrets.client_random = random
        return self._send_hello(self._hello, now)

    def _send_hello(self, hello: ClientHello, now: Micros) -> list[Output]:
        message = self._message(HandshakeType.CLIENT_HELLO, hello.encode())
        return self._send_flight((FlightItem(0, message, is_whole=True),), now)

    def _handle(self, message: HandshakeMessage, now: Micros) -> list[Output]:
        match (self.state, message.msg_type):
            case (DtlsState.WAIT_SERVER_HELLO, HandshakeType.HELLO_VERIFY_REQUEST):
                return self._on_hello_verify_request(message, now)
            case (DtlsState.WAIT_SERVER_HELLO, HandshakeType.SERVER_HELLO):
                return self._on_server_hello(message)
            case (DtlsState.WAIT_SERVER_KEY_EXCHANGE, HandshakeType.SERVER_KEY_EXCHANGE):
                return self._on_server_key_exchange(message)
            case (DtlsState.WAIT_SERVER_HELLO_DONE, HandshakeType.SERVER_HELLO_DONE):
                return self._on_server_hello_done(message, now)
            case (DtlsState.WAIT_FINISHED, HandshakeType.FINISHED):
                return self._on_finished(message, now)
        raise self._unexpected(message)

    def _on_hello_verify_request(self, message: HandshakeMessage, now: Micros) -> list[Output]:
        request = HelloVerifyRequest.decode(message.body)
        if not is_dtls(request.version):
            text = f"DTLS HelloVerifyRequest: version {request.version:#06x}, expected fefd or feff"
            raise RemoteProtocolError(text, AlertDescription.PROTOCOL_VERSION)
        self._verify_requests += 1
        if self._verify_requests > HELLO_VERIFY_REQUESTS:
            text = f"DTLS: {self._verify_requests} HelloVerifyRequests, expected ServerHello by now"
            raise RemoteProtocolError(text, AlertDescription.UNEXPECTED_MESSAGE)
        self._move(DtlsInput.HELLO_VERIFY_REQUEST)
        self._hello = self._offered.with_cookie(request.cookie)
        self._secrets.transcript.restart(message)
        return self._send_hello(self._hello, now)

    def _on_server_hello(self, message: HandshakeMessage) -> list[Output]:
        answer = ServerHello.decode(message.body)
        agreed = check_server_hello(answer, self._offered)
        with answered_with(AlertDescription.HANDSHAKE_FAILURE):
            self._secrets.jpake.read_round_one(*agreed.key_pairs)
        self._secrets.transcript.add(message)
        self._secrets.server_random = answer.random
        self._secrets.is_extended = agreed.extended_master_secret
        self._largest_record = agreed.largest_record
        self._move(DtlsInput.SERVER_HELLO)
        return []

    def _on_server_key_exchange(self, message: HandshakeMessage) -> list[Output]:
        pair = decode_server_key_exchange(message.body)
        with answered_with(AlertDescription.HANDSHAKE_FAILURE):
            self._secrets.jpake.read_round_two(pair)
        self._secrets.transcript.add(message)
        self._move(DtlsInput.SERVER_KEY_EXCHANGE)
        return []

    def _on_server_hello_done(self, message: HandshakeMessage, now: Micros) -> list[Output]:
        if message.body:
            text = f"DTLS ServerHelloDone: {len(message.body)} octets, expected none"
            raise RemoteProtocolError(text, AlertDescription.DECODE_ERROR)
        self._secrets.transcript.add(message)
        with answered_with(AlertDescription.HANDSHAKE_FAILURE):
            pair = self._secrets.jpake.round_two()
            exchange = self._message(HandshakeType.CLIENT_KEY_EXCHANGE, pair.encode())
            self._secrets.derive()
        self._records.install(*self._secrets.protection)
        finished = self._finished()
        self._previous = message.message_seq
        self._move(DtlsInput.SERVER_HELLO_DONE)
        return self._send_flight((FlightItem(0, exchange), FlightItem(0, None), FlightItem(1, finished)), now)

    def _on_finished(self, message: HandshakeMessage, now: Micros) -> list[Output]:
        self._secrets.check_finished(message.body)
        self._flight = ()
        self._move(DtlsInput.FINISHED)
        return self._completed(now)

    @property
    def _offered(self) -> ClientHello:
        if self._hello is None:  # the table does not let it come to this
            raise LocalProtocolError("DTLS client: no ClientHello was sent")
        return self._hello


def altered(pair: KeyKp) -> KeyKp:
    """A key pair whose proof does not hold."""
    response = pair.response[:-1] + bytes((pair.response[-1] ^ 1,))
    return replace(pair, response=response)
