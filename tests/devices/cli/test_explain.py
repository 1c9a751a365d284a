"""`pairlab explain`: what it prints, its exit codes, and `--secrets` at recording."""

import stat
from pathlib import Path

import pytest

from devices.transcripts.reader import Happened
from tests.support.command_line import run
from tests.support.nan_transcript import RecordedHome, is_pasn
from tests.support.scenarios import HOME, scenario_file
from tests.support.transcripts import records_of, small_transcript

WRONG_FORM = "SAE by hunting and pecking (status 0), expected hash-to-element (status 126)"


def hunting(home: RecordedHome, frame: bytes) -> bytes:
    """The Commit in frame 1 has the old status."""
    return frame.replace(b"\x03\x00\x01\x00\x7e\x00", b"\x03\x00\x01\x00\x00\x00") if is_pasn(frame, 1) else frame


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return RecordedHome(hunting).pair().saved(tmp_path_factory.mktemp("explained"))


def test_a_known_mistake_is_printed_and_exits_0(capsys: pytest.CaptureFixture[str], explained: Path) -> None:
    ran = run(capsys, "explain", str(explained))
    assert (ran.code, ran.err) == (0, "")
    assert f"because   known mistake: {WRONG_FORM}" in ran.out
    assert "frame     0.050000 s, from phone to camera: PASN 1 (SAE, group 19)" in ran.out
    assert ran.out.endswith("2 failures, all explained\n")


def test_json_is_one_document(capsys: pytest.CaptureFixture[str], explained: Path) -> None:
    document = run(capsys, "explain", str(explained), "--json").document
    assert (document["failures"], document["unexplained"]) == (2, 0)
    first = document["findings"][0]
    assert (first["type"], first["actor"], first["outcome"]) == ("PairingFailed", "camera", "known mistake")
    assert first["because"] == WRONG_FORM
    assert bytes.fromhex(first["frame"]["payload"])[24:28] == b"\x07\x00\x01\x00"


def test_one_event_is_explained_alone(capsys: pytest.CaptureFixture[str], explained: Path) -> None:
    numbers = [
        int(each.event["id"])
        for each in records_of(explained.read_bytes())
        if isinstance(each, Happened) and each.event["type"] == "PairingFailed"
    ]
    ran = run(capsys, "explain", str(explained), str(numbers[1]))
    assert ran.code == 0
    assert ran.out.startswith(f"event {numbers[1]} ")
    assert ran.out.endswith("1 failure, all explained\n")


def test_an_event_that_is_no_failure_is_said_to_be_none(capsys: pytest.CaptureFixture[str], explained: Path) -> None:
    ran = run(capsys, "explain", str(explained), "1")
    assert (ran.code, ran.out) == (0, "no failure in this transcript\n")
    assert ran.err == "event 1 is PublishStarted of camera: no failure\n"


def test_an_unexplained_failure_exits_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = RecordedHome(typed="271828", secrets=False).pair().saved(tmp_path)
    ran = run(capsys, "explain", str(path))
    assert ran.code == 1
    assert "because   no known mistake gives this" in ran.out
    assert ran.out.endswith("2 failures, 1 unexplained\n")


def test_the_right_code_tells_another_password(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = RecordedHome(typed="271828").pair().saved(tmp_path)
    ran = run(capsys, "explain", str(path), "--password", "314159")
    assert ran.code == 0
    assert "phone has another password than the given one" in ran.out


def test_values_are_shown_only_where_the_transcript_holds_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with_values = RecordedHome(typed="271828").pair().saved(tmp_path)
    assert "sae.keyseed" in run(capsys, "explain", str(with_values)).out
    without = RecordedHome(typed="271828", secrets=False).pair().saved(tmp_path)
    assert "keyseed" not in run(capsys, "explain", str(without)).out


def test_a_transcript_without_failures_exits_0(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "calm.cbor"
    path.write_bytes(small_transcript())
    ran = run(capsys, "explain", str(path))
    assert (ran.code, ran.out) == (0, "no failure in this transcript\n")


@pytest.mark.parametrize("content", [None, b"", b"\xff\xff", small_transcript()[:-1]])
def test_a_bad_file_exits_2(capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bad.cbor"
    if content is not None:
        path.write_bytes(content)
    ran = run(capsys, "explain", str(path))
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)


def test_an_event_that_is_not_there_exits_2(capsys: pytest.CaptureFixture[str], explained: Path) -> None:
    ran = run(capsys, "explain", str(explained), "999")
    assert ran.code == 2
    assert "no event 999" in ran.err


# Recording with secrets

STEPS = """
[[step]]
do = "share-code"
actor = "br"
"""


def codes(folder: Path) -> list[object]:
    """The secret member of the one event that has one."""
    (path,) = folder.glob("*.cbor")
    events = [each.event for each in records_of(path.read_bytes()) if isinstance(each, Happened)]
    return [each.get("code") for each in events if each["type"] == "EphemeralKeyActivated"]


def test_run_records_codes_only_with_secrets_and_then_for_the_owner_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    attached = '\n[[step]]\nexpect = "RoleChanged"\nactor = "br"\nwhere = { role = "leader" }\n'
    scenario = scenario_file(tmp_path, attached + STEPS, home=HOME)
    for name, options in (("plain", ()), ("secret", ("--secrets",))):
        ran = run(capsys, "run", str(scenario), "--transcript", str(tmp_path / name), *options)
        assert ran.code == 0, ran.out
    assert codes(tmp_path / "plain") == [None]
    (code,) = codes(tmp_path / "secret")
    assert isinstance(code, str)
    assert len(code) == 9
    (path,) = (tmp_path / "secret").glob("*.cbor")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("command", [("up",), ("run", "x.toml")])
def test_secrets_without_a_transcript_are_wrong_usage(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    ran = run(capsys, *command, "--secrets")
    assert ran.code == 2
    assert "add --transcript DIR" in ran.err
