"""The web server in a running loop: answers, and leaves nothing behind when it is closed."""

import asyncio
import logging

import pytest

from devices.transports.sockets import listen_tcp
from devices.transports.web import AsgiReceive, AsgiSend, Scope, WebServer, serve_web

pytestmark = pytest.mark.asyncio

REQUEST = b"GET /%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Application:
    """`/hello` answers, `/stuck` never does, `/endless` begins an answer, `/flood` writes more than anyone reads."""

    def __init__(self) -> None:
        self.called = asyncio.Event()

    async def __call__(self, scope: Scope, receive: AsgiReceive, send: AsgiSend) -> None:
        self.called.set()
        path = scope["path"]
        if path == "/stuck":
            await asyncio.Event().wait()
        length = [(b"content-length", b"5")] if path == "/hello" else []
        await send({"type": "http.response.start", "status": 200, "headers": length})
        if path == "/endless":
            await send({"type": "http.response.body", "body": b"begun", "more_body": True})
            await asyncio.Event().wait()
        if path == "/flood":
            for _ in range(10_000):
                await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
        await send({"type": "http.response.body", "body": b"hello"})


async def start(application: Application | None = None, port: int = 0) -> WebServer:
    return await serve_web(application or Application(), [listen_tcp("127.0.0.1", port, "test", explicit=True)])


async def connect(server: WebServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", server.ports[0])


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        await writer.wait_closed()
    except ConnectionError:
        pass  # the server had cut it off already


async def test_answer_carries_the_headers_of_the_application_and_no_others() -> None:
    server = await start()
    reader, writer = await connect(server)
    writer.write(REQUEST % b"hello")
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(5)
    await hang_up(writer)
    await server.close()
    assert head.lower() == b"http/1.1 200 ok\r\ncontent-length: 5\r\n\r\n"
    assert body == b"hello"


@pytest.mark.parametrize("path", [b"stuck", b"endless", b"flood"])
async def test_close_cuts_off_an_answer_that_does_not_end(path: bytes, caplog: pytest.LogCaptureFixture) -> None:
    application = Application()
    server = await start(application)
    _, writer = await connect(server)
    writer.write(REQUEST % path)
    await application.called.wait()
    await server.close(grace_s=0.01)
    await hang_up(writer)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_close_lets_an_idle_and_a_half_sent_request_go() -> None:
    server = await start()
    (idle, idle_writer), (half, half_writer) = await connect(server), await connect(server)
    half_writer.write(b"POST /hello HTTP/1.1\r\nContent-")
    await half_writer.drain()
    idle_writer.write(REQUEST % b"hello")
    await idle.readuntil(b"hello")
    await server.close()
    assert await idle.read() == b""
    assert await half.read() == b""
    await hang_up(idle_writer)
    await hang_up(half_writer)


async def test_garbage_is_answered_with_400_and_closed() -> None:
    server = await start()
    reader, writer = await connect(server)
    writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    answer = await reader.read()
    await hang_up(writer)
    await server.close()
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_port_can_be_taken_again_at_once() -> None:
    server = await start()
    port = server.ports[0]
    await server.close()
    again = await start(port=port)
    assert again.ports == (port,)
    await again.close()


async def test_a_connection_that_comes_in_after_the_close_is_cut_off_and_asks_nobody() -> None:
    application = Application()
    server = await start(application)
    await server.close()
    listening = listen_tcp("127.0.0.1", 0, "test", explicit=True)
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    writer.write(REQUEST % b"hello")
    ours, _ = listening.accept()
    ours.setblocking(False)
    await asyncio.get_running_loop().connect_accepted_socket(server._connection, ours)
    try:
        assert await asyncio.wait_for(reader.read(), 5) == b""
    except ConnectionResetError:
        pass  # cut off with the request unread
    await hang_up(writer)
    listening.close()
    assert not application.called.is_set()
