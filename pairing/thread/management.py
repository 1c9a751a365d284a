"""What the Leader decides on MGMT_ACTIVE_SET, MGMT_PENDING_SET, MGMT_ACTIVE_REPLACE and MGMT_COMMISSIONER_SET.

Pure judgement: the request's TLVs and the Leader's state go in, a verdict with the rule that broke and the dataset to
store come out. `leader` stores and answers. Thread specification, chapter 8.7; rules as measured from OpenThread.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from pairing.errors import DecodeError
from pairing.thread.dataset import FIELD_LENGTHS, MAX_LENGTH, Dataset, DatasetKind
from pairing.thread.dataset_rules import openthread_verdict
from pairing.thread.mistakes import timestamp_hint
from pairing.thread.tlvs import MeshCopTlvType, Tlv, split_tlvs, tlv_name

_T = MeshCopTlvType
MIN_DELAY_MS = 30_000
MIN_DELAY_NEW_KEY_MS = 300_000
MAX_DELAY_MS = 72 * 3_600_000
_CONNECTIVITY = (_T.CHANNEL, _T.PAN_ID, _T.MESH_LOCAL_PREFIX, _T.NETWORK_KEY)
_PENDING_ONLY = (_T.PENDING_TIMESTAMP, _T.DELAY_TIMER)


class SetRequest(enum.Enum):
    """The three requests that change a dataset."""

    ACTIVE_SET = "MGMT_ACTIVE_SET"
    PENDING_SET = "MGMT_PENDING_SET"
    ACTIVE_REPLACE = "MGMT_ACTIVE_REPLACE"

    @property
    def kind(self) -> DatasetKind:
        """The dataset that the request is about."""
        return "pending" if self is SetRequest.PENDING_SET else "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementPolicy:
    """What a Leader lets pass.

    `without_session`: a set without Commissioner Session ID counts as a Thread device's and replaces the dataset by
    exactly what it holds, as OpenThread does; a commissioner that forgets the TLV then wrecks the network.
    """

    without_session: bool = False


class LeaderState(NamedTuple):
    """What a request is measured against; `session_id` is that of the active Commissioner."""

    active: Dataset | None
    pending: Dataset | None
    session_id: int | None


class Refusal(NamedTuple):
    """The rule that a request breaks, what was expected, and what came."""

    rule: str
    expected: str
    came: str


@dataclass(frozen=True, slots=True)
class SetVerdict:
    """Yes with the dataset to store, or no with the reason."""

    dataset: Dataset | None = field(default=None, repr=False)
    refusal: Refusal | None = None
    is_from_commissioner: bool = True

    @property
    def is_accepted(self) -> bool:
        """Whether the answer is State accept."""
        return self.refusal is None


def judge_set(request: SetRequest, payload: bytes, state: LeaderState, policy: ManagementPolicy) -> SetVerdict:
    """Whether the Leader stores what the request asks for, and what that is."""
    verdict = openthread_verdict(payload, request.kind)
    if not verdict.accepted:
        return SetVerdict(refusal=Refusal(verdict.rule or "", verdict.expected, verdict.came))
    asked = Dataset.decode(payload)
    has_session = _T.COMMISSIONER_SESSION_ID in asked
    refusal = next(_refusals(request, asked, state, policy), None)
    if refusal is not None:
        return SetVerdict(refusal=refusal, is_from_commissioner=has_session)
    new_key = _differs(asked, state.active, _T.NETWORK_KEY)
    change = asked.without(_T.COMMISSIONER_SESSION_ID)
    if has_session and request is not SetRequest.ACTIVE_REPLACE and state.active is not None:
        change = state.active.with_tlvs(change)
    pending = request is SetRequest.PENDING_SET
    stored = _with_delay(change, new_key) if pending else change.without(*_PENDING_ONLY)
    if stored.length > MAX_LENGTH:
        refusal = Refusal("too-long", f"at most {MAX_LENGTH} bytes with what is there", f"{stored.length} bytes")
        return SetVerdict(refusal=refusal, is_from_commissioner=has_session)
    return SetVerdict(stored, is_from_commissioner=has_session)


def _refusals(request: SetRequest, asked: Dataset, state: LeaderState, policy: ManagementPolicy) -> Iterator[Refusal]:
    """Every rule that the request breaks, those that need no state first."""
    if asked.active_timestamp is None:
        yield Refusal("active-timestamp-missing", "ActiveTimestamp", "none")
    yield from _session(asked, state, policy)
    if request is SetRequest.PENDING_SET:
        yield from _pending(asked, state)
        return
    if request is SetRequest.ACTIVE_REPLACE and (missing := asked.missing("active")):
        yield Refusal("dataset-incomplete", "every mandatory TLV", f"none of type {missing[0].value}")
    yield from _active_timestamp(asked, state)
    for tlv_type in _CONNECTIVITY:
        if _differs(asked, state.active, tlv_type):
            expected = f"{tlv_name(tlv_type)} as it is: only a Pending Dataset can change it"
            yield Refusal("affects-connectivity", expected, "another one")


def _session(asked: Dataset, state: LeaderState, policy: ManagementPolicy) -> Iterator[Refusal]:
    session = asked.value(_T.COMMISSIONER_SESSION_ID)
    expected = "the session id of the active Commissioner"
    if session is None:
        if not policy.without_session:
            yield Refusal("session-id-missing", expected, "none")
    elif len(session) < 2:
        yield Refusal("session-id-invalid", "a session id of 2 bytes", f"{len(session)} bytes")
    elif state.session_id is None or int.from_bytes(session[:2], "big") != state.session_id:
        yield Refusal("session-id-wrong", expected, "another one")


def _pending(asked: Dataset, state: LeaderState) -> Iterator[Refusal]:
    current = state.pending.pending_timestamp if state.pending else None
    if asked.pending_timestamp is None:
        yield Refusal("pending-timestamp-missing", "PendingTimestamp", "none")
    elif current is not None and asked.pending_timestamp <= current:
        yield Refusal(
            "pending-timestamp-not-newer",
            f"PendingTimestamp newer than {current}",
            f"{asked.pending_timestamp}{timestamp_hint(asked.pending_timestamp, current)}",
        )
    if not _differs(asked, state.active, _T.NETWORK_KEY):
        yield from _active_timestamp(asked, state)


def _active_timestamp(asked: Dataset, state: LeaderState) -> Iterator[Refusal]:
    current = state.active.active_timestamp if state.active else None
    if current is not None and asked.active_timestamp is not None and asked.active_timestamp <= current:
        yield Refusal(
            "active-timestamp-not-newer",
            f"ActiveTimestamp newer than {current}",
            f"{asked.active_timestamp}{timestamp_hint(asked.active_timestamp, current)}",
        )


def _differs(asked: Dataset, active: Dataset | None, tlv_type: int) -> bool:
    """Whether the request changes a TLV; values are compared as far as the field goes."""
    value, length = asked.value(tlv_type), FIELD_LENGTHS[tlv_type]
    known = None if active is None else active.value(tlv_type)
    return value is not None and (known is None or known[:length] != value[:length])


def _with_delay(dataset: Dataset, new_key: bool) -> Dataset:
    """The delay raised to its minimum and cut to its maximum; the TLV goes to the end. Without one there is none."""
    delay = dataset.delay_timer_ms
    if delay is None:
        return dataset
    minimum = MIN_DELAY_NEW_KEY_MS if new_key else MIN_DELAY_MS
    delay = min(max(delay, minimum), MAX_DELAY_MS)
    return dataset.with_tlvs([Tlv(_T.DELAY_TIMER, delay.to_bytes(4, "big"))])


@dataclass(frozen=True, slots=True)
class CommissionerVerdict:
    """What becomes of a MGMT_COMMISSIONER_SET: the commissioner dataset without its locator, or why not."""

    tlvs: tuple[Tlv, ...] = ()
    refusal: Refusal | None = None


def judge_commissioner_set(payload: bytes, session_id: int | None) -> CommissionerVerdict:
    """Whether the Leader replaces the commissioner dataset. OpenThread does not look at the other TLVs' values."""
    try:
        tlvs = split_tlvs(payload)
    except DecodeError as error:
        return CommissionerVerdict(refusal=Refusal("malformed", "TLVs", str(error)))
    first = {tlv.type: tlv for tlv in reversed(tlvs)}
    session = first.get(_T.COMMISSIONER_SESSION_ID)
    expected = "the session id of the active Commissioner"
    if session is None:
        return CommissionerVerdict(refusal=Refusal("session-id-missing", expected, "none"))
    if session_id is None or session.value[:2] != session_id.to_bytes(2, "big"):
        return CommissionerVerdict(refusal=Refusal("session-id-wrong", expected, "another one"))
    if _T.BORDER_AGENT_LOCATOR in first:
        return CommissionerVerdict(
            refusal=Refusal("border-agent-locator", "no BorderAgentLocator: it is the Leader's to set", "one")
        )
    return CommissionerVerdict(tlvs)
