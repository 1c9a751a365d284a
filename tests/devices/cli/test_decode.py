"""`pairlab decode`: hex, stdin, captures and transcripts; one error with its place, and the exit codes."""

import json
import struct
from pathlib import Path

import pytest

from tests.support.command_line import POST_9, run, run_process
from tests.support.nan_capture import captures
from tests.support.transcripts import small_transcript

PUBLISH = next(each.octets for each in captures()["opportunistic_128_01"].frames if each.kind == "publish")


def capture(*frames: bytes, link_type: int = 105) -> bytes:
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)
    return data + b"".join(struct.pack("<IIII", 1, 500, len(each), len(each)) + each for each in frames)


def test_a_frame_is_shown_field_by_field_with_offsets(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "decode", PUBLISH.hex())
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == f"IEEE 802.11 management frame, {len(PUBLISH)} bytes"
    assert any(line.split()[:4] == ["33", "service", "ID", "d30b2efaeade"] for line in lines)
    assert any("NPK and NIK caching" in line for line in lines)


def test_the_layer_that_was_taken_and_the_possible_others_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    first = run(capsys, "decode", POST_9).out.splitlines()[0]
    assert first == "Thread operational dataset, 104 bytes (--as dataset; possible, too: tlvs)"
    assert run(capsys, "decode", POST_9, "--as", "tlvs").out.startswith("MeshCoP TLVs, 104 bytes\n")


def test_json_is_one_document_with_hex_in_lower_case(capsys: pytest.CaptureFixture[str]) -> None:
    document = run(capsys, "decode", PUBLISH.hex().upper(), "--json").document
    assert (document["layer"], document["length"], document["others"]) == ("802.11", len(PUBLISH), [])
    header = document["fields"][0]
    assert header["fields"][0] == {
        "name": "frame control",
        "offset": 0,
        "length": 1,
        "value": 208,
        "meaning": "management, action",
    }
    assert header["fields"][5]["value"] == PUBLISH[16:22].hex()


@pytest.mark.parametrize("text", ["0x00000e31", "00:00:0E:31", "00 00\n0e 31"])
def test_hex_may_be_written_as_people_write_it(capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert run(capsys, "decode", text, "--as", "state-bitmap").code == 0


def test_a_cut_frame_is_shown_up_to_the_cut_then_one_error_and_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "decode", PUBLISH[:58].hex())
    assert ran.code == 1
    assert "d30b2efaeade" in ran.out
    assert ran.err.startswith("pairlab: 802.11: ")
    assert ran.err.endswith("(at offset 50)\n")
    document = run(capsys, "decode", PUBLISH[:58].hex(), "--json").document
    assert document["error"]["offset"] == 50


def test_bytes_of_no_layer_are_one_error_and_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "decode", "ff" * 9)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "at offset" in ran.err


@pytest.mark.parametrize("text", ["zz", "abc", "no-such-file", "a" * 5000, "00\0"])
def test_what_is_neither_hex_nor_a_file_exits_2(capsys: pytest.CaptureFixture[str], text: str) -> None:
    ran = run(capsys, "decode", text) if text != "a" * 5000 else run(capsys, "decode", text + "a")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)


def test_an_unknown_layer_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "decode", "00", "--as", "dnss")
    assert ran.code == 2
    assert "did you mean" in ran.err or "dns" in ran.err


def test_a_capture_is_shown_packet_by_packet(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "air.pcap"
    path.write_bytes(capture(PUBLISH, PUBLISH))
    brief = run(capsys, "decode", str(path), "--brief")
    assert brief.code == 0
    assert [line.split("s  ")[1] for line in brief.out.splitlines()] == [
        "publish d30b2efaeade 11 methods in answer"
    ] * 2
    whole = run(capsys, "decode", str(path))
    assert whole.out.count("service ID") == 2
    document = run(capsys, "decode", str(path), "--json").document
    assert [each["layer"] for each in document["packets"]] == ["802.11", "802.11"]
    assert document["packets"][0]["at_ns"] == "1000500000"


def test_a_malformed_packet_is_marked_and_ends_in_exit_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "air.pcap"
    path.write_bytes(capture(PUBLISH[:58], PUBLISH))
    ran = run(capsys, "decode", str(path), "--brief")
    assert ran.code == 1
    assert "error: 802.11: " in ran.out
    assert len(ran.out.splitlines()) == 3
    assert "1 packet could not be read whole" in ran.err


def test_a_damaged_capture_exits_2_after_what_was_whole(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "air.pcap"
    path.write_bytes(capture(PUBLISH, PUBLISH)[:-3])
    ran = run(capsys, "decode", str(path), "--brief")
    assert (ran.code, ran.out.count("publish")) == (2, 1)
    assert "at byte" in ran.err
    assert run(capsys, "decode", str(path), "--json").document["damage"]


def test_the_frames_of_a_transcript_are_packets(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "t.cbor"
    path.write_bytes(small_transcript())
    ran = run(capsys, "decode", str(path), "--brief")
    query, malformed = (line for line in ran.out.splitlines() if line.startswith("#"))
    assert query.endswith("[from phone]")
    assert malformed.endswith("[from br]")
    assert ran.code == 1  # two octets on the port of DNS


def test_a_file_of_hex_text_is_read_as_hex(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "dataset.txt"
    path.write_text(f"{POST_9[:64]}\n{POST_9[64:]}\n")
    assert run(capsys, "decode", str(path)).out.startswith("Thread operational dataset")
    path.write_bytes(bytes.fromhex(POST_9))
    assert run(capsys, "decode", str(path)).out.startswith("Thread operational dataset")


def test_stdin_may_be_hex_or_text_that_is_none(tmp_path: Path) -> None:
    shown = run_process(tmp_path, "decode", "-", "--json", stdin=f"{POST_9[:99]}\n{POST_9[99:]}\n")
    assert json.loads(shown.out)["layer"] == "dataset"
    assert run_process(tmp_path, "decode", "-", stdin="hello\n").code == 2
