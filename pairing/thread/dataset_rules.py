"""What may stand in an Operational Dataset: OpenThread's verdict, and the specification's.

`openthread_verdict` answers as OpenThread does when a dataset is set locally or by MGMT_SET: it lets much pass.
`strict_findings` lists every rule of the specification that the bytes break, among them all that OpenThread lets pass;
our own datasets have none. Both read raw bytes, so that they can judge what does not decode. Rule names are stable.
Source: Thread specification, chapters 8.4.3 and 8.10; OpenThread of November 2025 for the verdict.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from pairing.thread.dataset import FIELD_LENGTHS, MANDATORY, MAX_LENGTH, DatasetKind
from pairing.thread.fields import (
    FIRST_CHANNEL,
    LAST_CHANNEL,
    PAGE_24_GHZ,
    Channel,
    ChannelMask,
    SecurityPolicy,
    utf8_error,
)
from pairing.thread.tlvs import EXTENDED, MeshCopTlvType, tlv_name


class Finding(NamedTuple):
    """A broken rule: its name, what was expected, what came, and the offset in the dataset's bytes."""

    rule: str
    expected: str
    came: str
    offset: int


class Verdict(NamedTuple):
    """Yes, or no with the first rule that the dataset breaks."""

    accepted: bool
    rule: str | None = None
    expected: str = ""
    came: str = ""
    offset: int | None = None


class _Span(NamedTuple):
    """One TLV in the dataset: its type, where it and its value start, and the value."""

    type: int
    start: int
    value: bytes

    @property
    def value_start(self) -> int:
        return self.start + 2

    @property
    def name(self) -> str:
        return tlv_name(self.type)


def openthread_verdict(data: bytes, kind: DatasetKind = "active") -> Verdict:
    """Whether OpenThread stores these bytes as its Active or Pending Dataset; it applies the same rules to both."""
    finding = next(_refusals(data), None)
    return Verdict(True) if finding is None else Verdict(False, *finding)


def strict_findings(data: bytes, kind: DatasetKind = "active") -> tuple[Finding, ...]:
    """Every rule of the specification that the bytes break, those of the verdict first; empty for a good dataset."""
    findings = list(_refusals(data))
    spans, broken = _walk(data)
    if broken is None:
        present = {span.type for span in spans}
        findings += [
            Finding("missing-tlv", f"{tlv_name(tlv_type)} ({tlv_type})", "absent", len(data))
            for tlv_type in MANDATORY[kind]
            if tlv_type not in present
        ]
    for span in spans:
        if not any(_invalid(span)):
            findings += _strict(span, kind)
    return tuple(findings)


def _walk(data: bytes) -> tuple[list[_Span], Finding | None]:
    """The TLVs up to the end or to the first that is not whole, and what is wrong with that one."""
    spans: list[_Span] = []
    start, end = 0, len(data)
    while start < end:
        if start + 1 == end:
            return spans, Finding("truncated-header", "a type and a length byte", "1 byte", start)
        tlv_type, length = data[start], data[start + 1]
        if length == EXTENDED:
            came = f"{tlv_name(tlv_type)} with length byte 0xff"
            return spans, Finding("extended-length", "a length of one byte, 0 to 254", came, start + 1)
        if start + 2 + length > end:
            came = f"{end - start - 2} bytes"
            return spans, Finding("truncated-value", f"{tlv_name(tlv_type)} of {length} bytes", came, start + 2)
        spans.append(_Span(tlv_type, start, data[start + 2 : start + 2 + length]))
        start += 2 + length
    return spans, None


def _refusals(data: bytes) -> Iterator[Finding]:
    """What OpenThread refuses, in the order in which it looks."""
    if not data:
        yield Finding("empty", "at least one TLV", "no bytes", 0)
    if len(data) > MAX_LENGTH:
        yield Finding("too-long", f"at most {MAX_LENGTH} bytes", f"{len(data)} bytes", MAX_LENGTH)
    spans, broken = _walk(data)
    seen: set[int] = set()
    for span in spans:
        yield from _invalid(span)
        if span.type in seen:
            yield Finding("duplicate-tlv", f"{span.name} once", "a second one", span.start)
        seen.add(span.type)
    if broken is not None:
        yield broken


def _invalid(span: _Span) -> Iterator[Finding]:
    """Why OpenThread refuses this one TLV, if it does."""
    needed = FIELD_LENGTHS.get(span.type, 0)
    if len(span.value) < needed:
        came = f"{len(span.value)} bytes"
        yield Finding("value-too-short", f"{span.name} of {needed} bytes", came, span.value_start)
    elif check := _CHECKS.get(span.type):
        yield from check(span)


def _check_channel(span: _Span) -> Iterator[Finding]:
    channel = Channel.decode(span.value)
    if channel.page != PAGE_24_GHZ:
        yield Finding("channel-page", f"{span.name} of page 0 (2.4 GHz)", f"page {channel.page}", span.value_start)
    elif not FIRST_CHANNEL <= channel.channel <= LAST_CHANNEL:
        expected = f"{span.name} from {FIRST_CHANNEL} to {LAST_CHANNEL}"
        yield Finding("channel-range", expected, f"channel {channel.channel}", span.value_start + 1)


def _check_network_name(span: _Span) -> Iterator[Finding]:
    bad = utf8_error(span.value)
    control = next((place for place, byte in enumerate(span.value) if byte < 0x20 or byte == 0x7F), None)
    if bad is not None:
        came = f"byte 0x{span.value[bad]:02x}"
        yield Finding("network-name-utf8", "a network name in UTF-8", came, span.value_start + bad)
    elif control is not None:
        came = f"byte 0x{span.value[control]:02x}"
        expected = "a network name without control characters"
        yield Finding("network-name-control", expected, came, span.value_start + control)


def _check_channel_mask(span: _Span) -> Iterator[Finding]:
    """Entry by entry as far as they are whole; entries of other pages are not looked into."""
    value = span.value
    place = 0
    if not value:
        yield Finding("channel-mask-empty", "at least one channel mask entry", "none", span.value_start)
    while place < len(value):
        at = span.value_start + place
        if place + 1 == len(value):
            yield Finding("channel-mask-header", "a page and a mask length byte", "1 byte", at)
            return
        page, length = value[place], value[place + 1]
        if place + 2 + length > len(value):
            came = f"{len(value) - place - 2} bytes"
            yield Finding("channel-mask-truncated", f"a mask of {length} bytes", came, at + 2)
            return
        if page == PAGE_24_GHZ and length != 4:
            yield Finding("channel-mask-length", "4 mask bytes for page 0", f"{length} bytes", at + 1)
        place += 2 + length


_CHECKS: dict[int, Callable[[_Span], Iterator[Finding]]] = {
    MeshCopTlvType.CHANNEL: _check_channel,
    MeshCopTlvType.WAKEUP_CHANNEL: _check_channel,
    MeshCopTlvType.NETWORK_NAME: _check_network_name,
    MeshCopTlvType.CHANNEL_MASK: _check_channel_mask,
}

# Longest value that the specification gives a field of fixed size; a security policy has one or two flags bytes.
_LONGEST = {**FIELD_LENGTHS, MeshCopTlvType.SECURITY_POLICY: 4}
_PENDING_ONLY = (MeshCopTlvType.PENDING_TIMESTAMP, MeshCopTlvType.DELAY_TIMER)
_MAX_NAME = 16
_MIN_ROTATION_HOURS = 2
_MAX_DELAY_MS = 72 * 3_600_000


def _strict(span: _Span, kind: DatasetKind) -> Iterator[Finding]:
    """The specification's rules for one TLV that OpenThread would accept."""
    longest = _LONGEST.get(span.type)
    if longest is not None and len(span.value) > longest:
        expected, came = f"{span.name} of {longest} bytes", f"{len(span.value)} bytes"
        yield Finding("value-too-long", expected, came, span.value_start + longest)
    if kind == "active" and span.type in _PENDING_ONLY:
        yield Finding("pending-only", f"no {span.name} in an Active Dataset", span.name, span.start)
    if strict := _STRICT.get(span.type):
        yield from strict(span)


def _strict_network_name(span: _Span) -> Iterator[Finding]:
    if not 1 <= len(span.value) <= _MAX_NAME:
        expected, came = f"a network name of 1 to {_MAX_NAME} bytes", f"{len(span.value)} bytes"
        yield Finding("network-name-length", expected, came, span.value_start)
    try:
        span.value.decode()
    except UnicodeDecodeError as error:
        came = "an overlong form or a surrogate"
        yield Finding("network-name-utf8", "a network name in UTF-8", came, span.value_start + error.start)


def _strict_mesh_local_prefix(span: _Span) -> Iterator[Finding]:
    if span.value[0] != 0xFD:
        came = f"first byte 0x{span.value[0]:02x}"
        yield Finding("mesh-local-prefix", "a prefix in fd00::/8", came, span.value_start)


def _strict_pan_id(span: _Span) -> Iterator[Finding]:
    if span.value[:2] == b"\xff\xff":
        yield Finding("pan-id-broadcast", "a PAN ID other than the broadcast one", "0xffff", span.value_start)


def _strict_channel_mask(span: _Span) -> Iterator[Finding]:
    """Only 2.4 GHz channels on page 0, at least one."""
    channels = ChannelMask.decode(span.value).channels()
    foreign = [channel for channel in channels if not FIRST_CHANNEL <= channel <= LAST_CHANNEL]
    if len(foreign) == len(channels):
        expected = f"a channel from {FIRST_CHANNEL} to {LAST_CHANNEL} in the mask"
        yield Finding("channel-mask-zero", expected, "none", span.value_start)
    if foreign:
        expected = f"channels {FIRST_CHANNEL} to {LAST_CHANNEL} in the mask of page 0"
        yield Finding("channel-mask-range", expected, f"channel {foreign[0]}", span.value_start)


def _strict_security_policy(span: _Span) -> Iterator[Finding]:
    policy = SecurityPolicy.decode(span.value)
    if policy.rotation_hours < _MIN_ROTATION_HOURS:
        expected = f"key rotation of {_MIN_ROTATION_HOURS} hours or more"
        yield Finding("rotation-too-short", expected, f"{policy.rotation_hours} hours", span.value_start)
    if policy.reserved != 7:
        came = f"0x{policy.flags[1]:02x}"
        expected = "the reserved bits 0x38 of the second flags byte as ones"
        yield Finding("security-policy-reserved", expected, came, span.value_start + 3)


def _strict_delay_timer(span: _Span) -> Iterator[Finding]:
    delay = int.from_bytes(span.value[:4], "big")
    if delay > _MAX_DELAY_MS:
        yield Finding("delay-timer-range", "a delay of at most 72 hours", f"{delay} ms", span.value_start)


_STRICT: dict[int, Callable[[_Span], Iterator[Finding]]] = {
    MeshCopTlvType.NETWORK_NAME: _strict_network_name,
    MeshCopTlvType.MESH_LOCAL_PREFIX: _strict_mesh_local_prefix,
    MeshCopTlvType.PAN_ID: _strict_pan_id,
    MeshCopTlvType.CHANNEL_MASK: _strict_channel_mask,
    MeshCopTlvType.SECURITY_POLICY: _strict_security_policy,
    MeshCopTlvType.DELAY_TIMER: _strict_delay_timer,
}
