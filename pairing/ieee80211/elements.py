"""Elements: splitting and joining with fragments, and the elements that PASN frames are made of.

`split_elements` loses nothing: unknown ids, duplicates and order are kept, since MICs cover them. What the values mean
for a handshake is decided in `pairing.pasn`. Source: IEEE 802.11-2020, 9.4.2 (elements), 9.4.2.24 (RSNE), 9.4.2.241
(RSNXE), 10.28.11 and 10.28.12 (fragmentation); IEEE 802.11az-2022 (PASN Parameters, Wrapped Data).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from pairing.errors import DecodeError, EncodeError
from pairing.wire import Reader, Writer

MAX_BODY = 255


class ElementId(IntEnum):
    """Element ids that occur here; others stay numbers."""

    RSN = 48
    MIC = 140
    VENDOR_SPECIFIC = 221
    FRAGMENT = 242
    RSNXE = 244
    EXTENSION = 255


class ExtensionId(IntEnum):
    """Element id extensions, the first octet of the body of elements with id 255."""

    WRAPPED_DATA = 8
    PASN_PARAMETERS = 100
    SUPPORTED_GROUPS = 161


class CipherSuite(IntEnum):
    """Cipher suite selectors, OUI first."""

    CCMP_128 = 0x000FAC04
    GROUP_ADDRESSED_NOT_ALLOWED = 0x000FAC07
    GCMP_256 = 0x000FAC09


class Akm(IntEnum):
    """AKM suite selectors, OUI first."""

    SAE = 0x000FAC08
    PASN = 0x000FAC15


class WrappedDataFormat(IntEnum):
    """What a Wrapped Data element holds."""

    NONE = 0
    SAE = 3


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its id, its extension id if it has one, and its body, fragments joined."""

    id: int
    body: bytes
    extension: int | None = None

    def encode(self) -> bytes:
        """The element on the wire, continued in Fragment elements where it is long."""
        body = self.body if self.extension is None else bytes((self.extension,)) + self.body
        if (self.id == ElementId.EXTENSION) != (self.extension is not None):
            raise EncodeError("id 255 goes with an extension id, and no other id does")
        parts = [body[start : start + MAX_BODY] for start in range(0, len(body), MAX_BODY)] or [b""]
        ids = [self.id, *[int(ElementId.FRAGMENT)] * (len(parts) - 1)]
        return b"".join(bytes((each, len(part))) + part for each, part in zip(ids, parts, strict=True))


def split_elements(data: bytes, base: int = 0) -> tuple[Element, ...]:
    """The elements of `data`, which starts at offset `base` of its frame."""
    reader = Reader(data, base)
    pieces: list[tuple[int, bytes]] = []
    is_open = False  # the element before is full, so a Fragment element continues it
    while reader.remaining:
        start = reader.offset
        number = reader.u8("element id")
        length = reader.u8("element length")
        body = reader.take(length, f"element {number}")
        if number == ElementId.EXTENSION and not length:
            raise DecodeError(start, "element 255 has no extension id")
        if number == ElementId.FRAGMENT and is_open and length:
            pieces[-1] = (pieces[-1][0], pieces[-1][1] + body)
        else:
            pieces.append((number, body))
        is_open = length == MAX_BODY
    return tuple(
        Element(number, body[1:], body[0]) if number == ElementId.EXTENSION else Element(number, body)
        for number, body in pieces
    )


def join_elements(elements: Iterable[Element]) -> bytes:
    """The elements one after the other."""
    return b"".join(element.encode() for element in elements)


def find_element(elements: Iterable[Element], number: int, extension: int | None = None) -> Element | None:
    """The first element with this id, and this extension id if it has one."""
    return next((each for each in elements if each.id == number and each.extension == extension), None)


@dataclass(frozen=True, slots=True)
class Rsne:
    """`version(2) group(4) n(2) pairwise(4n) n(2) AKM(4n) capabilities(2) n(2) PMKID(16n) group management(4)`.

    All fields are there: the short forms that the standard allows elsewhere are refused.
    """

    pairwise: Sequence[int]
    akms: Sequence[int]
    pmkids: Sequence[bytes] = ()
    group: int = CipherSuite.GROUP_ADDRESSED_NOT_ALLOWED
    group_management: int = CipherSuite.GROUP_ADDRESSED_NOT_ALLOWED
    capabilities: int = 0x00C0
    version: int = 1
    rest: bytes = b""

    MFP_REQUIRED = 0x0040
    MFP_CAPABLE = 0x0080

    def encode(self) -> Element:
        """The RSNE."""
        writer = Writer().u16le(self.version).u32be(self.group).u16le(len(self.pairwise))
        for suite in self.pairwise:
            writer.u32be(suite)
        writer.u16le(len(self.akms))
        for suite in self.akms:
            writer.u32be(suite)
        writer.u16le(self.capabilities).u16le(len(self.pmkids))
        for pmkid in self.pmkids:
            if len(pmkid) != 16:
                raise EncodeError(f"PMKID has {len(pmkid)} octets, expected 16")
            writer.raw(pmkid)
        return Element(ElementId.RSN, writer.u32be(self.group_management).raw(self.rest).getvalue())

    @classmethod
    def decode(cls, element: Element) -> "Rsne":
        """The fields of an RSNE."""
        return cls.read(Reader(element.body))

    @classmethod
    def read(cls, reader: Reader) -> "Rsne":
        """Read the body of an RSNE."""
        version, group = reader.u16le("RSNE version"), reader.u32be("group cipher")
        pairwise = tuple(reader.u32be("pairwise cipher") for _ in range(reader.u16le("pairwise cipher count")))
        akms = tuple(reader.u32be("AKM") for _ in range(reader.u16le("AKM count")))
        capabilities = reader.u16le("RSN capabilities")
        pmkids = tuple(reader.take(16, "PMKID") for _ in range(reader.u16le("PMKID count")))
        group_management = reader.u32be("group management cipher")
        return cls(pairwise, akms, pmkids, group, group_management, capabilities, version, reader.rest())


RSNXE_H2E = 0x20
"""Bit 5 of the RSNXE's first octet: SAE by hash-to-element."""


def rsnxe(*, hash_to_element: bool) -> Element:
    """The RSNXE in its two-octet form: the low four bits count the octets after the first."""
    return Element(ElementId.RSNXE, bytes((0x01 | (RSNXE_H2E if hash_to_element else 0), 0)))


@dataclass(frozen=True, slots=True)
class Comeback:
    """`[after(2), in TU, from the responder only] length(1) cookie`."""

    cookie: bytes
    after_tu: int | None = None


@dataclass(frozen=True, slots=True)
class PasnParameters:
    """`control(1) format(1) [comeback] [group(2) length(1) public key]`; bits 0 and 1 of control announce the two."""

    wrapped_format: int
    group: int | None = None
    public_key: bytes = b""
    comeback: Comeback | None = None
    reserved: int = 0

    HAS_COMEBACK = 0x01
    HAS_GROUP_AND_KEY = 0x02

    def encode(self) -> Element:
        """The PASN Parameters element."""
        control = self.reserved & 0xFC
        if self.comeback is not None:
            control |= self.HAS_COMEBACK
        if self.group is not None:
            control |= self.HAS_GROUP_AND_KEY
        writer = Writer().u8(control).u8(self.wrapped_format)
        if self.comeback is not None:
            if self.comeback.after_tu is not None:
                writer.u16le(self.comeback.after_tu)
            writer.u8(len(self.comeback.cookie)).raw(self.comeback.cookie)
        if self.group is not None:
            writer.u16le(self.group).u8(len(self.public_key)).raw(self.public_key)
        return Element(ElementId.EXTENSION, writer.getvalue(), ExtensionId.PASN_PARAMETERS)

    @classmethod
    def decode(cls, element: Element, *, from_responder: bool) -> "PasnParameters":
        """The fields of the element; who sent it decides whether a comeback field starts with a time."""
        return cls.read(Reader(element.body), from_responder=from_responder)

    @classmethod
    def read(cls, reader: Reader, *, from_responder: bool) -> "PasnParameters":
        """Read the body of the element, after its extension id."""
        control = reader.u8("PASN Parameters control")
        wrapped_format = reader.u8("wrapped data format")
        comeback = group = None
        public_key = b""
        if control & cls.HAS_COMEBACK:
            after = reader.u16le("comeback after") if from_responder else None
            comeback = Comeback(reader.take(reader.u8("cookie length"), "cookie"), after)
        if control & cls.HAS_GROUP_AND_KEY:
            group = reader.u16le("group")
            public_key = reader.take(reader.u8("public key length"), "public key")
        reader.expect_end("PASN Parameters")
        return cls(wrapped_format, group, public_key, comeback, control & 0xFC)


def wrapped_data(content: bytes) -> Element:
    """Wrapped Data; the format stands in PASN Parameters."""
    return Element(ElementId.EXTENSION, content, ExtensionId.WRAPPED_DATA)


def supported_groups(groups: Iterable[int]) -> Element:
    """The groups that a responder would take."""
    body = b"".join(Writer().u16le(group).getvalue() for group in groups)
    return Element(ElementId.EXTENSION, body, ExtensionId.SUPPORTED_GROUPS)


def decode_supported_groups(element: Element) -> tuple[int, ...]:
    """The group numbers of a Supported Groups element."""
    reader = Reader(element.body)
    return tuple(reader.u16le("group") for _ in range((reader.remaining + 1) // 2))


def mic(value: bytes) -> Element:
    """A MIC element; zeros while the MIC is computed."""
    return Element(ElementId.MIC, value)


def vendor_specific(oui_and_type: bytes, content: bytes) -> Element:
    """A Vendor Specific element with a four-octet OUI and type. It cannot be continued in fragments."""
    if len(oui_and_type) + len(content) > MAX_BODY:
        raise EncodeError(f"vendor specific element has {len(oui_and_type) + len(content)} octets, at most {MAX_BODY}")
    return Element(ElementId.VENDOR_SPECIFIC, oui_and_type + content)


def vendor_content(elements: Iterable[Element], oui_and_type: bytes) -> bytes | None:
    """What all elements of this vendor and type hold, one after the other, or None if there is none."""
    found = [
        each.body[len(oui_and_type) :]
        for each in elements
        if each.id == ElementId.VENDOR_SPECIFIC and each.body.startswith(oui_and_type)
    ]
    return b"".join(found) if found else None
