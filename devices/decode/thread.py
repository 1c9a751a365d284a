"""Thread's operational datasets and MeshCoP TLVs, each value by its codec.

Keys are shown: who has the bytes has them.
"""

from collections.abc import Mapping

from devices.decode.fields import TracedReader
from devices.decode.layers import layer
from pairing.errors import DecodeError
from pairing.thread.dataset import MANDATORY, MAX_LENGTH, Dataset, DatasetKind, prefix_text
from pairing.thread.dataset_rules import openthread_verdict, strict_findings
from pairing.thread.tlv_values import State, UdpEncapsulation, field_of
from pairing.thread.tlvs import EXTENDED, MeshCopTlvType, Tlv, tlv_name

_DATASET_TYPES = frozenset((*MANDATORY["pending"], MeshCopTlvType.WAKEUP_CHANNEL))
_KNOWN = frozenset(MeshCopTlvType)


def _heads(data: bytes) -> tuple[list[int], bool]:
    """Types of the TLVs as far as they are whole, and whether they end where the bytes end."""
    types: list[int] = []
    at = 0
    while at + 2 <= len(data):
        length, start = data[at + 1], at + 2
        if length == EXTENDED:
            length, start = int.from_bytes(data[start : start + 2], "big"), start + 2
        types.append(data[at])
        at = start + length
    return types, at == len(data)


def _guess_dataset(data: bytes) -> int:
    types, is_whole = _heads(data)
    if len(data) > MAX_LENGTH or EXTENDED in (data[1:2] or b"\0"):
        return 0
    whole = types if is_whole else types[:-1]
    known = sum(each in _DATASET_TYPES for each in whole)
    if known < 3 or known < len(whole) - known:
        return 0
    return (96 if set(MANDATORY["active"]) <= set(types) else 72) - (0 if is_whole else 10)


def _guess_tlvs(data: bytes) -> int:
    types, is_whole = _heads(data)
    whole = types if is_whole else types[:-1]
    known = sum(each in _KNOWN for each in whole)
    if not whole or known < len(whole):
        return 0
    return min(60, 18 + 8 * known) if is_whole else min(45, 6 * known)


@layer("dataset", "Thread operational dataset", guess=_guess_dataset)
def read_dataset(reader: TracedReader) -> None:
    """TLVs up to the end, then what rules say of the whole."""
    data, base = reader.peek(reader.remaining), reader.offset
    _read_tlvs(reader, is_extended_allowed=False)
    try:
        dataset = Dataset.decode(data)
    except DecodeError as error:
        raise DecodeError(base + error.offset, error.reason) from None
    kind: DatasetKind = "pending" if MeshCopTlvType.PENDING_TIMESTAMP in dataset else "active"
    verdict = openthread_verdict(data, kind)
    said = "OpenThread accepts it" if verdict.accepted else f"OpenThread refuses it: {verdict.rule}"
    for finding in strict_findings(data, kind):
        said += f"; {finding.rule}: expected {finding.expected}, came {finding.came}"
    with reader.group(f"verdict ({kind} dataset)", said):
        pass


@layer("tlvs", "MeshCoP TLVs", guess=_guess_tlvs)
def read_tlvs(reader: TracedReader) -> None:
    """TLVs up to the end, in the extended form too."""
    _read_tlvs(reader, is_extended_allowed=True)


def _read_tlvs(reader: TracedReader, *, is_extended_allowed: bool) -> None:
    while reader.remaining:
        tlv_type = reader.peek(1)[0]
        with reader.group(f"{tlv_name(tlv_type)} ({tlv_type})") as group:
            reader.u8("type")
            length = reader.u8("length")
            if length == EXTENDED:
                if not is_extended_allowed:
                    raise DecodeError(
                        reader.offset - 1, f"{tlv_name(tlv_type)}: extended length form, not in a dataset"
                    )
                length = reader.u16be("extended length")
            value = reader.take(length, tlv_name(tlv_type))
            reader.last.name = "value"
            group.meaning = _meaning(Tlv(tlv_type, value))
            if tlv_type == MeshCopTlvType.UDP_ENCAPSULATION and len(value) >= 4:
                inner = TracedReader(value, reader.last.offset, reader.last.fields)
                inner.u16be("source port")
                inner.u16be("destination port")
                inner.take(inner.remaining, "UDP payload")


def _meaning(tlv: Tlv) -> str:
    """The value in words; a value that cannot be read says why, since a network may carry it all the same."""
    try:
        field = field_of(tlv)
    except DecodeError as error:
        return f"not readable: {error.reason}"
    match field:
        case UdpEncapsulation():
            return f"from port {field.source_port} to {field.destination_port}"
        case bytes() if tlv.type == MeshCopTlvType.MESH_LOCAL_PREFIX:
            return prefix_text(field)
        case bytes():
            return field.hex()
        case int() if tlv.type in _HEX_NUMBERS:
            return f"{field:#06x}"
        case int() if tlv.type in _UNITS:
            return f"{field} {_UNITS[tlv.type]}"
        case tuple() if tlv.type == MeshCopTlvType.GET:
            return ", ".join(tlv_name(each) for each in tlv.value) or "everything"
        case tuple() if tlv.type == MeshCopTlvType.ENERGY_LIST:
            return ", ".join(f"{level} dBm" for level in field)
        case State():
            return field.name.lower()
    return str(field)


_HEX_NUMBERS = frozenset(
    (MeshCopTlvType.PAN_ID, MeshCopTlvType.BORDER_AGENT_LOCATOR, MeshCopTlvType.JOINER_ROUTER_LOCATOR)
)
_UNITS: Mapping[int, str] = {
    MeshCopTlvType.DELAY_TIMER: "ms",
    MeshCopTlvType.PERIOD: "ms",
    MeshCopTlvType.SCAN_DURATION: "ms",
}
