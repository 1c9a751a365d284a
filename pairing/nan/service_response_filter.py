"""Service response filters (SRF): which publishers a subscribe asks to answer, by address list or Bloom filter.

Layout: control(1: bit 0 Bloom, bit 1 include, bits 2-3 Bloom index) address set.
Source: Wi-Fi Aware specification 4.0, section 9.5.4.1.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from pairing.errors import EncodeError
from pairing.nan.identifiers import ADDRESS_LENGTH, check_address
from pairing.wire import Reader

_BLOOM = 0x01
_INCLUDE = 0x02
_INDEX_SHIFT = 2
HASHES = 4
"""Each Bloom index stands for four hash functions."""


@dataclass(frozen=True, slots=True)
class ServiceResponseFilter:
    """The filter as it is on the wire; `admits` says what it means."""

    control: int
    address_set: bytes

    @classmethod
    def decode(cls, data: bytes) -> "ServiceResponseFilter":
        """At least the control octet."""
        reader = Reader(data)
        return cls(reader.u8("SRF control"), reader.rest())

    def encode(self) -> bytes:
        """Control, then the address set."""
        return bytes((self.control,)) + self.address_set

    @classmethod
    def of_addresses(cls, addresses: Iterable[bytes], *, include: bool = True) -> "ServiceResponseFilter":
        """A list: only these answer, or with `include` false all but these."""
        listed = tuple(addresses)
        for address in listed:
            check_address(address)
        return cls(_INCLUDE * include, b"".join(listed))

    @classmethod
    def of_bloom(
        cls, addresses: Iterable[bytes], length: int, index: int = 0, *, include: bool = True
    ) -> "ServiceResponseFilter":
        """A Bloom filter of `length` octets under one of the four indices; it may admit others too."""
        if not 0 < length < 0xFF or not 0 <= index < HASHES:
            raise EncodeError(f"Bloom filter of {length} octets with index {index}, expected 1 to 254 and 0 to 3")
        octets = bytearray(length)
        for address in addresses:
            check_address(address)
            for bit in _bits(address, index, length):
                octets[bit // 8] |= 1 << bit % 8
        return cls(_BLOOM | _INCLUDE * include | index << _INDEX_SHIFT, bytes(octets))

    @property
    def is_bloom(self) -> bool:
        """A Bloom filter, else a list of addresses."""
        return bool(self.control & _BLOOM)

    @property
    def is_include(self) -> bool:
        """Who is in the set shall answer, else who is not."""
        return bool(self.control & _INCLUDE)

    @property
    def bloom_index(self) -> int:
        """Which four hash functions a Bloom filter uses."""
        return self.control >> _INDEX_SHIFT & 3

    def admits(self, address: bytes) -> bool:
        """Whether a publisher with that address shall answer."""
        if self.is_bloom:
            if not self.address_set:
                return False
            bits = _bits(address, self.bloom_index, len(self.address_set))
            is_in_set = all(self.address_set[bit // 8] >> bit % 8 & 1 for bit in bits)
        else:
            places = range(0, len(self.address_set) - ADDRESS_LENGTH + 1, ADDRESS_LENGTH)
            is_in_set = any(self.address_set[place : place + ADDRESS_LENGTH] == address for place in places)
        return is_in_set is self.is_include


def _bits(address: bytes, index: int, length: int) -> tuple[int, ...]:
    """The inverted CRC-32 over hash number and address, its low 16 bits, modulo the number of bits."""
    numbers = range(HASHES * index, HASHES * (index + 1))
    return tuple((~zlib.crc32(bytes((number,)) + address) & 0xFFFF) % (8 * length) for number in numbers)
