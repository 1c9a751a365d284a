"""The Commissioner of a recorded session, replayed: it gets what the Border Agent sent, does what its user did, and
must send the same. Inputs are the randomness, the requests that the user caused, and whom the Commissioner admits."""

from typing import Any

from pairing.coap.message import CoapMessage
from pairing.dtls.events import HandshakeCompleted
from pairing.dtls.key_schedule import DtlsKeys
from pairing.dtls.record import ContentType, decode_records
from pairing.engine import SECOND, Event, Outputs, Transmit
from pairing.errors import PairingError
from pairing.thread.commissioner import Commissioner, CommissionerSettings
from pairing.thread.joiner_sessions import JoinerLies, JoinerServerSettings
from pairing.thread.joiner_table import JoinerId
from pairing.thread.meshcop_events import CommissionerDatasetReceived, DatasetReceived, KeepAliveAnswered, SetAnswered
from pairing.thread.network_events import PetitionAccepted, PetitionRejected
from pairing.thread.relay import RelayMessage
from pairing.thread.tlvs import MeshCopTlvType
from tests.verify.dtls_capture import SERVER, Capture, opened
from tests.verify.meshcop_capture import (
    RecordedDraws,
    Said,
    get_types,
    inner_of,
    said_in,
    tlvs_of,
    tokens_of,
    value_of,
)
from tests.verify.mismatch import Mismatch, compare

_T = MeshCopTlvType
NEVER = 10**9 * SECOND
REJECT = b"\xff"
SETS = {
    "c/as": "MGMT_ACTIVE_SET",
    "c/ps": "MGMT_PENDING_SET",
    "c/ar": "MGMT_ACTIVE_REPLACE",
    "c/cs": "MGMT_COMMISSIONER_SET",
}


class CommissionerReplay:
    """One run. `keks` are those that went out over the relay."""

    def __init__(self, document: dict[str, Any], keys: DtlsKeys) -> None:
        self._document = document
        self._capture = Capture(document)
        self._keys = keys
        self._said = said_in(self._capture, keys)
        self._sent: list[bytes] = []
        self._events: list[Event] = []
        self.engine = self._make()

    @property
    def keks(self) -> list[str]:
        """Every KEK in a RLY_TX of ours, in order."""
        sent = [CoapMessage.decode(plaintext) for plaintext in self._sent if plaintext[:1] not in (b"\x01", b"\x02")]
        relayed = [RelayMessage.decode(message.payload) for message in sent if message.path == "c/tx"]
        return [message.kek.hex() for message in relayed if message.kek is not None]

    def run(self) -> None:
        """Replay and compare; raises Mismatch."""
        own = [each for each in self._said if each.direction == "c2s"]
        self._take(self.engine.start(self._capture.datagrams[0].now))
        done = 0
        for datagram in self._capture.datagrams:
            if datagram.direction == "s2c":
                if not datagram.is_lost:
                    self._take(self.engine.receive(datagram.octets, SERVER, datagram.now))
                continue
            for said in [each for each in own if each.datagram == datagram.index]:
                if len(self._sent) <= done:
                    self._act(said)
                member = f"datagrams[{datagram.index}].hex (plaintext)"
                compare(member, said.plaintext.hex(), self._sent[done].hex() if len(self._sent) > done else None)
                done += 1
        if self._said and self._said[-1].direction == "c2s":  # what answers the last record is not in the file
            compare("datagrams (records of the client)", len(own), len(self._sent))
        compare("datagrams (what the client learned)", self._expected(), self._learned())

    # Inputs

    def _make(self) -> Commissioner:
        draws = {8: tokens_of(self._said, "c2s"), 32: self._capture.client_draws()}
        inner = self._document.get("inner_joiner_dtls")
        admits = self._document.get("commissioner_admits", {})
        joiners, cookies = JoinerServerSettings(), self._capture.cookies()
        if inner is not None:
            inner_capture = Capture(inner, "inner_joiner_dtls.")
            draws[32] += inner_capture.server_draws()
            cookies = inner_capture.cookies()
            quirks = [
                each["behaviour"] for each in self._document.get("peer_behaviours", ()) if "KEK" in each["behaviour"]
            ]
            joiners = JoinerServerSettings(
                dtls=inner_capture.server_settings(),
                provisioning_url=admits.get("provisioning_url", ""),
                lies=JoinerLies(kek_on_reject=bool(quirks)),
            )
        petition = next((each for each in self._requests() if each.path == "c/cp"), None)
        name = b"" if petition is None else value_of(petition, _T.COMMISSIONER_ID) or b""
        port = next((value_of(each, _T.JOINER_UDP_PORT) for each in self._inner_requests("c/cs")), None)
        settings = CommissionerSettings(
            commissioner_id=name.decode(),
            keep_alive=NEVER,
            first_message_id=1,
            joiner_udp_port=int.from_bytes(port or b"\x03\xe8", "big"),
            dtls=self._capture.client_settings(),
            joiners=joiners,
        )
        return Commissioner(SERVER, self._capture.password("client"), RecordedDraws(draws), settings, cookies)

    def _requests(self) -> list[CoapMessage]:
        messages = [each.message for each in self._said if each.direction == "c2s"]
        return [each for each in messages if each is not None and each.is_request]

    def _inner_requests(self, path: str) -> list[CoapMessage]:
        inner = [inner_of(each) for each in self._requests()]
        return [each for each in inner if each is not None and each.path == path]

    def _act(self, said: Said) -> None:
        """Do what makes the client send this, if a user can."""
        member = f"datagrams[{said.datagram}].hex (plaintext)"
        try:
            self._take(self._intent(said))
        except PairingError as error:
            raise Mismatch(member, said.plaintext.hex(), str(error)) from None

    def _intent(self, said: Said) -> Outputs:
        engine, now, message = self.engine, said.now, said.message
        if message is None:
            return engine.close(now)
        match message.path:
            case "c/cp":
                return engine.petition(now)
            case "c/ca":
                is_resigning = value_of(message, _T.STATE) == REJECT
                return engine.resign(now) if is_resigning else engine.keep_alive(now)
            case "c/ag":
                return engine.get_active(now, get_types(message))
            case "c/pg":
                return engine.get_pending(now, get_types(message))
            case "c/ut":
                inner = inner_of(message)
                return () if inner is None or not inner.is_request else self._leader_intent(inner, now)
            case "c/tx" | "":
                return ()
        return engine.ask_border_agent(message.path, message.payload, now)

    def _leader_intent(self, inner: CoapMessage, now: int) -> Outputs:
        engine, tlvs = self.engine, tlvs_of(inner)
        if inner.path == "c/cg":
            return engine.get_commissioner(now, get_types(inner))
        session = b"" if engine.session_id is None else engine.session_id.to_bytes(2, "big")
        if inner.path not in SETS or not tlvs or tlvs[0] != (_T.COMMISSIONER_SESSION_ID, session):
            return engine.ask_leader(inner.path, inner.payload, now)
        if inner.path == "c/cs" and value_of(inner, _T.STEERING_DATA) is not None and self._admits(tlvs):
            joiner = JoinerId()
            admits = self._document["commissioner_admits"]
            if admits["steering"] == "joiner_eui64":
                joiner = JoinerId(eui64=bytes.fromhex(self._document["joiner_eui64"]))
            return engine.enable_joiner(joiner, admits["joiner_pskd"], NEVER, now)
        setter = {
            "c/as": engine.set_active,
            "c/ps": engine.set_pending,
            "c/ar": engine.replace_active,
            "c/cs": engine.set_commissioner,
        }[inner.path]
        return setter(tlvs[1:], now)

    def _admits(self, tlvs: tuple[Any, ...]) -> bool:
        """Whether the request is the one that lets the recorded joiner in."""
        wanted = (_T.COMMISSIONER_SESSION_ID, _T.STEERING_DATA, _T.JOINER_UDP_PORT)
        return "commissioner_admits" in self._document and tuple(tlv.type for tlv in tlvs) == wanted

    # What it did

    def _take(self, outputs: Outputs) -> None:
        for output in outputs:
            if not isinstance(output, Transmit):
                self._events.append(output)
                continue
            for record in decode_records(output.payload):
                if record.epoch and record.content_type != ContentType.HANDSHAKE:
                    self._sent.append(opened(record, "c2s", self._keys) or b"")

    def _learned(self) -> list[object]:
        """What the client told its owner of the answers."""
        learned: list[object] = []
        for event in self._events:
            match event:
                case PetitionAccepted():
                    learned.append(("petition", event.session_id))
                case PetitionRejected():
                    learned.append(("petition rejected", event.holder))
                case KeepAliveAnswered():
                    learned.append(("keep-alive", event.accepted))
                case DatasetReceived():
                    learned.append((event.kind, event.tlvs.hex()))
                case CommissionerDatasetReceived():
                    learned.append(("commissioner", event.tlvs.hex()))
                case SetAnswered():
                    learned.append((event.request, event.accepted))
                case HandshakeCompleted() if event.address == SERVER:
                    learned.append("connected")
        return learned

    def _expected(self) -> list[object]:
        """What the answers in the file say."""
        expected: list[object] = ["connected"]
        asked: dict[bytes, CoapMessage] = {}
        for said in self._said:
            message = said.message
            if message is None:
                continue
            message = inner_of(message) or message
            if message.is_request:
                asked[message.token] = message
            elif message.is_response and message.token in asked and message.code == 0x44:
                expected += _meaning(asked[message.token], message)
        return expected


def _meaning(request: CoapMessage, answer: CoapMessage) -> list[object]:
    """What an answer means to whoever asked."""
    state = value_of(answer, _T.STATE)
    is_accepted = state == b"\x01"
    match request.path:
        case "c/cp" if is_accepted:
            return [("petition", int.from_bytes(value_of(answer, _T.COMMISSIONER_SESSION_ID) or b"", "big"))]
        case "c/cp":
            holder = value_of(answer, _T.COMMISSIONER_ID)
            return [("petition rejected", None if holder is None else holder.decode())]
        case "c/ca":
            is_resigning = value_of(request, _T.STATE) == REJECT
            return [] if is_resigning else [("keep-alive", is_accepted)]
        case "c/ag":
            return [("active", answer.payload.hex())]
        case "c/pg":
            return [("pending", answer.payload.hex())]
        case "c/cg":
            return [("commissioner", answer.payload.hex())]
        case path if path in SETS:
            return [(SETS[path], is_accepted)]
    return []
