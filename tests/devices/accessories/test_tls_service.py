"""A service behind TLS, judged by curl, OpenSSL's own client and Python's ssl; and its stand-in in virtual time."""

import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from devices.home import Home
from tests.support.needs import requires_tools

SERVICE = {"id": "web", "kind": "tls-service", "name": "Web"}


def _home(tmp_path: Path, **settings: Any) -> Home:
    table = {**SERVICE, "identities": str(tmp_path / "tls"), **settings}
    return Home({"name": "tls", "seed": 1, "accessory": [table]}, reach="loopback")


def _run(*command: str) -> tuple[int, str]:
    done = subprocess.run(command, capture_output=True, text=True, input="", timeout=20, check=False)
    return done.returncode, done.stdout + done.stderr


def _place(home: Home) -> tuple[str, int]:
    host, _, port = home["web"].endpoints["tls"].rpartition(":")
    return host, int(port)


@pytest.mark.interop
def test_curl_trusts_the_private_authority_by_default_evaluation(tmp_path: Path) -> None:
    requires_tools("curl")
    with _home(tmp_path) as home:
        facts, url = home["web"].facts, home["web"].endpoints["https"]
        assert "<h1>Web</h1>" in _run("curl", "-sS", "--cacert", facts["ca"], url)[1]
        # By the name that Bonjour gives, too.
        named = ("--connect-to", f"web.local:443:{url.split('/')[2]}", "https://web.local/")
        assert "<h1>Web</h1>" in _run("curl", "-sS", "--cacert", facts["ca"], *named)[1]
        assert _run("curl", "-sS", url)[0] == 60
        failed = home.events.wait("TlsHandshakeFailed")
        assert "UNKNOWN_CA" in failed.as_json()["reason"]
    assert (tmp_path / "tls" / "ca_key.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.interop
def test_curl_without_a_client_certificate_gets_the_alert_and_with_one_the_page(tmp_path: Path) -> None:
    requires_tools("curl")
    with _home(tmp_path, client_certificate="required") as home:
        facts, url = home["web"].facts, home["web"].endpoints["https"]
        trusting = ("curl", "-sS", "--cacert", facts["ca"])
        code, told = _run(*trusting, url)
        assert code != 0
        assert "certificate required" in told
        own = ("--cert", facts["client_certificate"], "--key", facts["client_key"])
        assert "<h1>Web</h1>" in _run(*trusting, *own, url)[1]
        done = home.events.wait("TlsHandshakeCompleted")
        assert done.as_json()["client_subject"] == "commonName=pairlab client"


@pytest.mark.interop
@pytest.mark.parametrize(("resumption", "counts"), [(True, (6, 5)), (False, (6, 0))])
def test_openssl_resumes_where_it_may_and_the_counters_say_so(
    tmp_path: Path, resumption: bool, counts: tuple[int, int]
) -> None:
    requires_tools("openssl")
    with _home(tmp_path, resumption=resumption, versions=["1.2"]) as home:
        place, ca = home["web"].endpoints["tls"], home["web"].facts["ca"]
        _, told = _run("openssl", "s_client", "-connect", place, "-CAfile", ca, "-reconnect")
        assert told.count("\nReused, TLSv1.2") == counts[1]
        home.events.wait("TlsHandshakeCompleted", where={"handshakes": 6})
        facts = home["web"].facts
        assert (facts["handshakes"], facts["resumed_handshakes"]) == counts
        refused = _run("openssl", "s_client", "-connect", place, "-tls1_3")[1]
        assert "protocol version" in refused


@pytest.mark.interop
def test_openssl_calls_a_self_signed_certificate_by_its_name(tmp_path: Path) -> None:
    requires_tools("openssl")
    with _home(tmp_path, certificate="self-signed") as home:
        told = _run("openssl", "s_client", "-connect", home["web"].endpoints["tls"], "-brief")[1]
        assert "self-signed certificate" in told


def test_a_stall_during_the_handshake_is_silence_and_then_it_goes_on(tmp_path: Path) -> None:
    with _home(tmp_path, speaks="push") as home:
        context = ssl.create_default_context(cafile=home["web"].facts["ca"])
        home["web"].do("stall", duration="20s").result()
        with socket.create_connection(_place(home), timeout=0.05) as plain, pytest.raises(TimeoutError):
            context.wrap_socket(plain, server_hostname="localhost")
        with socket.create_connection(_place(home), timeout=0.05) as plain:
            client = context.wrap_socket(plain, server_hostname="localhost", do_handshake_on_connect=False)
            with pytest.raises(TimeoutError):
                client.do_handshake()
            home.advance("20s")
            client.settimeout(10)
            client.do_handshake()
            client.sendall(b"PING 1\n")
            assert client.recv(7) == b"PONG 1\n"
            client.close()


def test_a_stall_that_loses_ends_a_handshake_by_reset_once_it_is_over(tmp_path: Path) -> None:
    with _home(tmp_path) as home:
        context = ssl.create_default_context(cafile=home["web"].facts["ca"])
        home["web"].do("stall", duration="200s", ending="lost").result()
        with socket.create_connection(_place(home), timeout=0.05) as plain:
            client = context.wrap_socket(plain, server_hostname="localhost", do_handshake_on_connect=False)
            with pytest.raises(TimeoutError):
                client.do_handshake()
            home["web"].do("close-abruptly").result()
            home.advance("300s")
            client.close()
        failed = home.events.wait("TlsHandshakeFailed", within="10s")
        assert failed.as_json()["reason"]


@pytest.mark.parametrize(("order", "end"), [("at-once", "RST"), ("read-first", "FIN"), ("write-first", "FIN")])
def test_close_abruptly_is_below_tls(tmp_path: Path, order: str, end: str) -> None:
    with _home(tmp_path, speaks="push") as home:
        context = ssl.create_default_context(cafile=home["web"].facts["ca"])
        client = context.wrap_socket(socket.create_connection(_place(home)), server_hostname="localhost")
        client.sendall(b"PING 1\n")
        assert client.recv(7) == b"PONG 1\n"
        home["web"].do("close-abruptly", order=order, pending="50ms").result()
        # Python's TLS has one error for both, so the socket below it is asked.
        with socket.socket(fileno=client.detach()) as plain:
            assert _end_of(plain) == end


def _end_of(plain: socket.socket) -> str:
    try:
        while plain.recv(1000):
            pass  # the rest of what was said
    except ConnectionResetError:
        return "RST"
    return "FIN"


def test_in_virtual_time_sessions_are_resumed_by_tickets_where_both_want_it() -> None:
    for server, client, resumed in ((True, True, 2), (False, True, 0), (True, False, 0)):
        tables = [
            {**SERVICE, "speaks": "push", "resumption": server},
            {"id": "app", "kind": "push-client", "target": "web", "resume": client, "reconnect": "1s"},
        ]
        with Home({"name": "tls", "seed": 1, "accessory": tables}, virtual=True) as home:
            for _ in range(2):
                home.advance("5s")
                home["app"].do("close-abruptly").result()
            home.advance("5s")
            facts = home["web"].facts
            assert (facts["handshakes"], facts["resumed_handshakes"]) == (3, resumed)
            assert {each.as_json()["tls"] for each in home.events.all("TlsHandshakeCompleted")} == {"simulated"}
