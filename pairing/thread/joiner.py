"""A Joiner: finds a router that may let it in, proves its PSKd, says who made it, and is entrusted with the network.

It reaches the Joiner Router over UDP (`joiner_frames`); `connect` skips discovery, for a bare relay. Thread
specification, chapter 8.4.4; times as OpenThread's joiner has them, what it lets pass is in `JoinerDeviations`. Order
of draws: the first CoAP message ID, then the DTLS client's, then a token of two octets at JOIN_FIN.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pairing.coap.endpoint import CoapEndpoint
from pairing.coap.events import CoapEvent, CoapRequestFailed, CoapRequestReceived, CoapResponseReceived
from pairing.coap.message import CoapCode, CoapMessage, code_text
from pairing.coap.settings import CoapSettings
from pairing.dtls.client import DtlsClient
from pairing.dtls.events import ApplicationDataReceived, ConnectionClosed, HandshakeCompleted, HandshakeFailed
from pairing.dtls.settings import OPENTHREAD_JOINER_HELLO, DtlsSettings
from pairing.dtls.states import DtlsState
from pairing.engine import (
    MILLISECOND,
    SECOND,
    Address,
    Entropy,
    FrameIgnored,
    Micros,
    Output,
    Outputs,
    Transmit,
    peer_name,
)
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
from pairing.thread.dataset import Dataset, bytes_from_hex
from pairing.thread.joiner_frames import DiscoveryAnswer, SecuredFrame
from pairing.thread.joiner_states import JOINER, JoinerInput, JoinerState
from pairing.thread.joiner_table import is_valid_pskd
from pairing.thread.leader import find_tlv, state_payload, tolerant_tlvs
from pairing.thread.meshcop_events import JoinerEntrusted, JoiningFailed, LieTold
from pairing.thread.steering import joiner_id
from pairing.thread.tlv_values import State, VendorStackVersion, tlv_of
from pairing.thread.tlvs import MeshCopTlvType, Tlv, join_tlvs

_T = MeshCopTlvType
_J, _I = JoinerState, JoinerInput
DISCOVERY_WAIT: Micros = SECOND
DISCOVERY_TRIES = 4
ENTRUST_WAIT: Micros = 4 * SECOND
SETTLE: Micros = 100 * MILLISECOND
"""From the network key to being joined: time for the answer to leave."""
_QR = re.compile(r"v=1&&eui=([0-9a-fA-F]{16})&&cc=([0-9A-Y]+)(?:&&.*)?")


def qr_payload(eui64: bytes, pskd: str) -> str:
    """What the label's QR code says."""
    return f"v=1&&eui={eui64.hex()}&&cc={pskd}"


def parse_qr_payload(text: str) -> tuple[bytes, str]:
    """EUI-64 and PSKd of a label; fields after them are not looked at."""
    match = _QR.fullmatch(text)
    if match is None or not is_valid_pskd(match[2]):
        raise DecodeError(0, "a joiner's label reads v=1&&eui=<16 hex digits>&&cc=<PSKd>")
    return bytes_from_hex(match[1]), match[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinerDeviations:
    """What a joiner may do otherwise, each off by default."""

    ignore_reject: bool = False
    """Go on after State reject, as OpenThread's joiner does; a KEK that was sent all the same lets it in."""
    ignore_steering: bool = False
    """Try a router whose steering data rules this joiner out."""
    no_join_fin: bool = False
    """Prove the PSKd, then say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinerSettings:
    """Who the device is, beside EUI-64 and PSKd."""

    vendor_name: str = "pairlab"
    vendor_model: str = "joiner"
    vendor_sw_version: str = ""
    vendor_stack_version: VendorStackVersion = field(default_factory=lambda: VendorStackVersion(0x18B430, 0, 0, 1, 0))
    vendor_data: bytes = b""
    provisioning_url: str = ""
    dtls: DtlsSettings = field(default_factory=lambda: DtlsSettings(client_hello=OPENTHREAD_JOINER_HELLO))
    deviations: JoinerDeviations = field(default_factory=JoinerDeviations)


class Joiner:
    """One attempt to join through the router at `address`. `start` begins with discovery, `connect` without.

    A vendor's text that fits no TLV is an EncodeError here, not later.
    """

    def __init__(
        self, address: Address, eui64: bytes, pskd: str, entropy: Entropy, settings: JoinerSettings | None = None
    ) -> None:
        if not is_valid_pskd(pskd):
            raise LocalProtocolError("a PSKd has 6 to 32 characters of 0-9 and A-Y without I, O and Q")
        self.state = JoinerState.IDLE
        self.settings = settings or JoinerSettings()
        self.eui64 = eui64
        self.identifier = joiner_id(eui64)
        self._address = address
        self._peer = peer_name(address)
        self._join_fin_payload = join_tlvs(_join_fin_tlvs(self.settings))
        self._coap = CoapEndpoint(entropy, CoapSettings(token_length=2))
        self._dtls = DtlsClient(address, pskd.encode(), entropy, self.settings.dtls)
        self._kek: bytes | None = None
        self._due_at: Micros | None = None
        self._tries = 0
        self._counter = 0
        self._dataset = b""

    @property
    def deadline(self) -> Micros | None:
        """When something goes out again, or is given up."""
        waits = (self._dtls.deadline, self._coap.deadline, self._due_at)
        return min((at for at in waits if at is not None), default=None)

    @property
    def dataset(self) -> Dataset | None:
        """What JOIN_ENT held of the Active Dataset, once entrusted. A real device learns the rest as it attaches."""
        return Dataset.decode(self._dataset) if self._dataset else None

    def start(self, now: Micros) -> Outputs:
        """Ask the router whether it expects us."""
        self._move(_I.DISCOVER)
        return self._discover(now)

    def connect(self, now: Micros) -> Outputs:
        """Go straight to the Commissioner."""
        self._move(_I.CONNECT)
        self._due_at = None
        return self._on_dtls(self._dtls.start(now), now)

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A datagram has arrived."""
        if sender != self._address:
            return [self._ignored(f"datagram from {peer_name(sender)}, which is not the router")]
        if self.state is _J.DISCOVERING:
            return self._on_discovery_answer(payload, now)
        if self.state in (_J.ENTRUSTING, _J.ENTRUSTED, _J.JOINED) and payload[:1] == b"\x05":
            return self._on_secured(payload, now)
        if self.state is _J.IDLE or self.state.is_final:
            return [self._ignored(f"datagram while {self.state.value}")]
        return self._on_dtls(self._dtls.receive(payload, sender, now), now)

    def handle_timeout(self, now: Micros) -> Outputs:
        """Send again, give up, or settle."""
        outputs = self._on_dtls(self._dtls.handle_timeout(now), now)
        outputs += self._on_coap(self._coap.handle_timeout(now), now)
        if self._due_at is None or self._due_at > now:
            return outputs
        self._due_at = None
        if self.state is _J.DISCOVERING:
            return [*outputs, *self._discover(now)]
        if self.state is _J.ENTRUSTED:
            self._move(_I.SETTLED)
            return [*outputs, JoinerEntrusted(joiner=self.eui64.hex(), tlvs=self._dataset, peer=self._peer)]
        return [*outputs, *self._fail(ExchangeTimeoutError("joiner: nobody entrusted it with the network"), now)]

    # Discovery

    def _discover(self, now: Micros) -> list[Output]:
        if self._tries == DISCOVERY_TRIES:
            return self._fail(ExchangeTimeoutError(f"joiner: no router answered {DISCOVERY_TRIES} requests"), now)
        self._tries += 1
        self._due_at = now + DISCOVERY_WAIT
        return [Transmit(self.eui64, self._address)]

    def _on_discovery_answer(self, payload: bytes, now: Micros) -> Outputs:
        try:
            answer = DiscoveryAnswer.decode(payload)
        except DecodeError as error:
            return [self._ignored(str(error))]
        if answer.steering_data.admits(self.identifier):
            return self.connect(now)
        if self.settings.deviations.ignore_steering:
            return [LieTold(lie="ignore-steering", peer=self._peer), *self.connect(now)]
        network = f"the network {answer.network_name!r} does not expect this joiner"
        return self._fail(PeerRejectedError(f"joiner: {network}: its steering data rule it out"), now)

    # The connection

    def _on_dtls(self, outputs: Outputs, now: Micros) -> list[Output]:
        done: list[Output] = []
        for output in outputs:
            match output:
                case ApplicationDataReceived():
                    done += self._on_coap(self._coap.receive(output.data, self._address, now), now)
                case HandshakeCompleted():
                    self._kek = output.keys.kek
                    done += [output, *self._join_fin(now)]
                case HandshakeFailed():
                    done += [output, *self._fail(output.error, now)]
                case ConnectionClosed():
                    done.append(output)
                    if output.by_peer and self.state is _J.FINALIZING:
                        done += self._fail(
                            PeerRejectedError(f"joiner: {output.reason} before JOIN_FIN was answered"), now
                        )
                case _:
                    done.append(output)
        return done

    def _join_fin(self, now: Micros) -> list[Output]:
        self._move(_I.CONNECTED)
        if self.settings.deviations.no_join_fin:
            return [LieTold(lie="no-join-fin", peer=self._peer)]
        _, sent = self._coap.request(self._address, CoapCode.POST, "c/jf", self._join_fin_payload, now)
        return self._on_coap(sent, now)

    def _on_coap(self, outputs: Outputs, now: Micros, *, is_secured: bool = False) -> list[Output]:
        done: list[Output] = []
        for output in outputs:
            match output:
                case Transmit() if is_secured:
                    done += self._secured(output.payload)
                case Transmit():
                    done += self._sent(output.payload, now)
                case CoapResponseReceived():
                    done += self._on_finalized(output.message, now)
                case CoapRequestFailed():
                    done += self._fail(output.error, now)
                case CoapRequestReceived():
                    done += self._on_request(output, now, is_secured=is_secured)
                case CoapEvent():
                    pass
                case _:
                    done.append(output)
        return done

    def _on_finalized(self, answer: CoapMessage, now: Micros) -> list[Output]:
        """The Commissioner's State. Either way the connection has done its work."""
        value = find_tlv(tolerant_tlvs(answer.payload), _T.STATE)
        told: list[Output] = []
        if answer.code != CoapCode.CHANGED or value is None:
            text = f"joiner: JOIN_FIN answered {code_text(answer.code)}, expected 2.04 with a State"
            return self._fail(RemoteProtocolError(text, answer.code), now)
        if value != state_payload(State.ACCEPT)[2:]:
            if not self.settings.deviations.ignore_reject:
                return self._fail(PeerRejectedError("joiner: the Commissioner rejected JOIN_FIN"), now)
            told.append(LieTold(lie="ignore-reject", peer=self._peer))
        self._move(_I.FINALIZED)
        self._due_at = now + ENTRUST_WAIT
        return [*told, *self._on_dtls(self._dtls.close(now), now)]

    # JOIN_ENT

    def _on_secured(self, payload: bytes, now: Micros) -> Outputs:
        if self._kek is None:
            return [self._ignored("secured frame before there is a KEK")]
        try:
            frame = SecuredFrame.open(payload, self._kek)
        except (DecodeError, AuthenticationError) as error:
            return [self._ignored(str(error))]
        return self._on_coap(self._coap.receive(frame.payload, self._address, now), now, is_secured=True)

    def _on_request(self, request: CoapRequestReceived, now: Micros, *, is_secured: bool) -> list[Output]:
        asked = request.message
        if not is_secured or asked.path != "c/je":
            sent = self._coap.respond(request, CoapCode.NOT_FOUND, b"", now)
            return self._on_coap(sent, now, is_secured=is_secured)
        tlvs = [tlv for tlv in tolerant_tlvs(asked.payload) if tlv.type != _T.NETWORK_KEY_SEQUENCE]
        try:
            dataset = Dataset.from_tlvs(tlvs)
        except (DecodeError, EncodeError) as error:
            return [self._ignored(f"JOIN_ENT: {error}")]
        if dataset.network_key is None:
            return [self._ignored("JOIN_ENT without a Network Key")]
        sent = self._on_coap(self._coap.respond(request, CoapCode.CHANGED, b"", now), now, is_secured=True)
        if self.state is _J.ENTRUSTING:
            self._move(_I.ENTRUSTED)
            self._dataset, self._due_at = dataset.encode(), now + SETTLE
        return sent

    # Small change

    def _sent(self, message: bytes, now: Micros) -> list[Output]:
        if self._dtls.state is not DtlsState.CONNECTED:
            return []
        return [*self._dtls.send(message, now)]

    def _secured(self, message: bytes) -> list[Output]:
        if self._kek is None:
            return []
        self._counter += 1
        return [Transmit(SecuredFrame(self.identifier, self._counter, message).seal(self._kek), self._address)]

    def _fail(self, error: PairingError, now: Micros) -> list[Output]:
        if (self.state, _I.FAIL) not in JOINER:
            return []
        self._move(_I.FAIL)
        self._due_at = None
        self._coap.forget(self._address)
        failed = JoiningFailed(joiner=self.eui64.hex(), error=error, peer=self._peer)
        closing = [*self._dtls.close(now)] if self._dtls.state is DtlsState.CONNECTED else []
        return [failed, *closing]

    def _move(self, what: JoinerInput) -> None:
        after = JOINER.get((self.state, what))
        if after is None:
            raise LocalProtocolError(f"joiner: cannot {what.value} while {self.state.value}")
        self.state = after

    def _ignored(self, reason: str) -> FrameIgnored:
        return FrameIgnored(peer=self._peer, reason=reason, protocol="meshcop")


def _join_fin_tlvs(ours: JoinerSettings) -> Iterable[Tlv]:
    """What JOIN_FIN says of the device, in OpenThread's order."""
    yield tlv_of(_T.STATE, State.ACCEPT)
    yield tlv_of(_T.VENDOR_NAME, ours.vendor_name)
    yield tlv_of(_T.VENDOR_MODEL, ours.vendor_model)
    yield tlv_of(_T.VENDOR_SW_VERSION, ours.vendor_sw_version)
    yield tlv_of(_T.VENDOR_STACK_VERSION, ours.vendor_stack_version)
    if ours.vendor_data:
        yield Tlv(_T.VENDOR_DATA, ours.vendor_data)
    if ours.provisioning_url:
        yield tlv_of(_T.PROVISIONING_URL, ours.provisioning_url)
