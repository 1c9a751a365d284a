"""Scenario files for tests: a border router and a phone in virtual time, plus the steps of the test."""

from pathlib import Path
from textwrap import dedent

from devices.lab.result import ScenarioResult
from devices.lab.run import run_scenario
from devices.lab.scenario import read_scenario

HOME = """
name = "Story"
seed = 1

[[accessory]]
id = "br"
kind = "thread-border-router"
name = "Living Room"
attach = "1s"
dataset = { network_name = "Living Room" }

[[phone]]
id = "phone"
profile = "ios-26"
"""


def scenario_file(folder: Path, steps: str, *, home: str = HOME, name: str = "story.toml") -> Path:
    """A scenario file in a folder."""
    path = folder / name
    path.write_text(home + dedent(steps), encoding="utf-8")
    return path


def play(folder: Path, steps: str, *, home: str = HOME, seed: int | None = None) -> ScenarioResult:
    """Run these steps."""
    return run_scenario(read_scenario(scenario_file(folder, steps, home=home)), seed)
