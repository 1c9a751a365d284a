"""The control API on its socket: ports, hosts, and what is left when it is gone."""

import asyncio
import socket
from pathlib import Path

import httpx
import pytest

from devices.control.server import serve_control
from devices.errors import TransportUnavailableError, UsageError
from devices.home import LiveHome
from devices.transports.sockets import listen_tcp

pytestmark = pytest.mark.asyncio


def open_sockets() -> int:
    descriptors = Path("/proc/self/fd")
    if not descriptors.exists():
        pytest.skip("this system does not list open sockets in /proc")
    return sum(each.is_socket() for each in descriptors.iterdir())


async def test_ready_tells_what_the_ready_line_tells(live: LiveHome) -> None:
    async with serve_control(live, port=0, explicit=True) as url, httpx.AsyncClient(base_url=url) as client:
        ready = (await client.get("/v1/ready")).json()
    assert ready["event"] == "ready"
    assert (ready["api"], ready["seed"]) == (url, 7)
    assert [entry["id"] for entry in ready["accessories"]] == ["br"]
    assert set(ready["accessories"][0]) == {"id", "name", "kind", "state", "endpoints", "shows"}


async def test_explicit_port_that_is_taken_is_an_error_and_a_default_one_is_passed_over(live: LiveHome) -> None:
    with listen_tcp("127.0.0.1", 0, "test", explicit=True) as other:
        port = other.getsockname()[1]
        with pytest.raises(TransportUnavailableError, match=f"port {port} on 127.0.0.1 is taken") as caught:
            async with serve_control(live, port=port, explicit=True):
                pass
        assert caught.value.exit_code == 3
        async with serve_control(live, port=port, explicit=False) as url:
            assert port < int(url.rpartition(":")[2]) <= port + 200


async def test_without_a_token_it_listens_on_loopback_only(live: LiveHome) -> None:
    with pytest.raises(UsageError, match="without a token"):
        async with serve_control(live, host="0.0.0.0", port=0, explicit=True):
            pass


async def test_nothing_is_left_of_a_served_api(live: LiveHome) -> None:
    tasks, sockets = asyncio.all_tasks(), open_sockets()
    async with (
        serve_control(live, port=0, explicit=True) as url,
        httpx.AsyncClient(base_url=url) as client,
        client.stream("GET", "/v1/events") as stream,
    ):
        assert stream.status_code == 200
        waiting = asyncio.create_task(client.post("/v1/events/wait", json={"type": "ClientExited"}))
        await client.get("/v1/ready")
    with pytest.raises(httpx.HTTPError):
        await waiting
    assert (asyncio.all_tasks(), open_sockets()) == (tasks, sockets)


async def test_stream_and_wait_end_when_the_api_goes_down(live: LiveHome) -> None:
    async with httpx.AsyncClient() as client:
        async with serve_control(live, port=0, explicit=True) as url:
            waiting = asyncio.create_task(client.post(f"{url}/v1/events/wait", json={"type": "ClientExited"}))
            following = asyncio.create_task(client.get(f"{url}/v1/events"))
            await client.get(f"{url}/v1/ready")
        assert (await waiting).status_code == 503
        assert (await following).text.endswith("event: end\ndata: the home has stopped\n\n")


async def test_body_of_a_megabyte_and_more_is_refused_unread(live: LiveHome) -> None:
    async with serve_control(live, port=0, explicit=True) as url, httpx.AsyncClient(base_url=url) as client:
        answer = await client.post("/v1/time/advance", content=b" " * (1 << 20) + b"{}")
        assert (answer.status_code, answer.headers["connection"]) == (413, "close")
        assert (await client.get("/v1/ready")).status_code == 200


async def test_endless_body_does_not_fill_the_memory(live: LiveHome) -> None:
    async with serve_control(live, port=0, explicit=True) as url:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as client:
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(client, b"POST /v1/faults HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            await loop.sock_sendall(client, b"Transfer-Encoding: chunked\r\n\r\n")
            megabytes = 0
            try:
                while megabytes < 64:
                    await loop.sock_sendall(client, b"100000\r\n" + bytes(1 << 20) + b"\r\n")
                    megabytes += 1
            except ConnectionError:
                pass  # the server has hung up
    assert megabytes < 64
