"""One clock for real and virtual time: integer microseconds, timers ordered by (time, sequence).

The loop below it only supplies wake-ups, because asyncio's own heap leaves the order of equal times to chance.
"""

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from pairing.engine import Micros


@dataclass(order=True, slots=True)
class Timer:
    """A call that is due at `at_us`; `cancel()` takes it back."""

    at_us: Micros
    sequence: int
    action: Callable[[], None] | None = field(compare=False)

    def cancel(self) -> None:
        """The action will not run. Cancelling twice, or after it ran, does nothing."""
        self.action = None


class Clock:
    """Microseconds since the home was made, and the timers of every engine in it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, virtual: bool) -> None:
        self.virtual = virtual
        self._loop = loop
        self._start = loop.time()
        self._skipped: Micros = 0
        self._queue: list[Timer] = []
        self._sequence = 0
        self._wake: asyncio.TimerHandle | None = None
        self._wake_at: Micros | None = None
        self._held: Micros | None = None

    def now(self) -> Micros:
        """The time. While timers of one moment run during `advance`, it is that moment."""
        if self._held is not None:
            return self._held
        return round((self._loop.time() - self._start) * 1_000_000) + self._skipped

    def call_at(self, at_us: Micros, action: Callable[[], None]) -> Timer:
        """Run `action` at `at_us`, or as soon as possible when that has passed."""
        timer = Timer(at_us, self._sequence, action)
        self._sequence += 1
        heapq.heappush(self._queue, timer)
        self._arm()
        return timer

    def call_later(self, delay_us: Micros, action: Callable[[], None]) -> Timer:
        """Run `action` after `delay_us`."""
        return self.call_at(self.now() + delay_us, action)

    async def sleep(self, delay_us: Micros) -> None:
        """Wait on this clock; unlike asyncio.sleep it follows `advance`."""
        reached: asyncio.Future[None] = self._loop.create_future()

        def wake() -> None:
            if not reached.done():
                reached.set_result(None)

        timer = self.call_later(delay_us, wake)
        try:
            await reached
        finally:
            timer.cancel()

    def advance(self, delta_us: Micros) -> None:
        """Skip `delta_us`: every timer due by then fires now, in order, each at its own moment."""
        target = self.now() + delta_us
        reached = self.now()
        try:
            while self._queue and self._queue[0].at_us <= target:
                timer = heapq.heappop(self._queue)
                if timer.action is not None:
                    reached = self._held = max(timer.at_us, self.now())
                    action, timer.action = timer.action, None
                    action()
            reached = target
        finally:
            self._held = None
            self._skipped += max(0, reached - self.now())
            # The wake-up under way was meant for a time without the skip.
            self._unarm()
            self._arm()

    def close(self) -> None:
        """Drop every timer."""
        self._queue.clear()
        self._unarm()

    def _unarm(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None

    def _arm(self) -> None:
        if not self._queue:
            return
        due = self._queue[0].at_us
        if self._wake is not None:
            if self._wake_at is not None and self._wake_at <= due:
                return
            self._wake.cancel()
        self._wake_at = due
        when = self._start + (due - self._skipped) / 1_000_000
        self._wake = self._loop.call_at(when, self._fire)

    def _fire(self) -> None:
        self._wake = None
        # What becomes due while these run waits for the next turn, so that a burst cannot starve the loop.
        now = self.now()
        due: list[Timer] = []
        while self._queue and self._queue[0].at_us <= now:
            due.append(heapq.heappop(self._queue))
        try:
            for index, timer in enumerate(due):
                if timer.action is not None:
                    action, timer.action = timer.action, None
                    try:
                        action()
                    except BaseException:
                        for rest in due[index + 1 :]:
                            heapq.heappush(self._queue, rest)
                        raise
        finally:
            self._arm()
