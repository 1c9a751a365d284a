"""The REST application on a real socket: headers, framing, and leaving nothing behind."""

import asyncio
import gc

import h11
import pytest

from devices.otbr import OtbrLies
from pairing.engine import SECOND
from tests.support.otbr_node import RunningRouter, running_router
from tests.support.raw_http import exchange
from tests.support.thread_network import DATASET

pytestmark = pytest.mark.asyncio

ANSWERS = [
    ("GET", "/node", 200),
    ("GET", "/node/state", 200),
    ("GET", "/node/dataset/pending", 204),
    ("GET", "/api/actions", 406),
    ("GET", "/nowhere", 404),
    ("PATCH", "/node", 405),
    ("OPTIONS", "/node/state", 200),
    ("OPTIONS", "/api/actions", 204),
    ("PUT", "/node/state", 400),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
async def test_every_answer_has_cors_and_a_length_and_neither_server_nor_date(
    method: str, path: str, status: int
) -> None:
    async with running_router(DATASET) as router:
        reply = await exchange(router.port, method, path)
    assert reply.status == status
    assert reply.headers["content-length"] == str(len(reply.body))
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["access-control-allow-methods"] == "DELETE, GET, OPTIONS, POST, PUT"
    assert reply.headers["access-control-allow-headers"] == (
        "Origin, Accept, X-Requested-With, Content-Type, Access-Control-Request-Method, Access-Control-Request-Headers"
    )
    assert reply.headers["keep-alive"] == "timeout=5, max=100"
    assert not {"server", "date", "transfer-encoding", "content-encoding"} & reply.headers.keys()
    assert ("content-type" in reply.headers) is bool(reply.body)


async def converse(port: int, sent: bytes, marker: bytes) -> bytes:
    """Send raw bytes, read until the marker has come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        return await asyncio.wait_for(reader.readuntil(marker), 5)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_head_is_405_without_a_body() -> None:
    async with running_router() as router:
        came = await converse(router.port, b"HEAD /node HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"\r\n\r\n")
    assert came.startswith(b"HTTP/1.1 405 ")
    assert b"Allow: GET, POST, PUT, DELETE, OPTIONS\r\n" in came
    assert b"Keep-Alive" not in came


async def test_chunked_bodies_are_read() -> None:
    body = b'4\r\n"ena\r\n4\r\nble"\r\n0\r\n\r\n'
    request = b"PUT /node/state HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    async with running_router(DATASET) as router:
        assert (await converse(router.port, request, b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        assert str(router.node.engine.network.role) == "detached"


async def test_expect_100_continue_is_answered() -> None:
    head = b"PUT /node/state HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    async with running_router() as router:
        reader, writer = await asyncio.open_connection("127.0.0.1", router.port)
        writer.write(head)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(b'"disable"')
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.close()
        await writer.wait_closed()


async def test_one_connection_carries_many_requests() -> None:
    async with running_router() as router:
        reader, writer = await asyncio.open_connection("127.0.0.1", router.port)
        for _ in range(5):
            writer.write(b"GET /node/rloc16 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(5) == b"65534"
        writer.close()
        await writer.wait_closed()


async def test_bytes_that_are_no_http_are_refused_and_the_server_lives_on() -> None:
    async with running_router() as router:
        assert b" 400 " in await converse(router.port, b"\x16\x03\x01 not http\r\n\r\n", b"\r\n\r\n")
        assert (await exchange(router.port, "GET", "/node/state")).status == 200


async def test_a_body_over_a_mebibyte_is_read_to_its_end_and_refused() -> None:
    async with running_router() as router:
        reply = await exchange(router.port, "PUT", "/node/state", body=b'"' + b"x" * (3 << 20))
        assert reply.status == 413
        assert (await exchange(router.port, "GET", "/node/state")).status == 200


async def test_requests_are_journalled_with_their_peer() -> None:
    async with running_router() as router:
        await exchange(router.port, "GET", "/node/st%61te?x=1")
        assert router.node.journal.requests == [("GET", "/node/state", 200, "127.0.0.1")]


async def test_a_client_that_leaves_within_its_body_changes_nothing() -> None:
    async with running_router(DATASET) as router:
        _, writer = await asyncio.open_connection("127.0.0.1", router.port)
        writer.write(b'PUT /node/state HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n"ena')
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await exchange(router.port, "GET", "/node/state")).body == b'"disabled"'
        assert [status for *_, status, _ in router.node.journal.requests] == [200]


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /node HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /node HTTP/1.1\r\nHo",
        b'PUT /node/state HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"dis',
    ],
    ids=["idle", "answered", "half a head", "half a body"],
)
async def test_shutting_down_leaves_no_task_and_no_socket(sent: bytes) -> None:
    before = asyncio.all_tasks()
    async with running_router() as router:
        reader, writer = await asyncio.open_connection("127.0.0.1", router.port)
        writer.write(sent)
        await writer.drain()
        # An answer on another connection proves that the server has seen the first one.
        await exchange(router.port, "GET", "/node/state")
    assert asyncio.all_tasks() == before
    while await reader.read(65536):
        pass  # what was answered before the end
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", router.port)
    gc.collect()  # an unclosed transport or socket would warn here, and warnings are errors


async def test_shutting_down_cuts_off_an_answer_that_is_held_back(caplog: pytest.LogCaptureFixture) -> None:
    async with running_router(lies=OtbrLies(slow_answer=600 * SECOND)) as router:
        waiting = asyncio.ensure_future(exchange(router.port, "GET", "/node"))
        await router.node.first_lie.wait()
    with pytest.raises((ConnectionError, h11.RemoteProtocolError)):
        await asyncio.wait_for(waiting, 5)
    assert caplog.records == []


async def test_a_client_that_gives_up_on_a_slow_answer_frees_its_task_but_was_obeyed() -> None:
    async with running_router(DATASET, lies=OtbrLies(slow_answer=600 * SECOND)) as router:
        before = asyncio.all_tasks()
        waiting = asyncio.ensure_future(exchange(router.port, "PUT", "/node/state", body=b'"enable"'))
        await router.node.first_lie.wait()
        waiting.cancel()
        async with asyncio.timeout(5):
            while asyncio.all_tasks() - before:
                await router.node.clock.sleep(1_000)
        assert router.node.engine.network.enabled


async def test_two_servers_run_in_one_loop() -> None:
    async with running_router(DATASET) as one, running_router() as two:
        assert (await exchange(one.port, "GET", "/node/network-name")).body == b'"EmuTestNet"'
        assert (await exchange(two.port, "GET", "/node/network-name")).body == b'"OpenThread"'


def attached(router: RunningRouter) -> bool:
    return router.node.engine.network.attached


async def test_time_runs_on_its_own() -> None:
    async with running_router(DATASET) as router:
        await exchange(router.port, "PUT", "/node/state", body=b'"enable"')
        assert not attached(router)
        async with asyncio.timeout(5):
            while not attached(router):
                await router.node.clock.sleep(10_000)
        assert b'"leader"' in (await exchange(router.port, "GET", "/node/state")).body
