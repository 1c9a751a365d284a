"""Whom a phone's user means and how he pairs with it: services to look for, a device in view, a method in common.

What is not there, closed, or beyond the platform ends in a refusal that says what was found instead.
"""

from collections.abc import Callable, Mapping

from devices.controllers.wifi_aware import WifiAware
from devices.controllers.wifi_aware_pairing import KINDS, PREFERRED
from devices.controllers.wifi_aware_results import Refusal, RefusedError
from devices.controllers.wifi_aware_view import Seen, Wanted, method_word, method_words, published_nearby
from devices.errors import UsageError
from devices.spec import closest
from pairing.engine import SECOND, Micros
from pairing.nan.attributes import BootstrappingMethods
from pairing.nan.bootstrapping_rules import complement
from pairing.nan.platform_failures import Activity, Situation
from pairing.nan.platform_rules import bootstrapping_rules, judge_bootstrapping_method

ANY_SERVICE = "*"
"""As a service: whatever the home's accessories publish, the app declares, or a paired device was met by."""
_METHOD_WORDS: Mapping[str, BootstrappingMethods] = {
    **{word: method for method, word in KINDS.items()},
    **{method_word(each): each for each in BootstrappingMethods if each},
}
"""`pin` means typing one, as does `pin-keypad`."""


def services_for(aware: WifiAware, target: str, service: str) -> list[str]:
    """The services to look for, by what is asked for or known of the target. Raises RefusedError, UsageError."""
    if service and service != ANY_SERVICE:
        services = [service]
    else:
        device_id = aware.ring.find(target)
        known = "" if device_id is None else aware.ring.service(device_id)
        services = [known] if known else published_nearby(aware.site, target) if target else []
        services = services or _all_services(aware)
    if not services:
        raise UsageError('which service? nothing in this home publishes one; say service = "_name._udp"')
    for each in services:
        aware.require_service(each, "subscribe")
    return services


def _all_services(aware: WifiAware) -> list[str]:
    declared = [name for name, sides in (aware.app.services or {}).items() if "subscribe" in sides]
    paired = [aware.ring.service(each.peer_id) for each in aware.ring.paired]
    every = dict.fromkeys([*declared, *published_nearby(aware.site), *filter(None, paired)])
    if aware.app.services is not None:
        return [each for each in every if each in aware.app.services]
    return list(every)


async def open_for_pairing(aware: WifiAware, wanted: Wanted, service: str, within_us: Micros) -> Seen:
    """The device that is meant, open for pairing. Raises RefusedError."""
    services = services_for(aware, wanted.target or wanted.name, service)
    seen = await aware.find(services, wanted, within_us, lambda each: each.is_pairing_open and bool(each.found.methods))
    if seen is not None:
        return seen
    closed = next((each for each in aware.seen() if wanted.fits(each) and each.found.name in services), None)
    if closed is not None:
        raise RefusedError(
            Refusal(
                rule="pairing-open",
                expected=f"{wanted} to be open for pairing",
                came="it is in view, but lets nobody new pair",
                activity=Activity.PAIRING,
                situation=Situation.REJECTED,
                symptom="the picker does not list it",
                hint="open pairing at the device; an accessory of this home has the verb open-pairing for it",
            )
        )
    raise RefusedError(_not_in_view(aware, wanted, services, within_us, Activity.PAIRING))


async def device_in_view(
    aware: WifiAware,
    target: str,
    service: str,
    within_us: Micros,
    activity: Activity,
    fits: Callable[[Seen], bool] = lambda seen: True,
) -> Seen:
    """The device that is meant; without a target, the first that fits. Raises RefusedError."""
    services = services_for(aware, target, service)
    device_id = aware.ring.find(target)
    wanted = Wanted(target) if device_id is None else Wanted(device_id=device_id)
    seen = await aware.find(services, wanted, within_us, fits)
    if seen is None:
        seen = next((each for each in aware.seen() if each.found.name in services and wanted.fits(each)), None)
    if seen is None:
        raise RefusedError(_not_in_view(aware, wanted, services, within_us, activity))
    return seen


def require_paired(aware: WifiAware, seen: Seen, activity: Activity) -> None:
    """Whether a device is paired with this app. Raises RefusedError."""
    if seen.is_paired:
        return
    name = seen.actor_id or str(Wanted(name=(seen.info.pairing_name or "") if seen.info else ""))
    is_none = not aware.ring.paired
    raise RefusedError(
        Refusal(
            rule="paired-required",
            expected=f"{name} among the paired devices of {aware.app.app}",
            came="no paired devices" if is_none else f"{len(aware.ring.paired)} paired, it is none of them",
            activity=activity,
            situation=Situation.NO_PAIRED_DEVICES if is_none else Situation.PEER_INVALID,
            hint="pair first",
        )
    )


def method_called(word: str) -> BootstrappingMethods:
    """A method by its word. Raises UsageError."""
    if word not in _METHOD_WORDS:
        raise UsageError(f"method: there is no {word!r}{closest(word, _METHOD_WORDS)}")
    return _METHOD_WORDS[word]


def method_for(aware: WifiAware, seen: Seen, word: str | None) -> BootstrappingMethods:
    """The method of that name, else the first that both sides have. Raises RefusedError, UsageError."""
    platform = aware.app.platform
    able = bootstrapping_rules(platform).as_subscriber
    if word is not None:
        chosen = method_called(word)
        verdict = judge_bootstrapping_method(platform, chosen, is_publisher=False)
        if not verdict.is_accepted:
            raise RefusedError(Refusal.of_rule(verdict, Activity.BOOTSTRAPPING, Situation.NOT_AGREED))
        return chosen
    common = complement(seen.found.methods) & able
    for each in PREFERRED:
        if each & common:
            return each
    raise RefusedError(
        Refusal(
            rule="bootstrapping-method",
            expected=f"a device that offers one of {', '.join(method_words(complement(able))) or 'no method'}",
            came=", ".join(method_words(seen.found.methods)) or "no method",
            activity=Activity.BOOTSTRAPPING,
            situation=Situation.NOT_AGREED,
        )
    )


def _not_in_view(
    aware: WifiAware, wanted: Wanted, services: list[str], within_us: Micros, activity: Activity
) -> Refusal:
    others = [each.actor_id or address_of(each) for each in aware.seen() if each.found.name in services]
    return Refusal(
        rule="in-view",
        expected=f"{wanted} publishing {' or '.join(services)}",
        came=f"nobody within {within_us / SECOND:g} s" if not others else f"only {', '.join(others)}",
        activity=activity,
        situation=Situation.PEER_LOST,
        hint="is it switched on, and is that its service?",
    )


def address_of(seen: Seen) -> str:
    """Its address as text."""
    return seen.peer.hex(":")
