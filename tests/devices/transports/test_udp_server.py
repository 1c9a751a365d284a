"""UDP servers: who asks is answered from where it asked, and what is closed is silent."""

import asyncio
import socket

import pytest

from devices.errors import TransportUnavailableError
from devices.transports.udp_server import UdpServer
from pairing.engine import Endpoint

pytestmark = pytest.mark.asyncio
HOSTS = ("127.0.0.1", "127.0.0.2")
"""Of Linux's loopback."""


class Echo:
    """Answers with what it got."""

    def __init__(self, *hosts: str) -> None:
        self.heard: list[Endpoint] = []
        self.is_closed = asyncio.Event()
        self.server = UdpServer(hosts, 0, "the test", self._on_datagram)

    def _on_datagram(self, payload: bytes, sender: Endpoint) -> None:
        self.heard.append(sender)
        if payload == b"close":
            self.server.close()
            self.is_closed.set()
        self.server.send(payload, sender)


async def ask(host: str, port: int, payload: bytes) -> bytes:
    """The answer to a socket that hears nobody but that host."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((host, port))
        sock.send(payload)
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 100), 10)


@pytest.fixture
def hosts() -> tuple[str, ...]:
    """Two addresses of this host, if it has them."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((HOSTS[1], 0))
    except OSError:
        pytest.skip("only Linux has all of 127/8")
    return HOSTS


async def test_each_address_answers_for_itself(hosts: tuple[str, ...]) -> None:
    echo = Echo(*hosts)
    try:
        for host in (*hosts, *hosts):
            assert await ask(host, echo.server.port, host.encode()) == host.encode()
    finally:
        echo.server.close()


async def test_a_port_that_is_taken_is_named_and_nothing_stays_open(hosts: tuple[str, ...]) -> None:
    first = UdpServer(hosts[1:], 0, "first", lambda payload, sender: None)
    with pytest.raises(TransportUnavailableError, match=f"second: UDP port {first.port} on 127.0.0.2 is taken"):
        UdpServer(hosts, first.port, "second", lambda payload, sender: None)
    again = UdpServer(hosts[:1], first.port, "third", lambda payload, sender: None)
    for server in (first, again):
        server.close()


async def test_a_server_that_was_closed_by_a_datagram_reads_no_further() -> None:
    echo = Echo("127.0.0.1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(("127.0.0.1", echo.server.port))
        sock.send(b"close")
        sock.send(b"more")
        await asyncio.wait_for(echo.is_closed.wait(), 10)
        sock.send(b"anybody?")
        with pytest.raises(ConnectionRefusedError):
            sock.recv(100)
    assert len(echo.heard) == 1
