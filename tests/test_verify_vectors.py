"""The command that replays vectors: what it prints, how it ends, and that nothing slips through."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.verify.__main__ import main
from tests.verify.replay import replay_directory

ROOT = Path(__file__).parents[1]
PSKC = json.loads((ROOT / "tests" / "vectors" / "thread" / "pskc.json").read_text())


def write(folder: Path, name: str, content: object) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def test_files_are_told_apart_by_content_at_any_depth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "b/any name.json", PSKC)
    write(tmp_path, "a.json", json.loads((ROOT / "tests/vectors/thread/datasets.json").read_text()))
    write(tmp_path, "b/c/README.md", "not a vector")
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == ["ok   a.json", "ok   b/any name.json", "2 passed, 0 failed"]


def test_altered_answer_is_named_with_both_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = json.loads(json.dumps(PSKC))
    right = changed["vectors"][1]["pskc"]
    changed["vectors"][1]["pskc"] = "00" * 16
    write(tmp_path, "good.json", PSKC)
    write(tmp_path, "wrong.json", changed)
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "ok   good.json",
        f"FAIL wrong.json: vectors[1].pskc: expected '{'00' * 16}', got '{right}'",
        "1 passed, 1 failed",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "unreadable JSON"),
        ('{"vectors": [', "unreadable JSON"),
        ("[" * 200_000, "unreadable JSON"),
        ("{}", "unknown format"),
        ("[]", "unknown format"),
        ("null", "unknown format"),
        ('{"vectors": []}', "unknown format"),
        ('{"vectors": [{"hex": "00"}]}', "unknown format"),
        ('{"vectors": [{"hex": "zz", "openthread_set_active": "Done"}]}', "ValueError"),
        ('{"vectors": [{"hex": "00", "openthread_set_active": 7}]}', "AttributeError"),
        ('{"vectors": [{"hex": "00", "decoded": {}}]}', "DecodeError"),
        (
            '{"vectors": [{"hex": "", "decoded": {}, "openthread_set_active": "Error 7: x"}]}',
            "fits several formats: thread_datasets, thread_datasets_malformed",
        ),
    ],
)
def test_what_cannot_be_checked_fails_in_one_line(tmp_path: Path, content: str, reason: str) -> None:
    write(tmp_path, "odd.json", content)
    ((name, failure),) = replay_directory(tmp_path)
    assert name == "odd.json"
    assert failure is not None
    assert failure.startswith(reason)
    assert len(failure.splitlines()) == 1


def test_bytes_that_are_not_text_fail(tmp_path: Path) -> None:
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    ((_, failure),) = replay_directory(tmp_path)
    assert failure is not None


def test_long_values_are_cut_in_the_report(tmp_path: Path) -> None:
    changed = json.loads(json.dumps(PSKC))
    changed["vectors"][0]["pskc"] = "0" * 5000
    write(tmp_path, "long.json", changed)
    ((_, failure),) = replay_directory(tmp_path)
    assert failure is not None
    assert len(failure) < 1000


def test_folder_without_vectors_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out == "0 passed, 0 failed\n"


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["/no/such/folder"]])
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    assert main(arguments) == 2


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with the script, our packages, and no environment yet."""
    folder = tmp_path / "checkout"
    (folder / "scripts").mkdir(parents=True)
    (folder / "scripts" / "verify_vectors").write_bytes((ROOT / "scripts" / "verify_vectors").read_bytes())
    for package in ("pairing", "devices", "tests"):
        (folder / package).symlink_to(ROOT / package)
    return folder


def run_script(checkout: Path, folder: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(checkout / "scripts" / "verify_vectors"), folder]
    environment = {name: value for name, value in os.environ.items() if name != "PAIRLAB_VENV"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_script_without_environment_says_what_to_run(checkout: Path, tmp_path: Path) -> None:
    done = run_script(checkout, ".", tmp_path)
    assert done.returncode == 3
    assert "scripts/test makes it" in done.stderr
    assert not (checkout / ".venv").exists()


def test_script_takes_a_path_relative_to_the_caller_and_writes_nothing(checkout: Path, tmp_path: Path) -> None:
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    write(tmp_path, "elsewhere/mine/pskc.json", PSKC)
    write(tmp_path, "elsewhere/tests/__init__.py", "raise SystemExit('the wrong tests package')")
    before = sorted(os.walk(tmp_path / "elsewhere"))
    done = run_script(checkout, "mine", tmp_path / "elsewhere")
    assert (done.returncode, done.stdout) == (0, "ok   pskc.json\n1 passed, 0 failed\n"), done.stderr
    assert sorted(os.walk(tmp_path / "elsewhere")) == before
