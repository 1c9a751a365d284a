"""What happens to a Bluetooth LE accessory, and to a central of the home. Pairing has the names of every other pairing,
told apart by the medium.

`peer` is the other side's address as text. Characteristics are named `service/characteristic`, both UUIDs in the
shortest form.
"""

from dataclasses import dataclass, field

from pairing.engine import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Advertised(Event):
    """An accessory advertises from now on, or otherwise than before; `interval_us` between two events."""

    address: str
    data: bytes
    scan_response: bytes
    interval_us: int
    connectable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden(Event):
    """An accessory advertises no longer. `reason`: `connected`, `told` or `power-off`."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected(Event):
    """A central has connected; told at both ends where both are of the home."""

    interval_us: int
    timeout_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected(Event):
    """A connection is over; `code` is HCI's error code, `reason` its name in words."""

    reason: str
    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacteristicRead(Event):
    """A central has read a value."""

    characteristic: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacteristicWritten(Event):
    """A central has written a value."""

    characteristic: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacteristicRefused(Event):
    """A central was refused; `error` is ATT's error in words, such as `insufficient-authentication`."""

    characteristic: str
    operation: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed(Event):
    """A central has asked for a characteristic's `notifications` or `indications`."""

    characteristic: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribed(Event):
    """A central wants no more news of a characteristic."""

    characteristic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacteristicNotified(Event):
    """A central of the home was told a value that it has subscribed to."""

    characteristic: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingRequested(Event):
    """A central wants to pair. While `is_waiting`, `accept` or `reject` decides."""

    method: str
    is_waiting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingCompleted(Event):
    """Both sides hold the same long-term key. `authenticated`: somebody compared or typed a number."""

    method: str
    authenticated: bool
    bonded: bool
    ltk: bytes = field(default=b"", repr=False, metadata={"secret": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingVerified(Event):
    """A bond of earlier is in force: the connection is encrypted under its key."""

    authenticated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingFailed(Event):
    """An attempt is over without a bond. `cause` as the owner would say it; `code` is SMP's reason, if one was told."""

    method: str
    error: str
    cause: str
    rule: str
    expected: str
    came: str
    code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BondForgotten(Event):
    """A bond is no longer remembered."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostJoined(Event):
    """A host stack outside has joined by HCI; `peer` is the address of the controller it got."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLeft(Event):
    """A host stack outside has gone, and its connections with it."""

    reason: str
