"""What each platform accepts of Wi-Fi Aware: service names, bootstrapping methods, data paths. Pure data and functions.

Every rule names its source and how far to trust it. How a platform words a failure is in `platform_failures`; how it
answers bootstrapping on the air, in `bootstrapping_rules`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from pairing.errors import LocalProtocolError
from pairing.nan.attributes import BootstrappingMethods
from pairing.nan.bootstrapping_rules import ANDROID_FRAMEWORK, IOS_26_PUBLISHER, REFERENCE_PEER, BootstrappingProfile
from pairing.nan.service_id import service_id, service_id_as_spelled


class Evidence(Enum):
    """How we know."""

    DOCUMENTED = "D"
    SOURCE = "S"
    REPORTED = "R"
    COMPUTED = "C"
    INFERRED = "I"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformVerdict:
    """What a platform says to something, by which rule, and where that rule comes from."""

    is_accepted: bool
    rule: str
    expected: str = ""
    came: str = ""
    symptom: str = ""
    """What the developer sees of a refusal."""
    source: str
    evidence: Evidence
    hint: str = ""


class Family(Enum):
    """Platforms that judge alike."""

    IOS = "ios"
    ANDROID = "android"
    HOSTAP = "hostap"
    RAW = "raw"


class UnknownPlatformError(LocalProtocolError):
    """No such platform is known."""


@dataclass(frozen=True, slots=True)
class NanPlatform:
    """A platform of a version: `ios-26`, `android-17`, `hostap`, `raw`."""

    family: Family
    version: int = 0

    @classmethod
    def named(cls, name: str) -> "NanPlatform":
        """The platform that a profile names; `apple` and `google` are the newest."""
        family, _, version = {"apple": "ios-27", "google": "android-17"}.get(name, name).partition("-")
        try:
            return cls(Family(family), int(version or "0"))
        except ValueError:
            raise UnknownPlatformError(f"no Wi-Fi Aware rules for {name!r}") from None

    @property
    def api_level(self) -> int:
        """Android's API level for the version: 14 is 34, 11 is 30 (there was a 12L)."""
        return self.version + 20 if self.version >= 13 else self.version + 19


# Service names.

_APPLE_NAMES = "Apple documentation: Adopting Wi-Fi Aware, WAService"
_RFC_NAMES = "RFC 6335, section 5.1"
_ANDROID_NAMES = "AOSP Wifi: WifiAwareUtils, name validation"
_ANDROID_UNDERSCORE = "AOSP commit adc175025: underscore allowed since the Android 12 line"
_LABEL_MAX = 15
_ANDROID_NAME_MAX = 255
UNDERSCORE_SINCE_ANDROID = 12
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_DIGITS = frozenset("0123456789")

_NameRule = tuple[str, str, Callable[[str], bool], str]
"""Rule name, what it wants, whether a label breaks it, source."""
_LABEL_RULES: tuple[_NameRule, ...] = (
    ("label-length", f"1 to {_LABEL_MAX} characters", lambda label: not 0 < len(label) <= _LABEL_MAX, _APPLE_NAMES),
    (
        "label-characters",
        "A-Z a-z 0-9 and hyphen",
        lambda label: bool(set(label) - _LETTERS - _DIGITS - {"-"}),
        _APPLE_NAMES,
    ),
    ("label-letter", "at least one letter", lambda label: not set(label) & _LETTERS, _APPLE_NAMES),
    ("label-edges", "no hyphen first or last", lambda label: label[:1] == "-" or label[-1:] == "-", _APPLE_NAMES),
    ("label-hyphens", "no two hyphens in a row", lambda label: "--" in label, _RFC_NAMES),
)


def judge_service_name(platform: NanPlatform, name: str) -> PlatformVerdict:
    """Whether an app on that platform can publish or subscribe under this name."""
    match platform.family:
        case Family.IOS:
            return _judge_apple_name(name)
        case Family.ANDROID:
            return _judge_android_name(name, platform)
    source = "open source: any text makes a service ID"
    return PlatformVerdict(is_accepted=bool(name), rule="name-not-empty", source=source, evidence=Evidence.SOURCE)


def _judge_apple_name(name: str) -> PlatformVerdict:
    label, dot, protocol = name.partition(".")
    if not label.startswith("_") or not dot or protocol not in ("_tcp", "_udp"):
        return _apple_refusal("name-form", "_label._tcp or _label._udp", name, _APPLE_NAMES)
    for rule, expected, is_broken, source in _LABEL_RULES:
        if is_broken(label[1:]):
            return _apple_refusal(rule, expected, label[1:], source)
    return PlatformVerdict(is_accepted=True, rule="name-form", source=_APPLE_NAMES, evidence=Evidence.DOCUMENTED)


def _apple_refusal(rule: str, expected: str, came: str, source: str) -> PlatformVerdict:
    return PlatformVerdict(
        is_accepted=False,
        rule=rule,
        expected=expected,
        came=repr(came),
        symptom="the framework crashes the app",
        source=source,
        evidence=Evidence.DOCUMENTED,
    )


def _judge_android_name(name: str, platform: NanPlatform) -> PlatformVerdict:
    length = len(name.encode())
    if not 0 < length <= _ANDROID_NAME_MAX:
        return _android_refusal("name-length", f"1 to {_ANDROID_NAME_MAX} octets of UTF-8", f"{length}", _ANDROID_NAMES)
    allowed = _LETTERS | _DIGITS | {"-", ".", "_"}
    foreign = sorted({each for each in name if each.isascii()} - allowed)
    if foreign:
        return _android_refusal("name-characters", "letters, digits, - . _", repr("".join(foreign)), _ANDROID_NAMES)
    if "_" in name and platform.version < UNDERSCORE_SINCE_ANDROID:
        came = f"'_' on Android {platform.version}"
        return _android_refusal("name-underscore", "no underscore before Android 12", came, _ANDROID_UNDERSCORE)
    return PlatformVerdict(is_accepted=True, rule="name-form", source=_ANDROID_NAMES, evidence=Evidence.SOURCE)


def _android_refusal(rule: str, expected: str, came: str, source: str) -> PlatformVerdict:
    return PlatformVerdict(
        is_accepted=False,
        rule=rule,
        expected=expected,
        came=came,
        symptom="IllegalArgumentException",
        source=source,
        evidence=Evidence.SOURCE,
    )


@dataclass(frozen=True, slots=True)
class NameLint:
    """All about one name: what goes on the air, and what each platform says."""

    name: str
    service_id: bytes
    service_id_as_spelled: bytes
    """What a peer that forgets to lower-case puts on the air; the same if the name has no capital letters."""
    verdicts: tuple[tuple[str, PlatformVerdict], ...]
    notes: tuple[str, ...]


LINTED_PLATFORMS = ("ios-26", "ios-27", "android-11", "android-16", "android-17")


def lint_service_name(name: str, platforms: Iterable[str] = LINTED_PLATFORMS) -> NameLint:
    """The service ID of a name, and who would refuse it."""
    verdicts = tuple((each, judge_service_name(NanPlatform.named(each), name)) for each in platforms)
    notes = []
    if service_id(name) != service_id_as_spelled(name):
        notes.append("the name is hashed in small letters; a peer that hashes it as spelled is never found")
    if name.endswith("._tcp"):
        notes.append("one app reports a trap with names in ._tcp; the documentation allows them (R)")
    return NameLint(name, service_id(name), service_id_as_spelled(name), verdicts, tuple(notes))


# Bootstrapping.

_M = BootstrappingMethods
_ALL_METHODS = _M(sum(_M))
_ANDROID_METHODS = _ALL_METHODS & ~(_M.SERVICE_MANAGED | _M.HANDSHAKE_SKIPPED)
PAIRING_SINCE_API = 34
"""Below, Android's pairing calls throw UnsupportedOperationException."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrappingRules:
    """Which methods a platform's system or API offers in either role, and how it behaves on the air."""

    as_publisher: BootstrappingMethods
    as_subscriber: BootstrappingMethods
    profile: BootstrappingProfile
    source: str
    evidence: Evidence


def bootstrapping_rules(platform: NanPlatform) -> BootstrappingRules:
    """The methods and behaviour of a platform."""
    match platform.family:
        case Family.IOS:
            return BootstrappingRules(
                as_publisher=_M.PIN_DISPLAY,
                as_subscriber=_M.PIN_KEYPAD,
                profile=IOS_26_PUBLISHER,
                source="espressif/esp-idf#16743 (publisher); localsend/localsend#3304, #3306 (both roles)",
                evidence=Evidence.REPORTED,
            )
        case Family.ANDROID:
            offered = _ANDROID_METHODS if platform.api_level >= PAIRING_SINCE_API else _M.NONE
            return BootstrappingRules(
                as_publisher=offered,
                as_subscriber=offered,
                profile=ANDROID_FRAMEWORK,
                source="AOSP Wifi: AwarePairingConfig, WifiAwareStateManager (March 2024)",
                evidence=Evidence.SOURCE,
            )
    return BootstrappingRules(
        as_publisher=_ALL_METHODS,
        as_subscriber=_ALL_METHODS,
        profile=REFERENCE_PEER if platform.family is Family.HOSTAP else BootstrappingProfile(),
        source="hostap of June 2026: nan_bootstrap",
        evidence=Evidence.SOURCE,
    )


def judge_bootstrapping_method(
    platform: NanPlatform, method: BootstrappingMethods, *, is_publisher: bool
) -> PlatformVerdict:
    """Whether a platform offers a method, from its own point of view, in that role."""
    rules = bootstrapping_rules(platform)
    offered = rules.as_publisher if is_publisher else rules.as_subscriber
    return PlatformVerdict(
        is_accepted=bool(method & offered),
        rule="bootstrapping-method",
        expected=f"one of {offered.value:#06x}",
        came=f"{method.value:#06x}",
        symptom="" if method & offered else "there is no such choice",
        source=rules.source,
        evidence=rules.evidence,
    )


# Data paths.


class DataPathSecurity(Enum):
    """How a data path gets its keys."""

    OPEN = "open"
    PASSPHRASE = "passphrase"  # noqa: S105 - the name of a kind
    PMK = "pmk"
    PAIRED = "paired"


def judge_data_path(platform: NanPlatform, security: DataPathSecurity) -> PlatformVerdict:
    """Whether a platform opens a data path with that security."""
    came = security.value
    if platform.family is Family.IOS:
        return PlatformVerdict(
            is_accepted=security is DataPathSecurity.PAIRED,
            rule="data-path-security",
            expected="a paired device",
            came=came,
            symptom="" if security is DataPathSecurity.PAIRED else "the connection fails",
            source="areebahmeddd/airhop#51",
            evidence=Evidence.REPORTED,
            hint=""
            if security is DataPathSecurity.PAIRED
            else "pair first; an iPhone knows no open or passphrase path",
        )
    is_too_old = security is DataPathSecurity.PAIRED and platform.api_level < PAIRING_SINCE_API
    is_refused = platform.family is Family.ANDROID and is_too_old
    return PlatformVerdict(
        is_accepted=not is_refused,
        rule="data-path-security",
        expected=f"API {PAIRING_SINCE_API} for a paired path",
        came=came,
        symptom="UnsupportedOperationException" if is_refused else "",
        source="AOSP Wifi: WifiAwareNetworkSpecifier" if platform.family is Family.ANDROID else "hostap of June 2026",
        evidence=Evidence.SOURCE,
    )


ANDROID_MEETS_IPHONE_SINCE = "API 37.2 (Android 17 QPR2)"


def judge_meeting(one: NanPlatform, other: NanPlatform) -> PlatformVerdict:
    """Whether apps on two platforms can be paired by what is known today."""
    families = {one.family, other.family}
    is_mixed = families == {Family.IOS, Family.ANDROID}
    android = one if one.family is Family.ANDROID else other
    return PlatformVerdict(
        is_accepted=not is_mixed or android.version >= 17,
        rule="platforms-meet",
        expected=ANDROID_MEETS_IPHONE_SINCE if is_mixed else "",
        came=f"Android {android.version}" if is_mixed else "",
        source="localsend/localsend#3304 and a second app's gate; not checked against documentation",
        evidence=Evidence.SOURCE,
        hint="the framework-offloaded pairing calls are needed; with API 34 alone it is not possible"
        if is_mixed
        else "",
    )
