"""The lab's own test: every sample client beside its scenario, correct and with each of its bugs, in one table.

    python -m tests.planted [PROGRAM…]

The scenario must pass with the correct program, and fail at the step that the program names for each bug; a bug that
makes the program crash is not caught, it is no bug that somebody ships. Exit 1 unless all came out so.
"""

import importlib.util
import itertools
import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from devices.cli.exec_ import serve
from devices.lab.result import ScenarioResult
from devices.lab.run import run_scenario
from devices.lab.scenario import Scenario, read_scenario, with_client

FOLDER = Path(__file__).parent / "clients"
SCENARIOS = FOLDER.parents[2] / "specs" / "scenarios"
_SHARED = {"home.py", "meshcop.py", "radio.py"}
_RUNS = itertools.count(1)
_AT_A_TIME = 8


@dataclass(frozen=True, slots=True)
class Program:
    """A sample client: its file, the scenario it runs beside, and by bug the step that catches it."""

    path: Path
    scenario: Path
    bugs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: of which program, with which bug (None: correct), whether it came out as it must, and why (not)."""

    program: str
    bug: str | None
    good: bool
    why: str


def programs(names: list[str] | None = None) -> Iterator[Program]:
    """The programs of these names, or all of the folder. Raises SystemExit for a name that is none."""
    found = {each.stem: each for each in sorted(FOLDER.glob("*.py")) if each.name not in _SHARED}
    for name in names or found:
        if name not in found:
            raise SystemExit(f"no program {name!r}; there are {', '.join(found)}")
        yield _read(found[name])


def check(program: Program, bug: str | None) -> Outcome:
    """Run the program once, and judge it."""
    words = [sys.executable, str(program.path), *([] if bug is None else ["--bug", bug])]
    result = run_scenario(with_client(_apart(read_scenario(program.scenario)), words), None, serve)
    good, why = _judged(result, None if bug is None else program.bugs[bug])
    return Outcome(program.path.stem, bug, good, why)


def _apart(scenario: Scenario) -> Scenario:
    """Homes that run at the same time hear each other's Bonjour: border routers of one name would rename themselves."""
    mark = f"{os.getpid()}-{next(_RUNS)}"
    named = [
        each.model_copy(update={"name": f"{each.name} {mark}"}) if each.kind == "thread-border-router" else each
        for each in scenario.spec.accessory
    ]
    return replace(scenario, spec=scenario.spec.model_copy(update={"accessory": named}))


def _judged(result: ScenarioResult, step: str | None) -> tuple[bool, str]:
    failure = result.failure
    said = [f"    {line}" for line in result.client_output]
    if any("Traceback" in line for line in said):
        return False, "\n".join(["the program crashed:", *said])
    if failure is None:
        return step is None, "passed" if step is None else f"passed; meant to be caught at: {step}"
    texts = {each.number: each.text for each in result.steps}
    place = "after the last step" if failure.step is None else texts[failure.step]
    if place == step:
        return True, f"caught at: {place}"
    meant = "" if step is None else f" (meant to be caught at: {step})"
    return False, "\n".join([f"{place}: {failure.reason}{meant}", *said])


def _read(path: Path) -> Program:
    # The programs import what they share as a script does, from their own folder.
    if str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))
    spec = importlib.util.spec_from_file_location(f"planted_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Program(path, SCENARIOS / module.SCENARIO, module.BUGS)


def main(names: list[str]) -> int:
    """Run, and print the table."""
    found = list(programs(names))
    turns = itertools.zip_longest(*([(each, bug) for bug in (None, *each.bugs)] for each in found))
    # Each run mostly waits; programs take turns, since runs of one program wait, and compute, at the same moments.
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        runs = {(job[0].path, job[1]): pool.submit(check, *job) for turn in turns for job in turn if job is not None}
        outcomes = [_shown(runs[each.path, bug].result()) for each in found for bug in (None, *each.bugs)]
    correct = [each for each in outcomes if each.bug is None]
    buggy = [each for each in outcomes if each.bug is not None]
    print(f"correct programs passed: {sum(each.good for each in correct)}/{len(correct)}")
    print(f"planted bugs caught: {sum(each.good for each in buggy)}/{len(buggy)}")
    return 0 if all(each.good for each in outcomes) else 1


def _shown(outcome: Outcome) -> Outcome:
    kind = "correct" if outcome.bug is None else outcome.bug
    print(f"{'ok    ' if outcome.good else 'FAILED'}  {outcome.program:<28} {kind:<32} {outcome.why}", flush=True)
    return outcome


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
