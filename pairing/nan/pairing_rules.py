"""What implementations do differently in pairing, and how long each side waits: data for the pairing engine.

The times follow one rule: a responder gives up earlier than the initiator whose frame it answers, so that what reaches
a side that still waits has come from one that still waits, too.
Source: Wi-Fi Aware specification 4.0, section 7.6; behaviours as observed (reference peer) or read (vendor HAL).
"""

from dataclasses import dataclass

from pairing.engine import MILLISECOND, SECOND, Micros
from pairing.keys import DEFAULT_LIFETIME_S
from pairing.pasn.key_schedule import SUITES
from pairing.pasn.settings import TRUTHFUL, PasnLies, PasnTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingTimes:
    """How long each side waits, and when it says something again."""

    pasn: PasnTimes = PasnTimes(repeats=10, frame_3=6 * SECOND)  # noqa: RUF009 - a frozen value
    acknowledgement: Micros = 100 * MILLISECOND
    """Silence of the medium after which a frame counts as arrived, since the medium does not tell."""
    repeat: Micros = 100 * MILLISECOND
    """From the news that a frame did not arrive to sending it again."""
    tries: int = 8
    """How often a frame is sent that does not arrive."""
    frame_2_again: Micros = 2 * SECOND
    """How long frame 2 is sent again; so much shorter than the wait for frame 3 that this comes in time, or not."""
    hold: Micros = 1 * SECOND
    """How long after frame 2 another frame 1 of the same peer is ignored, and better than a refusal awaited."""
    nik_after: Micros = 30 * MILLISECOND
    """From the arrival of frame 3 to the initiator's NIK: the peer takes its keys into use."""
    nik_repeat: Micros = 200 * MILLISECOND
    """Silence after which the initiator sends its NIK again."""
    quiet: Micros = 500 * MILLISECOND
    """How long the responder listens whether its NIK is asked for again; longer than `nik_repeat`."""
    initiator: Micros = 15 * SECOND
    """From frame 3 to the end."""
    responder: Micros = 8 * SECOND
    """From frame 2 to the end; with `grace` shorter than `initiator`, by more than a frame may be late."""
    grace: Micros = 5 * SECOND
    """How much longer the responder waits while its NIK is on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingLies:
    """Deviations, each off by default."""

    pasn: PasnLies = TRUTHFUL
    silent_nik: bool = False
    """Authenticate, but keep our NIK to ourselves."""
    wrong_nik_key: bool = False
    """Wrap our NIK with another key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingProfile:
    """One implementation's behaviour."""

    times: PairingTimes = PairingTimes()
    suites: tuple[int, ...] = tuple(SUITES)
    """NAN cipher suites; an initiator takes the first that the peer offers."""
    lifetime_s: int = DEFAULT_LIFETIME_S
    """What we say that our NIK is good for."""
    max_wrong_attempts: int | None = 3
    """Wrong passwords in a row after which a peer is refused until pairing is opened again; None: no limit."""
    is_frame_1_answered_anew: bool = False
    """A frame 1 that comes again octet for octet gets new keys instead of the same frame 2."""
    is_refusal_anonymous: bool = False
    """Refusals name suite 7 and publish ID 0, whatever was asked."""
    does_tell_failure: bool = False
    """Say status 1 after a wrong password where others fall silent."""
    is_nik_exchange_strict: bool = False
    """Ignore a NIK whose descriptor lacks the pairwise bit or whose cipher version is not 0."""
    is_npkid_checked: bool = True
    """In verification, the PMKID must fit the NIK too, not only the NIRA."""


RAW_PAIRING = PairingProfile()
REFERENCE_PEER_PAIRING = PairingProfile(
    max_wrong_attempts=None,
    is_frame_1_answered_anew=True,
    is_refusal_anonymous=True,
    is_nik_exchange_strict=True,
    is_npkid_checked=False,
)
