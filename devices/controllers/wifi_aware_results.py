"""How a phone's Wi-Fi Aware calls end: done, or refused by the platform's rules and in its words.

A refusal is a result, not an error: `{outcome: "refused", verdict: {…}, platform: {domain, code, case, delay_ms}}`.
The words are `pairing.nan.platform_failures`'; any of them can be asked for, whatever the call.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.controllers.verdicts import refused_document
from devices.errors import UsageError
from devices.spec import closest
from pairing.nan.platform_failures import (
    SITUATION_OF_ERROR,
    Activity,
    NanStatus,
    Situation,
    WAError,
    platform_failure,
)
from pairing.nan.platform_rules import Family, NanPlatform, PlatformVerdict

WAERROR_DOMAIN = "WAError"
STATUS_DOMAIN = "NanStatusCode"
EXCEPTION_DOMAIN = "exception"
OWN_DOMAIN = "pairlab"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a call is refused."""

    rule: str
    expected: str
    came: str
    activity: Activity
    situation: Situation
    symptom: str = ""
    hint: str = ""
    is_publisher: bool = False
    exception: str = ""
    """What the call throws at once, where the platform throws; no callback comes then."""

    @classmethod
    def of_rule(
        cls, verdict: PlatformVerdict, activity: Activity, situation: Situation, *, exception: str = ""
    ) -> "Refusal":
        """A refusal by one of the platform rules."""
        return cls(
            rule=verdict.rule,
            expected=verdict.expected,
            came=verdict.came,
            activity=activity,
            situation=situation,
            symptom=verdict.symptom,
            hint=verdict.hint,
            exception=exception,
        )

    @classmethod
    def of_activity(cls, rule: str, expected: str, came: str, activity: Activity, situation: Situation) -> "Refusal":
        """A refusal of something that a publisher or a subscriber does."""
        return cls(
            rule=rule,
            expected=expected,
            came=came,
            activity=activity,
            situation=situation,
            is_publisher=activity is Activity.PUBLISH,
        )


class RefusedError(Exception):
    """Carries a refusal from where it is found to where the call ends; it never leaves the phone."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.rule)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Words:
    """What the app is told."""

    domain: str | None
    case: str | None
    code: int | None = None
    callback: str = ""


def done(value: Any = None) -> dict[str, Any]:
    """The document of a call that went well."""
    return {"outcome": "done", "value": value}


def refused(refusal: Refusal, words: Words, delay_ms: int = 0) -> dict[str, Any]:
    """The document of a refusal."""
    platform: dict[str, Any] = {
        "domain": words.domain,
        "code": words.code,
        "case": words.case,
        "delay_ms": delay_ms,
    }
    if words.callback:
        platform["callback"] = words.callback
    return {**refused_document(refusal), "platform": platform}


def words_for(platform: NanPlatform, refusal: Refusal) -> Words:
    """The platform's words for a refusal."""
    if refusal.exception:
        return Words(EXCEPTION_DOMAIN, refusal.exception)
    failure = platform_failure(platform, refusal.activity, refusal.situation, is_publisher=refusal.is_publisher)
    if failure.case is None:
        return Words(None, None)
    return Words(_domain(platform), failure.case, failure.code, failure.callback)


def produced(platform: NanPlatform, name: str | int, activity: Activity) -> tuple[Refusal, Words]:
    """An ending that was asked for by name: a WAError case, a NanStatus, a situation. Raises UsageError."""
    words = _words_named(platform, name, activity)
    refusal = Refusal(
        rule="produced",
        expected="whatever the call was asked",
        came="an ending asked for by name",
        activity=activity,
        situation=Situation.INTERNAL,
    )
    return refusal, words


def producible(platform: NanPlatform) -> tuple[str, ...]:
    """The endings that can be asked for on a platform."""
    match platform.family:
        case Family.IOS:
            return tuple(each.value for each in WAError)
        case Family.ANDROID:
            return tuple(each.name for each in NanStatus if each is not NanStatus.SUCCESS)
    return tuple(each.value for each in Situation)


def _words_named(platform: NanPlatform, name: str | int, activity: Activity) -> Words:
    known = producible(platform)
    text = str(name)
    if platform.family is Family.ANDROID and text.isdecimal():
        text = next((each.name for each in NanStatus if each.value == int(text)), text)
    if text not in known:
        raise UsageError(f"produce: there is no ending {name!r} here{closest(text, known)}")
    if platform.family is not Family.ANDROID:
        return Words(_domain(platform), text)
    callback = platform_failure(platform, activity, Situation.INTERNAL).callback
    return Words(STATUS_DOMAIN, text, NanStatus[text].value, callback)


def _domain(platform: NanPlatform) -> str:
    return {Family.IOS: WAERROR_DOMAIN, Family.ANDROID: STATUS_DOMAIN}.get(platform.family, OWN_DOMAIN)


def situation_of(error: str) -> Situation:
    """The situation that the error of an event is, such as `AuthenticationError`."""
    return SITUATION_OF_ERROR.get(error, Situation.TERMINATED if error == "cancelled" else Situation.INTERNAL)


def is_refused(document: Mapping[str, Any]) -> bool:
    """Whether a call's document is a refusal."""
    return document.get("outcome") == "refused"
