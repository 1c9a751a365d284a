"""A Wi-Fi Aware service on Bonjour: found under its own type, and its port refuses until there is a data path."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest

from devices.home import Home
from pairing.dnssd.txt import TxtRecord
from tests.support.camera_and_viewer import SERVICE, camera, events_of, home_of, open_path, pair, viewer


def _place(home: Home, name: str = "bonjour") -> tuple[str, int]:
    host, _, port = home["camera"].endpoints[name].rpartition(":")
    return host, int(port)


def _get(place: tuple[str, int], path: str = "/picture.png") -> bytes:
    connection = HTTPConnection(*place, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


@contextmanager
def _bridged() -> Iterator[Home]:
    """A real-time home with a bridge; the two are paired."""
    with home_of(camera(bonjour_bridge=True), viewer(), virtual=False) as home:
        home.events.wait("PeerDiscovered", actor="viewer")
        pair(home)
        home.events.wait("PairingCompleted", actor="camera")
        yield home


def test_a_service_is_published_under_its_own_type_with_the_accessory_id() -> None:
    with home_of(camera(bonjour_bridge=True)) as home:
        home.advance("3s")
        published = events_of(home, "camera", "ServicePublished")[0]
        assert (published["service_type"], published["instance"]) == (SERVICE, "Garage")
        assert dict(TxtRecord.decode(bytes.fromhex(published["txt"])).items())[b"id"] == b"camera"
        assert home["camera"].facts["instance"] == "Garage"
        assert home["camera"].endpoints["bonjour"].endswith(f":{published['port']}")
        home["camera"].do("power-off").result()
        assert len(events_of(home, "camera", "ServiceWithdrawn")) == 1
        assert "bonjour" not in home["camera"].endpoints


def test_without_the_bridge_nothing_is_on_bonjour() -> None:
    with home_of(camera()) as home:
        home.advance("3s")
        assert home.events.all("ServicePublished") == []


def test_the_port_refuses_before_and_after_a_data_path_and_leads_to_it_meanwhile() -> None:
    with _bridged() as home:
        place = _place(home)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(place, timeout=5)
        home["viewer"].do("open-data-path").result()
        home.events.wait("EndpointOpened", actor="camera")
        assert _place(home) == place != _place(home, "tcp")
        assert _get(place).startswith(b"\x89PNG")
        home["viewer"].do("close-data-path").result()
        home.events.wait("EndpointClosed", actor="camera")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(place, timeout=5)
        assert _place(home) == place


def test_the_port_leads_to_the_newest_data_path_and_on_to_the_one_before() -> None:
    with _bridged() as home:
        place = _place(home)
        for _ in range(2):
            home["viewer"].do("open-data-path").result()
            home.events.wait("EndpointOpened", actor="camera")
        assert _get(place).startswith(b"\x89PNG")
        home["camera"].do("close-data-path", data_path=2).result()
        assert _get(place).startswith(b"\x89PNG")
        home["camera"].do("close-data-path").result()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(place, timeout=5)


def test_a_port_that_somebody_took_meanwhile_is_replaced_and_said_again() -> None:
    with _bridged() as home:
        host, port = _place(home)
        home["viewer"].do("open-data-path").result()
        home.events.wait("EndpointOpened", actor="camera")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            home["viewer"].do("close-data-path").result()
            home.events.wait("EndpointClosed", actor="camera")
            other.bind((host, port))
            home["viewer"].do("open-data-path").result()
            home.events.wait("EndpointOpened", actor="camera")
            assert _place(home)[1] != port
            assert _get(_place(home)).startswith(b"\x89PNG")


def test_in_virtual_time_the_port_is_a_number_of_the_seed() -> None:
    def port(seed: int) -> str:
        with home_of(camera(bonjour_bridge=True), viewer(), seed=seed) as home:
            pair(home)
            open_path(home)
            return home["camera"].endpoints["bonjour"]

    assert port(3) == port(3) != port(4)
