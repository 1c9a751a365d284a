"""How a Commissioner's verbs end: done, or refused with a verdict that says what to do next.

A refusal is a result, not an error: `{outcome: "refused", verdict: {rule, expected, came, symptom, hint}}`. What went
wrong on the wire is read here off the engines' errors and silences.
"""

from dataclasses import dataclass
from typing import Any

from devices.controllers.verdicts import refused_document
from pairing.errors import AuthenticationError, ExchangeTimeoutError, PairingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why there is no yes."""

    rule: str
    expected: str
    came: str
    symptom: str = ""
    hint: str = ""


class RefusedError(Exception):
    """Carries a refusal from where it is found to where the verb ends; it never leaves the controller."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.rule)
        self.refusal = refusal


def done(value: Any = None) -> dict[str, Any]:
    """The document of a verb that went well."""
    return {"outcome": "done", "value": value}


def refused(refusal: Refusal) -> dict[str, Any]:
    """The document of a refusal."""
    return refused_document(refusal)


_PSKC_HINT = (
    "the PSKc comes from passphrase, network name and extended PAN ID as they were when it was set: a network that was "
    "renamed since keeps its old one; `pairlab dataset show` prints the PSKc of a dataset"
)
_CODE_HINT = "read the code again; it is good until its time is over, for ten attempts in all"
_PORT_HINT = (
    "a Border Agent takes another port at every start and none while Thread is off: `pairlab browse _meshcop._udp` "
    "shows where it is now"
)
_OVER_HINT = "a code is good for one use within its time: have the border router show a new one"


def handshake_refusal(error: PairingError, peer: str, *, is_code: bool) -> Refusal:
    """A handshake that failed."""
    key = "code" if is_code else "PSKc"
    if isinstance(error, AuthenticationError):
        return Refusal(
            rule=f"wrong-{key.lower()}",
            expected=f"the {key} of the network behind {peer}",
            came=f"another {key}, or another network",
            symptom=str(error),
            hint=_CODE_HINT if is_code else _PSKC_HINT,
        )
    if isinstance(error, ExchangeTimeoutError):
        return silence(peer, "the handshake's retries", has_spoken=False, is_code=is_code)
    return Refusal(
        rule="handshake-refused",
        expected=f"a DTLS handshake by EC-JPAKE with {peer}",
        came=str(error),
        hint="is that the port of a Thread Border Agent?",
    )


def silence(peer: str, waited: str, *, has_spoken: bool, is_code: bool) -> Refusal:
    """A handshake that nobody ended; `has_spoken`: something had come from there."""
    if has_spoken:
        return Refusal(
            rule="silence-after-proof",
            expected=f"the end of the handshake from {peer}",
            came=f"nothing more within {waited}",
            symptom="it answered, and fell silent when it saw our proof",
            hint=f"many stacks do that with a wrong {'code' if is_code else 'PSKc'}, where others send an alert",
        )
    others = "another client uses the code now, or " if is_code else ""
    return Refusal(
        rule="no-answer",
        expected=f"an answer from {peer}",
        came=f"nothing within {waited}",
        hint=f"{others}the address is wrong, or a firewall is between; {_OVER_HINT if is_code else _PORT_HINT}",
    )


def nobody_listens(peer: str, *, is_code: bool) -> Refusal:
    """The peer's host says that the port is closed."""
    return Refusal(
        rule="nobody-listens",
        expected=f"a Border Agent at {peer}",
        came="the host refuses: that UDP port is closed",
        hint=_OVER_HINT if is_code else _PORT_HINT,
    )


def request_refusal(what: str, error: PairingError, peer: str) -> Refusal:
    """A request without a usable answer, on a connection that is or was up."""
    is_silence = isinstance(error, ExchangeTimeoutError)
    return Refusal(
        rule="request-unanswered" if is_silence else "request-failed",
        expected=f"an answer to {what} from {peer}",
        came=str(error),
        hint="try again" if is_silence else "",
    )


def petition_refusal(holder: str | None, own: str) -> Refusal:
    """State reject for a petition."""
    if holder is None:
        return Refusal(
            rule="petition-refused",
            expected=f"State accept for the petition of {own!r}",
            came="State reject, and no other Commissioner is named",
        )
    return Refusal(
        rule="commissioner-active",
        expected="no active Commissioner, or one of the same id",
        came=f"{holder!r} is active",
        hint=f"have {holder!r} resign, or wait until 50 s after its last keep-alive; its own id would take over",
    )
