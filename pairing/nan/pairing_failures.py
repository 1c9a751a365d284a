"""Why a pairing attempt failed, in the words that its event carries: rule, expected, came, and the cause.

Source: Wi-Fi Aware specification 4.0, section 7.6; what each side can know of a failure, as captures show it.
"""

from dataclasses import dataclass

from pairing.errors import AuthenticationError, ExchangeTimeoutError, NegotiationError, PeerRejectedError
from pairing.ieee80211.frames import StatusCode
from pairing.nan.pairing_events import PairingCause
from pairing.pasn.events import PasnFailed, PasnMode


@dataclass(frozen=True, slots=True)
class Failure:
    """The fields of `PairingFailed` that say why."""

    error: str
    cause: PairingCause
    rule: str
    expected: str
    came: str
    frame: int = 0
    status: int | None = None
    mistake: str = ""
    is_wrong_password: bool = False
    """Whether it counts as one: certain for the side that saw the proof, the likely reason for the other."""


_FORGOTTEN = "the peer does not remember this pairing, or cannot tell who we are"
_SILENCE = "an initiator whose password is another falls silent after frame 2"
_FORGETFUL = "a peer that has forgotten this pairing may answer nothing"
_PROOF = {
    PasnMode.PASSWORD: "a proof of the same password",
    PasnMode.CACHED: "a proof of the same key of an earlier pairing",
    PasnMode.OPPORTUNISTIC: "the MIC of the same exchange",
}


def failure_of(failed: PasnFailed, mode: PasnMode, *, is_initiator: bool, is_answer_out: bool) -> Failure:
    """What a failed PASN handshake means. `is_answer_out`: a responder's frame 2 has reached the initiator."""
    error = failed.error
    name = type(error).__name__
    match error:
        case AuthenticationError():
            return _unproven(failed, mode)
        case PeerRejectedError():
            return _rejected(failed, error, mode, is_initiator=is_initiator)
        case ExchangeTimeoutError():
            return _timed_out(failed, mode, is_initiator=is_initiator, is_answer_out=is_answer_out)
        case NegotiationError():
            rule = "common suite, group and AKM"
        case _:
            rule = "form of the frame"
    status = getattr(error, "wire_code", None)
    expected = f"PASN frame {failed.frame} as the standard has it"
    return Failure(name, PairingCause.NOT_AGREED, rule, expected, str(error), failed.frame, status, failed.mistake)


def _unproven(failed: PasnFailed, mode: PasnMode) -> Failure:
    cause = {PasnMode.PASSWORD: PairingCause.WRONG_PASSWORD, PasnMode.CACHED: PairingCause.WRONG_KEY}.get(
        mode, PairingCause.NOT_AGREED
    )
    is_wrong = mode is PasnMode.PASSWORD and not failed.mistake
    came, error = str(failed.error), type(failed.error).__name__
    return Failure(error, cause, "proof", _PROOF[mode], came, failed.frame, None, failed.mistake, is_wrong)


def _rejected(failed: PasnFailed, error: PeerRejectedError, mode: PasnMode, *, is_initiator: bool) -> Failure:
    status, name = error.wire_code, type(error).__name__
    if is_initiator and status == StatusCode.INVALID_PMKID:
        came, cause = f"status {status}: {_FORGOTTEN}", PairingCause.UNKNOWN_PEER
        return Failure(name, cause, "status", "0", came, failed.frame, status)
    is_wrong = not is_initiator and mode is PasnMode.PASSWORD and failed.frame == 3
    cause = PairingCause.WRONG_PASSWORD if is_wrong else PairingCause.REJECTED
    return Failure(name, cause, "status", "0", f"status {status}", failed.frame, status, "", is_wrong)


def _timed_out(failed: PasnFailed, mode: PasnMode, *, is_initiator: bool, is_answer_out: bool) -> Failure:
    error, came = type(failed.error).__name__, str(failed.error)
    if not is_initiator and is_answer_out:
        is_wrong = mode is PasnMode.PASSWORD
        hint = f"silence; {_SILENCE}" if is_wrong else "silence"
        cause = PairingCause.ABANDONED
        return Failure(error, cause, "frame 3", "frame 3 in time", hint, 3, None, "", is_wrong)
    if is_initiator and mode is PasnMode.CACHED:
        came = f"{came}; {_FORGETFUL}"
    return Failure(error, PairingCause.TIMED_OUT, "timeout", "the next frame in time", came)
