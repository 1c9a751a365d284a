"""The one door to every credential store: a platform's call by its own method name, and a check without a call.

Pure: takes the rows as they are and returns the rows to keep, so that a driver can make one transaction of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from pairing.errors import LocalProtocolError
from pairing.thread.credentials import apple, google, home_assistant
from pairing.thread.credentials.records import (
    Caller,
    CallResult,
    Consent,
    Live,
    NoSearch,
    Platform,
    ProfileOutcome,
    Row,
    StoreFamily,
    Verdict,
)
from pairing.thread.credentials.request import Request
from pairing.thread.credentials.rules import AGENT_IDS, check_live, judged
from pairing.thread.credentials.symptoms import SEARCH_BUDGET_MS, Rule, outcome, success

Methods = Mapping[str, Callable[[Request], CallResult]]
Outcomes = Mapping[ProfileOutcome, tuple[Rule, tuple[str, ...]]]

_STORES: Mapping[StoreFamily, tuple[Methods, Outcomes]] = {
    StoreFamily.APPLE: (apple.METHODS, apple.OUTCOMES),
    StoreFamily.GOOGLE: (google.METHODS, google.OUTCOMES),
    StoreFamily.HOME_ASSISTANT: (home_assistant.METHODS, home_assistant.OUTCOMES),
}


def methods(platform: Platform) -> tuple[str, ...]:
    """The platform's own method names."""
    return tuple(_STORES[platform.family][0])


def call(
    platform: Platform,
    method: str,
    arguments: Mapping[str, object],
    *,
    caller: Caller,
    rows: tuple[Row, ...],
    live: Live,
    consent: Consent = Consent.ALLOW,
    profile_outcome: ProfileOutcome | None = None,
    date: int = 0,
    search_budget_ms: int = SEARCH_BUDGET_MS,
) -> CallResult:
    """Make one call. Raises LocalProtocolError only: no such method, or an argument missing or not bytes or text.

    `date` is what `created` and `modified` of a row become: microseconds since 1970 by the caller's clock.
    """
    known, outcomes = _STORES[platform.family]
    if method not in known:
        raise LocalProtocolError(f"{platform.value} has no {method!r}; it has {', '.join(known)}")
    request = Request(
        platform=platform,
        method=method,
        arguments=arguments,
        caller=caller,
        rows=rows,
        live=live,
        consent=consent,
        date=date,
        search_budget_ms=search_budget_ms,
    )
    if profile_outcome is None:
        return known[method](request)
    return _forced(request, known[method], profile_outcome, outcomes)


def check(
    platform: Platform,
    border_agent_id: bytes | str,
    dataset: bytes | str,
    live: Live = NoSearch.SKIPPED,
) -> Verdict:
    """Whether the platform would store this dataset for this border agent: `accepted` or `refused`, and why."""
    request = Request(
        platform=platform,
        method="check",
        arguments={"border_agent_id": border_agent_id, "dataset": dataset},
        caller=Caller(""),
        rows=(),
        live=live,
        consent=Consent.ALLOW,
    )
    finding = _finding(request)
    if finding is not None:
        return finding
    searched = platform.family in AGENT_IDS and live is not NoSearch.SKIPPED
    wanted = AGENT_IDS.get(platform.family)
    return judged(
        platform,
        "accepted",
        Rule.LIVE_RECORD_MATCHES if searched else Rule.NETWORK_NOT_SEARCHED,
        expected=f"{wanted.owner} wants the {wanted.length} bytes of `{wanted.key}`" if wanted else "a dataset",
        came="a border agent on the network of the dataset" if searched else "arguments of the right form",
        hint="storing it would succeed"
        if searched
        else "whether the network shows that border agent was not looked at",
        shown=success(platform, searched),
    )


def _finding(request: Request) -> Verdict | None:
    """The first rule that the request's two arguments break."""
    if request.platform.family is StoreFamily.HOME_ASSISTANT:
        tlvs = home_assistant.check(request)
        return tlvs if isinstance(tlvs, Verdict) else None
    agent_id = request.border_agent_id()
    if isinstance(agent_id, Verdict):
        return agent_id
    dataset = request.dataset()
    if isinstance(dataset, Verdict):
        return dataset
    return check_live(request.platform, agent_id, dataset, request.live)


def _forced(
    request: Request, method: Callable[[Request], CallResult], forced: ProfileOutcome, outcomes: Outcomes
) -> CallResult:
    """The answer that a test asks for, with what the call would have said without it in the hint."""
    if forced is ProfileOutcome.CONSENT_DENIED:
        return method(replace(request, consent=Consent.DENY))
    if forced not in outcomes:
        known = ", ".join(outcome.value for outcome in (*outcomes, ProfileOutcome.CONSENT_DENIED))
        raise LocalProtocolError(f"{request.platform.value} has no outcome {forced.value!r}; it has {known}")
    rule, deciding = outcomes[forced]
    unforced = method(request)
    if request.method not in deciding:
        return unforced
    verdict = judged(
        request.platform,
        "refused",
        rule,
        expected="what the arguments deserve",
        came=f"what the outcome {forced.value!r} of this phone's profile gives",
        hint=f"remove the outcome; the call would then end {unforced.verdict.verdict} ({unforced.verdict.rule})",
    )
    shown = outcome(request.platform, rule, request.search_budget_ms)
    return CallResult(verdict=verdict, rows=request.rows, platform=shown, prompted=unforced.prompted)
