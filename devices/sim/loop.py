"""An asyncio loop on virtual time: when nothing is ready, time jumps to the next timer.

It refuses whatever lives in real time (sockets, servers, subprocesses) with `ClockError`: an unmodified client with a
timeout of ten seconds would otherwise fail at once.
"""

import asyncio
import math
import selectors
from collections.abc import Mapping
from typing import Any, NoReturn

from devices.errors import ClockError


class _JumpingSelector(selectors.BaseSelector):
    """Waits by moving the loop's time. Only the loop's own wake-up pipe is registered with the real selector."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.now_us = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready:
            return ready
        if timeout is None:
            raise ClockError("virtual time stands still: every party waits and no timer is set")
        # Rounded up, since a timer that is a fraction of a microsecond away would spin; a thousandth is float noise.
        self.now_us += max(0, math.ceil(timeout * 1_000_000 - 0.001))
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop whose `time()` is virtual seconds from 0 and which never sleeps."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = 5e-7  # half a microsecond: our times are whole microseconds

    def time(self) -> float:
        return self._jumping.now_us / 1_000_000

    async def create_connection(self, *_args: Any, **_options: Any) -> NoReturn:
        raise ClockError("a TCP connection lives in real time; start the home in real time")

    async def create_server(self, *_args: Any, **_options: Any) -> NoReturn:
        raise ClockError("a server lives in real time; start the home in real time")

    async def create_datagram_endpoint(self, *_args: Any, **_options: Any) -> NoReturn:
        raise ClockError("a UDP socket lives in real time; start the home in real time")

    async def create_unix_connection(self, *_args: Any, **_options: Any) -> NoReturn:
        raise ClockError("a Unix socket lives in real time; start the home in real time")

    async def create_unix_server(self, *_args: Any, **_options: Any) -> NoReturn:
        raise ClockError("a Unix socket lives in real time; start the home in real time")

    async def subprocess_exec(self, *_args: Any, **_options: Any) -> NoReturn:
        raise ClockError("another program lives in real time; start the home in real time")

    async def subprocess_shell(self, *_args: Any, **_options: Any) -> NoReturn:
        raise ClockError("another program lives in real time; start the home in real time")

    async def getaddrinfo(self, *_args: Any, **_options: Any) -> NoReturn:
        raise ClockError("a name look-up lives in real time; start the home in real time")

    def run_in_executor(self, *_args: Any) -> NoReturn:  # type: ignore[override]  # it refuses whatever comes
        raise ClockError("another thread lives in real time; start the home in real time")
