"""Attributes of pairing: bootstrapping (NPBA), its extension (PBEA), and identity resolution (NIRA).

Source: Wi-Fi Aware specification 4.0, sections 9.5.23 (NIRA) and 9.5.24 (NPBA); PBEA as newer public sources have it.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Self

from pairing.errors import EncodeError
from pairing.nan.attributes.base import AttributeRecord, NanAttributeId, attribute, require_length, require_range
from pairing.wire import Reader, Writer

NONCE_LENGTH = 8
TAG_LENGTH = 8


class BootstrappingMethods(IntFlag):
    """Pairing bootstrapping methods; a request names exactly one."""

    NONE = 0
    OPPORTUNISTIC = 1 << 0
    PIN_DISPLAY = 1 << 1
    PASSPHRASE_DISPLAY = 1 << 2
    QR_DISPLAY = 1 << 3
    NFC_TAG = 1 << 4
    PIN_KEYPAD = 1 << 5
    PASSPHRASE_KEYPAD = 1 << 6
    QR_SCAN = 1 << 7
    NFC_READER = 1 << 8
    SERVICE_MANAGED = 1 << 14
    HANDSHAKE_SKIPPED = 1 << 15


class NpbaType(IntEnum):
    """Low nibble of type and status."""

    ADVERTISE = 0
    REQUEST = 1
    RESPONSE = 2


class NpbaStatus(IntEnum):
    """High nibble of type and status."""

    ACCEPTED = 0
    REJECTED = 1
    COMEBACK = 2


class ReasonCode(IntEnum):
    """Reasons in NPBA, NDP, NDL and ranging attributes."""

    RESERVED = 0
    UNSPECIFIED = 1
    RESOURCE_LIMITATION = 2
    INVALID_PARAMETERS = 3
    FTM_PARAMETERS_INCAPABLE = 4
    NO_MOVEMENT = 5
    INVALID_AVAILABILITY = 6
    IMMUTABLE_UNACCEPTABLE = 7
    SECURITY_POLICY = 8
    QOS_UNACCEPTABLE = 9
    NDP_REJECTED = 10
    NDL_UNACCEPTABLE = 11
    RANGING_SCHEDULE_UNACCEPTABLE = 12
    PAIRING_BOOTSTRAPPING_REJECTED = 13


def reason_name(code: int) -> str:
    """The reason in words, `pairing bootstrapping rejected`; `reason 77` for one we do not know."""
    try:
        return ReasonCode(code).name.lower().replace("_", " ")
    except ValueError:
        return f"reason {code}"


@attribute(NanAttributeId.PAIRING_BOOTSTRAPPING)
@dataclass(frozen=True, slots=True)
class PairingBootstrapping(AttributeRecord):
    """NPBA: dialog token(1) type and status(1) reason(1) [comeback after(2)] [cookie length(1) cookie] methods(2).

    The comeback fields are there if the status is comeback, `comeback_after` (in TU) only in a response.
    """

    dialog_token: int
    type: int
    """See `NpbaType`."""
    status: int
    """See `NpbaStatus`."""
    methods: BootstrappingMethods
    reason: int = 0
    comeback_after: int | None = None
    cookie: bytes | None = None
    surplus: bytes = b""

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """At least five octets."""
        token, type_and_status, reason = reader.u8("dialog token"), reader.u8("type and status"), reader.u8("reason")
        kind, status = type_and_status & 0xF, type_and_status >> 4
        comeback_after: int | None = None
        cookie: bytes | None = None
        if status == NpbaStatus.COMEBACK:
            if kind == NpbaType.RESPONSE:
                comeback_after = reader.u16le("comeback after")
            cookie = reader.take(reader.u8("cookie length"), "cookie")
        methods = BootstrappingMethods(reader.u16le("methods"))
        return cls(token, kind, status, methods, reason, comeback_after, cookie, reader.rest())

    def write_body(self, writer: Writer) -> None:
        """The octets in the order of the layout."""
        kind = require_range(self.type, 0xF, "NPBA type")
        status = require_range(self.status, 0xF, "NPBA status")
        is_comeback = status == NpbaStatus.COMEBACK
        has_delay = is_comeback and kind == NpbaType.RESPONSE
        if (self.cookie is not None) != is_comeback or (self.comeback_after is not None) != has_delay:
            raise EncodeError("NPBA has a cookie exactly if the status is comeback, a delay only in such a response")
        writer.u8(self.dialog_token).u8(status << 4 | kind).u8(self.reason)
        if self.comeback_after is not None:
            writer.u16le(self.comeback_after)
        if self.cookie is not None:
            writer.block8(self.cookie)
        writer.u16le(self.methods).raw(self.surplus)


_EXTENDED_METHODS = 0x01
_SETUP_INFO = 0x02


@attribute(NanAttributeId.PAIRING_BOOTSTRAPPING_EXTENSION)
@dataclass(frozen=True, slots=True)
class PairingBootstrappingExtension(AttributeRecord):
    """PBEA: control(1) [extended methods(2)] [length(2) setup info]. Setup info: see `nan.setup_info`."""

    extended_methods: int | None = None
    setup_info: bytes | None = None
    reserved: int = 0
    surplus: bytes = b""

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """At least one octet."""
        control = reader.u8("control")
        methods = reader.u16le("extended methods") if control & _EXTENDED_METHODS else None
        info = reader.take(reader.u16le("setup info length"), "setup info") if control & _SETUP_INFO else None
        return cls(methods, info, control & ~(_EXTENDED_METHODS | _SETUP_INFO), reader.rest())

    def write_body(self, writer: Writer) -> None:
        """Control, then the fields that are there."""
        present = _EXTENDED_METHODS * (self.extended_methods is not None) | _SETUP_INFO * (self.setup_info is not None)
        writer.u8(self.reserved & ~(_EXTENDED_METHODS | _SETUP_INFO) | present)
        if self.extended_methods is not None:
            writer.u16le(self.extended_methods)
        if self.setup_info is not None:
            writer.u16le(len(self.setup_info)).raw(self.setup_info)
        writer.raw(self.surplus)


@attribute(NanAttributeId.IDENTITY_RESOLUTION)
@dataclass(frozen=True, slots=True)
class IdentityResolution(AttributeRecord):
    """NIRA: cipher version(1) nonce(8) tag(8). Who holds the NIK recognises the sender by the tag."""

    nonce: bytes
    tag: bytes
    cipher_version: int = 0
    surplus: bytes = b""

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """Seventeen octets."""
        version = reader.u8("cipher version")
        return cls(reader.take(NONCE_LENGTH, "nonce"), reader.take(TAG_LENGTH, "tag"), version, reader.rest())

    def write_body(self, writer: Writer) -> None:
        """Seventeen octets."""
        writer.u8(self.cipher_version).raw(require_length(self.nonce, NONCE_LENGTH, "NIRA nonce"))
        writer.raw(require_length(self.tag, TAG_LENGTH, "NIRA tag")).raw(self.surplus)
