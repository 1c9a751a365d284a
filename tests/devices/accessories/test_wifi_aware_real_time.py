"""A camera in real time: clients that know nothing of Wi-Fi Aware reach what is at the end of its data path."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from devices.errors import TransportUnavailableError
from devices.home import Home
from devices.transports.tls_psk import PSK_IDENTITY, data_path_psk, psk_client_context
from tests.support.camera_and_viewer import camera, events_of, home_of, pair, viewer
from tests.support.needs import requires_tools

HAS_PSK = sys.version_info >= (3, 13) or find_spec("sslpsk3") is not None
Place = tuple[str, int]


@contextmanager
def _connected(**changes: Any) -> Iterator[tuple[Home, Place]]:
    """A home whose viewer has a data path to its camera, and where that ends."""
    with home_of(camera(**changes), viewer(), virtual=False) as home:
        home.events.wait("PeerDiscovered", actor="viewer")
        pair(home)
        home.events.wait("PairingCompleted", actor="camera")
        home["viewer"].do("open-data-path").result()
        opened = home.events.wait("EndpointOpened", actor="camera")
        assert dict(opened["endpoints"])["tcp"] == home["camera"].endpoints["tcp"]
        host, _, port = home["camera"].endpoints["tcp"].rpartition(":")
        yield home, (host, int(port))


def _get(place: Place, path: str) -> bytes:
    connection = HTTPConnection(*place, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


def test_an_http_client_fetches_the_index_and_a_picture_that_changes() -> None:
    with _connected() as (home, place):
        assert b"picture.png" in _get(place, "/")
        first, second = _get(place, "/picture.png"), _get(place, "/picture.png")
        assert first[:8] == b"\x89PNG\r\n\x1a\n"
        assert first != second
        home.events.wait("RequestReceived", where={"path": "/picture.png", "status": "200"}, actor="camera")


def test_curl_fetches_a_picture(tmp_path: Path) -> None:
    requires_tools("curl")
    with _connected() as (home, place):
        url = home["camera"].endpoints["http"]
        assert url == f"http://{place[0]}:{place[1]}/picture.png"
        subprocess.run(["curl", "-sSf", "--max-time", "5", "-o", tmp_path / "p.png", url], check=True)
        assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("verb", ["close-data-path", "remove-peer", "power-off", "factory-reset"])
def test_the_port_refuses_when_the_data_path_has_ended(verb: str) -> None:
    with _connected() as (home, place):
        home["camera"].do(verb).result()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(place, timeout=5)
        assert "tcp" not in home["camera"].endpoints
        assert len(events_of(home, "camera", "EndpointClosed")) == 1


def test_every_data_path_has_a_port_of_its_own() -> None:
    with _connected() as (home, first):
        home["viewer"].do("open-data-path").result()
        home.events.wait("EndpointOpened", actor="camera")
        second = next(place for name, place in home["camera"].endpoints.items() if name.startswith("tcp-"))
        home["camera"].do("close-data-path", data_path=1).result()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(first, timeout=5)
        host, _, port = second.rpartition(":")
        assert _get((host, int(port)), "/picture.png").startswith(b"\x89PNG")


def test_a_program_of_the_user_is_at_the_end() -> None:
    class _Program(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"a program of the user's own")

        def log_message(self, format: str, *args: object) -> None:
            """Tests are quiet."""

    with HTTPServer(("127.0.0.1", 0), _Program) as program:
        thread = threading.Thread(target=program.serve_forever)
        thread.start()
        try:
            with _connected(data_path={"service": f"127.0.0.1:{program.server_port}"}) as (_, place):
                assert _get(place, "/") == b"a program of the user's own"
        finally:
            program.shutdown()
            thread.join()


@pytest.mark.skipif(not HAS_PSK, reason="needs Python 3.13, or sslpsk3: pip install 'pairlab[psk]'")
def test_a_data_path_can_be_protected_by_tls_under_the_pairing_key() -> None:
    with _connected(data_path={"tls": "psk", "service": "echo"}) as (home, place):
        key = bytes.fromhex(home["camera"].shows["psk"])
        there, here = (home.live.accessory(each) for each in ("camera", "viewer"))
        keys = home.call(lambda: here.device.keys(there.nmi))  # type: ignore[attr-defined]
        assert data_path_psk(keys.nd_pmk) == key
        assert events_of(home, "camera", "EndpointOpened")[0]["tls"] == "psk"
        context = psk_client_context(PSK_IDENTITY, key)
        with socket.create_connection(place, timeout=5) as plain, context.wrap_socket(plain) as secured:
            secured.sendall(b"hello")
            assert secured.recv(100) == b"hello"


@pytest.mark.skipif(HAS_PSK, reason="this Python has TLS with a pre-shared key")
def test_a_host_without_tls_under_a_key_does_not_bring_the_camera_up() -> None:
    with pytest.raises(TransportUnavailableError, match="pre-shared key"):
        home_of(camera(data_path={"tls": "psk"}), virtual=False).start()


def test_in_virtual_time_tls_is_simulated() -> None:
    with home_of(camera(data_path={"tls": "psk"}), viewer()) as home:
        pair(home)
        home["viewer"].do("open-data-path").result()
        home.advance("1s")
        assert events_of(home, "camera", "EndpointOpened")[0]["tls"] == "simulated"
