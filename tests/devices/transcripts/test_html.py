"""The page: complete in itself, well-formed, escaped, and without secrets unless they are asked for."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from devices.errors import TranscriptError
from devices.transcripts.html import to_html
from devices.transcripts.reader import read_transcript
from tests.support.command_line import run
from tests.support.transcripts import records_of, sequence, small_transcript

CODE = {"id": 1, "type": "CodeShown", "actor": "camera", "kind": "pin", "code": "314159"}
SHOWN = {"k": "event", "t": 5, "e": CODE}


def _page(transcript: bytes, *, secrets: bool = False) -> str:
    written: list[bytes] = []
    to_html(records_of(transcript), written.append, title="<a story>", secrets=secrets)
    return b"".join(written).decode()


def _svg(page: str) -> ElementTree.Element:
    start, end = page.index("<svg"), page.index("</svg>") + len("</svg>")
    return ElementTree.fromstring(page[start:end])  # noqa: S314  # our own drawing


def test_the_drawing_has_a_lane_an_actor_and_a_line_a_record() -> None:
    svg = _svg(_page(small_transcript()))
    texts = [each.text for each in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[:2] == ["br", "phone"]
    assert "query PTR _meshcop._udp" in texts
    assert "lost on the way from phone to br" in texts
    assert sum(each.attrib.get("class") == "lane" for each in svg.iter()) == 2
    assert sum(each.attrib.get("class") == "time" for each in svg.iter()) == 4


def test_nothing_is_loaded_and_nothing_runs() -> None:
    page = _page(small_transcript())
    for word in ("<script", "src=", "href=", "@import", "url("):
        assert word not in page


def test_a_hostile_text_is_only_a_text() -> None:
    event = {"id": 1, "type": "StateChanged", "actor": "<script>", "state": "</pre><img>\x1b\u202e"}
    page = _page(sequence({"k": "event", "t": 5, "e": event}))
    assert "<script>" not in page
    assert "<img>" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_secrets_are_there_only_when_asked_for() -> None:
    assert "314159" not in _page(sequence(SHOWN))
    assert "314159" in _page(sequence(SHOWN), secrets=True)


def test_an_unknown_kind_of_event_shows_nothing_that_might_be_secret() -> None:
    strange = {"id": 1, "type": "FromElsewhere", "actor": "camera", "code": "314159"}
    page = _page(sequence({"k": "event", "t": 5, "e": strange}))
    assert "FromElsewhere" in page
    assert "314159" not in page


def test_what_came_before_damage_is_written(tmp_path: Path) -> None:
    written: list[bytes] = []
    path = tmp_path / "cut.cbor"
    path.write_bytes(small_transcript()[:-3])
    with path.open("rb") as stream, pytest.raises(TranscriptError, match="is cut off"):
        to_html(read_transcript(stream), written.append, title="t")
    assert b"query PTR" in b"".join(written)


def test_the_command_writes_the_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    source, page = tmp_path / "story.cbor", tmp_path / "story.html"
    source.write_bytes(small_transcript())
    assert run(capsys, "transcript", "export", str(source), "--html", str(page)).code == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert run(capsys, "transcript", "export", str(source), "--secrets", "--jsonl", "-").code == 2
