"""Transcripts are read as they were written; damage ends in one named error after everything before it."""

import hashlib
from io import BytesIO
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import TranscriptError
from devices.transcripts.reader import Fate, Frame, Happened, Header, Record, read_transcript
from tests.support.transcripts import BR, GROUP, PHONE, QUERY, header, records_of, sequence, small_transcript

FRAME: dict[str, Any] = {"k": "frame", "t": 1, "m": "air", "s": "a", "from": b"A", "to": "b", "b": b"x"}


def _until_damage(transcript: bytes) -> tuple[list[Record], str]:
    """The records before the damage, and what the error says."""
    seen: list[Record] = []
    try:
        seen.extend(read_transcript(BytesIO(transcript), "t"))
    except TranscriptError as problem:
        return seen, str(problem)
    return seen, ""


def test_everything_is_read_as_it_was_written() -> None:
    records = records_of(small_transcript())
    assert records[0] == Header(hashlib.sha256(b"the file").digest(), 7)
    happened = records[1]
    assert isinstance(happened, Happened)
    assert (happened.at_us, happened.event["type"], happened.event["actor"]) == (5, "StateChanged", "br")
    assert records[2] == Frame(1_000, "lan", "phone", PHONE, GROUP, QUERY)
    assert records[3] == Fate(1_000, "lan", "phone", "br", (), None)
    assert records[4] == Frame(2_500_000, "lan", "br", BR, PHONE, b"\x00\x01")


def test_large_records_follow_each_other() -> None:
    large = [{**FRAME, "b": bytes([number]) * 9_000 * number} for number in range(5)]
    assert [len(each.payload) for each in records_of(sequence(*large))[1:] if isinstance(each, Frame)] == [
        0,
        9_000,
        18_000,
        27_000,
        36_000,
    ]


def test_a_file_cut_anywhere_gives_the_whole_records_before_the_cut() -> None:
    whole = small_transcript()
    ends = [0]
    decoder = cbor2.CBORDecoder(stream := BytesIO(whole))
    while stream.tell() < len(whole):
        decoder.decode()
        ends.append(stream.tell())
    for cut in range(1, len(whole)):
        seen, problem = _until_damage(whole[:cut])
        complete = sum(end <= cut for end in ends) - 1
        assert len(seen) == complete
        assert problem == "" if cut in ends else f"record {complete} at byte {ends[complete]} is cut off" in problem


@pytest.mark.parametrize(
    ("transcript", "message"),
    [
        (b"", "t: is empty, not a transcript"),
        (b"\xff", "t: record 0 at byte 0 is not CBOR"),
        (b"not a transcript at all", "t: record 0 at byte 0"),
        (cbor2.dumps([1, 2]), "this is no transcript"),
        (cbor2.dumps({"format": "other"}), "this is no transcript"),
        (header(version=2), "version 2, this pairlab reads version 1"),
        (header(seed="1"), "member 'seed': expected an unsigned number, came '1'"),
        (header(scenario="abc"), "member 'scenario': expected bytes, came 'abc'"),
        (sequence(5), "t: record 1 at byte .*: a record is a map, not int"),
        (sequence({"t": 1, "k": "dream"}), "no record is of kind 'dream'; known: event, fate, frame"),
        (sequence({"k": "frame"}), "member 't' is missing"),
        (sequence({**FRAME, "t": -1}), "member 't': expected an unsigned number, came -1"),
        (sequence({**FRAME, "t": True}), "member 't': expected an unsigned number, came True"),
        (sequence({**FRAME, "to": ["h", 1]}), "member 'to': expected .*host, port, link"),
        (sequence({**FRAME, "to": ["h", 70_000, ""]}), "member 'to': expected .*host, port, link"),
        (sequence({**FRAME, "to": [b"h", 1, ""]}), "member 'to': expected a text"),
        (sequence({**FRAME, "b": "x"}), "member 'b': expected bytes"),
        (sequence({"k": "fate", "t": 1, "at": 7}), "member 'at': expected a list, came 7"),
        (sequence({"k": "event", "t": 1, "e": {"id": 1, "type": "X"}}), "member 'actor' is missing"),
        (sequence({"k": "event", "t": 1, "e": {1: 2}}), "member 'e': expected a map with text keys"),
    ],
)
def test_what_is_no_transcript_is_refused_by_place(transcript: bytes, message: str) -> None:
    with pytest.raises(TranscriptError, match=message) as caught:
        records_of(transcript)
    assert caught.value.exit_code == 2


def test_a_damaged_record_does_not_take_the_ones_before_it_along() -> None:
    seen, problem = _until_damage(sequence(FRAME, FRAME) + b"\x1c" + cbor2.dumps(FRAME))
    assert len(seen) == 3
    assert "record 3" in problem


@given(st.binary(max_size=400))
def test_arbitrary_bytes_raise_only_a_transcript_error(content: bytes) -> None:
    _, problem = _until_damage(content)
    assert problem.startswith("t: ")


@given(st.binary(max_size=200))
def test_arbitrary_bytes_after_a_header_raise_only_a_transcript_error(content: bytes) -> None:
    seen, _ = _until_damage(header() + content)
    assert isinstance(seen[0], Header)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
_RECORDS = st.fixed_dictionaries(
    {"k": st.sampled_from(["frame", "fate", "event"]), "t": st.integers(0, 2**64)},
    optional=dict.fromkeys(("m", "s", "r", "from", "to", "b", "at", "n", "e"), _JSON),
)


@given(_RECORDS)
def test_records_with_odd_members_raise_only_a_transcript_error(record: dict[str, Any]) -> None:
    seen, problem = _until_damage(sequence(record))
    assert len(seen) == (1 if problem else 2)
