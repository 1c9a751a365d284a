"""A change to a dataset as a Commissioner sends it, and why a Leader would refuse it.

A Leader answers State reject and no more. By the rules of `pairing.thread.management`, which are OpenThread's, the
datasets that are in force say which one was broken.
"""

from collections.abc import Mapping
from typing import Any

from devices.controllers.commissioner_results import Refusal
from devices.errors import UsageError
from pairing.errors import DecodeError, EncodeError
from pairing.thread.dataset import Dataset, DatasetKind, bytes_from_hex
from pairing.thread.dataset_forms import read_fields
from pairing.thread.fields import Channel, Timestamp
from pairing.thread.management import LeaderState, ManagementPolicy, SetRequest, judge_set
from pairing.thread.pskc import derive_pskc
from pairing.thread.tlv_values import tlv_of
from pairing.thread.tlvs import MeshCopTlvType, Tlv, join_tlvs, split_tlvs

DEFAULT_DELAY_MS = 60_000
_T = MeshCopTlvType
_REQUESTS: Mapping[DatasetKind, SetRequest] = {"active": SetRequest.ACTIVE_SET, "pending": SetRequest.PENDING_SET}


def tlvs_of_hex(text: str) -> tuple[Tlv, ...]:
    """The TLVs as they are given, right or wrong; only what is no sequence of TLVs is refused. Raises UsageError."""
    try:
        return split_tlvs(bytes_from_hex(text))
    except DecodeError as problem:
        raise UsageError(f"dataset: {problem}") from None


def tlvs_of_fields(
    kind: DatasetKind, fields: Mapping[str, Any], active: Dataset | None, pending: Dataset | None
) -> tuple[Tlv, ...]:
    """The TLVs of some fields, under the names of home files; timestamps that are not given are the next ones.

    Raises UsageError.
    """
    try:
        read = read_fields(fields)
        more = read.pop("more_tlvs", None)
        passphrase = read.pop("passphrase", None)
        if passphrase is not None:
            read["pskc"] = _pskc(str(passphrase), read, active)
        for name in ("channel", "wakeup_channel"):
            if isinstance(read.get(name), int):
                read[name] = Channel(0, int(str(read[name])))
        read.setdefault("active_timestamp", _next(active.active_timestamp if active else None))
        if kind == "pending":
            read.setdefault("pending_timestamp", _next(pending.pending_timestamp if pending else None))
            read.setdefault("delay_timer_ms", DEFAULT_DELAY_MS)
        tlvs = Dataset.of(**read).tlvs  # type: ignore[arg-type]  # each form gives what its field takes
    except EncodeError as problem:
        raise UsageError(f"fields: {problem}") from None
    return (*tlvs, *more.tlvs) if isinstance(more, Dataset) else tlvs


def _next(current: Timestamp | None) -> Timestamp:
    return Timestamp(1) if current is None else Timestamp(current.seconds + 1)


def _pskc(passphrase: str, fields: Mapping[str, object], active: Dataset | None) -> bytes:
    """Of the network as it will be called."""
    name = fields.get("network_name") or (active.network_name if active else None)
    ext_pan_id = fields.get("ext_pan_id") or (active.ext_pan_id if active else None)
    if not isinstance(name, str) or not isinstance(ext_pan_id, bytes):
        raise UsageError("fields: a passphrase needs the network's name and extended PAN ID")
    return derive_pskc(passphrase, name, ext_pan_id)


def refusal_of(
    kind: DatasetKind, tlvs: tuple[Tlv, ...], active: bytes, pending: bytes, session_id: int | None
) -> Refusal | None:
    """The rule that a refused change breaks; None where OpenThread's rules let it pass."""
    session = () if session_id is None else (tlv_of(_T.COMMISSIONER_SESSION_ID, session_id),)
    state = LeaderState(_dataset(active), _dataset(pending), session_id)
    verdict = judge_set(_REQUESTS[kind], join_tlvs((*session, *tlvs)), state, ManagementPolicy())
    if verdict.refusal is None:
        return None
    rule, expected, came = verdict.refusal
    return Refusal(rule=rule, expected=expected, came=came, symptom="State reject", hint=_HINTS.get(rule, ""))


_HINTS = {
    "affects-connectivity": "send it as a Pending Dataset: every device changes over when its delay is over",
    "active-timestamp-not-newer": "leave active_timestamp out, and the next one is taken",
    "pending-timestamp-not-newer": "leave pending_timestamp out, and the next one is taken",
    "active-timestamp-missing": "a change in hex needs an Active Timestamp of its own",
    "pending-timestamp-missing": "a Pending Dataset needs both timestamps",
}


def unexplained(session_lost: bool) -> Refusal:
    """State reject for a change that breaks none of OpenThread's rules."""
    if session_lost:
        return Refusal(
            rule="session-superseded",
            expected="the session id of the active Commissioner",
            came="ours, and another Commissioner has taken over",
            symptom="State reject",
            hint="petition again",
        )
    return Refusal(
        rule="state-reject",
        expected="State accept",
        came="State reject",
        symptom="none of OpenThread's rules is broken",
        hint="this Leader has rules of its own, or refuses everything",
    )


def _dataset(tlvs: bytes) -> Dataset | None:
    try:
        return Dataset.decode(tlvs) if tlvs else None
    except DecodeError:
        return None
