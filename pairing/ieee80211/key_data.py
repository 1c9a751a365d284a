"""Key data of EAPOL-Key style descriptors: KDEs, padding and wrapping; the descriptor around them is the caller's.

Key Data Encapsulations are elements with id 0xdd whose body starts with an OUI and a data type.
Source: IEEE 802.11-2020, 12.7.2 (Key Data field, KDEs, padding); RFC 3394. The two KDEs of the Wi-Fi Alliance, NIK and
lifetime, as NAN pairing devices send them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntFlag

from pairing.crypto import key_wrap
from pairing.errors import DecodeError, EncodeError
from pairing.wire import Reader, Writer

KDE_ID = 0xDD
IEEE_OUI = b"\x00\x0f\xac"
WFA_OUI = b"\x50\x6f\x9a"
GTK_TYPE, IGTK_TYPE, BIGTK_TYPE = 1, 9, 14
NIK_TYPE, LIFETIME_TYPE = 36, 37
WRAP_BLOCK = 8
SHORTEST_WRAPPED = 16


@dataclass(frozen=True, slots=True)
class Kde:
    """`dd length(1) OUI(3) type(1) data`."""

    oui: bytes
    type: int
    data: bytes = field(repr=False)

    def encode(self) -> bytes:
        """The KDE on the wire."""
        if len(self.oui) != 3:
            raise EncodeError(f"OUI has {len(self.oui)} octets, expected 3")
        return Writer().u8(KDE_ID).block8(self.oui + bytes((self.type,)) + self.data).getvalue()


@dataclass(frozen=True, slots=True)
class KeyDataElement:
    """An element that stands between the KDEs, an RSNE for example."""

    id: int
    body: bytes

    def encode(self) -> bytes:
        """The element on the wire."""
        return Writer().u8(self.id).block8(self.body).getvalue()


def split_key_data(data: bytes) -> tuple[Kde | KeyDataElement, ...]:
    """The KDEs and elements of plain key data, up to the padding."""
    reader = Reader(data)
    found: list[Kde | KeyDataElement] = []
    while reader.remaining:
        start = reader.offset
        number = reader.u8("key data element")
        if number == KDE_ID and (not reader.remaining or data[start + 1] == 0):
            if reader.rest().strip(b"\x00"):
                raise DecodeError(start, "padding of key data is not zero")
            break
        body = reader.take(reader.u8("key data length"), "key data element")
        if number != KDE_ID:
            found.append(KeyDataElement(number, body))
        elif len(body) < 4:
            raise DecodeError(start, f"KDE has {len(body)} octets, expected at least 4")
        else:
            found.append(Kde(body[:3], body[3], body[4:]))
    return tuple(found)


def join_key_data(parts: Iterable[Kde | KeyDataElement]) -> bytes:
    """Plain key data without padding."""
    return b"".join(part.encode() for part in parts)


def find_kde(parts: Iterable[Kde | KeyDataElement], oui: bytes, kind: int) -> Kde | None:
    """The first KDE of this OUI and type."""
    return next((part for part in parts if isinstance(part, Kde) and (part.oui, part.type) == (oui, kind)), None)


def pad_key_data(data: bytes) -> bytes:
    """Key data padded for the wrap: `dd`, then zeros, to a multiple of 8 octets and at least 16."""
    length = max(SHORTEST_WRAPPED, -(-len(data) // WRAP_BLOCK) * WRAP_BLOCK)
    missing = length - len(data)
    return data if not missing else data + bytes((KDE_ID,)) + bytes(missing - 1)


def wrap_key_data(kek: bytes, data: bytes) -> bytes:
    """Key data padded and wrapped with a KEK."""
    return key_wrap.wrap(kek, pad_key_data(data))


def unwrap_key_data(kek: bytes, wrapped: bytes) -> bytes:
    """Plain key data with its padding; raises AuthenticationError if the KEK is another."""
    return key_wrap.unwrap(kek, wrapped)


@dataclass(frozen=True, slots=True)
class GtkKde:
    """`key id(1) reserved(1) GTK`."""

    key_id: int
    key: bytes = field(repr=False)

    def encode(self) -> Kde:
        """The GTK KDE."""
        return Kde(IEEE_OUI, GTK_TYPE, bytes((self.key_id, 0)) + self.key)

    @classmethod
    def decode(cls, kde: Kde) -> "GtkKde":
        """Read a GTK KDE; the key id has two bits."""
        reader = Reader(kde.data)
        key_id = reader.u8("GTK key id") & 0x03
        reader.u8("reserved")
        return cls(key_id, _key(reader, "GTK"))


@dataclass(frozen=True, slots=True)
class ManagementGroupKeyKde:
    """`key id(2) packet number(6) key`: an IGTK (ids 4, 5) or a BIGTK (6, 7), by its type."""

    type: int
    key_id: int
    packet_number: int
    key: bytes = field(repr=False)

    def encode(self) -> Kde:
        """The IGTK or BIGTK KDE."""
        try:
            number = self.packet_number.to_bytes(6, "little")
        except OverflowError:
            raise EncodeError(f"packet number {self.packet_number} has more than 48 bits") from None
        return Kde(IEEE_OUI, self.type, Writer().u16le(self.key_id).raw(number).raw(self.key).getvalue())

    @classmethod
    def decode(cls, kde: Kde) -> "ManagementGroupKeyKde":
        """Read an IGTK or BIGTK KDE."""
        reader = Reader(kde.data)
        key_id = reader.u16le("key id")
        number = int.from_bytes(reader.take(6, "packet number"), "little")
        return cls(kde.type, key_id, number, _key(reader, "group key"))


def _key(reader: Reader, what: str) -> bytes:
    if reader.remaining not in (16, 32):
        raise reader.fail(f"{what} has {reader.remaining} octets, expected 16 or 32")
    return reader.rest()


@dataclass(frozen=True, slots=True)
class NikKde:
    """`cipher version(1) NIK(16)`: the NAN Identity Key of the sender."""

    nik: bytes = field(repr=False)
    cipher_version: int = 0

    def encode(self) -> Kde:
        """The NIK KDE."""
        return Kde(WFA_OUI, NIK_TYPE, bytes((self.cipher_version,)) + self.nik)

    @classmethod
    def decode(cls, kde: Kde) -> "NikKde":
        """Read a NIK KDE."""
        reader = Reader(kde.data)
        version = reader.u8("cipher version")
        nik = reader.take(16, "NIK")
        reader.expect_end("NIK KDE")
        return cls(nik, version)


class LifetimeKeys(IntFlag):
    """The keys that a lifetime is for."""

    GTK = 0x01
    IGTK = 0x02
    BIGTK = 0x04
    NIK = 0x08
    ND_TK = 0x10
    NM_TK = 0x20


@dataclass(frozen=True, slots=True)
class KeyLifetimeKde:
    """`bitmap(2, little endian) seconds(4, big endian)`: the byte orders differ on purpose."""

    seconds: int
    keys: int = LifetimeKeys.NIK

    def encode(self) -> Kde:
        """The lifetime KDE."""
        return Kde(WFA_OUI, LIFETIME_TYPE, Writer().u16le(self.keys).u32be(self.seconds).getvalue())

    @classmethod
    def decode(cls, kde: Kde) -> "KeyLifetimeKde":
        """Read a lifetime KDE."""
        reader = Reader(kde.data)
        keys = reader.u16le("lifetime bitmap")
        seconds = reader.u32be("lifetime")
        reader.expect_end("lifetime KDE")
        return cls(seconds, keys)
