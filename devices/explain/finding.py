"""What an explanation says, and who explains which event.

An explainer is a function from story and event to a finding, registered under the event's type by the decorator
`explains`. It answers None where there is nothing to explain.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any, TypeAlias

from devices.explain.story import Story, Telling


class Outcome(Enum):
    """What kind of reason was found."""

    MISTAKE = "known mistake"
    FAULT = "fault"  # the home itself changed or lost a frame, or told a lie
    CHOICE = "choice"  # somebody or some policy said no
    CONSEQUENCE = "consequence"  # another event explains it
    OTHER_SIDE = "other side"  # what a device that is not recorded did tells it; only its own log could prove it
    IGNORED = "ignored"  # discarded as the standard says; no failure
    UNKNOWN = "unexplained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One failure explained. `because` is the reason in words, empty if there is none."""

    event: Mapping[str, Any]
    failed: str
    expected: str = ""
    came: str = ""
    outcome: Outcome = Outcome.UNKNOWN
    because: str = ""
    hint: str = ""
    frame: Telling | None = None
    """The frame that carried what failed."""
    values: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Named intermediate values, where the transcript holds them."""

    @property
    def is_failure(self) -> bool:
        """Whether it counts when the question is if everything is explained."""
        return self.outcome is not Outcome.IGNORED

    @property
    def is_explained(self) -> bool:
        """Whether a reason was found."""
        return self.outcome is not Outcome.UNKNOWN

    def as_json(self) -> dict[str, Any]:
        """One document; bytes as lower-case hex."""
        event = self.event
        return {
            "event": event["id"],
            "type": event["type"],
            "at_us": event["at_us"],
            "actor": event["actor"],
            "peer": event.get("peer"),
            "failed": self.failed,
            "expected": self.expected,
            "came": self.came,
            "outcome": self.outcome.value,
            "because": self.because,
            "hint": self.hint,
            "frame": None if self.frame is None else self.frame.as_json(),
            "values": {name: value.hex() for name, value in self.values.items()},
        }


Explain: TypeAlias = Callable[[Story, Mapping[str, Any]], Finding | None]
_EXPLAINERS: dict[str, Explain] = {}


def explains(*event_types: str) -> Callable[[Explain], Explain]:
    """Register the function that explains events of these types."""

    def register(explain: Explain) -> Explain:
        for each in event_types:
            _EXPLAINERS[each] = explain
        return explain

    return register


@cache
def explainers() -> Mapping[str, Explain]:
    """Event type -> what explains it. Imports the modules of this package, each of which registers its own."""
    package = importlib.import_module("devices.explain")
    for module in sorted(each.name for each in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"devices.explain.{module}")
    return dict(sorted(_EXPLAINERS.items()))


def explain(story: Story, event: Mapping[str, Any]) -> Finding | None:
    """The finding for one event; None if it is no failure."""
    found = explainers().get(str(event["type"]))
    return None if found is None else found(story, event)


def explain_all(story: Story) -> list[Finding]:
    """Every failure of a story, in order."""
    return [found for event in story.events if (found := explain(story, event)) is not None]
