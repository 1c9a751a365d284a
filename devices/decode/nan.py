"""The attributes of Wi-Fi Aware: split here, read by the codecs of `pairing.nan`, explained by the `nan_*` modules.

Those register a function for each record with `explains`; an attribute without one shows its fields as they are.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from devices.decode.fields import Field, Meanings, TracedReader
from devices.decode.layers import layer
from pairing.nan.attributes import AttributeRecord, NanAttributeId, decode_attribute_list, registered_ids
from pairing.nan.frames import SDF_TYPE
from pairing.nan.identifiers import NAN_OUI

HEADER = 3
_R = TypeVar("_R", bound=AttributeRecord)
_EXPLAINERS: dict[type[AttributeRecord], Callable[[Any, Meanings], str]] = {}
_SHORT = {
    NanAttributeId.SERVICE_DESCRIPTOR: "SDA",
    NanAttributeId.SERVICE_DESCRIPTOR_EXTENSION: "SDEA",
    NanAttributeId.CIPHER_SUITE_INFO: "CSIA",
    NanAttributeId.SECURITY_CONTEXT_INFO: "SCIA",
    NanAttributeId.SHARED_KEY_DESCRIPTOR: "SKDA",
    NanAttributeId.NDP_EXTENSION: "NDPE",
    NanAttributeId.DEVICE_CAPABILITY_EXTENSION: "DCEA",
    NanAttributeId.IDENTITY_RESOLUTION: "NIRA",
    NanAttributeId.PAIRING_BOOTSTRAPPING: "NPBA",
    NanAttributeId.PAIRING_BOOTSTRAPPING_EXTENSION: "PBEA",
}
_UPPER = frozenset(("ID", "NDP", "NDC", "NDL", "QOS", "P2P", "IBSS", "WLAN", "FTM", "S3"))


def explains(record: type[_R]) -> Callable[[Callable[[_R, Meanings], str]], Callable[[_R, Meanings], str]]:
    """Register the function that gives the fields of a record their meanings and says in a few words what it is."""

    def register(explain: Callable[[_R, Meanings], str]) -> Callable[[_R, Meanings], str]:
        _EXPLAINERS[record] = explain
        return explain

    return register


def title(attribute_id: int) -> str:
    """The name of an attribute, `Service Descriptor (SDA)`."""
    try:
        name = NanAttributeId(attribute_id).name
    except ValueError:
        return f"Attribute {attribute_id:#04x}"
    words = " ".join(word if word in _UPPER else word.capitalize() for word in name.split("_"))
    short = _SHORT.get(NanAttributeId(attribute_id))
    return f"{words} ({short})" if short else words


def _guess(data: bytes) -> int:
    """Attributes that end where the bytes end; the more of their ids are known, the likelier."""
    known = unknown = at = 0
    while at + HEADER <= len(data):
        if data[at] in registered_ids():
            known += 1
        else:
            unknown += 1
        at += HEADER + int.from_bytes(data[at + 1 : at + 3], "little")
    if not known or unknown > known:
        return 0
    return min(70, 25 + 15 * known) if at == len(data) else min(50, 10 * (known - 1))


@layer("nan", "Wi-Fi Aware attributes", guess=_guess)
def read_layer(reader: TracedReader) -> None:
    """Attributes up to the end, or the content of a NAN element with its OUI and type."""
    if reader.peek(4) == NAN_OUI + bytes((SDF_TYPE,)):
        reader.take(3, "OUI")
        reader.u8("OUI type")
    read_attributes(reader)


def read_attributes(reader: TracedReader) -> None:
    """Attributes up to the end of the reader."""
    while reader.remaining:
        head = reader.peek(HEADER)
        name = title(head[0])
        if len(head) < HEADER:
            reader.take(HEADER, f"header of {name}")
        with reader.group(name) as group:
            _read_one(reader.sub(HEADER + int.from_bytes(head[1:], "little"), name), group)


def _read_one(reader: TracedReader, group: Field) -> None:
    try:
        (record,) = decode_attribute_list(reader)
    finally:
        # Id, length, and what is in the body, all at one depth, however far the codec got.
        head, bodies = reader.fields[:2], reader.fields[2:]
        group.fields[:] = head + [each for body in bodies for each in body.fields or [body]]
    for each, what in zip(group.fields, ("attribute id", "length"), strict=False):
        each.name = what
    explain = _EXPLAINERS.get(type(record)) if isinstance(record, AttributeRecord) else None
    if explain is not None:
        group.meaning = explain(record, Meanings(group.fields))
