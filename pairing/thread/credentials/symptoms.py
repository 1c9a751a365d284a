"""The rules by name, and what each platform shows its app when one of them is broken.

Symptoms are as public as their evidence: where nobody has published a domain or code, both are None and the case is
`undocumented`. A wrong id and the error that one developer saw with it are kept apart: the first is certain, that it
is the cause of the second is not.
"""

from enum import StrEnum

from pairing.thread.credentials.records import Platform, PlatformOutcome, StoreFamily

SEARCH_BUDGET_MS = 5_000
"""How long a phone looks for the border agent before it gives up. Our choice; nobody has published it."""
SEARCH_HIT_MS = 49
"""A good search as one public log shows it."""
XPC_FAILURE_MS = 4
"""Between the call and its failure in the log of one public sample: 3.6 ms."""

NO_MATCH_TEXT = "Thread network credentials does not match with any of the active thread networks around"
FROZEN_TEXT = "Can not store frozen credentials"
NOT_CONNECTED_TEXT = "Device is not connected to the network"
HELPER_TEXT = "Couldn't communicate with a helper application"


class Rule(StrEnum):
    """What can decide a call."""

    BORDER_AGENT_NOT_HEX = "border-agent-not-hex"
    BORDER_AGENT_ID_LENGTH = "border-agent-id-length"
    EXTENDED_PAN_ID_NOT_HEX = "extended-pan-id-not-hex"
    EXTENDED_PAN_ID_LENGTH = "extended-pan-id-length"
    DATASET_NOT_HEX = "dataset-not-hex"
    DATASET_UNPARSABLE = "dataset-unparsable"
    DATASET_MISSING_TLV = "dataset-missing-tlv"
    NETWORK_DOWN = "network-down"
    NO_MESHCOP_RECORD = "no-meshcop-record"
    RECORD_WITHOUT_TXT = "record-without-txt"
    XA_MISMATCH = "xa-mismatch"
    ID_MISMATCH = "id-mismatch"
    XP_DIFFERS = "xp-differs"
    NN_DIFFERS = "nn-differs"
    TIMED_OUT = "timed-out"
    FROZEN = "frozen"
    OTHER_OWNER = "other-owner"
    CONSENT_DENIED = "consent-denied"
    CONSENT_ASKED = "consent-asked"
    CONSENT_UNANSWERED = "consent-unanswered"
    NO_CREDENTIAL = "no-credential"
    NO_PREFERRED = "no-preferred"
    HELPER_UNREACHABLE = "helper-unreachable"
    STORAGE_FULL = "storage-full"
    NOT_SUPPORTED = "not-supported"
    NOT_ON_THIS_VERSION = "not-on-this-version"
    # Home Assistant's own
    BORDER_AGENT_WITHOUT_ADDRESS = "border-agent-without-address"
    OLDER_TIMESTAMP = "older-timestamp"
    SAME_TIMESTAMP_DIFFERS = "same-timestamp-differs"
    SAME_TIMESTAMP_EQUIVALENT = "same-timestamp-equivalent"
    SAME_DATASET = "same-dataset"
    NEWER_TIMESTAMP = "newer-timestamp"
    NEW_NETWORK = "new-network"
    PREFERRED_CANNOT_BE_DELETED = "preferred-cannot-be-deleted"
    # the answer is yes
    LIVE_RECORD_MATCHES = "live-record-matches"
    NETWORK_NOT_SEARCHED = "network-not-searched"
    OWN_ENTRIES = "own-entries"
    ENTRIES_OF_ANY_APP = "entries-of-any-app"
    PREFERRED_NETWORK = "preferred-network"


SEARCHED_IN_VAIN = (Rule.NO_MESHCOP_RECORD, Rule.RECORD_WITHOUT_TXT, Rule.XA_MISMATCH, Rule.ID_MISMATCH, Rule.TIMED_OUT)
"""The search goes on until its budget is used up."""
FOUND_OTHERWISE = (Rule.XP_DIFFERS, Rule.NN_DIFFERS)
"""The border agent was found, and is on another network."""
NEVER_SENT = (Rule.BORDER_AGENT_NOT_HEX, Rule.DATASET_NOT_HEX, Rule.EXTENDED_PAN_ID_NOT_HEX)
"""Only text can be wrong like this; the platforms take bytes."""
WAITING = (Rule.CONSENT_ASKED, Rule.CONSENT_UNANSWERED)

_NSCOCOA = "NSCocoaErrorDomain"
_API_EXCEPTION = "com.google.android.gms.common.api.ApiException"
_UNDOCUMENTED = "an error; no document or public report says which"


def outcome(platform: Platform, rule: Rule, search_budget_ms: int = SEARCH_BUDGET_MS) -> PlatformOutcome:
    """What the app's callback gets when `rule` has decided."""
    if rule in NEVER_SENT:
        return _made("not-sent", "nothing: the platform's call takes bytes, not text", "I")
    if rule in WAITING:
        return _made("waiting", "nothing yet: the system's question is on the screen", "I")
    if platform.family is StoreFamily.APPLE:
        return _apple(rule, search_budget_ms)
    if platform.family is StoreFamily.GOOGLE:
        return _google(rule, search_budget_ms)
    return _home_assistant(rule)


def success(platform: Platform, searched: bool = False) -> PlatformOutcome:
    """What the app's callback gets when all is well."""
    message = {
        StoreFamily.APPLE: "the completion handler without an error",
        StoreFamily.GOOGLE: "the task succeeds",
        StoreFamily.HOME_ASSISTANT: "a result message with success true",
    }[platform.family]
    is_google = platform.family is StoreFamily.GOOGLE
    return _made("success", message, "D", code=0 if is_google else None, delay_ms=SEARCH_HIT_MS if searched else 0)


def describe(shown: PlatformOutcome) -> str:
    """The outcome as one phrase."""
    if shown.code is not None and shown.domain is not None:
        return f"{shown.domain} {shown.code} {shown.message}"
    return f"{shown.domain} {shown.message}" if shown.domain is not None else shown.message


def _made(
    case: str,
    message: str,
    evidence: str,
    *,
    domain: str | None = None,
    code: int | str | None = None,
    delay_ms: int = 0,
) -> PlatformOutcome:
    return PlatformOutcome(domain=domain, code=code, case=case, delay_ms=delay_ms, message=message, evidence=evidence)


def _search_ms(rule: Rule, budget: int) -> int:
    return budget if rule in SEARCHED_IN_VAIN else SEARCH_HIT_MS


def _apple(rule: Rule, budget: int) -> PlatformOutcome:
    if rule in (Rule.HELPER_UNREACHABLE, Rule.BORDER_AGENT_ID_LENGTH):
        message = f'"{HELPER_TEXT}"'
        if rule is Rule.BORDER_AGENT_ID_LENGTH:
            message += (
                " is what one developer saw when storing with such an id: that the id has the wrong size is certain,"
                " that it is the cause of this error is unproven"
            )
        return _made("NSXPCConnectionInvalid", message, "R", domain=_NSCOCOA, code=4099, delay_ms=XPC_FAILURE_MS)
    if rule in SEARCHED_IN_VAIN or rule in FOUND_OTHERWISE:
        return _made("no-mdns-match", f'"{NO_MATCH_TEXT}"', "R", delay_ms=_search_ms(rule, budget))
    if rule is Rule.FROZEN:
        return _made("frozen", f'"{FROZEN_TEXT}"', "R")
    if rule is Rule.NETWORK_DOWN:
        return _made("not-connected", f'"{NOT_CONNECTED_TEXT}"', "R")
    if rule is Rule.NOT_ON_THIS_VERSION:
        return _made("not-sent", "nothing: this system's THClient has no such method", "D")
    return _made("undocumented", _UNDOCUMENTED, "I")


def _google(rule: Rule, budget: int) -> PlatformOutcome:
    if rule in (Rule.BORDER_AGENT_ID_LENGTH, Rule.DATASET_UNPARSABLE, Rule.DATASET_MISSING_TLV):
        is_agent = rule is Rule.BORDER_AGENT_ID_LENGTH
        thrower = (
            "ThreadBorderAgent.newBuilder" if is_agent else "ThreadNetworkCredentials.fromActiveOperationalDataset"
        )
        message = f"thrown by {thrower}, before the call"
        evidence = "D" if is_agent else "I"
        return _made("IllegalArgumentException", message, evidence, domain="java.lang.IllegalArgumentException")
    statuses = {
        Rule.OTHER_OWNER: (44000, "PERMISSION_DENIED"),
        Rule.NETWORK_DOWN: (44001, "LOCAL_NETWORK_NOT_CONNECTED"),
        Rule.NOT_SUPPORTED: (44002, "PLATFORM_NOT_SUPPORTED"),
        Rule.STORAGE_FULL: (44003, "MAX_STORAGE_SIZE_EXCEEDED"),
    }
    if rule in statuses:
        code, case = statuses[rule]
        return _made(case, case, "D", domain=_API_EXCEPTION, code=code)
    if rule is Rule.CONSENT_DENIED:
        return _made("RESULT_CANCELED", "result of the consent activity", "D", domain="android.app.Activity", code=0)
    if rule in (Rule.NO_CREDENTIAL, Rule.NO_PREFERRED):
        return _made("no-result", "a result without credentials", "I")
    delay = _search_ms(rule, budget) if rule in SEARCHED_IN_VAIN or rule in FOUND_OTHERWISE else 0
    return _made("undocumented", _UNDOCUMENTED, "I", delay_ms=delay)


def _home_assistant(rule: Rule) -> PlatformOutcome:
    if rule in (Rule.OLDER_TIMESTAMP, Rule.SAME_TIMESTAMP_DIFFERS):
        return _made("discarded", 'result "discarded"', "S")
    codes = {
        Rule.DATASET_UNPARSABLE: "invalid_format",
        Rule.NO_CREDENTIAL: "not_found",
        Rule.PREFERRED_CANNOT_BE_DELETED: "not_allowed",
    }
    code = codes.get(rule, "home_assistant_error")
    return _made(code, "as error code of the websocket answer", "S", domain="websocket", code=code)
