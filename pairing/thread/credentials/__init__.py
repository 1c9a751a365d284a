"""Phone-side Thread credential stores: what Apple, Google and Home Assistant store, refuse and show. Pure.

`call` makes a platform's call on rows, `check` judges a border agent id and a dataset; every refusal says which rule,
what was expected, what came, what the platform shows for it, and where the right value is.
"""

from pairing.thread.credentials.calls import call, check, methods
from pairing.thread.credentials.documents import result_document, verdict_document
from pairing.thread.credentials.phone import delete_in_settings
from pairing.thread.credentials.records import (
    Caller,
    CallResult,
    Consent,
    Credentials,
    Live,
    LiveRecord,
    NoSearch,
    Platform,
    PlatformOutcome,
    ProfileOutcome,
    Row,
    StoreFamily,
    Verdict,
)
from pairing.thread.credentials.symptoms import SEARCH_BUDGET_MS, Rule

__all__ = [
    "SEARCH_BUDGET_MS",
    "CallResult",
    "Caller",
    "Consent",
    "Credentials",
    "Live",
    "LiveRecord",
    "NoSearch",
    "Platform",
    "PlatformOutcome",
    "ProfileOutcome",
    "Row",
    "Rule",
    "StoreFamily",
    "Verdict",
    "call",
    "check",
    "delete_in_settings",
    "methods",
    "result_document",
    "verdict_document",
]
