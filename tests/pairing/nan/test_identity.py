"""Identities: NIRA and NPKID under changed addresses, and the pairings that are remembered."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.engine import SECOND
from pairing.errors import KeyStoreError
from pairing.keys import PairedPeer
from pairing.nan.attributes import IdentityResolution
from pairing.nan.identity import PairedPeers, draw_identity, draw_nik, identity_of, is_made_by, npkid_of
from tests.support.nan_air import CAMERA, PHONE, entropy
from tests.support.nan_capture import captures

NIK = b"k" * 16
PEER = PairedPeer(own_nik=b"o" * 16, peer_nik=NIK, npk=b"n" * 32, akm=0x000FAC08, suite=7, lifetime_s=60)


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=6, max_size=6), st.integers())
def test_holder_of_the_nik_recognises_its_maker_under_any_address(nik: bytes, nmi: bytes, seed: int) -> None:
    identity = draw_identity(nik, nmi, entropy(seed))
    assert is_made_by(identity, nik, nmi)
    assert identity_of(npkid_of(identity)) == identity


def test_identity_means_nothing_from_another_address_or_with_another_nik() -> None:
    identity = draw_identity(NIK, PHONE, entropy(1))
    assert not is_made_by(identity, NIK, CAMERA)
    assert not is_made_by(identity, b"x" * 16, PHONE)
    assert not is_made_by(replace(identity, cipher_version=1), NIK, PHONE)


def test_two_identities_of_one_device_differ() -> None:
    draw = entropy(1)
    assert draw_nik(draw) != draw_nik(draw)
    assert draw_identity(NIK, PHONE, draw) != draw_identity(NIK, PHONE, draw)


@pytest.mark.parametrize("length", [0, 15, 17])
def test_pmkid_of_another_length_is_no_identity(length: int) -> None:
    assert identity_of(bytes(length)) is None


def test_peer_is_found_by_its_identity_under_a_new_address() -> None:
    peers = PairedPeers([replace(PEER, peer_nik=b"z" * 16), PEER])
    for address in (PHONE, b"\x02\x99\x88\x77\x66\x55"):
        assert peers.find(draw_identity(NIK, address, entropy(address)), address) == PEER
    assert peers.find(IdentityResolution(bytes(8), bytes(8)), PHONE) is None


def test_new_pairing_with_the_same_peer_replaces_the_old_one() -> None:
    peers = PairedPeers([PEER])
    again = replace(PEER, npk=b"m" * 32)
    assert peers.remember(again, 5) == PEER
    assert peers.all == (again,)


def test_forgotten_pairing_is_gone_and_cannot_be_forgotten_twice() -> None:
    peers = PairedPeers([PEER])
    assert peers.forget(PEER.peer_id) == PEER
    assert peers.get(PEER.peer_id) is None
    with pytest.raises(KeyStoreError):
        peers.forget(PEER.peer_id)


def test_lifetime_ends_a_pairing_only_where_it_is_honoured() -> None:
    lasting, strict = PairedPeers([PEER], 0), PairedPeers([PEER], 0, does_expire=True)
    assert (lasting.deadline, strict.deadline) == (None, 60 * SECOND)
    assert strict.expire(60 * SECOND - 1) == ()
    assert strict.expire(60 * SECOND) == (PEER,)
    assert lasting.expire(10**15) == ()


@pytest.mark.parametrize("name", [name for name, each in captures().items() if "cached" in each.document["initiator"]])
@pytest.mark.parametrize(("role", "other"), [("initiator", "responder"), ("responder", "initiator")])
def test_recorded_identities_are_recognised_with_the_remembered_nik(name: str, role: str, other: str) -> None:
    recorded = captures()[name].document
    nik, nmi = bytes.fromhex(recorded[other]["cached"]["peer_nik"]), bytes.fromhex(recorded[role]["keys"]["own_nmi"])
    for each in recorded[role]["nira"]:
        assert is_made_by(IdentityResolution(bytes.fromhex(each["nonce"]), bytes.fromhex(each["tag"])), nik, nmi)
