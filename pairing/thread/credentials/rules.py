"""What a phone's credential store asks of a border agent id and a dataset, each rule answering with a verdict.

Three questions in this order: is the id of the platform's kind, is the dataset whole, does the network show that border
agent on that network. A rule that finds nothing returns None. Where a known mistake yields exactly what came, its name
is in `came`; the right value is read from the live records when a router of that network is there.
Sources: Apple's and Google's developer documentation for sizes and for the search, Thread 1.4 for the dataset.
"""

from collections.abc import Iterator
from typing import NamedTuple

from pairing.errors import DecodeError
from pairing.thread.credentials.records import (
    Live,
    LiveRecord,
    NoSearch,
    Platform,
    PlatformOutcome,
    StoreFamily,
    Verdict,
)
from pairing.thread.credentials.symptoms import Rule, describe, outcome
from pairing.thread.dataset import Dataset, bytes_from_hex
from pairing.thread.tlvs import MeshCopTlvType, tlv_name

_HEX_DIGITS = b"0123456789abcdefABCDEF"
EXTENDED_PAN_ID_LENGTH = 8


class AgentId(NamedTuple):
    """What a platform calls a border agent id: whose word it is, its length, and the TXT key that carries it."""

    owner: str
    length: int
    key: str


AGENT_IDS = {
    StoreFamily.APPLE: AgentId("Apple", 8, "xa"),
    StoreFamily.GOOGLE: AgentId("Google", 16, "id"),
}


def judged(
    platform: Platform,
    word: str,
    rule: Rule,
    *,
    expected: str,
    came: str,
    hint: str,
    shown: PlatformOutcome | None = None,
) -> Verdict:
    """A verdict with the platform's symptom filled in."""
    symptom = describe(shown or outcome(platform, rule))
    return Verdict(verdict=word, rule=rule.value, expected=expected, came=came, symptom=symptom, hint=hint)


def refused(platform: Platform, rule: Rule, *, expected: str, came: str, hint: str) -> Verdict:
    """A verdict that says no."""
    return judged(platform, "refused", rule, expected=expected, came=came, hint=hint)


def read_hex(platform: Platform, rule: Rule, value: bytes | str, what: str) -> bytes | Verdict:
    """The bytes of an argument: bytes as they are, text as hexadecimal (a MAC's separators pass)."""
    if isinstance(value, bytes):
        return value
    text = value if rule is Rule.DATASET_NOT_HEX else value.replace(":", "").replace("-", "")
    try:
        return bytes_from_hex(text)
    except DecodeError as error:
        return refused(
            platform,
            rule,
            expected=f"{what} as hexadecimal text",
            came=f"{len(value)} characters; {error.reason}",
            hint="two hexadecimal digits a byte, such as 0e08…; the platform's own call takes the bytes",
        )


def check_border_agent_id(platform: Platform, agent_id: bytes, dataset: Dataset | None, live: Live) -> Verdict | None:
    """Whether the id has the size of the platform's kind."""
    wanted = AGENT_IDS.get(platform.family)
    if wanted is None or len(agent_id) == wanted.length:
        return None
    return refused(
        platform,
        Rule.BORDER_AGENT_ID_LENGTH,
        expected=f"{wanted.owner} wants the {wanted.length} bytes of `{wanted.key}`",
        came=_size(agent_id) + _length_mistake(agent_id, wanted),
        hint=right_value(wanted, dataset, live),
    )


def check_extended_pan_id(platform: Platform, extended_pan_id: bytes) -> Verdict | None:
    """Whether an extended PAN ID has its eight bytes."""
    if len(extended_pan_id) == EXTENDED_PAN_ID_LENGTH:
        return None
    return refused(
        platform,
        Rule.EXTENDED_PAN_ID_LENGTH,
        expected=f"an extended PAN ID of {EXTENDED_PAN_ID_LENGTH} bytes",
        came=_size(extended_pan_id),
        hint="it is `xp` in the `_meshcop._udp` TXT record, and TLV 2 of the dataset",
    )


def read_dataset(platform: Platform, data: bytes) -> Dataset | Verdict:
    """The dataset in the bytes, or why it is none."""
    try:
        return Dataset.decode(data)
    except DecodeError as error:
        return refused(
            platform,
            Rule.DATASET_UNPARSABLE,
            expected="the TLVs of an Active Operational Dataset",
            came=f"{_size(data)}, unparsable at offset {error.offset}: {error.reason}",
            hint=f"`pairlab dataset check` shows every finding; compare the bytes from offset {error.offset} on",
        )


def check_dataset(platform: Platform, dataset: Dataset) -> Verdict | None:
    """Whether nothing that an Active Operational Dataset must have is missing."""
    missing = dataset.missing("active")
    if not missing:
        return None
    names = ", ".join(f"{tlv_name(tlv_type)} ({int(tlv_type)})" for tlv_type in missing)
    return refused(
        platform,
        Rule.DATASET_MISSING_TLV,
        expected="a complete Active Operational Dataset",
        came=f"{dataset.length} bytes without {names}",
        hint="ask the border router for its whole active dataset; a partial one is for MGMT_ACTIVE_SET only",
    )


def check_live(platform: Platform, agent_id: bytes, dataset: Dataset, live: Live) -> Verdict | None:
    """Whether the network shows that border agent, on the network of the dataset."""
    wanted = AGENT_IDS.get(platform.family)
    if wanted is None or live is NoSearch.SKIPPED:
        return None
    if isinstance(live, NoSearch):
        return network_down(platform)
    same = [record for record in live if _value(record, wanted.key) == agent_id]
    if same:
        findings = [_other_network(platform, record, dataset) for record in same]
        return None if None in findings else findings[0]
    return _not_found(platform, wanted, agent_id, dataset, list(live))


def network_down(platform: Platform) -> Verdict:
    """The phone has no network to search."""
    return refused(
        platform,
        Rule.NETWORK_DOWN,
        expected="a local network on which the border agent's record can be found",
        came="the phone is not connected to one",
        hint="join the Wi-Fi network that the border router is on",
    )


def matching_record(platform: Platform, agent_id: bytes, live: Live) -> LiveRecord | None:
    """The live record of that border agent."""
    wanted = AGENT_IDS.get(platform.family)
    if wanted is None or isinstance(live, NoSearch):
        return None
    return next((record for record in live if _value(record, wanted.key) == agent_id), None)


def shows_network(record: LiveRecord, extended_pan_id: bytes) -> bool:
    """Whether that router is on that network."""
    return _value(record, "xp") == extended_pan_id


def right_value(wanted: AgentId, dataset: Dataset | None, live: Live) -> str:
    """Where the id that the platform wants is to be found: read from the network if a router of that network is."""
    xp = dataset.ext_pan_id if dataset else None
    network = f"the router whose `xp` is {xp.hex()}" if xp else "the border router"
    found = list(_live_values(wanted, xp, live)) if xp else []
    if found:
        values = " or ".join(f"{value.hex()} (`{wanted.key}` of {instance!r})" for instance, value in found)
        return f"use {values}: read now from {network}"
    where = f"read `{wanted.key}` in the `_meshcop._udp` TXT record of {network}"
    if isinstance(live, NoSearch) or not xp:
        return where
    return f"{where}; no record on the network has that `xp` and a `{wanted.key}` of {wanted.length} bytes now"


def _live_values(wanted: AgentId, extended_pan_id: bytes, live: Live) -> Iterator[tuple[str, bytes]]:
    for record in () if isinstance(live, NoSearch) else live:
        value = _value(record, wanted.key)
        if shows_network(record, extended_pan_id) and value is not None and len(value) == wanted.length:
            yield record.instance, value


def _other_network(platform: Platform, record: LiveRecord, dataset: Dataset) -> Verdict | None:
    """The border agent is there: does it name the network of the dataset?"""
    for key, rule, tlv_type in (
        ("xp", Rule.XP_DIFFERS, MeshCopTlvType.EXTENDED_PAN_ID),
        ("nn", Rule.NN_DIFFERS, MeshCopTlvType.NETWORK_NAME),
    ):
        stated, shown = dataset.value(tlv_type) or b"", _value(record, key)
        if stated != shown:
            return refused(
                platform,
                rule,
                expected=f"`{key}` {_readable(key, stated)} of the dataset in the record of {record.instance!r}",
                came=f"`{key}` {_readable(key, shown)}" if shown is not None else f"a record without `{key}`",
                hint="the border router has changed its network, or its record is stale: read its active dataset again",
            )
    return None


def _not_found(
    platform: Platform, wanted: AgentId, agent_id: bytes, dataset: Dataset, live: list[LiveRecord]
) -> Verdict:
    xp = dataset.ext_pan_id or b""
    on_network = [record for record in live if shows_network(record, xp)]
    without_txt = [record for record in live if record.txt is None]
    expected = f"a `_meshcop._udp` record with `{wanted.key}` {agent_id.hex()}"
    if on_network:
        shown = ", ".join(
            f"{_readable(wanted.key, _value(record, wanted.key))} of {record.instance!r}" for record in on_network
        )
        came = f"`{wanted.key}` {shown} on that network{_value_mistake(agent_id, wanted, dataset, live)}"
        rule = Rule.XA_MISMATCH if wanted.key == "xa" else Rule.ID_MISMATCH
        return refused(platform, rule, expected=expected, came=came, hint=right_value(wanted, dataset, live))
    if without_txt:
        return refused(
            platform,
            Rule.RECORD_WITHOUT_TXT,
            expected=expected,
            came=f"{len(without_txt)} of {_records(live)} came without TXT: {without_txt[0].instance!r}",
            hint="the responder must put TXT into its answers to queries, not only into announcements",
        )
    count = f"{_records(live)}, none with that `{wanted.key}` or that network" if live else "no record at all"
    return refused(
        platform,
        Rule.NO_MESHCOP_RECORD,
        expected=expected,
        came=count + _value_mistake(agent_id, wanted, dataset, live),
        hint=right_value(wanted, dataset, live),
    )


def _value(record: LiveRecord, key: str) -> bytes | None:
    return record.txt.get(key) if record.txt is not None else None


def _readable(key: str, value: bytes | None) -> str:
    if value is None:
        return "(absent)"
    return repr(value.decode("utf-8", "replace")) if key == "nn" else value.hex() or "(empty)"


def _records(live: list[LiveRecord]) -> str:
    return "1 record" if len(live) == 1 else f"{len(live)} records"


def _size(data: bytes) -> str:
    return "1 byte" if len(data) == 1 else f"{len(data)} bytes"


def _length_mistake(agent_id: bytes, wanted: AgentId) -> str:
    """The known mistake that gives an id of this length."""
    if len(agent_id) in (12, 16, 32) and all(character in _HEX_DIGITS for character in agent_id):
        return f", looks like the hexadecimal text of {len(agent_id) // 2} bytes"
    if len(agent_id) == 6:
        return ", looks like a 48-bit MAC"
    if len(agent_id) == 16 and agent_id[8:] == bytes(8):
        return ", looks like `xa` with eight zero bytes after it"
    if len(agent_id) == 16:
        return ", looks like a 16-byte Google id"
    if len(agent_id) == 8 and wanted.key == "id":
        return ", looks like Apple's `xa`"
    return ""


def _value_mistake(agent_id: bytes, wanted: AgentId, dataset: Dataset, live: list[LiveRecord]) -> str:
    """The known mistake that gives an id of the right length which no border agent has."""
    if agent_id == dataset.ext_pan_id:
        return "; the id given is the extended PAN ID"
    if any(_value(record, wanted.key) == agent_id[::-1] for record in live):
        return f"; the id given is a `{wanted.key}` in reverse byte order"
    if len(agent_id) == 16 and all(character in _HEX_DIGITS for character in agent_id):
        return "; the id given looks like the hexadecimal text of 8 bytes"
    if wanted.key == "id" and any(agent_id == (_value(record, "xa") or b"") + bytes(8) for record in live):
        return "; the id given is `xa` with eight zero bytes after it"
    if wanted.key == "xa" and agent_id[3:5] == b"\xff\xfe":
        return "; the id given looks like an EUI-64 made from a 48-bit MAC, but `xa` is random"
    return ""
