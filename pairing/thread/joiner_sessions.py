"""The Commissioner towards joiners: a DTLS server for each, behind the relay, that answers JOIN_FIN.

Used by the Commissioner (over RLY_RX and RLY_TX) and by a node's built-in commissioner. Each `Transmit` that it returns
holds the payload of a RLY_TX. Thread specification, chapter 8.4.4; ot-commissioner for what JOIN_FIN has to hold.
Order of draws: the secret of the cookies, then for each joiner its connection's (`dtls.server_connection`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pairing.coap.endpoint import CoapEndpoint
from pairing.coap.events import CoapRequestReceived
from pairing.coap.message import CoapCode
from pairing.coap.settings import CoapSettings
from pairing.dtls.cookies import AddressCookies, CookieSource
from pairing.dtls.events import ApplicationDataReceived, ConnectionClosed, HandshakeCompleted, HandshakeFailed
from pairing.dtls.server import DtlsServer
from pairing.dtls.settings import ConnectionPolicy, DtlsSettings
from pairing.engine import SECOND, Entropy, FrameIgnored, Micros, Output, Outputs, Transmit
from pairing.errors import EncodeError
from pairing.thread.joiner_states import JOINER_SESSION, JoinerSessionInput, JoinerSessionState
from pairing.thread.joiner_table import JoinerEntry, JoinerId
from pairing.thread.leader import find_tlv, state_payload, tolerant_tlvs
from pairing.thread.meshcop_events import JoinFinReceived, LieTold, request_answered
from pairing.thread.network_events import JoinerConnected, JoinerFinalized
from pairing.thread.relay import RelayMessage
from pairing.thread.steering import joiner_id, joiner_iid
from pairing.thread.tlv_values import State
from pairing.thread.tlvs import MeshCopTlvType

_T = MeshCopTlvType
JOIN_FIN_TLVS = (_T.STATE, _T.VENDOR_NAME, _T.VENDOR_MODEL, _T.VENDOR_SW_VERSION, _T.VENDOR_STACK_VERSION)
MOST_JOINERS = 32
_ONE_PEER = ConnectionPolicy(max_connections=1, deaf_after=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinerLies:
    """Deviations towards joiners, each off by default."""

    reject_joiners: bool = False
    """Answer every JOIN_FIN with State reject."""
    kek_on_reject: bool = False
    """Have a rejected joiner entrusted all the same, as ot-commissioner 0.2.0 does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinerServerSettings:
    """How joiners are served."""

    dtls: DtlsSettings = field(default_factory=DtlsSettings)
    lifetime: Micros = 60 * SECOND
    """A joiner's connection is given up so long after its last datagram."""
    provisioning_url: str | None = None
    """Which Provisioning URL a joiner has to name; empty: none, None: any."""
    lies: JoinerLies = JoinerLies()


@dataclass(slots=True)
class _JoinerSession:
    """One joiner behind one Joiner Router."""

    iid: bytes
    entry: JoinerEntry
    server: DtlsServer = field(repr=False)
    coap: CoapEndpoint = field(repr=False)
    last: RelayMessage = field(repr=False)
    ends_at: Micros
    kek: bytes | None = field(default=None, repr=False)
    state: JoinerSessionState = JoinerSessionState.HANDSHAKING

    @property
    def name(self) -> str:
        return str(self.entry.joiner)

    def move(self, what: JoinerSessionInput) -> None:
        self.state = JOINER_SESSION.get((self.state, what), self.state)

    @property
    def deadline(self) -> Micros:
        waits = (self.ends_at, self.server.deadline, self.coap.deadline)
        return min(at for at in waits if at is not None)


def admit(entries: Iterable[JoinerEntry], identifier: bytes) -> JoinerEntry | None:
    """The entry for the joiner with this id: its own EUI-64 before a discerner, a discerner before anybody."""
    found: dict[int, JoinerEntry] = {}
    for entry in entries:
        joiner = entry.joiner
        if joiner.eui64 is not None and joiner_id(joiner.eui64) == identifier:
            found.setdefault(0, entry)
        elif joiner.discerner is not None and _discerns(joiner, identifier):
            found.setdefault(1, entry)
        elif joiner.is_any:
            found.setdefault(2, entry)
    return found[min(found)] if found else None


def _discerns(joiner: JoinerId, identifier: bytes) -> bool:
    mask = (1 << joiner.discerner_bits) - 1
    return int.from_bytes(identifier, "big") & mask == joiner.discerner


class JoinerSessions:
    """All joiners of one Commissioner."""

    def __init__(
        self, entropy: Entropy, settings: JoinerServerSettings | None = None, cookies: CookieSource | None = None
    ) -> None:
        self._entropy = entropy
        self.settings = settings or JoinerServerSettings()
        self._cookies = cookies or AddressCookies(entropy)
        self._sessions: dict[bytes, _JoinerSession] = {}

    @property
    def deadline(self) -> Micros | None:
        """When a flight goes out again, or a connection is given up."""
        return min((session.deadline for session in self._sessions.values()), default=None)

    @property
    def states(self) -> dict[bytes, JoinerSessionState]:
        """Where each joiner stands, by interface identifier."""
        return {iid: session.state for iid, session in self._sessions.items()}

    def receive(self, message: RelayMessage, entries: Sequence[JoinerEntry], now: Micros) -> Outputs:
        """A datagram of a joiner. One that no entry means is not served."""
        session = self._sessions.get(message.joiner_iid)
        if session is None:
            entry = admit(entries, joiner_iid(message.joiner_iid))
            if entry is None:
                return [_ignored(message.joiner_iid.hex(), "joiner without an entry")]
            if len(self._sessions) >= MOST_JOINERS:
                return [_ignored(str(entry.joiner), f"{MOST_JOINERS} joiners at once")]
            session = self._open(message, entry, now)
        session.last, session.ends_at = message, now + self.settings.lifetime
        outputs = self._on_dtls(session, session.server.receive(message.dtls, message.joiner_iid, now), now)
        if not session.server.connections:  # before its cookie has come back nothing is kept of a joiner
            self._sessions.pop(session.iid, None)
        return outputs

    def handle_timeout(self, now: Micros) -> Outputs:
        """Send again what is due, give up who fell silent."""
        outputs: list[Output] = []
        for session in tuple(self._sessions.values()):
            if session.deadline > now:
                continue
            outputs += self._on_dtls(session, session.server.handle_timeout(now), now)
            outputs += self._on_coap(session, session.coap.handle_timeout(now), now)
            if session.ends_at <= now and session.iid in self._sessions:
                outputs += self._on_dtls(session, session.server.close_all(now), now)
                self._end(session)
        return outputs

    def close(self, now: Micros) -> Outputs:
        """The Commissioner is no longer one: joiners are left alone, without a word."""
        self._sessions.clear()
        return ()

    def _open(self, message: RelayMessage, entry: JoinerEntry, now: Micros) -> _JoinerSession:
        server = DtlsServer(
            entry.pskd.encode(), self._entropy, self.settings.dtls, policy=_ONE_PEER, cookies=self._cookies
        )
        coap = CoapEndpoint(self._entropy, CoapSettings(first_message_id=0))
        session = _JoinerSession(message.joiner_iid, entry, server, coap, message, now + self.settings.lifetime)
        self._sessions[message.joiner_iid] = session
        return session

    def _end(self, session: _JoinerSession) -> None:
        session.move(JoinerSessionInput.END)
        self._sessions.pop(session.iid, None)

    def _on_dtls(self, session: _JoinerSession, outputs: Outputs, now: Micros) -> list[Output]:
        done: list[Output] = []
        for output in outputs:
            match output:
                case Transmit():
                    done.append(self._relayed(session, output.payload, None))
                case ApplicationDataReceived():
                    received = session.coap.receive(output.data, session.iid, now)
                    is_join_fin = session.state in (JoinerSessionState.FINALIZED, JoinerSessionState.REJECTED)
                    # A JOIN_FIN that comes again has to get the KEK again: the first answer may have been lost.
                    done += self._on_coap(session, received, now, is_answer=is_join_fin)
                case HandshakeCompleted():
                    session.move(JoinerSessionInput.CONNECTED)
                    session.kek = output.keys.kek
                    done += [output, JoinerConnected(joiner=session.name, peer=output.peer)]
                case HandshakeFailed() | ConnectionClosed():
                    self._end(session)
                    done.append(output)
                case _:
                    done.append(output)
        return done

    def _on_coap(
        self, session: _JoinerSession, outputs: Outputs, now: Micros, *, is_answer: bool = False
    ) -> list[Output]:
        done: list[Output] = []
        for output in outputs:
            if isinstance(output, CoapRequestReceived):
                done += self._on_request(session, output, now)
            elif isinstance(output, Transmit):
                done += self._send(session, output.payload, now, is_answer=is_answer)
            else:
                done.append(output)
        return done

    def _on_request(self, session: _JoinerSession, request: CoapRequestReceived, now: Micros) -> list[Output]:
        if request.message.path != "c/jf":
            sent = session.coap.respond(request, CoapCode.NOT_FOUND, b"", now)
            return self._on_coap(session, sent, now)
        told, is_accepted = self._judge(session, request.message.payload)
        session.move(JoinerSessionInput.ACCEPT if is_accepted else JoinerSessionInput.REJECT)
        state = state_payload(State.ACCEPT if is_accepted else State.REJECT)
        journal = request_answered("joiner", request.message, CoapCode.CHANGED, session.name)
        sent = session.coap.respond(request, CoapCode.CHANGED, state, now)
        finalized = JoinerFinalized(joiner=session.name, accepted=is_accepted)
        return [*told, journal, *self._on_coap(session, sent, now, is_answer=True), finalized]

    def _judge(self, session: _JoinerSession, payload: bytes) -> tuple[list[Output], bool]:
        """Whether the joiner is accepted, and what is to be said of it."""
        tlvs = tolerant_tlvs(payload)
        texts = {tlv.type: tlv.value.decode(errors="replace") for tlv in tlvs}
        url = texts.get(_T.PROVISIONING_URL, "")
        event = JoinFinReceived(
            joiner=session.name,
            vendor_name=texts.get(_T.VENDOR_NAME, ""),
            vendor_model=texts.get(_T.VENDOR_MODEL, ""),
            vendor_sw_version=texts.get(_T.VENDOR_SW_VERSION, ""),
            vendor_data=find_tlv(tlvs, _T.VENDOR_DATA) or b"",
            provisioning_url=url,
        )
        missing = [tlv_type for tlv_type in JOIN_FIN_TLVS if tlv_type not in texts]
        wanted = self.settings.provisioning_url
        is_accepted = not missing and wanted in (None, url)
        if is_accepted and self.settings.lies.reject_joiners:
            return [event, LieTold(lie="reject-joiners", peer=session.name)], False
        return [event], is_accepted

    def _send(self, session: _JoinerSession, data: bytes, now: Micros, *, is_answer: bool) -> list[Output]:
        """One CoAP message to the joiner; with the KEK if it is the answer to JOIN_FIN."""
        if not session.server.connections:
            return []
        trusts = session.state is JoinerSessionState.FINALIZED or (
            session.state is JoinerSessionState.REJECTED and self.settings.lies.kek_on_reject
        )
        kek = session.kek if is_answer and trusts else None
        try:
            sent = session.server.send(session.iid, data, now)
        except EncodeError as error:
            return [_ignored(session.name, str(error))]
        return [
            self._relayed(session, output.payload, kek) if isinstance(output, Transmit) else output for output in sent
        ]

    def _relayed(self, session: _JoinerSession, datagram: bytes, kek: bytes | None) -> Transmit:
        """The RLY_TX that takes a datagram back to where the joiner's last came from."""
        message = RelayMessage(
            joiner_udp_port=session.last.joiner_udp_port,
            joiner_iid=session.iid,
            joiner_router_locator=session.last.joiner_router_locator,
            dtls=datagram,
            kek=kek,
        )
        return Transmit(message.encode_transmit(), session.iid)


def _ignored(peer: str, reason: str) -> FrameIgnored:
    return FrameIgnored(peer=peer, reason=reason, protocol="meshcop")
