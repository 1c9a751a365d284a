"""The clock: order of timers, cancelling, `advance`, and what an action that fails leaves behind."""

import asyncio
from collections.abc import Callable

import pytest

from devices.sim.clock import Clock
from tests.support.media import virtually


class HandLoop:
    """Stands in for a real loop whose time a test moves by hand; keeps the wake-ups that the clock asked for."""

    def __init__(self) -> None:
        self.at = 100.0
        self.wakes: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.at

    def call_at(self, when: float, action: Callable[[], None]) -> "HandLoop.Wake":
        entry = (when, action)
        self.wakes.append(entry)
        return HandLoop.Wake(self, entry)

    def run_to(self, at: float) -> None:
        while self.wakes and min(self.wakes)[0] <= at:
            entry = min(self.wakes)
            self.wakes.remove(entry)
            self.at = max(self.at, entry[0])
            entry[1]()
        self.at = at

    class Wake:
        def __init__(self, loop: "HandLoop", entry: tuple[float, Callable[[], None]]) -> None:
            self.loop, self.entry = loop, entry

        def cancel(self) -> None:
            if self.entry in self.loop.wakes:
                self.loop.wakes.remove(self.entry)


def by_hand() -> tuple[Clock, HandLoop]:
    loop = HandLoop()
    return Clock(loop, virtual=False), loop  # type: ignore[arg-type]  # it has the two methods that a clock uses


def test_timers_of_one_moment_run_in_the_order_in_which_they_were_set() -> None:
    async def story(clock: Clock) -> list[str]:
        ran: list[str] = []
        for name in "abcdefgh":
            clock.call_at(5_000, lambda name=name: ran.append(name))  # type: ignore[misc]
        clock.call_at(4_999, lambda: ran.append("first"))
        await clock.sleep(5_001)
        return ran

    assert virtually(story) == ["first", *"abcdefgh"]


def test_each_timer_runs_at_exactly_its_microsecond_in_virtual_time() -> None:
    moments = [1, 2, 3, 1_000, 999_999, 7_000_000, 86_400_000_001, 30_000_000_000_003]

    async def story(clock: Clock) -> list[int]:
        seen: list[int] = []
        for moment in moments:
            clock.call_at(moment, lambda: seen.append(clock.now()))
        await clock.sleep(moments[-1] + 1)
        return seen

    assert virtually(story) == moments


def test_a_cancelled_timer_does_not_run_and_may_be_cancelled_twice() -> None:
    async def story(clock: Clock) -> list[str]:
        ran: list[str] = []
        timer = clock.call_at(10, lambda: ran.append("cancelled"))
        clock.call_at(10, lambda: ran.append("kept"))
        timer.cancel()
        timer.cancel()
        await clock.sleep(20)
        return ran

    assert virtually(story) == ["kept"]


def test_a_timer_in_the_past_runs_as_soon_as_possible_and_never_inside_the_call() -> None:
    async def story(clock: Clock) -> tuple[list[int], int]:
        await clock.sleep(1_000)
        seen: list[int] = []
        clock.call_at(5, lambda: seen.append(clock.now()))
        before = len(seen)
        await clock.sleep(1)
        return seen, before

    assert virtually(story) == ([1_000], 0)


def test_an_action_may_set_a_timer_for_the_same_moment() -> None:
    async def story(clock: Clock) -> list[tuple[str, int]]:
        seen: list[tuple[str, int]] = []

        def outer() -> None:
            seen.append(("outer", clock.now()))
            clock.call_later(0, lambda: seen.append(("inner", clock.now())))

        clock.call_at(50, outer)
        clock.call_at(50, lambda: seen.append(("sibling", clock.now())))
        await clock.sleep(51)
        return seen

    assert virtually(story) == [("outer", 50), ("sibling", 50), ("inner", 50)]


def test_close_drops_every_timer() -> None:
    clock, loop = by_hand()
    ran: list[int] = []
    clock.call_at(10, lambda: ran.append(1))
    clock.close()
    loop.run_to(200.0)
    assert ran == []
    assert loop.wakes == []


def test_advance_fires_what_is_due_each_at_its_own_moment_and_in_order() -> None:
    clock, _ = by_hand()
    seen: list[tuple[str, int]] = []
    clock.call_at(3_000_000, lambda: seen.append(("late", clock.now())))
    clock.call_at(1_000_000, lambda: seen.append(("early", clock.now())))
    clock.call_at(9_000_000, lambda: seen.append(("not yet", clock.now())))
    clock.advance(5_000_000)
    assert seen == [("early", 1_000_000), ("late", 3_000_000)]
    assert clock.now() == 5_000_000


def test_advance_fires_what_an_action_sets_within_the_span() -> None:
    clock, _ = by_hand()
    seen: list[int] = []

    def tick() -> None:
        seen.append(clock.now())
        clock.call_later(1_000_000, tick)

    clock.call_later(1_000_000, tick)
    clock.advance(3_500_000)
    assert seen == [1_000_000, 2_000_000, 3_000_000]


def test_after_advance_a_timer_comes_sooner_by_what_was_skipped() -> None:
    clock, loop = by_hand()
    seen: list[float] = []
    clock.call_at(10_000_000, lambda: seen.append(loop.time()))
    clock.advance(6_000_000)
    loop.run_to(120.0)
    assert seen == [pytest.approx(104.0)]


def test_an_action_that_fails_in_advance_leaves_the_clock_running() -> None:
    clock, loop = by_hand()

    def fail() -> None:
        raise RuntimeError("on purpose")

    seen: list[int] = []
    clock.call_at(1_000_000, fail)
    clock.call_at(2_000_000, lambda: seen.append(clock.now()))
    with pytest.raises(RuntimeError, match="on purpose"):
        clock.advance(1_500_000)
    loop.run_to(loop.time() + 10)
    assert seen == [2_000_000]
    assert clock.now() >= 2_000_000


def test_an_action_that_fails_does_not_take_the_others_of_its_moment_with_it() -> None:
    clock, loop = by_hand()
    seen: list[str] = []

    def fail() -> None:
        raise RuntimeError("on purpose")

    clock.call_at(1_000_000, fail)
    clock.call_at(1_000_000, lambda: seen.append("second"))
    with pytest.raises(RuntimeError, match="on purpose"):
        loop.run_to(101.5)
    loop.run_to(102.0)
    assert seen == ["second"]


def test_a_sleep_that_is_cancelled_leaves_no_timer() -> None:
    async def story(clock: Clock) -> int:
        task = asyncio.ensure_future(clock.sleep(1_000_000))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await clock.sleep(10)
        return clock.now()

    assert virtually(story) == 10


def test_real_time_goes_on_while_the_clock_is_advanced() -> None:
    clock, loop = by_hand()
    clock.advance(60_000_000)
    loop.at += 2.5
    assert clock.now() == 62_500_000
