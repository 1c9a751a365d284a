"""Protocol engines of pairlab: pure, deterministic, without I/O.

Subpackages: `thread` (operational datasets, the network model, credential rules) and `dnssd` (TXT records, responder,
querier). The package acts on nothing; `devices` drives it.
"""

from pairing.engine import Address, Endpoint, Engine, Entropy, Event, FrameIgnored, Micros, Output, Outputs, Transmit
from pairing.errors import (
    AuthenticationError,
    DecodeError,
    EncodeError,
    ExchangeTimeoutError,
    KeyStoreError,
    LocalProtocolError,
    NegotiationError,
    PairingError,
    PeerRejectedError,
    RemoteProtocolError,
)

__all__ = [
    "Address",
    "AuthenticationError",
    "DecodeError",
    "EncodeError",
    "Endpoint",
    "Engine",
    "Entropy",
    "Event",
    "ExchangeTimeoutError",
    "FrameIgnored",
    "KeyStoreError",
    "LocalProtocolError",
    "Micros",
    "NegotiationError",
    "Output",
    "Outputs",
    "PairingError",
    "PeerRejectedError",
    "RemoteProtocolError",
    "Transmit",
]
