"""Every state and every message that does not belong there: what ends a handshake, and what leaves no trace."""

from collections.abc import Sequence

import pytest

from pairing.dtls.alerts import Alert, AlertDescription, AlertLevel
from pairing.dtls.connection import Connection
from pairing.dtls.events import HandshakeFailed
from pairing.dtls.messages import HandshakeMessage, HandshakeType
from pairing.dtls.record import DTLS_1_2, ContentType, DtlsRecord, WriteProtection, decode_records
from pairing.dtls.settings import DtlsSettings
from pairing.dtls.states import CLIENT, SERVER, DtlsInput, DtlsState
from pairing.engine import FrameIgnored, Outputs
from pairing.errors import AuthenticationError, PeerRejectedError, RemoteProtocolError
from tests.support.dtls_pair import AGENT, PHONE, DtlsPair, Sent

S = DtlsState
CLIENT_STATES = [
    *(S.WAIT_SERVER_HELLO, S.WAIT_SERVER_KEY_EXCHANGE, S.WAIT_SERVER_HELLO_DONE),
    *(S.WAIT_CHANGE_CIPHER_SPEC, S.WAIT_FINISHED, S.CONNECTED),
]
SERVER_STATES = [S.WAIT_CLIENT_KEY_EXCHANGE, S.WAIT_CHANGE_CIPHER_SPEC, S.WAIT_FINISHED, S.CONNECTED]
PLACES = [*(("client", state) for state in CLIENT_STATES), *(("server", state) for state in SERVER_STATES)]
EACH_PLACE = pytest.mark.parametrize(("who", "state"), PLACES, ids=[f"{who}-{state.value}" for who, state in PLACES])
EXPECTED = {
    S.WAIT_SERVER_HELLO: (HandshakeType.SERVER_HELLO, HandshakeType.HELLO_VERIFY_REQUEST),
    S.WAIT_SERVER_KEY_EXCHANGE: (HandshakeType.SERVER_KEY_EXCHANGE,),
    S.WAIT_SERVER_HELLO_DONE: (HandshakeType.SERVER_HELLO_DONE,),
    S.WAIT_CLIENT_KEY_EXCHANGE: (HandshakeType.CLIENT_KEY_EXCHANGE,),
}
IN_CLEAR = [state for state in S if not state.is_final and state not in (S.IDLE, S.WAIT_FINISHED, S.CONNECTED)]
UNKNOWN_TYPE = 99
FORGED = 40
"""A sequence number that the peer has not used."""


def one_record_a_datagram(number: int, sent: Sent) -> Sequence[Sent]:
    return [(sent[0], record.encode()) for record in decode_records(sent[1])]


def side(pair: DtlsPair, who: str) -> Connection | None:
    return pair.client if who == "client" else pair.server.connections.get(PHONE)


def standing(who: str, state: DtlsState) -> DtlsPair:
    """A handshake that has come so far."""
    pair = DtlsPair(server=DtlsSettings(cookie_exchange=False), bend=one_record_a_datagram)
    pair.start()
    while (at := side(pair, who)) is None or at.state is not state:
        pair.step()
    return pair


def give(pair: DtlsPair, who: str, record: DtlsRecord) -> Outputs:
    """A record from the peer, or in its name."""
    receiver, sender = (pair.client, AGENT) if who == "client" else (pair.server, PHONE)
    outputs = receiver.receive(record.encode(), sender, pair.now)
    pair.take(outputs, who)
    return outputs


def in_clear(content_type: int, plaintext: bytes, *, version: int = DTLS_1_2, epoch: int = 0) -> DtlsRecord:
    return DtlsRecord(content_type, version, epoch, FORGED, plaintext)


def sealed(pair: DtlsPair, who: str, content_type: int, plaintext: bytes) -> DtlsRecord:
    """A record under the keys with which the peer writes."""
    at = side(pair, who)
    assert at is not None
    assert at.keys is not None
    keys = at.keys
    secrets = (keys.server_write_key, keys.server_write_iv)
    if who == "server":
        secrets = (keys.client_write_key, keys.client_write_iv)
    return WriteProtection(*secrets).protect(in_clear(content_type, plaintext, epoch=1))


def expected_number(pair: DtlsPair, who: str) -> int:
    at = side(pair, who)
    assert at is not None
    return at._reassembler.expected


def message(msg_type: int, number: int, body: bytes = b"") -> bytes:
    return HandshakeMessage(msg_type, number, body).encode()  # type: ignore[arg-type]


def assert_goes_on(pair: DtlsPair) -> None:
    pair.flush()
    assert pair.completed("client").keys == pair.completed("server").keys
    pair.send(b"ping")
    pair.send(b"pong", "server")
    pair.flush()
    assert (pair.data("server"), pair.data("client")) == ([b"ping"], [b"pong"])


NOISE = {
    "content-type-unknown": in_clear(99, b"?"),
    "content-type-heartbeat": in_clear(24, b"\x01\x00\x00"),
    "version-of-tls": in_clear(ContentType.HANDSHAKE, bytes(12), version=0x0303),
    "epoch-2": in_clear(ContentType.HANDSHAKE, bytes(12), epoch=2),
    "handshake-empty": in_clear(ContentType.HANDSHAKE, b""),
    "handshake-cut-off": in_clear(ContentType.HANDSHAKE, bytes(11)),
    "alert-too-short": in_clear(ContentType.ALERT, b"\x02"),
    "alert-too-long": in_clear(ContentType.ALERT, b"\x02\x28\x00"),
    "alert-warning": in_clear(ContentType.ALERT, b"\x01\x5a"),
    "alert-of-no-level": in_clear(ContentType.ALERT, b"\x07\x28"),
    "change-of-another-cipher": in_clear(ContentType.CHANGE_CIPHER_SPEC, b"\x02"),
    "data-in-clear": in_clear(ContentType.APPLICATION_DATA, b"data"),
    "message-far-ahead": in_clear(ContentType.HANDSHAKE, message(HandshakeType.FINISHED, 5000, bytes(12))),
    "message-too-large": in_clear(ContentType.HANDSHAKE, b"\x0c\xff\xff\xff\x00\x09\x00\x00\x00\x00\x00\x01?"),
}


@EACH_PLACE
@pytest.mark.parametrize("record", NOISE.values(), ids=NOISE)
def test_noise_leaves_no_trace(who: str, state: DtlsState, record: DtlsRecord) -> None:
    pair = standing(who, state)
    before = len(pair.sent)
    give(pair, who, record)
    assert len(pair.sent) == before
    assert_goes_on(pair)


@EACH_PLACE
def test_datagram_without_a_record_leaves_no_trace(who: str, state: DtlsState) -> None:
    pair = standing(who, state)
    receiver, sender = (pair.client, AGENT) if who == "client" else (pair.server, PHONE)
    for datagram in (b"", b"\x16", b"\x16\xfe\xfd" + bytes(9) + b"\xff\x00", b"GET / HTTP/1.0\r\n\r\n"):
        (event,) = receiver.receive(datagram, sender, pair.now)
        assert isinstance(event, FrameIgnored)
    assert_goes_on(pair)


@EACH_PLACE
@pytest.mark.parametrize("kind", [*HandshakeType, UNKNOWN_TYPE])
def test_message_out_of_turn_ends_the_handshake_with_an_alert(who: str, state: DtlsState, kind: int) -> None:
    pair = standing(who, state)
    number = expected_number(pair, who)
    outputs = give(pair, who, in_clear(ContentType.HANDSHAKE, message(kind, number, b"?")))
    if state not in IN_CLEAR:  # whatever is in clear then is not the peer's, or late
        assert [type(each) for each in outputs] == [FrameIgnored]
        assert_goes_on(pair)
        return
    error = pair.failed(who).error
    assert isinstance(error, RemoteProtocolError)
    is_expected = kind in EXPECTED.get(state, ())  # its one octet is wrong then
    assert error.wire_code == (AlertDescription.DECODE_ERROR if is_expected else AlertDescription.UNEXPECTED_MESSAGE)


@EACH_PLACE
@pytest.mark.parametrize("kind", [*HandshakeType, UNKNOWN_TYPE])
def test_late_message_leaves_no_trace(who: str, state: DtlsState, kind: int) -> None:
    pair = standing(who, state)
    number = expected_number(pair, who) - 1
    if number < 0:
        number = 0xFFFF
    give(pair, who, in_clear(ContentType.HANDSHAKE, message(kind, number)))
    assert_goes_on(pair)


@EACH_PLACE
def test_fatal_alert_in_clear_ends_a_handshake_but_no_connection(who: str, state: DtlsState) -> None:
    pair = standing(who, state)
    give(pair, who, in_clear(ContentType.ALERT, Alert(AlertLevel.FATAL, AlertDescription.HANDSHAKE_FAILURE).encode()))
    if state in (S.WAIT_FINISHED, S.CONNECTED):
        assert_goes_on(pair)
        return
    error = pair.failed(who).error
    assert isinstance(error, PeerRejectedError)
    assert error.wire_code == AlertDescription.HANDSHAKE_FAILURE


@EACH_PLACE
def test_change_cipher_spec_out_of_turn_leaves_no_trace(who: str, state: DtlsState) -> None:
    pair = standing(who, state)
    if state is not S.WAIT_CHANGE_CIPHER_SPEC:
        give(pair, who, in_clear(ContentType.CHANGE_CIPHER_SPEC, b"\x01"))
    assert_goes_on(pair)


@pytest.mark.parametrize(("who", "kind"), [(who, kind) for who in ("client", "server") for kind in HandshakeType])
def test_protected_message_in_the_place_of_finished_is_refused(who: str, kind: HandshakeType) -> None:
    pair = standing(who, S.WAIT_FINISHED)
    forged = message(kind, expected_number(pair, who), bytes(12))
    give(pair, who, sealed(pair, who, ContentType.HANDSHAKE, forged))
    error = pair.failed(who).error
    assert isinstance(error, RemoteProtocolError)
    wrong = AlertDescription.DECRYPT_ERROR if kind is HandshakeType.FINISHED else AlertDescription.UNEXPECTED_MESSAGE
    assert error.wire_code == wrong
    assert isinstance(error, AuthenticationError) is (kind is HandshakeType.FINISHED)


@pytest.mark.parametrize("who", ["client", "server"])
def test_protected_alert_before_finished_waits_for_it(who: str) -> None:
    pair = standing(who, S.WAIT_FINISHED)
    alert = Alert(AlertLevel.WARNING, AlertDescription.CLOSE_NOTIFY)
    assert give(pair, who, sealed(pair, who, ContentType.ALERT, alert.encode())) == []
    pair.flush()
    assert pair.completed(who)
    assert pair.closed(who).by_peer


@pytest.mark.parametrize("who", ["client", "server"])
@pytest.mark.parametrize("kind", [*HandshakeType, UNKNOWN_TYPE])
def test_protected_message_on_a_connection_leaves_it_up(who: str, kind: int) -> None:
    pair = standing(who, S.CONNECTED)
    give(pair, who, sealed(pair, who, ContentType.HANDSHAKE, message(kind, 9, bytes(12))))
    is_renegotiation = kind == (HandshakeType.HELLO_REQUEST if who == "client" else HandshakeType.CLIENT_HELLO)
    assert pair.alerts(who) == ([("no_renegotiation", True)] if is_renegotiation else [])
    assert_goes_on(pair)


@pytest.mark.parametrize("who", ["client", "server"])
def test_record_that_does_not_decrypt_ends_a_handshake_but_no_connection(who: str) -> None:
    garbage = in_clear(ContentType.HANDSHAKE, bytes(40), epoch=1)
    pair = standing(who, S.CONNECTED)
    give(pair, who, garbage)
    assert_goes_on(pair)
    pair = standing(who, S.WAIT_FINISHED)
    give(pair, who, garbage)
    assert isinstance(pair.failed(who).error, AuthenticationError)


@pytest.mark.parametrize("length", [0, 5, 8, 15, 16, 17, 31, 32])
def test_record_too_short_to_be_protected_ends_a_handshake_like_any_other(length: int) -> None:
    pair = standing("server", S.WAIT_FINISHED)
    give(pair, "server", in_clear(ContentType.HANDSHAKE, bytes(length), epoch=1))
    assert pair.alerts("server") == [("bad_record_mac", False)]
    assert str(pair.failed("server").error).endswith("another password, or a record changed on its way")


@pytest.mark.parametrize("who", ["client", "server"])
def test_whatever_comes_after_the_end_is_ignored(who: str) -> None:
    pair = standing(who, S.CONNECTED)
    pair.take(pair.client.close(0) if who == "client" else pair.server.close_all(0), who)
    for record in (*NOISE.values(), in_clear(ContentType.ALERT, b"\x02\x28")):
        assert [type(each) for each in give(pair, who, record)] == [FrameIgnored]


@pytest.mark.parametrize(("table", "role"), [(CLIENT, "client"), (SERVER, "server")])
def test_every_state_but_the_final_ones_has_a_way_to_an_end(
    table: dict[tuple[DtlsState, DtlsInput], DtlsState], role: str
) -> None:
    states = CLIENT_STATES if role == "client" else SERVER_STATES
    assert {state for state, _ in table} == {*states, S.IDLE}
    for state in states:
        assert table[state, DtlsInput.CLOSE] is S.CLOSED
        assert table[state, DtlsInput.CLOSED_BY_PEER].is_final
        assert table[state, DtlsInput.ALERTED].is_final
    assert not any(state.is_final for state, _ in table)


def test_failed_handshake_reports_what_it_had() -> None:
    pair = standing("client", S.WAIT_CHANGE_CIPHER_SPEC)
    give(pair, "client", in_clear(ContentType.ALERT, b"\x02\x14"))
    (failed,) = pair.events("client", HandshakeFailed)
    assert {"x1", "x2", "premaster", "master_secret"} <= set(failed.intermediates)
    assert "premaster" not in repr(failed)
