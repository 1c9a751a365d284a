"""Android's PublishConfig and SubscribeConfig as sessions of a NAN device; what their builders refuse, they throw.

Source: AOSP Wifi: PublishConfig, SubscribeConfig, AwarePairingConfig and their validation (March 2024).
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from devices.controllers.wifi_aware import WifiAware
from devices.controllers.wifi_aware_results import Refusal, RefusedError
from pairing.engine import SECOND
from pairing.errors import EncodeError
from pairing.nan.attributes import BootstrappingMethods, DeviceCapabilityExtension, PairingCapabilities
from pairing.nan.matching_filter import encode_filter
from pairing.nan.platform_failures import Activity, Situation
from pairing.nan.platform_rules import PAIRING_SINCE_API, bootstrapping_rules
from pairing.nan.sessions import Publish, Subscribe

UNSOLICITED, SOLICITED = 0, 1
PASSIVE, ACTIVE = 0, 1
ARGUMENT, UNSUPPORTED = "IllegalArgumentException", "UnsupportedOperationException"
SessionT = TypeVar("SessionT", Publish, Subscribe)


def _octets(value: object) -> bytes:
    if not isinstance(value, str):
        raise ValueError("octets are hex digits")
    return bytes.fromhex(value)


Octets = Annotated[bytes, BeforeValidator(_octets)]
"""Bytes as hex digits."""


class Config(BaseModel):
    """What a builder was told; members that nobody knows are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class PairingConfig(Config):
    """AwarePairingConfig."""

    pairing_setup_enabled: bool = False
    pairing_cache_enabled: bool = False
    pairing_verification_enabled: bool = False
    bootstrapping_methods: int = Field(0, ge=0, le=0xFFFF)


class SessionConfig(Config):
    """What PublishConfig and SubscribeConfig have in common."""

    service_name: str
    service_specific_info: Octets = b""
    match_filter: list[Octets] = []
    ttl_sec: int = Field(0, le=1_000_000)
    pairing_config: PairingConfig | None = None


class PublishConfig(SessionConfig):
    """PublishConfig."""

    publish_type: int = UNSOLICITED


class SubscribeConfig(SessionConfig):
    """SubscribeConfig."""

    subscribe_type: int = PASSIVE


def throws(rule: str, expected: str, came: str, exception: str, activity: Activity = Activity.PUBLISH) -> RefusedError:
    """A call that throws at once."""
    return RefusedError(
        Refusal(
            rule=rule,
            expected=expected,
            came=came,
            activity=activity,
            situation=Situation.NOT_DECLARED,
            symptom=exception,
            exception=exception,
        )
    )


def read_publish(aware: WifiAware, config: PublishConfig, session: int | None = None) -> tuple[Publish, bool]:
    """The session of a config, and whether pairing is open for it. Raises RefusedError."""
    common, is_open = _read(aware, config, "publish", session)
    kind = config.publish_type
    if kind not in (UNSOLICITED, SOLICITED):
        raise throws("publish-type", "0 unsolicited or 1 solicited", str(kind), ARGUMENT)
    common |= {"is_solicited": kind == SOLICITED, "is_unsolicited": kind == UNSOLICITED}
    return _made(lambda: aware.publish_session(config.service_name, **common)), is_open


def read_subscribe(aware: WifiAware, config: SubscribeConfig, session: int | None = None) -> tuple[Subscribe, bool]:
    """The session of a config, and whether pairing is open for it. Raises RefusedError."""
    common, is_open = _read(aware, config, "subscribe", session)
    kind = config.subscribe_type
    if kind not in (PASSIVE, ACTIVE):
        raise throws("subscribe-type", "0 passive or 1 active", str(kind), ARGUMENT)
    common["is_active"] = kind == ACTIVE
    return _made(lambda: aware.subscribe_session(config.service_name, **common)), is_open


def _made(make: Callable[[], SessionT]) -> SessionT:
    try:
        return make()
    except EncodeError as problem:
        raise throws("config", "values that have a form on the air", str(problem), ARGUMENT) from None


def _read(aware: WifiAware, config: SessionConfig, side: str, session: int | None) -> tuple[dict[str, Any], bool]:
    aware.require_service(config.service_name, side)
    if config.ttl_sec < 0:
        raise throws("ttl", "0 or more seconds", str(config.ttl_sec), ARGUMENT)
    pairing, api_level = config.pairing_config, aware.app.platform.api_level
    if pairing is not None and api_level < PAIRING_SINCE_API:
        raise throws("api-level", f"API {PAIRING_SINCE_API}", f"API {api_level}", UNSUPPORTED)
    changes: dict[str, Any] = {
        "service_info": config.service_specific_info,
        "matching_filter": _encoded(config.match_filter) if config.match_filter else None,
        "ttl": config.ttl_sec * SECOND or None,
        "device_capability_extension": _capability(pairing),
        "methods": _methods(aware, pairing, side),
        "setup_info": None if pairing is None else aware.app.setup_info,
    }
    if session is not None:
        changes["instance_id"] = session
    return changes, pairing is not None and pairing.pairing_setup_enabled


def _encoded(values: list[bytes]) -> bytes:
    try:
        return encode_filter(values)
    except EncodeError as problem:
        raise throws("match-filter", "a filter that fits", str(problem), ARGUMENT) from None


def _capability(pairing: PairingConfig | None) -> DeviceCapabilityExtension | None:
    if pairing is None:
        return None
    caching = PairingCapabilities.NPK_NIK_CACHING if pairing.pairing_cache_enabled else PairingCapabilities(0)
    return DeviceCapabilityExtension(pairing=PairingCapabilities.PAIRING_SETUP | caching)


def _methods(aware: WifiAware, pairing: PairingConfig | None, side: str) -> BootstrappingMethods:
    rules = bootstrapping_rules(aware.app.platform)
    able = rules.as_publisher if side == "publish" else rules.as_subscriber
    mask = 0 if pairing is None else pairing.bootstrapping_methods
    if mask & ~int(able):
        raise throws("bootstrapping-method", f"a mask of {int(able):#06x}", f"{mask:#06x}", ARGUMENT)
    return BootstrappingMethods(mask)
