"""A web server's connection among those of a service: pages for a client, and the ends that a service can give it."""

import asyncio
from collections.abc import Sequence

from devices.accessories.data_services import WebPages
from devices.accessories.push_protocol import PushRoom
from devices.media.abrupt import CutStep, play_cut, reset
from devices.media.tcp_lan import End
from devices.service_events import Connected, Disconnected
from devices.transports.data_streams import SocketStream


class _Counting(SocketStream):
    """Counts the octets of both ways."""

    octets_in = octets_out = 0

    async def read(self, limit: int = 65_536) -> bytes:
        octets = await super().read(limit)
        self.octets_in += len(octets)
        return octets

    async def write(self, octets: bytes) -> None:
        self.octets_out += len(octets)
        await super().write(octets)


class WebConnection(asyncio.StreamReaderProtocol):
    """One client's; it stands in the room beside the push connections."""

    def __init__(self, room: PushRoom, pages: WebPages) -> None:
        super().__init__(asyncio.StreamReader(), self._accepted)
        self._room = room
        self._pages = pages
        self.raw: asyncio.Transport | None = None
        self._number = 0
        self._peer = ""
        self._reason = ""
        self._stream: _Counting | None = None
        self._work: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # TCP gives nothing else
        self._own = transport
        host, port = transport.get_extra_info("peername")[:2]
        self._peer = transport.get_extra_info("peer") or f"{host}:{port}"
        self._number = self._room.enter(self)
        secured = transport.get_extra_info("ssl_object")
        tls = self._room.plain_tls if secured is None else str(secured.version())
        self._room.emit(Connected(peer=self._peer, connection=self._number, tls=tls))
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if isinstance(exc, ConnectionResetError):
            self._reason = self._reason or "reset-by-peer"
        super().connection_lost(exc)
        self._over(self._reason or "closed-by-peer")

    def say(self, line: str) -> None:
        """A web client is told nothing unasked."""

    def close(self, reason: str) -> None:
        """End in peace."""
        self._reason = reason
        self._over(reason)
        self._own.close()

    def vanish(self) -> None:
        """Be gone, as when the plug is pulled."""
        self._over("power-off")
        if isinstance(self._own, End):
            self._own.vanish()
        else:
            reset(self._own)

    def cut(self, steps: Sequence[CutStep]) -> None:
        """End abruptly."""
        self._reason = "told"
        play_cut(self._room.clock, self.raw or self._own, steps, lambda: None)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._stream = _Counting(reader, writer)
        self._work = asyncio.ensure_future(self._converse(self._stream))

    async def _converse(self, stream: _Counting) -> None:
        try:
            await self._pages.converse(stream)
        except OSError:
            pass  # the other side has gone, which is its right
        finally:
            stream.close()

    def _over(self, reason: str) -> None:
        if self._work is not None:
            self._work.cancel()
        if self._room.leave(self._number):
            octets_in = 0 if self._stream is None else self._stream.octets_in
            octets_out = 0 if self._stream is None else self._stream.octets_out
            self._room.octets_in += octets_in
            self._room.octets_out += octets_out
            counts = {"octets_in": octets_in, "octets_out": octets_out}
            self._room.emit(Disconnected(peer=self._peer, connection=self._number, reason=reason, **counts))
