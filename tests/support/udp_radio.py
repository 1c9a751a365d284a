"""A foreign stack that speaks raw frames over UDP to the hub of an air."""

import asyncio
import socket
from types import TracebackType
from typing import Self

GUARD_S = 10
"""Seconds after which a datagram that does not come is a failure."""


class UdpRadio:
    """One UDP socket on loopback. Use it in a `with`."""

    def __init__(self, hub: tuple[str, int]) -> None:
        self.hub = hub
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(("127.0.0.1", 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, datagram: bytes) -> None:
        """To the hub."""
        self.socket.sendto(datagram, self.hub)

    async def receive(self) -> bytes:
        """The next datagram from the hub."""
        async with asyncio.timeout(GUARD_S):
            return await asyncio.get_running_loop().sock_recv(self.socket, 65_536)
