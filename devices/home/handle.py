"""`Home`: what a test or script holds. Real time runs on a thread and loop of its own; virtual time only inside calls.

with Home("home.toml") as home:
    print(home["br"].rest_url)
    home.events.wait("RoleChanged", where={"role": "leader"}, within="5s")
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from devices.actor import Actor
from devices.errors import ClockError, EmulatorError, HomeFileError
from devices.event_log import Pattern, StampedEvent, Waited
from devices.home.live import HomeOptions, LiveHome, read_fault
from devices.sim.chance import Chance
from devices.sim.loop import VirtualTimeLoop
from devices.spec import HomeSpec, duration_us, load_home, read_home
from devices.transcripts.recorder import MemoryTranscript, Recorder
from devices.transports.reach import choose_reach
from pairing.engine import Micros

ResultT = TypeVar("ResultT")
Source = HomeSpec | Mapping[str, Any] | str | Path


class EventTimeoutError(EmulatorError, AssertionError):
    """An event did not come in time; the message lists the three that come nearest."""

    def __init__(self, pattern: Pattern, within: str, waited: Waited) -> None:
        wanted = f"{pattern.type} {dict(pattern.where) or ''}".strip()
        lines = [f"no {wanted} within {within}"]
        for event, misses in waited.nearest:
            place = f"{event.id} {event.type} of {event.actor} at {event.at_us} us"
            lines.append(f"  nearest: {place}: {'; '.join(misses)}")
        super().__init__("\n".join(lines))
        self.waited = waited


class Outcome(Generic[ResultT]):
    """A verb under way: `await` it, or call `result()` in a synchronous test."""

    def __init__(self, future: "Future[ResultT]") -> None:
        self._future = future

    def result(self, timeout: float | None = 60) -> ResultT:
        """The verb's result; raises what it raised."""
        return self._future.result(timeout)

    def __await__(self) -> Generator[Any, None, ResultT]:
        return asyncio.wrap_future(self._future).__await__()


class ActorHandle:
    """An accessory, phone or commissioner of a running home, safe to use from any thread."""

    def __init__(self, home: "Home", actor: Actor) -> None:
        self._home = home
        self._actor = actor
        self.id = actor.id

    def __repr__(self) -> str:
        return f"<{type(self._actor).__name__} {self.id}>"

    def _read(self, name: str) -> Any:
        return self._home.call(lambda: getattr(self._actor, name))

    @property
    def state(self) -> str:
        """One word, as in the table."""
        return str(self._read("state"))

    @property
    def endpoints(self) -> Mapping[str, str]:
        """Where it is reached: name -> URL or host:port."""
        return dict(self._read("endpoints"))

    @property
    def shows(self) -> Mapping[str, str]:
        """What a person can read off it: codes, QR payloads."""
        return dict(self._read("shows"))

    @property
    def facts(self) -> Mapping[str, Any]:
        """Identifiers and names as advertised."""
        return dict(self._read("facts"))

    @property
    def rest_url(self) -> str:
        """The base URL of a border router's REST API."""
        return self.endpoints["rest"]

    @property
    def code(self) -> str:
        """The code that it shows now. Raises KeyError when it shows none."""
        return self.shows["code"]

    @property
    def service_info(self) -> Any:
        """A zeroconf ServiceInfo of its first Bonjour service, to inject where zeroconf is mocked."""
        return self._read("service_info")

    def do(self, verb: str, **arguments: Any) -> Outcome[Any]:
        """Tell it a verb, for example `await home["br"].do("enable")`."""
        return self._home.submit(self._actor.do(verb, arguments))


class HomeEvents:
    """The events of a home. `wait` takes the first matching one that no earlier `wait` has taken; past ones count."""

    def __init__(self, home: "Home") -> None:
        self._home = home
        self._consumed: set[int] = set()

    def wait(
        self,
        event_type: str,
        *,
        where: Mapping[str, Any] | None = None,
        actor: str | None = None,
        within: str | float = "10s",
        after: int = 0,
    ) -> StampedEvent:
        """Block until the event comes. Raises EventTimeoutError with the nearest three."""
        return self._start(event_type, where, actor, within, after).result(None)

    async def wait_async(
        self,
        event_type: str,
        *,
        where: Mapping[str, Any] | None = None,
        actor: str | None = None,
        within: str | float = "10s",
        after: int = 0,
    ) -> StampedEvent:
        """The same for asynchronous tests."""
        return await self._start(event_type, where, actor, within, after)

    def all(self, event_type: str | None = None, *, after: int = 0) -> list[StampedEvent]:
        """The events so far, of one type or all."""
        found = self._home.call(lambda: self._home.live.log.since(after))
        return [each for each in found if event_type in (None, each.type)]

    def _start(
        self, event_type: str, where: Mapping[str, Any] | None, actor: str | None, within: str | float, after: int
    ) -> Outcome[StampedEvent]:
        text = within if isinstance(within, str) else f"{within}s"
        pattern = Pattern(event_type, dict(where or {}), actor)
        return self._home.submit(self._wait(pattern, text, after))

    async def _wait(self, pattern: Pattern, within: str, after: int) -> StampedEvent:
        live = self._home.live
        waited = await live.log.wait(
            pattern, clock=live.clock, within_us=duration_us(within), after=after, consumed=self._consumed
        )
        if waited.event is None:
            raise EventTimeoutError(pattern, within, waited)
        self._consumed.add(waited.event.id)
        return waited.event


class Home:
    """A home that runs beside the code which holds it. Use it as a context manager."""

    def __init__(
        self,
        source: Source,
        *,
        seed: int | None = None,
        virtual: bool = False,
        reach: str | None = None,
        attach: str = "0.2s",
        free_ports: bool = True,
    ) -> None:
        self.spec, raw = _read(source)
        given = seed if seed is not None else self.spec.seed
        self.seed = Chance.drawn().seed if given is None else given
        self.virtual = virtual
        self.events = HomeEvents(self)
        self._transcript = MemoryTranscript()
        self._options = HomeOptions(
            virtual=virtual,
            seed=self.seed,
            reach=choose_reach(reach, self.spec.reach, "loopback"),
            free_ports=free_ports,
            attach=attach,
            source=raw,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._live: LiveHome | None = None

    @property
    def live(self) -> LiveHome:
        """The home on its loop. Raises EmulatorError when it does not run."""
        if self._live is None:
            raise EmulatorError("the home is not running; use it as a context manager, or call start()")
        return self._live

    @property
    def running(self) -> bool:
        """True from the end of `start` to the beginning of `stop`."""
        return self._live is not None

    def start(self) -> Self:
        """Bring it up; returns when every accessory is on."""
        if self._loop is not None:
            raise EmulatorError("the home runs already")
        self._loop = VirtualTimeLoop() if self.virtual else asyncio.new_event_loop()
        if not self.virtual:
            self._thread = threading.Thread(target=self._loop.run_forever, name=f"home {self.spec.name}", daemon=True)
            self._thread.start()
        try:
            self.submit(self._start()).result(None)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Take it down: goodbyes, then no thread, task, timer or socket is left."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        live, self._live = self._live, None
        thread, self._thread = self._thread, None
        try:
            if thread is None:
                _run_elsewhere(loop, _end(live))
            else:
                asyncio.run_coroutine_threadsafe(_end(live), loop).result(30)
        finally:
            if thread is not None:
                loop.call_soon_threadsafe(loop.stop)
                thread.join(30)
            loop.close()

    async def _start(self) -> None:
        recorder: Recorder | None = None

        def now() -> Micros:
            return live.clock.now()

        recorder = Recorder(self._transcript, now=now, seed=self.seed, source=self._options.source)
        live = LiveHome(self.spec, self._options, taps=(recorder,))
        live.record_to(recorder)
        self._live = live
        try:
            await live.start()
        except BaseException:
            self._live = None
            raise

    def submit(self, coroutine: Coroutine[Any, Any, ResultT]) -> Outcome[ResultT]:
        """Run a coroutine on the home's loop; in virtual time it has run to its end when this returns."""
        if self._loop is None:
            coroutine.close()
            raise EmulatorError("the home is not running")
        if not self.virtual:
            return Outcome(asyncio.run_coroutine_threadsafe(coroutine, self._loop))
        future: Future[ResultT] = Future()
        try:
            future.set_result(_run_elsewhere(self._loop, coroutine))
        except Exception as problem:  # handed on to whoever asks for the result
            future.set_exception(problem)
        return Outcome(future)

    def call(self, function: Callable[[], ResultT]) -> ResultT:
        """Run a plain function on the home's loop and return its result."""

        async def run() -> ResultT:
            return function()

        return self.submit(run()).result()

    def __getitem__(self, actor_id: str) -> ActorHandle:
        """The accessory, phone or commissioner of that id. Raises UnknownActorError."""
        return ActorHandle(self, self.call(lambda: self.live.actor(actor_id)))

    def __iter__(self) -> Iterator[str]:
        """The ids of all accessories, phones and commissioners, in the order of the file."""
        return iter(self.call(lambda: list(self.live.actors)))

    @contextmanager
    def fault(self, kind: str, target: str = "*", **parameters: Any) -> Iterator[None]:
        """Put a fault or lie in force for a block. If it never fired, that is an error, unless `optional=True`."""
        spec = read_fault({"kind": kind, "target": target, **parameters})
        installed = self.call(lambda: self.live.install_fault(spec))
        try:
            yield
        finally:
            self.call(lambda: self.live.remove_fault(installed.id))
        if installed.silent:
            raise EmulatorError(f"the fault {kind!r} on {target!r} never fired; nothing met it in this block")

    def advance(self, duration: str) -> None:
        """Let time pass: virtual time runs on; in real time, timers of the home that are due by then fire now."""
        delta = duration_us(duration)
        if self.virtual:
            self.submit(self.live.clock.sleep(delta)).result()
        else:
            self.call(lambda: self.live.clock.advance(delta))

    @property
    def transcript(self) -> bytes:
        """The transcript so far, a CBOR sequence."""
        return self._transcript.getvalue()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)


def _read(source: Source) -> tuple[HomeSpec, bytes]:
    if isinstance(source, HomeSpec):
        return source, source.model_dump_json().encode()
    if isinstance(source, Mapping):
        spec = read_home(dict(source))
        return spec, spec.model_dump_json().encode()
    if isinstance(source, str) and "\n" in source:
        import tomllib

        try:
            return read_home(tomllib.loads(source), "home text"), source.encode()
        except tomllib.TOMLDecodeError as problem:
            raise HomeFileError(f"home text: is not TOML: {problem}") from None
    path = Path(source)
    return load_home(path), path.read_bytes()


async def _end(live: LiveHome | None) -> None:
    """Stop the home; whatever comes of that, its loop is empty afterwards."""
    try:
        if live is not None:
            await live.stop()
    finally:
        await _cancel_rest()
        loop = asyncio.get_running_loop()
        await loop.shutdown_asyncgens()
        await loop.shutdown_default_executor()


async def _cancel_rest() -> None:
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


def _run_elsewhere(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run a loop that no thread runs; on a thread of its own where this one runs another loop already."""
    if loop.is_running():
        coroutine.close()
        raise ClockError("the virtual home is in use by another call")
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return loop.run_until_complete(coroutine)
    results: list[ResultT] = []
    problems: list[BaseException] = []

    def run() -> None:
        try:
            results.append(loop.run_until_complete(coroutine))
        except BaseException as problem:  # raised again in the caller's thread
            problems.append(problem)

    thread = threading.Thread(target=run, name="virtual home")
    thread.start()
    thread.join()
    if problems:
        raise problems[0]
    return results[0]
