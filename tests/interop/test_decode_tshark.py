"""`pairlab decode` beside tshark: for the fields that both know, both read the same values out of the same captures."""

import struct
import subprocess
from pathlib import Path

import pytest

from devices.decode.captures import Packet, decode_packet
from devices.decode.layers import Decoded
from devices.transcripts.pcapng import datagram
from pairing.dnssd.messages import RESPONSE, Message, Record, RecordType
from pairing.dnssd.names import host_name, instance_name, type_name
from pairing.engine import Endpoint
from tests.support.decoded import named
from tests.support.nan_capture import captures
from tests.support.needs import requires_tools

pytestmark = pytest.mark.interop

AIR = {
    "wlan.ra": "receiver address",
    "wlan.ta": "transmitter address",
    "wlan.bssid": "BSSID",
    "nan.service_id": "service ID",
    "nan.sda.requestor_instance_id": "requestor instance ID",
    "nan.device_cap.max_channel_switch_time": "max channel switch time",
    "nan.availability.sequence_id": "sequence ID",
    "nan.time_bitmap.len": "time bitmap length",
    "nan.time_bitmap.ctrl": "time bitmap control",
    "nan.ndp.id": "NDP ID",
    "nan.ndp.initiator_ndi": "initiator NDI",
    "nan.ndp.responder.ndi": "responder NDI",
}
"""tshark's field -> ours."""


def tshark(path: Path, fields: list[str]) -> list[dict[str, list[str]]]:
    """What tshark finds: for each packet, field -> its values."""
    requires_tools("tshark")
    named_fields = [part for field in fields for part in ("-e", field)]
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "aggregator=|", *named_fields]
    lines = subprocess.run(command, check=True, text=True, capture_output=True).stdout.split("\n")[:-1]
    rows = [dict(zip(fields, line.split("\t"), strict=True)) for line in lines]
    return [{field: value.split("|") if value else [] for field, value in row.items()} for row in rows]


def written(path: Path, link_type: int, packets: list[bytes]) -> list[Decoded]:
    """The packets in a capture, and what we make of each."""
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)
    data += b"".join(struct.pack("<IIII", 1, 0, len(each), len(each)) + each for each in packets)
    path.write_bytes(data)
    return [decode_packet(Packet(1, 0, link_type, each, len(each))) for each in packets]


def ours(decoded: Decoded, name: str) -> list[str]:
    """Values as tshark writes them: numbers in decimal, octets in hex without separators."""
    return [each.octets.hex() if each.number is None else str(each.number) for each in named(decoded, name)]


def theirs(values: list[str]) -> list[str]:
    """The same of tshark's."""
    return [str(int(each, 16)) if each.startswith("0x") else each.replace(":", "").replace("-", "") for each in values]


@pytest.mark.parametrize("name", ["password_pin_display_128_01", "ndp_passphrase_256_01", "opportunistic_nocache_01"])
def test_frames_of_the_air_read_alike(name: str, tmp_path: Path) -> None:
    frames = [each.octets for each in captures()[name].frames]
    decoded = written(tmp_path / "air.pcap", 105, frames)
    found = tshark(tmp_path / "air.pcap", list(AIR))
    assert len(found) == len(frames)
    compared = 0
    for mine, row in zip(decoded, found, strict=True):
        for field, name_of_ours in AIR.items():
            if row[field]:
                assert theirs(row[field]) == ours(mine, name_of_ours), field
                compared += len(row[field])
    assert compared > 5 * len(frames)


def test_answers_of_the_lan_read_alike(tmp_path: Path) -> None:
    instance = instance_name("Living Room", "_meshcop._udp")
    answers = (
        Record(type_name("_meshcop._udp"), RecordType.PTR, 4500, instance),
        Record(instance, RecordType.SRV, 120, b"\0\0\0\0\xc0\x06" + host_name("ot1"), cache_flush=True),
        Record(host_name("ot1"), RecordType.A, 121, bytes((192, 0, 2, 1)), cache_flush=True),
    )
    source, group = Endpoint("192.0.2.1", 5353), Endpoint("224.0.0.251", 5353)
    packet = datagram(source, group, Message(flags=RESPONSE, answers=answers).encode())
    (decoded,) = written(tmp_path / "lan.pcap", 101, [packet])
    fields = ["dns.resp.name", "dns.resp.ttl", "dns.srv.port", "dns.a", "ip.src", "udp.length"]
    (found,) = tshark(tmp_path / "lan.pcap", fields)
    records = [each.meaning.split(" ", 1)[1].removesuffix(".") for each in named(decoded, "answer")]
    assert found["dns.resp.name"] == [records[0], records[2]]  # it has another field for the name of an SRV
    assert found["dns.resp.ttl"] == ours(decoded, "TTL") == ["4500", "120", "121"]
    assert found["dns.srv.port"] == ours(decoded, "port") == ["49158"]
    assert found["dns.a"] == [each.meaning for each in named(decoded, "data") if each.meaning]
    assert found["udp.length"] == ours(decoded, "length")
