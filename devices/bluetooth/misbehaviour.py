"""What a station can be made to do wrong. The station asks; nothing here acts, except that it counts what was done."""

from collections.abc import Callable
from dataclasses import dataclass

from pairing.engine import Micros


def _nobody(_kind: str, _what: str) -> None:
    """Nobody counts."""


@dataclass(slots=True)
class Misbehaviour:
    """Empty: a well-behaved station. `told` is called with the kind and what was hit, each time."""

    told: Callable[[str, str], None] = _nobody
    parts_on_read: bool = False
    mtu: int | None = None
    """The largest MTU that it agrees to, instead of its own."""
    late_us: Micros = 0
    """How long each piece of news is held."""
    batch_us: Micros = 0
    """How long news is gathered before all of it is told at once."""
    loses_batch: bool = False
    early_news: bool = False
    """Tells a value before it has answered the subscription."""
