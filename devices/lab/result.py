"""What came of a scenario: each step, why it failed if it did, and how to see it again."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from devices.event_log import StampedEvent
from pairing.engine import Micros


class StepOutcome(Enum):
    """What came of a step."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step: when it began, how long it took, and what it found."""

    number: int
    text: str
    outcome: StepOutcome
    at_us: Micros = 0
    took_us: Micros = 0
    found: str = ""


@dataclass(frozen=True, slots=True)
class Near:
    """An event that came close to the one expected."""

    event: Mapping[str, Any]
    misses: Sequence[str]

    @property
    def text(self) -> str:
        """One line."""
        event = self.event
        return f"{event['id']} {event['type']} of {event['actor']} at {event['at_us']} us: {'; '.join(self.misses)}"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a scenario failed: at which step (None = after the last), the reason, and the nearest three events."""

    step: int | None
    reason: str
    nearest: Sequence[Near] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """One run of one scenario with one seed."""

    path: Path
    client: Sequence[str] | None = None
    """The program under test, where it is not the file's own."""
    name: str
    seed: int
    virtual: bool
    steps: Sequence[StepResult]
    failure: Failure | None
    silent_faults: Sequence[str]
    events: Sequence[StampedEvent] = field(repr=False)
    duration_us: Micros
    ladder: Sequence[str] = field(default=(), repr=False)
    client_output: Sequence[str] = field(default=(), repr=False)
    transcript: bytes = field(default=b"", repr=False)

    @property
    def passed(self) -> bool:
        """Every step passed and every fault fired."""
        return self.failure is None

    @property
    def replay(self) -> str:
        """The one command that runs it again."""
        return replay_command(self.path, self.seed, self.client)

    def as_json(self) -> dict[str, Any]:
        """One JSON document; the events are counted, the transcript holds them."""
        document: dict[str, Any] = {
            "scenario": str(self.path),
            "name": self.name,
            "seed": self.seed,
            "passed": self.passed,
            "virtual": self.virtual,
            "duration_us": self.duration_us,
            "events": len(self.events),
            "steps": [_step_document(each) for each in self.steps],
            "silent_faults": list(self.silent_faults),
            "replay": self.replay,
        }
        if self.failure is not None:
            document["failure"] = {
                "step": self.failure.step,
                "reason": self.failure.reason,
                "nearest": [{"event": dict(each.event), "misses": list(each.misses)} for each in self.failure.nearest],
                "ladder": list(self.ladder),
            }
        if self.client_output:
            document["client_output"] = list(self.client_output)
        return document


def replay_command(path: Path, seed: int, client: Sequence[str] | None = None) -> str:
    """The command that runs a scenario with a seed, with the client that was given in place of the file's own."""
    with_client = "" if client is None else f" --client {shlex.quote(shlex.join(client))}"
    return f"pairlab run {shlex.quote(str(path))} --seed {seed}{with_client}"


def _step_document(step: StepResult) -> dict[str, Any]:
    document: dict[str, Any] = {"number": step.number, "step": step.text, "outcome": step.outcome.value}
    if step.outcome is not StepOutcome.SKIPPED:
        document |= {"at_us": step.at_us, "took_us": step.took_us, "found": step.found}
    return document
