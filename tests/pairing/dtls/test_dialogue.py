"""A client and a server: handshakes, data, closing, wrong passwords, and what each side draws and derives."""

from dataclasses import fields, replace

import pytest

from pairing.dtls.client import DtlsClient
from pairing.dtls.events import AlertReceived, DtlsEvent, HandshakeStarted
from pairing.dtls.messages import ClientHello, Extension, ExtensionType, HandshakeType, ServerHello, decode_fragments
from pairing.dtls.record import ContentType, decode_records
from pairing.dtls.server import DtlsServer
from pairing.dtls.settings import OPENTHREAD_JOINER_HELLO, DtlsSettings, ServerHelloShape
from pairing.dtls.states import DtlsState
from pairing.engine import Endpoint, FrameIgnored
from pairing.errors import AuthenticationError, EncodeError, LocalProtocolError
from tests.support.dtls_pair import AGENT, OTHER_PASSWORD, PASSWORD, PHONE, DtlsPair, with_extended_master_secret
from tests.support.recorded_entropy import seeded


def hello_of(pair: DtlsPair) -> ServerHello:
    """The ServerHello that went over the wire."""
    for who, datagram in pair.sent:
        for record in decode_records(datagram) if who == "server" else ():
            if record.content_type == ContentType.HANDSHAKE and not record.epoch:
                for fragment in decode_fragments(record.fragment):
                    if fragment.msg_type == HandshakeType.SERVER_HELLO:
                        return ServerHello.decode(fragment.body)
    raise AssertionError("no ServerHello")


def test_both_sides_hold_the_same_keys_and_values() -> None:
    pair = DtlsPair().connect()
    one, other = pair.completed("client"), pair.completed("server")
    assert one.keys == other.keys
    assert one.keys.kek == other.keys.kek
    shared = set(one.intermediates) & set(other.intermediates)
    assert {"premaster", "master_secret", "key_block", "client_verify_data", "zkp_hash_input_Xs"} <= shared
    assert {name: one.intermediates[name] for name in shared} == {name: other.intermediates[name] for name in shared}
    assert pair.client.keys == one.keys


def test_datagrams_are_as_long_as_those_of_thread_stacks() -> None:
    pair = DtlsPair(seed=1).connect()
    lengths = [len(datagram) for _, datagram in pair.sent]
    assert lengths == [432, 60, 464, 665, 257, 67]
    joiner = DtlsPair(DtlsSettings(client_hello=OPENTHREAD_JOINER_HELLO), seed=1).connect()
    assert [len(datagram) for _, datagram in joiner.sent] == [427, 60, 459, 660, 257, 67]


def test_record_numbers_go_on_from_the_clients_hello() -> None:
    pair = DtlsPair().connect()
    handshake, change = ContentType.HANDSHAKE, ContentType.CHANGE_CIPHER_SPEC
    client = [(handshake, 0, 0), (handshake, 0, 1), (handshake, 0, 2), (change, 0, 3), (handshake, 1, 0)]
    server = [(handshake, 0, each) for each in range(4)]
    assert pair.records("client") == client
    assert pair.records("server") == [*server, (change, 0, 4), (handshake, 1, 0)]


def test_data_goes_both_ways_and_close_notify_is_answered() -> None:
    pair = DtlsPair().connect()
    pair.send(b"petition")
    pair.send(b"accept", "server")
    pair.flush()
    assert (pair.data("server"), pair.data("client")) == ([b"petition"], [b"accept"])
    pair.take(pair.client.close(pair.now), "client")
    pair.flush()
    assert pair.alerts("client") == pair.alerts("server") == [("close_notify", True)]
    assert (pair.closed("client").by_peer, pair.closed("server").by_peer) == (False, True)
    assert pair.client.state is DtlsState.CLOSED


def test_server_closes_and_both_close_at_once() -> None:
    pair = DtlsPair().connect()
    pair.take(pair.server.close_all(pair.now), "server")
    pair.take(pair.client.close(pair.now), "client")
    pair.flush()
    assert pair.alerts("client") == pair.alerts("server") == [("close_notify", True)]
    assert not pair.closed("client").by_peer
    assert not pair.closed("server").by_peer


@pytest.mark.parametrize(
    ("client", "server"), [(OTHER_PASSWORD, PASSWORD), (PASSWORD, OTHER_PASSWORD), (b"J", b"a" * 200)]
)
def test_wrong_password_shows_as_a_plaintext_alert_after_the_clients_finished(client: bytes, server: bytes) -> None:
    pair = DtlsPair(passwords=(client, server)).connect()
    who, last = pair.sent[-1]
    assert (who, len(last), last[:3], last[-4:]) == ("server", 15, b"\x15\xfe\xfd", b"\x00\x02\x02\x14")
    assert pair.alerts("server") == [("bad_record_mac", False)]
    (alert,) = pair.events("client", AlertReceived)
    assert (alert.alert.name, alert.is_encrypted) == ("bad_record_mac", False)
    for side in ("client", "server"):
        error = pair.failed(side).error
        assert isinstance(error, AuthenticationError)
        assert error.wire_code == 20
    texts = [str(pair.failed(side).error) for side in ("client", "server")]
    assert texts == [
        "DTLS: the peer sent fatal alert bad_record_mac",
        "DTLS: the peer's Finished does not decrypt: another password, or a record changed on its way",
    ]


def test_all_wrong_passwords_do_the_same() -> None:
    """The same events, texts and lengths, whatever the difference: nothing tells a near miss from a far one."""
    traces = set()
    for wrong in (b"J01NMF", b"j01nme", b"J01NME0", b"\x01", b"Z" * 32):
        pair = DtlsPair(passwords=(wrong, PASSWORD)).connect()
        events = tuple(repr(each) for each in (*pair.client_events, *pair.server_events))
        traces.add((events, tuple(len(datagram) for _, datagram in pair.sent[4:])))
    assert len(traces) == 1


def test_leading_zeros_of_the_password_do_not_matter() -> None:
    pair = DtlsPair(passwords=(b"\0\0" + PASSWORD, PASSWORD)).connect()
    assert pair.completed("client").keys == pair.completed("server").keys


@pytest.mark.parametrize(("offers", "accepts"), [(False, False), (True, False), (False, True), (True, True)])
def test_extended_master_secret_needs_both_sides(offers: bool, accepts: bool) -> None:
    plain, extended = DtlsSettings(), with_extended_master_secret(DtlsSettings())
    pair = DtlsPair(extended if offers else plain, extended if accepts else plain).connect()
    one, other = pair.completed("client"), pair.completed("server")
    assert one.keys == other.keys
    assert one.extended_master_secret is other.extended_master_secret is (offers and accepts)


def test_server_that_asks_for_no_cookie_answers_at_once() -> None:
    pair = DtlsPair(server=DtlsSettings(cookie_exchange=False)).connect()
    assert [who for who, _ in pair.sent] == ["client", "server", "client", "server"]
    assert pair.completed("client").keys == pair.completed("server").keys


def test_both_versions_of_hello_verify_request_are_taken() -> None:
    pair = DtlsPair(server=DtlsSettings(hello_verify_version=0xFEFF)).connect()
    assert pair.completed("client").keys == pair.completed("server").keys


def test_small_mtu_cuts_messages_on_both_sides() -> None:
    small = DtlsSettings(mtu=200)
    pair = DtlsPair(small, small).connect()
    assert max(len(datagram) for who, datagram in pair.sent if who == "server") <= 200
    assert pair.completed("client").keys == pair.completed("server").keys


def test_fragment_length_that_client_asks_for_binds_the_server_and_data() -> None:
    hello = replace(
        OPENTHREAD_JOINER_HELLO,
        extensions=(*OPENTHREAD_JOINER_HELLO.extensions, Extension(ExtensionType.MAX_FRAGMENT_LENGTH, b"\x01")),
    )
    pair = DtlsPair(DtlsSettings(client_hello=hello)).connect()
    assert hello_of(pair).extension(ExtensionType.MAX_FRAGMENT_LENGTH) == b"\x01"
    pair.send(bytes(512))
    with pytest.raises(EncodeError, match="512"):
        pair.send(bytes(513), "server")
    pair.flush()
    assert pair.data("server") == [bytes(512)]


def test_server_echoes_only_what_was_offered() -> None:
    hello = replace(
        OPENTHREAD_JOINER_HELLO,
        cipher_suites=(0xC0FF,),
        extensions=(
            Extension(0xABCD, b"unknown"),
            OPENTHREAD_JOINER_HELLO.extensions[0],
            OPENTHREAD_JOINER_HELLO.extensions[3],
        ),
    )
    pair = DtlsPair(DtlsSettings(client_hello=hello)).connect()
    assert [each.extension_type for each in hello_of(pair).extensions or ()] == [256]
    assert pair.completed("client").keys == pair.completed("server").keys


def test_terse_server_hello_is_accepted() -> None:
    terse = ServerHelloShape(session_id_length=0, extensions=(Extension(ExtensionType.ECJPAKE_KEY_KP_PAIR),))
    pair = DtlsPair(server=DtlsSettings(server_hello=terse)).connect()
    assert hello_of(pair).session_id == b""
    assert pair.completed("client").keys == pair.completed("server").keys


def test_second_hello_repeats_the_first_but_for_the_cookie() -> None:
    pair = DtlsPair().connect()
    bodies = [decode_fragments(decode_records(pair.sent[at][1])[0].fragment)[0].body for at in (0, 2)]
    first, second = (ClientHello.decode(body) for body in bodies)
    assert second.cookie != b""
    assert first.with_cookie(second.cookie) == second


def test_handshake_started_is_reported_only_after_the_cookie() -> None:
    pair = DtlsPair()
    pair.start()
    pair.step()
    assert pair.server_events == []
    pair.flush()
    assert len(pair.events("server", HandshakeStarted)) == 1


def test_same_seed_gives_the_same_octets_and_another_seed_others() -> None:
    one, same, other = (DtlsPair(seed=seed).connect().sent for seed in (1, 1, 2))
    assert one == same != other


def test_side_without_a_connection_refuses_to_send() -> None:
    client = DtlsClient(AGENT, PASSWORD, seeded(0))
    with pytest.raises(LocalProtocolError):
        client.send(b"data", 0)
    with pytest.raises(LocalProtocolError):
        client.close(0)
    client.start(0)
    with pytest.raises(LocalProtocolError):
        client.start(0)
    with pytest.raises(LocalProtocolError):
        client.send(b"data", 0)
    server = DtlsServer(PASSWORD, seeded(0))
    with pytest.raises(LocalProtocolError):
        server.send(PHONE, b"data", 0)
    with pytest.raises(LocalProtocolError):
        server.close(PHONE, 0)


def test_handshake_that_our_side_gives_up_ends_without_a_word() -> None:
    pair = DtlsPair()
    pair.start()
    pair.take(pair.client.close(0), "client")
    assert len(pair.sent) == 1
    assert pair.closed("client").reason == "handshake given up by our side"
    assert pair.client.deadline is None


def test_datagram_from_another_address_is_ignored() -> None:
    pair = DtlsPair()
    pair.start()
    (event,) = pair.client.receive(b"anything", Endpoint("192.0.2.9", 1), 0)
    assert isinstance(event, FrameIgnored)


def test_secrets_are_marked_and_not_shown() -> None:
    pair = DtlsPair().connect()
    pair.send(b"network key")
    pair.flush()
    keys = pair.completed("server").keys
    for event in (*pair.client_events, *pair.server_events):
        assert isinstance(event, DtlsEvent)
        shown = repr(event)
        assert "network key" not in shown
        assert keys.master_secret.hex() not in shown
        for field in fields(event):
            assert field.name not in ("keys", "intermediates", "data") or field.metadata["secret"]


def test_changed_password_counts_for_connections_to_come() -> None:
    pair = DtlsPair(passwords=(OTHER_PASSWORD, PASSWORD))
    pair.server.change_password(OTHER_PASSWORD)
    pair.connect()
    assert pair.completed("client").keys == pair.completed("server").keys


def test_later_data_may_overtake_earlier_but_not_come_twice() -> None:
    pair = DtlsPair().connect()
    for data in (b"one", b"two", b"three"):
        pair.send(data)
    pair.wire = [pair.wire[at] for at in (2, 0, 2, 1, 0)]
    pair.flush()
    assert pair.data("server") == [b"three", b"one", b"two"]
    assert len(pair.events("server", FrameIgnored)) == 2
