"""Attributes of data-path and pairing security: cipher suites (CSIA), security contexts (SCIA), key descriptor (SKDA).

Keys are others' work; key data is wrapped wherever it appears here.
Source: Wi-Fi Aware specification 4.0, sections 9.5.21; IEEE 802.11-2020, 12.7.2 (EAPOL-Key body, big endian).
"""

from dataclasses import dataclass, field, replace
from enum import IntEnum, IntFlag
from typing import Self

from pairing.nan.attributes.base import AttributeRecord, NanAttributeId, attribute, require_length
from pairing.wire import Reader, Writer

PMKID_LENGTH = 16


class CipherSuite(IntEnum):
    """NAN cipher suite ids."""

    NONE = 0
    NCS_SK_128 = 1
    NCS_SK_256 = 2
    NCS_PK_2WDH_128 = 3
    NCS_PK_2WDH_256 = 4
    NCS_GTK_CCMP_128 = 5
    NCS_GTK_GCMP_256 = 6
    NCS_PK_PASN_128 = 7
    NCS_PK_PASN_256 = 8


@dataclass(frozen=True, slots=True)
class SuiteOffer:
    """One cipher suite and the publish ID that it is for."""

    suite: int
    publish_id: int


@attribute(NanAttributeId.CIPHER_SUITE_INFO)
@dataclass(frozen=True, slots=True)
class CipherSuiteInfo(AttributeRecord):
    """CSIA: capabilities(1), then suite(1) publish ID(1) for each suite.

    Capabilities: bit 0 sixteen ND-TKSA replay counters, bits 1-2 group keys (0 none, 1 GTK and IGTK, 2 also BIGTK),
    bit 3 sixteen GTKSA replay counters, bit 4 BIP-GMAC-256 instead of BIP-CMAC-128.
    """

    suites: tuple[SuiteOffer, ...]
    capabilities: int = 0
    surplus: bytes = b""

    @classmethod
    def of(cls, publish_id: int, *suites: int, capabilities: int = 0) -> Self:
        """These suites, all for one publish ID."""
        return cls(tuple(SuiteOffer(suite, publish_id) for suite in suites), capabilities)

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """At least one octet."""
        capabilities = reader.u8("capabilities")
        suites = tuple(
            SuiteOffer(reader.u8("cipher suite"), reader.u8("publish ID")) for _ in range(reader.remaining // 2)
        )
        return cls(suites, capabilities, reader.rest())

    def write_body(self, writer: Writer) -> None:
        """Capabilities, then the suites."""
        writer.u8(self.capabilities)
        for offer in self.suites:
            writer.u8(offer.suite).u8(offer.publish_id)
        writer.raw(self.surplus)

    @property
    def group_key_support(self) -> int:
        """0 none, 1 GTK and IGTK, 2 GTK, IGTK and BIGTK."""
        return self.capabilities >> 1 & 3


class SecurityContextType(IntEnum):
    """Types of security context identifiers."""

    ND_PMKID = 1


@dataclass(frozen=True, slots=True)
class SecurityContext:
    """One security context identifier."""

    publish_id: int
    value: bytes
    type: int = SecurityContextType.ND_PMKID


@attribute(NanAttributeId.SECURITY_CONTEXT_INFO)
@dataclass(frozen=True, slots=True)
class SecurityContextInfo(AttributeRecord):
    """SCIA: length(2) type(1) publish ID(1) value for each context."""

    contexts: tuple[SecurityContext, ...]

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """Contexts up to the end."""
        contexts: list[SecurityContext] = []
        while reader.remaining:
            length = reader.u16le("context length")
            kind, publish_id = reader.u8("context type"), reader.u8("publish ID")
            contexts.append(SecurityContext(publish_id, reader.take(length, "context identifier"), kind))
        return cls(tuple(contexts))

    def write_body(self, writer: Writer) -> None:
        """The contexts one after the other."""
        for context in self.contexts:
            writer.u16le(len(context.value)).u8(context.type).u8(context.publish_id).raw(context.value)

    def pmkids(self, publish_id: int) -> tuple[bytes, ...]:
        """The ND-PMKIDs for one publish ID."""
        return tuple(
            context.value
            for context in self.contexts
            if (context.type, context.publish_id) == (SecurityContextType.ND_PMKID, publish_id)
        )


class KeyInfo(IntFlag):
    """Key information of a key descriptor; bits 0-2 are the descriptor version."""

    PAIRWISE = 0x0008
    INSTALL = 0x0040
    ACK = 0x0080
    MIC = 0x0100
    SECURE = 0x0200
    ENCRYPTED_KEY_DATA = 0x1000


NAN_DESCRIPTOR_TYPE = 2
_NONCE, _IV, _RSC, _RESERVED = 32, 16, 8, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDescriptor:
    """The key descriptor in an SKDA; numbers are big endian here. How long the MIC is, only the suite tells."""

    key_info: KeyInfo
    nonce: bytes = bytes(_NONCE)
    mic: bytes = b""
    """Absent in the NIK follow-up, 16 or 24 octets in the NDP handshake."""
    key_data: bytes = field(default=b"", repr=False)
    key_length: int = 0
    replay_counter: int = 0
    iv: bytes = bytes(_IV)
    rsc: bytes = bytes(_RSC)
    reserved: bytes = bytes(_RESERVED)
    descriptor_type: int = NAN_DESCRIPTOR_TYPE
    surplus: bytes = b""

    @classmethod
    def decode(cls, data: bytes, mic_length: int) -> Self:
        """The descriptor, given the length of its MIC."""
        return cls.read(Reader(data), mic_length)

    @classmethod
    def read(cls, reader: Reader, mic_length: int) -> Self:
        """Read the descriptor, given the length of its MIC."""
        kind, info, length = reader.u8("descriptor type"), KeyInfo(reader.u16be("key info")), reader.u16be("key length")
        counter, nonce = reader.u64be("replay counter"), reader.take(_NONCE, "nonce")
        iv, rsc, reserved = reader.take(_IV, "IV"), reader.take(_RSC, "RSC"), reader.take(_RESERVED, "reserved octets")
        mic = reader.take(mic_length, "MIC")
        key_data = reader.take(reader.u16be("key data length"), "key data")
        return cls(
            key_info=info,
            nonce=nonce,
            mic=mic,
            key_data=key_data,
            key_length=length,
            replay_counter=counter,
            iv=iv,
            rsc=rsc,
            reserved=reserved,
            descriptor_type=kind,
            surplus=reader.rest(),
        )

    def encode(self) -> bytes:
        """The descriptor with its MIC as it stands."""
        writer = Writer().u8(self.descriptor_type).u16be(self.key_info).u16be(self.key_length)
        writer.u64be(self.replay_counter).raw(require_length(self.nonce, _NONCE, "nonce"))
        writer.raw(require_length(self.iv, _IV, "IV")).raw(require_length(self.rsc, _RSC, "RSC"))
        writer.raw(require_length(self.reserved, _RESERVED, "reserved octets")).raw(self.mic)
        return writer.block16be(self.key_data).raw(self.surplus).getvalue()

    def with_mic(self, mic: bytes) -> "KeyDescriptor":
        """The same descriptor with another MIC."""
        return replace(self, mic=mic)


@attribute(NanAttributeId.SHARED_KEY_DESCRIPTOR)
@dataclass(frozen=True, slots=True)
class SharedKeyDescriptor(AttributeRecord):
    """SKDA: publish ID(1), then a key descriptor, see `KeyDescriptor`."""

    publish_id: int
    descriptor: bytes = field(repr=False)

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """At least one octet."""
        return cls(reader.u8("publish ID"), reader.rest())

    def write_body(self, writer: Writer) -> None:
        """Publish ID and descriptor."""
        writer.u8(self.publish_id).raw(self.descriptor)

    def key_descriptor(self, mic_length: int) -> KeyDescriptor:
        """The descriptor's fields, given the length of its MIC."""
        return KeyDescriptor.decode(self.descriptor, mic_length)
