"""What both DTLS roles share: records in and out, flights with their timer, alerts, closing, application data.

A role says which message it expects and what it answers; everything else that can happen to a connection is here.
Source: RFC 6347. Wrong keys show only in a Finished that does not decrypt, and all wrong keys alike: one error, one
alert, the same work. The alert goes out in the epoch that we write, so a server's travels in clear.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, TypedDict

from pairing.crypto.intermediates import Intermediates
from pairing.dtls.alerts import Alert, AlertDescription, AlertLevel
from pairing.dtls.events import (
    AlertReceived,
    AlertSent,
    ApplicationDataReceived,
    ConnectionClosed,
    FlightRepeated,
    HandshakeCompleted,
    HandshakeFailed,
    LieTold,
)
from pairing.dtls.flights import CHANGE_CIPHER_SPEC, FlightItem, Reassembler, pack
from pairing.dtls.key_schedule import DtlsKeys
from pairing.dtls.messages import HandshakeFragment, HandshakeMessage, HandshakeType, decode_fragments
from pairing.dtls.negotiation import is_dtls
from pairing.dtls.record import LARGEST_PLAINTEXT, ContentType, DtlsRecord
from pairing.dtls.record_layer import RecordLayer
from pairing.dtls.secrets import HandshakeSecrets
from pairing.dtls.settings import DtlsSettings
from pairing.dtls.states import DtlsInput, DtlsState
from pairing.ecjpake.exchange import EcJpakeRole
from pairing.engine import Address, Entropy, FrameIgnored, Micros, Output, Outputs, Transmit, peer_name
from pairing.errors import (
    AuthenticationError,
    DecodeError,
    EncodeError,
    ExchangeTimeoutError,
    LocalProtocolError,
    PairingError,
    PeerRejectedError,
    RemoteProtocolError,
)
from pairing.wire import Reader

PROTOCOL = "dtls"
EARLY_RECORDS = 8
"""So many records of epoch 1 are kept while the change to it, or the Finished before them, is on its way."""


class _Facts(TypedDict):
    """What every event of a connection says."""

    peer: str
    address: Address


class Connection(ABC):
    """One side of one connection with the peer at `address`."""

    role: ClassVar[EcJpakeRole]
    table: ClassVar[Mapping[tuple[DtlsState, DtlsInput], DtlsState]]
    renegotiation: ClassVar[HandshakeType]
    """The message by which the peer of a connection asks for another handshake under its protection."""

    def __init__(self, address: Address, password: bytes, entropy: Entropy, settings: DtlsSettings) -> None:
        self.address = address
        self.state = DtlsState.IDLE
        self._peer = peer_name(address)
        self._settings = settings
        self._entropy = entropy
        self._secrets = HandshakeSecrets(self.role, password, entropy)
        self._records = RecordLayer()
        self._reassembler = Reassembler(0, settings.largest_message)
        self._next_seq = 0
        self._largest_record = LARGEST_PLAINTEXT
        self._flight: tuple[FlightItem, ...] = ()
        self._previous: int | None = None
        """message_seq that ends the peer's flight which ours answered; seeing it again asks for ours again."""
        self._wait: Micros = 0
        self._resend_at: Micros | None = None
        self._early: list[DtlsRecord] = []
        self._is_changed_early = False
        self._sent_datagrams = 0
        self._told: list[Output] = []

    # What a role adds

    @abstractmethod
    def _handle(self, message: HandshakeMessage, now: Micros) -> list[Output]:
        """The next message in order; raises RemoteProtocolError or DecodeError for what the role refuses."""

    # The engine's face

    @property
    def deadline(self) -> Micros | None:
        """When the last flight goes out again, or the peer is given up."""
        return None if self.state.is_final else self._resend_at

    @property
    def is_shaking_hands(self) -> bool:
        """Whether there is no connection yet."""
        return self.state is not DtlsState.CONNECTED

    @property
    def intermediates(self) -> Intermediates:
        """Every value known so far, by name."""
        return self._secrets.intermediates

    @property
    def keys(self) -> DtlsKeys | None:
        """The keys, once both sides' key pairs are in: unproven before `HandshakeCompleted`."""
        return self._secrets.keys

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A datagram has arrived: its records in order, up to the first that does not parse."""
        if sender != self.address:
            return [self._ignored(f"datagram from {peer_name(sender)}, which is not the peer")]
        outputs: list[Output] = []
        reader = Reader(payload)
        while reader.remaining or not payload:
            if self.state.is_final or self.state is DtlsState.IDLE:
                return [*outputs, self._ignored(f"datagram in state {self.state.value}")]
            try:
                record = DtlsRecord.read(reader)
            except DecodeError as error:
                return [*outputs, self._ignored(str(error))]
            outputs += self._on_record(record, now)
        return outputs

    def handle_timeout(self, now: Micros) -> Outputs:
        """The deadline has passed."""
        if self.deadline is None or now < self.deadline:
            return ()
        longest = self._settings.times.longest_wait
        if self._wait >= longest:
            error = ExchangeTimeoutError(
                f"DTLS: no answer in state {self.state.value} to a flight sent again and again"
            )
            return self._fail(DtlsInput.TIMEOUT, error)
        self._wait = min(2 * self._wait, longest)
        return self._repeat("no answer came in time", now)

    def send(self, data: bytes, now: Micros) -> Outputs:
        """Send application data as one record."""
        if self.state is not DtlsState.CONNECTED:
            raise LocalProtocolError(f"DTLS in state {self.state.value}: there is no connection to send on")
        if len(data) > self._largest_record:
            raise EncodeError(f"{len(data)} octets of application data, a record takes {self._largest_record}")
        return [self._transmit_record(ContentType.APPLICATION_DATA, data)]

    def close(self, now: Micros) -> Outputs:
        """End the connection with close_notify; a handshake under way ends without a word, as Mbed TLS does."""
        was_connected = self.state is DtlsState.CONNECTED
        self._move(DtlsInput.CLOSE)
        outputs = self._close_notify() if was_connected else []
        reason = "closed by our side" if was_connected else "handshake given up by our side"
        return [*outputs, ConnectionClosed(**self._facts(), by_peer=False, reason=reason)]

    def abandon(self, reason: str) -> Outputs:
        """End without a word: this connection has to give way."""
        if self.is_shaking_hands:
            self._move(DtlsInput.CLOSED_BY_PEER)
            # Without intermediates: its keys explain nothing, and a flood ends many.
            return [HandshakeFailed(**self._facts(), error=PeerRejectedError(f"DTLS: {reason}"))]
        self._move(DtlsInput.CLOSED_BY_PEER)
        return [ConnectionClosed(**self._facts(), by_peer=True, reason=reason)]

    # Records

    def _on_record(self, record: DtlsRecord, now: Micros) -> list[Output]:
        if not is_dtls(record.version):
            return [self._ignored(f"record of version {record.version:#06x}, expected DTLS")]
        if record.epoch < self._records.read_epoch:
            return [self._ignored(f"record of epoch {record.epoch} after the change to epoch 1")]
        # The peer sends nothing but handshake messages in epoch 1 before its Finished: the rest came too early.
        is_handshake = record.content_type == ContentType.HANDSHAKE
        if record.epoch > self._records.read_epoch or (record.epoch and self.is_shaking_hands and not is_handshake):
            return self._keep_early(record)
        try:
            plaintext = self._records.open(record)
        except AuthenticationError as error:
            return self._on_undecryptable(record, error)
        except RemoteProtocolError as error:
            return [self._ignored(str(error))]
        return self._on_plaintext(record, plaintext, now)

    def _keep_early(self, record: DtlsRecord) -> list[Output]:
        if record.epoch != 1 or len(self._early) >= EARLY_RECORDS:
            return [self._ignored(f"record of epoch {record.epoch} before its keys")]
        self._early.append(record)
        return []

    def _take_early(self, now: Micros) -> list[Output]:
        """Records that came before their time; those that have to wait for the Finished go on waiting."""
        early, self._early = self._early, []
        outputs: list[Output] = []
        for record in early:
            if not self.state.is_final:
                outputs += self._on_record(record, now)
        return outputs

    def _on_undecryptable(self, record: DtlsRecord, error: AuthenticationError) -> list[Output]:
        if self.state is not DtlsState.WAIT_FINISHED or record.content_type != ContentType.HANDSHAKE:
            return [self._ignored(str(error))]
        self._secrets.judge(record)
        cause = self._secrets.mistake or "another password, or a record changed on its way"
        message = f"DTLS: the peer's Finished does not decrypt: {cause}"
        wrong = AuthenticationError(message, AlertDescription.BAD_RECORD_MAC)
        if self._settings.lies.silent_on_wrong_key:
            return [self._lie("silent-on-wrong-key"), *self._fail(DtlsInput.REFUSED, wrong)]
        return self._refuse(wrong)

    def _on_plaintext(self, record: DtlsRecord, plaintext: bytes, now: Micros) -> list[Output]:
        match record.content_type:
            case ContentType.HANDSHAKE:
                return self._on_handshake(plaintext, now)
            case ContentType.CHANGE_CIPHER_SPEC if not record.epoch and plaintext == CHANGE_CIPHER_SPEC:
                return self._on_change_cipher_spec(now)
            case ContentType.ALERT:
                return self._on_alert(plaintext, is_encrypted=bool(record.epoch))
            case ContentType.APPLICATION_DATA if record.epoch:
                self._flight = ()  # whoever sends data has our last flight
                return [ApplicationDataReceived(**self._facts(), data=plaintext)]
        return [self._ignored(f"record of type {record.content_type} in epoch {record.epoch}")]

    # Handshake messages

    def _on_handshake(self, plaintext: bytes, now: Micros) -> list[Output]:
        try:
            fragments = decode_fragments(plaintext)
        except DecodeError as error:
            return [self._ignored(f"handshake record: {error}")]
        outputs: list[Output] = []
        for fragment in fragments:
            if not self.state.is_final:
                outputs += self._on_fragment(fragment, now)
        return outputs

    def _on_fragment(self, fragment: HandshakeFragment, now: Micros) -> list[Output]:
        if self.state is DtlsState.CONNECTED and fragment.msg_type == self.renegotiation:
            refusal = Alert(AlertLevel.WARNING, AlertDescription.NO_RENEGOTIATION)
            return [*self._send_alert(refusal), self._ignored("the peer asks for a renegotiation")]
        if fragment.message_seq < self._reassembler.expected or not self.is_shaking_hands:
            is_last = fragment.offset + len(fragment.body) == fragment.length
            if self._flight and fragment.message_seq == self._previous and is_last:
                return self._repeat("the peer repeated its flight", now)
            return [
                self._ignored(f"handshake message {fragment.message_seq} of type {fragment.msg_type} again, or late")
            ]
        try:
            self._reassembler.add(fragment)
        except DecodeError as error:
            return [self._ignored(str(error))]
        outputs: list[Output] = []
        while not self.state.is_final and (message := self._reassembler.next_message()) is not None:
            outputs += self._on_message(message, now)
        return outputs

    def _on_message(self, message: HandshakeMessage, now: Micros) -> list[Output]:
        try:
            return self._handle(message, now)
        except RemoteProtocolError as error:
            return self._refuse(error)
        except DecodeError as error:
            text = f"DTLS {_message_name(message.msg_type)}: {error}"
            return self._refuse(RemoteProtocolError(text, AlertDescription.DECODE_ERROR))

    def _unexpected(self, message: HandshakeMessage) -> RemoteProtocolError:
        text = f"DTLS {_message_name(message.msg_type)} in state {self.state.value}"
        return RemoteProtocolError(text, AlertDescription.UNEXPECTED_MESSAGE)

    def _on_change_cipher_spec(self, now: Micros) -> list[Output]:
        if self.state is DtlsState.WAIT_CLIENT_KEY_EXCHANGE:
            self._is_changed_early = True  # it has no number: parts of the message before it may still be on their way
            return []
        if self.state is not DtlsState.WAIT_CHANGE_CIPHER_SPEC:
            return [self._ignored(f"ChangeCipherSpec in state {self.state.value}")]
        self._move(DtlsInput.CHANGE_CIPHER_SPEC)
        self._records.read_protected()
        self._reassembler.forget()
        return self._take_early(now)

    # The end of a handshake

    def _finished(self) -> HandshakeMessage:
        """Our Finished."""
        value = self._secrets.own_finished()
        if self._settings.lies.wrong_finished:
            value = value[:-1] + bytes((value[-1] ^ 1,))
            self._tell("wrong-finished")
        return self._message(HandshakeType.FINISHED, value)

    def _completed(self, now: Micros) -> list[Output]:
        """What there is to say and do once both Finished hold."""
        self._resend_at = None
        self._secrets.transcript.forget()
        event = HandshakeCompleted(
            **self._facts(),
            keys=self._secrets.derived,
            extended_master_secret=self._secrets.is_extended,
            intermediates=self.intermediates,
        )
        return [event, *self._take_early(now)]

    # Alerts and endings

    def _on_alert(self, plaintext: bytes, *, is_encrypted: bool) -> list[Output]:
        try:
            alert = Alert.decode(plaintext)
        except DecodeError as error:
            return [self._ignored(str(error))]
        received = AlertReceived(**self._facts(), alert=alert, is_encrypted=is_encrypted)
        if alert.description == AlertDescription.CLOSE_NOTIFY:
            return [received, *self._on_close_notify()]
        if not alert.is_fatal:
            return [received]
        text = f"the peer sent fatal alert {alert.name}"
        if self.state is DtlsState.CONNECTED:
            self._move(DtlsInput.ALERTED)
            return [received, ConnectionClosed(**self._facts(), by_peer=True, reason=text)]
        wrong_keys = (AlertDescription.BAD_RECORD_MAC, AlertDescription.DECRYPT_ERROR)
        kind = AuthenticationError if alert.description in wrong_keys else PeerRejectedError
        return [received, *self._fail(DtlsInput.ALERTED, kind(f"DTLS: {text}", alert.description))]

    def _on_close_notify(self) -> list[Output]:
        if self.is_shaking_hands:
            error = PeerRejectedError("DTLS: the peer closed during the handshake", AlertDescription.CLOSE_NOTIFY)
            return self._fail(DtlsInput.CLOSED_BY_PEER, error)
        outputs = self._close_notify()
        self._move(DtlsInput.CLOSED_BY_PEER)
        return [*outputs, ConnectionClosed(**self._facts(), by_peer=True, reason="the peer sent close_notify")]

    def _close_notify(self) -> list[Output]:
        if self._settings.lies.no_close_notify:
            return [self._lie("no-close-notify")]
        return self._send_alert(Alert(AlertLevel.WARNING, AlertDescription.CLOSE_NOTIFY))

    def _send_alert(self, alert: Alert) -> list[Output]:
        is_encrypted = bool(self._records.write_epoch)
        sent = AlertSent(**self._facts(), alert=alert, is_encrypted=is_encrypted)
        return [self._transmit_record(ContentType.ALERT, alert.encode()), sent]

    def _refuse(self, error: RemoteProtocolError) -> list[Output]:
        """End the handshake and say so."""
        code = AlertDescription.INTERNAL_ERROR if error.wire_code is None else error.wire_code
        return [*self._send_alert(Alert(AlertLevel.FATAL, code)), *self._fail(DtlsInput.REFUSED, error)]

    def _fail(self, what: DtlsInput, error: PairingError) -> list[Output]:
        self._move(what)
        mistake, values = self._secrets.mistake, self.intermediates
        return [HandshakeFailed(**self._facts(), error=error, mistake=mistake, intermediates=values)]

    # Flights

    def _message(self, msg_type: HandshakeType, body: bytes) -> HandshakeMessage:
        """Our next message; it goes into the transcript."""
        message = HandshakeMessage(msg_type, self._next_seq, body)
        self._next_seq += 1
        self._secrets.transcript.add(message)
        return message

    def _send_flight(self, items: Sequence[FlightItem], now: Micros, *, is_last: bool = False) -> list[Output]:
        """Send a flight and, unless nothing has to come after it, arm the timer."""
        self._flight = tuple(items)
        self._records.write_epoch = max(item.epoch for item in items)
        self._wait = self._settings.times.first_wait
        self._resend_at = None if is_last else now + self._wait
        told, self._told = self._told, []
        return [*told, *self._transmit_flight()]

    def _repeat(self, reason: str, now: Micros) -> list[Output]:
        if self._resend_at is not None:
            self._resend_at = now + self._wait
        return [*self._transmit_flight(), FlightRepeated(**self._facts(), reason=reason)]

    def _transmit_flight(self) -> Iterator[Output]:
        for datagram in pack(self._flight, self._settings.mtu, self._largest_record, self._records.seal):
            self._sent_datagrams += 1
            if self._sent_datagrams in self._settings.lies.lost_datagrams:
                yield self._lie("lost-datagrams")
            else:
                yield Transmit(datagram, self.address)

    def _transmit_record(self, content_type: ContentType, plaintext: bytes) -> Transmit:
        record = self._records.seal(content_type, self._records.write_epoch, plaintext)
        return Transmit(record.encode(), self.address)

    # Small change

    def _facts(self) -> "_Facts":
        return {"peer": self._peer, "address": self.address}

    def _ignored(self, reason: str) -> FrameIgnored:
        return FrameIgnored(peer=self._peer, reason=reason, protocol=PROTOCOL)

    def _lie(self, lie: str) -> Output:
        return LieTold(**self._facts(), lie=lie)

    def _tell(self, lie: str) -> None:
        """A lie that shows in the next flight."""
        self._told.append(self._lie(lie))

    def _move(self, what: DtlsInput) -> None:
        after = self.table.get((self.state, what))
        if after is None:
            raise LocalProtocolError(f"DTLS {self.role.value} in state {self.state.value}: {what.value} is not allowed")
        self.state = after


def _message_name(msg_type: int) -> str:
    try:
        return HandshakeType(msg_type).name.title().replace("_", "")
    except ValueError:
        return f"handshake message of type {msg_type}"
