"""Shrinking beside a program from outside: faults on real sockets, and a file that fails again with that program."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devices.home import LiveHome
from devices.lab.run import run_scenario
from devices.lab.scenario import Scenario, read_scenario, with_client
from devices.lab.shrink import shrink, write_shrunk
from devices.lab.sweep import judge, sweep
from pairing.dtls.client import DtlsClient
from pairing.engine import Endpoint, Transmit
from tests.support.recorded_entropy import seeded
from tests.support.scenarios import scenario_file

FIRST_FAILING = 2
"""The search for a seed that fails begins here; which one it is depends on what the router says, too."""

PROGRAM = Path(__file__).parents[2] / "support" / "hello_client.py"
HOME = """
name = "Greeted"

[[accessory]]
id = "br"
kind = "thread-border-router"
attach = "1ms"
rest_port = 0
dataset = { network_name = "Greeted" }

[client]
command = ["${scenario.python}", "${scenario.folder}/hello_client.py", "GREETING"]

[[fault]]
kind = "delay"
delay = "2ms"
jitter = "5ms"
target = "br"
probability = 0.5
optional = true

[[fault]]
kind = "drop"
target = "br"
probability = 0.1
optional = true
"""


@asynccontextmanager
async def serve(_: LiveHome) -> AsyncIterator[str]:
    """No control API: this client needs none, and its framework takes half a second to import."""
    yield "http://127.0.0.1:1"


def _greeting() -> str:
    client = DtlsClient(Endpoint("192.0.2.1", 1), b"J01NME", seeded("greeting"))
    (said, *_) = [each for each in client.start(0) if isinstance(each, Transmit)]
    return said.payload.hex()


def _story(folder: Path) -> Scenario:
    (folder / PROGRAM.name).write_bytes(PROGRAM.read_bytes())
    return read_scenario(scenario_file(folder, "", home=HOME.replace("GREETING", _greeting())))


def _patient(story: Scenario) -> Scenario:
    return with_client(story, [sys.executable, str(PROGRAM), _greeting(), "--retries"])


def test_a_failure_beside_a_client_shrinks_to_one_lost_datagram_and_fails_again(tmp_path: Path) -> None:
    story = _story(tmp_path)
    seed = next(each for each in range(FIRST_FAILING, 40) if not judge(story, each, serve).passed)
    assert judge(_patient(story), seed, serve).passed
    found = shrink(story, seed, serve)
    assert found is not None
    assert found.failure.reason == "the client ended with exit code 1, expected 0"
    assert found.hits is not None
    assert found.complete
    assert 1 <= len(found.hits) <= 5
    assert len(found.hits) < found.decisions
    left = read_scenario(write_shrunk(found, tmp_path / "out", story.path))
    again = run_scenario(left, None, serve)
    assert again.failure is not None
    assert again.client_output[-1].endswith("was not answered")
    assert judge(_patient(left), seed, serve).passed


@pytest.mark.slow
def test_one_seed_fails_again_and_again_beside_a_client(tmp_path: Path) -> None:
    story = _story(tmp_path)
    seeds = [*range(20)] * 3
    results = [each.passed for each in sweep(story, seeds, 2, serve)]
    assert results[:20] == results[20:40] == results[40:]
    assert 0 < sum(results[:20]) < 20
