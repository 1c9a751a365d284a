"""Doors: what a client sees through one is what it would see of the server itself."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from devices.transports.doors import TcpDoor, UdpDoor

pytestmark = pytest.mark.asyncio
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]
MEGABYTE = bytes(range(256)) * 4096


@asynccontextmanager
async def _through_a_door(serve: Serve) -> AsyncIterator[tuple[TcpDoor, Client]]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    place = listener.getsockname()
    door = TcpDoor(listener, server.sockets[0].getsockname())
    reader, writer = await asyncio.open_connection(*place)
    try:
        async with asyncio.timeout(10):
            yield door, (reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        door.close()
        await door.closed()
        server.close()
        await server.wait_closed()


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def test_octets_pass_both_ways_and_a_half_close_leaves_the_other_half_open() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello ")
        said = await reader.read()
        writer.write(said)
        writer.close()

    async with _through_a_door(serve) as (_, (reader, writer)):
        writer.write(MEGABYTE)
        writer.write_eof()
        assert await reader.read() == b"hello " + MEGABYTE


async def test_a_reset_by_the_server_is_one_for_the_client() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        _reset(writer)

    async with _through_a_door(serve) as (_, (reader, writer)):
        writer.write(b"x")
        with pytest.raises(ConnectionResetError):
            await reader.read()


async def test_a_reset_by_the_client_is_one_for_the_server() -> None:
    seen: asyncio.Future[type[BaseException]] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x")
        try:
            await reader.read()
        except OSError as problem:
            seen.set_result(type(problem))
        writer.close()

    async with _through_a_door(serve) as (_, (reader, writer)):
        await reader.readexactly(1)
        _reset(writer)
        assert await seen is ConnectionResetError


async def test_cutting_off_resets_what_is_open_and_lets_new_ones_in() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x")
        with contextlib.suppress(OSError):
            await reader.read()
        writer.close()

    async with _through_a_door(serve) as (door, (reader, writer)):
        await reader.readexactly(1)
        place = writer.get_extra_info("peername")
        assert door.cut_off() == 1
        with pytest.raises(ConnectionResetError):
            await reader.read()
        again, another = await asyncio.open_connection(*place)
        assert await again.readexactly(1) == b"x"
        another.close()
        await another.wait_closed()


async def test_a_server_that_has_gone_resets_who_comes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        place = gone.getsockname()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    door = TcpDoor(listener, place)
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    door.close()
    await door.closed()


async def test_datagrams_of_each_client_come_back_to_it() -> None:
    loop = asyncio.get_running_loop()
    server, front, *clients = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4))
    for each in (server, front, *clients):
        each.setblocking(False)
        each.bind(("127.0.0.1", 0))
    door = UdpDoor(front, server.getsockname())
    for number, client in enumerate(clients):
        client.sendto(bytes([number]), front.getsockname())
    heard = {}
    for _ in clients:
        payload, peer = await loop.sock_recvfrom(server, 9)
        heard[payload] = peer
    assert len(set(heard.values())) == 2
    for number, client in enumerate(clients):
        server.sendto(b"for %d" % number, heard[bytes([number])])
        assert await loop.sock_recv(client, 9) == b"for %d" % number
    door.close()
    for each in (server, *clients):
        each.close()
