"""The server of a port: what it keeps of whom, who takes a place, who gives way, who is ignored and for how long."""

import gc
import tracemalloc
from collections.abc import Callable

import pytest

from pairing.dtls.client import DtlsClient
from pairing.dtls.events import ConnectionClosed, HandshakeCompleted, HandshakeFailed, HandshakeStarted
from pairing.dtls.messages import ClientHello, HandshakeMessage, HandshakeType, HelloVerifyRequest, decode_fragments
from pairing.dtls.record import DTLS_1_2, ContentType, DtlsRecord, decode_records
from pairing.dtls.server import MOST_DEAF, DtlsServer
from pairing.dtls.settings import EPHEMERAL_KEY_POLICY, ConnectionPolicy, DtlsSettings
from pairing.engine import MILLISECOND, SECOND, Endpoint, Event, FrameIgnored, Micros, Outputs, Transmit
from tests.support.dtls_pair import AGENT, OTHER_PASSWORD, PASSWORD, PHONE, DtlsPair
from tests.support.recorded_entropy import seeded

STRANGER = Endpoint("192.0.2.77", 50000)


def datagrams(outputs: Outputs) -> list[bytes]:
    return [each.payload for each in outputs if isinstance(each, Transmit)]


def events(outputs: Outputs) -> list[type[Event]]:
    return [type(each) for each in outputs if not isinstance(each, Transmit)]


def reasons(outputs: Outputs) -> list[str]:
    return [each.reason for each in outputs if isinstance(each, FrameIgnored)]


def first_hello(seed: object = "flood") -> bytes:
    (hello,) = datagrams(DtlsClient(AGENT, PASSWORD, seeded(seed)).start(0))
    return hello


def with_cookie(hello: bytes, request: bytes) -> bytes:
    """The second ClientHello of whoever sent `hello` and was asked for a cookie."""
    (record,), (asked,) = decode_records(hello), decode_records(request)
    cookie = HelloVerifyRequest.decode(decode_fragments(asked.fragment)[0].body).cookie
    body = ClientHello.decode(decode_fragments(record.fragment)[0].body).with_cookie(cookie).encode()
    message = HandshakeMessage(HandshakeType.CLIENT_HELLO, 1, body)
    return DtlsRecord(ContentType.HANDSHAKE, DTLS_1_2, 0, 1, message.encode()).encode()


def half_open(server: DtlsServer, sender: Endpoint, now: Micros = 0, hello: bytes = first_hello()) -> Outputs:
    """A peer that comes back with its cookie and then is silent."""
    (request,) = datagrams(server.receive(hello, sender, now))
    return server.receive(with_cookie(hello, request), sender, now)


def served(server: DtlsServer, address: Endpoint, now: Micros, password: bytes = PASSWORD) -> bool:
    """Whether a client of this address comes to a connection."""
    client = DtlsClient(AGENT, password, seeded(address))
    wire = datagrams(client.start(now))
    while wire:
        answers = [answer for each in wire for answer in datagrams(server.receive(each, address, now))]
        outputs = [output for answer in answers for output in client.receive(answer, AGENT, now)]
        if HandshakeCompleted in events(outputs):
            return True
        wire = datagrams(outputs)
    return False


def growth(act: Callable[[int], object], rounds: range) -> int:
    """Octets that are held after the last rounds more than after the first tenth of them."""
    tracemalloc.start()
    early = rounds.start + len(rounds) // 10
    for number in rounds:
        if number == early:
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
        act(number)
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return after - before


def port(number: int) -> Endpoint:
    return STRANGER._replace(port=10000 + number)


def test_1000_hellos_without_a_cookie_leave_nothing_behind() -> None:
    server, hello = DtlsServer(PASSWORD, seeded(0)), first_hello()
    held = growth(lambda number: server.receive(hello, port(number), 0), range(1000))
    assert held < 20_000
    assert server.connections == {}
    assert server.deadline is None
    assert served(server, PHONE, 0)


def test_request_for_a_cookie_is_shorter_than_the_hello_and_draws_nothing() -> None:
    """Who forges an address can have nothing amplified, and no entropy spent."""
    server, hello = DtlsServer(PASSWORD, seeded(0)), first_hello()
    one, again = (server.receive(hello, STRANGER, at) for at in (0, 500 * SECOND))
    assert one == again
    assert len(datagrams(one)[0]) == 60 < len(hello)
    assert events(one) == []


def test_cookie_of_another_address_or_server_does_not_count() -> None:
    server, hello = DtlsServer(PASSWORD, seeded(0)), first_hello()
    (request,) = datagrams(server.receive(hello, STRANGER, 0))
    second = with_cookie(hello, request)
    for receiver, sender in ((server, PHONE), (DtlsServer(PASSWORD, seeded(1)), STRANGER)):
        outputs = receiver.receive(second, sender, 0)
        assert [len(each) for each in datagrams(outputs)] == [60]
        assert receiver.connections == {}


def flooded(count: int) -> tuple[DtlsServer, list[Event]]:
    server, seen = DtlsServer(PASSWORD, seeded(0), policy=ConnectionPolicy(max_connections=8)), []
    assert served(server, Endpoint("192.0.2.50", 1), 0)
    for number in range(count):
        seen += [each for each in half_open(server, port(number)) if not isinstance(each, Transmit)]
    return server, seen


def test_half_open_handshakes_take_no_place_from_established_or_new_connections() -> None:
    server, seen = flooded(20)
    assert len(server.connections) == 8
    assert Endpoint("192.0.2.50", 1) in server.connections
    gone = [each for each in seen if isinstance(each, HandshakeFailed)]
    assert len(gone) == 13
    assert [each.address for each in gone] == [port(number) for number in range(13)]  # the oldest first
    assert "gave way" in str(gone[0].error)
    assert served(server, PHONE, 0)
    assert len(server.connections) == 8


@pytest.mark.slow
def test_1000_half_open_handshakes_leave_memory_flat_and_others_served() -> None:
    server = DtlsServer(PASSWORD, seeded(0))
    assert growth(lambda number: half_open(server, port(number), number * MILLISECOND), range(1000)) < 100_000
    assert len(server.connections) == 32
    assert served(server, PHONE, SECOND)
    server.handle_timeout(0)
    for at in range(2, 200):
        server.handle_timeout(at * SECOND)
    assert list(server.connections) == [PHONE]


def test_established_connections_can_take_all_places() -> None:
    server = DtlsServer(PASSWORD, seeded(0), policy=ConnectionPolicy(max_connections=2))
    assert served(server, port(1), 0)
    assert served(server, port(2), 0)
    assert not served(server, PHONE, 0)
    server.close(port(1), SECOND)
    assert served(server, PHONE, SECOND)


def test_peer_is_ignored_for_two_seconds_after_the_end_and_nobody_else_is() -> None:
    server = DtlsServer(PASSWORD, seeded(0))
    assert not served(server, PHONE, 0, OTHER_PASSWORD)
    assert server.deadline == 2 * SECOND
    ignored = server.receive(first_hello(), PHONE, 2 * SECOND - 1)
    assert reasons(ignored) == ["datagram within the deaf time after the connection's end"]
    assert datagrams(ignored) == []
    assert served(server, STRANGER, SECOND)
    assert served(server, PHONE, 2 * SECOND)


def test_closed_peer_is_ignored_as_well() -> None:
    pair = DtlsPair().connect()
    pair.take(pair.client.close(0), "client")
    pair.flush()
    assert PHONE not in pair.server.connections
    assert not served(pair.server, PHONE, SECOND)
    assert served(pair.server, PHONE, 2 * SECOND)


def test_ignored_peers_are_forgotten_beyond_a_number() -> None:
    """Hellos that are refused cost next to nothing: they must not fill the memory."""
    server = DtlsServer(PASSWORD, seeded(0), DtlsSettings(cookie_exchange=False))
    (record,) = decode_records(first_hello())
    body = decode_fragments(record.fragment)[0].body.replace(b"\xc0\xff\x00\xff", b"\x00\x01\x00\xff")
    message = HandshakeMessage(HandshakeType.CLIENT_HELLO, 0, body)
    hello = DtlsRecord(ContentType.HANDSHAKE, DTLS_1_2, 0, 0, message.encode()).encode()
    for number in range(MOST_DEAF + 1):
        assert events(server.receive(hello, port(number), 0))[-1] is HandshakeFailed
    assert reasons(server.receive(hello, port(1), 0)) != []
    assert reasons(server.receive(hello, port(0), 0)) == []


def test_new_hello_from_the_address_of_a_connection_replaces_it_only_with_a_cookie() -> None:
    pair = DtlsPair().connect()
    outputs = pair.server.receive(first_hello(), PHONE, 0)
    assert [len(each) for each in datagrams(outputs)] == [60]
    pair.send(b"still here")
    pair.flush()
    assert pair.data("server") == [b"still here"]
    outputs = half_open(pair.server, PHONE)
    assert events(outputs) == [ConnectionClosed, HandshakeStarted]
    assert pair.server.connections[PHONE].is_shaking_hands
    outputs = half_open(pair.server, PHONE, hello=first_hello("another"))
    assert events(outputs) == [HandshakeFailed, HandshakeStarted]


def test_policy_may_keep_the_first_connection() -> None:
    pair = DtlsPair(policy=ConnectionPolicy(replace_on_new_hello=False)).connect()
    assert reasons(pair.server.receive(first_hello(), PHONE, 0)) == ["record of epoch 0 after the change to epoch 1"]
    pair.send(b"data")
    pair.flush()
    assert pair.data("server") == [b"data"]


def test_exclusive_port_belongs_to_the_first_hello_even_before_its_cookie() -> None:
    server = DtlsServer(PASSWORD, seeded(0), policy=EPHEMERAL_KEY_POLICY)
    assert [len(each) for each in datagrams(server.receive(first_hello(), STRANGER, 0))] == [60]
    outputs = server.receive(first_hello(), PHONE, 25 * SECOND)
    assert (datagrams(outputs), reasons(outputs)) == ([], ["ClientHello while another peer has the one place"])
    assert served(server, STRANGER, 30 * SECOND)


def test_exclusive_port_is_deaf_to_everybody_after_an_end() -> None:
    server = DtlsServer(PASSWORD, seeded(0), policy=EPHEMERAL_KEY_POLICY)
    assert not served(server, STRANGER, 0, OTHER_PASSWORD)
    assert not served(server, PHONE, 2 * SECOND - 1)
    assert served(server, PHONE, 2 * SECOND)


def test_policy_without_deaf_time_serves_the_next_at_once() -> None:
    server = DtlsServer(PASSWORD, seeded(0), policy=ConnectionPolicy(is_exclusive=True, deaf_after=0))
    assert not served(server, STRANGER, 0, OTHER_PASSWORD)
    assert server.deadline is None
    assert served(server, PHONE, 0)
