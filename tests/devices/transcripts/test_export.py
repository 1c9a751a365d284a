"""Exports: a capture that tshark reads, JSON lines, artifacts; and what `show` makes of a damaged file."""

import json
import struct
import subprocess
from io import BytesIO
from pathlib import Path

import pytest

from devices.errors import TranscriptError
from devices.transcripts.export import to_json_lines, to_pcapng, write_artifacts
from devices.transcripts.reader import read_transcript
from devices.transcripts.show import ladder_of_file, last_rungs, read_file, record_document
from tests.support.needs import requires_tools
from tests.support.recorded_session import recorded_session
from tests.support.transcripts import QUERY, records_of, sequence, small_transcript


def _tshark(path: Path, *fields: str) -> list[list[str]]:
    wanted = [argument for name in fields for argument in ("-e", name)]
    command = ["tshark", "-r", str(path), "-T", "fields", *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.mark.interop
def test_tshark_reads_the_capture_without_a_malformed_frame(tmp_path: Path) -> None:
    requires_tools("tshark")
    capture = tmp_path / "capture.pcapng"
    with capture.open("wb") as sink:
        assert to_pcapng(records_of(small_transcript())[:4], sink.write) == 1
    fields = ("frame.time_epoch", "ip.src", "ip.dst", "udp.port", "dns.qry.name", "_ws.malformed", "frame.comment")
    ((at, source, to, port, name, malformed, comment),) = _tshark(capture, *fields)
    assert float(at) == pytest.approx(0.001)
    assert (source, to, port, name) == ("192.0.2.2", "224.0.0.251", "5353,5353", "_meshcop._udp.local")
    assert (malformed, comment) == ("", "from phone")


def test_a_frame_that_cannot_be_an_ip_packet_ends_the_export_by_name() -> None:
    frame = {
        "k": "frame",
        "t": 9,
        "m": "lan",
        "s": "a",
        "from": ["192.0.2.1", 1, ""],
        "to": ["nowhere", 1, ""],
        "b": b"",
    }
    with pytest.raises(TranscriptError, match="the frame at 9 us cannot be an IP packet"):
        to_pcapng(records_of(sequence(frame)), lambda _: None)


def _secrets_blocks(capture: bytes) -> list[tuple[int, bytes]]:
    """Place and key log of each Decryption Secrets Block of a capture."""
    found, at = [], 0
    while at < len(capture):
        kind, length = struct.unpack_from("<II", capture, at)
        if kind == 0x0A:
            of, size = struct.unpack_from("<II", capture, at + 8)
            assert of == 0x544C534B
            found.append((at, capture[at + 16 : at + 16 + size]))
        at += length
    return found


def test_keys_of_a_connection_go_before_all_frames_once() -> None:
    capture: list[bytes] = []
    to_pcapng(records_of(recorded_session(secrets=True)), capture.append)
    ((_, key_log),) = _secrets_blocks(b"".join(capture))
    assert capture[1].find(key_log) > 0
    (line,) = key_log.decode().splitlines()
    label, random, master = line.split(" ")
    assert (label, len(random), len(master)) == ("CLIENT_RANDOM", 64, 96)


def test_capture_of_a_transcript_without_secrets_holds_no_keys() -> None:
    capture: list[bytes] = []
    to_pcapng(records_of(recorded_session(secrets=False)), capture.append)
    assert _secrets_blocks(b"".join(capture)) == []


def test_damaged_transcript_gives_its_frames_before_the_error() -> None:
    capture: list[bytes] = []
    damaged = small_transcript() + b"\xff"
    with pytest.raises(TranscriptError, match="record 5"):
        to_pcapng(read_transcript(BytesIO(damaged)), capture.append)
    assert QUERY in b"".join(capture)


def test_json_lines_hold_every_record() -> None:
    lines: list[bytes] = []
    assert to_json_lines(records_of(small_transcript()), lines.append) == 5
    documents = [json.loads(line) for line in lines]
    assert [each["record"] for each in documents] == ["header", "event", "frame", "fate", "frame"]
    assert documents[2]["payload"] == QUERY.hex()
    assert documents[2]["to"] == "224.0.0.251:5353"
    assert documents[3]["arrivals"] == []
    assert (documents[1]["type"], documents[1]["state"]) == ("StateChanged", "on")


def test_addresses_of_every_family_can_be_read_in_json() -> None:
    frame = {"k": "frame", "t": 9, "m": "air", "s": "a", "from": ["fe80::1", 1, ""], "to": b"\x02\xaa", "b": b""}
    document = record_document(records_of(sequence(frame))[1])
    assert (document["source"], document["to"]) == ("[fe80::1]:1", "02:aa")


def test_artifacts_tell_the_whole_run(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "down"
    write_artifacts(folder, small_transcript(), "pairlab run x.toml --seed 7")
    assert sorted(each.name for each in folder.iterdir()) == [
        "capture.pcapng",
        "ladder.txt",
        "replay.txt",
        "transcript.cbor",
    ]
    assert (folder / "transcript.cbor").read_bytes() == small_transcript()
    assert "query PTR _meshcop._udp" in (folder / "ladder.txt").read_text(encoding="utf-8")
    assert (folder / "replay.txt").read_text(encoding="utf-8") == "pairlab run x.toml --seed 7\n"


def test_show_gives_what_is_readable_before_the_error(tmp_path: Path) -> None:
    path = tmp_path / "cut.cbor"
    path.write_bytes(small_transcript()[:-3])
    lines: list[str] = []
    with pytest.raises(TranscriptError, match=r"cut\.cbor: record 4 at byte .* is cut off"):
        lines.extend(ladder_of_file(path))
    assert len(lines) == 4


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.cbor", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(TranscriptError, match=reason):
            list(read_file(path))


def test_the_last_rungs_keep_every_column() -> None:
    heading, *lines = last_rungs(small_transcript(), 1)
    assert heading.split() == ["seconds", "br", "phone"]
    assert len(lines) == 1


def test_what_holds_keys_is_for_its_owners_eyes_even_where_files_were_before(tmp_path: Path) -> None:
    for name in ("transcript.cbor", "capture.pcapng"):
        (tmp_path / name).touch(mode=0o644)
    write_artifacts(tmp_path, small_transcript(), "again", is_private=True)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes["transcript.cbor"] == modes["capture.pcapng"] == 0o600
