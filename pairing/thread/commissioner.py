"""A Commissioner: DTLS to a Border Agent, petition and keep-alive, datasets read and set, joiners let in.

Requests to the Leader go through the UDP proxy, once the mesh-local prefix is known: it is read first where it is not.
Joiners are served by `joiner_sessions`, over the relay; messages and their answers are `commissioner_link`'s. Thread
specification, chapter 8; the forms of requests are ot-commissioner's. Order of draws: the secret of the cookies for
joiners, unless they are given; then those of the link and of the joiners as they come.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pairing.coap.message import CoapCode, CoapMessage, code_text
from pairing.dtls.cookies import CookieSource
from pairing.dtls.events import ConnectionClosed, HandshakeCompleted, HandshakeFailed
from pairing.dtls.settings import DtlsSettings
from pairing.engine import SECOND, Address, Entropy, Micros, Output, Outputs, Transmit
from pairing.errors import DecodeError, LocalProtocolError, PairingError, PeerRejectedError, RemoteProtocolError
from pairing.thread.commissioner_link import (
    AnswerArrived,
    AnswerMissing,
    CommissionerLink,
    JoinerDatagramReceived,
    Request,
)
from pairing.thread.commissioner_states import COMMISSIONER_TABLE, CommissionerClientState, CommissionerInput
from pairing.thread.joiner_sessions import JoinerServerSettings, JoinerSessions
from pairing.thread.joiner_states import JoinerSessionState
from pairing.thread.joiner_table import JoinerId, JoinerTable
from pairing.thread.leader import find_tlv, tolerant_tlvs
from pairing.thread.meshcop_events import (
    CommissionerDatasetReceived,
    DatasetReceived,
    KeepAliveAnswered,
    LieTold,
    RequestFailed,
    SetAnswered,
)
from pairing.thread.network_events import (
    CommissionerLost,
    JoinerConnected,
    JoinerFinalized,
    PetitionAccepted,
    PetitionRejected,
)
from pairing.thread.node import LEADER_ALOC
from pairing.thread.petition import KEEP_ALIVE_TIMEOUT
from pairing.thread.steering import SteeringData, joiner_id
from pairing.thread.tlv_values import State, field_of, tlv_of
from pairing.thread.tlvs import MeshCopTlvType, Tlv, join_tlvs
from pairing.thread.udp_proxy import locator_address

_T = MeshCopTlvType
_S, _I = CommissionerClientState, CommissionerInput
ACTIVE_TYPES = bytes((14, 0, 53, 2, 7, 5, 3, 1, 4, 12))
PENDING_TYPES = ACTIVE_TYPES + bytes((52, 51))
COMMISSIONER_TYPES = bytes((11, 9, 8, 61, 62, 18, 65, 66))
"""What ot-commissioner asks for; the last but one and two before are ports and filters of commercial commissioning."""
_WATCHED_FOR: Micros = 45 * SECOND
"""A Border Agent ends a connection 50 s after its handshake or its last keep-alive."""
_SETS = {
    "c/as": "MGMT_ACTIVE_SET",
    "c/ps": "MGMT_PENDING_SET",
    "c/ar": "MGMT_ACTIVE_REPLACE",
    "c/cs": "MGMT_COMMISSIONER_SET",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionerLies:
    """Deviations, each off by default."""

    no_keep_alive: bool = False
    """Fall silent once active."""
    no_session_id: bool = False
    """Send MGMT_SETs without Commissioner Session ID: on a real network that replaces the whole dataset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionerSettings:
    """How the Commissioner behaves."""

    commissioner_id: str = "pairlab"
    keep_alive: Micros = 40 * SECOND
    joiner_udp_port: int = 1000
    max_joiners: int = 16
    first_message_id: int | None = None
    """None draws it. A Commissioner's locator comes round after eight sessions; who counts from 1 each time, as
    ot-commissioner does, may then get from the Leader the stored answer to a request of an earlier session."""
    dtls: DtlsSettings = field(default_factory=DtlsSettings)
    joiners: JoinerServerSettings = field(default_factory=JoinerServerSettings)
    lies: CommissionerLies = field(default_factory=CommissionerLies)


class Commissioner:
    """One connection to the Border Agent at `address`, whose password is the PSKc, or an ephemeral key's code."""

    def __init__(
        self,
        address: Address,
        password: bytes,
        entropy: Entropy,
        settings: CommissionerSettings | None = None,
        joiner_cookies: CookieSource | None = None,
    ) -> None:
        self.settings = settings or CommissionerSettings()
        self.state = CommissionerClientState.IDLE
        self.session_id: int | None = None
        self._link = CommissionerLink(address, password, entropy, self.settings.dtls, self.settings.first_message_id)
        self._waiting: list[Request] = []
        self._prefix: bytes | None = None
        self._keep_alive_at: Micros | None = None
        self._alive_at: Micros = 0
        self._watched_at: Micros = 0
        self._table = JoinerTable(self.settings.max_joiners)
        self._joiners = JoinerSessions(entropy, self.settings.joiners, joiner_cookies)

    # The engine's face

    @property
    def deadline(self) -> Micros | None:
        """When something is due next."""
        waits = (self._link.deadline, self._keep_alive_at, self._table.deadline, self._joiners.deadline)
        return min((at for at in waits if at is not None), default=None)

    @property
    def joiners(self) -> JoinerTable:
        """Who may join through this Commissioner."""
        return self._table

    @property
    def joiner_states(self) -> dict[bytes, JoinerSessionState]:
        """Where each joiner that speaks with us stands, by interface identifier."""
        return self._joiners.states

    @property
    def is_idle(self) -> bool:
        """Whether every request has had its answer."""
        return self._link.is_idle and not self._waiting

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A datagram has arrived."""
        return self._digest(self._link.receive(payload, sender, now), now)

    def handle_timeout(self, now: Micros) -> Outputs:
        """Keep alive, send again, give up, let entries expire."""
        outputs = self._digest(self._link.handle_timeout(now), now)
        if self._keep_alive_at is not None and self._keep_alive_at <= now:
            outputs += self._keep_alive(now)
        outputs += self._table.handle_timeout(now)
        return [*outputs, *self._on_joiners(self._joiners.handle_timeout(now), now)]

    # Intents: the connection and the petition

    def start(self, now: Micros) -> Outputs:
        """Connect."""
        self._move(_I.START)
        return self._digest(self._link.start(now), now)

    def petition(self, now: Micros) -> Outputs:
        """Ask to become the active Commissioner."""
        self._move(_I.PETITION)
        payload = tlv_of(_T.COMMISSIONER_ID, self.settings.commissioner_id).encode()
        return self._ask("c/cp", payload, now)

    def keep_alive(self, now: Micros) -> Outputs:
        """Say now that we are there; the engine does so by itself at every interval."""
        self._need_active("a keep-alive is sent")
        return self._keep_alive(now)

    def resign(self, now: Micros) -> Outputs:
        """Give up being active; the connection stays."""
        self._move(_I.RESIGN)
        self._keep_alive_at = None
        return self._ask("c/ca", self._keep_alive_payload(State.REJECT), now)

    def close(self, now: Micros) -> Outputs:
        """End the connection."""
        self._require(_I.CLOSE)
        lost = self._lost("closed")
        self._move(_I.CLOSE)
        return [*lost, *self._over(), *self._digest(self._link.close(now), now)]

    # Intents: datasets

    def get_active(self, now: Micros, types: bytes = ACTIVE_TYPES) -> Outputs:
        """MGMT_ACTIVE_GET from the Border Agent; no types: everything."""
        return self._ask("c/ag", _get(types), now)

    def get_pending(self, now: Micros, types: bytes = PENDING_TYPES) -> Outputs:
        """MGMT_PENDING_GET from the Border Agent."""
        return self._ask("c/pg", _get(types), now)

    def get_commissioner(self, now: Micros, types: bytes = COMMISSIONER_TYPES) -> Outputs:
        """MGMT_COMMISSIONER_GET from the Leader."""
        return self.ask_leader("c/cg", _get(types), now)

    def set_active(self, tlvs: Iterable[Tlv], now: Micros) -> Outputs:
        """MGMT_ACTIVE_SET: a newer Active Timestamp and what changes."""
        return self._set("c/as", tlvs, now)

    def set_pending(self, tlvs: Iterable[Tlv], now: Micros) -> Outputs:
        """MGMT_PENDING_SET: both timestamps, a delay, and what changes."""
        return self._set("c/ps", tlvs, now)

    def replace_active(self, tlvs: Iterable[Tlv], now: Micros) -> Outputs:
        """MGMT_ACTIVE_REPLACE: a whole dataset."""
        return self._set("c/ar", tlvs, now)

    def set_commissioner(self, tlvs: Iterable[Tlv], now: Micros) -> Outputs:
        """MGMT_COMMISSIONER_SET: it replaces steering data and ports altogether."""
        return self._set("c/cs", tlvs, now)

    def ask_leader(self, path: str, payload: bytes, now: Micros) -> Outputs:
        """Any request to the Leader, through the UDP proxy; only an active Commissioner is heard there."""
        if self.state is not _S.ACTIVE:
            raise LocalProtocolError(
                f"commissioner: {path} goes to the Leader, which hears an active one; this is {self.state.value}"
            )
        request = Request(path, payload)
        if self._prefix is None:
            is_first = not self._waiting
            self._waiting.append(request)
            return self._ask("c/ag", _get(bytes((_T.MESH_LOCAL_PREFIX,))), now, is_own=True) if is_first else []
        return self._ask_mesh(request, self._prefix, now)

    def ask_border_agent(self, path: str, payload: bytes, now: Micros) -> Outputs:
        """Any request to the Border Agent itself."""
        return self._ask(path, payload, now)

    # Intents: joiners

    def enable_joiner(self, joiner: JoinerId, pskd: str, timeout: Micros, now: Micros) -> Outputs:
        """Let a joiner in for a while, and tell the network by steering data."""
        self._need_active("a joiner is enabled")
        if self._table.is_full and self._table.get(joiner) is None:
            raise LocalProtocolError(
                f"commissioner: the joiner table has {self.settings.max_joiners} entries, all in use"
            )
        return [*self._table.add(joiner, pskd, timeout, now), *self._steer(now)]

    def disable_joiner(self, joiner: JoinerId, now: Micros) -> Outputs:
        """Take a joiner out again."""
        self._need_active("a joiner is disabled")
        return [*self._table.remove(joiner, "removed"), *self._steer(now)]

    def _steer(self, now: Micros) -> Outputs:
        """MGMT_COMMISSIONER_SET of who is in the table."""
        joiners = [entry.joiner for entry in self._table]
        if any(joiner.eui64 is None for joiner in joiners):
            steering = SteeringData.any_joiner()
        else:
            steering = SteeringData.of_joiners(joiner_id(joiner.eui64) for joiner in joiners if joiner.eui64)
        port = tlv_of(_T.JOINER_UDP_PORT, self.settings.joiner_udp_port)
        return self.set_commissioner((Tlv(_T.STEERING_DATA, steering.filter), port), now)

    # Requests

    def _ask(self, path: str, payload: bytes, now: Micros, *, is_own: bool = False) -> list[Output]:
        """A confirmable request to the Border Agent."""
        if not self.state.is_connected:
            raise LocalProtocolError(f"commissioner: {path} needs a connection, it is {self.state.value}")
        return self._link.ask(Request(path, payload, is_own), now)

    def _set(self, path: str, tlvs: Iterable[Tlv], now: Micros) -> Outputs:
        self._need_active(_SETS[path])
        session = tlv_of(_T.COMMISSIONER_SESSION_ID, self.session_id)
        if self.settings.lies.no_session_id:
            told = LieTold(lie="no-session-id", peer=self._link.peer)
            return [told, *self.ask_leader(path, join_tlvs(tlvs), now)]
        return self.ask_leader(path, join_tlvs((session, *tlvs)), now)

    def _ask_mesh(self, request: Request, prefix: bytes, now: Micros) -> list[Output]:
        return self._link.ask_mesh(request, locator_address(prefix, LEADER_ALOC), now)

    def _keep_alive(self, now: Micros) -> list[Output]:
        self._keep_alive_at = None
        if self.settings.lies.no_keep_alive:
            return [LieTold(lie="no-keep-alive", peer=self._link.peer)]
        self._keep_alive_at = now + self.settings.keep_alive
        return self._ask("c/ca", self._keep_alive_payload(State.ACCEPT), now, is_own=True)

    def _keep_alive_payload(self, state: State) -> bytes:
        return join_tlvs((tlv_of(_T.STATE, state), tlv_of(_T.COMMISSIONER_SESSION_ID, self.session_id)))

    # From the link

    def _digest(self, outputs: Iterable[Output], now: Micros) -> list[Output]:
        done: list[Output] = []
        for output in outputs:
            match output:
                case AnswerArrived():
                    done += self._on_answer(output.request, output.answer, now)
                case AnswerMissing():
                    done += self._on_failure(output.request, output.error, now)
                case JoinerDatagramReceived():
                    done += self._on_joiners(self._joiners.receive(output.message, tuple(self._table), now), now)
                case HandshakeCompleted():
                    self._try(_I.CONNECTED)
                    self._watched_at = now
                    done.append(output)
                case HandshakeFailed():
                    self._try(_I.REFUSED)
                    done.append(output)
                case ConnectionClosed():
                    done += [output, *self._on_closed()]
                case _:
                    done.append(output)
        return done

    def _on_closed(self) -> list[Output]:
        if self.state.is_final:
            return []
        lost = self._lost("disconnected")
        self._try(_I.DISCONNECTED)
        return [*lost, *self._over()]

    # Answers

    def _on_answer(self, request: Request, answer: CoapMessage, now: Micros) -> list[Output]:
        if answer.code != CoapCode.CHANGED:
            error = PeerRejectedError(f"{request.path}: answered {code_text(answer.code)}, expected 2.04", answer.code)
            return self._on_failure(request, error, now)
        match request.path:
            case "c/cp":
                return self._on_petition_answered(request, answer.payload, now)
            case "c/ca":
                return self._on_keep_alive_answered(request, answer.payload, now)
            case "c/ag" | "c/pg":
                return self._on_dataset(request, answer.payload, now)
            case "c/cg":
                return [self._commissioner_dataset(answer.payload)]
            case path if path in _SETS:
                is_accepted = _state(answer.payload) is State.ACCEPT
                return [SetAnswered(request=_SETS[path], accepted=is_accepted, peer=self._link.peer)]
        return []

    def _on_petition_answered(self, request: Request, payload: bytes, now: Micros) -> list[Output]:
        tlvs = tolerant_tlvs(payload)
        session = find_tlv(tlvs, _T.COMMISSIONER_SESSION_ID)
        state = _state(payload)
        own = self.settings.commissioner_id
        if state is State.ACCEPT and session is not None and len(session) >= 2:
            self.session_id = int.from_bytes(session[:2], "big")
            self._try(_I.ACCEPTED)
            self._alive_at = now
            # The Border Agent's watchdog has run since the handshake, whenever the petition came.
            self._keep_alive_at = min(now + self.settings.keep_alive, max(now, self._watched_at + _WATCHED_FOR))
            return [PetitionAccepted(commissioner_id=own, session_id=self.session_id, peer=self._link.peer)]
        if state is State.REJECT:
            holder = find_tlv(tlvs, _T.COMMISSIONER_ID)
            self._try(_I.REJECTED)
            name = None if holder is None else holder.decode(errors="replace")
            reason = "refused" if name is None else "another commissioner is active"
            return [PetitionRejected(commissioner_id=own, holder=name, reason=reason, peer=self._link.peer)]
        error = RemoteProtocolError("c/cp: the answer holds neither State accept with a session id nor State reject")
        return self._on_failure(request, error, now)

    def _on_keep_alive_answered(self, request: Request, payload: bytes, now: Micros) -> list[Output]:
        if self.state is _S.RESIGNING and not request.is_own:
            lost = self._lost("resigned")
            self._try(_I.RESIGNED)
            return lost
        if self.state is not _S.ACTIVE:
            return []
        is_accepted = _state(payload) is State.ACCEPT
        answered = KeepAliveAnswered(accepted=is_accepted, peer=self._link.peer)
        if is_accepted:
            self._alive_at = self._watched_at = now
        return [answered] if is_accepted else [answered, *self._lost("superseded")]

    def _on_dataset(self, request: Request, payload: bytes, now: Micros) -> list[Output]:
        prefix = find_tlv(tolerant_tlvs(payload), _T.MESH_LOCAL_PREFIX)
        if request.path == "c/ag" and prefix is not None and len(prefix) >= 8:
            self._prefix = prefix[:8]
        kind = "active" if request.path == "c/ag" else "pending"
        outputs: list[Output] = (
            [] if request.is_own else [DatasetReceived(kind=kind, tlvs=payload, peer=self._link.peer)]
        )
        if not self._waiting:
            return outputs
        if self._prefix is None and request.is_own:
            waiting, self._waiting = self._waiting, []
            error = RemoteProtocolError("c/ag: the answer has no mesh-local prefix, so the Leader has no address")
            return [*outputs, *(output for each in waiting for output in self._on_failure(each, error, now))]
        if self._prefix is not None and self.state is _S.ACTIVE:
            waiting, self._waiting = self._waiting, []
            outputs += [output for each in waiting for output in self._ask_mesh(each, self._prefix, now)]
        return outputs

    def _commissioner_dataset(self, payload: bytes) -> CommissionerDatasetReceived:
        tlvs = tolerant_tlvs(payload)
        numbers = {tlv.type: int.from_bytes(tlv.value, "big") for tlv in tlvs}
        return CommissionerDatasetReceived(
            session_id=numbers.get(_T.COMMISSIONER_SESSION_ID),
            border_agent_locator=numbers.get(_T.BORDER_AGENT_LOCATOR),
            steering_data=find_tlv(tlvs, _T.STEERING_DATA),
            joiner_udp_port=numbers.get(_T.JOINER_UDP_PORT),
            tlvs=payload,
            peer=self._link.peer,
        )

    def _on_failure(self, request: Request, error: PairingError, now: Micros) -> list[Output]:
        """A request without a usable answer; what hangs on it falls."""
        outputs: list[Output] = [RequestFailed(path=request.path, error=error, peer=self._link.peer)]
        if request.path == "c/cp":
            self._try(_I.REJECTED)
        elif request.path == "c/ca" and self.state is _S.RESIGNING:
            outputs += self._lost("resigned")
            self._try(_I.RESIGNED)
        elif request.path == "c/ca":
            if now - self._alive_at >= KEEP_ALIVE_TIMEOUT:  # a later one may have been answered
                outputs += self._lost("timeout")
        elif request.is_own:
            waiting, self._waiting = self._waiting, []
            outputs += [output for each in waiting for output in self._on_failure(each, error, now)]
        return outputs

    def _lost(self, reason: str) -> list[Output]:
        """No longer active, if it was."""
        if self.session_id is None:
            return []
        own, session_id = self.settings.commissioner_id, self.session_id
        self.session_id = self._keep_alive_at = None
        self._try(_I.LOST)
        outputs = [*self._table.clear("commissioner-stopped"), *self._joiners.close(0)]
        return [
            *outputs,
            CommissionerLost(commissioner_id=own, session_id=session_id, reason=reason, peer=self._link.peer),
        ]

    def _over(self) -> list[Output]:
        """The connection is gone: nothing is waited for any more."""
        failed = (*self._link.abandon(), *self._waiting)
        self._waiting.clear()
        error = PeerRejectedError("the connection ended before the answer came")
        return [RequestFailed(path=each.path, error=error, peer=self._link.peer) for each in failed if not each.is_own]

    # Joiners

    def _on_joiners(self, outputs: Outputs, now: Micros) -> list[Output]:
        done: list[Output] = []
        for output in outputs:
            match output:
                case Transmit():
                    done += self._link.post("c/tx", output.payload, now)
                case JoinerConnected():
                    done += self._table.connected(JoinerId.parse(output.joiner))
                case JoinerFinalized():
                    done += self._table.finalized(JoinerId.parse(output.joiner), accepted=output.accepted)
                case _:
                    done.append(output)
        return done

    # Small change

    def _need_active(self, what: str) -> None:
        if self.state is not _S.ACTIVE:
            raise LocalProtocolError(f"commissioner: {what} by an active one, this is {self.state.value}")

    def _try(self, what: CommissionerInput) -> None:
        self.state = COMMISSIONER_TABLE.get((self.state, what), self.state)

    def _move(self, what: CommissionerInput) -> None:
        self.state = self._require(what)

    def _require(self, what: CommissionerInput) -> CommissionerClientState:
        after = COMMISSIONER_TABLE.get((self.state, what))
        if after is None:
            raise LocalProtocolError(f"commissioner: cannot {what.value} while {self.state.value}")
        return after


def _get(types: bytes) -> bytes:
    """A Get TLV; none for no types."""
    return Tlv(_T.GET, types).encode() if types else b""


def _state(payload: bytes) -> State | None:
    """The State TLV of an answer, None for none or one that means nothing."""
    value = find_tlv(tolerant_tlvs(payload), _T.STATE)
    if value is None:
        return None
    try:
        state = field_of(Tlv(_T.STATE, value))
    except DecodeError:
        return None
    return state if isinstance(state, State) else None
