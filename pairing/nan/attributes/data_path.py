"""Attributes that set up a NAN data path: NDP and its extended form NDPE.

Source: Wi-Fi Aware specification 4.0, sections 9.5.11 (NDP) and 9.5.21 (NDPE).
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Self

from pairing.nan.attributes.base import AttributeRecord, NanAttributeId, attribute, require_length, require_range
from pairing.nan.identifiers import ADDRESS_LENGTH
from pairing.wire import Reader, Writer


class NdpType(IntEnum):
    """Low nibble of type and status; the high one is `schedule.NegotiationStatus`."""

    REQUEST = 0
    RESPONSE = 1
    CONFIRM = 2
    SECURITY_INSTALL = 3
    TERMINATE = 4


class NdpControl(IntFlag):
    """NDP and NDPE control, without the bits that say that a field is there (3 and 4, and in NDP 5)."""

    NONE = 0
    CONFIRM_REQUIRED = 1 << 0
    SECURITY_PRESENT = 1 << 2
    GTK_REQUIRED = 1 << 5
    """NDPE only; in NDP this bit says that service info follows."""


_PUBLISH_ID, _RESPONDER_NDI, _NDP_SERVICE_INFO = 1 << 3, 1 << 4, 1 << 5


@dataclass(frozen=True, slots=True)
class _Head:
    """What NDP and NDPE have in common, up to their last field."""

    dialog_token: int
    type_and_status: int
    reason: int
    initiator_ndi: bytes
    ndp_id: int
    control: int
    publish_id: int | None
    responder_ndi: bytes | None


def _read_head(reader: Reader) -> _Head:
    token, type_and_status, reason = reader.u8("dialog token"), reader.u8("type and status"), reader.u8("reason")
    ndi, ndp_id = reader.take(ADDRESS_LENGTH, "initiator NDI"), reader.u8("NDP ID")
    control = reader.u8("NDP control")
    publish_id = reader.u8("publish ID") if control & _PUBLISH_ID else None
    responder = reader.take(ADDRESS_LENGTH, "responder NDI") if control & _RESPONDER_NDI else None
    return _Head(token, type_and_status, reason, ndi, ndp_id, control, publish_id, responder)


def _write_head(record: "Ndp | NdpExtension", more_flags: int, writer: Writer) -> None:
    kind, status = require_range(record.type, 0xF, "NDP type"), require_range(record.status, 0xF, "NDP status")
    flags = _PUBLISH_ID * (record.publish_id is not None) | _RESPONDER_NDI * (record.responder_ndi is not None)
    writer.u8(record.dialog_token).u8(status << 4 | kind).u8(record.reason)
    writer.raw(require_length(record.initiator_ndi, ADDRESS_LENGTH, "initiator NDI")).u8(record.ndp_id)
    writer.u8(record.control & ~(_PUBLISH_ID | _RESPONDER_NDI) | flags | more_flags)
    if record.publish_id is not None:
        writer.u8(record.publish_id)
    if record.responder_ndi is not None:
        writer.raw(require_length(record.responder_ndi, ADDRESS_LENGTH, "responder NDI"))


@attribute(NanAttributeId.NDP)
@dataclass(frozen=True, slots=True, kw_only=True)
class Ndp(AttributeRecord):
    """Dialog token(1) type and status(1) reason(1) initiator NDI(6) NDP ID(1) control(1) [publish ID(1)]
    [responder NDI(6)] [service info].
    """

    dialog_token: int
    type: int
    """See `NdpType`."""
    status: int
    """See `schedule.NegotiationStatus`."""
    initiator_ndi: bytes
    ndp_id: int
    reason: int = 0
    control: NdpControl = NdpControl.NONE
    publish_id: int | None = None
    responder_ndi: bytes | None = None
    service_info: bytes | None = None
    surplus: bytes = b""

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """At least eleven octets."""
        head = _read_head(reader)
        return cls(
            dialog_token=head.dialog_token,
            type=head.type_and_status & 0xF,
            status=head.type_and_status >> 4,
            initiator_ndi=head.initiator_ndi,
            ndp_id=head.ndp_id,
            reason=head.reason,
            control=NdpControl(head.control & ~(_PUBLISH_ID | _RESPONDER_NDI | _NDP_SERVICE_INFO)),
            publish_id=head.publish_id,
            responder_ndi=head.responder_ndi,
            service_info=reader.rest() if head.control & _NDP_SERVICE_INFO else None,
            surplus=reader.rest(),
        )

    def write_body(self, writer: Writer) -> None:
        """The fixed octets, then the fields that are there."""
        _write_head(self, _NDP_SERVICE_INFO * (self.service_info is not None), writer)
        writer.raw(self.service_info or b"").raw(self.surplus)


class NdpeTlvType(IntEnum):
    """Types of an NDPE's TLVs."""

    IPV6_INTERFACE_ID = 0
    SERVICE_INFO = 1


@dataclass(frozen=True, slots=True)
class NdpeTlv:
    """Type(1) length(2) value."""

    type: int
    value: bytes


@attribute(NanAttributeId.NDP_EXTENSION)
@dataclass(frozen=True, slots=True, kw_only=True)
class NdpExtension(AttributeRecord):
    """NDPE: as NDP up to the responder NDI, then TLVs."""

    dialog_token: int
    type: int
    """See `NdpType`."""
    status: int
    """See `schedule.NegotiationStatus`."""
    initiator_ndi: bytes
    ndp_id: int
    reason: int = 0
    control: NdpControl = NdpControl.NONE
    publish_id: int | None = None
    responder_ndi: bytes | None = None
    tlvs: tuple[NdpeTlv, ...] = ()

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """At least eleven octets."""
        head = _read_head(reader)
        tlvs: list[NdpeTlv] = []
        while reader.remaining:
            kind = reader.u8("TLV type")
            tlvs.append(NdpeTlv(kind, reader.take(reader.u16le("TLV length"), "TLV value")))
        return cls(
            dialog_token=head.dialog_token,
            type=head.type_and_status & 0xF,
            status=head.type_and_status >> 4,
            initiator_ndi=head.initiator_ndi,
            ndp_id=head.ndp_id,
            reason=head.reason,
            control=NdpControl(head.control & ~(_PUBLISH_ID | _RESPONDER_NDI)),
            publish_id=head.publish_id,
            responder_ndi=head.responder_ndi,
            tlvs=tuple(tlvs),
        )

    def write_body(self, writer: Writer) -> None:
        """The fixed octets, the fields that are there, the TLVs."""
        _write_head(self, 0, writer)
        for tlv in self.tlvs:
            writer.u8(tlv.type).u16le(len(tlv.value)).raw(tlv.value)

    def tlv(self, kind: int) -> bytes | None:
        """Value of the first TLV of that type."""
        return next((tlv.value for tlv in self.tlvs if tlv.type == kind), None)
