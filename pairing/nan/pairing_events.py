"""What pairing reports: requests for the owner, and the one ending that every attempt has on either side.

`peer` is the peer's NMI as text. `mode` is `opportunistic`, `password` or `cached` (pairing verification).
"""

from dataclasses import dataclass, field
from enum import Enum

from pairing.engine import Event
from pairing.keys import NanPairingKeys, PairedPeer
from pairing.pasn.events import PasnIntermediates


class PairingCause(Enum):
    """Why an attempt failed, as its owner would say it."""

    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - the name of a cause
    WRONG_KEY = "wrong-key"  # the two remember different keys of an earlier pairing
    ABANDONED = "abandoned"  # the peer fell silent after our proof: a wrong password looks so from there
    REJECTED = "rejected"  # the peer said no
    DECLINED = "declined"  # our own side said no
    CANCELLED = "cancelled"  # our own side gave up what it had begun
    EXPIRED = "expired"  # our own side did not decide in time
    TIMED_OUT = "timed-out"
    UNKNOWN_PEER = "unknown-peer"  # no pairing to verify is remembered, here or there
    NOT_AGREED = "not-agreed"  # no common suite, method or form of a frame
    LOCKED = "locked"  # too many wrong passwords before
    IDENTITY = "identity"  # authenticated, but the NIKs did not get across
    LIE = "lie"  # our own side spoilt a frame on purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingEvent(Event):
    """News of one attempt with one peer."""

    service: str
    mode: str
    is_initiator: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingStarted(PairingEvent):
    """Our PASN frame 1 is out."""

    suite: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingRequested(PairingEvent):
    """A peer wants to pair: `accept`, with the password if the mode is one, or `reject`."""

    suite: int
    method: str = ""
    """The bootstrapping method agreed on before, from our point of view; empty if there was none."""
    setup_info: bytes | None = None
    """What the peer says of itself, see `setup_info.PairingSetupInfo`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingCompleted(PairingEvent):
    """Both sides hold the same keys, and with caching each the other's identity."""

    suite: int
    peer_id: int | None = None
    """Names the peer from now on; None if nothing is remembered."""
    keys: NanPairingKeys = field(repr=False, metadata={"secret": True})
    remembered: PairedPeer | None = field(default=None, repr=False, metadata={"secret": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingVerified(PairingEvent):
    """An earlier pairing is in force again, under fresh keys."""

    suite: int
    peer_id: int
    keys: NanPairingKeys = field(repr=False, metadata={"secret": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingFailed(PairingEvent):
    """An attempt is over without a pairing. `error` is the class of `pairing.errors` that this failure is."""

    error: str
    cause: PairingCause
    rule: str
    expected: str
    came: str
    frame: int = 0
    """The PASN frame that ended it; 0 if it was none."""
    status: int | None = None
    """The status that was told or heard."""
    mistake: str = ""
    """The known mistake that yields exactly what came, if there is one."""
    wrong_attempts: int = 0
    """How many wrong passwords of this peer there were in a row."""
    intermediates: PasnIntermediates = field(default_factory=PasnIntermediates, repr=False, metadata={"secret": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingAttemptsExhausted(PairingEvent):
    """The peer gave as many wrong passwords as are allowed; it is refused until pairing is opened again."""

    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRecognised(Event):
    """A device that we are paired with is in view, by its NIRA, under this address."""

    peer_id: int
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRemoved(Event):
    """A pairing is no longer remembered."""

    peer_id: int
    name: str = ""
    reason: str = ""
