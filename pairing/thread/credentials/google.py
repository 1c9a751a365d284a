"""Google's Thread Network store in Play services: the calls of ThreadNetworkClient.

Entries belong to the app that added them. That adding needs a live record is this emulator's rule, by the guide's
demand that border routers advertise `id`, `xp` and `nn`; one public app adds under a placeholder id and is not refused.
Source: Google's Thread Network SDK guide and reference.
"""

from collections.abc import Callable, Mapping

from pairing.thread.credentials import phone
from pairing.thread.credentials.records import CallResult, ProfileOutcome, Verdict
from pairing.thread.credentials.request import Request
from pairing.thread.credentials.symptoms import Rule

PREFERRED_CREDENTIALS_NOT_FOUND = -1
PREFERRED_CREDENTIALS_NOT_MATCHED = 0
PREFERRED_CREDENTIALS_MATCHED = 1


def _add(request: Request) -> CallResult:
    return phone.store(request, other_owner_refuses=True)


def _all(request: Request) -> CallResult:
    return phone.all_of(request, request.own, Rule.OWN_ENTRIES)


def _all_active(request: Request) -> CallResult:
    waiting = request.ask_user()
    if waiting:
        return waiting
    rows = phone.active(request, request.visible, by_network=True)
    if isinstance(rows, Verdict):
        return request.refuse(rows, prompted=True)
    return phone.all_of(request, rows, Rule.ENTRIES_OF_ANY_APP, prompted=True)


def _preferred_result(same: bool | None) -> int:
    if same is None:
        return PREFERRED_CREDENTIALS_NOT_FOUND
    return PREFERRED_CREDENTIALS_MATCHED if same else PREFERRED_CREDENTIALS_NOT_MATCHED


def _is_preferred(request: Request) -> CallResult:
    return phone.compare_with_preferred(request, _preferred_result)


METHODS: Mapping[str, Callable[[Request], CallResult]] = {
    "addCredentials": _add,
    "removeCredentials": phone.delete,
    "getAllCredentials": _all,
    "getCredentialsByBorderAgent": phone.own_for_agent,
    "getCredentialsByExtendedPanId": phone.for_extended_pan_id,
    "getPreferredCredentials": phone.preferred,
    "isPreferredCredentials": _is_preferred,
    "getAllActiveCredentials": _all_active,
}

ADDING = ("addCredentials",)
OUTCOMES: Mapping[ProfileOutcome, tuple[Rule, tuple[str, ...]]] = {
    ProfileOutcome.NO_MDNS_MATCH: (Rule.NO_MESHCOP_RECORD, ADDING),
    ProfileOutcome.TIMED_OUT: (Rule.TIMED_OUT, ADDING),
    ProfileOutcome.NOT_CONNECTED: (Rule.NETWORK_DOWN, ("addCredentials", "getAllActiveCredentials")),
    ProfileOutcome.STORAGE_FULL: (Rule.STORAGE_FULL, ADDING),
    ProfileOutcome.NOT_SUPPORTED: (Rule.NOT_SUPPORTED, tuple(METHODS)),
}
"""Which calls a profile outcome decides, and by which rule. `consent-denied` decides every call that asks."""
