"""`pairlab thread tcat` against a device of a home: commissioned, proved, refused, and wrong usage."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devices import Home
from tests.support.command_line import run
from tests.support.thread_network import DATASET


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("identities")


@pytest.fixture
def lamp(folder: Path) -> Iterator[list[str]]:
    """The options that reach a fresh device."""
    table = {"id": "lamp", "kind": "tcat-device", "udp_port": 0, "pskd": "J01NME", "ble": False}
    with Home({"accessory": [{**table, "identities": str(folder)}]}, seed=1) as home:
        yield ["--address", home["lamp"].endpoints["tcat"], "--identities", str(folder), "--json"]


def test_it_commissions_with_a_proof(capsys: pytest.CaptureFixture[str], lamp: list[str]) -> None:
    ran = run(capsys, "thread", "tcat", "commission", DATASET.hex(), "--pskd", "J01NME", "--no-start", *lamp)
    assert ran.code == 0
    assert [each["command"] for each in ran.document["value"]["answers"]][-1] == "set-active-dataset"


def test_a_wrong_code_is_a_refusal(capsys: pytest.CaptureFixture[str], lamp: list[str]) -> None:
    ran = run(capsys, "thread", "tcat", "prove", "WR0NG1", *lamp)
    assert ran.code == 1
    assert ran.document["verdict"]["rule"] == "proof-wrong"


def test_one_command_and_its_refusal(capsys: pytest.CaptureFixture[str], lamp: list[str]) -> None:
    ran = run(capsys, "thread", "tcat", "command", "get-network-name", *lamp)
    assert ran.document["verdict"]["rule"] == "undefined"


def test_nobody_there_is_a_refusal(capsys: pytest.CaptureFixture[str], folder: Path, lamp: list[str]) -> None:
    ran = run(
        capsys, "thread", "tcat", "decommission", "--address", "127.0.0.1:1", "--identities", str(folder), "--json"
    )
    assert ran.document["verdict"]["rule"] == "unreachable"


@pytest.mark.parametrize("arguments", [["ping"], ["pong", "--ble", "x"], ["ping", "--address", "here"]])
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run(capsys, "thread", "tcat", "command", *arguments).code == 2
