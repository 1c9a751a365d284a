"""Deadlines by key, with the earliest at hand, and random delays: what an engine with many timers is made of."""

import heapq
from itertools import count
from typing import Generic, TypeVar

from pairing.engine import Entropy, Micros

K = TypeVar("K")
_SLACK = 64  # deadlines that were moved stay in the heap until they are this many more than the others


def draw(entropy: Entropy, low: Micros, high: Micros) -> Micros:
    """A random time from `low` to `high`."""
    return low + int.from_bytes(entropy(4), "big") % (high - low + 1)


class Timers(Generic[K]):
    """One deadline a key. Equal deadlines fire in the order they were set."""

    def __init__(self) -> None:
        self._heap: list[tuple[Micros, int, K]] = []
        self._current: dict[K, int] = {}
        self._sequence = count()

    def set(self, key: K, at: Micros) -> None:
        """Set or move the key's deadline."""
        sequence = next(self._sequence)
        self._current[key] = sequence
        heapq.heappush(self._heap, (at, sequence, key))
        if len(self._heap) > 2 * len(self._current) + _SLACK:
            self._heap = [item for item in self._heap if self._current.get(item[2]) == item[1]]
            heapq.heapify(self._heap)

    def cancel(self, key: K) -> None:
        """Forget the key's deadline, if it has one."""
        self._current.pop(key, None)

    def clear(self) -> None:
        """Forget every deadline."""
        self._heap.clear()
        self._current.clear()

    @property
    def next(self) -> Micros | None:
        """The earliest deadline."""
        while self._heap and self._current.get(self._heap[0][2]) != self._heap[0][1]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: Micros) -> list[K]:
        """Take out the keys whose deadline has come, earliest first."""
        keys = []
        while (at := self.next) is not None and at <= now:
            key = heapq.heappop(self._heap)[2]
            del self._current[key]
            keys.append(key)
        return keys
