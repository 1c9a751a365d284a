"""Transmission parameters of a CoAP endpoint. Source: RFC 7252, section 4.8."""

from dataclasses import dataclass

from pairing.coap.message import OptionNumber
from pairing.engine import SECOND, Micros

KNOWN_OPTIONS = frozenset(
    {
        OptionNumber.URI_HOST,
        OptionNumber.URI_PORT,
        OptionNumber.URI_PATH,
        OptionNumber.URI_QUERY,
        OptionNumber.ACCEPT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoapSettings:
    """Times and sizes. There is no random factor on the first wait: an endpoint has one peer, not a crowd."""

    ack_timeout: Micros = 2 * SECOND
    max_retransmit: int = 4
    exchange_lifetime: Micros = 247 * SECOND
    """How long the message ID of a CON is remembered, and a separate answer is waited for."""
    non_lifetime: Micros = 145 * SECOND
    """The same for a NON."""
    token_length: int = 8
    first_message_id: int | None = None
    """None draws it."""
    remembered: int = 256
    """Most message IDs that are remembered: the oldest is forgotten first."""
    critical_options: frozenset[int] = frozenset(KNOWN_OPTIONS)
    """Critical options that requests may carry; others are answered with 4.02, or ignored in a NON."""
