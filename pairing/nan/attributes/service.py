"""Attributes that describe one service in a service discovery frame: SDA, SDEA, and the element container.

Matching filters and service response filters are raw here; `matching_filter` and `service_response_filter` judge them.
Source: Wi-Fi Aware specification 4.0, sections 9.5.4 (SDA), 9.5.4.2 (SDEA).
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Self

from pairing.nan.attributes.base import AttributeRecord, NanAttributeId, attribute, require_length, require_range
from pairing.nan.attributes.synchronization import SERVICE_ID_LENGTH
from pairing.nan.identifiers import NAN_OUI
from pairing.wire import Reader, Writer

_TYPE = 0x03
_MATCHING_FILTER = 0x04
_RESPONSE_FILTER = 0x08
_SERVICE_INFO = 0x10
_RANGE_LIMITED = 0x20
_BINDING_BITMAP = 0x40
_RESERVED = 0x80


class ServiceControlType(IntEnum):
    """What an SDF is: there is no other subtype."""

    PUBLISH = 0
    SUBSCRIBE = 1
    FOLLOW_UP = 2
    RESERVED = 3


@attribute(NanAttributeId.SERVICE_DESCRIPTOR)
@dataclass(frozen=True, slots=True)
class ServiceDescriptor(AttributeRecord):
    """SDA: service ID(6) instance ID(1) requestor instance ID(1) control(1), then what the control flags."""

    service_id: bytes
    instance_id: int
    """The sender's own publish or subscribe ID."""
    requestor_instance_id: int
    """The peer's ID that is being answered; 0 in unsolicited frames."""
    type: ServiceControlType
    binding_bitmap: int | None = None
    matching_filter: bytes | None = None
    service_response_filter: bytes | None = None
    service_info: bytes | None = None
    is_range_limited: bool = False
    is_reserved_bit_set: bool = False
    surplus: bytes = b""

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """At least nine octets."""
        service_id = reader.take(SERVICE_ID_LENGTH, "service ID")
        instance_id, requestor, control = (
            reader.u8("instance ID"),
            reader.u8("requestor instance ID"),
            reader.u8("control"),
        )
        return cls(
            service_id,
            instance_id,
            requestor,
            ServiceControlType(control & _TYPE),
            reader.u16le("binding bitmap") if control & _BINDING_BITMAP else None,
            _block(reader, "matching filter") if control & _MATCHING_FILTER else None,
            _block(reader, "service response filter") if control & _RESPONSE_FILTER else None,
            _block(reader, "service info") if control & _SERVICE_INFO else None,
            bool(control & _RANGE_LIMITED),
            bool(control & _RESERVED),
            reader.rest(),
        )

    def write_body(self, writer: Writer) -> None:
        """The fixed octets, then the optional fields that are there."""
        writer.raw(require_length(self.service_id, SERVICE_ID_LENGTH, "service ID"))
        writer.u8(self.instance_id).u8(self.requestor_instance_id).u8(self._control())
        if self.binding_bitmap is not None:
            writer.u16le(self.binding_bitmap)
        for block in (self.matching_filter, self.service_response_filter, self.service_info):
            if block is not None:
                writer.block8(block)
        writer.raw(self.surplus)

    def _control(self) -> int:
        flags = (
            (_BINDING_BITMAP, self.binding_bitmap is not None),
            (_MATCHING_FILTER, self.matching_filter is not None),
            (_RESPONSE_FILTER, self.service_response_filter is not None),
            (_SERVICE_INFO, self.service_info is not None),
            (_RANGE_LIMITED, self.is_range_limited),
            (_RESERVED, self.is_reserved_bit_set),
        )
        return self.type | sum(bit for bit, is_set in flags if is_set)


def _block(reader: Reader, what: str) -> bytes:
    return reader.take(reader.u8(f"length of {what}"), what)


class SdeaControl(IntFlag):
    """SDEA control bits, without the two that say that a field is there (8 range limit, 9 update indicator)."""

    NONE = 0
    FSD_REQUIRED = 1 << 0
    FSD_WITH_GAS = 1 << 1
    DATA_PATH_REQUIRED = 1 << 2
    DATA_PATH_TYPE_MULTICAST = 1 << 3
    QOS_REQUIRED = 1 << 5
    SECURITY_REQUIRED = 1 << 6
    RANGING_REQUIRED = 1 << 7
    GTK_REQUIRED = 1 << 10


_RANGE_LIMIT = 1 << 8
_UPDATE_INDICATOR = 1 << 9


class ServiceProtocolType(IntEnum):
    """The protocol octet that begins service info in an SDEA, after the OUI."""

    BONJOUR = 1
    GENERIC = 2
    MATTER = 3


@dataclass(frozen=True, slots=True)
class RangeLimit:
    """Ingress and egress limits of an SDEA, in centimetres."""

    ingress: int
    egress: int


@attribute(NanAttributeId.SERVICE_DESCRIPTOR_EXTENSION)
@dataclass(frozen=True, slots=True)
class ServiceDescriptorExtension(AttributeRecord):
    """SDEA: instance ID(1) control(2), then range limit, update indicator and service info where they are there."""

    instance_id: int
    control: SdeaControl = SdeaControl.NONE
    range_limit: RangeLimit | None = None
    update_indicator: int | None = None
    service_info: bytes | None = None
    """With its leading OUI(3) and protocol type(1), see `wrap_service_info`."""
    surplus: bytes = b""

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """At least three octets."""
        instance_id, control = reader.u8("instance ID"), reader.u16le("control")
        limit = RangeLimit(reader.u16le("range limit"), reader.u16le("range limit")) if control & _RANGE_LIMIT else None
        update = reader.u8("update indicator") if control & _UPDATE_INDICATOR else None
        info = reader.take(reader.u16le("service info length"), "service info") if reader.remaining >= 2 else None
        flags = SdeaControl(control & ~(_RANGE_LIMIT | _UPDATE_INDICATOR))
        return cls(instance_id, flags, limit, update, info, reader.rest())

    def write_body(self, writer: Writer) -> None:
        """The fixed octets, then the optional fields that are there."""
        present = _RANGE_LIMIT * (self.range_limit is not None) | _UPDATE_INDICATOR * (
            self.update_indicator is not None
        )
        flags = self.control & ~(_RANGE_LIMIT | _UPDATE_INDICATOR)
        writer.u8(self.instance_id).u16le(require_range(flags | present, 0xFFFF, "SDEA control"))
        if self.range_limit is not None:
            writer.u16le(self.range_limit.ingress).u16le(self.range_limit.egress)
        if self.update_indicator is not None:
            writer.u8(self.update_indicator)
        if self.service_info is not None:
            writer.u16le(len(self.service_info)).raw(self.service_info)
        writer.raw(self.surplus)


def wrap_service_info(data: bytes, protocol: int = ServiceProtocolType.GENERIC) -> bytes:
    """Service info for an SDEA: Wi-Fi Alliance OUI, protocol type, then the application's octets."""
    return NAN_OUI + bytes((protocol,)) + data


def unwrap_service_info(info: bytes) -> tuple[int, bytes] | None:
    """Protocol type and octets of an SDEA's service info, or None if it is not the Wi-Fi Alliance's form."""
    return (info[3], info[4:]) if len(info) > 3 and info[:3] == NAN_OUI else None


@attribute(NanAttributeId.ELEMENT_CONTAINER)
@dataclass(frozen=True, slots=True)
class ElementContainer(AttributeRecord):
    """IEEE 802.11 elements: map ID(1), then element after element as they are."""

    map_id: int
    elements: bytes

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """At least one octet."""
        return cls(reader.u8("map ID"), reader.rest())

    def write_body(self, writer: Writer) -> None:
        """Map ID and elements."""
        writer.u8(self.map_id).raw(self.elements)


@attribute(NanAttributeId.VENDOR_SPECIFIC)
@dataclass(frozen=True, slots=True)
class VendorSpecific(AttributeRecord):
    """OUI(3), then the vendor's own octets."""

    oui: bytes
    body: bytes

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """At least three octets."""
        return cls(reader.take(3, "OUI"), reader.rest())

    def write_body(self, writer: Writer) -> None:
        """OUI and body."""
        writer.raw(require_length(self.oui, 3, "OUI")).raw(self.body)
