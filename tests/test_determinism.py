"""One seed gives one transcript, byte for byte: in another process, folder, time zone, and under another hash seed."""

import subprocess
import sys
from pathlib import Path

import pytest

from devices.transcripts.reader import Fate, Frame, Happened
from tests.support.command_line import environment
from tests.support.transcripts import records_of

STORY = """
name = "A home with a bad network"

[[accessory]]
id = "br"
kind = "thread-border-router"
name = "Living Room"
dataset = { network_name = "Living Room" }

[[accessory]]
id = "other"
kind = "thread-border-router"
name = "Living Room"

[[phone]]
id = "iphone"
profile = "ios-26"

[[phone]]
id = "pixel"
profile = "android-16"

[[fault]]
kind = "drop"
probability = 0.2

[[fault]]
kind = "delay"
delay = "30ms"
jitter = "200ms"
probability = 0.5

[[fault]]
kind = "duplicate"
copies = 2
gap = "7ms"
probability = 0.3

[[fault]]
kind = "reorder"
probability = 0.1

[[fault]]
kind = "corrupt"
bits = 3
probability = 0.1

[[step]]
expect = "RoleChanged"
actor = "br"
where = { role = "leader" }

[[step]]
do = "advance"
with = { duration = "30s" }

[[step]]
do = "store-credential"
actor = "iphone"
with = { border_agent = "${br.ext_address}", dataset = "DATASET" }

[[step]]
do = "store-credential"
actor = "pixel"
with = { border_agent = "${br.border_agent_id}", dataset = "DATASET" }

[[step]]
do = "restart"
actor = "br"

[[step]]
do = "advance"
with = { duration = "10m" }
"""
DATASET = (
    "0e08000000000001000000030000144a0300000d35060004001fffe0020859bea2bc42572ced0708fd9c926fe132029c0510e1e896fd2e5ee8"
    "87711f3f87a1c499b70305416674657201021b960410245d530eef70a4282b69d5768be6ec450c0402a0f7f8"
)


def _transcript(folder: Path, seed: int, **variables: str) -> bytes:
    """The transcript of a run in a process and folder of its own."""
    folder.mkdir()
    (folder / "story.toml").write_text(STORY.replace("DATASET", DATASET), encoding="utf-8")
    command = [sys.executable, "-m", "devices.cli.main", "run", "story.toml"]
    done = subprocess.run(
        [*command, "--seed", str(seed), "--transcript", "out"],
        cwd=folder,
        env={**environment(folder), "PYTHONPATH": str(Path(__file__).parents[1]), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    (path,) = (folder / "out").iterdir()
    return path.read_bytes()


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return _transcript(tmp_path_factory.mktemp("first") / "run", 7, PYTHONHASHSEED="1")


def test_the_same_seed_gives_the_same_bytes_whatever_the_process(tmp_path: Path, first: bytes) -> None:
    surroundings = ({"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo"}, {"PYTHONHASHSEED": "3", "LANG": "C"})
    for number, variables in enumerate(surroundings):
        assert _transcript(tmp_path / f"run {number}", 7, **variables) == first


def test_another_seed_gives_another_transcript(tmp_path: Path, first: bytes) -> None:
    other = _transcript(tmp_path / "run", 8, PYTHONHASHSEED="1")
    assert other != first
    assert len(other) > 10_000


def test_the_compared_story_is_worth_comparing(first: bytes) -> None:
    records = records_of(first)
    assert sum(isinstance(each, Frame) for each in records) > 50
    assert sum(isinstance(each, Fate) for each in records) > 100
    told = {each.event["type"] for each in records if isinstance(each, Happened)}
    assert {"FaultFired", "RoleChanged", "CredentialRefused", "ServicePublished"} <= told
    fired = {
        each.event["kind"] for each in records if isinstance(each, Happened) and each.event["type"] == "FaultFired"
    }
    assert fired == {"corrupt", "delay", "drop", "duplicate", "reorder"}


@pytest.mark.slow
def test_twenty_processes_with_twenty_hash_seeds_write_one_transcript(tmp_path: Path) -> None:
    (tmp_path / "story.toml").write_text(STORY.replace("DATASET", DATASET), encoding="utf-8")
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, str(root / "scripts" / "rerun_seed.py"), "story.toml", "--runs", "20"],
        cwd=tmp_path,
        env={**environment(tmp_path), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("20 runs, 1 Pythons, 1 transcripts\n")
