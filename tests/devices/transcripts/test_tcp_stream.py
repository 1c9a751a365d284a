"""Octets of TCP connections in captures: segments in order, and tshark reads HTTP out of them."""

import struct
import subprocess
from pathlib import Path

import pytest

from devices.errors import TranscriptError
from devices.transcripts.export import to_pcapng
from devices.transcripts.reader import Octets
from devices.transcripts.tcp_stream import Connections
from pairing.engine import Endpoint
from tests.support.needs import requires_tools

OWN, PEER = Endpoint("127.0.0.1", 8081), Endpoint("127.0.0.1", 50_000)
GET = b"GET /node/state HTTP/1.1\r\nHost: br\r\n\r\n"
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n"leader"'


def _octets(payload: bytes, *, inward: bool, at_us: int = 5) -> Octets:
    return Octets(at_us, "br", OWN, PEER, inward, payload)


def test_segments_follow_one_another_and_acknowledge_the_other_side() -> None:
    connections = Connections()
    said = [_octets(GET[:10], inward=True), _octets(GET[10:], inward=True), _octets(ANSWER, inward=False)]
    packets = [each for octets in said for each in connections.packets(octets)]
    heads = [struct.unpack_from(">HHII", each.data, 20) for each in packets]
    assert heads == [
        (50_000, 8081, 1, 1),
        (50_000, 8081, 11, 1),
        (8081, 50_000, 1, 1 + len(GET)),
    ]
    assert b"".join(each.data[40:] for each in packets) == GET + ANSWER


def test_what_no_packet_can_hold_goes_in_several() -> None:
    packets = Connections().packets(_octets(bytes(200_000), inward=False))
    assert [len(each.data) for each in packets] == [65_535, 65_535, 65_535, 200_000 - 3 * 65_495 + 40]


def test_octets_of_no_ip_host_are_one_error() -> None:
    strange = Octets(7, "br", OWN, Endpoint("x" * 5_000, 2), True, GET)
    with pytest.raises(TranscriptError, match="the octets at 7 us cannot be in IP packets"):
        to_pcapng([strange], lambda data: None)


@pytest.mark.interop
def test_tshark_reads_the_requests_and_answers(tmp_path: Path) -> None:
    requires_tools("tshark")
    capture = tmp_path / "rest.pcapng"
    with capture.open("wb") as out:
        assert to_pcapng([_octets(GET, inward=True), _octets(ANSWER, inward=False)], out.write) == 2
    fields = ["-e", "http.request.uri", "-e", "http.response.code", "-e", "frame.interface_name"]
    command = ["tshark", "-r", str(capture), "-Y", "http", "-T", "fields", *fields]
    read = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert [line.split("\t") for line in read.splitlines()] == [
        ["/node/state", "", "tcp br"],
        ["", "200", "tcp br"],
    ]
