"""Home Assistant's Thread dataset store (release 2026.11): its websocket calls and its rules, on rows.

One entry a network, told apart by extended PAN ID; our dataset ids are that id in hexadecimal. What a TLV run may be is
python-otbr-api's word, which differs from a Thread device's. Choosing a preferred dataset by itself takes Home
Assistant 30 s of looking around: `prefer_only_network` is the end of that, for a driver that has the time.
Source: the release's own code, run for the outcomes of adding.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pairing.errors import DecodeError
from pairing.thread.credentials.records import CallResult, Credentials, ProfileOutcome, Row, StoreFamily, Verdict
from pairing.thread.credentials.request import DATASET, Request
from pairing.thread.credentials.rules import read_hex, refused
from pairing.thread.credentials.symptoms import Rule
from pairing.thread.fields import Timestamp
from pairing.thread.tlvs import MeshCopTlvType, tlv_name

Tlvs = dict[int, bytes]

DISCOVERY_WAIT_S = 30
"""How long Home Assistant looks for other routers before it prefers a network by itself."""
_BEACONS = 0x08
"""The old Beacons flag, in the third byte of the security policy."""
_TIMESTAMPS = (MeshCopTlvType.ACTIVE_TIMESTAMP, MeshCopTlvType.PENDING_TIMESTAMP)


def parse_tlvs(data: bytes) -> Tlvs:
    """The TLVs by type, as python-otbr-api's parser takes or refuses them."""
    tlvs: Tlvs = {}
    place = 0
    while place < len(data):
        if place + 2 > len(data):
            raise DecodeError(place, "TLV header needs 2 bytes, 1 left")
        tlv_type, length = data[place], data[place + 1]
        value = data[place + 2 : place + 2 + length]
        if len(value) < length:
            raise DecodeError(place + 2, f"{tlv_name(tlv_type)} needs {length} bytes, {len(value)} left")
        if tlv_type in tlvs:
            raise DecodeError(place, f"{tlv_name(tlv_type)} comes twice")
        _check_value(tlv_type, value, place + 2)
        tlvs[tlv_type] = value
        place += 2 + length
    return tlvs


def _check_value(tlv_type: int, value: bytes, place: int) -> None:
    name = tlv_name(tlv_type)
    if tlv_type in _TIMESTAMPS and len(value) != 8:
        raise DecodeError(place, f"{name} has {len(value)} bytes, expected 8")
    if tlv_type == MeshCopTlvType.DELAY_TIMER and len(value) != 4:
        raise DecodeError(place, f"{name} has {len(value)} bytes, expected 4")
    if tlv_type == MeshCopTlvType.CHANNEL and not any(value):
        raise DecodeError(place, f"{name} is 0")
    if tlv_type == MeshCopTlvType.NETWORK_NAME:
        try:
            value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DecodeError(place + error.start, f"{name} is not UTF-8") from None


def check(request: Request) -> Tlvs | Verdict:
    """The TLVs of the request's dataset, if Home Assistant would take them at all."""
    data = request.octets(DATASET)
    if isinstance(data, Verdict):
        return data
    try:
        tlvs = parse_tlvs(data)
    except DecodeError as error:
        return refused(
            request.platform,
            Rule.DATASET_UNPARSABLE,
            expected="TLVs that python-otbr-api parses",
            came=f"{len(data)} bytes, unparsable at offset {error.offset}: {error.reason}",
            hint=f"compare the bytes from offset {error.offset} on",
        )
    needed = (MeshCopTlvType.EXTENDED_PAN_ID, MeshCopTlvType.ACTIVE_TIMESTAMP)
    missing = [f"{tlv_name(tlv_type)} ({int(tlv_type)})" for tlv_type in needed if tlv_type not in tlvs]
    if missing:
        return refused(
            request.platform,
            Rule.DATASET_MISSING_TLV,
            expected="a dataset with an extended PAN ID and an active timestamp",
            came=f"{len(data)} bytes without {', '.join(missing)}",
            hint="ask the border router for its whole active dataset",
        )
    return tlvs


def _add(request: Request) -> CallResult:
    """Add or update; the outcome depends on what is stored for that network."""
    tlvs = check(request)
    if isinstance(tlvs, Verdict):
        return request.refuse(tlvs)
    agent = _border_agent(request, "preferred_")
    if isinstance(agent, Verdict):
        return request.refuse(agent)
    agent_id, address = agent
    if agent_id and not address:
        return request.refuse_by(
            Rule.BORDER_AGENT_WITHOUT_ADDRESS,
            expected="the extended address of the preferred border agent",
            came="its id alone",
            hint="give preferred_extended_address, the `xa` of that router, too",
        )
    old = _row_of(request.rows, tlvs[MeshCopTlvType.EXTENDED_PAN_ID])
    new = Row(
        family=StoreFamily.HOME_ASSISTANT,
        owner="",
        border_agent_id=agent_id,
        extended_address=address,
        extended_pan_id=tlvs[MeshCopTlvType.EXTENDED_PAN_ID],
        dataset=_joined(tlvs),
        source=request.text("source", "test"),
        created=request.date,
        modified=request.date,
    )
    return _compared(request, old, new, tlvs)


def _compared(request: Request, old: Row | None, new: Row, tlvs: Tlvs) -> CallResult:
    expected = "a network that is not stored, or a newer active timestamp"
    if old is None:
        return _stored(request, Rule.NEW_NETWORK, (*request.rows, new), expected, "a network that is not stored")
    stored = parse_tlvs(old.dataset)
    updated = replace(with_border_agent(old, new.border_agent_id, new.extended_address), modified=request.date)
    if stored == tlvs:
        rows = _replaced(request.rows, old, replace(updated, modified=old.modified))
        return _stored(request, Rule.SAME_DATASET, rows, expected, "the TLVs that are stored, in this or another order")
    old_time, new_time = _time(stored), _time(tlvs)
    came = (
        f"active timestamp {new_time[0]} s and {new_time[1]} ticks; stored is {old_time[0]} s and {old_time[1]} ticks"
    )
    rows = _replaced(request.rows, old, replace(updated, dataset=new.dataset))
    if new_time > old_time:
        return _stored(request, Rule.NEWER_TIMESTAMP, rows, expected, came)
    if new_time == old_time and _without_ignorable(stored) == _without_ignorable(tlvs):
        came += "; they differ by the wake-up channel or the old Beacons flag alone"
        return _stored(request, Rule.SAME_TIMESTAMP_EQUIVALENT, rows, expected, came)
    rule = Rule.SAME_TIMESTAMP_DIFFERS if new_time == old_time else Rule.OLDER_TIMESTAMP
    return request.done(
        "discarded",
        rule,
        expected=expected,
        came=came,
        hint="change a running network by a pending dataset, which carries a newer timestamp",
    )


def _stored(request: Request, rule: Rule, rows: tuple[Row, ...], expected: str, came: str) -> CallResult:
    return request.done(
        "stored",
        rule,
        expected=expected,
        came=came,
        hint="the entry keeps its id, its source and whether it is preferred",
        rows=rows,
    )


def with_border_agent(row: Row, agent_id: bytes, address: bytes) -> Row:
    """The entry with its preferred border agent: set once, refreshed only for the same id with a new address."""
    if not address:
        return row
    is_refresh = bool(agent_id) and agent_id == row.border_agent_id
    if row.extended_address and not is_refresh:
        return row
    return replace(row, border_agent_id=agent_id, extended_address=address)


def prefer_only_network(rows: tuple[Row, ...], dataset_id: str, seen: Sequence[bytes]) -> tuple[Row, ...]:
    """The rows after Home Assistant's own choice, made once: `seen` are the extended addresses found in 30 s.

    The new entry becomes preferred if its own router is among them and no other, unless it is gone or something has
    become preferred meanwhile.
    """
    row = _row_of(rows, bytes.fromhex(dataset_id))
    if row is None or any(_is_ours(other) and other.preferred for other in rows):
        return rows
    if not row.extended_address or set(seen) != {row.extended_address}:
        return rows
    return _replaced(rows, row, replace(row, preferred=True))


def _delete(request: Request) -> CallResult:
    row = _asked_for(request)
    if isinstance(row, CallResult):
        return row
    if row.preferred:
        return request.refuse_by(
            Rule.PREFERRED_CANNOT_BE_DELETED,
            expected="an entry that is not preferred",
            came="the preferred one",
            hint="prefer another network first",
        )
    rows = tuple(other for other in request.rows if other is not row)
    came = f"network {row.extended_pan_id.hex()}"
    hint = "the border router keeps its network"
    return request.done("deleted", Rule.OWN_ENTRIES, expected="a stored entry", came=came, hint=hint, rows=rows)


def _get(request: Request) -> CallResult:
    row = _asked_for(request)
    return row if isinstance(row, CallResult) else _found(request, row)


def _list(request: Request) -> CallResult:
    rows = [row for row in request.rows if _is_ours(row)]
    return request.done(
        "found",
        Rule.OWN_ENTRIES,
        expected="stored entries",
        came=f"{len(rows)} of them",
        hint="get_dataset_tlv gives the dataset of one",
        value=tuple(Credentials.of(row) for row in rows),
    )


def _set_preferred(request: Request) -> CallResult:
    row = _asked_for(request)
    if isinstance(row, CallResult):
        return row
    rows = tuple(replace(other, preferred=other is row) if _is_ours(other) else other for other in request.rows)
    return _changed(request, row, rows)


def _set_border_agent(request: Request) -> CallResult:
    row = _asked_for(request)
    if isinstance(row, CallResult):
        return row
    agent = _border_agent(request, "")
    if isinstance(agent, Verdict):
        return request.refuse(agent)
    changed = replace(row, border_agent_id=agent[0], extended_address=agent[1])
    return _changed(request, row, _replaced(request.rows, row, changed))


METHODS: Mapping[str, Callable[[Request], CallResult]] = {
    "add_dataset_tlv": _add,
    "delete_dataset": _delete,
    "get_dataset_tlv": _get,
    "list_datasets": _list,
    "set_preferred_dataset": _set_preferred,
    "set_preferred_border_agent": _set_border_agent,
}
"""Websocket commands, without their `thread/`."""

OUTCOMES: Mapping[ProfileOutcome, tuple[Rule, tuple[str, ...]]] = {}
"""Home Assistant has none of the phones' states."""


def _found(request: Request, row: Row) -> CallResult:
    return request.done(
        "found",
        Rule.OWN_ENTRIES,
        expected="a stored entry",
        came=f"network {row.extended_pan_id.hex()}",
        hint="nothing is asked of the user",
        value=Credentials.of(row),
    )


def _changed(request: Request, row: Row, rows: tuple[Row, ...]) -> CallResult:
    came = f"network {row.extended_pan_id.hex()}"
    hint = "list_datasets shows it"
    return request.done("stored", Rule.OWN_ENTRIES, expected="a stored entry", came=came, hint=hint, rows=rows)


def _asked_for(request: Request) -> Row | CallResult:
    dataset_id = request.text("dataset_id")
    for row in request.rows:
        if _is_ours(row) and row.extended_pan_id.hex() == dataset_id.lower():
            return row
    return request.refuse_by(
        Rule.NO_CREDENTIAL,
        expected=f"an entry with id {dataset_id!r}",
        came="none",
        hint="list_datasets names the ids",
    )


def _border_agent(request: Request, prefix: str) -> tuple[bytes, bytes] | Verdict:
    """The border agent id and extended address among the arguments, each empty if absent."""
    found: list[bytes] = []
    for name in (f"{prefix}border_agent_id", f"{prefix}extended_address"):
        value = request.arguments.get(name) or b""
        octets = value if isinstance(value, bytes) else _hex(request, str(value), name)
        if isinstance(octets, Verdict):
            return octets
        found.append(octets)
    return found[0], found[1]


def _hex(request: Request, text: str, name: str) -> bytes | Verdict:
    return read_hex(request.platform, Rule.BORDER_AGENT_NOT_HEX, text, name)


def _is_ours(row: Row) -> bool:
    return row.family is StoreFamily.HOME_ASSISTANT


def _row_of(rows: Sequence[Row], extended_pan_id: bytes) -> Row | None:
    return next((row for row in rows if _is_ours(row) and row.extended_pan_id == extended_pan_id), None)


def _replaced(rows: tuple[Row, ...], old: Row, new: Row) -> tuple[Row, ...]:
    return tuple(new if row is old else row for row in rows)


def _joined(tlvs: Tlvs) -> bytes:
    return b"".join(bytes((tlv_type, len(value))) + value for tlv_type, value in tlvs.items())


def _time(tlvs: Tlvs) -> tuple[int, int]:
    timestamp = Timestamp.decode(tlvs[MeshCopTlvType.ACTIVE_TIMESTAMP])
    return timestamp.seconds, timestamp.ticks


def _without_ignorable(tlvs: Tlvs) -> Tlvs:
    """The TLVs without what Home Assistant does not call a difference."""
    kept = {tlv_type: value for tlv_type, value in tlvs.items() if tlv_type != MeshCopTlvType.WAKEUP_CHANNEL}
    policy = kept.get(MeshCopTlvType.SECURITY_POLICY)
    if policy is not None and len(policy) > 2:
        kept[MeshCopTlvType.SECURITY_POLICY] = policy[:2] + bytes([policy[2] & ~_BEACONS]) + policy[3:]
    return kept
