"""Results for people and for CI: lines of text, and a JUnit file. What came from a network is escaped."""

from collections.abc import Iterable, Iterator, Sequence

from devices.lab.result import ScenarioResult, StepOutcome

_SIGNS = {StepOutcome.PASSED: "ok", StepOutcome.FAILED: "FAILED", StepOutcome.SKIPPED: "-"}
_SHOWN_OUTPUT = 20


def result_lines(result: ScenarioResult) -> Iterator[str]:
    """One line for a scenario that passed; for one that failed its steps, the reason, a ladder, and the replay."""
    time = "virtual" if result.virtual else "real"
    head = f"{'PASS' if result.passed else 'FAIL'}  {result.path}  seed {result.seed}"
    yield f"{head}  {len(result.steps)} steps in {result.duration_us / 1_000_000:.3f} s of {time} time"
    if result.failure is None:
        return
    failure = result.failure
    for step in result.steps:
        at = f"{step.at_us / 1_000_000:10.3f} s" if step.outcome is not StepOutcome.SKIPPED else " " * 12
        found = f": {step.found}" if step.found else ""
        yield f"  {step.number:>3}  {at}  {_SIGNS[step.outcome]:<6}  {step.text}{found}"
    place = "after the last step" if failure.step is None else f"step {failure.step}"
    yield f"  {place}: {failure.reason}"
    for near in failure.nearest:
        yield f"  nearest: {near.text}"
    if result.silent_faults and failure.step is not None:
        yield f"  never fired: {', '.join(result.silent_faults)}"
    if result.client_output:
        yield "  the client's last lines:"
        yield from (f"    {line}" for line in result.client_output[-_SHOWN_OUTPUT:])
    yield "  before the failure:"
    yield from (f"    {line}" for line in result.ladder)
    yield f"  again: {result.replay}"


def summary_line(results: Sequence[ScenarioResult]) -> str:
    """How many passed and failed."""
    failed = sum(not each.passed for each in results)
    return f"{len(results) - failed} passed, {failed} failed"


def junit(results: Iterable[ScenarioResult]) -> bytes:
    """A JUnit XML document: one test suite, one case a scenario. Times are the home's, virtual ones too."""
    from xml.etree import ElementTree  # only where a JUnit file is wanted

    results = list(results)
    suite = ElementTree.Element(
        "testsuite",
        name="pairlab",
        tests=str(len(results)),
        failures=str(sum(not each.passed for each in results)),
        errors="0",
        skipped="0",
        time=_seconds(sum(each.duration_us for each in results)),
    )
    for result in results:
        name = f"{_legal(result.name)} [seed {result.seed}]"
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=_legal(result.path.with_suffix("").as_posix()),
            name=name,
            time=_seconds(result.duration_us),
        )
        if result.failure is not None:
            failure = ElementTree.SubElement(case, "failure", message=_legal(result.failure.reason), type="StepFailed")
            failure.text = _legal("\n".join(result_lines(result)))
        if result.client_output:
            ElementTree.SubElement(case, "system-out").text = _legal("\n".join(result.client_output))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    text: str = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _seconds(micros: int) -> str:
    return f"{micros / 1_000_000:.6f}"


def _legal(text: str) -> str:
    """XML has no word for most control characters and for half surrogates, not even escaped."""
    return "".join(
        each if _is_legal(each) else each.encode("unicode_escape", "backslashreplace").decode() for each in text
    )


def _is_legal(character: str) -> bool:
    code = ord(character)
    return character in "\t\n" or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
