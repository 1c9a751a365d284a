"""Our Border Agent engine behind real UDP sockets on loopback, on the test's own loop: no accessory, no home."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

from devices.driver import EngineDriver
from devices.sim.clock import Clock
from devices.transports.udp_client import UdpClient
from pairing.engine import Address, Endpoint, Event
from pairing.thread.border_agent import EPHEMERAL_LINK, JOINER_LINK, MAIN_LINK, BorderAgent, BorderAgentSettings
from pairing.thread.joiner import Joiner
from pairing.thread.meshcop_events import CommissionerDatasetChanged
from pairing.thread.network import Network
from tests.support.meshcop import leading_network
from tests.support.thread_network import counting_entropy

ResultT = TypeVar("ResultT")


class UdpBorderAgent:
    """The engine, its events, and where it listens. `share` opens a code."""

    def __init__(self, network: Network, settings: BorderAgentSettings | None) -> None:
        self.network = network
        self.events: list[Event] = []
        self.when: dict[type[Event], Callable[[], None]] = {}
        """What to do as soon as such an event has come."""
        self.clock = Clock(asyncio.get_running_loop(), virtual=False)
        agent = BorderAgent(network, counting_entropy(7), settings)
        self.driver = EngineDriver(agent, self.clock, on_event=self.note, port=self)
        self.others: list[UdpClient] = []
        """Who else has a socket that ends with this."""
        self._sockets: dict[str, asyncio.DatagramTransport] = {}

    def note(self, event: Event) -> None:
        """Something has happened."""
        self.events.append(event)
        if type(event) in self.when:
            asyncio.get_running_loop().call_soon(self.when[type(event)])

    async def happened(self, kind: type[Event], count: int = 1) -> Event:
        """Wait until so many of these events have come; the last of them."""
        while len(found := [each for each in self.events if isinstance(each, kind)]) < count:
            news = asyncio.Event()
            self.when[kind] = news.set
            await news.wait()
        return found[count - 1]

    def send(self, payload: bytes, to: Address) -> None:
        """A datagram out of the port that `link` names."""
        assert isinstance(to, Endpoint)
        if to.link in self._sockets:
            self._sockets[to.link].sendto(payload, (to.host, to.port))

    async def listen(self, link: str) -> int:
        """Open a port; its number."""
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Incoming(self.driver, link), local_addr=("127.0.0.1", 0)
        )
        self._sockets[link] = transport
        return int(transport.get_extra_info("sockname")[1])

    async def share(self, lifetime: int) -> tuple[str, str]:
        """A code, and the address where it is good."""
        port = await self.listen(EPHEMERAL_LINK)
        now = self.clock.now()
        self.network.activate_ephemeral_key(port, now, lifetime=lifetime)
        self.driver.do(lambda agent, at: agent.follow(at))
        key = self.network.ephemeral_key.key
        assert key is not None
        return key.code, f"127.0.0.1:{port}"

    async def close(self) -> None:
        """Close every socket."""
        self.driver.stop()
        self.clock.close()
        for other in self.others:
            await other.close()
        for transport in self._sockets.values():
            transport.close()
        await asyncio.sleep(0)


class _Incoming(asyncio.DatagramProtocol):
    def __init__(self, driver: EngineDriver[BorderAgent], link: str) -> None:
        self._driver = driver
        self._link = link

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._driver.deliver(data, Endpoint(addr[0], addr[1], self._link))


@asynccontextmanager
async def border_agent(
    network: Network | None = None, settings: BorderAgentSettings | None = None
) -> AsyncIterator[tuple[UdpBorderAgent, str]]:
    """A Border Agent that leads a known network, and its address."""
    agent = UdpBorderAgent(network or leading_network(), settings)
    port = await agent.listen(MAIN_LINK)
    agent.driver.do(lambda each, now: each.follow(now))
    try:
        yield agent, f"127.0.0.1:{port}"
    finally:
        await agent.close()


class BackgroundBorderAgent:
    """The same on a thread of its own, for synchronous tests; `call` runs something on its loop."""

    def __init__(self, settings: BorderAgentSettings | None = None) -> None:
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="border agent", daemon=True)
        self.agent: UdpBorderAgent
        self.address = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self.call(self._open)
        return self

    async def _open(self) -> None:
        self._running = border_agent(settings=self._settings)
        self.agent, self.address = await self._running.__aenter__()

    def call(self, work: Callable[[], Coroutine[Any, Any, ResultT]]) -> ResultT:
        """Run a coroutine function there and give its result."""
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result(30)

    def __exit__(self, *reason: object) -> None:
        self.call(lambda: self._running.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()


async def join_by(agent: UdpBorderAgent, eui64: bytes, pskd: str) -> None:
    """A joiner at the agent's joiner port, from the moment that a Commissioner says who may join."""
    port = await agent.listen(JOINER_LINK)
    router = Endpoint("127.0.0.1", port)
    joiner = EngineDriver(Joiner(router, eui64, pskd, counting_entropy(20)), agent.clock, on_event=agent.note)
    path = await UdpClient.open(router, joiner.deliver, lambda: None)
    joiner.port = path
    agent.others.append(path)
    agent.when[CommissionerDatasetChanged] = lambda: _begin(agent, joiner)


def _begin(agent: UdpBorderAgent, joiner: EngineDriver[Joiner]) -> None:
    del agent.when[CommissionerDatasetChanged]
    joiner.do(lambda each, now: each.start(now))
