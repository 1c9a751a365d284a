"""The Border Agent's CoAP resources, for one connection each: c/cp c/ca c/ag c/pg c/cg c/ut c/tx; all others are 4.04.

Petitions and keep-alives are acknowledged empty and answered in a NON of their own; reads are piggybacked. Whoever
lacks permission hears nothing, not even an ACK. The connection below and the relay behind are `border_agent`'s.
Thread specification, chapter 8.4.3; answers and silences as measured from OpenThread.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pairing.coap.endpoint import CoapEndpoint
from pairing.coap.events import CoapRequestReceived
from pairing.coap.message import CoapCode, CoapType
from pairing.engine import SECOND, Address, Entropy, FrameIgnored, Micros, Output, Outputs, Transmit
from pairing.errors import DecodeError
from pairing.thread.border_agent_states import SESSION, SessionInput, SessionState
from pairing.thread.dataset import DatasetKind
from pairing.thread.leader import Leader, LeaderAnswer, find_tlv, state_payload, tolerant_tlvs
from pairing.thread.meshcop_events import LieTold, request_answered
from pairing.thread.network_events import PetitionAccepted
from pairing.thread.relay import RelayMessage
from pairing.thread.tlv_values import State
from pairing.thread.tlvs import MeshCopTlvType
from pairing.thread.udp_proxy import MESH_COAP, LeaderProxy

WATCHDOG: Micros = 50 * SECOND
"""So long a connection lives without a keep-alive of an active Commissioner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceLies:
    """Deviations of the resources, each off by default."""

    ignore_keep_alives: bool = False
    """A keep-alive is not heard: no answer, and the Leader does not learn of it."""
    steal_session: bool = False
    """Before the first keep-alive another connection takes over with the same id: State reject is the answer."""
    change_dataset: bool = False
    """Once the Active Dataset was read through a connection, it changes."""
    expire_code: bool = False
    """The ephemeral key ends when the Active Dataset is asked for."""


@dataclass(frozen=True, slots=True)
class Handled:
    """What came of a request: messages for the connection and events, and what has to be done elsewhere.

    `relayed` goes to a Joiner Router. `dataset_was_read` and `is_refused` ask the Border Agent to tell its lies.
    """

    outputs: Outputs = ()
    relayed: RelayMessage | None = None
    dataset_was_read: bool = False
    code_expires: bool = False


@dataclass(slots=True)
class Session:
    """One connection: its CoAP endpoint, its way to the Leader, its watchdog."""

    address: Address
    peer: str
    link: str
    coap: CoapEndpoint = field(repr=False)
    proxy: LeaderProxy = field(repr=False)
    ends_at: Micros
    state: SessionState = SessionState.CONNECTED
    session_id: int | None = None
    commissioner_id: str = ""
    is_robbed: bool = False

    @classmethod
    def open(cls, address: Address, peer: str, link: str, leader: Leader, entropy: Entropy, now: Micros) -> "Session":
        """A connection that has just come up."""
        coap = CoapEndpoint(entropy, MESH_COAP)
        return cls(address, peer, link, coap, LeaderProxy(leader, entropy, peer), now + WATCHDOG)

    @property
    def is_commissioner(self) -> bool:
        """Whether its petition was accepted; another may have taken over since."""
        return self.state is SessionState.COMMISSIONER

    @property
    def deadline(self) -> Micros:
        """When something is due next."""
        return min(at for at in (self.ends_at, self.coap.deadline, self.proxy.deadline) if at is not None)

    def move(self, what: SessionInput) -> None:
        """Take the move if the table has it."""
        self.state = SESSION.get((self.state, what), self.state)

    def send(self, path: str, payloads: Outputs, now: Micros) -> list[Output]:
        """A NON request to the Commissioner for each payload among the outputs; the events pass."""
        outputs: list[Output] = []
        for output in payloads:
            if isinstance(output, Transmit):
                _, sent = self.coap.request(
                    self.address, CoapCode.POST, path, output.payload, now, is_confirmable=False, wants_response=False
                )
                outputs += sent
            else:
                outputs.append(output)
        return outputs


class BorderAgentResources:
    """Answers the requests of all connections out of the Leader and its network."""

    def __init__(self, leader: Leader, lies: ResourceLies | None = None) -> None:
        self._leader = leader
        self.lies = lies or ResourceLies()

    def handle(self, session: Session, request: CoapRequestReceived, now: Micros) -> Handled:
        """One request of one connection."""
        resource = self._RESOURCES.get(request.message.path)
        if resource is None:
            return self._answered(session, request, CoapCode.NOT_FOUND, b"", now, kind=None)
        return resource(self, session, request, now)

    # Petition and keep-alive

    def _on_petition(self, session: Session, request: CoapRequestReceived, now: Micros) -> Handled:
        if request.message.message_type is not CoapType.CON:
            return self._answered(session, request, CoapCode.INTERNAL_SERVER_ERROR, b"", now, kind=CoapType.NON)
        answer = self._leader.petition(request.message.payload, now, peer=session.peer)
        accepted = next((each for each in answer.outputs if isinstance(each, PetitionAccepted)), None)
        if accepted is None:
            session.move(SessionInput.PETITION_REJECTED)
        else:
            session.move(SessionInput.PETITION_ACCEPTED)
            session.session_id, session.commissioner_id = accepted.session_id, accepted.commissioner_id
        return self._separate(session, request, answer, now)

    def _on_keep_alive(self, session: Session, request: CoapRequestReceived, now: Micros) -> Handled:
        if not session.is_commissioner:
            return self._silent(session, request, "keep-alive of one that is no Commissioner")
        if request.message.message_type is not CoapType.CON:
            return self._answered(session, request, CoapCode.INTERNAL_SERVER_ERROR, b"", now, kind=CoapType.NON)
        told: list[Output] = []
        if self.lies.ignore_keep_alives:
            return Handled([LieTold(lie="ignore-keep-alives", peer=session.peer)])
        if self.lies.steal_session and not session.is_robbed:
            session.is_robbed = True
            told.append(LieTold(lie="steal-session", peer=session.peer))
            told += self._leader.network.petition(session.commissioner_id, now)
        answer = self._leader.keep_alive(request.message.payload, now)
        answer = LeaderAnswer(answer.code, answer.payload, (*told, *answer.outputs))
        state = find_tlv(tolerant_tlvs(request.message.payload), MeshCopTlvType.STATE)
        if answer.payload == state_payload(State.ACCEPT):
            session.move(SessionInput.KEPT_ALIVE)
            session.ends_at = now + WATCHDOG
        elif state is not None and state != state_payload(State.ACCEPT)[2:] and answer.outputs:
            session.move(SessionInput.RESIGNED)
        else:
            session.move(SessionInput.KEEP_ALIVE_REJECTED)
        return self._separate(session, request, answer, now)

    def _separate(self, session: Session, request: CoapRequestReceived, answer: LeaderAnswer, now: Micros) -> Handled:
        """An empty ACK, and the Leader's answer on its own."""
        journal = request_answered("dtls", request.message, answer.code, session.peer)
        outputs: list[Output] = [*session.coap.acknowledge(request, now), journal, *answer.outputs]
        if answer.code is not None:
            outputs += session.coap.respond(request, answer.code, answer.payload, now, kind=CoapType.NON)
        return Handled(outputs)

    # Reads

    def _on_active_get(self, session: Session, request: CoapRequestReceived, now: Micros) -> Handled:
        if self.lies.expire_code and self._leader.network.ephemeral_key.key is not None:
            return Handled([LieTold(lie="expire-code", peer=session.peer)], code_expires=True)
        return self._dataset(session, request, "active", now)

    def _on_pending_get(self, session: Session, request: CoapRequestReceived, now: Micros) -> Handled:
        return self._dataset(session, request, "pending", now)

    def _dataset(self, session: Session, request: CoapRequestReceived, kind: DatasetKind, now: Micros) -> Handled:
        """The Border Agent's own reads never withhold the Network Key."""
        payload = self._leader.dataset(kind, request.message.payload, now)
        answered = self._answered(session, request, CoapCode.CHANGED, payload, now)
        return Handled(answered.outputs, dataset_was_read=kind == "active" and self.lies.change_dataset)

    def _on_commissioner_get(self, session: Session, request: CoapRequestReceived, now: Micros) -> Handled:
        payload = self._leader.commissioner_dataset(request.message.payload)
        return self._answered(session, request, CoapCode.CHANGED, payload, now)

    # Proxy and relay

    def _on_udp_transmit(self, session: Session, request: CoapRequestReceived, now: Micros) -> Handled:
        if not session.is_commissioner:
            return self._silent(session, request, "UDP proxy used by one that is no Commissioner")
        return Handled(session.send("c/ur", session.proxy.transmit(request.message.payload, now), now))

    def _on_relay_transmit(self, session: Session, request: CoapRequestReceived, now: Micros) -> Handled:
        if not session.is_commissioner:
            return self._silent(session, request, "relay used by one that is no Commissioner")
        try:
            message = RelayMessage.decode(request.message.payload)
        except DecodeError as error:
            return self._silent(session, request, str(error))
        return Handled([request_answered("dtls", request.message, None, session.peer)], relayed=message)

    # Answers

    def _answered(
        self,
        session: Session,
        request: CoapRequestReceived,
        code: int,
        payload: bytes,
        now: Micros,
        *,
        kind: CoapType | None = CoapType.ACK,
    ) -> Handled:
        """Reads are answered with type ACK even where a NON asked, as OpenThread does."""
        journal = request_answered("dtls", request.message, code, session.peer)
        return Handled([journal, *session.coap.respond(request, code, payload, now, kind=kind)])

    def _silent(self, session: Session, request: CoapRequestReceived, reason: str) -> Handled:
        journal = request_answered("dtls", request.message, None, session.peer)
        return Handled([journal, FrameIgnored(reason=reason, protocol="meshcop", peer=session.peer)])

    _RESOURCES: ClassVar[
        Mapping[str, Callable[["BorderAgentResources", Session, CoapRequestReceived, Micros], Handled]]
    ] = {
        "c/cp": _on_petition,
        "c/ca": _on_keep_alive,
        "c/ag": _on_active_get,
        "c/pg": _on_pending_get,
        "c/cg": _on_commissioner_get,
        "c/ut": _on_udp_transmit,
        "c/tx": _on_relay_transmit,
    }
