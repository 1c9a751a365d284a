"""Records of pairings: what a store keeps, and what it must not show."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import KeyStoreError
from pairing.keys import PairedPeer

PEER = PairedPeer(own_nik=b"o" * 16, peer_nik=b"p" * 16, npk=b"n" * 32, akm=0x000FAC08, suite=7, name="Garage")


@given(
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=32, max_size=32),
    st.text(),
    st.none() | st.binary(max_size=40),
)
def test_json_gives_the_same_record_back(nik: bytes, npk: bytes, name: str, info: bytes | None) -> None:
    peer = replace(PEER, peer_nik=nik, npk=npk, name=name, setup_info=info)
    assert PairedPeer.from_json(peer.to_json()) == peer


def test_no_key_is_in_the_repr() -> None:
    shown = repr(PEER)
    assert all(secret.hex() not in shown and repr(secret) not in shown for secret in (b"o" * 16, b"p" * 16, b"n" * 32))


def test_peer_id_follows_from_the_peers_identity_key_alone() -> None:
    assert replace(PEER, name="Shed", npk=bytes(32)).peer_id == PEER.peer_id
    assert replace(PEER, peer_nik=b"q" * 16).peer_id != PEER.peer_id
    assert 0 <= PEER.peer_id < 2**64


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("version", 2),
        ("own_nik", "00"),
        ("peer_nik", "no hex"),
        ("npk", None),
        ("akm", "8"),
        ("suite", True),
        ("lifetime_s", -1),
        ("name", 5),
        ("setup_info", 7),
    ],
)
def test_damaged_record_is_named_by_its_member(member: str, value: object) -> None:
    with pytest.raises(KeyStoreError, match=member):
        PairedPeer.from_json({**PEER.to_json(), member: value})


@given(st.dictionaries(st.sampled_from([*PEER.to_json()]), st.none() | st.integers() | st.text() | st.booleans()))
def test_any_document_is_a_record_or_one_named_error(document: dict[str, object]) -> None:
    with pytest.raises(KeyStoreError):
        PairedPeer.from_json({**document, "npk": "short"})
