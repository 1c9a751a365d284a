"""Apple's ThreadNetwork store: the calls of THClient, each with its scope and whether the user is asked.

Entries belong to the app's team. The 27.0 call `enableCredentialSharingMode` acts on a border router and is not
emulated here. Source: Apple's ThreadNetwork documentation and header comments.
"""

from collections.abc import Callable, Mapping

from pairing.thread.credentials import phone
from pairing.thread.credentials.records import CallResult, Platform, ProfileOutcome, Verdict
from pairing.thread.credentials.request import EXTENDED_PAN_ID, Request
from pairing.thread.credentials.rules import shows_network
from pairing.thread.credentials.symptoms import Rule


def _store(request: Request) -> CallResult:
    return phone.store(request, other_owner_refuses=False)


def _retrieve(request: Request) -> CallResult:
    """THClient has two methods of this name: for a border agent, and for an extended PAN ID."""
    by_network = request.has(EXTENDED_PAN_ID)
    return phone.for_extended_pan_id(request) if by_network else phone.own_for_agent(request)


def _all(request: Request) -> CallResult:
    return phone.all_of(request, request.own, Rule.OWN_ENTRIES)


def _all_active(request: Request) -> CallResult:
    rows = phone.active(request, request.own, by_network=False)
    return request.refuse(rows) if isinstance(rows, Verdict) else phone.all_of(request, rows, Rule.OWN_ENTRIES)


def _nearby(request: Request) -> CallResult:
    """New in 27.0. Whether it asks the user is not documented; since it shows any team's entries, it does here."""
    if request.platform is not Platform.IOS_27:
        return request.refuse_by(
            Rule.NOT_ON_THIS_VERSION,
            expected="iOS 27.0 or later",
            came=request.platform.value,
            hint="guard the call with an availability check",
        )
    waiting = request.ask_user()
    if waiting:
        return waiting
    rows = phone.active(request, request.visible, by_network=True)
    if isinstance(rows, Verdict):
        return request.refuse(rows, prompted=True)
    return phone.all_of(request, rows, Rule.ENTRIES_OF_ANY_APP, prompted=True)


def _check_preferred(request: Request) -> CallResult:
    return phone.compare_with_preferred(request, bool)


def _is_preferred_available(request: Request) -> CallResult:
    records = request.records()
    row = phone.preferred_row(request.visible)
    is_there = (
        row is not None
        and not isinstance(records, Verdict)
        and any(shows_network(record, row.extended_pan_id) for record in records)
    )
    return request.done(
        "answered",
        Rule.PREFERRED_NETWORK,
        expected=f"a record of network {row.extended_pan_id.hex()}" if row else "a preferred network",
        came="one on the network now" if is_there else "none on the network now",
        hint="ask this first: it raises no prompt",
        value=is_there,
    )


METHODS: Mapping[str, Callable[[Request], CallResult]] = {
    "storeCredentials": _store,
    "deleteCredentials": phone.delete,
    "retrieveCredentials": _retrieve,
    "retrieveAllCredentials": _all,
    "retrieveAllActiveCredentials": _all_active,
    "retrievePreferredCredentials": phone.preferred,
    "checkPreferredNetwork": _check_preferred,
    "isPreferredNetworkAvailable": _is_preferred_available,
    "retrieveActiveCredentialsForNearbyNetworks": _nearby,
}

STORING = ("storeCredentials",)
SEARCHING = ("storeCredentials", "retrieveAllActiveCredentials", "retrieveActiveCredentialsForNearbyNetworks")
OUTCOMES: Mapping[ProfileOutcome, tuple[Rule, tuple[str, ...]]] = {
    ProfileOutcome.APPLE_XPC: (Rule.HELPER_UNREACHABLE, tuple(METHODS)),
    # Exactly the calls that the founding report names: preferred works, store and retrieve-all fail.
    ProfileOutcome.PREFERRED_ONLY: (Rule.HELPER_UNREACHABLE, ("storeCredentials", "retrieveAllCredentials")),
    ProfileOutcome.NO_MDNS_MATCH: (Rule.NO_MESHCOP_RECORD, STORING),
    ProfileOutcome.TIMED_OUT: (Rule.TIMED_OUT, STORING),
    ProfileOutcome.FROZEN: (Rule.FROZEN, STORING),
    ProfileOutcome.NOT_CONNECTED: (Rule.NETWORK_DOWN, SEARCHING),
}
"""Which calls a profile outcome decides, and by which rule. `consent-denied` decides every call that asks."""
