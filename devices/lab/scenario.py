"""Scenario files: read, and checked as a whole before anything runs.

What can be known without running is refused here, with the step that is meant: unknown verbs, events, actors,
arguments, faults, and placeholders that nothing fills.
"""

import inspect
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from devices.accessories.base import Accessory
from devices.accessories.registry import kinds
from devices.actor import Actor
from devices.controllers.commissioner import HomeCommissioner
from devices.controllers.phone import Phone
from devices.errors import EmulatorError, ScenarioError
from devices.event_log import Pattern
from devices.events import members, vocabulary
from devices.faults import local_network_denied
from devices.faults.base import make_fault, wire_faults
from devices.home.live import read_fault
from devices.lab.placeholders import Look, references
from devices.spec import (
    HOME_VERBS,
    ClientSpec,
    FaultSpec,
    ScenarioSpec,
    StepSpec,
    closest,
    duration_us,
    load_scenario,
    make_record,
)

CLIENT = local_network_denied.CLIENT
"""The actor whose event ClientExited is."""
SCENARIO = "scenario"
"""In a client's command: `${scenario.folder}` is where the file lies, `${scenario.python}` is this interpreter."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A checked scenario file. `source` is what the transcript's hash is of: its bytes, then those of its home."""

    path: Path
    spec: ScenarioSpec
    source: bytes = field(repr=False)
    client: tuple[str, ...] | None = None
    """The command that was given in place of the file's own."""

    @property
    def virtual(self) -> bool:
        """Virtual time, unless a client takes part."""
        return self.spec.client is None


def read_scenario(path: Path) -> Scenario:
    """Read and check a scenario. Raises ScenarioError, which names the file and the step."""
    spec = load_scenario(path)
    source = path.read_bytes()
    if spec.home is not None:
        source += (path.parent / spec.home).read_bytes()
    try:
        _Checker(spec).check()
    except EmulatorError as problem:
        raise ScenarioError(f"{path}: {problem}") from None
    return Scenario(path, spec, source)


def with_client(scenario: Scenario, command: Sequence[str]) -> Scenario:
    """The scenario with another program under test, or with one where its file names none. Raises ScenarioError."""
    if not command:
        raise ScenarioError(f"{scenario.path}: the client's command is empty")
    before = scenario.spec.client
    client = ClientSpec(command=[*command]) if before is None else before.model_copy(update={"command": [*command]})
    spec = scenario.spec.model_copy(update={"client": client})
    try:
        _Checker(spec).check()
    except EmulatorError as problem:
        raise ScenarioError(f"{scenario.path}: {problem}") from None
    return replace(scenario, spec=spec, client=tuple(command))


def look_at(scenario: Scenario, look: Look) -> Look:
    """What the placeholders of a client's command see: all that a step sees, and the scenario itself."""
    members = {"folder": str(scenario.path.parent.resolve()), "python": sys.executable}
    return lambda name: members if name == SCENARIO else look(name)


def step_text(step: StepSpec) -> str:
    """A step in a few words, for example `do pair (phone)`."""
    what = f"{step.meaning} {step.do or step.expect or step.never}"
    count = f" x{step.count}" if step.count > 1 else ""
    return f"{what}{count}{f' ({step.actor})' if step.actor else ''}"


class _Checker:
    """Walks the steps once, knowing who is there and what was saved so far."""

    def __init__(self, spec: ScenarioSpec) -> None:
        self._spec = spec
        known = kinds()
        self._classes: dict[str, type[Actor]] = {}
        for each in spec.accessory:
            if each.kind not in known:
                raise ScenarioError(f"accessory {each.id!r}: there is no kind {each.kind!r}{closest(each.kind, known)}")
            self._classes[each.id] = known[each.kind]
        self._classes |= dict.fromkeys((each.id for each in spec.phone), Phone)
        self._classes |= dict.fromkeys((each.id for each in spec.commissioner), HomeCommissioner)
        self._saved: set[str] = set()

    def check(self) -> None:
        if not self._spec.step and self._spec.client is None:
            raise ScenarioError("there is nothing to do: give it [[step]] tables, or a [client]")
        for fault in self._spec.fault:
            self._check_fault(fault)
        for number, step in enumerate(self._spec.step, 1):
            try:
                self._check_step(step)
            except EmulatorError as problem:
                raise ScenarioError(f"step {number} ({step_text(step)}): {problem}") from None
        if self._spec.client is not None:
            self._saved.clear()
            self._check_command(self._spec.client.command)

    def _check_step(self, step: StepSpec) -> None:
        self._check_references(step.with_)
        self._check_references(step.where)
        if step.do is not None:
            self._check_do(step.do, step)
        else:
            self._check_pattern(step.expect or step.never or "", step.where, step.actor)
        if step.save is not None:
            if step.save in self._classes or step.save == SCENARIO:
                raise ScenarioError(f"save = {step.save!r} is the id of somebody in the home; choose another name")
            self._saved.add(step.save)

    def _check_references(self, value: Any) -> None:
        for name, _ in references(value):
            known = [*self._classes, *self._saved]
            if name not in known:
                raise ScenarioError(
                    f"${{{name}.…}}: nobody is called {name!r} and nothing was saved so{closest(name, known)}"
                )

    def _check_command(self, command: Sequence[str]) -> None:
        for name, member in references([*command]):
            if name != SCENARIO:
                self._check_references(f"${{{name}.{member}}}")
            elif member not in ("folder", "python"):
                raise ScenarioError(f"${{scenario.{member}}}: a scenario has no {member!r}; it has folder and python")

    def _check_pattern(self, event: str, where: Mapping[str, Any], actor: str | None) -> None:
        if event not in vocabulary():
            raise ScenarioError(f"no event is called {event!r}{closest(event, vocabulary())}")
        if not list(references(where)):
            Pattern(event, where).check()
        known = {"id", "at_us", "actor", "peer", "medium", "names", *members(event)}
        for member in where:
            if member.split(".")[0] not in known:
                raise ScenarioError(f"where.{member}: {event} has no such member{closest(member, known)}")
        # A client can add accessories while the scenario runs.
        actors = [*self._classes, CLIENT]
        if actor is not None and actor not in actors and self._spec.client is None:
            raise ScenarioError(f"nobody called {actor!r} in this home{closest(actor, actors)}")

    def _check_do(self, verb: str, step: StepSpec) -> None:
        if verb in HOME_VERBS:
            _HOME_CHECKS[verb](self, step.with_)
            return
        actor = step.actor or ""
        if actor not in self._classes:
            raise ScenarioError(f"nobody called {actor!r} in this home{closest(actor, self._classes)}")
        cls = self._classes[actor]
        if verb not in cls.verbs:
            raise ScenarioError(f"{actor} has no verb {verb!r}{closest(verb, cls.verbs)}")
        known = dict(inspect.signature(getattr(cls, cls.verbs[verb])).parameters)
        known.pop("self")
        given = {name.replace("-", "_") for name in step.with_}
        for name in sorted(given - set(known)):
            raise ScenarioError(f"{verb} has no argument {name!r}{closest(name, known) or '; it takes none'}")
        missing = [name for name, each in known.items() if each.default is each.empty and name not in given]
        if missing:
            raise ScenarioError(f"{verb} needs {' and '.join(missing)}: with = {{ {missing[0]} = … }}")

    def _check_advance(self, arguments: Mapping[str, Any]) -> None:
        if set(arguments) != {"duration"}:
            raise ScenarioError('advance takes one argument: with = { duration = "30s" }')
        if not list(references(arguments)):
            _duration(arguments["duration"])

    def _check_start_fault(self, arguments: Mapping[str, Any]) -> None:
        self._check_fault(read_fault(arguments))

    def _check_stop_fault(self, arguments: Mapping[str, Any]) -> None:
        if not arguments or set(arguments) - {"id", "kind", "target"} or ("id" in arguments and len(arguments) > 1):
            raise ScenarioError('stop-fault takes with = { id = "…" }, or the kind and target it was started with')

    def _check_fault(self, fault: FaultSpec) -> None:
        if fault.after is not None:
            self._check_pattern(fault.after.event, {}, fault.after.actor)
        if fault.kind in wire_faults():
            if not list(references(fault.parameters)):
                make_fault(fault.kind, fault.parameters)
            if fault.kind == local_network_denied.KIND:
                self._check_denied(fault)
            elif fault.target != "*" and fault.target not in self._classes:
                raise ScenarioError(
                    f"fault {fault.kind}: nobody called {fault.target!r}{closest(fault.target, self._classes)}"
                )
            return
        cls = self._classes.get(fault.target)
        lies = cls.lies if cls is not None and issubclass(cls, Accessory) else {}
        if fault.kind not in lies:
            raise ScenarioError(
                f"{fault.kind!r} is no wire fault and no lie of {fault.target!r}"
                f"{closest(fault.kind, [*wire_faults(), *lies])}"
            )
        if not list(references(fault.parameters)):
            make_record(lies[fault.kind], fault.parameters, f"lie {fault.kind}")

    def _check_denied(self, fault: FaultSpec) -> None:
        phones = [each.id for each in self._spec.phone]
        if fault.target == CLIENT and self._spec.client is None:
            raise ScenarioError(f"fault {fault.kind}: target {CLIENT!r} is the program of [client], and there is none")
        if fault.target not in (*phones, CLIENT):
            raise ScenarioError(
                f"fault {fault.kind}: target is {local_network_denied.TARGETS}; not {fault.target!r}"
                f"{closest(fault.target, [*phones, CLIENT])}"
            )


_HOME_CHECKS = {
    "advance": _Checker._check_advance,
    "start-fault": _Checker._check_start_fault,
    "stop-fault": _Checker._check_stop_fault,
}


def _duration(text: object) -> None:
    try:
        duration_us(str(text))
    except ValueError as problem:
        raise ScenarioError(str(problem)) from None
