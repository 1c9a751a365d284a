"""One direction of a TCP connection under wire faults: segments in their order, each when it is due.

A segment that is lost is sent again after 200 ms, then after twice as long each time, a minute at most (RFC 6298, 5); a
FIN eight times in all.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from devices.sim.clock import Clock, Timer
from pairing.engine import MILLISECOND, SECOND, Micros

_FIRST_RETRY, _LONGEST_RETRY = 200 * MILLISECOND, 60 * SECOND
_MOST_FINS = 8


class Mark(Enum):
    """What stands where octets end."""

    OPEN = "a connection is asked for, or made"
    END = "no more octets"
    CLOSED = "closed in peace"
    LOST = "cut off"


@dataclass(slots=True)
class _Segment:
    octets: bytes
    mark: Mark | None
    due: Micros | None
    retry: Micros = _FIRST_RETRY
    tries: int = 1


class Way:
    """One direction: segments in their order, each when it is due."""

    def __init__(
        self,
        clock: Clock,
        due: Callable[[bytes], Micros | None],
        deliver: Callable[[bytes, Mark | None], None],
        give_up: Callable[[], None],
    ) -> None:
        self.waiting = 0
        self._give_up = give_up
        self._clock = clock
        self._due = due
        self._deliver = deliver
        self._segments: deque[_Segment] = deque()
        self._alarm: Timer | None = None
        self.is_held = False

    @property
    def is_stuck(self) -> bool:
        """Whether what stands first was lost the last time that it was sent."""
        return bool(self._segments) and self._segments[0].due is None

    @property
    def first(self) -> Mark | None:
        """The mark of what stands first."""
        return self._segments[0].mark if self._segments else None

    def push(self, octets: bytes, mark: Mark | None = None) -> None:
        """Send octets, or a mark, behind what is under way."""
        due = self._due(octets)
        if not self._segments and not self.is_held and due is not None and due <= self._clock.now():
            self._deliver(octets, mark)
            return
        self.waiting += len(octets)
        self._segments.append(_Segment(octets, mark, due))
        if len(self._segments) == 1:
            self._arm()

    def hold(self, is_held: bool) -> None:
        """The reader does not want more now, or wants it again."""
        self.is_held = is_held
        self._arm()

    def clear(self) -> None:
        """Forget what is under way."""
        self._segments.clear()
        self.waiting = 0
        self._arm()

    def _arm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._segments and not self.is_held:
            first, now = self._segments[0], self._clock.now()
            self._alarm = self._clock.call_at(now + first.retry if first.due is None else max(now, first.due), self._go)

    def _go(self) -> None:
        self._alarm = None
        while self._segments and not self.is_held:
            first = self._segments[0]
            if first.due is None:
                first.due = self._due(first.octets)
                first.retry = min(2 * first.retry, _LONGEST_RETRY)
                first.tries += 1
            if first.due is None and first.mark is Mark.CLOSED and first.tries >= _MOST_FINS:
                self._give_up()
                return
            if first.due is None or first.due > self._clock.now():
                break
            self._segments.popleft()
            self.waiting -= len(first.octets)
            self._deliver(first.octets, first.mark)
        self._arm()
