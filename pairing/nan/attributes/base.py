"""NAN attributes: id(1) length(2, little endian) body. Splits, decodes and joins them, losing nothing.

The records live in the modules beside this one, each registered under its id by the outermost decorator. What is not
registered is kept as `UnknownAttribute`. Fields that a body has beyond those we know are kept in `surplus`, so that
encoding gives the same bytes again; MICs depend on it.
Source: Wi-Fi Aware specification 4.0, section 9.5.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import ClassVar, Self, TypeAlias, TypeVar

from pairing.errors import DecodeError, EncodeError
from pairing.wire import Reader, Writer

MAX_BODY = 0xFFFF


class NanAttributeId(IntEnum):
    """Attribute ids."""

    MASTER_INDICATION = 0x00
    CLUSTER = 0x01
    SERVICE_ID_LIST = 0x02
    SERVICE_DESCRIPTOR = 0x03
    CONNECTION_CAPABILITY = 0x04
    WLAN_INFRASTRUCTURE = 0x05
    P2P_OPERATION = 0x06
    IBSS = 0x07
    MESH = 0x08
    FURTHER_SERVICE_DISCOVERY = 0x09
    FURTHER_AVAILABILITY_MAP = 0x0A
    COUNTRY_CODE = 0x0B
    RANGING = 0x0C
    CLUSTER_DISCOVERY = 0x0D
    SERVICE_DESCRIPTOR_EXTENSION = 0x0E
    DEVICE_CAPABILITY = 0x0F
    NDP = 0x10
    AVAILABILITY = 0x12
    NDC = 0x13
    NDL = 0x14
    NDL_QOS = 0x15
    UNALIGNED_SCHEDULE = 0x17
    RANGING_INFORMATION = 0x1A
    RANGING_SETUP = 0x1B
    FTM_RANGING_REPORT = 0x1C
    ELEMENT_CONTAINER = 0x1D
    CIPHER_SUITE_INFO = 0x22
    SECURITY_CONTEXT_INFO = 0x23
    SHARED_KEY_DESCRIPTOR = 0x24
    PUBLIC_AVAILABILITY = 0x27
    SUBSCRIBE_SERVICE_ID_LIST = 0x28
    NDP_EXTENSION = 0x29
    DEVICE_CAPABILITY_EXTENSION = 0x2A
    IDENTITY_RESOLUTION = 0x2B
    PAIRING_BOOTSTRAPPING = 0x2C
    S3 = 0x2D
    TRANSMIT_POWER_ENVELOPE = 0x2E
    PAIRING_BOOTSTRAPPING_EXTENSION = 0x2F
    VENDOR_SPECIFIC = 0xDD


@cache
def attribute_name(attribute_id: int) -> str:
    """The id as words, `device capability`; `attribute 0x63` for an id we do not know."""
    try:
        return NanAttributeId(attribute_id).name.lower().replace("_", " ")
    except ValueError:
        return f"attribute {attribute_id:#04x}"


class AttributeRecord(ABC):
    """Base of the registered records."""

    __slots__ = ()
    attribute_id: ClassVar[int]

    @classmethod
    @abstractmethod
    def read_body(cls, reader: Reader) -> Self:
        """The record of a body; what it leaves unread is an error."""

    @abstractmethod
    def write_body(self, writer: Writer) -> None:
        """Append the body, without id and length."""


@dataclass(frozen=True, slots=True)
class UnknownAttribute:
    """An attribute that is kept as it came."""

    attribute_id: int
    body: bytes

    def write_body(self, writer: Writer) -> None:
        """Append the body."""
        writer.raw(self.body)


Attribute: TypeAlias = AttributeRecord | UnknownAttribute

_R = TypeVar("_R", bound=AttributeRecord)
_A = TypeVar("_A", bound=Attribute)
_registry: dict[int, type[AttributeRecord]] = {}


def attribute(attribute_id: NanAttributeId) -> Callable[[type[_R]], type[_R]]:
    """Class decorator, above `@dataclass`: the record decodes bodies under this id."""

    def register(record: type[_R]) -> type[_R]:
        record.attribute_id = attribute_id
        _registry[attribute_id] = record
        return record

    return register


def registered_ids() -> tuple[int, ...]:
    """The ids with a record, ascending."""
    return tuple(sorted(_registry))


def decode_attribute_list(reader: Reader) -> tuple[Attribute, ...]:
    """All attributes up to the end of the reader, in order; they must end exactly there."""
    found: list[Attribute] = []
    while reader.remaining:
        attribute_id = reader.u8("attribute id")
        name = attribute_name(attribute_id)
        body = reader.sub(reader.u16le(f"length of {name}"), name)
        record = _registry.get(attribute_id)
        if record is None:
            found.append(UnknownAttribute(attribute_id, body.rest()))
            continue
        try:
            found.append(record.read_body(body))
        except DecodeError as error:
            raise DecodeError(error.offset, f"{name}: {error.reason}") from None
        body.expect_end(name)
    return tuple(found)


def decode_attributes(data: bytes) -> tuple[Attribute, ...]:
    """The attributes of `data`."""
    return decode_attribute_list(Reader(data))


def encode_attribute(record: Attribute) -> bytes:
    """One attribute with its header."""
    writer = Writer()
    record.write_body(writer)
    if len(writer) > MAX_BODY:
        raise EncodeError(
            f"{attribute_name(record.attribute_id)} has {len(writer)} octets, expected at most {MAX_BODY}"
        )
    return Writer().u8(record.attribute_id).u16le(len(writer)).raw(writer.getvalue()).getvalue()


def encode_attributes(records: Iterable[Attribute]) -> bytes:
    """The attributes one after the other."""
    return b"".join(encode_attribute(record) for record in records)


def find(attributes: Sequence[Attribute], record: type[_A]) -> _A | None:
    """The first attribute of that type, or None."""
    for each in attributes:  # quicker than next() over a generator, and each frame is asked a dozen times
        if type(each) is record:
            return each
    return None


def find_all(attributes: Sequence[Attribute], record: type[_A]) -> tuple[_A, ...]:
    """Every attribute of that type, in order."""
    return tuple([each for each in attributes if type(each) is record])


def require_length(value: bytes, length: int, what: str) -> bytes:
    """The value, or EncodeError if it has another length."""
    if len(value) != length:
        raise EncodeError(f"{what} has {len(value)} octets, expected {length}")
    return value


def require_range(value: int, limit: int, what: str) -> int:
    """The value, or EncodeError unless it is from 0 to `limit`."""
    if not 0 <= value <= limit:
        raise EncodeError(f"{what} is {value}, expected 0 to {limit}")
    return value
