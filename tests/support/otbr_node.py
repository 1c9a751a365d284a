"""Border routers to test the REST API with: one whose time the test steps, one that lives in real time on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from devices.driver import EngineDriver
from devices.errors import TransportUnavailableError
from devices.otbr import CURRENT, NO_LIES, OtbrApp, OtbrEngine, OtbrLies, OtbrProfile
from devices.otbr.messages import Answer, Request, parse_query
from devices.sim.clock import Clock
from devices.transports.web import Asgi, serve_web
from pairing.engine import MILLISECOND, SECOND, Event, Micros, Outputs
from pairing.thread.dataset import Dataset
from pairing.thread.network import Network
from pairing.thread.node import NetworkConfig
from tests.support.thread_network import counting_entropy

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
FAST = NetworkConfig(attach=200 * MILLISECOND, petition=50 * MILLISECOND, vendor_name="pairlab", vendor_model="BR")
TAKEN_PORT = 4


@dataclass
class Journal:
    """What a node was told."""

    requests: list[tuple[str, str, int, str | None]] = field(default_factory=list)
    lies: list[tuple[str, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Class names of the events."""
        return [type(event).__name__ for event in self.events]


class SteppedNode:
    """Time stands still unless `advance` is called; sleeping is free."""

    def __init__(self, dataset: Dataset | None = None, *, seed: int = 0, config: NetworkConfig | None = None) -> None:
        self.entropy = counting_entropy(seed)
        network = Network(config or NetworkConfig(), self.entropy, active_dataset=dataset)
        self.engine = OtbrEngine(network, self.entropy)
        self.journal = Journal()
        self.time: Micros = 0
        self.slept: Micros = 0

    def now(self) -> Micros:
        return self.time

    def wall_clock(self, at: Micros) -> datetime:
        return EPOCH + timedelta(microseconds=at)

    def perform(self, intent: Callable[[Micros], Outputs]) -> Outputs:
        outputs = intent(self.time)
        self._note(outputs)
        return outputs

    def reserve_udp_port(self, port: int) -> int:
        if port == TAKEN_PORT:
            raise TransportUnavailableError(f"UDP port {port} is taken")
        return port or 49200

    async def sleep(self, delay: Micros) -> None:
        self.slept += delay

    def record_request(self, method: str, path: str, status: int, peer: str | None) -> None:
        self.journal.requests.append((method, path, status, peer))

    def lie_told(self, lie: str, what: str) -> None:
        self.journal.lies.append((lie, what))

    def advance(self, delta: Micros) -> None:
        """Let time pass, firing every deadline at its moment."""
        end = self.time + delta
        while (deadline := self.engine.deadline) is not None and deadline <= end:
            self.time = max(self.time, deadline)
            self._note(self.engine.handle_timeout(self.time))
        self.time = end

    def _note(self, outputs: Outputs) -> None:
        self.journal.events += [output for output in outputs if isinstance(output, Event)]


class Client:
    """Asks an application directly, without sockets."""

    def __init__(self, node: SteppedNode, profile: OtbrProfile = CURRENT, lies: OtbrLies = NO_LIES) -> None:
        self.node = node
        self.app = OtbrApp(node, profile, lies)

    def ask(self, method: str, target: str, body: bytes | str = b"", **headers: str) -> Answer:
        """One request; header names with underscores for dashes."""
        path, _, query = target.partition("?")
        return self.app.answer(
            Request(
                method=method,
                path=path,
                headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()),
                query=parse_query(query),
                body=body.encode() if isinstance(body, str) else body,
            )
        )


class RealNode(SteppedNode):
    """Time is the loop's."""

    def __init__(self, clock: Clock, dataset: Dataset | None, config: NetworkConfig) -> None:
        super().__init__(dataset, config=config)
        self.clock = clock
        self.first_lie = asyncio.Event()
        self.driver = EngineDriver(self.engine, clock, on_event=self.journal.events.append)

    def now(self) -> Micros:
        return self.clock.now()

    def perform(self, intent: Callable[[Micros], Outputs]) -> Outputs:
        return self.driver.do(lambda engine, now: intent(now))

    async def sleep(self, delay: Micros) -> None:
        await self.clock.sleep(delay)

    def lie_told(self, lie: str, what: str) -> None:
        super().lie_told(lie, what)
        self.first_lie.set()


@dataclass(frozen=True)
class RunningRouter:
    """A border router whose REST API listens on loopback."""

    url: str
    port: int
    node: RealNode
    app: OtbrApp


def bind_loopback() -> socket.socket:
    """A TCP socket on a free loopback port."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.bind(("127.0.0.1", 0))
    return sock


@asynccontextmanager
async def serving(app: Asgi) -> AsyncIterator[int]:
    """An application on a free loopback port, which is yielded."""
    server = await serve_web(app, [bind_loopback()])
    try:
        yield server.ports[0]
    finally:
        await server.close(grace_s=0.1)


@asynccontextmanager
async def running_router(
    dataset: Dataset | None = None,
    *,
    profile: OtbrProfile = CURRENT,
    lies: OtbrLies = NO_LIES,
    config: NetworkConfig = FAST,
) -> AsyncIterator[RunningRouter]:
    """A border router in this loop, gone without a trace afterwards."""
    clock = Clock(asyncio.get_running_loop(), virtual=False)
    node = RealNode(clock, dataset, config)
    app = OtbrApp(node, profile, lies)
    try:
        async with serving(app) as port:
            yield RunningRouter(f"http://127.0.0.1:{port}", port, node, app)
    finally:
        node.driver.stop()
        clock.close()


LEADER_TIME: Micros = 8 * SECOND
