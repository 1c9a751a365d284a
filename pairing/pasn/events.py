"""What the two PASN roles report. The owner (NAN pairing) turns these into the events that users see.

Every attempt ends in `PasnCompleted`, `PasnFailed` or `PasnDeclined` on each side; a frame that changes nothing is
`FrameIgnored`.
"""

from dataclasses import dataclass, field
from enum import Enum

from pairing.crypto.intermediates import Intermediates
from pairing.engine import Event
from pairing.errors import PairingError
from pairing.ieee80211.elements import Akm
from pairing.pasn.key_schedule import PasnPtk, PasnSuite


class PasnMode(Enum):
    """Where the PMK comes from."""

    OPPORTUNISTIC = "opportunistic"  # a constant: nobody is authenticated
    PASSWORD = "password"  # SAE inside PASN  # noqa: S105
    CACHED = "cached"  # a key of an earlier pairing: pairing verification


@dataclass(frozen=True, slots=True)
class PasnIntermediates:
    """Named values of one exchange: `pasn` (ecdh_private … mic3) and, with a password, `sae` (pwd_seed … pmkid).

    Only what has been reached is there.
    """

    pasn: Intermediates = field(default_factory=Intermediates)
    sae: Intermediates = field(default_factory=Intermediates)


@dataclass(frozen=True, slots=True)
class PasnKeys:
    """The outcome of an exchange; both sides hold equal keys, with the same addresses in the same roles."""

    initiator: bytes
    responder: bytes
    suite: PasnSuite
    akm: Akm
    pmk: bytes = field(repr=False)
    ptk: PasnPtk = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasnRequested(Event):
    """A frame 1 that could be accepted has come: the owner answers with `accept` or `reject`.

    `is_repeat` marks one that asks the same again: there is nothing new to decide, and if the first was accepted, a new
    frame 2 is out already.
    """

    mode: PasnMode
    akm: Akm
    suite: PasnSuite
    pmkid: bytes | None
    nan: bytes
    is_repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PasnPostponed(Event):
    """A frame 1 was answered with a comeback: try again after so many TU."""

    after_tu: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PasnCompleted(Event):
    """The handshake is over and both sides proved the same PMK. `nan` and `pmkid` are what the peer's frame held."""

    mode: PasnMode
    nan: bytes
    pmkid: bytes | None
    keys: PasnKeys = field(repr=False, metadata={"secret": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class PasnFailed(Event):
    """The attempt is over without keys. `frame` is the frame that ended it, 0 if it was none.

    `mistake` names the known mistake that yields exactly the proof that came, if there is one.
    """

    error: PairingError
    frame: int = 0
    mistake: str = ""
    intermediates: PasnIntermediates = field(default_factory=PasnIntermediates, repr=False, metadata={"secret": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class PasnDeclined(Event):
    """Our own side ended the attempt, telling the peer this status, or nothing."""

    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LieTold(Event):
    """A deviation that was asked for has changed, or kept back, a frame."""

    lie: str
    frame: int
