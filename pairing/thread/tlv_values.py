"""The meaning of each MeshCoP TLV's value: a table from type to the codec of its field.

`field_of` reads a TLV, `tlv_of` makes one. Values longer than a field needs pass and the surplus is not looked at, as
in OpenThread; to pass a TLV on, keep the `Tlv`. Types without a codec have their bytes as field.
Source: Thread specification, chapter 8.10 (MeshCoP TLV formats).
"""

from collections.abc import Callable
from enum import IntEnum
from ipaddress import IPv6Address
from typing import Any, NamedTuple

from pairing.errors import DecodeError, EncodeError
from pairing.thread.fields import Channel, ChannelMask, SecurityPolicy, Timestamp
from pairing.thread.tlvs import MeshCopTlvType, Tlv, tlv_name


class State(IntEnum):
    """State TLV: the answer to a petition, a keep-alive, a set or a finalisation."""

    REJECT = -1
    PENDING = 0
    ACCEPT = 1


class UdpEncapsulation(NamedTuple):
    """UDP Encapsulation: source port(2) destination port(2) UDP payload."""

    source_port: int
    destination_port: int
    payload: bytes

    @classmethod
    def decode(cls, value: bytes) -> "UdpEncapsulation":
        """Four bytes of ports, the rest is payload."""
        return cls(int.from_bytes(value[:2], "big"), int.from_bytes(value[2:4], "big"), value[4:])

    def encode(self) -> bytes:
        """Ports and payload."""
        return _unsigned(2)(self.source_port) + _unsigned(2)(self.destination_port) + self.payload


class VendorStackVersion(NamedTuple):
    """Vendor Stack Version: OUI(24) build(12) revision(4) minor(4) major(4), in bits."""

    oui: int
    build: int
    revision: int
    minor: int
    major: int

    @classmethod
    def decode(cls, value: bytes) -> "VendorStackVersion":
        """Six bytes."""
        bits = int.from_bytes(value[:6], "big")
        return cls(bits >> 24, bits >> 12 & 0xFFF, bits >> 8 & 0xF, bits >> 4 & 0xF, bits & 0xF)

    def encode(self) -> bytes:
        """Six bytes."""
        bits = 0
        for part, width in zip(self, (24, 12, 4, 4, 4), strict=True):
            if part >> width:
                raise EncodeError(f"{part} does not fit the {width} bits of its part of a vendor stack version")
            bits = bits << width | part
        return bits.to_bytes(6, "big")


class _Codec(NamedTuple):
    """How one type's value is read and written; `needed` is the fewest bytes that can be read."""

    needed: int
    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]


def field_of(tlv: Tlv) -> object:
    """The field that the TLV carries; DecodeError, with the offset in the value, if it cannot be read."""
    codec = _CODECS.get(tlv.type)
    if codec is None:
        return tlv.value
    if len(tlv.value) < codec.needed:
        raise DecodeError(0, f"{tlv.name} has {len(tlv.value)} bytes, expected {codec.needed}")
    field: object = codec.decode(tlv.value)
    return field


def tlv_of(tlv_type: int, field: object) -> Tlv:
    """The TLV that carries the field; EncodeError if it has no form on the wire."""
    codec = _CODECS.get(tlv_type, _OPEN)
    try:
        value = codec.encode(field)
    except (TypeError, AttributeError):
        raise EncodeError(f"{tlv_name(tlv_type)} does not carry a {type(field).__name__}") from None
    if len(value) < codec.needed:
        raise EncodeError(f"{tlv_name(tlv_type)} has {len(value)} bytes, expected {codec.needed}")
    return Tlv(tlv_type, value)


def _unsigned(length: int) -> Callable[[int], bytes]:
    def encode(number: int) -> bytes:
        try:
            return number.to_bytes(length, "big")
        except OverflowError:
            raise EncodeError(f"{number} does not fit {length} bytes") from None

    return encode


def _number(length: int) -> _Codec:
    return _Codec(length, lambda value: int.from_bytes(value[:length], "big"), _unsigned(length))


def _same(field: bytes) -> bytes:
    if not isinstance(field, bytes):
        raise TypeError
    return field


def _octets(length: int) -> _Codec:
    def encode(field: bytes) -> bytes:
        if len(field) != length:
            raise EncodeError(f"{len(field)} bytes, expected {length}")
        return _same(field)

    return _Codec(length, lambda value: value[:length], encode)


def _decode_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise DecodeError(error.start, "text is not UTF-8") from None


def _encode_text(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise EncodeError(f"character {error.start + 1} has no UTF-8 form") from None


def _decode_state(value: bytes) -> State:
    try:
        return State(int.from_bytes(value[:1], "big", signed=True))
    except ValueError:
        raise DecodeError(0, f"state is 0x{value[0]:02x}, expected 00, 01 or ff") from None


def _signed_bytes(value: bytes) -> tuple[int, ...]:
    return tuple(byte - 256 if byte > 127 else byte for byte in value)


def _encode_signed(numbers: tuple[int, ...]) -> bytes:
    try:
        return b"".join(number.to_bytes(1, "big", signed=True) for number in numbers)
    except OverflowError:
        raise EncodeError("an energy level does not fit a signed byte") from None


def _encode_types(types: tuple[int, ...]) -> bytes:
    try:
        return bytes(types)
    except ValueError:
        raise EncodeError("a TLV type does not fit one byte") from None


_OPEN = _Codec(0, _same, _same)
_TEXT = _Codec(0, _decode_text, _encode_text)
_CHANNEL = _Codec(3, Channel.decode, Channel.encode)
_TIMESTAMP = _Codec(8, Timestamp.decode, Timestamp.encode)
_T = MeshCopTlvType

_CODECS: dict[int, _Codec] = {
    _T.CHANNEL: _CHANNEL,
    _T.PAN_ID: _number(2),
    _T.EXTENDED_PAN_ID: _octets(8),
    _T.NETWORK_NAME: _TEXT,
    _T.PSKC: _octets(16),
    _T.NETWORK_KEY: _octets(16),
    _T.NETWORK_KEY_SEQUENCE: _number(4),
    _T.MESH_LOCAL_PREFIX: _octets(8),
    _T.BORDER_AGENT_LOCATOR: _number(2),
    _T.COMMISSIONER_ID: _TEXT,
    _T.COMMISSIONER_SESSION_ID: _number(2),
    _T.SECURITY_POLICY: _Codec(3, SecurityPolicy.decode, SecurityPolicy.encode),
    _T.GET: _Codec(0, tuple, _encode_types),
    _T.ACTIVE_TIMESTAMP: _TIMESTAMP,
    _T.COMMISSIONER_UDP_PORT: _number(2),
    _T.STATE: _Codec(1, _decode_state, lambda state: State(state).to_bytes(1, "big", signed=True)),
    _T.JOINER_UDP_PORT: _number(2),
    _T.JOINER_IID: _octets(8),
    _T.JOINER_ROUTER_LOCATOR: _number(2),
    _T.JOINER_ROUTER_KEK: _octets(16),
    _T.DURATION: _number(2),
    _T.PROVISIONING_URL: _TEXT,
    _T.VENDOR_NAME: _TEXT,
    _T.VENDOR_MODEL: _TEXT,
    _T.VENDOR_SW_VERSION: _TEXT,
    _T.VENDOR_STACK_VERSION: _Codec(6, VendorStackVersion.decode, VendorStackVersion.encode),
    _T.UDP_ENCAPSULATION: _Codec(4, UdpEncapsulation.decode, UdpEncapsulation.encode),
    _T.IPV6_ADDRESS: _Codec(16, lambda value: IPv6Address(value[:16]), lambda address: address.packed),
    _T.PENDING_TIMESTAMP: _TIMESTAMP,
    _T.DELAY_TIMER: _number(4),
    _T.CHANNEL_MASK: _Codec(0, ChannelMask.decode, ChannelMask.encode),
    _T.COUNT: _number(1),
    _T.PERIOD: _number(2),
    _T.SCAN_DURATION: _number(2),
    _T.ENERGY_LIST: _Codec(0, _signed_bytes, _encode_signed),
    _T.THREAD_DOMAIN_NAME: _TEXT,
    _T.WAKEUP_CHANNEL: _CHANNEL,
}
