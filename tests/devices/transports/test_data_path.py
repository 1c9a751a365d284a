"""Sessions of data paths on real sockets: clients that know nothing of us, and everyone refused after the end."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from devices.accessories.data_services import Echo, Forward
from devices.errors import ActionRefusedError
from devices.transports.data_path import (
    MAX_FLOWS,
    DatagramFlow,
    DataPathRegistry,
    DataPathSession,
    Service,
    SessionName,
)
from devices.transports.data_streams import DataStream, memory_streams

Place = tuple[str, int]


def _session(service: Service | None = None, name: str = "s1", owner: str = "camera") -> DataPathSession:
    return DataPathSession(SessionName(name, owner, "phone"), service or Echo())


@asynccontextmanager
async def _open(service: Service | None = None) -> AsyncIterator[tuple[DataPathSession, Place]]:
    session = _session(service)
    session.open_sockets()
    host, _, port = session.endpoints["tcp"].rpartition(":")
    try:
        yield session, (host, int(port))
    finally:
        session.close()
        await session.wait_closed()


async def _echoed(place: Place, said: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*place)
    writer.write(said)
    writer.write_eof()
    heard = await reader.read()
    writer.close()
    await writer.wait_closed()
    return heard


class _Client(asyncio.DatagramProtocol):
    """One UDP client."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.errors: asyncio.Queue[Exception] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: Place) -> None:
        self.heard.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        self.errors.put_nowait(exc)


@asynccontextmanager
async def _client(place: Place) -> AsyncIterator[tuple[asyncio.DatagramTransport, _Client]]:
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_datagram_endpoint(_Client, remote_addr=place)
    try:
        yield transport, client
    finally:
        transport.close()


@pytest.mark.asyncio
async def test_octets_reach_the_service_over_tcp_and_udp_under_one_number() -> None:
    async with _open() as (session, place):
        assert session.endpoints["tcp"] == session.endpoints["udp"]
        assert await _echoed(place, b"x" * 1_000_000) == b"x" * 1_000_000
        async with _client(place) as (transport, client):
            transport.sendto(b"datagram")
            assert await client.heard.get() == b"datagram"


@pytest.mark.asyncio
async def test_a_connection_made_before_the_loop_turns_is_served() -> None:
    async with _open() as (_, place):
        with socket.create_connection(place) as early:  # the listener is there, nobody accepts yet
            early.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(early, b"early")
            assert await loop.sock_recv(early, 100) == b"early"


@pytest.mark.asyncio
async def test_after_the_end_everyone_is_refused_and_the_connected_are_cut_off() -> None:
    async with _open() as (session, place):
        reader, writer = await asyncio.open_connection(*place)
        writer.write(b"hello")
        assert await reader.read(100) == b"hello"
        async with _client(place) as (transport, client):
            session.close()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(*place)
            transport.sendto(b"anybody?")
            assert isinstance(await client.errors.get(), ConnectionRefusedError)
        try:
            assert await reader.read(100) == b""
        except ConnectionResetError:
            pass  # cut off is cut off
        writer.close()
        with pytest.raises(ActionRefusedError, match="has ended"):
            session.connect()
        with pytest.raises(ActionRefusedError, match="has ended"):
            session.open_flow(lambda payload: None)


@pytest.mark.asyncio
async def test_a_session_that_ends_at_once_leaves_nothing() -> None:
    session = _session()
    session.open_sockets()
    session.close()
    session.close()
    await session.wait_closed()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


@pytest.mark.asyncio
async def test_each_session_has_a_port_of_its_own_that_ends_with_it() -> None:
    async with _open() as (_, first), _open() as (session, second):
        assert first != second
        session.close()
        assert await _echoed(first, b"still here") == b"still here"
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*second)


@pytest.mark.asyncio
async def test_a_program_of_the_user_is_reached_over_tcp_and_udp() -> None:
    async with _open() as (_, program), _open(Forward(*program)) as (_, place):
        assert await _echoed(place, b"through") == b"through"
        async with _client(place) as (one, here), _client(place) as (other, there):
            one.sendto(b"one")
            other.sendto(b"other")
            assert await here.heard.get() == b"one"
            assert await there.heard.get() == b"other"


@pytest.mark.asyncio
async def test_a_program_that_is_not_there_ends_the_connection() -> None:
    async with _open() as (session, nobody):
        session.close()
        async with _open(Forward(*nobody)) as (_, place):
            assert await _echoed(place, b"") == b""


class _Counting:
    """A service that counts its UDP clients."""

    page_of_interest = ""

    def __init__(self) -> None:
        self.open = 0
        self.closed = 0

    async def converse(self, stream: DataStream) -> None:
        await stream.read()

    def open_flow(self, reply: Callable[[bytes], None]) -> DatagramFlow:
        self.open += 1
        return _CountingFlow(self, reply)


class _CountingFlow:
    def __init__(self, service: _Counting, reply: Callable[[bytes], None]) -> None:
        self._service = service
        self._reply = reply

    def receive(self, payload: bytes) -> None:
        self._reply(payload)

    def close(self) -> None:
        self._service.closed += 1


@pytest.mark.asyncio
async def test_of_too_many_udp_clients_the_longest_silent_is_given_up() -> None:
    service = _Counting()
    async with _open(service) as (_, place), AsyncExitStack() as clients:
        for _ in range(MAX_FLOWS + 2):
            transport, client = await clients.enter_async_context(_client(place))
            transport.sendto(b"x")
            await client.heard.get()
        assert (service.open, service.closed) == (MAX_FLOWS + 2, 2)
    assert service.closed == MAX_FLOWS + 2


@pytest.mark.asyncio
async def test_the_registry_gives_a_session_to_its_other_side_alone() -> None:
    registry = DataPathRegistry()
    session, own = _session(), _session(owner="phone")
    registry.add(session)
    registry.add(own)
    assert registry.find("s1", "phone") is session
    assert registry.find("s1", "stranger") is None
    assert registry.find("s2", "phone") is None
    registry.remove(session)
    assert registry.find("s1", "phone") is None


@pytest.mark.asyncio
async def test_who_waits_gets_the_session_as_soon_as_it_is_there() -> None:
    registry, session = DataPathRegistry(), _session()
    waiting = asyncio.ensure_future(registry.wait("s1", "phone"))
    await asyncio.sleep(0)
    registry.add(_session(name="s2"))
    await asyncio.sleep(0)
    assert not waiting.done()
    registry.add(session)
    assert await waiting is session


@pytest.mark.asyncio
async def test_a_stream_in_memory_carries_both_ways_and_says_when_it_ends() -> None:
    near, far = memory_streams()
    await near.write(b"abc")
    assert await far.read(2) == b"ab"
    assert await far.read() == b"c"
    near.finish()
    assert await far.read() == b""
    await far.write(b"answer")
    assert await near.read() == b"answer"
    with pytest.raises(BrokenPipeError):
        await near.write(b"more")


@pytest.mark.asyncio
async def test_a_writer_in_memory_waits_for_its_reader() -> None:
    near, far = memory_streams()
    writing = asyncio.ensure_future(near.write(b"x" * 100_000))
    await asyncio.sleep(0)
    assert not writing.done()
    assert len(await far.read(100_000)) == 100_000
    await writing


@pytest.mark.asyncio
async def test_a_stream_in_memory_that_is_closed_or_cut_off_fails_the_other_side() -> None:
    near, far = memory_streams()
    near.close()
    assert await far.read() == b""
    with pytest.raises(BrokenPipeError):
        await far.write(b"anybody?")
    near, far = memory_streams()
    near.abort()
    with pytest.raises(ConnectionResetError):
        await far.read()
    with pytest.raises(BrokenPipeError):
        await far.write(b"anybody?")
