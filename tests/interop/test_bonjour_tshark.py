"""Every kind of multicast DNS packet that we send, read by tshark: none malformed, names and fields as meant."""

import json
import struct
import subprocess
from collections.abc import Iterable
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from pairing.dnssd.messages import FLAG_TRUNCATED, Message, Question, Record, RecordType
from pairing.dnssd.names import host_name, instance_name, type_name
from pairing.dnssd.service import MDNS_PORT, ServiceKey
from pairing.engine import SECOND, Endpoint
from tests.support.dnssd_wire import LINK, MESHCOP, Sent, Wire, link, service
from tests.support.needs import requires_tools

pytestmark = pytest.mark.interop
RAW_IP = 101
LIVING_ROOM = instance_name("Living Room 2.0", MESHCOP)


def conversation() -> list[Sent]:
    """Probes, conflict, announcements, every kind of answer, an update, long known-answer lists and goodbyes."""
    wire = Wire()
    first, second = wire.responder("192.0.2.1"), wire.responder("192.0.2.2")
    first.engine.set_links([link("192.0.2.1", "fe80::1")], 0)
    wire.publish(first, service("Living Room 2.0", subtypes=("_r1", "_r2"), txt=b"\x04rv=1\x06xa=\x00\xff\x3d"))
    wire.publish(second, service("Living Room 2.0"), *(service(f"Router {number}", "ot9") for number in range(80)))
    querier = wire.querier("192.0.2.50")
    wire.do(querier, lambda engine, now: engine.browse(MESHCOP, now))
    wire.run(10 * SECOND)
    for name, type_ in ((LIVING_ROOM, RecordType.A), (host_name("ot1"), RecordType.ANY), (LIVING_ROOM, 33)):
        for sender in (Endpoint("192.0.2.99", MDNS_PORT, LINK), Endpoint("192.0.2.99", 40000, LINK)):
            wire.inject(Message(id=7, questions=(Question(name, type_),)).encode(), sender)
            wire.run(2 * SECOND)
    known = Record(type_name(MESHCOP), RecordType.PTR, 4500, LIVING_ROOM)
    asked = Message(flags=FLAG_TRUNCATED, questions=(Question(type_name(MESHCOP), RecordType.PTR),), answers=(known,))
    wire.inject(asked.encode())
    wire.do(first, lambda engine, now: engine.update(service("Living Room 2.0", txt=b"\x04rv=2"), now))
    wire.run(5 * SECOND)
    wire.do(first, lambda engine, now: engine.withdraw(ServiceKey("Living Room 2.0", MESHCOP), now))
    wire.do(second, lambda engine, now: engine.close(now))
    wire.run(5 * SECOND)
    return wire.sent


def capture(packets: Iterable[Sent], path: Path) -> None:
    """Write packets as a capture of raw IPv4."""
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, RAW_IP)
    for sent in packets:
        target = IPv4Address(sent.to.host).packed
        udp = struct.pack(">HHHH", MDNS_PORT, sent.to.port, 8 + len(sent.payload), 0) + sent.payload
        source = IPv4Address("192.0.2.1").packed
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 255, 17, 0) + source + target
        data += struct.pack("<IIII", sent.at // SECOND, sent.at % SECOND, len(ip + udp), len(ip + udp)) + ip + udp
    path.write_bytes(data)


@pytest.fixture(scope="module")
def dissected(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Sent, dict[str, Any]]]:
    """Each packet beside what tshark makes of it."""
    requires_tools("tshark")
    sent = conversation()
    path = tmp_path_factory.mktemp("tshark") / "mdns.pcap"
    capture(sent, path)
    command = [
        "tshark",
        "-r",
        str(path),
        "-d",
        f"udp.port=={MDNS_PORT},mdns",
        "-T",
        "ek",
        "-o",
        "ip.check_checksum:FALSE",
    ]
    lines = subprocess.run(command, check=True, text=True, capture_output=True).stdout.splitlines()
    layers = [json.loads(line)["layers"] for line in lines if '"layers"' in line]
    assert len(layers) == len(sent)
    return list(zip(sent, layers, strict=True))


def listed(value: Any) -> list[str]:
    """A field of tshark's output as a list."""
    return value if isinstance(value, list) else [value]


def test_no_packet_is_malformed(dissected: list[tuple[Sent, dict[str, Any]]]):
    broken = [layers for _, layers in dissected if "_ws_malformed" in json.dumps(layers) or "mdns" not in layers]

    assert broken == []
    assert len(dissected) > 40


def test_counts_of_every_section_agree(dissected: list[tuple[Sent, dict[str, Any]]]):
    for sent, layers in dissected:
        seen = layers["mdns"]
        ours = sent.message
        counts = [int(seen[f"dns_dns_count_{name}"]) for name in ("queries", "answers", "auth_rr", "add_rr")]
        assert counts == [len(ours.questions), len(ours.answers), len(ours.authorities), len(ours.additionals)]


def test_fields_of_an_announcement_are_those_of_the_service(dissected: list[tuple[Sent, dict[str, Any]]]):
    seen = next(layers["mdns"] for sent, layers in dissected if sent.message.is_response)

    assert "Living Room 2.0._meshcop._udp.local" in listed(seen["dns_dns_ptr_domain_name"])
    assert listed(seen["dns_dns_srv_port"]) == ["49154"]
    assert listed(seen["dns_dns_srv_target"]) == ["ot1.local"]
    assert listed(seen["dns_dns_a"]) == ["192.0.2.1"]
    assert listed(seen["dns_dns_aaaa"]) == ["fe80::1"]
    assert listed(seen["dns_dns_txt_length"]) == ["4", "6"]


def test_ttls_and_cache_flush_bits_agree(dissected: list[tuple[Sent, dict[str, Any]]]):
    for sent, layers in dissected:
        ours = (*sent.message.answers, *sent.message.authorities, *sent.message.additionals)
        if ours:
            seen = layers["mdns"]
            assert [int(ttl) for ttl in listed(seen["dns_dns_resp_ttl"])] == [one.ttl for one in ours]
            flush = listed(seen["dns_dns_resp_cache_flush"])
            assert [str(bit).lower() in ("1", "true") for bit in flush] == [one.cache_flush for one in ours]
