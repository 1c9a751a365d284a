"""Shrinks a failure: of everything that faults did in a run, the fewest hits that still make it fail the same way.

The run is repeated with a witness, its faults are replaced by the schedule of what they did, and delta debugging takes
hits away (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002). The same way means: at the
same step, for the same reason but for its numbers.

Beside a client from outside every attempt is a run in real time. Chance is drawn for each way of its own there, so the
seed fails again as a rule; what may come out otherwise is tried again, and what is left is tried once more at the end.
"""

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import tomli_w

from devices.faults.base import wire_faults
from devices.faults.schedule import Hit, Witness
from devices.lab.client import ServeControl
from devices.lab.scenario import Scenario
from devices.lab.sweep import SeedResult, judge
from devices.spec import ScenarioSpec, StepSpec

BUDGET_S = 60.0
"""How long one failure may take to shrink."""

_SCHEDULE_ID = "shrunk"
_TRIES = 3
"""How often a run in real time that comes out otherwise is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """What was left of a failure. `hits` is None where the schedule alone does not make it fail again."""

    failure: SeedResult
    decisions: int
    """What the faults did in the run that failed."""
    hits: Sequence[Hit] | None
    runs: int
    spec: ScenarioSpec
    complete: bool
    """False where the time was up before nothing more could be taken away."""

    def as_toml(self, way_back: str = ".") -> str:
        """A scenario file that fails by these hits alone; `way_back` leads to the folder of the one it comes from."""
        reason = " ".join(ascii(self.failure.reason)[1:-1].split())
        head = f"# Shrunk from {self.decisions} fault decisions to {len(self.hits or ())}. It fails with: {reason}\n"
        tables = self.spec.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
        if "client" in tables and way_back != ".":
            folder = "${scenario.folder}"
            command = [each.replace(folder, f"{folder}/{way_back}") for each in tables["client"]["command"]]
            tables["client"]["command"] = command
        return head + tomli_w.dumps(tables)


def shrink(
    scenario: Scenario, seed: int, serve: ServeControl | None = None, *, budget_s: float = BUDGET_S
) -> Shrunk | None:
    """Shrink the failure of one seed; None where it does not fail again, as real time may have it."""
    return _Shrinker(scenario, seed, serve, budget_s).shrink()


def write_shrunk(shrunk: Shrunk, folder: Path, scenario: Path) -> Path:
    """The file of what is left of a failure of a scenario, in a folder that is made."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{scenario.stem}-seed-{shrunk.failure.seed}.toml"
    way_back = Path(os.path.relpath(scenario.parent.resolve(), folder.resolve())).as_posix()
    path.write_text(shrunk.as_toml(way_back), encoding="utf-8")
    return path


def signature(result: SeedResult) -> tuple[object, ...]:
    """What makes two failures the same: the step, whether it is a defect, and the reason but for its numbers."""
    return result.step, result.defect, re.sub(r"\d+", "#", result.reason or "")


class _Shrinker:
    def __init__(self, scenario: Scenario, seed: int, serve: ServeControl | None, budget_s: float) -> None:
        self._scenario = scenario
        self._seed = seed
        self._serve = serve
        self._until = time.monotonic() + budget_s
        self._runs = 0
        self._failure = SeedResult(seed)

    def shrink(self) -> Shrunk | None:
        every = self._seen_failing()
        if every is None:
            return None
        if not every or self._fails(()):
            return self._shrunk(every, ())
        if not self._fails_sometimes(every):
            return self._shrunk(every, None)
        smallest = self._smallest(every)
        return self._shrunk(every, smallest if self._scenario.virtual or self._fails_sometimes(smallest) else None)

    def _seen_failing(self) -> Sequence[Hit] | None:
        """Everything that the faults did in a run that failed; None where none does."""
        for _ in range(1 if self._scenario.virtual else _TRIES):
            witness = Witness()
            self._runs += 1
            self._failure = judge(self._scenario, self._seed, self._serve, witness)
            if not self._failure.passed:
                return tuple(witness.hits)
        return None

    def _fails_sometimes(self, hits: Sequence[Hit]) -> bool:
        return any(self._fails(hits) for _ in range(1 if self._scenario.virtual else _TRIES))

    def _shrunk(self, every: Sequence[Hit], hits: Sequence[Hit] | None) -> Shrunk:
        return Shrunk(
            failure=self._failure,
            decisions=len(every),
            hits=hits,
            runs=self._runs,
            spec=scheduled(self._scenario.spec, hits or (), self._seed),
            complete=time.monotonic() < self._until,
        )

    def _fails(self, hits: Sequence[Hit]) -> bool:
        """Whether these hits make it fail; in real time twice, since a machine that is busy can make a client late."""
        scenario = replace(self._scenario, spec=scheduled(self._scenario.spec, hits, self._seed))
        return all(self._fails_as_it_did(scenario) for _ in range(1 if self._scenario.virtual else 2))

    def _fails_as_it_did(self, scenario: Scenario) -> bool:
        self._runs += 1
        return signature(judge(scenario, self._seed, self._serve)) == signature(self._failure)

    def _smallest(self, hits: Sequence[Hit]) -> Sequence[Hit]:
        """Delta debugging: parts, then what is left without a part, then finer parts."""
        parts = 2
        while len(hits) > 1 and time.monotonic() < self._until:
            smaller = self._smaller(hits, parts)
            if smaller is not None:
                hits, left = smaller
                parts = max(2, min(left, len(hits)))
            elif parts >= len(hits):
                break
            else:
                parts = min(len(hits), 2 * parts)
        return hits

    def _smaller(self, hits: Sequence[Hit], parts: int) -> tuple[Sequence[Hit], int] | None:
        """A part that fails, or all but a part; and into how many parts to divide it next."""
        edges = [len(hits) * index // parts for index in range(parts + 1)]
        pieces = [hits[low:high] for low, high in pairwise(edges)]
        for piece in pieces:
            if time.monotonic() >= self._until:
                return None
            if len(piece) < len(hits) and self._fails(piece):
                return piece, 2
        for index in range(parts if parts > 2 else 0):
            if time.monotonic() >= self._until:
                return None
            rest = [hit for other, piece in enumerate(pieces) if other != index for hit in piece]
            if self._fails(rest):
                return rest, parts - 1
        return None


def scheduled(spec: ScenarioSpec, hits: Sequence[Hit], seed: int) -> ScenarioSpec:
    """The scenario with a schedule in place of the faults that act on flights; others stay. Its home is part of it."""
    tables: dict[str, Any] = spec.model_dump(by_alias=True, exclude_unset=True)
    tables.pop("home", None)
    tables["seed"] = seed
    faults = [table for table, each in zip(tables.get("fault", []), spec.fault, strict=True) if not _is_wire(each.kind)]
    if hits:
        # Once what failed is mended, the frames that it hits may be other ones, or none.
        schedule = {"kind": "schedule", "id": _SCHEDULE_ID, "optional": True, "hits": [hit.as_table() for hit in hits]}
        faults.append(schedule)
    tables["fault"] = faults
    ids = {each.id for each in spec.fault if each.id and _is_wire(each.kind)}
    ids |= {str(step.with_.get("id")) for step in spec.step if _starts_wire(step)}
    steps = zip(tables.get("step", []), spec.step, strict=True)
    tables["step"] = [_pause() if _starts_wire(each) or _stops_wire(each, ids) else table for table, each in steps]
    return ScenarioSpec.model_validate(tables)


def _pause() -> dict[str, Any]:
    """In place of a step about a fault: it takes no time, and later steps look back to it as they did."""
    return {"do": "advance", "with": {"duration": "0s"}}


def _is_wire(kind: object) -> bool:
    cls = wire_faults().get(str(kind))
    return cls is not None and getattr(cls, "acts_on_flights", True)


def _starts_wire(step: StepSpec) -> bool:
    return step.do == "start-fault" and _is_wire(step.with_.get("kind"))


def _stops_wire(step: StepSpec, ids: set[str]) -> bool:
    if step.do != "stop-fault":
        return False
    named = str(step.with_.get("id", ""))
    return named in ids or _is_wire(step.with_.get("kind")) or _is_wire(named.rpartition("-")[0])
