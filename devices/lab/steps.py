"""Carries out the steps of a scenario on a running home.

`do` ends when the verb is accepted: when it returns, or asks its user something, whose answer a later step may give.
`expect` and `never` look at the events since the last `do` began that no earlier `expect` has consumed.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from devices.errors import ActionRefusedError, ClockError, EmulatorError, ScenarioError, UnknownActorError
from devices.event_log import Pattern, StampedEvent, Waited, plain
from devices.home import LiveHome
from devices.home.live import read_fault
from devices.lab.placeholders import filled, members_of
from devices.lab.result import Near
from devices.spec import StepSpec, closest, duration_us
from pairing.engine import Micros

_ASKS_ITS_USER = frozenset({"ConsentRequested", "CodeRequired"})


class StepFailedError(EmulatorError):
    """A step did not come out as the scenario says."""

    def __init__(self, reason: str, nearest: Sequence[Near] = ()) -> None:
        super().__init__(reason)
        self.nearest = nearest


class Stage:
    """A running home on which steps are played, with what they saved and consumed."""

    def __init__(self, live: LiveHome) -> None:
        self._live = live
        self._saved: dict[str, Mapping[str, Any]] = {}
        self._consumed: set[int] = set()
        self._since = 0
        self._under_way: list[asyncio.Task[Any]] = []
        self.silent_faults: list[str] = []
        self.consumed_types: set[str] = set()

    async def play(self, step: StepSpec) -> str:
        """Carry out one step and say what was found. Raises StepFailedError."""
        self._check_under_way()
        try:
            if step.do is not None:
                return await self._do(step.do, step)
            if step.expect is not None:
                return await self._expect(step.expect, step)
            return await self._never(step.never or "", step)
        except ClockError:
            raise
        except EmulatorError as problem:
            if isinstance(problem, StepFailedError):
                raise
            raise StepFailedError(str(problem)) from problem

    async def close(self) -> None:
        """End what is under way and note the faults that never fired. Raises StepFailedError for a verb that failed."""
        try:
            self._check_under_way()
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)
        self.silent_faults += [each.id for each in self._live.faults.values() if each.silent]

    def look(self, name: str) -> Mapping[str, Any]:
        """The members of a saved event or result, or of somebody in the home. Raises ScenarioError."""
        if name in self._saved:
            return self._saved[name]
        try:
            return members_of(self._live.actor(name))
        except UnknownActorError as problem:
            raise ScenarioError(f"${{{name}.…}}: {problem}") from None

    async def _do(self, verb: str, step: StepSpec) -> str:
        arguments: dict[str, Any] = filled(step.with_, self.look)
        self._since = self._live.log.last_id
        match verb:
            case "advance":
                return await self._advance(str(arguments["duration"]))
            case "start-fault":
                return f"fault {self._live.install_fault(read_fault(arguments)).id}"
            case "stop-fault":
                return self._stop_fault(arguments)
        actor = step.actor or ""
        task = asyncio.ensure_future(self._live.do(actor, verb, arguments))
        self._under_way.append(task)
        if not await self._accepted(task, actor, duration_us(step.within)):
            raise StepFailedError(f"{verb} was not accepted within {step.within}")
        if not task.done():
            return "accepted; its user is asked"
        self._under_way.remove(task)
        return self._result_of(task, step)

    async def _accepted(self, task: asyncio.Task[Any], actor: str, within_us: Micros) -> bool:
        """Wait until the verb has returned, or has asked its user something."""
        asked = asyncio.ensure_future(self._until_asked(actor))
        late = asyncio.ensure_future(self._live.clock.sleep(within_us))
        try:
            await asyncio.wait((task, asked, late), return_when=asyncio.FIRST_COMPLETED)
            return task.done() or asked.done()
        finally:
            asked.cancel()
            late.cancel()
            await asyncio.gather(asked, late, return_exceptions=True)

    async def _until_asked(self, actor: str) -> None:
        async with contextlib.aclosing(self._live.log.follow(self._since)) as events:
            async for event in events:
                is_question = event.type in _ASKS_ITS_USER and getattr(event.event, "is_waiting", True)
                if event.actor == actor and is_question:
                    return

    def _result_of(self, task: asyncio.Task[Any], step: StepSpec) -> str:
        try:
            result = plain(task.result())
        except ActionRefusedError as problem:
            if step.refused:
                return f"refused: {problem}"
            raise StepFailedError(f"refused: {problem}") from None
        if step.save is not None:
            self._saved[step.save] = result if isinstance(result, Mapping) else {"value": result}
        refusal = _refusal(result)
        if step.refused is True and refusal is None:
            raise StepFailedError("was accepted; a refusal was expected")
        if step.refused is False and refusal is not None:
            raise StepFailedError(f"refused: {refusal}")
        return "done" if refusal is None else f"refused: {refusal}"

    async def _advance(self, duration: str) -> str:
        delta = duration_us(duration)
        if self._live.clock.virtual:
            await self._live.clock.sleep(delta)
        else:
            self._live.clock.advance(delta)
        return f"it is {self._live.clock.now() / 1_000_000:g} s"

    def _stop_fault(self, arguments: Mapping[str, Any]) -> str:
        fault_id = str(arguments["id"]) if "id" in arguments else self._fault_like(arguments)
        ended = self._live.remove_fault(fault_id)
        if ended.silent:
            self.silent_faults.append(ended.id)
        return f"fault {ended.id} fired {ended.fired} times"

    def _fault_like(self, arguments: Mapping[str, Any]) -> str:
        kind, target = arguments.get("kind"), arguments.get("target")
        for each in reversed(self._live.faults.values()):
            if each.spec.kind == kind and target in (None, each.spec.target):
                return each.id
        raise StepFailedError(f"no such fault is installed{closest(str(kind), self._live.faults)}")

    async def _expect(self, event_type: str, step: StepSpec) -> str:
        live = self._live
        pattern = Pattern(event_type, filled(step.where, self.look), step.actor)
        end = live.clock.now() + duration_us(step.within)
        found: list[StampedEvent] = []
        for _ in range(step.count):
            left = max(0, end - live.clock.now())
            waited = await live.log.wait(
                pattern, clock=live.clock, within_us=left, after=self._since, consumed=self._consumed
            )
            if waited.event is None:
                seen = f" ({len(found)} of {step.count} came)" if step.count > 1 else ""
                raise StepFailedError(f"no {_wanted(pattern)} within {step.within}{seen}", _nearest(waited))
            self._consumed.add(waited.event.id)
            found.append(waited.event)
        self.consumed_types.add(event_type)
        if step.save is not None:
            self._saved[step.save] = found[-1].as_json(secrets=True)
        return ", ".join(f"event {each.id} of {each.actor}" for each in found[:5])

    async def _never(self, event_type: str, step: StepSpec) -> str:
        live = self._live
        pattern = Pattern(event_type, filled(step.where, self.look), step.actor)
        waited = await live.log.wait(
            pattern,
            clock=live.clock,
            within_us=duration_us(step.during),
            after=self._since,
            consumed=self._consumed,
        )
        if waited.event is not None:
            event = waited.event
            raise StepFailedError(
                f"{_wanted(pattern)} came: event {event.id} of {event.actor} at {event.at_us} us",
                [Near(event.as_json(), ())],
            )
        return f"none for {step.during}"

    def _check_under_way(self) -> None:
        for task in [each for each in self._under_way if each.done()]:
            self._under_way.remove(task)
            if not task.cancelled() and (problem := task.exception()) is not None:
                if isinstance(problem, EmulatorError):
                    raise StepFailedError(f"a verb that was accepted earlier has failed: {problem}") from problem
                raise problem


def _refusal(result: Any) -> str | None:
    """What a platform said, where it refused."""
    if not isinstance(result, Mapping) or result.get("outcome") != "refused":
        return None
    verdict = result.get("verdict")
    if not isinstance(verdict, Mapping):
        return "no verdict"
    return f"{verdict.get('rule')}: {verdict.get('expected')}; came {verdict.get('came')}"


def _wanted(pattern: Pattern) -> str:
    actor = f" of {pattern.actor}" if pattern.actor else ""
    where = ", ".join(f"{name} = {condition!r}" for name, condition in pattern.where.items())
    return f"{pattern.type}{actor}{f' where {where}' if where else ''}"


def _nearest(waited: Waited) -> list[Near]:
    return [Near(event.as_json(), tuple(misses)) for event, misses in waited.nearest]
