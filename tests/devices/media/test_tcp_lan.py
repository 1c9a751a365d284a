"""TCP of virtual time: octets in order under whatever fault, and the ends that TCP has."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.media.abrupt import Order, steps_in
from devices.media.lan import Lan
from devices.media.medium import Flight
from devices.media.tcp_lan import End
from devices.sim.clock import Clock
from pairing.engine import Endpoint, Micros
from tests.support.media import virtually

S = 1_000_000


class Rule:
    """A wire fault that a test turns."""

    def __init__(self) -> None:
        self.lost: set[str] = set()
        self.fates: list[int | None] = []
        self.is_forgetful = False
        self.wakes: Micros | None = None

    def apply(self, flight: Flight) -> Sequence[Flight]:
        fate = self.fates.pop(0) if self.fates and flight.payload else 0
        return () if flight.sender in self.lost or fate is None else (flight.delayed(fate),)

    def forgets(self, flight: Flight) -> bool:
        return self.is_forgetful

    def wakes_us(self, flight: Flight) -> Micros | None:
        return self.wakes


class Side(asyncio.Protocol):
    """Writes down what happens to it, with the times."""

    transport: End

    def __init__(self, clock: Clock) -> None:
        self.log: list[tuple[float, object]] = []
        self._clock = clock

    def _note(self, what: object) -> None:
        self.log.append((self._clock.now() / S, what))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, End)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._note(data)

    def eof_received(self) -> bool:
        self._note("eof")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._note(exc if exc is None else type(exc).__name__)

    def pause_writing(self) -> None:
        self._note("full")

    def resume_writing(self) -> None:
        self._note("empty")


Story = Callable[[Clock, Rule, Side, Side], Awaitable[None]]


def _play(story: Story) -> tuple[Side, Side]:
    """A story of a client and its server, from the moment when they are connected: at 2 ms."""

    async def play(clock: Clock) -> tuple[Side, Side]:
        lan, rule, server, client = Lan(clock), Rule(), Side(clock), Side(clock)
        lan.rules.append(rule)
        own = Endpoint(lan.host_of("server"), 80)
        lan.tcp.listen(own, lambda: server)
        await lan.tcp.connect("client", lan.host_of("client"), own, client)
        await story(clock, rule, client, server)
        await clock.sleep(600 * S)
        return client, server

    return virtually(play)


def test_octets_and_the_end_arrive_a_millisecond_later() -> None:
    async def story(clock: Clock, rule: Rule, client: Side, server: Side) -> None:
        client.transport.write(b"hello")
        client.transport.close()

    client, server = _play(story)
    assert server.log == [(0.003, b"hello"), (0.003, "eof"), (0.003, None)]
    assert client.log == [(0.002, None)]


def test_what_is_lost_is_sent_again_and_nothing_overtakes_it() -> None:
    async def story(clock: Clock, rule: Rule, client: Side, server: Side) -> None:
        rule.fates = [None]
        client.transport.write(b"first")
        client.transport.write(b"second")

    _, server = _play(story)
    assert server.log == [(0.203, b"first"), (0.203, b"second")]


def test_who_cuts_off_is_noticed_by_a_reset() -> None:
    async def story(clock: Clock, rule: Rule, client: Side, server: Side) -> None:
        server.transport.abort()

    client, server = _play(story)
    assert client.log == [(0.003, "ConnectionResetError")]
    assert server.log == [(0.002, None)]


def test_who_closes_under_a_fault_that_forgets_answers_the_next_word_that_gets_through_with_a_reset() -> None:
    async def story(clock: Clock, rule: Rule, client: Side, server: Side) -> None:
        rule.lost, rule.is_forgetful = {"client", "server"}, True
        server.transport.close()
        await clock.sleep(60 * S)
        rule.lost = set()
        await clock.sleep(60 * S)
        assert client.log == []
        client.transport.write(b"anyone?")

    client, _ = _play(story)
    assert client.log == [(120.004, "ConnectionResetError")]


def test_a_sleeper_sends_what_it_wrote_when_it_wakes() -> None:
    async def story(clock: Clock, rule: Rule, client: Side, server: Side) -> None:
        rule.lost, rule.wakes = {"client"}, 900 * S
        client.transport.write(b"good night")
        await clock.sleep(500 * S)

    _, server = _play(story)
    assert server.log == [(900.001, b"good night")]


def test_a_port_without_a_listener_refuses() -> None:
    async def story(clock: Clock, rule: Rule, client: Side, server: Side) -> None:
        lan = client.transport.tcp.medium
        assert isinstance(lan, Lan)
        port = lan.join("server", lambda flight: None)
        with pytest.raises(ConnectionRefusedError):
            await lan.tcp.connect("client", lan.host_of("client"), Endpoint(lan.host_of("server"), 81), Side(clock))
        port.close()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(100):
                await lan.tcp.connect("client", lan.host_of("client"), Endpoint(lan.host_of("server"), 81), Side(clock))

    client, server = _play(story)
    assert (client.log, server.log) == ([], [])


def test_a_reader_that_pauses_holds_its_writer_up() -> None:
    async def story(clock: Clock, rule: Rule, client: Side, server: Side) -> None:
        server.transport.pause_reading()
        for _ in range(5):
            client.transport.write(bytes(65_536))
        await clock.sleep(S)
        assert client.log == [(0.002, "full")]
        server.transport.resume_reading()

    client, server = _play(story)
    assert client.log[1:] == [(1.002, "empty")]
    assert sum(len(each) for _, each in server.log if isinstance(each, bytes)) == 5 * 65_536


@pytest.mark.parametrize(
    ("order", "seen"),
    [
        ("at-once", [(1.004, "ConnectionResetError")]),
        ("read-first", [(1.004, "eof"), (1.004, None)]),
        ("write-first", [(0.004, "eof"), (0.004, None)]),
    ],
)
def test_each_order_of_an_abrupt_end_is_seen_as_such(order: Order, seen: list[tuple[float, object]]) -> None:
    async def story(clock: Clock, rule: Rule, client: Side, server: Side) -> None:
        await clock.sleep(1_000)
        server.transport.play(steps_in(order, S))
        client.transport.write(b"pending")

    client, server = _play(story)
    assert client.log == seen
    assert [each for _, each in server.log if each == b"pending"] == ([b"pending"] if order == "write-first" else [])


@given(st.lists(st.sampled_from([0, 1, 300_000, None]), max_size=8))
def test_whatever_is_lost_or_late_all_arrive_once_and_in_order(fates: list[int | None]) -> None:
    async def story(clock: Clock, rule: Rule, client: Side, server: Side) -> None:
        rule.fates = list(fates)
        for number in range(len(fates)):
            client.transport.write(bytes((number,)))

    _, server = _play(story)
    assert [octets for _, octets in server.log] == [bytes((number,)) for number in range(len(fates))]
