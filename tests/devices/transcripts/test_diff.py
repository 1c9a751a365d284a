"""Comparing transcripts: where they first differ, and in what."""

from pathlib import Path

import pytest

from devices.transcripts.diff import divergence_lines, first_divergence
from tests.support.command_line import run
from tests.support.transcripts import records_of, sequence, small_transcript

FRAME = {"k": "frame", "t": 9, "m": "lan", "s": "a", "from": "a", "to": "b", "b": bytes(20)}
EVENT = {"k": "event", "t": 5, "e": {"id": 1, "type": "StateChanged", "actor": "br", "state": "on"}}


def test_equal_transcripts_do_not_diverge() -> None:
    assert first_divergence(records_of(small_transcript()), records_of(small_transcript())) is None


def test_a_member_that_differs_is_told_with_both_values() -> None:
    other = {**EVENT, "e": {**EVENT["e"], "state": "off"}}  # type: ignore[dict-item]  # a map of its own
    found = first_divergence(records_of(sequence(EVENT, FRAME)), records_of(sequence(other, FRAME)))
    assert found is not None
    assert (found.index, found.differences) == (1, {"state": ("on", "off")})
    lines = list(divergence_lines(found))
    assert any(line.startswith("-  ") and "StateChanged state=on" in line for line in lines)
    assert any(line.startswith("+  ") and "StateChanged state=off" in line for line in lines)
    assert lines[-1] == "   state: 'on' -> 'off'"


def test_bytes_are_told_by_the_first_that_differs() -> None:
    changed = {**FRAME, "b": bytes(7) + b"\x01" + bytes(12)}
    found = first_divergence(records_of(sequence(EVENT, FRAME)), records_of(sequence(EVENT, changed)))
    assert found is not None
    assert list(divergence_lines(found))[-1] == (
        "   payload: 20 bytes, the same up to byte 7: 0000000000000000 -> 0100000000000000"
    )


def test_one_that_ends_first_is_told() -> None:
    found = first_divergence(records_of(sequence(EVENT)), records_of(sequence(EVENT, FRAME)))
    assert found is not None
    assert (found.index, found.one, found.differences) == (2, None, {})
    assert "-  (the transcript ends here)" in list(divergence_lines(found))


def test_the_command_ends_with_the_answer(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    one, other = tmp_path / "one.cbor", tmp_path / "other.cbor"
    one.write_bytes(sequence(EVENT))
    other.write_bytes(sequence(EVENT, FRAME))
    assert run(capsys, "transcript", "diff", str(one), str(one)).out == "the same\n"
    done = run(capsys, "transcript", "diff", str(one), str(other), "--json")
    assert (done.code, done.document["same"], done.document["record"]) == (1, False, 2)
