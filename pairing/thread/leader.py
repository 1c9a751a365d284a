"""The Leader: answers petitions, keep-alives and management requests out of the one `Network` model.

It knows CoAP paths and TLVs, not messages: who carries them (the Border Agent's DTLS port, or its UDP proxy) asks for
an answer and sends it. Thread specification, chapter 8.7; answers as measured from OpenThread.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pairing.coap.message import CoapCode
from pairing.engine import Event, Micros, Outputs
from pairing.errors import DecodeError
from pairing.thread.dataset import DatasetKind
from pairing.thread.management import (
    LeaderState,
    ManagementPolicy,
    SetRequest,
    judge_commissioner_set,
    judge_set,
)
from pairing.thread.meshcop_events import CommandReceived, CommissionerDatasetChanged, DatasetSetRefused, LieTold
from pairing.thread.network import Network
from pairing.thread.network_events import PetitionAccepted, PetitionRejected
from pairing.thread.node_requests import (
    COMMANDS,
    DIAGNOSTIC_GET,
    DIAGNOSTIC_QUERY,
    Report,
    command,
    diagnostic_answer,
    diagnostics,
)
from pairing.thread.petition import ActiveCommissioner
from pairing.thread.steering import SteeringData, joiner_id
from pairing.thread.tlv_values import State, tlv_of
from pairing.thread.tlvs import MeshCopTlvType, Tlv, join_tlvs, split_tlvs

_T = MeshCopTlvType
_SETS = {"c/as": SetRequest.ACTIVE_SET, "c/ps": SetRequest.PENDING_SET, "c/ar": SetRequest.ACTIVE_REPLACE}
_GETS: dict[str, DatasetKind] = {"c/ag": "active", "c/pg": "pending"}
COMMISSIONER, DEVICE = "commissioner", "device"
"""Causes of a changed dataset: a Commissioner's set, and one without a session id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderLies:
    """Deviations, each off by default."""

    reject_petitions: bool = False
    """Every petition is refused, as if a Commissioner called `holder` were active."""
    holder: str = "another commissioner"
    refuse_pending: bool = False
    """Every MGMT_PENDING_SET is answered with State reject."""


@dataclass(frozen=True, slots=True)
class LeaderAnswer:
    """What to send back, what has happened, and what follows later. A `code` of None: no answer at all."""

    code: int | None
    payload: bytes = b""
    outputs: Outputs = ()
    report: Report | None = None


def find_tlv(tlvs: Iterable[Tlv], tlv_type: int) -> bytes | None:
    """The value of the first TLV of this type."""
    return next((tlv.value for tlv in tlvs if tlv.type == tlv_type), None)


def tolerant_tlvs(payload: bytes) -> tuple[Tlv, ...]:
    """The payload's TLVs, none if it does not parse: as if each that is looked for were absent."""
    try:
        return split_tlvs(payload, extended=True)
    except DecodeError:
        return ()


def _steering_by_default(active: ActiveCommissioner) -> bytes:
    """Nobody may join, unless it is a built-in commissioner that says who."""
    joiners = [entry.joiner for entry in active.joiners or ()]
    if any(joiner.eui64 is None for joiner in joiners):
        return SteeringData.any_joiner().filter
    if not joiners:
        return b"\0"
    return SteeringData.of_joiners(joiner_id(joiner.eui64) for joiner in joiners if joiner.eui64).filter


def state_payload(state: State) -> bytes:
    """A State TLV alone."""
    return tlv_of(_T.STATE, state).encode()


class Leader:
    """The Leader of one network, as any of its nodes reaches it: what it knows is the model's, and its register's."""

    def __init__(
        self, network: Network, policy: ManagementPolicy | None = None, lies: LeaderLies | None = None
    ) -> None:
        self.network = network
        self.policy = policy or ManagementPolicy()
        self.lies = lies or LeaderLies()

    # Commissioners

    def petition(self, payload: bytes, now: Micros, *, peer: str | None = None) -> LeaderAnswer:
        """COMM_PET: State accept, id and session id; or State reject and the id of the holder, if there is one."""
        value = find_tlv(tolerant_tlvs(payload), _T.COMMISSIONER_ID) or b""
        commissioner_id = value.decode(errors="replace")
        if self.lies.reject_petitions:
            told = (
                LieTold(lie="reject-petitions", peer=peer),
                PetitionRejected(commissioner_id=commissioner_id, holder=self.lies.holder, reason="a lie", peer=peer),
            )
            return self._petition_rejected(self.lies.holder, told)
        outputs = self.network.petition(commissioner_id, now, peer=peer)
        last = outputs[-1]
        if isinstance(last, PetitionAccepted):
            tlvs = (
                tlv_of(_T.STATE, State.ACCEPT),
                tlv_of(_T.COMMISSIONER_ID, last.commissioner_id),
                tlv_of(_T.COMMISSIONER_SESSION_ID, last.session_id),
            )
            return LeaderAnswer(CoapCode.CHANGED, join_tlvs(tlvs), outputs)
        return self._petition_rejected(last.holder if isinstance(last, PetitionRejected) else None, outputs)

    def _petition_rejected(self, holder: str | None, outputs: Outputs) -> LeaderAnswer:
        tlvs = [tlv_of(_T.STATE, State.REJECT)]
        if holder is not None:
            tlvs.append(tlv_of(_T.COMMISSIONER_ID, holder))
        return LeaderAnswer(CoapCode.CHANGED, join_tlvs(tlvs), outputs)

    def keep_alive(self, payload: bytes, now: Micros) -> LeaderAnswer:
        """COMM_KA: lives on, or resigns (State reject, answered alike). Without State or session id: no answer."""
        tlvs = tolerant_tlvs(payload)
        state, session = find_tlv(tlvs, _T.STATE), find_tlv(tlvs, _T.COMMISSIONER_SESSION_ID)
        if not state or session is None or len(session) < 2:
            return LeaderAnswer(None)
        session_id = int.from_bytes(session[:2], "big")
        if state != state_payload(State.ACCEPT)[2:]:
            gone = self.network.commissioning.resign(session_id, now)
            return LeaderAnswer(CoapCode.CHANGED, state_payload(State.REJECT), gone)
        lives = self.network.commissioning.keep_alive(session_id, now)
        return LeaderAnswer(CoapCode.CHANGED, state_payload(State.ACCEPT if lives else State.REJECT))

    # Management

    def respond(self, path: str, payload: bytes, now: Micros, *, peer: str | None = None) -> LeaderAnswer:
        """The answer to a request that came through the UDP proxy."""
        if path in _SETS:
            return self._set(_SETS[path], payload, now, peer)
        if path in _GETS:
            hides_key = not self._may_read_network_key
            answer = self.dataset(_GETS[path], payload, now, hides_key=hides_key)
            return LeaderAnswer(CoapCode.CHANGED, answer)
        if path == "c/cg":
            return LeaderAnswer(CoapCode.CHANGED, self.commissioner_dataset(payload))
        if path == "c/cs":
            return self._commissioner_set(payload, peer)
        if path in COMMANDS:
            code, report = command(path, payload)
            told = (CommandReceived(path=path, peer=peer),) if code == CoapCode.CHANGED else ()
            return LeaderAnswer(code, outputs=told, report=report)
        if path in (DIAGNOSTIC_GET, DIAGNOSTIC_QUERY):
            return self._diagnostics(path, payload)
        return LeaderAnswer(CoapCode.NOT_FOUND)

    def _diagnostics(self, path: str, payload: bytes) -> LeaderAnswer:
        """DIAG_GET; without a Type List there is no answer."""
        told = diagnostics(self.network, payload)
        if told is None:
            return LeaderAnswer(None)
        if path == DIAGNOSTIC_GET:
            return LeaderAnswer(CoapCode.CHANGED, told)
        return LeaderAnswer(CoapCode.CHANGED, report=diagnostic_answer(told))

    def dataset(self, kind: DatasetKind, payload: bytes, now: Micros, *, hides_key: bool = False) -> bytes:
        """MGMT_ACTIVE_GET and MGMT_PENDING_GET: the TLVs asked for, in stored order; all if none are named."""
        dataset = self.network.active_dataset if kind == "active" else self.network.pending_dataset(now)
        if dataset is None:
            return b""
        asked = set(find_tlv(tolerant_tlvs(payload), _T.GET) or b"")
        if asked and kind == "pending":
            asked.add(_T.DELAY_TIMER)
        tlvs = [tlv for tlv in dataset.tlvs if not asked or tlv.type in asked]
        return join_tlvs(tlv for tlv in tlvs if not (hides_key and tlv.type == _T.NETWORK_KEY))

    def commissioner_dataset(self, payload: bytes = b"") -> bytes:
        """MGMT_COMMISSIONER_GET: the TLVs asked for, in the order asked for; all as they are stored if none are."""
        asked = find_tlv(tolerant_tlvs(payload), _T.GET)
        tlvs = self.commissioner_tlvs
        if not asked:
            return join_tlvs(tlvs)
        return join_tlvs(tlv for tlv_type in asked for tlv in tlvs if tlv.type == tlv_type)

    @property
    def commissioner_tlvs(self) -> tuple[Tlv, ...]:
        """The commissioner dataset as the network data hold it."""
        commissioning = self.network.commissioning
        active = commissioning.active
        if active is None:
            return (tlv_of(_T.COMMISSIONER_SESSION_ID, commissioning.session_counter),)
        rloc16 = self.network.rloc16 if active.locator is None else active.locator
        locator = tlv_of(_T.BORDER_AGENT_LOCATOR, rloc16)
        if active.tlvs:
            return (*active.tlvs, locator)
        session = tlv_of(_T.COMMISSIONER_SESSION_ID, active.session_id)
        return (locator, session, Tlv(_T.STEERING_DATA, _steering_by_default(active)))

    @property
    def steering_data(self) -> SteeringData:
        """Who may join now."""
        return SteeringData(find_tlv(self.commissioner_tlvs, _T.STEERING_DATA) or b"\0")

    @property
    def _may_read_network_key(self) -> bool:
        """The O bit of the security policy."""
        dataset = self.network.active_dataset
        policy = dataset.security_policy if dataset else None
        return policy is None or policy.obtain_network_key

    def _set(self, request: SetRequest, payload: bytes, now: Micros, peer: str | None) -> LeaderAnswer:
        if self.lies.refuse_pending and request is SetRequest.PENDING_SET:
            return LeaderAnswer(
                CoapCode.CHANGED, state_payload(State.REJECT), (LieTold(lie="refuse-pending", peer=peer),)
            )
        active = self.network.commissioning.active
        state = LeaderState(
            self.network.active_dataset, self.network.pending_dataset(now), active.session_id if active else None
        )
        verdict = judge_set(request, payload, state, self.policy)
        if verdict.refusal is not None or verdict.dataset is None:
            return self._refused(request.value, verdict.refusal or ("", "", ""), peer)
        cause = COMMISSIONER if verdict.is_from_commissioner else DEVICE
        if request is SetRequest.PENDING_SET:
            outputs = self.network.set_pending_dataset(verdict.dataset, now, cause=cause)
        else:
            outputs = self.network.adopt_active_dataset(verdict.dataset, now, cause=cause)
        return LeaderAnswer(CoapCode.CHANGED, state_payload(State.ACCEPT), outputs)

    def _commissioner_set(self, payload: bytes, peer: str | None) -> LeaderAnswer:
        active = self.network.commissioning.active
        verdict = judge_commissioner_set(payload, active.session_id if active else None)
        if verdict.refusal is not None or active is None:
            return self._refused("MGMT_COMMISSIONER_SET", verdict.refusal or ("", "", ""), peer)
        self.network.commissioning.register.set_dataset(verdict.tlvs)
        port = find_tlv(verdict.tlvs, _T.JOINER_UDP_PORT)
        changed = CommissionerDatasetChanged(
            steering_data=find_tlv(verdict.tlvs, _T.STEERING_DATA),
            joiner_udp_port=None if port is None else int.from_bytes(port[:2], "big"),
            peer=peer,
        )
        return LeaderAnswer(CoapCode.CHANGED, state_payload(State.ACCEPT), (changed,))

    def _refused(self, request: str, refusal: tuple[str, str, str], peer: str | None) -> LeaderAnswer:
        rule, expected, came = refusal
        event: Event = DatasetSetRefused(request=request, rule=rule, expected=expected, came=came, peer=peer)
        return LeaderAnswer(CoapCode.CHANGED, state_payload(State.REJECT), (event,))
