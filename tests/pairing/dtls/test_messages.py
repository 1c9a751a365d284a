"""Handshake messages: recorded ones, round trips, octets that are none."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.dtls import messages as m
from pairing.dtls.messages import (
    ClientHello,
    Extension,
    HandshakeFragment,
    HandshakeMessage,
    HandshakeType,
    HelloVerifyRequest,
    ServerHello,
)
from pairing.dtls.record import ContentType, decode_records
from pairing.ecjpake.proof import KeyKp
from pairing.errors import DecodeError, EncodeError

VECTORS = Path(__file__).parents[2] / "vectors" / "thread"
BODIES: dict[int, Callable[[bytes], bytes]] = {
    HandshakeType.CLIENT_HELLO: lambda body: ClientHello.decode(body).encode(),
    HandshakeType.HELLO_VERIFY_REQUEST: lambda body: HelloVerifyRequest.decode(body).encode(),
    HandshakeType.SERVER_HELLO: lambda body: ServerHello.decode(body).encode(),
    HandshakeType.SERVER_KEY_EXCHANGE: lambda b: m.encode_server_key_exchange(m.decode_server_key_exchange(b)),
    HandshakeType.CLIENT_KEY_EXCHANGE: lambda body: m.decode_client_key_exchange(body).encode(),
}
"""Message type -> decode and encode again."""


@cache
def recorded(kind: int) -> list[bytes]:
    """The bodies of all recorded messages of a type that came in one fragment."""
    found = []
    for path in sorted(VECTORS.glob("*.json")):
        document = json.loads(path.read_text())
        for datagram in document.get("datagrams", ()) if isinstance(document, dict) else ():
            for record in decode_records(bytes.fromhex(datagram["hex"])):
                if record.content_type == ContentType.HANDSHAKE and not record.epoch:
                    fragments = m.decode_fragments(record.fragment)
                    found += [each.body for each in fragments if each.msg_type == kind and each.is_whole]
    return found


@pytest.mark.parametrize("kind", BODIES)
def test_recorded_messages_decode_and_encode(kind: int) -> None:
    bodies = recorded(kind)
    assert len(bodies) > 8
    assert [BODIES[kind](body) for body in bodies] == bodies


@pytest.mark.parametrize("kind", BODIES)
@given(data=st.data())
def test_arbitrary_body_is_a_message_or_a_decode_error(kind: int, data: st.DataObject) -> None:
    real = recorded(kind)[0]
    body = data.draw(
        st.binary(max_size=60)
        | st.integers(0, len(real)).map(lambda cut: real[:cut])
        | st.tuples(st.integers(0, len(real) - 1), st.integers(1, 255)).map(
            lambda at: real[: at[0]] + bytes((real[at[0]] ^ at[1],)) + real[at[0] + 1 :]
        )
    )
    try:
        assert BODIES[kind](body) == body
    except DecodeError:
        pass


extensions = st.none() | st.lists(
    st.builds(Extension, st.integers(0, 0xFFFF), st.binary(max_size=20)),
    max_size=4,
    unique_by=lambda each: each.extension_type,
).map(tuple)


client_hellos = st.builds(
    ClientHello,
    st.binary(min_size=32, max_size=32),
    st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=5).map(tuple),
    extensions,
    st.integers(0, 0xFFFF),
    st.binary(max_size=32),
    st.binary(max_size=255),
    st.binary(min_size=1, max_size=3),
)
server_hellos = st.builds(
    ServerHello, st.binary(min_size=32, max_size=32), st.binary(max_size=32), extensions, st.integers(0, 0xFFFF)
)


@given(client_hellos)
def test_client_hello_round_trips(hello: ClientHello) -> None:
    assert ClientHello.decode(hello.encode()) == hello


@given(server_hellos)
def test_server_hello_round_trips(hello: ServerHello) -> None:
    assert ServerHello.decode(hello.encode()) == hello


@given(st.binary(max_size=255), st.integers(0, 0xFFFF))
def test_hello_verify_request_round_trips(cookie: bytes, version: int) -> None:
    request = HelloVerifyRequest(cookie, version)
    assert HelloVerifyRequest.decode(request.encode()) == request


@given(st.binary(max_size=300), st.integers(0, 0xFFFF), st.integers(13, 400))
def test_fragments_cover_the_message_within_their_limit(body: bytes, number: int, largest: int) -> None:
    message = HandshakeMessage(11, number, body)
    fragments = message.fragments(largest)
    assert all(len(each.encode()) <= largest for each in fragments)
    assert b"".join(each.body for each in fragments) == body
    assert m.decode_fragments(b"".join(each.encode() for each in fragments)) == tuple(fragments)


def test_message_without_room_for_a_fragment_is_an_encode_error() -> None:
    with pytest.raises(EncodeError):
        HandshakeMessage(11, 0, b"body").fragments(12)


@given(st.binary(max_size=60))
def test_arbitrary_octets_are_fragments_or_a_decode_error(data: bytes) -> None:
    try:
        fragments = m.decode_fragments(data)
    except DecodeError:
        return
    assert b"".join(each.encode() for each in fragments) == data


def test_fragment_beyond_its_message_is_refused() -> None:
    with pytest.raises(DecodeError, match="ends at 6, the message at 5"):
        m.decode_fragments(HandshakeFragment(1, 5, 0, 3, b"abc").encode())


PAIR = KeyKp(b"\x04" + bytes(64), b"\x04" + bytes(64), b"r")


@pytest.mark.parametrize(
    ("decode", "body", "reason"),
    [
        (ClientHello.decode, b"\xfe\xfd" + bytes(32) + b"\0\0\0\x01\xc0\x01\0", "pairs"),
        (ClientHello.decode, b"\xfe\xfd" + bytes(32) + b"\0\0\0\0\x01\0", "pairs"),
        (ClientHello.decode, b"\xfe\xfd" + bytes(32) + b"\0\0\0\x02\xc0\xff\0", "compression_methods is empty"),
        (ServerHello.decode, b"\xfe\xfd" + bytes(32) + b"\0\xc0\xff\0\0\x08\0\x01\0\0\0\x01\0\0", "twice"),
        (ServerHello.decode, b"\xfe\xfd" + bytes(32) + b"\0\xc0\xff\0\0\0\0", "too many"),
        (m.decode_server_key_exchange, b"\x03\x00\x18" + PAIR.encode(), "secp256r1"),
        (m.decode_server_key_exchange, b"\x03\x00\x17" + PAIR.encode() + b"\0", "too many"),
        (m.decode_client_key_exchange, PAIR.encode() + b"\0", "too many"),
        (m.decode_client_key_exchange, b"\x40" + bytes(64), "public key has 64"),
        (m.decode_client_key_exchange, PAIR.encode()[:132] + b"\0", "r is empty"),
        (m.decode_key_pairs, PAIR.encode(), "length of public key"),
    ],
)
def test_what_is_no_message_is_named(decode: Callable[[bytes], object], body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decode(body)


def test_key_pairs_are_two_without_a_length_around_them() -> None:
    body = m.encode_key_pairs((PAIR, PAIR))
    assert body == PAIR.encode() * 2
    assert m.decode_key_pairs(body) == (PAIR, PAIR)
