"""One call of an app on a credential store: its arguments read, and the ways in which it can end.

Arguments go by the platform's own parameter names (`borderAgentID`, `activeOperationalDataSet`, …), labels and our
snake_case included. A missing or unknown argument is our caller's mistake (LocalProtocolError), a wrong value is the
app's, and ends in a verdict.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pairing.errors import LocalProtocolError
from pairing.thread.credentials.records import (
    Caller,
    CallResult,
    Consent,
    Live,
    LiveRecord,
    NoSearch,
    Platform,
    Row,
    Value,
    Verdict,
)
from pairing.thread.credentials.rules import (
    check_border_agent_id,
    check_dataset,
    check_extended_pan_id,
    judged,
    network_down,
    read_dataset,
    read_hex,
    refused,
)
from pairing.thread.credentials.symptoms import SEARCH_BUDGET_MS, Rule, outcome, success
from pairing.thread.dataset import Dataset

BORDER_AGENT = "border agent id"
DATASET = "dataset"
EXTENDED_PAN_ID = "extended PAN ID"

_SPELLINGS: Mapping[str, str] = {
    "borderagentid": BORDER_AGENT,
    "borderagent": BORDER_AGENT,
    "activeoperationaldataset": DATASET,
    "dataset": DATASET,
    "credentials": DATASET,
    "tlv": DATASET,
    "extendedpanid": EXTENDED_PAN_ID,
}
_NOT_HEX = {
    BORDER_AGENT: Rule.BORDER_AGENT_NOT_HEX,
    DATASET: Rule.DATASET_NOT_HEX,
    EXTENDED_PAN_ID: Rule.EXTENDED_PAN_ID_NOT_HEX,
}


def meaning_of(name: str) -> str:
    """What an argument is, whatever its spelling: Swift's label, Kotlin's or Swift's parameter, or ours."""
    plain = name.replace("_", "").lower()
    return _SPELLINGS.get(plain.removeprefix("for"), _SPELLINGS.get(plain, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call: what was asked, by whom, of which rows, with what on the network."""

    platform: Platform
    method: str
    arguments: Mapping[str, object] = field(repr=False)
    caller: Caller
    rows: tuple[Row, ...] = field(repr=False)
    live: Live
    consent: Consent
    date: int = 0
    search_budget_ms: int = SEARCH_BUDGET_MS

    def has(self, what: str) -> bool:
        """Whether that argument was given."""
        return any(meaning_of(name) == what for name in self.arguments)

    def octets(self, what: str) -> bytes | Verdict:
        """The bytes of an argument."""
        for name, value in self.arguments.items():
            if meaning_of(name) == what:
                if isinstance(value, bytes | str):
                    return read_hex(self.platform, _NOT_HEX[what], value, f"the {what}")
                raise LocalProtocolError(f"{name} is a {type(value).__name__}, expected bytes or hexadecimal text")
        raise LocalProtocolError(f"{self.method} needs the {what}; given: {', '.join(self.arguments) or 'nothing'}")

    def text(self, name: str, default: str | None = None) -> str:
        """A textual argument by its own name."""
        value = self.arguments.get(name, default)
        if not isinstance(value, str):
            raise LocalProtocolError(f"{self.method} needs {name} as text")
        return value

    def border_agent_id(self) -> bytes | Verdict:
        """The border agent id, of the platform's size."""
        agent_id = self.octets(BORDER_AGENT)
        if isinstance(agent_id, Verdict):
            return agent_id
        return check_border_agent_id(self.platform, agent_id, self._readable_dataset(), self.live) or agent_id

    def extended_pan_id(self) -> bytes | Verdict:
        """The extended PAN ID."""
        extended_pan_id = self.octets(EXTENDED_PAN_ID)
        if isinstance(extended_pan_id, Verdict):
            return extended_pan_id
        return check_extended_pan_id(self.platform, extended_pan_id) or extended_pan_id

    def dataset(self) -> Dataset | Verdict:
        """The dataset, complete."""
        data = self.octets(DATASET)
        dataset = data if isinstance(data, Verdict) else read_dataset(self.platform, data)
        return dataset if isinstance(dataset, Verdict) else check_dataset(self.platform, dataset) or dataset

    def _readable_dataset(self) -> Dataset | None:
        """The dataset as far as it can tell the network, to look the right id up."""
        data = self.octets(DATASET) if self.has(DATASET) else b""
        dataset = data if isinstance(data, Verdict) else read_dataset(self.platform, data)
        return None if isinstance(dataset, Verdict) else dataset

    @property
    def visible(self) -> tuple[Row, ...]:
        """The rows of this platform's store that an app can see."""
        return tuple(row for row in self.rows if row.family is self.platform.family and not row.frozen)

    @property
    def own(self) -> tuple[Row, ...]:
        """The caller's own rows."""
        owner = self.caller.owner(self.platform.family)
        return tuple(row for row in self.visible if row.owner == owner)

    def records(self) -> tuple[LiveRecord, ...] | Verdict:
        """What is on the network, for a call that has to know."""
        if self.live is NoSearch.SKIPPED:
            raise LocalProtocolError(f"{self.method} needs to know what is on the network: give live records")
        return network_down(self.platform) if isinstance(self.live, NoSearch) else tuple(self.live)

    def refuse(self, verdict: Verdict, *, prompted: bool = False) -> CallResult:
        """The end without any change."""
        shown = outcome(self.platform, Rule(verdict.rule), self.search_budget_ms)
        return CallResult(verdict=verdict, rows=self.rows, platform=shown, prompted=prompted)

    def refuse_by(self, rule: Rule, *, expected: str, came: str, hint: str, prompted: bool = False) -> CallResult:
        """The end without any change, for this rule."""
        verdict = refused(self.platform, rule, expected=expected, came=came, hint=hint)
        return self.refuse(verdict, prompted=prompted)

    def done(
        self,
        word: str,
        rule: Rule,
        *,
        expected: str,
        came: str,
        hint: str,
        value: Value = None,
        rows: tuple[Row, ...] | None = None,
        prompted: bool = False,
        searched: bool = False,
    ) -> CallResult:
        """The good end: what the app gets, and the rows to keep."""
        shown = success(self.platform, searched)
        verdict = judged(self.platform, word, rule, expected=expected, came=came, hint=hint, shown=shown)
        kept = self.rows if rows is None else rows
        return CallResult(verdict=verdict, rows=kept, platform=shown, value=value, prompted=prompted)

    def ask_user(self) -> CallResult | None:
        """The system's question whether the app may have it: None to go on."""
        expected = "the user allows the app to have the credentials"
        if self.consent is Consent.ALLOW:
            return None
        if self.consent is Consent.DENY:
            hint = "the app must take no for an answer; asking again is the user's choice"
            came = "the user declined"
            return self.refuse_by(Rule.CONSENT_DENIED, expected=expected, came=came, hint=hint, prompted=True)
        is_asked = self.consent is Consent.ASK
        rule = Rule.CONSENT_ASKED if is_asked else Rule.CONSENT_UNANSWERED
        verdict = judged(
            self.platform,
            "waiting",
            rule,
            expected=expected,
            came="the question is on the screen" if is_asked else "nobody answers the question",
            hint="answer the phone's consent question" if is_asked else "the call never returns",
        )
        return CallResult(verdict=verdict, rows=self.rows, platform=outcome(self.platform, rule), prompted=True)
