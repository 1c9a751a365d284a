"""How each platform words a failure: Apple's WAError, Android's callbacks and firmware codes.

The names are documented or read in source; which of our failures is which of theirs is inferred, and says so.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum

from pairing.nan.platform_rules import Evidence, Family, NanPlatform


class WAError(Enum):
    """The cases of Apple's WAError; they surface as NWError.wifiAware."""

    ERROR = "error"
    WIFI_AWARE_UNSUPPORTED = "wifiAwareUnsupported"
    ENTITLEMENT_MISSING = "entitlementMissing"
    NO_RADIO_RESOURCES = "noRadioResources"
    SERVICE_NOT_DECLARED = "serviceNotDeclared"
    SERVICE_ALREADY_SUBSCRIBING = "serviceAlreadySubscribing"
    SERVICE_ALREADY_PUBLISHING = "serviceAlreadyPublishing"
    NO_PAIRED_DEVICES = "noPairedDevices"
    DEVICE_INVALID = "deviceInvalid"
    DEVICE_NO_LONGER_AVAILABLE = "deviceNoLongerAvailable"
    PUBLISHER_TIMEOUT = "publisherTimeout"
    SUBSCRIBER_TIMEOUT = "subscriberTimeout"
    CONNECTION_FAILED = "connectionFailed"
    CONNECTION_IDLE_TIMEOUT = "connectionIdleTimeout"
    CONNECTION_TERMINATED = "connectionTerminated"


class NanStatus(IntEnum):
    """Failure codes of Android's firmware interface."""

    SUCCESS = 0
    INTERNAL_FAILURE = 1
    PROTOCOL_FAILURE = 2
    INVALID_SESSION_ID = 3
    NO_RESOURCES_AVAILABLE = 4
    INVALID_ARGS = 5
    INVALID_PEER_ID = 6
    INVALID_NDP_ID = 7
    NAN_NOT_ALLOWED = 8
    NO_OTA_ACK = 9
    ALREADY_ENABLED = 10
    FOLLOWUP_TX_QUEUE_FULL = 11
    UNSUPPORTED_CONCURRENCY_NAN_DISABLED = 12
    INVALID_PAIRING_ID = 13
    INVALID_BOOTSTRAPPING_ID = 14
    REDUNDANT_REQUEST = 15
    NOT_SUPPORTED = 16
    NO_CONNECTION = 17


class Activity(Enum):
    """What failed."""

    PUBLISH = "publish"
    SUBSCRIBE = "subscribe"
    MESSAGE = "message"
    BOOTSTRAPPING = "bootstrapping"
    PAIRING = "pairing"
    VERIFICATION = "verification"
    DATA_PATH = "data-path"


class Situation(Enum):
    """Why it failed: an error of ours, or a state of the device that a profile plays."""

    UNSUPPORTED = "unsupported"
    ENTITLEMENT_MISSING = "entitlement-missing"
    NO_RESOURCES = "no-resources"
    NOT_DECLARED = "not-declared"
    ALREADY_RUNNING = "already-running"
    NO_PAIRED_DEVICES = "no-paired-devices"
    PEER_INVALID = "peer-invalid"
    PEER_LOST = "peer-lost"
    SESSION_TIMEOUT = "session-timeout"
    REJECTED = "rejected"
    NOT_AGREED = "not-agreed"
    NOT_AUTHENTIC = "not-authentic"
    TIMED_OUT = "timed-out"
    IDLE = "idle"
    TERMINATED = "terminated"
    INTERNAL = "internal"


SITUATION_OF_ERROR = {
    "PeerRejectedError": Situation.REJECTED,
    "NegotiationError": Situation.NOT_AGREED,
    "AuthenticationError": Situation.NOT_AUTHENTIC,
    "ExchangeTimeoutError": Situation.TIMED_OUT,
    "KeyStoreError": Situation.PEER_INVALID,
    "RemoteProtocolError": Situation.NOT_AGREED,
    "LocalProtocolError": Situation.INTERNAL,
    "DecodeError": Situation.NOT_AGREED,
    "EncodeError": Situation.INTERNAL,
}
"""The classes of `pairing.errors`, as events name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformFailure:
    """What an app on a platform is told; `case` is None where the system keeps it to itself."""

    case: str | None
    code: int | None = None
    callback: str = ""
    evidence: Evidence
    source: str


_WAERROR_SOURCE = "Apple documentation: WAError; which situation is which case is inferred"
_PAIRING_IS_THE_SYSTEMS = "pairing runs in the system's views; no app-visible error is documented"
_ANDROID_SOURCE = "AOSP Wifi: NanStatusCode, WifiAwareManager callbacks (March 2024)"
_APPLE_CASES = {
    Situation.UNSUPPORTED: WAError.WIFI_AWARE_UNSUPPORTED,
    Situation.ENTITLEMENT_MISSING: WAError.ENTITLEMENT_MISSING,
    Situation.NO_RESOURCES: WAError.NO_RADIO_RESOURCES,
    Situation.NOT_DECLARED: WAError.SERVICE_NOT_DECLARED,
    Situation.NO_PAIRED_DEVICES: WAError.NO_PAIRED_DEVICES,
    Situation.PEER_INVALID: WAError.DEVICE_INVALID,
    Situation.PEER_LOST: WAError.DEVICE_NO_LONGER_AVAILABLE,
    Situation.REJECTED: WAError.CONNECTION_FAILED,
    Situation.NOT_AGREED: WAError.CONNECTION_FAILED,
    Situation.NOT_AUTHENTIC: WAError.CONNECTION_FAILED,
    Situation.TIMED_OUT: WAError.CONNECTION_FAILED,
    Situation.IDLE: WAError.CONNECTION_IDLE_TIMEOUT,
    Situation.TERMINATED: WAError.CONNECTION_TERMINATED,
    Situation.INTERNAL: WAError.ERROR,
}
_APPLE_BY_SIDE = {
    (Situation.ALREADY_RUNNING, True): WAError.SERVICE_ALREADY_PUBLISHING,
    (Situation.ALREADY_RUNNING, False): WAError.SERVICE_ALREADY_SUBSCRIBING,
    (Situation.SESSION_TIMEOUT, True): WAError.PUBLISHER_TIMEOUT,
    (Situation.SESSION_TIMEOUT, False): WAError.SUBSCRIBER_TIMEOUT,
}
_ANDROID_CODES = {
    Situation.UNSUPPORTED: NanStatus.NOT_SUPPORTED,
    Situation.ENTITLEMENT_MISSING: NanStatus.NAN_NOT_ALLOWED,
    Situation.NO_RESOURCES: NanStatus.NO_RESOURCES_AVAILABLE,
    Situation.NOT_DECLARED: NanStatus.INVALID_ARGS,
    Situation.ALREADY_RUNNING: NanStatus.REDUNDANT_REQUEST,
    Situation.NO_PAIRED_DEVICES: NanStatus.INVALID_PAIRING_ID,
    Situation.PEER_INVALID: NanStatus.INVALID_PEER_ID,
    Situation.PEER_LOST: NanStatus.NO_CONNECTION,
    Situation.SESSION_TIMEOUT: NanStatus.SUCCESS,
    Situation.REJECTED: NanStatus.PROTOCOL_FAILURE,
    Situation.NOT_AGREED: NanStatus.PROTOCOL_FAILURE,
    Situation.NOT_AUTHENTIC: NanStatus.PROTOCOL_FAILURE,
    Situation.TIMED_OUT: NanStatus.NO_OTA_ACK,
    Situation.IDLE: NanStatus.SUCCESS,
    Situation.TERMINATED: NanStatus.SUCCESS,
    Situation.INTERNAL: NanStatus.INTERNAL_FAILURE,
}
_ANDROID_CALLBACKS = {
    Activity.PUBLISH: "onSessionConfigFailed",
    Activity.SUBSCRIBE: "onSessionConfigFailed",
    Activity.MESSAGE: "onMessageSendFailed",
    Activity.BOOTSTRAPPING: "onBootstrappingFailed",
    Activity.PAIRING: "onPairingSetupFailed",
    Activity.VERIFICATION: "onPairingVerificationFailed",
    Activity.DATA_PATH: "onUnavailable",
}
_SYSTEM_PAIRING = frozenset({Activity.BOOTSTRAPPING, Activity.PAIRING, Activity.VERIFICATION})


def platform_failure(
    platform: NanPlatform, activity: Activity, situation: Situation, *, is_publisher: bool = False
) -> PlatformFailure:
    """What an app on that platform is told when this fails for that reason."""
    match platform.family:
        case Family.IOS if activity in _SYSTEM_PAIRING:
            return PlatformFailure(case=None, evidence=Evidence.INFERRED, source=_PAIRING_IS_THE_SYSTEMS)
        case Family.IOS:
            case = _APPLE_BY_SIDE.get((situation, is_publisher)) or _APPLE_CASES[situation]
            return PlatformFailure(case=case.value, evidence=Evidence.INFERRED, source=_WAERROR_SOURCE)
        case Family.ANDROID:
            code = _ANDROID_CODES[situation]
            ends_session = situation in (Situation.SESSION_TIMEOUT, Situation.TERMINATED)
            if ends_session and activity in (Activity.PUBLISH, Activity.SUBSCRIBE):
                callback = "onSessionTerminated"
            elif situation in (Situation.IDLE, Situation.TERMINATED) and activity is Activity.DATA_PATH:
                callback = "onLost"
            else:
                callback = _ANDROID_CALLBACKS[activity]
            return PlatformFailure(
                case=code.name, code=code.value, callback=callback, evidence=Evidence.INFERRED, source=_ANDROID_SOURCE
            )
    return PlatformFailure(case=situation.value, evidence=Evidence.COMPUTED, source="pairlab's own words")


ANDROID_LIMITS_MS = {
    "firmware-command": 5_000,
    "message-send": 10_000,
    "bootstrapping-confirm": 20_000,
    "pairing-confirm": 20_000,
    "data-path-confirm": 20_000,
    "address-validation-retry": 1_000,
    "address-validation": 5_000,
}
"""Time limits of Android's framework (S, AOSP Wifi of March 2024)."""
ANDROID_CIPHER_SUITE_BITS = {1: 1, 2: 2, 3: 4, 4: 8, 7: 16, 8: 32}
"""NAN cipher suite id -> bit in Android's Characteristics; they are not the same numbers (S)."""
