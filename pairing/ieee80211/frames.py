"""Management frames without FCS: the 24-octet header, and the fixed fields of Authentication and Action bodies.

Elements, attributes and what vendors put into Action frames are others' business.
Source: IEEE 802.11-2020, 9.3.3.1 (header), 9.3.3.11 (Authentication), 9.6 (Action frames).
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from pairing.errors import DecodeError, EncodeError
from pairing.wire import Reader, Writer

HEADER_LENGTH = 24
BROADCAST = b"\xff" * 6


class Subtype(IntEnum):
    """Subtypes of management frames that occur here; others decode to their number."""

    BEACON = 8
    AUTHENTICATION = 11
    ACTION = 13


class FrameFlags(IntFlag):
    """The second octet of Frame Control."""

    RETRY = 0x08
    POWER_MANAGEMENT = 0x10
    MORE_DATA = 0x20
    PROTECTED = 0x40
    HT_CONTROL = 0x80


class Category(IntEnum):
    """Categories of Action frames that NAN uses."""

    PUBLIC = 4
    PROTECTED_DUAL_OF_PUBLIC = 9


class AuthenticationAlgorithm(IntEnum):
    """Authentication algorithm numbers that PASN pairing uses."""

    SAE = 3
    PASN = 7


class StatusCode(IntEnum):
    """Status codes that PASN and SAE answer with; others decode to their number."""

    SUCCESS = 0
    UNSPECIFIED_FAILURE = 1
    REJECTED_TEMPORARILY = 30
    INVALID_PARAMETERS = 38
    INVALID_PMKID = 53
    INVALID_RSNE = 72
    UNSUPPORTED_FINITE_CYCLIC_GROUP = 77
    SAE_HASH_TO_ELEMENT = 126
    INVALID_PUBLIC_KEY = 136
    BASE_AKMP_FAILED = 137


@dataclass(frozen=True, slots=True)
class ManagementFrame:
    """`FC(2) duration(2) receiver(6) transmitter(6) bssid(6) sequence control(2) body`; the addresses are A1 to A3."""

    subtype: int
    receiver: bytes
    transmitter: bytes
    bssid: bytes
    body: bytes
    flags: int = 0
    duration: int = 0
    sequence_control: int = 0

    @property
    def is_protected(self) -> bool:
        """Whether the body is encrypted."""
        return bool(self.flags & FrameFlags.PROTECTED)

    @property
    def is_group_addressed(self) -> bool:
        """Whether the frame is for more than one receiver."""
        return bool(self.receiver[0] & 1)

    def encode(self) -> bytes:
        """The frame without FCS."""
        if not 0 <= self.subtype <= 15:
            raise EncodeError(f"management subtype {self.subtype}, expected 0 to 15")
        if {len(self.receiver), len(self.transmitter), len(self.bssid)} != {6}:
            raise EncodeError("an address of a management frame has not 6 octets")
        writer = Writer().u8(self.subtype << 4).u8(self.flags).u16le(self.duration)
        writer.raw(self.receiver).raw(self.transmitter).raw(self.bssid).u16le(self.sequence_control)
        return writer.raw(self.body).getvalue()

    @classmethod
    def decode(cls, data: bytes) -> "ManagementFrame":
        """The frame that the octets are."""
        return cls.read(Reader(data))

    @classmethod
    def read(cls, reader: Reader) -> "ManagementFrame":
        """Read a frame; refuses other types and versions, and an HT Control field."""
        start = reader.offset
        control = reader.u8("frame control")
        if control & 0x0F:
            raise DecodeError(start, f"frame type and version {control & 0x0F:#x}, expected a management frame (0)")
        flags = reader.u8("frame flags")
        if flags & FrameFlags.HT_CONTROL:
            raise DecodeError(start + 1, "HT Control fields are not read here")
        duration = reader.u16le("duration")
        receiver, transmitter = reader.take(6, "receiver address"), reader.take(6, "transmitter address")
        bssid, sequence_control = reader.take(6, "BSSID"), reader.u16le("sequence control")
        return cls(control >> 4, receiver, transmitter, bssid, reader.rest(), flags, duration, sequence_control)


@dataclass(frozen=True, slots=True)
class AuthenticationBody:
    """`algorithm(2) transaction(2) status(2)`, then what the algorithm defines: elements, or SAE's fields."""

    algorithm: int
    transaction: int
    status: int
    content: bytes

    def encode(self) -> bytes:
        """The body of an Authentication frame."""
        writer = Writer().u16le(self.algorithm).u16le(self.transaction).u16le(self.status)
        return writer.raw(self.content).getvalue()

    @classmethod
    def decode(cls, data: bytes, base: int = 0) -> "AuthenticationBody":
        """Read a body that starts at offset `base` of its frame."""
        reader = Reader(data, base)
        algorithm, transaction = reader.u16le("algorithm"), reader.u16le("transaction sequence number")
        return cls(algorithm, transaction, reader.u16le("status code"), reader.rest())


@dataclass(frozen=True, slots=True)
class ActionBody:
    """`category(1) action(1)`, then what the two define."""

    category: int
    action: int
    content: bytes

    def encode(self) -> bytes:
        """The body of an Action frame."""
        return Writer().u8(self.category).u8(self.action).raw(self.content).getvalue()

    @classmethod
    def decode(cls, data: bytes, base: int = 0) -> "ActionBody":
        """Read a body that starts at offset `base` of its frame."""
        reader = Reader(data, base)
        return cls(reader.u8("category"), reader.u8("action"), reader.rest())
