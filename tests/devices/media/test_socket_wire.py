"""Wire faults on real sockets: a plain client meets what TCP makes of them, and nothing is left behind."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from devices.accessories.data_services import Echo
from devices.media.abrupt import reset
from devices.media.lan import Lan
from devices.media.medium import Flight
from devices.media.socket_wire import SocketWire
from devices.sim.clock import Clock
from devices.transports.data_path import DataPathSession, SessionName
from devices.transports.sockets import listen_tcp
from devices.transports.web import serve_web
from tests.devices.transports.test_web import Application
from tests.support.media import KeepingTap

pytestmark = pytest.mark.asyncio


class Rule:
    """A wire fault that a test turns: `lost` senders, or how late everything is."""

    def __init__(self) -> None:
        self.lost: set[str] = set()
        self.late_us = 0
        self.copies = 1
        self.is_forgetful = False

    def apply(self, flight: Flight) -> Sequence[Flight]:
        if flight.sender in self.lost:
            return ()
        return (replace(flight, arrives_us=flight.arrives_us + self.late_us),) * self.copies

    def forgets(self, flight: Flight) -> bool:
        return self.is_forgetful


class EchoProtocol(asyncio.Protocol):
    """Says back what it hears, and remembers its end."""

    ended: "asyncio.Future[Exception | None]"
    transport: asyncio.Transport
    heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.ended = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.heard += data
        self.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set_result(exc)


class Table:
    """A server behind a wire, with a client at it."""

    def __init__(self) -> None:
        self.rule = Rule()
        self.tap = KeepingTap()
        self.clock = Clock(asyncio.get_running_loop(), virtual=False)
        self.lan = Lan(self.clock, (self.tap,))
        self.lan.rules.append(self.rule)
        self.wire = SocketWire(self.lan, "br")
        self.echo = EchoProtocol()


@asynccontextmanager
async def _table() -> AsyncIterator[tuple[Table, asyncio.StreamReader, asyncio.StreamWriter]]:
    table = Table()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: table.wire.protocol(table.echo), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    try:
        yield table, reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        table.wire.close()
        server.close()
        await server.wait_closed()


async def _turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_is_lost_on_either_way_arrives_once_it_is_sent_again() -> None:
    async with _table() as (table, reader, writer):
        for sender in ("gateway", "br"):
            table.rule.lost = {sender}
            writer.write(b"again")
            while ("br" if sender == "gateway" else "gateway", 0) not in table.tap.fates:
                await _turns()
            table.rule.lost = set()
            table.clock.advance(200_000)
            assert await reader.readexactly(5) == b"again"


async def test_what_is_late_comes_in_order() -> None:
    async with _table() as (table, reader, writer):
        table.rule.late_us = 30_000_000
        writer.write(b"one")
        while not table.tap.fates:
            await _turns()
        table.rule.late_us = 0
        writer.write(b"two")
        await _turns()
        table.clock.advance(30_000_000)
        assert await reader.readexactly(6) == b"onetwo"


async def test_copies_are_not_seen_by_who_reads() -> None:
    async with _table() as (table, reader, writer):
        table.rule.copies = 3
        writer.write(b"once")
        writer.write_eof()
        assert await reader.read() == b"once"
        assert await table.echo.ended is None


async def test_a_client_that_goes_is_noticed() -> None:
    async with _table() as (table, _, writer):
        reset(writer.transport)
        assert isinstance(await table.echo.ended, ConnectionError)


async def test_who_closes_under_a_fault_that_forgets_is_gone_and_the_client_gets_rst_at_its_next_word() -> None:
    async with _table() as (table, reader, writer):
        table.rule.lost, table.rule.is_forgetful = {"gateway", "br"}, True
        table.echo.transport.close()
        assert await table.echo.ended is None
        writer.write(b"into the void")
        while ("br", 0) not in table.tap.fates:
            await _turns()
        table.rule.lost = set()
        table.clock.advance(60_000_000)
        await _turns()
        assert not reader.at_eof()
        writer.write(b"anyone?")
        with pytest.raises(ConnectionResetError):
            await reader.read()


async def test_a_connection_that_a_fault_keeps_from_ending_ends_with_its_wire() -> None:
    async with _table() as (table, reader, _):
        table.rule.late_us = 600_000_000
        table.echo.transport.close()
        await _turns()
        assert not reader.at_eof()
        table.wire.close()
        assert await reader.read() == b""
        assert await table.echo.ended is None


async def test_a_connection_that_has_ended_by_itself_can_be_reset() -> None:
    async with _table() as (table, _, writer):
        writer.close()
        assert await table.echo.ended is None
        await _turns()
        reset(table.echo.transport)
        assert table.echo.transport.is_closing()


async def test_a_fin_that_is_lost_is_sent_again() -> None:
    async with _table() as (table, reader, _):
        table.rule.lost = {"br"}
        table.echo.transport.close()
        await _turns()
        assert not reader.at_eof()
        table.rule.lost = set()
        table.clock.advance(200_000)
        assert await reader.read() == b""
        assert await table.echo.ended is None


async def test_a_server_that_closes_is_given_nothing_more_that_was_under_way() -> None:
    async with _table() as (table, reader, writer):
        table.rule.lost, table.echo.heard = {"br", "gateway"}, b""
        writer.write(b"late")
        writer.write_eof()
        while ("br", 0) not in table.tap.fates:
            await _turns()
        table.echo.transport.close()
        table.rule.lost = set()
        table.clock.advance(1_000_000)
        assert await reader.read() == b""
        assert (await table.echo.ended, table.echo.heard) == (None, b"")


async def test_a_server_that_cuts_off_is_rid_of_it_though_its_rst_is_lost() -> None:
    async with _table() as (table, reader, _):
        table.rule.lost = {"br"}
        table.echo.transport.abort()
        assert await table.echo.ended is None
        assert not reader.at_eof()
        table.wire.close()
        assert await reader.read() == b""


async def test_a_web_server_ends_while_its_answers_are_stuck() -> None:
    clock = Clock(asyncio.get_running_loop(), virtual=False)
    lan, rule = Lan(clock), Rule()
    lan.rules.append(rule)
    wire = SocketWire(lan, "br")
    application = Application()
    sock = listen_tcp("127.0.0.1", 0, "test", explicit=True)
    server = await serve_web(application, [sock], wire=wire.protocol)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.ports[0])
    rule.lost = {"br"}
    writer.write(b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await application.called.wait()
    await server.close(grace_s=0.01)
    wire.close()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_datagrams_of_a_data_path_meet_faults() -> None:
    clock = Clock(asyncio.get_running_loop(), virtual=False)
    lan, rule = Lan(clock), Rule()
    lan.rules.append(rule)
    session = DataPathSession(SessionName("s", "camera", "phone"), Echo(), None, SocketWire(lan, "camera", "phone"))
    session.open_sockets()
    host, _, port = session.endpoints["udp"].rpartition(":")
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.connect((host, int(port)))
        rule.copies = 2
        await loop.sock_sendall(client, b"one")
        assert [await loop.sock_recv(client, 99) for _ in range(4)] == [b"one"] * 4
        rule.copies, rule.late_us = 1, 5_000_000
        await loop.sock_sendall(client, b"two")
        answer = asyncio.ensure_future(loop.sock_recv(client, 99))
        while not answer.done():
            await _turns()
            clock.advance(5_000_000)
        assert answer.result() == b"two"
    session.close()
    await session.wait_closed()


async def test_a_server_that_does_not_read_holds_its_client_up_and_nothing_is_lost() -> None:
    async with _table() as (table, reader, writer):
        table.echo.transport.pause_reading()
        sent = bytes(8_000_000)
        writer.write(sent)
        await _turns(2_000)
        assert writer.transport.get_write_buffer_size() > 1_000_000
        table.echo.transport.resume_reading()
        assert await reader.readexactly(len(sent)) == sent
