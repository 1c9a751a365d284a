"""Joiner ids and steering data: the Bloom filter by which a network says which joiners it expects.

A joiner's id follows from its EUI-64; two CRC-16 of the id each name one bit of the filter. Bits are counted from the
end of the filter. A filter of ones admits any joiner, one of zeros none. Source: Thread specification, chapters 8.4.4.3
and 8.10.1.9.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from pairing.errors import EncodeError

EUI64_LENGTH = 8
MAX_LENGTH = 16
_LOCALLY_ADMINISTERED = 0x02


class _Crc16:
    """A CRC-16 without reflection, initial value and final XOR of zero, by table."""

    def __init__(self, polynomial: int) -> None:
        self._table = tuple(self._register(byte << 8, polynomial) for byte in range(256))

    @staticmethod
    def _register(register: int, polynomial: int) -> int:
        for _ in range(8):
            register = register << 1 ^ (polynomial if register & 0x8000 else 0)
        return register & 0xFFFF

    def __call__(self, data: bytes) -> int:
        register = 0
        for byte in data:
            register = (register << 8 & 0xFFFF) ^ self._table[register >> 8 ^ byte]
        return register


crc16_ccitt = _Crc16(0x1021)
crc16_ansi = _Crc16(0x8005)


def joiner_id(eui64: bytes) -> bytes:
    """The id that a joiner uses as its extended address: the front of the EUI-64's SHA-256, locally administered."""
    if len(eui64) != EUI64_LENGTH:
        raise EncodeError(f"EUI-64 has {len(eui64)} bytes, expected {EUI64_LENGTH}")
    digest = sha256(eui64).digest()
    return bytes((digest[0] | _LOCALLY_ADMINISTERED,)) + digest[1:8]


def joiner_iid(identifier: bytes) -> bytes:
    """The interface identifier of the joiner with this id, and the id from the identifier: one bit is inverted."""
    return bytes((identifier[0] ^ _LOCALLY_ADMINISTERED,)) + identifier[1:]


class SteeringData(NamedTuple):
    """Steering Data: the filter as it stands in the TLV, 1 to 16 bytes."""

    filter: bytes

    @classmethod
    def of_joiners(cls, identifiers: Iterable[bytes], length: int = MAX_LENGTH) -> "SteeringData":
        """The filter of `length` bytes that admits the joiners with these ids."""
        if not 1 <= length <= MAX_LENGTH:
            raise EncodeError(f"steering data of {length} bytes, expected 1 to {MAX_LENGTH}")
        number = 0
        for identifier in identifiers:
            number |= _bits(identifier, length)
        return cls(number.to_bytes(length, "big"))

    @classmethod
    def any_joiner(cls, length: int = 1) -> "SteeringData":
        """The filter that admits everybody."""
        return cls(b"\xff" * length)

    @classmethod
    def no_joiner(cls, length: int = 1) -> "SteeringData":
        """The filter that admits nobody."""
        return cls(bytes(length))

    @property
    def admits_any(self) -> bool:
        """Whether every bit is set."""
        return bool(self.filter) and not self.filter.strip(b"\xff")

    @property
    def admits_none(self) -> bool:
        """Whether no bit is set."""
        return not any(self.filter)

    def admits(self, identifier: bytes) -> bool:
        """Whether the filter may mean the joiner with this id; strangers pass by chance."""
        if not self.filter:
            return False
        bits = _bits(identifier, len(self.filter))
        return int.from_bytes(self.filter, "big") & bits == bits


def _bits(identifier: bytes, length: int) -> int:
    """The joiner's two bits in a filter of `length` bytes, the filter read as one big-endian number."""
    width = 8 * length
    return 1 << crc16_ccitt(identifier) % width | 1 << crc16_ansi(identifier) % width
