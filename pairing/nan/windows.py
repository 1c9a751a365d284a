"""Holds frames back until the next discovery window of the sender, or lets everything pass where windows are off.

Source: Wi-Fi Aware specification 4.0, section 3.2: service discovery frames are sent inside discovery windows.
"""

from pairing.engine import Micros, Transmit
from pairing.errors import LocalProtocolError
from pairing.nan.timing import DiscoveryWindows, Tsf


class WindowGate:
    """The way out of one engine. A frame that already waits is not queued twice."""

    def __init__(self, windows: DiscoveryWindows | None = None, tsf: Tsf | None = None) -> None:
        if windows is not None and not windows.committed:
            raise LocalProtocolError("a device that is awake in no discovery window cannot send in one")
        self._windows = windows
        self._tsf = tsf or Tsf()
        self._waiting: list[Transmit] = []
        self._opens_at: Micros | None = None

    @property
    def deadline(self) -> Micros | None:
        """When the window opens that frames wait for."""
        return self._opens_at

    def synchronise(self, tsf: Tsf, now: Micros) -> None:
        """The cluster's clock is another from now on."""
        self._tsf = tsf
        if self._waiting:
            self._opens_at = self._next_opening(now)

    def is_open(self, now: Micros) -> bool:
        """Whether frames go out, and group addressed ones are heard, at once."""
        return self._windows is None or self._windows.is_open(self._tsf.at(now))

    def asleep_until(self, now: Micros) -> Micros | None:
        """The TSF at which the next window opens; None while one is open."""
        if self._windows is None or self._windows.is_open(self._tsf.at(now)):
            return None
        return self._windows.next_start(self._tsf.at(now))

    def send(self, frame: Transmit, now: Micros) -> list[Transmit]:
        """The frame, if it may go now, behind those that waited."""
        if self.is_open(now):
            return [*self.flush(now), frame]
        if frame not in self._waiting:
            self._waiting.append(frame)
        self._opens_at = self._next_opening(now)
        return []

    def flush(self, now: Micros) -> list[Transmit]:
        """What waited for the window that is open now."""
        if not self._waiting:
            return []
        if not self.is_open(now):  # too early, or too late for the window that was waited for
            self._opens_at = self._next_opening(now)
            return []
        waiting, self._waiting, self._opens_at = self._waiting, [], None
        return waiting

    def _next_opening(self, now: Micros) -> Micros:
        asleep_until = self.asleep_until(now)
        return now if asleep_until is None else self._tsf.when(asleep_until)
