"""How a refusal is written down, whoever refuses: what every controller's calls and verbs end in."""

from typing import Any, Protocol


class Explained(Protocol):
    """A refusal that explains itself."""

    @property
    def rule(self) -> str:
        """The rule that was broken."""

    @property
    def expected(self) -> str:
        """What the rule wants."""

    @property
    def came(self) -> str:
        """What came instead."""

    @property
    def symptom(self) -> str:
        """How it shows."""

    @property
    def hint(self) -> str:
        """What to do next."""


def refused_document(refusal: Explained) -> dict[str, Any]:
    """`{outcome: "refused", verdict: {verdict, rule, expected, came, symptom, hint}}`."""
    return {
        "outcome": "refused",
        "verdict": {
            "verdict": "refused",
            "rule": refusal.rule,
            "expected": refusal.expected,
            "came": refusal.came,
            "symptom": refusal.symptom,
            "hint": refusal.hint,
        },
    }
