"""What DTLS reports.

Each handshake ends in `HandshakeCompleted` or `HandshakeFailed`, each connection in `ConnectionClosed`.

`address` is where the peer is, as the medium has it; `peer` is the same as text.
"""

from dataclasses import dataclass, field

from pairing.crypto.intermediates import Intermediates
from pairing.dtls.alerts import Alert
from pairing.dtls.key_schedule import DtlsKeys
from pairing.engine import Address, Event
from pairing.errors import PairingError


@dataclass(frozen=True, slots=True, kw_only=True)
class DtlsEvent(Event):
    """Something about one connection."""

    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeStarted(DtlsEvent):
    """A peer's ClientHello was taken: there is a connection now, and keys are being agreed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeCompleted(DtlsEvent):
    """Both sides proved the same keys."""

    keys: DtlsKeys = field(repr=False, metadata={"secret": True})
    extended_master_secret: bool = False
    intermediates: Intermediates = field(default_factory=Intermediates, repr=False, metadata={"secret": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeFailed(DtlsEvent):
    """The attempt is over without a connection.

    `mistake` names the known mistake that yields exactly the proof that came, if there is one.
    """

    error: PairingError
    mistake: str = ""
    intermediates: Intermediates = field(default_factory=Intermediates, repr=False, metadata={"secret": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertReceived(DtlsEvent):
    """The peer sent an alert; whether in clear is worth knowing."""

    alert: Alert
    is_encrypted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSent(DtlsEvent):
    """We sent an alert."""

    alert: Alert
    is_encrypted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationDataReceived(DtlsEvent):
    """One record of application data, decrypted."""

    data: bytes = field(repr=False, metadata={"secret": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionClosed(DtlsEvent):
    """An established connection, or a handshake that our own side gave up, is over."""

    by_peer: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightRepeated(DtlsEvent):
    """Our last flight went out again: its answer did not come, or the peer repeated its own."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LieTold(DtlsEvent):
    """A deviation that was asked for has changed, or kept back, a message."""

    lie: str
