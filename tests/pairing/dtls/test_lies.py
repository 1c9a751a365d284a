"""Lies of both sides: each is told once it shows, and the honest side ends with the error that it has to give."""

import pytest

from pairing.dtls.alerts import AlertDescription
from pairing.dtls.events import AlertReceived, HandshakeFailed
from pairing.dtls.settings import FOREVER
from pairing.engine import SECOND
from pairing.errors import AuthenticationError, ExchangeTimeoutError, PairingError, RemoteProtocolError
from tests.support.dtls_pair import OTHER_PASSWORD, PASSWORD, DtlsPair, lying

PATIENCE = 1000 * SECOND


def error(pair: DtlsPair, who: str) -> PairingError:
    return pair.failed(who).error


def test_silence_on_a_wrong_key_lets_the_client_try_until_it_gives_up() -> None:
    pair = DtlsPair(server=lying(silent_on_wrong_key=True), passwords=(OTHER_PASSWORD, PASSWORD)).connect()
    assert pair.lies("server") == ["silent-on-wrong-key"]
    assert pair.alerts("server") == []
    assert isinstance(error(pair, "server"), AuthenticationError)
    pair.pass_time(PATIENCE)
    assert isinstance(error(pair, "client"), ExchangeTimeoutError)


def test_endless_requests_for_cookies_are_answered_four_times() -> None:
    pair = DtlsPair(server=lying(hello_verify_requests=FOREVER)).connect()
    assert len(pair.lies("server")) == 4
    refused = error(pair, "client")
    assert isinstance(refused, RemoteProtocolError)
    assert refused.wire_code == AlertDescription.UNEXPECTED_MESSAGE
    assert "5 HelloVerifyRequests" in str(refused)


def test_three_requests_for_cookies_are_borne() -> None:
    pair = DtlsPair(server=lying(hello_verify_requests=3)).connect()
    assert pair.lies("server") == ["hello-verify-requests"] * 2
    assert pair.completed("client").keys == pair.completed("server").keys


def test_refused_hello_tells_its_alert() -> None:
    pair = DtlsPair(server=lying(refuse_hello=AlertDescription.INSUFFICIENT_SECURITY)).connect()
    (alert,) = pair.events("client", AlertReceived)
    assert (alert.alert.name, alert.is_encrypted) == ("insufficient_security", False)
    assert isinstance(error(pair, "client"), RemoteProtocolError)


def test_hello_without_an_answer_is_repeated_until_the_end() -> None:
    pair = DtlsPair(server=lying(ignore_hello=True)).connect()
    assert pair.lies("server") == ["ignore-hello"]
    pair.pass_time(PATIENCE)
    assert pair.events("client", HandshakeFailed)


def test_lost_datagrams_are_made_and_not_sent() -> None:
    pair = DtlsPair(lying(lost_datagrams=(1,)), lying(lost_datagrams=(1, 2)))
    pair.connect()
    pair.pass_time(PATIENCE)
    assert pair.lies("client") == ["lost-datagrams"]
    assert pair.lies("server") == ["lost-datagrams"] * 2
    assert pair.completed("client").keys == pair.completed("server").keys


@pytest.mark.parametrize(
    ("liar", "code"), [("client", AlertDescription.ILLEGAL_PARAMETER), ("server", AlertDescription.HANDSHAKE_FAILURE)]
)
def test_wrong_proof_is_refused(liar: str, code: AlertDescription) -> None:
    settings = lying(wrong_proof=True)
    pair = DtlsPair(settings if liar == "client" else None, settings if liar == "server" else None).connect()
    honest = "server" if liar == "client" else "client"
    refused = error(pair, honest)
    assert isinstance(refused, AuthenticationError)
    assert refused.wire_code == code
    assert "does not hold" in str(refused)
    assert pair.lies(liar) == ["wrong-proof"]
    assert pair.failed(honest).mistake == ""


@pytest.mark.parametrize("liar", ["client", "server"])
def test_wrong_finished_is_refused(liar: str) -> None:
    settings = lying(wrong_finished=True)
    pair = DtlsPair(settings if liar == "client" else None, settings if liar == "server" else None).connect()
    refused = error(pair, "server" if liar == "client" else "client")
    assert isinstance(refused, AuthenticationError)
    assert refused.wire_code == AlertDescription.DECRYPT_ERROR
    assert pair.lies(liar) == ["wrong-finished"]


@pytest.mark.parametrize("liar", ["client", "server"])
def test_end_without_close_notify_leaves_the_other_side_up(liar: str) -> None:
    settings = lying(no_close_notify=True)
    pair = DtlsPair(settings if liar == "client" else None, settings if liar == "server" else None).connect()
    before = len(pair.sent)
    pair.take(pair.client.close(0) if liar == "client" else pair.server.close_all(0), liar)
    pair.flush()
    assert len(pair.sent) == before
    assert pair.lies(liar) == ["no-close-notify"]
    assert not pair.closed(liar).by_peer
