"""A push server: what it answers, what it makes of silence, how it ends; by plain sockets and by the home's client."""

import contextlib
import errno
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from devices.errors import HomeFileError, UsageError
from devices.home import Home

SERVER = {"id": "server", "kind": "push-server", "name": "Server"}
CLIENT = {"id": "app", "kind": "push-client", "target": "server"}


def _home(*accessories: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"name": "push", "seed": 1, "accessory": [*accessories], **rest}


@contextlib.contextmanager
def _plain_client() -> Iterator[tuple[Home, socket.socket]]:
    """A server in real time, and a plain socket at it."""
    with Home(_home(SERVER), reach="loopback") as home:
        host, _, port = home["server"].endpoints["tcp"].rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as client:
            yield home, client


def _line(client: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        octet = client.recv(1)
        assert octet, f"the end after {line!r}"
        line += octet
    return line


def _ask_until_it_is_full(client: socket.socket) -> int:
    octets, pings = 0, (b"PING " + b"x" * 994 + b"\n") * 100
    with contextlib.suppress(TimeoutError):
        while octets < 100_000_000:
            octets += client.send(pings[octets % 1000 :])
    return octets


def _told(home: Home, actor: str, *types: str) -> list[tuple[str, float, Any]]:
    events = [each for each in home.events.all() if each.actor == actor and each.type in types]
    return [(each.type, each.at_us / 1e6, getattr(each.event, "reason", None)) for each in events]


def test_a_plain_socket_gets_a_pong_and_the_time_to_each_ping() -> None:
    with _plain_client() as (home, client):
        client.sendall(b"HELLO me\r\nPING 1\nPI")
        assert _line(client) == b"PONG 1\n"
        assert _line(client).startswith(b"TIME ")
        client.sendall(b"NG two words\nwhat\n")
        assert [_line(client), _line(client)[:5], _line(client)[:5]] == [b"PONG two words\n", b"TIME ", b"ERROR"]
        assert home["server"].do("push", text="wake up").result() == {"clients": 1}
        assert _line(client) == b"PUSH wake up\n"
        client.sendall(b"x" * 1025)
        assert _line(client).startswith(b"ERROR a line is 1024")
        assert client.recv(1) == b""


def test_a_plain_socket_that_is_silent_is_warned_of_at_16_s_and_closed_at_30_s() -> None:
    with _plain_client() as (home, client):
        client.sendall(b"PING 1\n")
        _line(client), _line(client)
        home.advance("15.9s")
        home.advance("0.2s")
        home.advance("13.7s")
        assert _told(home, "server", "Disconnected") == []
        home.advance("0.3s")
        assert client.recv(1) == b""
        (warned,) = [each.event for each in home.events.all("PeerSilent")]
        assert getattr(warned, "silent_us", 0) == pytest.approx(16_000_000, abs=200_000)
        ((_, _, reason),) = _told(home, "server", "Disconnected")
        assert reason == "silence"


def test_close_abruptly_is_econnreset_for_a_plain_socket_whose_writes_are_pending() -> None:
    with _plain_client() as (home, client):
        home.events.wait("Connected", actor="server")
        assert home["server"].do("close-abruptly", pending="100ms").result() == {"connections": 1}
        with pytest.raises(OSError) as problem:  # noqa: PT011, PT012  # the number is looked at below
            while True:
                client.sendall(b"PING 1\n" * 10_000)
        assert problem.value.errno == errno.ECONNRESET


@pytest.mark.parametrize(("order", "has_end"), [("at-once", False), ("read-first", True), ("write-first", True)])
def test_a_plain_socket_meets_an_abrupt_close_with_writes_pending(order: str, has_end: bool) -> None:
    with _plain_client() as (home, client):
        client.sendall(b"PING 1\n")
        _line(client), _line(client)
        client.settimeout(5)
        with home.fault("abrupt-close", "server", order=order, pending="100ms"):
            with pytest.raises(OSError) as problem:  # noqa: PT011, PT012  # the number is looked at below
                while True:
                    client.sendall(b"x" * 1000 + b"\n")
            # After a FIN of the other side the reset is told once, and then every write is to a broken pipe.
            assert problem.value.errno in ({errno.ECONNRESET, errno.EPIPE} if has_end else {errno.ECONNRESET})
        home.events.wait("Disconnected", actor="server")
        assert home["server"].facts["connections"] == 0


def test_a_plain_socket_sees_nothing_of_a_lock_screen_stall_and_then_a_reset() -> None:
    with _plain_client() as (home, client):
        client.sendall(b"PING 1\n")
        _line(client), _line(client)
        client.settimeout(0.05)
        with home.fault("lock-screen-stall", "server", stall="40s", every="0s", ending="lost"):
            client.sendall(b"PING 2\n")
            home.events.wait("FaultFired")
            home.advance("16.1s")
            home.events.wait("PeerSilent", where={"silent_us": {"min": 16_000_000, "max": 16_300_000}})
            home.advance("14s")
            home.events.wait("Disconnected", actor="server", where={"reason": "silence"})
            with pytest.raises(TimeoutError):
                client.recv(1)
            home.advance("10s")
            client.settimeout(5)
            client.sendall(b"PING 3\n")
            with pytest.raises(ConnectionResetError):
                client.recv(1)


def test_a_client_that_asks_and_does_not_read_is_not_heard_until_it_reads() -> None:
    with _plain_client() as (_, client):
        client.settimeout(0.2)
        asked = _ask_until_it_is_full(client) // 1000
        assert asked < 100_000
        client.settimeout(10)
        answers = b""
        while answers.count(b"TIME") < asked:
            answers += client.recv(1 << 20)
        assert answers.count(b"PONG") == asked


def test_a_home_that_ends_during_a_stall_leaves_no_connection() -> None:
    with Home(_home(SERVER), reach="loopback") as home:
        host, _, port = home["server"].endpoints["tcp"].rpartition(":")
        client = socket.create_connection((host, int(port)), timeout=10)
        home.events.wait("Connected", actor="server")
        home["server"].do("stall", duration="1h").result()
    with client:
        assert client.recv(1) == b""


def test_a_stall_holds_what_both_say_and_lets_it_go_in_order() -> None:
    with _plain_client() as (home, client):
        home["server"].do("stall", duration="10s").result()
        client.sendall(b"PING 1\nPING 2\n")
        home["server"].do("push", text="late").result()
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(10)
        home.advance("10s")
        assert _line(client) == b"PUSH late\n"
        assert [_line(client) for _ in range(4)][::2] == [b"PONG 1\n", b"PONG 2\n"]


def test_the_homes_own_client_is_answered_in_real_time() -> None:
    with Home(_home(SERVER, {**CLIENT, "heartbeat": "50ms"}), reach="loopback") as home:
        home.events.wait("AnswerReceived", where={"number": 2})
        home["app"].do("disconnect").result()
        home.events.wait("Disconnected", actor="server", where={"reason": "closed-by-peer"})


def test_in_virtual_time_pings_that_come_in_time_keep_a_connection_for_hours() -> None:
    with Home(_home(SERVER, {**CLIENT, "heartbeat": "15s"}), virtual=True) as home:
        home.advance("4h")
        assert _told(home, "server", "PeerSilent", "Disconnected") == []
        assert len(home.events.all("AnswerReceived")) == 4 * 3600 // 15


def test_a_client_connects_again_after_its_server_cuts_it_off() -> None:
    with Home(_home(SERVER, {**CLIENT, "reconnect": "2s"}), virtual=True) as home:
        home.advance("10s")
        home["server"].do("close-abruptly").result()
        home.advance("5s")
        ends = _told(home, "app", "Connected", "Disconnected")
        assert ends == [
            ("Connected", 0.002, None),
            ("Disconnected", 10.001, "reset-by-peer"),
            ("Connected", 12.003, None),
        ]
        home["server"].do("power-off").result()
        home.advance("3s")
        assert _told(home, "app", "ConnectingFailed")[-1][2] == "refused"


def test_who_was_taken_for_dead_and_comes_back_was_disconnected_falsely() -> None:
    with Home(_home(SERVER, {**CLIENT, "reconnect": "1s", "patience": "40s"}), virtual=True) as home:
        home.advance("5s")
        with home.fault("lock-screen-stall", "app", stall="60s", every="0s", ending="lost"):
            home.advance("70s")
        (returned,) = home.events.all("PeerReturned")
        assert returned.as_json()["false_disconnects"] == 1
        assert home["server"].facts["silences"] == home["server"].facts["false_disconnects"] == 1


def test_a_client_gives_up_what_does_not_open_in_time_and_tries_again() -> None:
    for settings in ({}, {"kind": "tls-service", "speaks": "push"}):
        tables = ({**SERVER, **settings}, {**CLIENT, "patience": "5s", "reconnect": "1s", "connects": "told"})
        with Home(_home(*tables), virtual=True) as home:
            home["server"].do("stall", duration="20s", direction="out").result()
            home["app"].do("connect").result()
            home.advance("19s")
            failures = _told(home, "app", "ConnectingFailed")
            assert failures == [("ConnectingFailed", at, "no answer") for at in (5.0, 11.0, 17.0)]
            home.advance("10s")
            assert home["app"].state == "connected"


@pytest.mark.parametrize("direction", ["in", "out", "both"])
def test_a_stall_of_one_direction_leaves_the_client_without_answers_and_loses_none(direction: str) -> None:
    with Home(_home(SERVER, CLIENT), virtual=True) as home:
        home.advance("5.5s")
        home["server"].do("stall", duration="20s", direction=direction).result()
        before = len(home.events.all("AnswerReceived"))
        home.advance("19s")
        assert len(home.events.all("AnswerReceived")) == before
        assert bool(home.events.all("PeerSilent")) is (direction != "out")
        home.advance("2s")
        assert [each.as_json()["number"] for each in home.events.all("AnswerReceived")] == list(range(1, 28))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"service": "push"}, "service"),
        ({"service": "_push._udp"}, "ends in ._tcp"),
        ({"warn_after": "30s"}, "warn_after is less than close_after"),
    ],
)
def test_wrong_settings_are_refused_by_name(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(HomeFileError, match=message), Home(_home({**SERVER, **wrong}), virtual=True):
        pass


def test_a_client_needs_a_push_server_above_it() -> None:
    with pytest.raises(HomeFileError, match="no push server above"), Home(_home(CLIENT, SERVER), virtual=True):
        pass


def test_a_push_is_one_line() -> None:
    with Home(_home(SERVER), virtual=True) as home, pytest.raises(UsageError, match="text"):
        home["server"].do("push", text="two\nlines").result()
