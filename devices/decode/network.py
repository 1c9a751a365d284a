"""What frames travel in on wires: Ethernet, IP and UDP. Only the way to the payload; checksums are not judged.

A UDP payload is read by the layer of its port, else by the likeliest layer if it is likely enough.
"""

import ipaddress

from devices.decode.fields import TracedReader
from devices.decode.layers import decode, layer, layers
from devices.decode.words import address
from pairing.errors import DecodeError

_IPV4, _IPV6, _VLAN = 0x0800, 0x86DD, 0x8100
_UDP = 17
_PROTOCOLS = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6", 2: "IGMP"}
LIKELY = 60
"""How likely a datagram's layer must be by its looks where the port says nothing."""


def _guess_ip(data: bytes) -> int:
    if len(data) >= 20 and data[0] >> 4 == 4 and (data[0] & 15) >= 5 and int.from_bytes(data[2:4], "big") == len(data):
        return 88
    if len(data) >= 40 and data[0] >> 4 == 6 and int.from_bytes(data[4:6], "big") + 40 == len(data):
        return 88
    return 0


def _guess_ethernet(data: bytes) -> int:
    ethertype = int.from_bytes(data[12:14], "big")
    is_ip = (ethertype, data[14:15][:1] and data[14] >> 4) in ((_IPV4, 4), (_IPV6, 6))
    return 65 if is_ip else 0


@layer("ethernet", "Ethernet frame", guess=_guess_ethernet)
def read_ethernet(reader: TracedReader) -> None:
    """Two addresses, the type, the packet."""
    with reader.group("Ethernet"):
        reader.take(6, "destination")
        reader.mean(address(reader.last.octets))
        reader.take(6, "source")
        reader.mean(address(reader.last.octets))
        ethertype = reader.u16be("ethertype")
        while ethertype == _VLAN:
            reader.u16be("VLAN tag")
            ethertype = reader.u16be("ethertype")
        reader.mean({_IPV4: "IPv4", _IPV6: "IPv6"}.get(ethertype, f"{ethertype:#06x}"))
    if ethertype in (_IPV4, _IPV6):
        read_ip(reader)
    else:
        reader.rest()


@layer("ip", "IP packet", guess=_guess_ip)
def read_ip(reader: TracedReader) -> None:
    """IPv4 or IPv6, then UDP."""
    version = (reader.peek(1) or b"\0")[0] >> 4
    match version:
        case 4:
            protocol, length = _read_ipv4(reader)
        case 6:
            protocol, length = _read_ipv6(reader)
        case _:
            raise DecodeError(reader.offset, f"IP version {version}, expected 4 or 6")
    payload = reader.sub(min(length, reader.remaining), _PROTOCOLS.get(protocol, f"protocol {protocol}"))
    if protocol == _UDP:
        _read_udp(payload)
    reader.rest()  # padding of the link


def _read_ipv4(reader: TracedReader) -> tuple[int, int]:
    with reader.group("IPv4") as group:
        words = reader.u8("version and header length") & 15
        if words < 5:
            raise DecodeError(reader.offset - 1, f"IPv4 header of {words} words, expected at least 5")
        reader.u8("differentiated services")
        total = reader.u16be("total length")
        reader.u16be("identification")
        fragment = reader.u16be("flags and fragment offset")
        reader.u8("time to live")
        protocol = reader.u8("protocol")
        reader.mean(_PROTOCOLS.get(protocol, ""))
        reader.u16be("header checksum")
        source, to = (ipaddress.IPv4Address(reader.take(4, what)) for what in ("source address", "destination address"))
        if words > 5:
            reader.take(4 * (words - 5), "options")
        group.meaning = f"{source} to {to}"
        if total < 4 * words:
            raise DecodeError(reader.offset, f"IPv4 total length {total}, the header alone has {4 * words}")
    is_fragment = bool(fragment & 0x1FFF)
    return (-1 if is_fragment else protocol), total - 4 * words


def _read_ipv6(reader: TracedReader) -> tuple[int, int]:
    with reader.group("IPv6") as group:
        reader.u32be("version, traffic class, flow label")
        length = reader.u16be("payload length")
        protocol = reader.u8("next header")
        reader.mean(_PROTOCOLS.get(protocol, ""))
        reader.u8("hop limit")
        source, to = (
            ipaddress.IPv6Address(reader.take(16, what)) for what in ("source address", "destination address")
        )
        group.meaning = f"{source} to {to}"
    return protocol, length


def _read_udp(reader: TracedReader) -> None:
    source, to = reader.u16be("source port"), reader.u16be("destination port")
    length = reader.u16be("length")
    reader.u16be("checksum")
    if length < 8:
        raise DecodeError(reader.offset - 4, f"UDP length {length}, expected at least 8")
    payload = reader.sub(min(length - 8, reader.remaining), "payload")
    read_payload(payload, source, to)
    reader.rest()


def read_payload(reader: TracedReader, source: int, to: int) -> None:
    """A datagram's payload between two ports."""
    by_port = next((each for each in layers().values() if {source, to} & each.ports), None)
    if by_port is not None:
        with reader.group(by_port.title):
            by_port.read(reader)
        return
    data = reader.peek(reader.remaining)
    try:
        found = decode(data, reader.offset)
    except DecodeError:
        return
    if found.error is None and found.layer.guess(data) >= LIKELY:
        with reader.group(found.layer.title):
            found.layer.read(reader)
