"""NAN frames: service discovery frames (SDF), NAN action frames (NAF), and the NAN element of beacons and PASN frames.

A frame that is encrypted is refused: who holds the key decrypts it first and then hands it in with the protected flag
cleared. The category stays protected dual then, since MICs cover it.
Source: Wi-Fi Aware specification 4.0, sections 9.1 to 9.4.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import TypeAlias, TypeVar

from pairing.errors import DecodeError, EncodeError
from pairing.ieee80211.frames import HEADER_LENGTH, Category, ManagementFrame, Subtype
from pairing.nan.attributes.base import (
    Attribute,
    decode_attribute_list,
    encode_attributes,
    find,
    find_all,
)
from pairing.nan.identifiers import NAN_OUI
from pairing.wire import Reader, Writer

VENDOR_SPECIFIC_ACTION = 9
SDF_TYPE = 0x13
"""Also the type of the NAN element."""
NAF_TYPE = 0x18
VENDOR_ELEMENT = 0xDD
MAX_ELEMENT = 0xFF

_A = TypeVar("_A", bound=Attribute)


class NafSubtype(IntEnum):
    """Subtypes of NAN action frames."""

    RANGING_REQUEST = 1
    RANGING_RESPONSE = 2
    RANGING_TERMINATION = 3
    RANGING_REPORT = 4
    DATA_PATH_REQUEST = 5
    DATA_PATH_RESPONSE = 6
    DATA_PATH_CONFIRM = 7
    DATA_PATH_KEY_INSTALLMENT = 8
    DATA_PATH_TERMINATION = 9
    SCHEDULE_REQUEST = 10
    SCHEDULE_RESPONSE = 11
    SCHEDULE_CONFIRM = 12
    SCHEDULE_UPDATE_NOTIFICATION = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class _NanFrame:
    destination: bytes
    source: bytes
    bssid: bytes
    """The cluster ID; the NAN network ID in unsynchronised discovery."""
    attributes: tuple[Attribute, ...]
    category: int = Category.PUBLIC
    """Public, or protected dual of public action for frames between devices that share keys."""
    flags: int = 0
    duration: int = 0
    sequence_control: int = 0

    @property
    def is_protected_dual(self) -> bool:
        """Whether the category says that the frame was, or is to be, encrypted."""
        return self.category == Category.PROTECTED_DUAL_OF_PUBLIC

    def find(self, record: type[_A]) -> _A | None:
        """The first attribute of that type, or None."""
        return find(self.attributes, record)

    def find_all(self, record: type[_A]) -> tuple[_A, ...]:
        """Every attribute of that type, in order."""
        return find_all(self.attributes, record)

    def _frame(self, head: bytes) -> bytes:
        body = Writer().u8(self.category).u8(VENDOR_SPECIFIC_ACTION).raw(NAN_OUI).raw(head)
        body.raw(encode_attributes(self.attributes))
        return ManagementFrame(
            Subtype.ACTION,
            self.destination,
            self.source,
            self.bssid,
            body.getvalue(),
            self.flags,
            self.duration,
            self.sequence_control,
        ).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDiscoveryFrame(_NanFrame):
    """Category(1) 09 50 6f 9a 13, then attributes. Publish, subscribe or follow-up: each SDA says which."""

    def encode(self) -> bytes:
        """The frame from its header on, without FCS."""
        return self._frame(bytes((SDF_TYPE,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class NanActionFrame(_NanFrame):
    """Category(1) 09 50 6f 9a 18 subtype(1), then attributes."""

    subtype: int
    """See `NafSubtype`."""

    def encode(self) -> bytes:
        """The frame from its header on, without FCS."""
        if not 0 <= self.subtype <= 0xFF:
            raise EncodeError(f"NAF subtype {self.subtype} does not fit one octet")
        return self._frame(bytes((NAF_TYPE, self.subtype)))


NanFrame: TypeAlias = ServiceDiscoveryFrame | NanActionFrame


def decode_nan_frame(payload: bytes) -> NanFrame:
    """The SDF or NAF that the octets are."""
    return read_nan_frame(ManagementFrame.decode(payload))


def read_nan_frame(outer: ManagementFrame) -> NanFrame:
    """The SDF or NAF in a management frame."""
    if outer.subtype != Subtype.ACTION:
        raise DecodeError(0, f"management subtype {outer.subtype}, expected an Action frame ({Subtype.ACTION.value})")
    if outer.is_protected:
        raise DecodeError(1, "the frame is encrypted")
    reader = Reader(outer.body, HEADER_LENGTH)
    category, action = reader.u8("category"), reader.u8("action")
    if category not in (Category.PUBLIC, Category.PROTECTED_DUAL_OF_PUBLIC) or action != VENDOR_SPECIFIC_ACTION:
        raise DecodeError(
            HEADER_LENGTH, f"category {category} action {action}, expected a vendor specific Public Action"
        )
    if reader.take(len(NAN_OUI), "OUI") != NAN_OUI:
        raise DecodeError(HEADER_LENGTH + 2, "the OUI is not the Wi-Fi Alliance's")
    kind = reader.u8("OUI type")
    if kind not in (SDF_TYPE, NAF_TYPE):
        raise DecodeError(HEADER_LENGTH + 5, f"OUI type {kind:#04x}, expected {SDF_TYPE:#04x} or {NAF_TYPE:#04x}")
    subtype = reader.u8("NAF subtype") if kind == NAF_TYPE else None
    attributes = decode_attribute_list(reader)
    if subtype is None:
        return ServiceDiscoveryFrame(
            destination=outer.receiver,
            source=outer.transmitter,
            bssid=outer.bssid,
            attributes=attributes,
            category=category,
            flags=outer.flags,
            duration=outer.duration,
            sequence_control=outer.sequence_control,
        )
    return NanActionFrame(
        destination=outer.receiver,
        source=outer.transmitter,
        bssid=outer.bssid,
        attributes=attributes,
        category=category,
        flags=outer.flags,
        duration=outer.duration,
        sequence_control=outer.sequence_control,
        subtype=subtype,
    )


read_group_frame = lru_cache(maxsize=64)(read_nan_frame)
"""The same, remembered for a while: what is for a group is read by everybody in it, and repeated unchanged."""


def is_nan_frame(outer: ManagementFrame) -> bool:
    """Whether a management frame is an SDF or NAF by its first octets; an encrypted one counts too."""
    if outer.subtype != Subtype.ACTION:
        return False
    return outer.is_protected or outer.body[1:5] == bytes((VENDOR_SPECIFIC_ACTION,)) + NAN_OUI


def encode_nan_element(attributes: Iterable[Attribute]) -> bytes:
    """The NAN element, `dd LEN 50 6f 9a 13 attributes`."""
    body = NAN_OUI + bytes((SDF_TYPE,)) + encode_attributes(attributes)
    if len(body) > MAX_ELEMENT:
        raise EncodeError(f"the NAN element has {len(body)} octets, expected at most {MAX_ELEMENT}")
    return bytes((VENDOR_ELEMENT, len(body))) + body


def decode_nan_element(body: bytes, base: int = 0) -> tuple[Attribute, ...] | None:
    """The attributes in the body of a vendor element (from its OUI on); None if it is another vendor's or type."""
    reader = Reader(body, base)
    prefix = NAN_OUI + bytes((SDF_TYPE,))
    if body[: len(prefix)] != prefix:
        return None
    reader.take(len(prefix))
    return decode_attribute_list(reader)
