"""What an accessory's owner says to requests without being asked: the accept policies of home files."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from pydantic import AfterValidator, Field

from devices.spec import duration_us
from pairing.engine import Micros

_AFTER = "after:"
_WORDS = ("always", "never", "ask", "silent", "reject-then-accept")


class Answer(Enum):
    """What is done with one request."""

    ACCEPT = "accept"
    REJECT = "reject"
    ASK = "ask"
    """It waits for the verbs `accept` and `reject`."""
    NOTHING = "nothing"
    """Nobody says anything; the verbs may still."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and how long the owner thinks first."""

    answer: Answer
    after: Micros = 0


class AcceptPolicy:
    """One policy at work; `reject-then-accept` remembers that it has rejected."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._has_rejected = False

    def decide(self) -> Decision:
        """What to do with the next request."""
        match self.text:
            case "always":
                return Decision(Answer.ACCEPT)
            case "never":
                return Decision(Answer.REJECT)
            case "ask":
                return Decision(Answer.ASK)
            case "silent":
                return Decision(Answer.NOTHING)
            case "reject-then-accept":
                is_first, self._has_rejected = not self._has_rejected, True
                return Decision(Answer.REJECT if is_first else Answer.ACCEPT)
        return Decision(Answer.ACCEPT, duration_us(self.text.removeprefix(_AFTER)))


def _checked(text: str) -> str:
    if text in _WORDS:
        return text
    if not text.startswith(_AFTER):
        raise ValueError(f"a policy is {', '.join(_WORDS)} or after:DURATION, such as after:3s; not {text!r}")
    duration_us(text.removeprefix(_AFTER))
    return text


Policy = Annotated[
    str,
    AfterValidator(_checked),
    Field(
        examples=[*_WORDS, "after:3s"],
        json_schema_extra={"pattern": f"^({'|'.join(map(re.escape, _WORDS))}|{_AFTER}[0-9.]+(us|ms|s|m|h))$"},
    ),
]
