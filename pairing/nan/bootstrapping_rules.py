"""How bootstrapping methods are named, judged and waited for: what implementations do differently, as data.

Three readings of the method bit were seen, and they do not meet each other: an initiator names its own role and the
responder takes the complement (the reference peer); the method named is one that the responder advertised, and a
common bit accepts (Android's framework); an iPhone that publishes compares with its own mask, too, and rejects without
a reason.
Source: Wi-Fi Aware specification 4.0, section 7.6.2; behaviours as observed or reported, see `platform_rules`.
"""

from dataclasses import dataclass
from enum import Enum

from pairing.engine import MILLISECOND, SECOND, Micros
from pairing.nan.attributes import BootstrappingMethods, ReasonCode
from pairing.nan.timing import TU

_M = BootstrappingMethods
_PAIRS = (
    (_M.PIN_DISPLAY, _M.PIN_KEYPAD),
    (_M.PASSPHRASE_DISPLAY, _M.PASSPHRASE_KEYPAD),
    (_M.QR_DISPLAY, _M.QR_SCAN),
    (_M.NFC_TAG, _M.NFC_READER),
)
_COMPLEMENTS = {
    **dict(_PAIRS),
    **{other: one for one, other in _PAIRS},
    **{same: same for same in (_M.OPPORTUNISTIC, _M.SERVICE_MANAGED, _M.HANDSHAKE_SKIPPED)},
}


def complement(methods: BootstrappingMethods) -> BootstrappingMethods:
    """The same methods from the other side's point of view; bits without a meaning vanish."""
    return _M(sum(other for one, other in _COMPLEMENTS.items() if methods & one))


class MethodReading(Enum):
    """From whose point of view a request names its method."""

    OWN_ROLE = "own-role"
    """The sender's: who types a PIN asks for PIN keypad."""
    PEER_ADVERTISED = "peer-advertised"
    """The responder's: who types a PIN asks for PIN display."""
    EITHER = "either"
    """A responder that takes whichever makes sense; as an initiator, it names its own role."""


class AcceptedBit(Enum):
    """Which answer bits an initiator takes as agreement."""

    COMPLEMENT = "complement"
    """The complement of what it requested."""
    EITHER = "either"
    """The complement, or what it requested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrappingProfile:
    """One implementation's behaviour. The defaults are the reference peer's, made tolerant of lost frames."""

    reading: MethodReading = MethodReading.OWN_ROLE
    accepted_bit: AcceptedBit = AcceptedBit.COMPLEMENT
    auto_accept: BootstrappingMethods = _M.OPPORTUNISTIC
    """Methods, from the responder's point of view, that need no user."""
    is_user_asked: bool = True
    """False: a request for a method that needs one stays pending without anybody being told."""
    reject_reason: int = ReasonCode.PAIRING_BOOTSTRAPPING_REJECTED
    user_reject_reason: int = ReasonCode.PAIRING_BOOTSTRAPPING_REJECTED
    comeback_after: int = 1024
    """In TU; what a responder asks for."""
    comeback_unit: Micros = TU
    """How long an initiator takes one TU of it to be; the reference peer takes a millisecond."""
    max_comebacks: int | None = None
    """How often an initiator comes back before it gives up; None for ever."""
    retry_interval: Micros = 1 * SECOND
    max_retries: int | None = None
    """How often an unanswered request is repeated; None for ever."""
    timeout: Micros | None = None
    """How long an initiator waits for the end of it all."""
    does_ignore_request_without_cookie: bool = False
    """While a comeback is pending. If true, the loss of the first comeback answer leaves both waiting for ever."""
    patience: Micros | None = 60 * SECOND
    """How long a responder keeps an exchange whose initiator does not come back; None for ever."""
    memory: Micros = 10 * SECOND
    """How long a responder answers a repeated request again after the end, in case its answer was lost."""


REFERENCE_PEER = BootstrappingProfile(comeback_unit=MILLISECOND, does_ignore_request_without_cookie=True, patience=None)
ANDROID_FRAMEWORK = BootstrappingProfile(
    reading=MethodReading.PEER_ADVERTISED,
    accepted_bit=AcceptedBit.EITHER,
    auto_accept=_M(0xFFFF),
    max_comebacks=1,
    timeout=20 * SECOND,
)
"""Accepts at once whatever is in its mask; the application hears of it afterwards. One comeback is honoured."""
IOS_26_PUBLISHER = BootstrappingProfile(
    reading=MethodReading.PEER_ADVERTISED,
    accepted_bit=AcceptedBit.EITHER,
    auto_accept=_M.NONE,
    is_user_asked=False,
    reject_reason=ReasonCode.RESERVED,
)
"""Rejects the other role's bit without a reason; its own bit is not rejected, but nothing is shown either. That it then
answers comeback is our hypothesis."""


def requested_bit(own: BootstrappingMethods, reading: MethodReading) -> BootstrappingMethods:
    """The bit that a request carries for a method of our own."""
    return complement(own) if reading is MethodReading.PEER_ADVERTISED else own


class Verdict(Enum):
    """What a responder thinks of a requested method."""

    UNKNOWN = "unknown"
    AUTO_ACCEPTED = "auto-accepted"
    NEEDS_USER = "needs-user"


def judge(
    requested: BootstrappingMethods, offered: BootstrappingMethods, profile: BootstrappingProfile
) -> tuple[Verdict, BootstrappingMethods]:
    """The verdict, and the method from the responder's point of view."""
    own = requested
    if profile.reading is not MethodReading.PEER_ADVERTISED:
        own = complement(requested) if is_single(requested) else _M.NONE
        if profile.reading is MethodReading.EITHER and not own & offered and is_single(requested):
            own = requested
    if not own & offered:
        return Verdict.UNKNOWN, own
    own &= offered
    return (Verdict.AUTO_ACCEPTED if own & profile.auto_accept else Verdict.NEEDS_USER), own


def is_single(method: BootstrappingMethods) -> bool:
    """Exactly one bit, as a request needs."""
    return method.value.bit_count() == 1


def is_agreed(requested: BootstrappingMethods, answered: BootstrappingMethods, accepted_bit: AcceptedBit) -> bool:
    """Whether the bit of an accepting answer is the one that belongs to our request."""
    wanted = {complement(requested)}
    if accepted_bit is AcceptedBit.EITHER:
        wanted.add(requested)
    return answered in wanted


def explain_reject(requested: BootstrappingMethods, offered: BootstrappingMethods) -> str:
    """The known mistake behind a rejected request, given what the peer advertised; empty if there is none."""
    if not offered:
        return "the peer advertised no bootstrapping method"
    if complement(requested) & offered and not requested & offered:
        return (
            "the request names the initiator's role; this peer compares it with its own mask, so the bit it advertised "
            f"({complement(requested).value:#06x}) would be accepted"
        )
    if requested & offered and not complement(requested) & offered:
        return (
            "the request names the responder's role; this peer takes the complement, so the initiator's own role "
            f"({complement(requested).value:#06x}) would be accepted"
        )
    if not (requested | complement(requested)) & offered:
        return "the peer did not advertise this method"
    return ""
