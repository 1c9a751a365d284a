"""One run of a home in real time, from the first socket to the last goodbye."""

import asyncio
import contextlib
import importlib
import itertools
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devices.cli.faces import Face, choose_face
from devices.cli.line_writer import LineWriter
from devices.cli.main import TRACEBACK_VARIABLE
from devices.cli.output import complain
from devices.cli.recording import Recording, free_path
from devices.cli.table import Heading, Row, accessory_row
from devices.event_log import EventLog, StampedEvent
from devices.home import HomeOptions, LiveHome
from devices.media.medium import Tap
from devices.spec import HomeSpec, Reach, slug
from devices.stores.state import StateDirectory
from devices.transcripts.pcapng import PcapngWriter
from devices.transcripts.pcapng_tap import Later, PcapngTap
from devices.transcripts.recorder import Recorder
from devices.transports.reach import LOOPBACK
from devices.transports.sockets import listen_tcp
from pairing.engine import SECOND, Micros

DEFAULT_API_PORT = 8700
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that `pairlab up` was asked for."""

    spec: HomeSpec
    source: bytes = field(repr=False)
    seed: int
    reach: Reach
    state: Path | None = None
    api_port: int | None = None
    transcript: Path | None = None
    secrets: bool = False
    """Whether keys and codes go into the transcript, and keys into the capture."""
    pcap: str | None = None
    duration_us: Micros | None = None
    json: bool = False


class LiveSession:
    """Brings the home up, shows it, and takes it down again."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._stop = asyncio.Event()
        self._recordings: list[Recording] = []

    async def run(self) -> bool:
        """Until the end; False if something that was to be shown or recorded could not be written."""
        plan = self.plan
        shown = True
        with contextlib.ExitStack() as resources:
            what = "control API (--api-port)"
            port = DEFAULT_API_PORT if plan.api_port is None else plan.api_port
            api_socket = listen_tcp(LOOPBACK, port, what, explicit=plan.api_port is not None)
            resources.callback(api_socket.close)
            state = self._open_state(resources)
            live = self._make_home(state, resources)
            resources.enter_context(self._signals())
            if await self._until_stopped(live.start()):
                shown = await self._show(live, api_socket)
        return shown and not any(recording.failed for recording in self._recordings)

    async def _show(self, live: LiveHome, api_socket: socket.socket) -> bool:
        """Show the home until it is time to go, and its leave-taking. False if the system could not write it."""
        plan = self.plan
        stream = sys.stderr if plan.pcap == "-" else None
        loop = asyncio.get_running_loop()

        def leave() -> None:
            # A home in which nothing happens would otherwise not notice that its reader has left.
            with contextlib.suppress(RuntimeError):  # the loop is gone already
                loop.call_soon_threadsafe(self._stop.set)

        face = choose_face(json=plan.json, stream=stream, rows=lambda: home_rows(live), on_problem=leave)
        teller = _Teller(live.log, face, self._stop)
        try:
            async with _control(live, api_socket) as api:
                try:
                    heading = Heading(plan.spec.name, live.seed, _reach_text(plan.reach), api)
                    teller.start(heading, accessory_entries(live))
                    with contextlib.suppress(TimeoutError):
                        seconds = None if plan.duration_us is None else plan.duration_us / SECOND
                        await asyncio.wait_for(self._stop.wait(), seconds)
                finally:
                    await live.stop()  # while the API is still there, so that its clients see the goodbyes
        finally:
            await live.stop()
            shown = await teller.finish()
        return shown

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """The first signal ends the home in peace, the second at once."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_report_defect)
        count = itertools.count(1)

        def on_signal() -> None:
            self._stop.set()
            if next(count) > 1:
                raise KeyboardInterrupt

        for each in _SIGNALS:
            loop.add_signal_handler(each, on_signal)
        try:
            yield
        finally:
            for each in _SIGNALS:
                loop.remove_signal_handler(each)

    def _open_state(self, resources: contextlib.ExitStack) -> StateDirectory | None:
        if self.plan.state is None:
            return None
        state = StateDirectory(self.plan.state)
        resources.callback(state.close)
        return state

    def _make_home(self, state: StateDirectory | None, resources: contextlib.ExitStack) -> LiveHome:
        """The home with everything that records it."""
        plan = self.plan
        taps: list[Tap] = []

        def now() -> Micros:
            return live.clock.now()

        recorder, capture = None, None
        if plan.transcript is not None:
            path = free_path(plan.transcript, slug(plan.spec.name), ".cbor")
            sink = self._to_file(path, resources, is_private=plan.secrets)
            recorder = Recorder(sink, now=now, seed=plan.seed, source=plan.source, secrets=plan.secrets)
            taps.append(recorder)
        if plan.pcap is not None:
            capture = self._capture(
                plan.pcap, now, lambda delay, action: live.clock.call_later(delay, action), resources
            )
            taps.append(capture)
        options = HomeOptions(seed=plan.seed, reach=plan.reach, state=state, source=plan.source)
        live = LiveHome(plan.spec, options, taps=taps)
        if recorder is not None:
            live.record_to(recorder)
        if capture is not None:
            live.log.add_sink(capture.happened)
        return live

    def _capture(self, to: str, now: Callable[[], Micros], later: Later, resources: contextlib.ExitStack) -> PcapngTap:
        plan = self.plan
        is_stdout = to == "-"
        out = _to_stdout(resources) if is_stdout else self._to_file(Path(to), resources, is_private=plan.secrets)
        started_us = time.time_ns() // 1_000
        capture = PcapngTap(PcapngWriter(out), now, started_us, later=later, secrets=plan.secrets)
        resources.callback(capture.flush)
        return capture

    def _to_file(self, path: Path, resources: contextlib.ExitStack, *, is_private: bool = False) -> Recording:
        recording = Recording(path, is_private=is_private)
        resources.callback(recording.close)
        self._recordings.append(recording)
        return recording

    async def _until_stopped(self, work: Coroutine[Any, Any, None]) -> bool:
        """Do the work; False if it was stopped before its end. Raises what the work raised."""
        task = asyncio.ensure_future(work)
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if task.done():
            task.result()
            return True
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return False


class _Teller:
    """Tells a face what is in the log, in order, and misses nothing."""

    def __init__(self, log: EventLog, face: Face, stop: asyncio.Event) -> None:
        self._log = log
        self._face = face
        self._stop = stop
        self._told = 0
        self._task: asyncio.Task[None] | None = None

    def start(self, heading: Heading, accessories: Sequence[Mapping[str, Any]]) -> None:
        """The ready line, then the events so far and each new one."""
        if not self._face.ready(heading, accessories):
            self._stop.set()
        self._task = asyncio.ensure_future(self._follow())

    async def finish(self) -> bool:
        """The last events, then nothing more. False if the system could not write."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            for event in self._log.since(self._told):
                self._tell(event)
        return self._face.close()

    async def _follow(self) -> None:
        async for event in self._log.follow():
            self._tell(event)

    def _tell(self, event: StampedEvent) -> None:
        self._told = event.id
        if not self._face.happened(event):
            self._stop.set()


def _report_defect(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An error that nobody caught, inside the running home: one line, as for any other."""
    problem = context.get("exception")
    cause = f"{type(problem).__name__}: {problem}" if problem is not None else context["message"]
    complain(f"internal error in the running home: {cause}; this is a defect, please report it")
    if os.environ.get(TRACEBACK_VARIABLE):
        loop.default_exception_handler(context)


def _to_stdout(resources: contextlib.ExitStack) -> Callable[[bytes], object]:
    writer = LineWriter(sys.stdout, "the capture")
    resources.callback(writer.close)
    return writer.write


def _reach_text(reach: Reach) -> str:
    return reach if isinstance(reach, str) else ", ".join(reach)


def home_rows(live: LiveHome) -> list[Row]:
    """The accessories, phones and commissioners of a running home."""
    phones = [
        Row(each.id, each.name, each.kind, each.state, [f"control /v1/phones/{each.id}"])
        for each in live.phones.values()
    ]
    commissioners = [
        Row(each.id, each.name, each.kind, each.state, [f"control /v1/commissioners/{each.id}"])
        for each in live.commissioners.values()
    ]
    return (
        [accessory_row(entry, live.accessories[entry["id"]].facts.get("instance")) for entry in accessory_entries(live)]
        + phones
        + commissioners
    )


def accessory_entries(live: LiveHome) -> list[dict[str, Any]]:
    """The accessories as the ready line has them."""
    return [
        {
            "id": each.id,
            "name": each.name,
            "kind": each.kind,
            "state": each.state,
            "endpoints": dict(each.endpoints),
            "shows": dict(each.shows),
        }
        for each in live.accessories.values()
    ]


@contextlib.asynccontextmanager
async def _control(live: LiveHome, sock: socket.socket) -> AsyncIterator[str]:
    """The control API while the block runs; its framework is imported beside the running home."""
    server = await asyncio.to_thread(importlib.import_module, "devices.control.server")
    async with server.serve_control_on(live, sock) as url:
        yield url
