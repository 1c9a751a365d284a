"""The resource records of a service and of a host, and the fields inside received ones.

Which records answer a question and who may claim them is left to the responder.
Source: RFC 6763 section 4 (PTR, SRV, TXT), RFC 6762 sections 6.1 (NSEC), 10 (TTLs) and 10.2 (cache-flush bit).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from pairing.dnssd.messages import Record, RecordType, split_rdata
from pairing.dnssd.names import (
    SERVICES,
    IpAddress,
    Name,
    host_name,
    instance_name,
    reverse_name,
    subtype_name,
    type_name,
)
from pairing.dnssd.service import ServiceInstance
from pairing.errors import EncodeError


def pointer_record(name: Name, target: Name, ttl: int) -> Record:
    """A PTR record. Many hosts share its name, so it never carries the cache-flush bit."""
    return Record(name, RecordType.PTR, ttl, target)


def nsec_record(name: Name, types: Iterable[int], ttl: int) -> Record:
    """An NSEC record: these types exist for the name and no others."""
    bitmap = bytearray(32)
    for type_ in types:
        bitmap[type_ // 8] |= 0x80 >> type_ % 8
    bits = bytes(bitmap).rstrip(b"\x00")
    block = bytes((0, len(bits))) + bits if bits else b""
    return Record(name, RecordType.NSEC, ttl, name + block, cache_flush=True)


def address_record(name: Name, address: IpAddress, ttl: int) -> Record:
    """An A or AAAA record."""
    type_ = RecordType.A if address.version == 4 else RecordType.AAAA
    return Record(name, type_, ttl, address.packed, cache_flush=True)


@dataclass(frozen=True, slots=True)
class ServiceRecords:
    """Every record of one service. `pointers` holds the one of its type, then those of its subtypes."""

    name: Name
    pointers: tuple[Record, ...]
    srv: Record
    txt: Record
    nsec: Record
    enumeration: Record

    @classmethod
    def of(cls, service: ServiceInstance, *, zero_ttls: bool = False) -> "ServiceRecords":
        """The records of a service as it is called now."""
        name, base = instance_name(service.instance, service.type), type_name(service.type)
        host_ttl, other_ttl = (0, 0) if zero_ttls else (service.host_ttl, service.other_ttl)
        names = dict.fromkeys((base, *(subtype_name(subtype, service.type) for subtype in service.subtypes)))
        numbers = b"".join(number.to_bytes(2, "big") for number in (service.priority, service.weight, service.port))
        return cls(
            name,
            tuple(pointer_record(pointed, name, other_ttl) for pointed in names),
            Record(name, RecordType.SRV, host_ttl, numbers + host_name(service.host), cache_flush=True),
            Record(name, RecordType.TXT, other_ttl, service.txt or b"\x00", cache_flush=True),
            nsec_record(name, (RecordType.TXT, RecordType.SRV), other_ttl),
            pointer_record(SERVICES, base, other_ttl),
        )

    @property
    def unique(self) -> tuple[Record, ...]:
        """The records that only the holder of the name may have."""
        return (self.srv, self.txt)


@dataclass(frozen=True, slots=True)
class HostRecords:
    """A host's records on one link: its addresses there, and which address types it has not."""

    addresses: tuple[Record, ...]
    nsec: Record
    reverse: tuple[Record, ...]

    @classmethod
    def of(cls, name: Name, addresses: Iterable[IpAddress], ttl: int) -> "HostRecords":
        """The records of a host with these addresses."""
        known = tuple(addresses)
        records = tuple(address_record(name, address, ttl) for address in known)
        nsec = nsec_record(name, (record.type for record in records), ttl)
        return cls(records, nsec, tuple(pointer_record(reverse_name(address), name, ttl) for address in known))


@dataclass(frozen=True, slots=True)
class SrvFields:
    """What an SRV record says."""

    priority: int
    weight: int
    port: int
    target: Name

    @classmethod
    def of(cls, record: Record) -> "SrvFields | None":
        """The fields of a received SRV record, or None if they are not all there."""
        parts = _split(record)
        if parts is None or parts[2]:
            return None
        numbers = [int.from_bytes(parts[0][at : at + 2], "big") for at in (0, 2, 4)]
        return cls(numbers[0], numbers[1], numbers[2], parts[1])


def pointed(record: Record) -> Name | None:
    """The name that a PTR record points at, or None if it is not well formed."""
    parts = _split(record)
    return None if parts is None or parts[2] else parts[1]


def address_of(record: Record) -> IpAddress | None:
    """The address in an A or AAAA record, or None if it has the wrong size."""
    if record.type == RecordType.A and len(record.rdata) == 4:
        return IPv4Address(record.rdata)
    if record.type == RecordType.AAAA and len(record.rdata) == 16:
        return IPv6Address(record.rdata)
    return None


def denies(record: Record, type_: int) -> bool:
    """Whether an NSEC record says that its name has no record of this type."""
    parts = _split(record)
    if record.type != RecordType.NSEC or parts is None or parts[1].lower() != record.key:
        return False
    block = parts[2]
    if len(block) < 2 or block[0] != 0:
        return not block
    bits = block[2 : 2 + block[1]]
    return type_ // 8 >= len(bits) or not bits[type_ // 8] & 0x80 >> type_ % 8


def _split(record: Record) -> tuple[bytes, Name, bytes] | None:
    try:
        return split_rdata(record.type, record.rdata)
    except EncodeError:
        return None
