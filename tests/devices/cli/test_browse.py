"""`pairlab browse`: records decoded to words, and a running home seen from another process."""

import json
import os
from pathlib import Path

import pytest

from devices.cli.browse import _lines, describe
from pairing.dnssd.service import ResolvedService
from tests.support.command_line import home_up, run, run_process

VECTORS = Path(__file__).parents[2] / "vectors" / "bonjour"

NAME = f"Browse Me {os.getpid()}"
RECORDS = {path.stem: json.loads(path.read_text()) for path in sorted(VECTORS.glob("*.json"))}
OF_HOME_ASSISTANT = [name for name, record in RECORDS.items() if "homeassistant_2026_11" in record.get("clients", {})]


def service(vector: str) -> ResolvedService:
    record = RECORDS[vector]
    return ResolvedService(record["instance"], "_meshcop._udp", "host", 49152, bytes.fromhex(record["txt"]))


@pytest.mark.parametrize("vector", OF_HOME_ASSISTANT)
def test_home_assistants_view_is_the_one_recorded_from_it(vector: str) -> None:
    expected = RECORDS[vector]["clients"]["homeassistant_2026_11"]
    seen = describe(service(vector))["meshcop"]["home_assistant"]
    assert {name: seen.get(name) for name in expected} == expected


def test_the_state_bitmap_is_told_in_words() -> None:
    lines = dict(_lines(describe(service("otbr-2026-leader"))))
    assert "role leader" in lines["sb state bitmap"]
    assert "primary backbone router" in lines["sb state bitmap"]


def test_vendor_habits_are_named() -> None:
    habits = [text for label, text in _lines(describe(service("apple-homepod-d9d8"))) if label == "habit"]
    assert any("`dd` repeats `xa`" in text for text in habits)


def test_a_record_without_txt_says_who_cannot_see_it() -> None:
    lines = dict(_lines(describe(ResolvedService("A", "_meshcop._udp", "host", 1, None))))
    assert "Android" in lines["TXT"]


def test_bytes_that_are_no_txt_record_are_shown_as_they_came() -> None:
    document = describe(ResolvedService("A", "_meshcop._udp", "host", 1, b"\x05ab"))
    assert (document["txt"], document["txt_hex"]) == (None, "056162")
    assert "offset" in document["txt_error"]


def test_a_running_home_is_seen_from_another_process(tmp_path: Path) -> None:
    home = tmp_path / "home.toml"
    home.write_text(f'[[accessory]]\nkind = "thread-border-router"\nname = "{NAME}"\nattach = "0.1s"\nrest_port = 0\n')
    with home_up(tmp_path, str(home)) as running:
        running.until("ServicePublished", service_type="_meshcop._udp")
        found = run_process(tmp_path, "browse", "_meshcop._udp", "--json", "--seconds", "2")
    mine = next(each for each in found.document["services"] if each["instance"] == NAME)
    assert mine["meshcop"]["home_assistant"]["discovered"] is True
    assert mine["addresses"] == ["127.0.0.1"]
    assert "role leader" in dict(_lines(mine))["sb state bitmap"]


def test_a_bad_type_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "browse", "meshcop", "--reach", "loopback")
    assert (ran.code, ran.out) == (2, "")


def test_nothing_seen_is_said_and_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "browse", "_nobody-has-this._udp", "--reach", "loopback", "--seconds", "0.1")
    assert (ran.code, ran.out) == (0, "")
    assert "_nobody-has-this._udp" in ran.err
