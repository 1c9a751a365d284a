"""Scenarios of reported behaviour, played once, and what happened in them."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from devices.event_log import StampedEvent
from devices.lab.result import ScenarioResult
from devices.lab.run import run_scenario
from devices.lab.scenario import read_scenario

FOLDER = Path(__file__).parents[2] / "specs" / "scenarios" / "seed"
S = 1_000_000


@cache
def played(name: str) -> ScenarioResult:
    """The scenario has passed."""
    result = run_scenario(read_scenario(FOLDER / f"{name}.toml"))
    assert result.failure is None, result.failure
    return result


def happened(result: ScenarioResult, event: str, actor: str, **where: Any) -> Sequence[StampedEvent]:
    """The events of a type that an actor had, with these members."""
    found = [each for each in result.events if (each.type, each.actor) == (event, actor)]
    return [each for each in found if where.items() <= each.as_json().items()]


def times(result: ScenarioResult, event: str, actor: str, **where: Any) -> Sequence[int]:
    """When."""
    return [each.at_us for each in happened(result, event, actor, **where)]
