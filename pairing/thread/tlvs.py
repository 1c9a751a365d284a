"""MeshCoP TLVs: type(1) length(1) value, or type(1) 0xFF length(2) value in the extended form.

Splits bytes into TLVs and joins them again, losing nothing; the meaning of a value is `tlv_values`' business, datasets
have their own codec in `dataset`. Source: Thread specification, chapter 8 (Mesh Commissioning Protocol), TLV formats.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from pairing.errors import DecodeError, EncodeError


class MeshCopTlvType(IntEnum):
    """MeshCoP TLV types."""

    CHANNEL = 0
    PAN_ID = 1
    EXTENDED_PAN_ID = 2
    NETWORK_NAME = 3
    PSKC = 4
    NETWORK_KEY = 5
    NETWORK_KEY_SEQUENCE = 6
    MESH_LOCAL_PREFIX = 7
    STEERING_DATA = 8
    BORDER_AGENT_LOCATOR = 9
    COMMISSIONER_ID = 10
    COMMISSIONER_SESSION_ID = 11
    SECURITY_POLICY = 12
    GET = 13
    ACTIVE_TIMESTAMP = 14
    COMMISSIONER_UDP_PORT = 15
    STATE = 16
    JOINER_DTLS_ENCAPSULATION = 17
    JOINER_UDP_PORT = 18
    JOINER_IID = 19
    JOINER_ROUTER_LOCATOR = 20
    JOINER_ROUTER_KEK = 21
    DURATION = 22
    PROVISIONING_URL = 32
    VENDOR_NAME = 33
    VENDOR_MODEL = 34
    VENDOR_SW_VERSION = 35
    VENDOR_DATA = 36
    VENDOR_STACK_VERSION = 37
    UDP_ENCAPSULATION = 48
    IPV6_ADDRESS = 49
    PENDING_TIMESTAMP = 51
    DELAY_TIMER = 52
    CHANNEL_MASK = 53
    COUNT = 54
    PERIOD = 55
    SCAN_DURATION = 56
    ENERGY_LIST = 57
    THREAD_DOMAIN_NAME = 58
    WAKEUP_CHANNEL = 74
    DISCOVERY_REQUEST = 128
    DISCOVERY_RESPONSE = 129


SECRET_TYPES = frozenset({MeshCopTlvType.PSKC, MeshCopTlvType.NETWORK_KEY, MeshCopTlvType.JOINER_ROUTER_KEK})
"""Types whose values never appear in a repr, a log or an error."""

ALWAYS_EXTENDED = frozenset({MeshCopTlvType.JOINER_DTLS_ENCAPSULATION, MeshCopTlvType.UDP_ENCAPSULATION})
"""Types that Thread stacks send in the extended form even when the value is short."""

MAX_SHORT_LENGTH = 0xFE
EXTENDED = 0xFF

_SPELLED: dict[int, str] = {MeshCopTlvType.EXTENDED_PAN_ID: "ExtPanId", MeshCopTlvType.PSKC: "PSKc"}


def tlv_name(tlv_type: int) -> str:
    """The type as one word, `NetworkName`; `type_241` for a type we do not know."""
    try:
        member = MeshCopTlvType(tlv_type)
    except ValueError:
        return f"type_{tlv_type}"
    return _SPELLED.get(tlv_type) or "".join(word.capitalize() for word in member.name.split("_"))


class Tlv(NamedTuple):
    """One TLV: its type number, known or not, and the bytes of its value."""

    type: int
    value: bytes

    @property
    def name(self) -> str:
        """The type's name, see `tlv_name`."""
        return tlv_name(self.type)

    def encode(self, *, extended: bool = False) -> bytes:
        """The TLV on the wire; `extended` asks for the extended form."""
        if not 0 <= self.type <= 0xFF:
            raise EncodeError(f"TLV type {self.type} does not fit one byte")
        length = len(self.value)
        if not extended:
            if length > MAX_SHORT_LENGTH:
                raise EncodeError(
                    f"{self.name} has {length} bytes, the one-byte length form ends at {MAX_SHORT_LENGTH}"
                )
            return bytes((self.type, length)) + self.value
        if length > 0xFFFF:
            raise EncodeError(f"{self.name} has {length} bytes, the extended length form ends at 65535")
        return bytes((self.type, EXTENDED)) + length.to_bytes(2, "big") + self.value

    def __repr__(self) -> str:
        shown = f"<{len(self.value)} secret bytes>" if self.type in SECRET_TYPES else self.value.hex()
        return f"Tlv({self.name}, {shown})"


def split_tlvs(data: bytes, *, extended: bool = False) -> tuple[Tlv, ...]:
    """The TLVs of `data` in order, duplicates included. The extended length form is refused unless `extended`."""
    tlvs: list[Tlv] = []
    start = 0
    end = len(data)
    while start < end:
        if start + 2 > end:
            raise DecodeError(start, "TLV header needs 2 bytes, 1 left")
        tlv_type, length = data[start], data[start + 1]
        value = start + 2
        if length == EXTENDED:
            if not extended:
                raise DecodeError(start + 1, f"{tlv_name(tlv_type)} uses the extended length form, not allowed here")
            if value + 2 > end:
                raise DecodeError(value, f"extended length needs 2 bytes, {end - value} left")
            length = int.from_bytes(data[value : value + 2], "big")
            value += 2
        if value + length > end:
            raise DecodeError(value, f"{tlv_name(tlv_type)} needs {length} bytes, {end - value} left")
        start = value + length
        tlvs.append(Tlv(tlv_type, data[value:start]))
    return tuple(tlvs)


def join_tlvs(tlvs: Iterable[Tlv], *, extended: bool = False) -> bytes:
    """The TLVs one after the other. With `extended`, those that need or always use the extended form get it."""
    return b"".join(
        tlv.encode(extended=extended and (tlv.type in ALWAYS_EXTENDED or len(tlv.value) > MAX_SHORT_LENGTH))
        for tlv in tlvs
    )
