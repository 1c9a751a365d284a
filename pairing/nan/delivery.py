"""Sees one unicast frame to its receiver: waits for the medium's report, and sends the frame again if it was lost.

A medium that tells nothing is believed to deliver: silence counts as arrival. What follows is the owner's decision.
Source: IEEE 802.11-2020, 10.3.2.11 (acknowledgement); the repetitions stand for those of a radio.
"""

from enum import Enum

from pairing.engine import MILLISECOND, Micros, Transmit


class DeliveryState(Enum):
    """What became of the frame."""

    IDLE = "idle"
    SENT = "sent"
    REPEATING = "repeating"  # lost; it is sent again in a moment
    DELIVERED = "delivered"
    LOST = "lost"  # every try was lost


class Delivery:
    """One frame at a time; `send` begins with another one."""

    def __init__(self, *, wait: Micros = 100 * MILLISECOND, repeat: Micros = 100 * MILLISECOND, tries: int = 8) -> None:
        self.state = DeliveryState.IDLE
        self.is_reported = False
        """Whether the medium told of the arrival; otherwise it is believed."""
        self.outstanding = 0
        """Copies on their way of which the medium has not told."""
        self._wait = wait
        self._repeat = repeat
        self._tries = tries
        self._left = 0
        self._pause = repeat
        self._frame: Transmit | None = None
        self._due: Micros | None = None

    @property
    def deadline(self) -> Micros | None:
        """When the frame is sent again, or counts as arrived."""
        return self._due

    def send(
        self, frame: Transmit, now: Micros, *, tries: int | None = None, repeat: Micros | None = None
    ) -> list[Transmit]:
        """Send a frame for the first time, or the same one for as many tries more; other tries for one that matters."""
        if self._frame is None or self._frame.payload != frame.payload:
            self.outstanding = 0
        self._frame = frame
        self._left = self._tries if tries is None else tries
        self._pause = self._repeat if repeat is None else repeat
        self.is_reported = False
        return self._send(now)

    def report(self, payload: bytes, is_acknowledged: bool, now: Micros) -> bool:
        """The medium tells of a frame; whether it is this one, and news."""
        if self._frame is None or payload != self._frame.payload:
            return False
        self.outstanding = max(self.outstanding - 1, 0)
        if is_acknowledged:
            self.state, self._due, self.is_reported = DeliveryState.DELIVERED, None, True
        elif self.state is DeliveryState.SENT:
            is_last = not self._left
            self.state = DeliveryState.LOST if is_last else DeliveryState.REPEATING
            self._due = None if is_last else now + self._pause
        return True

    def handle_timeout(self, now: Micros) -> list[Transmit]:
        """Send again what was lost; believe that what nobody told of has arrived."""
        if self._due is None or now < self._due:
            return []
        if self.state is DeliveryState.REPEATING:
            return self._send(now)
        self.state, self._due = DeliveryState.DELIVERED, None
        return []

    def again(self) -> list[Transmit]:
        """The frame once more, without a wait of its own."""
        return [] if self._frame is None else [self._frame]

    def resend(self, now: Micros) -> list[Transmit]:
        """The frame once more, since the receiver asks for it; its fate counts anew unless all is settled."""
        if self._frame is None:
            return []
        return self.send(self._frame, now)

    def stop(self) -> None:
        """Care no more."""
        self.state, self._due, self._frame, self.outstanding = DeliveryState.IDLE, None, None, 0

    def _send(self, now: Micros) -> list[Transmit]:
        self._left -= 1
        self.outstanding += 1
        self.state, self._due = DeliveryState.SENT, now + self._wait
        return self.again()
