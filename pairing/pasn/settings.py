"""What the owner of a PASN role hands in: addresses, suites, credentials, times, and the lies to tell.

Everything of NAN comes as octets: the attributes of the NAN element and the PMKIDs are made and judged by the owner.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from pairing.engine import SECOND, Micros
from pairing.ieee80211.elements import Akm
from pairing.pasn.events import PasnMode
from pairing.pasn.key_schedule import NCS_PK_PASN_128, PasnSuite
from pairing.sae.hash_to_element import PasswordToken

TU: Micros = 1_024
FOREVER = -1


@dataclass(frozen=True, slots=True)
class Opportunistic:
    """Pair without authentication."""

    akm = Akm.PASN
    mode = PasnMode.OPPORTUNISTIC


@dataclass(frozen=True, slots=True)
class SharedPassword:
    """Pair by SAE. The token is the password's, derived once for the suite's group and the network's SSID."""

    token: PasswordToken = field(repr=False)

    akm = Akm.SAE
    mode = PasnMode.PASSWORD


@dataclass(frozen=True, slots=True)
class CachedKey:
    """Verify an earlier pairing: its AKM, its key, and the PMKID to show in our frame."""

    akm: Akm
    pmk: bytes = field(repr=False)
    pmkid: bytes

    mode = PasnMode.CACHED


Credential: TypeAlias = Opportunistic | SharedPassword | CachedKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PasnTimes:
    """How long each side waits. Nobody else ends an attempt with a silent peer: every wait has an end of its own."""

    attempt: Micros = 30 * SECOND
    """Initiator: from the start to keys or failure, comebacks included."""
    repeat_after: Micros = 1 * SECOND
    """Initiator: silence after which frame 1 is sent again, if `repeats` allows it."""
    repeats: int = 0
    """Initiator: how often. Each repeat that arrives makes the responder start anew."""
    consent: Micros = 60 * SECOND
    """Responder: how long its owner may think."""
    frame_3: Micros = 5 * SECOND
    """Responder: from frame 2 to frame 3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasnLies:
    """Deviations, each off by default; the frame that a lie changes is our frame 1 or 3, or our frame 2."""

    wrong_group: int | None = None
    """Announce this group beside our key."""
    no_nan_element: bool = False
    comebacks: int = 0
    """Responder: answer so many frames 1 with a comeback, whatever their cookie; FOREVER for all."""
    comeback_tu: int = 100
    """The time in those comebacks."""
    wrong_mic: bool = False
    wrong_confirm: bool = False
    reject_status: int | None = None
    """Refuse with this status: in frame 2 although the request is accepted, or in frame 3 although all is well."""
    silent_at: int = 0
    """The frame that is made but never sent."""


TRUTHFUL = PasnLies()


@dataclass(frozen=True, slots=True, kw_only=True)
class PasnSettings:
    """One role towards one peer. `own`, `peer`, `bssid` are addresses; in NAN, `bssid` is the cluster id.

    `suites` are those that the responder takes; the initiator proposes the first. `nan` holds the attributes of our NAN
    element. `comeback_tu` makes the responder send each newcomer away once, with a cookie.
    `reject_on_failure` makes the initiator say so (status 1 in frame 3) where others fall silent.
    """

    own: bytes
    peer: bytes
    bssid: bytes
    nan: bytes
    suites: Sequence[PasnSuite] = (NCS_PK_PASN_128,)
    akms: Sequence[Akm] = (Akm.SAE, Akm.PASN)
    times: PasnTimes = PasnTimes()
    lies: PasnLies = TRUTHFUL
    comeback_tu: int | None = None
    reject_on_failure: bool = False
