"""Android's PublishConfig and SubscribeConfig as sessions of a NAN device; what their builders refuse, they throw.

Source: AOSP Wifi: PublishConfig, SubscribeConfig, AwarePairingConfig and their validation (March 2024).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from devices.controllers.wifi_aware import WifiAware
from devices.controllers.wifi_aware_results import Refusal, RefusedError
from devices.errors import UsageError
from devices.spec import closest
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
_PAIRING = frozenset(
    {"pairing_setup_enabled", "pairing_cache_enabled", "pairing_verification_enabled", "bootstrapping_methods"}
)
_CONFIG = frozenset({"service_name", "service_specific_info", "match_filter", "ttl_sec", "pairing_config"})
SessionT = TypeVar("SessionT", Publish, Subscribe)


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


def octets(what: str, text: object) -> bytes:
    """Bytes in hex. Raises UsageError."""
    try:
        return bytes.fromhex(str(text))
    except ValueError:
        raise UsageError(f"{what}: hex digits are expected, not {str(text)[:20]!r}") from None


def read_publish(aware: WifiAware, config: Mapping[str, Any], session: int | None = None) -> tuple[Publish, bool]:
    """The session of a PublishConfig, and whether pairing is open for it. Raises RefusedError, UsageError."""
    common, is_open = _read(aware, config, "publish", session)
    kind = config.get("publish_type", UNSOLICITED)
    if kind not in (UNSOLICITED, SOLICITED):
        raise throws("publish-type", "0 unsolicited or 1 solicited", str(kind), ARGUMENT)
    common |= {"is_solicited": kind == SOLICITED, "is_unsolicited": kind == UNSOLICITED}
    return _made(lambda: aware.publish_session(str(config["service_name"]), **common)), is_open


def read_subscribe(aware: WifiAware, config: Mapping[str, Any], session: int | None = None) -> tuple[Subscribe, bool]:
    """The session of a SubscribeConfig, and whether pairing is open for it. Raises RefusedError, UsageError."""
    common, is_open = _read(aware, config, "subscribe", session)
    kind = config.get("subscribe_type", PASSIVE)
    if kind not in (PASSIVE, ACTIVE):
        raise throws("subscribe-type", "0 passive or 1 active", str(kind), ARGUMENT)
    common["is_active"] = kind == ACTIVE
    return _made(lambda: aware.subscribe_session(str(config["service_name"]), **common)), is_open


def _made(make: Callable[[], SessionT]) -> SessionT:
    try:
        return make()
    except EncodeError as problem:
        raise throws("config", "values that have a form on the air", str(problem), ARGUMENT) from None


def _read(aware: WifiAware, config: Mapping[str, Any], side: str, session: int | None) -> tuple[dict[str, Any], bool]:
    _require_known("config", config, _CONFIG | {f"{side}_type"})
    aware.require_service(str(config.get("service_name") or ""), side)
    ttl = config.get("ttl_sec", 0)
    if not isinstance(ttl, int) or ttl < 0:
        raise throws("ttl", "0 or more seconds", str(ttl), ARGUMENT)
    pairing = config.get("pairing_config") or {}
    _require_known("pairing_config", pairing, _PAIRING)
    api_level = aware.app.platform.api_level
    if pairing and api_level < PAIRING_SINCE_API:
        raise throws("api-level", f"API {PAIRING_SINCE_API}", f"API {api_level}", UNSUPPORTED)
    filters = config.get("match_filter") or []
    changes: dict[str, Any] = {
        "service_info": octets("service_specific_info", config.get("service_specific_info", "")),
        "matching_filter": _encoded([octets("match_filter", each) for each in filters]) if filters else None,
        "ttl": ttl * SECOND or None,
        "device_capability_extension": _capability(pairing),
        "methods": _methods(aware, pairing, side),
        "setup_info": aware.app.setup_info if pairing else None,
    }
    if session is not None:
        changes["instance_id"] = session
    return changes, bool(pairing.get("pairing_setup_enabled"))


def _encoded(values: list[bytes]) -> bytes:
    try:
        return encode_filter(values)
    except EncodeError as problem:
        raise throws("match-filter", "a filter that fits", str(problem), ARGUMENT) from None


def _require_known(what: str, given: Mapping[str, Any], known: frozenset[str] | set[str]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise UsageError(f"{what} has no member {unknown[0]!r}{closest(unknown[0], known)}")


def _capability(pairing: Mapping[str, Any]) -> DeviceCapabilityExtension | None:
    if not pairing:
        return None
    capabilities = PairingCapabilities.PAIRING_SETUP
    if pairing.get("pairing_cache_enabled"):
        capabilities |= PairingCapabilities.NPK_NIK_CACHING
    return replace(DeviceCapabilityExtension(), pairing=capabilities)


def _methods(aware: WifiAware, pairing: Mapping[str, Any], side: str) -> BootstrappingMethods:
    rules = bootstrapping_rules(aware.app.platform)
    able = rules.as_publisher if side == "publish" else rules.as_subscriber
    try:
        mask = int(pairing.get("bootstrapping_methods", 0))
    except (TypeError, ValueError):
        raise UsageError("bootstrapping_methods: a mask is a number") from None
    if mask & ~int(able) or mask < 0:
        raise throws("bootstrapping-method", f"a mask of {int(able):#06x}", f"{mask:#06x}", ARGUMENT)
    return BootstrappingMethods(mask)
