"""Runs one scenario once: a home, its steps, its client, and what came of it.

Virtual time unless there is a client. An exception that nobody means is raised as it is: it is a defect of pairlab.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from devices.errors import EmulatorError, ScenarioError
from devices.events import ClientExited
from devices.faults.schedule import Witness
from devices.home import HomeOptions, LiveHome
from devices.home.denials import ProgramNetwork
from devices.lab.behind_doors import admit_bluetooth, doors, entered, wants_doors
from devices.lab.client import Client, ServeControl, bluetooth_environment, environment
from devices.lab.placeholders import filled
from devices.lab.result import Failure, ScenarioResult, StepOutcome, StepResult
from devices.lab.scenario import CLIENT, Scenario, look_at, step_text
from devices.lab.steps import Stage, StepFailedError
from devices.sim.chance import Chance
from devices.sim.loop import VirtualTimeLoop
from devices.spec import ClientSpec, duration_us
from devices.transcripts.recorder import MemoryTranscript, Recorder
from devices.transcripts.show import last_rungs
from devices.transports.reach import choose_reach
from pairing.engine import Micros

RUNGS = 40
"""How many of the last records a failure shows."""
NEVER_FIRED = "never fired"
"""How the reason of a scenario begins that failed only because a fault met nothing."""

ResultT = TypeVar("ResultT")


def run_scenario(
    scenario: Scenario,
    seed: int | None = None,
    serve: ServeControl | None = None,
    *,
    secrets: bool = False,
    witness: Witness | None = None,
) -> ScenarioResult:
    """Run a scenario; the seed is the given one, the file's, or drawn. `serve` brings the control API for a client.

    `secrets` puts keys and codes into the transcript, too; `witness` writes down what faults do.
    Raises EmulatorError where the home does not come up; a step that fails is a result.
    """
    chosen = seed if seed is not None else scenario.spec.seed
    drawn = Chance.drawn().seed if chosen is None else chosen
    run = _Run(scenario, drawn, serve, secrets=secrets, witness=witness)
    return run_on_loop(run.play(), virtual=scenario.virtual)


class _Run:
    def __init__(
        self, scenario: Scenario, seed: int, serve: ServeControl | None, *, secrets: bool, witness: Witness | None
    ) -> None:
        self._scenario = scenario
        self._spec = scenario.spec
        self._seed = seed
        self._secrets = secrets
        self._serve = serve
        self._witness = witness
        self._transcript = MemoryTranscript()
        self._steps: list[StepResult] = []
        self._client: Client | None = None
        self._network: ProgramNetwork | None = None

    async def play(self) -> ScenarioResult:
        """The story of one run."""
        async with doors(not self._scenario.virtual and wants_doors(self._spec)) as self._network:
            return await self._play()

    async def _play(self) -> ScenarioResult:
        live = self._make_home()
        await live.start()
        stage = Stage(live)
        try:
            async with self._client_of(live, stage) as watcher:
                failure = await self._play_steps(live, stage)
                failure = failure or await self._end_client(stage, watcher)
                failure = await self._close(stage, failure)
            ended_us = live.clock.now()
            # Without the goodbyes of what follows, which would push the failure out of sight.
            told = self._transcript.getvalue()
        finally:
            await live.stop()
        return self._result(live, stage, failure, ended_us, told)

    def _make_home(self) -> LiveHome:
        virtual = self._scenario.virtual

        def now() -> Micros:
            return live.clock.now()

        source = self._scenario.source
        recorder = Recorder(self._transcript, now=now, seed=self._seed, source=source, secrets=self._secrets)
        options = HomeOptions(
            virtual=virtual,
            seed=self._seed,
            reach=choose_reach(None, self._spec.reach, "loopback"),
            free_ports=True,
            source=self._scenario.source,
            local_network=self._network,
        )
        witness = self._witness
        live = LiveHome(self._spec, options, taps=(recorder,) if witness is None else (recorder, witness))
        live.record_to(recorder)
        if witness is not None:
            for medium in live.media:
                medium.rules.append(witness)
        return live

    async def _play_steps(self, live: LiveHome, stage: Stage) -> Failure | None:
        failure: Failure | None = None
        for number, step in enumerate(self._spec.step, 1):
            if failure is not None:
                self._steps.append(StepResult(number, step_text(step), StepOutcome.SKIPPED))
                continue
            began = live.clock.now()
            outcome = StepOutcome.PASSED
            try:
                found = await stage.play(step)
            except StepFailedError as problem:
                outcome, found = StepOutcome.FAILED, str(problem)
                failure = Failure(number, str(problem), problem.nearest)
            took = live.clock.now() - began
            self._steps.append(StepResult(number, step_text(step), outcome, began, took, found))
        return failure

    async def _close(self, stage: Stage, failure: Failure | None) -> Failure | None:
        try:
            await stage.close()
        except StepFailedError as problem:
            failure = failure or Failure(None, str(problem))
        if failure is None and stage.silent_faults:
            names = ", ".join(stage.silent_faults)
            reason = f"{NEVER_FIRED}: {names}; nothing met it. Say `optional = true` where that is meant"
            failure = Failure(None, reason)
        return failure

    @contextlib.asynccontextmanager
    async def _client_of(self, live: LiveHome, stage: Stage) -> AsyncIterator["asyncio.Task[int] | None"]:
        """The client while the block runs; a task that ends with its exit code."""
        spec = self._spec.client
        if spec is None:
            yield None
            return
        if self._serve is None:
            raise ScenarioError("a scenario with a [client] needs the control API, which nobody has brought")
        door = await bluetooth_environment(live, spec.ble, spec.adapters)
        admit_bluetooth(self._network, live)
        async with environment(live, self._serve) as env:
            look = look_at(self._scenario, stage.look)
            command, inside = entered(self._network, spec.gate, filled(spec.command, look), {**env, **door})
            client = self._client = await Client.start(command, inside)
            watcher = asyncio.ensure_future(self._watch(live, client))
            try:
                yield watcher
            finally:
                await client.close()
                watcher.cancel()
                await asyncio.gather(watcher, return_exceptions=True)

    async def _watch(self, live: LiveHome, client: Client) -> int:
        code = await client.wait()
        live.log.append(ClientExited(code=code), actor=CLIENT)
        return code

    async def _end_client(self, stage: Stage, watcher: "asyncio.Task[int] | None") -> Failure | None:
        """Wait for the client's end, and judge its exit code unless a step has."""
        spec = self._spec.client
        if spec is None or watcher is None:
            return None
        done, _ = await asyncio.wait((watcher,), timeout=duration_us(spec.within) / 1_000_000)
        if not done:
            return Failure(None, f"the client did not end within {spec.within} after the last step")
        return _judged(spec, watcher.result(), judged_before="ClientExited" in stage.consumed_types)

    def _result(
        self, live: LiveHome, stage: Stage, failure: Failure | None, ended_us: Micros, told: bytes
    ) -> ScenarioResult:
        return ScenarioResult(
            path=self._scenario.path,
            client=self._scenario.client,
            name=self._spec.name,
            seed=self._seed,
            virtual=self._scenario.virtual,
            steps=tuple(self._steps),
            failure=failure,
            silent_faults=tuple(stage.silent_faults),
            events=tuple(live.log.since()),
            duration_us=ended_us,
            ladder=() if failure is None else tuple(last_rungs(told, RUNGS)),
            client_output=() if self._client is None else tuple(self._client.output),
            transcript=self._transcript.getvalue(),
        )


def _judged(spec: ClientSpec, code: int, *, judged_before: bool) -> Failure | None:
    if judged_before or code == spec.exit_code or spec.exit_code is None:
        return None
    return Failure(None, f"the client ended with exit code {code}, expected {spec.exit_code}")


def run_on_loop(story: Coroutine[Any, Any, ResultT], *, virtual: bool) -> ResultT:
    """Run on a loop of its own. What escapes a timer or a forgotten task is raised, not only logged."""
    escaped: list[BaseException] = []
    with asyncio.Runner(loop_factory=VirtualTimeLoop if virtual else None) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: escaped.append(_exception_of(context)))
        result = runner.run(story)
    if escaped:
        raise escaped[0]
    return result


def _exception_of(context: dict[str, Any]) -> BaseException:
    problem = context.get("exception")
    return problem if isinstance(problem, BaseException) else EmulatorError(str(context.get("message")))
