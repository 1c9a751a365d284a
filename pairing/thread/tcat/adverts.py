"""What a TCAT device advertises: service data of UUID 0xFFFB with version, opcode and short TLVs.

A TLV here has one header byte, type in the high nibble, length in the low one. Decoding keeps TLVs of unknown type.
Source: Thread 1.4 specification, chapter 13 (TCAT), advertisement format.
"""

import enum
from dataclasses import dataclass
from typing import NamedTuple

from pairing.errors import EncodeError
from pairing.wire import Reader, Writer

TCAT_UUID16 = 0xFFFB
TO_DEVICE = "6bd10d8b-85a7-4e5a-ba2d-c83558a5f220"
FROM_DEVICE = "7fddf61f-280a-4773-b448-ba1b8fe0dd69"
"""The characteristics of that service, by the way of the TLS records that go over them."""
ADVERT_VERSION = 5
ADVERT_OPCODE = 2
INTERVAL_UNITS = 100
"""Advertising interval in units of 0.625 ms."""
LONGEST_VALUE = 0x0F


class AdvertTlvType(enum.IntEnum):
    """Types of advertised TLVs."""

    OUI24 = 1
    OUI36 = 2
    DISCRIMINATOR = 3
    DEVICE_TYPE_AND_STATUS = 4
    BLE_LINK_CAPABILITIES = 5
    IANA_PEN = 6


DEVICE_ID_LENGTHS = {
    AdvertTlvType.OUI24: range(3, 4),
    AdvertTlvType.OUI36: range(5, 6),
    AdvertTlvType.DISCRIMINATOR: range(5, 6),
    AdvertTlvType.IANA_PEN: range(1, 5),
}
"""Types that identify the device, and how many bytes each may have."""


class AdvertTlv(NamedTuple):
    """One TLV: its type, known or not, and its value."""

    type: int
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCapabilities:
    """How the device talks Bluetooth."""

    gatt_notifications: bool = True
    l2cap_direct: bool = False

    def encode(self) -> bytes:
        """The one byte."""
        return bytes((0x80 * self.gatt_notifications | 0x40 * self.l2cap_direct,))

    @classmethod
    def decode(cls, value: bytes) -> "LinkCapabilities":
        """From the TLV's value; raises DecodeError."""
        bits = Reader(value).u8("link capabilities")
        return cls(gatt_notifications=bool(bits & 0x80), l2cap_direct=bool(bits & 0x40))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatus:
    """What kind of Thread device it is, and where it stands."""

    full_thread_device: bool = True
    rx_on_when_idle: bool = True
    border_router: bool = False
    attached: bool = False
    commissioned: bool = False
    stores_active_dataset: bool = False
    multi_radio: bool = False

    def encode(self) -> bytes:
        """The one byte; its lowest bit is reserved."""
        bits = 0
        for name, mask in _STATUS_BITS:
            bits |= mask * getattr(self, name)
        return bytes((bits,))

    @classmethod
    def decode(cls, value: bytes) -> "DeviceStatus":
        """From the TLV's value; raises DecodeError."""
        bits = Reader(value).u8("device status")
        return cls(**{name: bool(bits & mask) for name, mask in _STATUS_BITS})


_STATUS_BITS = (
    ("full_thread_device", 0x80),
    ("rx_on_when_idle", 0x40),
    ("border_router", 0x20),
    ("attached", 0x10),
    ("commissioned", 0x08),
    ("stores_active_dataset", 0x04),
    ("multi_radio", 0x02),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatAdvert:
    """The service data of one advert, without the UUID in front."""

    tlvs: tuple[AdvertTlv, ...] = ()
    version: int = ADVERT_VERSION
    opcode: int = ADVERT_OPCODE

    @classmethod
    def of(
        cls,
        status: DeviceStatus,
        *,
        device_ids: tuple[AdvertTlv, ...] = (),
        link: LinkCapabilities | None = None,
    ) -> "TcatAdvert":
        """Device ids, link capabilities and status, in the order in which devices send them."""
        capabilities = link or LinkCapabilities()
        return cls(
            tlvs=(
                *device_ids,
                AdvertTlv(AdvertTlvType.BLE_LINK_CAPABILITIES, capabilities.encode()),
                AdvertTlv(AdvertTlvType.DEVICE_TYPE_AND_STATUS, status.encode()),
            )
        )

    def value(self, tlv_type: int) -> bytes | None:
        """The value of the first TLV of a type."""
        return next((tlv.value for tlv in self.tlvs if tlv.type == tlv_type), None)

    @property
    def status(self) -> DeviceStatus | None:
        """The device's type and status, where they are told."""
        value = self.value(AdvertTlvType.DEVICE_TYPE_AND_STATUS)
        return DeviceStatus.decode(value) if value else None

    def encode(self) -> bytes:
        """The service data behind the UUID. Raises EncodeError."""
        if not (0 <= self.version <= 15 and 0 <= self.opcode <= 15):
            raise EncodeError(f"version {self.version} and opcode {self.opcode} have four bits each")
        writer = Writer().u8(self.version << 4 | self.opcode)
        for tlv in self.tlvs:
            if not 0 <= tlv.type <= 15 or len(tlv.value) > LONGEST_VALUE:
                raise EncodeError(f"TLV {tlv.type} of {len(tlv.value)} bytes: type and length have four bits each")
            writer.u8(tlv.type << 4 | len(tlv.value)).raw(tlv.value)
        return writer.getvalue()

    def encode_service_data(self) -> bytes:
        """The whole AD value: the UUID, little-endian, and the service data."""
        return TCAT_UUID16.to_bytes(2, "little") + self.encode()

    @classmethod
    def decode(cls, data: bytes) -> "TcatAdvert":
        """From the service data behind the UUID. Raises DecodeError."""
        reader = Reader(data)
        head = reader.u8("version and opcode")
        tlvs = []
        while reader.remaining:
            header = reader.u8("TLV header")
            tlvs.append(AdvertTlv(header >> 4, reader.take(header & 0x0F, f"TLV {header >> 4}")))
        return cls(tlvs=tuple(tlvs), version=head >> 4, opcode=head & 0x0F)

    @classmethod
    def decode_service_data(cls, data: bytes) -> "TcatAdvert":
        """From the whole AD value. Raises DecodeError, also where the UUID is another."""
        reader = Reader(data)
        uuid = reader.u16le("UUID")
        if uuid != TCAT_UUID16:
            raise reader.fail(f"service data of UUID {uuid:#06x}, not {TCAT_UUID16:#06x}")
        return cls.decode(reader.rest())
