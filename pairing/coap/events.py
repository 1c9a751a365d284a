"""What a CoAP endpoint reports. Each request of ours ends in `CoapResponseReceived` or `CoapRequestFailed`."""

from dataclasses import dataclass

from pairing.coap.message import CoapMessage
from pairing.engine import Address, Event
from pairing.errors import PairingError


@dataclass(frozen=True, slots=True, kw_only=True)
class CoapEvent(Event):
    """Something about an exchange with the peer at `address`."""

    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class CoapRequestReceived(CoapEvent):
    """A request, for the first time: `CoapEndpoint.respond` answers it, by this event."""

    message: CoapMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class CoapResponseReceived(CoapEvent):
    """The answer to the request with this token."""

    token: bytes
    message: CoapMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class CoapRequestFailed(CoapEvent):
    """The request with this token has no answer: reset, or silence until the end of all retries."""

    token: bytes
    error: PairingError


@dataclass(frozen=True, slots=True, kw_only=True)
class CoapPingAnswered(CoapEvent):
    """The peer answered a ping with RST, as it should."""

    message_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoapDeliveryFailed(CoapEvent):
    """A separate CON response, or a ping, was reset or never acknowledged."""

    message_id: int
    error: PairingError
