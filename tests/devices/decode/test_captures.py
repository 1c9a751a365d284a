"""Captures: what our writer writes is read back, every form of pcap is read, and any damage is one named error.

The writers of the other forms are wireshark's tools where they are installed, and the layouts of the specifications.
"""

import struct
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.decode.captures import Packet, decode_packet, read_capture, summary_of
from devices.errors import CaptureError
from devices.transcripts.packets import is_transcript, read_packets
from devices.transcripts.pcapng import PcapngWriter, datagram
from devices.transports.radiotap import Radiotap
from pairing.engine import Endpoint
from tests.support.decoded import named, one
from tests.support.nan_capture import captures
from tests.support.needs import requires_tools
from tests.support.transcripts import GROUP, PHONE, QUERY, small_transcript

FRAME = captures()["opportunistic_128_01"].frames[0].octets
PACKET = datagram(PHONE, GROUP, QUERY)


def pcapng() -> bytes:
    """A frame of the air and a packet of the lan."""
    written = bytearray()
    writer = PcapngWriter(lambda block: written.extend(block))
    writer.frame("air", 1_500_000, FRAME, "from phone")
    writer.frame("lan", 2_000_001, PACKET, "from phone")
    return bytes(written)


def pcap(order: str, magic: int, link_type: int, *packets: bytes) -> bytes:
    data = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link_type)
    for number, each in enumerate(packets):
        data += struct.pack(f"{order}IIII", 7, number, len(each), len(each)) + each
    return data


def read(data: bytes) -> list[Packet]:
    return list(read_capture(BytesIO(data), "file"))


def test_what_our_writer_wrote_is_read_back() -> None:
    air, lan = read(pcapng())
    assert (air.data, air.at_ns, air.link_type, air.comment) == (FRAME, 1_500_000_000, 105, "from phone")
    assert (lan.data, lan.at_ns, lan.link_type) == (PACKET, 2_000_001_000, 101)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit"), [(0xA1B2C3D4, 1_000), (0xA1B23C4D, 1)])
def test_every_form_of_pcap_is_read(order: str, magic: int, unit: int) -> None:
    first, second = read(pcap(order, magic, 105, FRAME, FRAME[:30]))
    assert (first.data, first.at_ns) == (FRAME, 7_000_000_000)
    assert (second.data, second.at_ns) == (FRAME[:30], 7_000_000_000 + unit)


def test_frames_of_each_link_type_are_decoded() -> None:
    radiotap = Radiotap(tsft=5, frequency_mhz=2437, signal_dbm=-45).encode() + FRAME
    ethernet = bytes(12) + b"\x08\x00" + PACKET
    for link_type, data, name in ((105, FRAME, "802.11"), (127, radiotap, "radiotap"), (1, ethernet, "ethernet")):
        decoded = decode_packet(read(pcap("<", 0xA1B2C3D4, link_type, data))[0])
        assert (decoded.layer.name, decoded.error) == (name, None)
    assert one(decoded, "question").meaning == "PTR _meshcop._udp.local."


def test_radiotap_says_what_the_radio_knows_and_where_the_frame_lies() -> None:
    header = Radiotap(tsft=5, frequency_mhz=2437, signal_dbm=-45).encode()
    decoded = decode_packet(Packet(1, 0, 127, header + FRAME, 0))
    assert one(decoded, "radiotap header").meaning == "TSFT 5 µs, channel 2437 MHz, signal -45 dBm"
    assert one(decoded, "transmitter address").offset == len(header) + 10


def test_a_udp_payload_on_a_port_of_nobody_is_read_by_its_looks() -> None:
    inner = datagram(Endpoint("fe80::1", 49153), Endpoint("fe80::2", 49160), FRAME)
    decoded = decode_packet(Packet(1, 0, 101, inner, 0))
    assert decoded.error is None
    assert len(named(decoded, "IEEE 802.11 management frame")) == 1


def test_summaries_are_one_line() -> None:
    air, lan = read(pcapng())
    assert summary_of(air) == "subscribe d30b2efaeade"
    assert summary_of(lan).startswith("IPv4 192.0.2.2 to 224.0.0.251")
    assert summary_of(Packet(1, 0, 147, b"\xff" * 9, 9)) == "link type 147, 9 bytes"


def read_as_far(data: bytes) -> tuple[list[Packet], str]:
    """The packets before the damage, and what is said of it."""
    packets: list[Packet] = []
    try:
        packets.extend(read_capture(BytesIO(data), "file"))
    except CaptureError as error:
        return packets, str(error)
    return packets, ""


@pytest.mark.parametrize("whole", [pcapng(), pcap("<", 0xA1B2C3D4, 105, FRAME, FRAME)], ids=["pcapng", "pcap"])
def test_a_cut_file_gives_the_packets_before_the_cut_then_one_error(whole: bytes) -> None:
    read_so_far = [read_as_far(whole[:end]) for end in range(len(whole))]
    assert all(packet.data in (FRAME, PACKET) for packets, _ in read_so_far for packet in packets)
    assert all(said == "" or said.startswith("file: ") for _, said in read_so_far)
    assert sum(said == "" for _, said in read_so_far) <= 4  # only where a block or a packet ends
    assert max(len(packets) for packets, _ in read_so_far) == 1


@given(
    start=st.sampled_from([pcapng(), pcap(">", 0xA1B2C3D4, 127, FRAME)]),
    changes=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=8),
)
@settings(max_examples=300, deadline=None)
def test_a_changed_file_is_read_or_ends_in_one_error(start: bytes, changes: list[tuple[int, int]]) -> None:
    data = bytearray(start)
    for place, value in changes:
        data[place % len(data)] = value
    packets, said = read_as_far(bytes(data))
    assert all(isinstance(packet, Packet) for packet in packets)
    assert said == "" or "at byte" in said or "neither pcap nor pcapng" in said


def test_the_frames_of_a_transcript_are_packets() -> None:
    transcript = small_transcript()
    assert is_transcript(transcript[:128])
    first, second = read_packets(BytesIO(transcript), "t")
    assert (first.data, first.link_type, first.comment) == (PACKET, 101, "from phone")
    assert second.comment == "from br"


@pytest.mark.interop
@pytest.mark.parametrize("form", ["pcap", "nsecpcap", "pcapng"])
def test_captures_that_wireshark_converted_are_read_alike(form: str, tmp_path: Path) -> None:
    requires_tools("editcap")
    ours, theirs = tmp_path / "ours.pcap", tmp_path / "theirs"
    ours.write_bytes(pcap("<", 0xA1B2C3D4, 105, FRAME, FRAME))
    subprocess.run(["editcap", "-F", form, str(ours), str(theirs)], check=True, capture_output=True)
    before, after = read(ours.read_bytes()), read(theirs.read_bytes())
    assert [(each.data, each.at_ns, each.link_type) for each in after] == [
        (each.data, each.at_ns, each.link_type) for each in before
    ]
