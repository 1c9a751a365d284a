"""Streams of octets with one face, on sockets and in memory, so that a service does not know which it speaks on."""

import asyncio
import contextlib
from typing import Protocol

CHUNK = 65_536
_MEMORY = 65_536
"""Octets on their way in memory before the writer has to wait."""


class DataStream(Protocol):
    """Both directions of one connection."""

    async def read(self, limit: int = CHUNK) -> bytes:
        """Some octets; none at the end of what the other side says. Raises ConnectionError if it was cut off."""

    async def write(self, octets: bytes) -> None:
        """Say something; waits while the other side does not listen. Raises ConnectionError."""

    def finish(self) -> None:
        """Say no more; the other side may still."""

    def close(self) -> None:
        """Be done with it."""

    def abort(self) -> None:
        """Cut it off; the other side gets an error, or the end."""

    async def wait_closed(self) -> None:
        """Until nothing of it is left, after `close` or `abort`."""


class SocketStream:
    """A TCP or TLS connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, limit: int = CHUNK) -> bytes:
        return await self._reader.read(limit)

    async def write(self, octets: bytes) -> None:
        self._writer.write(octets)
        await self._writer.drain()

    def finish(self) -> None:
        if self._writer.can_write_eof():
            with contextlib.suppress(OSError):
                self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def wait_closed(self) -> None:
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class _Pipe:
    """One direction in memory."""

    def __init__(self) -> None:
        self._octets = bytearray()
        self._is_finished = False
        self._is_cut = False
        self._is_unread = False
        self._moved = asyncio.Event()

    async def take(self, limit: int) -> bytes:
        while not self._octets and not self._is_finished and not self._is_cut:
            await self._wait()
        if self._is_cut:
            raise ConnectionResetError("the connection was cut off")
        taken = bytes(self._octets[:limit])
        del self._octets[:limit]
        self._moved.set()
        return taken

    async def put(self, octets: bytes) -> None:
        if self._is_cut or self._is_finished or self._is_unread:
            raise BrokenPipeError("nobody reads this connection any more")
        self._octets += octets
        self._moved.set()
        while len(self._octets) > _MEMORY and not self._is_cut and not self._is_unread:
            await self._wait()

    def finish(self) -> None:
        self._is_finished = True
        self._moved.set()

    def leave_unread(self) -> None:
        self._is_unread = True
        self._octets.clear()
        self._moved.set()

    def cut(self) -> None:
        self._is_cut = True
        self._octets.clear()
        self._moved.set()

    async def _wait(self) -> None:
        # One side waits at a time: the writer only while there is something to read.
        self._moved.clear()
        await self._moved.wait()


class MemoryStream:
    """One end of a connection in memory."""

    def __init__(self, inward: _Pipe, outward: _Pipe) -> None:
        self._inward = inward
        self._outward = outward

    async def read(self, limit: int = CHUNK) -> bytes:
        return await self._inward.take(limit)

    async def write(self, octets: bytes) -> None:
        await self._outward.put(octets)

    def finish(self) -> None:
        self._outward.finish()

    def close(self) -> None:
        self._outward.finish()
        self._inward.leave_unread()

    def abort(self) -> None:
        self._inward.cut()
        self._outward.cut()

    async def wait_closed(self) -> None:
        pass


def memory_streams() -> tuple[MemoryStream, MemoryStream]:
    """The two ends of a new connection."""
    there, back = _Pipe(), _Pipe()
    return MemoryStream(back, there), MemoryStream(there, back)
