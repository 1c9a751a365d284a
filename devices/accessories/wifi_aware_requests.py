"""What peers ask of a Wi-Fi Aware accessory and its owner has not answered yet, numbered, the oldest first.

A request is about a bootstrapping method, a pairing or a data path. Who decides is policy or verb; what an answer does
is the accessory's business.
"""

from dataclasses import dataclass, field
from enum import Enum

from devices.errors import ActionRefusedError


class Matter(Enum):
    """What a request is about."""

    BOOTSTRAPPING = "bootstrapping"
    PAIRING = "pairing"
    DATA_PATH = "data-path"
    CODE = "code"
    """Not a peer's: our own pairing waits for the code that the peer shows."""


@dataclass(frozen=True, slots=True)
class Request:
    """One open request."""

    number: int
    matter: Matter
    peer: bytes
    code_kind: str = ""
    """What the owner has to type to accept it; empty where nothing, or what we show."""
    password: str | None = field(default=None, repr=False)
    """What the peer has to prove, where we know it."""
    data_path: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What the owner says, and the code that he types."""

    is_accepted: bool
    code: str | None = field(default=None, repr=False)


class Requests:
    """The open requests of one accessory, and answers that were given before the question came."""

    def __init__(self) -> None:
        self._open: dict[int, Request] = {}
        self._early: dict[bytes, Reply | None] = {}
        self._last = 0

    @property
    def open(self) -> tuple[Request, ...]:
        """The oldest first."""
        return tuple(self._open.values())

    def add(
        self, matter: Matter, peer: bytes, *, code_kind: str = "", password: str | None = None, data_path: int = 0
    ) -> Request:
        """A peer has asked."""
        self._last += 1
        request = Request(self._last, matter, peer, code_kind, password, data_path)
        self._open[request.number] = request
        return request

    def is_open(self, request: Request) -> bool:
        """Whether it still waits."""
        return request.number in self._open

    def close(self, request: Request) -> None:
        """It has its answer, or nobody waits for one any more."""
        self._open.pop(request.number, None)

    def choose(self, number: int | None, peer: bytes | None) -> Request | None:
        """The request with that number or of that peer, by default the oldest. Raises ActionRefusedError."""
        if number is not None and number not in self._open:
            raise ActionRefusedError(f"no open request {number}")
        found = (each for each in self._open.values() if number in (None, each.number) and peer in (None, each.peer))
        return next(found, None)

    def drop(self, peer: bytes, matter: Matter) -> None:
        """The peer has given up, or is served."""
        for each in self.open:
            if each.peer == peer and each.matter is matter:
                self.close(each)

    def drop_data_path(self, data_path: int) -> None:
        """A data path has failed or opened."""
        for each in self.open:
            if each.matter is Matter.DATA_PATH and each.data_path == data_path:
                self.close(each)

    # Answers to a pairing request that is about to come.

    def expect(self, peer: bytes) -> None:
        """A peer has agreed on a method with us, so its pairing request is next."""
        self._early[peer] = None

    def unexpect(self, peer: bytes) -> Reply | None:
        """It has come, or will not; the answer that was given before."""
        return self._early.pop(peer, None)

    def foretell(self, reply: Reply, peer: bytes | None) -> bool:
        """Answer what is expected; False if nothing is."""
        for expected, known in self._early.items():
            if known is None and peer in (None, expected):
                self._early[expected] = reply
                return True
        return False

    @property
    def expected(self) -> tuple[bytes, ...]:
        """The peers whose pairing request is next."""
        return tuple(self._early)

    def clear(self) -> None:
        """Power is off."""
        self._open.clear()
        self._early.clear()
