"""Findings as lines of text."""

from collections.abc import Iterator, Sequence

from devices.explain.finding import Finding, Outcome
from devices.explain.story import Telling

_INDENT = "  "


def lines(finding: Finding) -> Iterator[str]:
    """One finding: where and what, what was compared, and why."""
    event = finding.event
    peer = f" with {event['peer']}" if event.get("peer") else ""
    yield f"event {event['id']}  {_seconds(event['at_us'])} s  {event['actor']}{peer}  {event['type']}"
    yield from _row("failed", finding.failed)
    if finding.frame is not None:
        yield from _row("frame", _frame(finding.frame))
    yield from _row("expected", finding.expected)
    yield from _row("came", finding.came)
    yield from _row("because", _because(finding))
    yield from _row("hint", finding.hint)
    if finding.values:
        yield f"{_INDENT}values"
        width = max(map(len, finding.values))
        for name, value in finding.values.items():
            yield f"{_INDENT * 2}{name:<{width}}  {value.hex()}"


def verdict(findings: Sequence[Finding]) -> str:
    """How many failures there are, and how many are explained."""
    failures = [each for each in findings if each.is_failure]
    if not failures:
        return "no failure in this transcript"
    unexplained = sum(not each.is_explained for each in failures)
    counted = "1 failure" if len(failures) == 1 else f"{len(failures)} failures"
    return f"{counted}, {'all explained' if not unexplained else f'{unexplained} unexplained'}"


def _because(finding: Finding) -> str:
    if finding.outcome is Outcome.UNKNOWN:
        return "no known mistake gives this" + (f": {finding.because}" if finding.because else "")
    return f"{finding.outcome.value}: {finding.because}" if finding.because else finding.outcome.value


def _row(label: str, value: str) -> Iterator[str]:
    if value:
        yield f"{_INDENT}{label:<8}  {value}"


def _frame(frame: Telling) -> str:
    sent = frame.frame
    return f"{_seconds(sent.at_us)} s, from {sent.sender} to {frame.receiver or 'all'}: {frame.summary}"


def _seconds(at_us: int) -> str:
    return f"{at_us // 1_000_000}.{at_us % 1_000_000:06}"
