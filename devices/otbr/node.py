"""What the REST API needs of the border router that it belongs to."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from devices.otbr.engine import OtbrEngine
from pairing.engine import Micros, Outputs


class OtbrNode(Protocol):
    """The border router as its REST API sees it: an engine that someone drives, a clock, chance, and a journal."""

    @property
    def engine(self) -> OtbrEngine:
        """What is driven; the REST API reads it freely and changes it through `perform` only."""

    def now(self) -> Micros:
        """The time of the engine's clock."""

    def wall_clock(self, at: Micros) -> datetime:
        """The calendar time, with its zone, of a moment on the engine's clock."""

    def perform(self, intent: Callable[[Micros], Outputs]) -> Outputs:
        """Run an intent of the engine now, act on its outputs in order, arm its deadline. Lets its errors through."""

    def entropy(self, length: int) -> bytes:
        """So many random bytes."""

    def reserve_udp_port(self, port: int) -> int:
        """Bind a UDP port for an ephemeral key, any if 0, and say which. Raises TransportUnavailableError."""

    async def sleep(self, delay: Micros) -> None:
        """Let time pass on the engine's clock."""

    def record_request(self, method: str, path: str, status: int, peer: str | None) -> None:
        """A request was answered: for the journal."""

    def lie_told(self, lie: str, what: str) -> None:
        """A lie that is in force changed this answer."""
