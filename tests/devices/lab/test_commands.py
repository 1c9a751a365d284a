"""`pairlab run`, `sweep`, `exec` and `transcript` from the command line: what they print, write and end with."""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from devices.transcripts.reader import Header
from tests.support.command_line import run, run_process
from tests.support.scenarios import scenario_file
from tests.support.transcripts import records_of, small_transcript

GOOD = '[[step]]\nexpect = "RoleChanged"\nwhere = { role = "leader" }\nwithin = "2s"\n'
BAD = GOOD.replace("leader", "child")


@pytest.fixture
def good(tmp_path: Path) -> str:
    return str(scenario_file(tmp_path, GOOD, name="good.toml"))


@pytest.fixture
def bad(tmp_path: Path) -> str:
    return str(scenario_file(tmp_path, BAD, name="bad one.toml"))


def test_run_ends_with_0_when_all_passed(capsys: pytest.CaptureFixture[str], good: str) -> None:
    done = run(capsys, "run", good)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"PASS  {good}  seed 1  1 steps")


def test_run_ends_with_1_and_the_replay_command_when_one_failed(
    capsys: pytest.CaptureFixture[str], good: str, bad: str
) -> None:
    done = run(capsys, "run", bad, good, "--seed", "9")
    assert done.code == 1
    assert f"  again: pairlab run '{bad}' --seed 9\n" in done.out
    assert done.out.endswith("1 passed, 1 failed\n")


def test_run_gives_one_json_document_a_line(capsys: pytest.CaptureFixture[str], good: str, bad: str) -> None:
    done = run(capsys, "run", bad, good, "--json")
    assert done.code == 1
    assert [json.loads(line)["passed"] for line in done.out.splitlines()] == [False, True]


def test_run_reads_every_file_before_it_runs_the_first(capsys: pytest.CaptureFixture[str], good: str) -> None:
    done = run(capsys, "run", good, "/nowhere/story.toml")
    assert (done.code, done.out) == (2, "")
    assert done.err == "pairlab: /nowhere/story.toml: no such file\n"


def test_run_writes_transcripts_and_a_junit_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, good: str, bad: str
) -> None:
    report, folder = tmp_path / "out" / "junit.xml", tmp_path / "transcripts"
    run(capsys, "run", good, bad, "--transcript", str(folder), "--junit", str(report))
    run(capsys, "run", good, "--transcript", str(folder))
    assert sorted(each.name for each in folder.iterdir()) == [
        "bad-one-seed-1.cbor",
        "good-seed-1-2.cbor",
        "good-seed-1.cbor",
    ]
    first, second = ((folder / name).read_bytes() for name in ("good-seed-1.cbor", "good-seed-1-2.cbor"))
    assert first == second
    header = records_of(first)[0]
    assert isinstance(header, Header)
    assert header.seed == 1
    assert ElementTree.parse(report).getroot()[0].attrib["failures"] == "1"  # noqa: S314  # our own document


def test_run_keeps_the_junit_file_when_the_host_cannot_go_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, good: str
) -> None:
    client = scenario_file(tmp_path, '[client]\ncommand = ["/nowhere/hub"]\n', name="client.toml")
    report = tmp_path / "junit.xml"
    done = run(capsys, "run", good, str(client), "--junit", str(report))
    assert done.code == 3
    assert "client: /nowhere/hub: cannot be started" in done.err
    assert ElementTree.parse(report).getroot()[0].attrib["tests"] == "1"  # noqa: S314  # our own document


def test_sweep_lists_failures_with_their_replay_command(capsys: pytest.CaptureFixture[str], bad: str) -> None:
    done = run(capsys, "sweep", bad, "--seeds", "3..4", "--workers", "1")
    assert done.code == 1
    lines = done.out.splitlines(keepends=True)
    assert sum(each.startswith("      nearest: ") for each in lines[1:4]) == 3, "of the first of a kind"
    assert "".join([lines[0], *lines[4:]]) == (
        "FAIL  seed 3  step 1: no RoleChanged where role = 'child' within 2s\n"
        f"      again: pairlab run '{bad}' --seed 3\n"
        "FAIL  seed 4  step 1: no RoleChanged where role = 'child' within 2s\n"
        f"      again: pairlab run '{bad}' --seed 4\n"
        f"{bad}: 0 passed, 2 failed\n"
    )


def test_sweep_gives_one_json_document_that_does_not_depend_on_the_workers(tmp_path: Path, good: str) -> None:
    done = [run_process(tmp_path, "sweep", good, "--seeds", "0..5", "--workers", each, "--json") for each in "12"]
    assert done[0].out == done[1].out
    assert (done[0].code, done[0].document["passed"], done[0].document["failures"]) == (0, 6, [])


def test_sweep_refuses_a_wrong_range(capsys: pytest.CaptureFixture[str], good: str) -> None:
    done = run(capsys, "sweep", good, "--seeds", "9..1")
    assert (done.code, done.out) == (2, "")
    assert "--seeds: '9..1'" in done.err


def test_exec_ends_with_the_code_of_its_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    home = scenario_file(tmp_path, "", name="home.toml")
    assert run(capsys, "exec", str(home), "--", sys.executable, "-c", "raise SystemExit(9)").code == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [("nme = 1\n", "nme: there is no such key; did you mean 'name'"), ("[", "is not TOML"), (None, "no such file")],
)
def test_exec_ends_with_125_where_the_home_file_is_bad(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str | None, message: str
) -> None:
    home = tmp_path / "home.toml"
    if text is not None:
        home.write_text(text, encoding="utf-8")
    done = run(capsys, "exec", str(home), "--", "true")
    assert done.code == 125
    assert message in done.err


def test_exec_wants_the_emulated_bluez_for_several_adapters(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    home = scenario_file(tmp_path, "", name="home.toml")
    done = run(capsys, "exec", str(home), "--adapters", "2", "--", "true")
    assert done.code == 125
    assert "add --ble dbus" in done.err


def test_exec_with_options_of_the_command_after_the_dashes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    home = scenario_file(tmp_path, "", name="home.toml")
    code = "import os, sys; sys.exit(0 if sys.argv[1:] == ['--seed', '3'] and os.environ['PAIRLAB_SEED'] == '8' else 1)"
    command = [sys.executable, "-c", code, "--seed", "3"]
    assert run(capsys, "exec", "--seed", "8", str(home), "--", *command).code == 0


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    path = tmp_path / "t.cbor"
    path.write_bytes(small_transcript())
    return path


def test_transcript_show_prints_a_ladder(capsys: pytest.CaptureFixture[str], transcript: Path) -> None:
    done = run(capsys, "transcript", "show", str(transcript))
    assert done.code == 0
    assert done.out.splitlines()[2] == "    0.001000  ◀──────●        query PTR _meshcop._udp"


def test_transcript_show_gives_json_lines(capsys: pytest.CaptureFixture[str], transcript: Path) -> None:
    done = run(capsys, "transcript", "show", str(transcript), "--json")
    assert [json.loads(line)["record"] for line in done.out.splitlines()] == [
        "header",
        "event",
        "frame",
        "fate",
        "frame",
    ]


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_transcript_show_of_a_damaged_file_prints_what_is_readable_then_the_error(
    capsys: pytest.CaptureFixture[str], transcript: Path, option: list[str]
) -> None:
    transcript.write_bytes(small_transcript()[:-1])
    done = run(capsys, "transcript", "show", str(transcript), *option)
    assert done.code == 2
    assert len(done.out.splitlines()) == 4
    assert done.err.startswith(f"pairlab: {transcript}: record 4 at byte ")
    assert done.err.count("\n") == 1


def test_transcript_show_of_something_else_is_one_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("hello", encoding="utf-8")
    done = run(capsys, "transcript", "show", str(other))
    assert (done.code, done.out) == (2, "")


def test_transcript_export_writes_what_was_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, transcript: Path
) -> None:
    assert run(capsys, "transcript", "export", str(transcript), "--jsonl", str(tmp_path / "t.jsonl")).code == 0
    assert len((tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()) == 5
    assert run(capsys, "transcript", "export", str(transcript), "--pcapng", str(tmp_path / "t.pcapng")).code == 0
    assert (tmp_path / "t.pcapng").read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"


def test_transcript_export_to_stdout(tmp_path: Path, transcript: Path) -> None:
    done = run_process(tmp_path, "transcript", "export", str(transcript), "--jsonl", "-")
    assert (done.code, len(done.out.splitlines())) == (0, 5)


def test_transcript_export_wants_one_form_and_another_file(
    capsys: pytest.CaptureFixture[str], transcript: Path
) -> None:
    assert run(capsys, "transcript", "export", str(transcript)).code == 2
    both = run(capsys, "transcript", "export", str(transcript), "--jsonl", "a", "--pcapng", "b")
    assert both.code == 2
    itself = run(capsys, "transcript", "export", str(transcript), "--jsonl", str(transcript))
    assert itself.code == 2
    assert "is the transcript itself" in itself.err
    assert transcript.read_bytes() == small_transcript()


def test_run_takes_a_client_in_place_of_the_files_and_says_so_in_the_replay(
    capsys: pytest.CaptureFixture[str], good: str
) -> None:
    done = run(capsys, "run", good, "--client", "sh -c 'exit 3'")
    assert done.code == 1
    assert "the client ended with exit code 3, expected 0" in done.out
    assert f"""again: pairlab run {good} --seed 1 --client 'sh -c '"'"'exit 3'"'"''""" in done.out


@pytest.mark.parametrize(
    ("client", "problem"),
    [
        ("", "the client's command is empty"),
        ("sh -c 'open", "No closing quotation"),
        ("sh ${nobody.x}", "nobody is called 'nobody'"),
        ("sh ${scenario.seed}", "a scenario has no 'seed'"),
    ],
)
def test_run_refuses_a_client_that_is_none(
    capsys: pytest.CaptureFixture[str], good: str, client: str, problem: str
) -> None:
    done = run(capsys, "run", good, "--client", client)
    assert done.code == 2
    assert problem in done.err


def test_sweep_of_a_client_that_is_not_there_is_exit_3(capsys: pytest.CaptureFixture[str], good: str) -> None:
    done = run(capsys, "sweep", good, "--seeds", "0..3", "--client", "/nonexistent")
    assert (done.code, done.out) == (3, "")
    assert "client: /nonexistent: there is no such program" in done.err


def test_a_fault_on_a_medium_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = scenario_file(tmp_path, f'[[fault]]\nkind = "drop"\nmedium = "zz"\noptional = true\n{GOOD}')
    done = run(capsys, "run", str(path))
    assert done.code == 2
    assert "medium" in done.err
