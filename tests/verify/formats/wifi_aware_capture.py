"""Recorded Wi-Fi Aware exchanges: discovery, bootstrapping, pairing, verification and data paths, played by two of our
devices. Every frame is made from the recorded inputs and compared, plain and protected, then every derived value."""

from typing import Any

from tests.verify.nan_answers import compare_answers
from tests.verify.nan_exchange import Exchange


def recognises(document: object) -> bool:
    """Whether this is an exchange of frames between an initiator and a responder."""
    return isinstance(document, dict) and {"frames", "initiator", "responder", "flow"} <= document.keys()


def check(document: dict[str, Any]) -> None:
    """Play the exchange; raises Mismatch."""
    exchange = Exchange(document)
    exchange.play()
    compare_answers(exchange)
