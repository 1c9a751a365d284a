"""A border router and its clients in virtual time: datagrams take a millisecond, some get lost, deadlines fire."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from pairing.engine import MILLISECOND, Endpoint, Engine, Event, Micros, Outputs, Transmit
from pairing.thread.border_agent import EPHEMERAL_LINK, JOINER_LINK, MAIN_LINK, BorderAgent, BorderAgentSettings
from pairing.thread.network import Network
from tests.support.meshcop import leading_network
from tests.support.thread_network import counting_entropy

PORTS = {
    MAIN_LINK: Endpoint("192.0.2.1", 49153),
    EPHEMERAL_LINK: Endpoint("192.0.2.1", 49154),
    JOINER_LINK: Endpoint("192.0.2.1", 49155),
}
EventT = TypeVar("EventT", bound=Event)


@dataclass
class Client:
    """An engine that talks to one port of the border router."""

    engine: Engine
    address: Endpoint
    link: str
    events: list[Event] = field(default_factory=list)
    plugged: bool = True


class Wire:
    """One border router, any number of clients. `lost` says which datagrams never arrive, counted from 0."""

    def __init__(
        self,
        network: Network | None = None,
        settings: BorderAgentSettings | None = None,
        *,
        lost: Iterable[int] = (),
        seed: int = 0,
    ) -> None:
        self.now: Micros = 0
        self.network = network or leading_network()
        self.agent = BorderAgent(self.network, counting_entropy(seed + 1000), settings)
        self.events: list[Event] = []
        self.clients: dict[Endpoint, Client] = {}
        self.sent: list[tuple[str, bytes]] = []
        self.lost = set(lost)
        self._flying: list[tuple[Micros, int, Client, bool, bytes]] = []
        self.take(self.agent.follow(0))

    def add(self, engine: Engine, link: str = MAIN_LINK, host: str = "192.0.2.7", port: int | None = None) -> Client:
        """Plug a client in."""
        client = Client(engine, Endpoint(host, port or 50001 + len(self.clients)), link)
        self.clients[client.address] = client
        return client

    def do(self, client: Client, intent: Callable[[Micros], Outputs]) -> None:
        """An intent of a client's engine: `wire.do(phone, phone.engine.start)`."""
        self._take(client, intent(self.now))

    def take(self, outputs: Outputs) -> None:
        """What the border router or its network said."""
        for output in outputs:
            if not isinstance(output, Transmit):
                self.events.append(output)
                continue
            assert isinstance(output.to, Endpoint)
            client = self.clients.get(output.to._replace(link=""))
            if client is not None:
                assert output.to.link == client.link
                self._fly(client, False, output.payload)

    def inject(self, client: Client, payload: bytes, *, to_client: bool = False) -> None:
        """A datagram that no engine made."""
        self._fly(client, not to_client, payload)

    def run(self, duration: Micros) -> None:
        """Let time pass."""
        end = self.now + duration
        while (due := self._next()) is not None and due <= end:
            self.now = max(self.now, due)
            self._step()
        self.now = end

    def _next(self) -> Micros | None:
        waits = [each.engine.deadline for each in self.clients.values() if each.plugged]
        waits += [self.agent.deadline, self.network.deadline, *(at for at, *_ in self._flying)]
        return min((at for at in waits if at is not None), default=None)

    def _step(self) -> None:
        arrived = sorted((each for each in self._flying if each[0] <= self.now), key=lambda each: each[:2])[:1]
        for flight in arrived:
            self._flying.remove(flight)
            _, _, client, to_agent, payload = flight
            if to_agent:
                self.take(self.agent.receive(payload, client.address._replace(link=client.link), self.now))
            elif client.plugged:
                self._take(client, client.engine.receive(payload, PORTS[client.link], self.now))
        if arrived:
            return
        network_due = self.network.deadline
        if network_due is not None and network_due <= self.now:
            self.take(self.network.handle_timeout(self.now))
            self.take(self.agent.follow(self.now))
        if self.agent.deadline is not None and self.agent.deadline <= self.now:
            self.take(self.agent.handle_timeout(self.now))
        for client in self.clients.values():
            if client.plugged and client.engine.deadline is not None and client.engine.deadline <= self.now:
                self._take(client, client.engine.handle_timeout(self.now))

    def _take(self, client: Client, outputs: Outputs) -> None:
        for output in outputs:
            if isinstance(output, Transmit):
                assert output.to == PORTS[client.link]
                self._fly(client, True, output.payload)
            else:
                client.events.append(output)

    def _fly(self, client: Client, to_agent: bool, payload: bytes) -> None:
        number = len(self.sent)
        self.sent.append(("to-agent" if to_agent else "to-client", payload))
        if number not in self.lost:
            self._flying.append((self.now + MILLISECOND, number, client, to_agent, payload))


def only(events: Iterable[Event], kind: type[EventT]) -> list[EventT]:
    """The events of one class."""
    return [event for event in events if isinstance(event, kind)]


def last(events: Iterable[Event], kind: type[EventT]) -> EventT:
    """The last event of one class, which has to be there."""
    found = only(events, kind)
    assert found, f"no {kind.__name__}"
    return found[-1]
