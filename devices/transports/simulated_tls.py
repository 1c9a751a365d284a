"""What stands for TLS in virtual time: a hello and an answer in the open, then the octets as they are.

The hello says which version is wanted and which ticket the client has; the answer says whether the session is resumed
and gives the next ticket, where there is one. Losing, stalling or cutting it ends a handshake as it would a real one.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_HELLO = 200
_HELLO, _FINISHED = b"simulated TLS hello", b"simulated TLS finished"


@dataclass(frozen=True, slots=True)
class Shaken:
    """What came of a handshake."""

    version: str
    resumed: bool
    ticket: str


Ticket = str
Answer = Callable[[str, Ticket], Shaken]
"""A server's: from the version that is wanted and the ticket that is shown, empty where there is none."""


class SimulatedTlsServer(asyncio.Protocol):
    """Answers one hello and hands the connection to the protocol that `inner` makes."""

    def __init__(
        self,
        answer: Answer,
        inner: Callable[[Shaken], asyncio.Protocol],
        failed: Callable[[str, asyncio.BaseTransport], None],
    ) -> None:
        self._answer = answer
        self._inner = inner
        self._failed = failed
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # TCP gives nothing else
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        line, end, rest = (self._heard + data).partition(b"\n")
        if not end and len(line) <= LONGEST_HELLO:
            self._heard = line
            return
        words = line.removeprefix(_HELLO).decode("ascii", "replace").split()
        if not line.startswith(_HELLO) or not 1 <= len(words) <= 2:
            self._failed("no hello of simulated TLS", self._transport)
            self._transport.abort()
            return
        shaken = self._answer(words[0], words[1] if len(words) == 2 else "")
        how = "resumed" if shaken.resumed else "full"
        self._transport.write(_FINISHED + f" {shaken.version} {how} {shaken.ticket}\n".encode())
        _hand_over(self._transport, self._inner(shaken), rest)

    def connection_lost(self, exc: Exception | None) -> None:
        self._failed("cut off before the hello" if exc is not None else "closed before the hello", self._transport)


class SimulatedTlsClient(asyncio.Protocol):
    """Says hello; `shaken` is what came of it, or the error that ended it."""

    def __init__(self, version: str, ticket: Ticket, inner: asyncio.Protocol) -> None:
        self.shaken: asyncio.Future[Shaken] = asyncio.get_running_loop().create_future()
        self._hello = _HELLO + f" {version} {ticket}\n".encode()
        self._inner = inner
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # TCP gives nothing else
        self._transport = transport
        transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        line, end, rest = (self._heard + data).partition(b"\n")
        if not end:
            self._heard = line
            return
        version, how, *ticket = line.removeprefix(_FINISHED).decode("ascii", "replace").split()
        if not self.shaken.done():
            self.shaken.set_result(Shaken(version, how == "resumed", "".join(ticket)))
        _hand_over(self._transport, self._inner, rest)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.shaken.done():
            self.shaken.set_exception(exc or ConnectionAbortedError("closed during the handshake"))
            self.shaken.exception()  # looked at, for whoever has stopped waiting


def _hand_over(transport: asyncio.Transport, inner: asyncio.Protocol, rest: bytes) -> None:
    transport.set_protocol(inner)
    inner.connection_made(transport)
    if rest:
        inner.data_received(rest)
