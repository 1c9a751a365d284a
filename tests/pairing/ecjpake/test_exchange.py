"""EC-JPAKE: recorded exchanges of independent implementations, both roles; agreement, refusals and known mistakes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.ecjpake.exchange import EcJpake, EcJpakeRole
from pairing.ecjpake.points import CURVE, GENERATOR
from pairing.ecjpake.proof import KeyKp, challenge, hash_input, prove
from pairing.errors import AuthenticationError, DecodeError, LocalProtocolError
from pairing.wire import Reader
from tests.support.recorded_entropy import RecordedEntropy, seeded

VECTORS = Path(__file__).parents[2] / "vectors" / "thread"
FILES = sorted(path.name for path in VECTORS.glob("*.json") if "client_private" in json.loads(path.read_text()))
CLIENT, SERVER = EcJpakeRole.CLIENT, EcJpakeRole.SERVER


def draws(private: dict[str, Any], first: str, second: str) -> RecordedEntropy:
    """The recorded scalars and nonces in the order in which a side draws them."""
    nonces = private["zkp_nonces_in_order"]
    order = (private[first], nonces[0], private[second], nonces[1], nonces[2])
    return RecordedEntropy([bytes.fromhex(each.zfill(64)) for each in order])


def recorded_sides(document: dict[str, Any]) -> tuple[EcJpake, EcJpake]:
    """Client and server with the file's passwords and randomness."""
    passwords = [
        bytes.fromhex(document.get(f"{side}_password_hex") or document["password_hex"]) for side in ("client", "server")
    ]
    return (
        EcJpake(CLIENT, passwords[0], draws(document["client_private"], "x1", "x2")),
        EcJpake(SERVER, passwords[1], draws(document["server_private"], "x3", "x4")),
    )


def run(client: EcJpake, server: EcJpake) -> tuple[bytes, bytes]:
    """The whole exchange; both premasters."""
    server.read_round_one(*client.round_one())
    client.read_round_one(*server.round_one())
    client.read_round_two(server.round_two())
    server.read_round_two(client.round_two())
    return client.premaster(), server.premaster()


def pair(password: bytes = b"J01NME", other: bytes | None = None, seed: object = 0) -> tuple[EcJpake, EcJpake]:
    client = EcJpake(CLIENT, password, seeded(f"{seed}/client"))
    return client, EcJpake(SERVER, password if other is None else other, seeded(f"{seed}/server"))


@pytest.mark.parametrize("name", FILES)
def test_recorded_exchange_gives_the_recorded_values(name: str) -> None:
    document = json.loads((VECTORS / name).read_text())
    client, server = recorded_sides(document)
    premasters = run(client, server)
    assert [each.hex() for each in premasters] == [document["client_premaster"], document["server_premaster"]]
    assert client.intermediates["x2s"].hex() == document["client_private"]["x2s"]
    assert server.intermediates["x4s"].hex() == document["server_private"]["x4s"]
    for side, engine in (("client", client), ("server", server)):
        if f"{side}_shared_point_x" in document:
            assert engine.intermediates["shared_point_x"].hex() == document[f"{side}_shared_point_x"]
    if "zkp_hash_inputs_client_view" in document:
        values = client.intermediates
        made = [values[each].hex() for each in values if each.startswith("zkp_hash_input_")]
        assert made == document["zkp_hash_inputs_client_view"]


def test_there_are_recorded_exchanges() -> None:
    assert len(FILES) >= 14


def test_both_sides_agree_and_another_password_gives_another_secret() -> None:
    one, other = run(*pair())
    assert one == other
    one, other = run(*pair(other=b"J01NMF"))
    assert one != other


def test_leading_zeros_of_the_password_do_not_matter() -> None:
    one, other = run(*pair(b"\0\0J01NME", b"J01NME"))
    assert one == other


@pytest.mark.parametrize("password", [b"", bytes(16), CURVE.q.to_bytes(32, "big")])
def test_password_that_is_zero_is_refused(password: bytes) -> None:
    with pytest.raises(LocalProtocolError, match="zero"):
        EcJpake(CLIENT, password, seeded(0))


def test_short_r_is_written_without_leading_zeros_and_accepted() -> None:
    """One r in 256 has 31 octets: look for one, and let the peer read it."""
    for seed in range(2000):
        client, server = pair(seed=seed)
        first, second = client.round_one()
        if min(len(first.response), len(second.response)) < 32:
            server.read_round_one(first, second)
            return
    pytest.fail("no r with a leading zero in 4,000")


def test_r_with_leading_zeros_is_accepted_too() -> None:
    client, server = pair()
    first, second = client.round_one()
    server.read_round_one(replace(first, response=b"\0" + first.response), second)


@pytest.mark.parametrize("field", ["public", "commitment", "response"])
@pytest.mark.parametrize("which", [0, 1])
def test_altered_key_pair_of_round_one_is_refused(which: int, field: str) -> None:
    client, server = pair()
    pairs = list(client.round_one())
    value = bytearray(getattr(pairs[which], field))
    value[-1] ^= 1
    pairs[which] = replace(pairs[which], **{field: bytes(value)})
    with pytest.raises(AuthenticationError):
        server.read_round_one(*pairs)
    assert server.mistake == ""


def test_altered_key_pair_of_round_two_is_refused() -> None:
    client, server = pair()
    server.read_round_one(*client.round_one())
    client.read_round_one(*server.round_one())
    made = server.round_two()
    with pytest.raises(AuthenticationError, match="Xs"):
        client.read_round_two(replace(made, commitment=made.public))


def test_key_pairs_that_cancel_out_are_refused() -> None:
    """A peer that takes X4 = -(X1 + X3) would make the generator of round two the point at infinity."""
    client, _ = pair()
    first, _ = client.round_one()
    x1 = int.from_bytes(client.intermediates["x1"], "big")
    own = 5
    pairs = [
        prove(G, scalar, CURVE.encoded_multiple(scalar), 7, CURVE.encoded_multiple(7), "server")
        for scalar in (own, (-(x1 + own)) % CURVE.q)
    ]
    assert first.public == CURVE.encoded_multiple(x1)
    client.read_round_one(*pairs)
    with pytest.raises(AuthenticationError, match="cancel"):
        client.round_two()


@pytest.mark.parametrize("response", [bytes(32), CURVE.q.to_bytes(32, "big"), b"\xff" * 40])
def test_r_out_of_range_is_refused(response: bytes) -> None:
    client, server = pair()
    first, second = client.round_one()
    with pytest.raises(AuthenticationError, match=r"1 … n - 1"):
        server.read_round_one(replace(first, response=response), second)


def test_rounds_out_of_order_are_our_own_callers_fault() -> None:
    client, server = pair()
    with pytest.raises(LocalProtocolError):
        client.round_two()
    with pytest.raises(LocalProtocolError):
        client.premaster()
    pairs = client.round_one()
    with pytest.raises(LocalProtocolError):
        client.round_one()
    server.read_round_one(*pairs)
    with pytest.raises(LocalProtocolError):
        server.read_round_one(*pairs)
    with pytest.raises(LocalProtocolError):
        server.round_two()


# Known mistakes

G = GENERATOR.encode()
X, V = 1234567, 7654321
PUBLIC, COMMITMENT = CURVE.encoded_multiple(X), CURVE.encoded_multiple(V)


def mistaken(hashed: bytes, sign: int = -1) -> KeyKp:
    response = (V + sign * X * challenge(hashed)) % CURVE.q
    return KeyKp(PUBLIC, COMMITMENT, response.to_bytes(32, "big"))


RIGHT = hash_input(G, COMMITMENT, PUBLIC, "client")


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (mistaken(RIGHT, sign=1), "v + x·h"),
        (mistaken(hash_input(G, COMMITMENT, PUBLIC, "server")), "identity 'server'"),
        (mistaken(RIGHT[:-10]), "no identity"),
        (mistaken(G + COMMITMENT + PUBLIC + b"client"), "no lengths"),
        (mistaken(hash_input(G, PUBLIC, COMMITMENT, "client")), "X before V"),
        (mistaken(b"".join(bytes((len(v),)) + v for v in (G, COMMITMENT, PUBLIC, b"client"))), "one-byte"),
    ],
)
def test_known_mistake_is_named(made: KeyKp, named: str) -> None:
    _, server = pair()
    with pytest.raises(AuthenticationError, match="does not hold"):
        server.read_round_one(made, made)
    assert named in server.mistake


def test_right_proof_by_hand_is_accepted() -> None:
    _, server = pair()
    server.read_round_one(mistaken(RIGHT), mistaken(RIGHT))
    assert server.mistake == ""


def test_generator_of_round_one_in_a_proof_of_round_two_is_named() -> None:
    client, server = pair()
    server.read_round_one(*client.round_one())
    client.read_round_one(*server.round_one())
    made = server.round_two()
    values = server.intermediates
    hashed = challenge(hash_input(G, made.commitment, made.public, "server"))
    nonce, scalar = (int.from_bytes(values[name], "big") for name in ("zkp_nonce_Xs", "x4s"))
    wrong = replace(made, response=((nonce - scalar * hashed) % CURVE.q).to_bytes(32, "big"))
    with pytest.raises(AuthenticationError):
        client.read_round_two(wrong)
    assert "expected that of round two" in client.mistake


def test_intermediates_show_names_only() -> None:
    client, _ = pair()
    client.round_one()
    shown = repr(client.intermediates)
    assert "x1" in shown
    assert client.intermediates["x1"].hex() not in shown


# Codec


def octets(minimum: int, maximum: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=minimum, max_size=maximum)


@given(octets(65, 65), octets(65, 65), octets(1, 255), octets(0, 5))
def test_key_pair_round_trips(public: bytes, commitment: bytes, response: bytes, rest: bytes) -> None:
    made = KeyKp(public, commitment, response)
    reader = Reader(made.encode() + rest)
    assert KeyKp.read(reader) == made
    assert reader.rest() == rest


@given(st.binary(max_size=400))
def test_arbitrary_octets_are_a_key_pair_or_a_decode_error(data: bytes) -> None:
    reader = Reader(data)
    try:
        made = KeyKp.read(reader)
    except DecodeError:
        return
    assert made.encode() + reader.rest() == data
