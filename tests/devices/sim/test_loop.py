"""The virtual-time loop: jumps, never sleeps, and refuses what lives in real time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from devices.errors import ClockError
from devices.sim.loop import VirtualTimeLoop


@pytest.fixture
def loop() -> Iterator[VirtualTimeLoop]:
    virtual = VirtualTimeLoop()
    yield virtual
    virtual.close()


def test_it_starts_at_zero_and_jumps_to_the_next_timer(loop: VirtualTimeLoop) -> None:
    assert loop.time() == 0
    loop.run_until_complete(asyncio.sleep(3_600))
    assert loop.time() == 3_600


def test_a_virtual_year_takes_no_real_time(loop: VirtualTimeLoop) -> None:
    before = time.monotonic()
    loop.run_until_complete(asyncio.sleep(365 * 86_400))
    assert loop.time() == 365 * 86_400
    assert time.monotonic() - before < 60


def test_sleepers_wake_in_the_order_of_their_times(loop: VirtualTimeLoop) -> None:
    woke: list[int] = []

    async def sleeper(seconds: int) -> None:
        await asyncio.sleep(seconds)
        woke.append(seconds)

    async def story() -> None:
        await asyncio.gather(*(sleeper(seconds) for seconds in (5, 1, 4, 2, 3)))

    loop.run_until_complete(story())
    assert woke == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("seconds", [1e-7, 4.9e-7, 5e-7, 9.9e-7, 1e-6, 1.5e-6])
def test_a_sleep_of_a_fraction_of_a_microsecond_ends(loop: VirtualTimeLoop, seconds: float) -> None:
    loop.run_until_complete(asyncio.sleep(seconds))
    assert loop.time() <= 2e-6


def test_a_timeout_fires_in_virtual_time(loop: VirtualTimeLoop) -> None:
    async def story() -> None:
        await asyncio.wait_for(asyncio.Event().wait(), 10)

    with pytest.raises(asyncio.TimeoutError):
        loop.run_until_complete(story())
    assert loop.time() == 10


def test_waiting_for_nothing_is_a_named_error(loop: VirtualTimeLoop) -> None:
    waiting = loop.create_future()
    with pytest.raises(ClockError, match="virtual time stands still"):
        loop.run_until_complete(waiting)


REAL: dict[str, Callable[[asyncio.AbstractEventLoop], Awaitable[object]]] = {
    "tcp connection": lambda loop: loop.create_connection(asyncio.Protocol, "127.0.0.1", 9),
    "server": lambda loop: loop.create_server(asyncio.Protocol, "127.0.0.1", 0),
    "udp socket": lambda loop: loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0)),
    "unix connection": lambda loop: loop.create_unix_connection(asyncio.Protocol, "/nowhere"),
    "unix server": lambda loop: loop.create_unix_server(asyncio.Protocol, "/nowhere"),
    "program": lambda loop: loop.subprocess_exec(asyncio.SubprocessProtocol, "true"),
    "shell": lambda loop: loop.subprocess_shell(asyncio.SubprocessProtocol, "true"),
    "name look-up": lambda loop: loop.getaddrinfo("localhost", 80),
    "thread": lambda loop: loop.run_in_executor(None, int),
}


@pytest.mark.parametrize("what", sorted(REAL))
def test_whatever_lives_in_real_time_is_refused_by_name(loop: VirtualTimeLoop, what: str) -> None:
    async def story() -> None:
        await REAL[what](loop)

    with pytest.raises(ClockError, match="real time"):
        loop.run_until_complete(story())


def test_the_loop_is_usable_after_a_refusal(loop: VirtualTimeLoop) -> None:
    with pytest.raises(ClockError):
        loop.run_until_complete(loop.create_future())
    loop.run_until_complete(asyncio.sleep(1))
    assert loop.time() == 1


def test_a_call_from_another_thread_is_heard(loop: VirtualTimeLoop) -> None:
    import threading

    async def story() -> str:
        heard: asyncio.Future[str] = loop.create_future()
        thread = threading.Thread(target=lambda: loop.call_soon_threadsafe(heard.set_result, "heard"))
        thread.start()
        thread.join()
        return await heard

    assert loop.run_until_complete(story()) == "heard"
