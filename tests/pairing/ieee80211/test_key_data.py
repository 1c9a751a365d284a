"""Key data: KDEs, padding, wrap. Captured key data of an independent implementation are the judge."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import AuthenticationError, DecodeError, EncodeError
from pairing.ieee80211.key_data import (
    BIGTK_TYPE,
    GTK_TYPE,
    IEEE_OUI,
    IGTK_TYPE,
    LIFETIME_TYPE,
    NIK_TYPE,
    WFA_OUI,
    GtkKde,
    Kde,
    KeyDataElement,
    KeyLifetimeKde,
    LifetimeKeys,
    ManagementGroupKeyKde,
    NikKde,
    find_kde,
    join_key_data,
    pad_key_data,
    split_key_data,
    unwrap_key_data,
    wrap_key_data,
)
from tests.support.pasn_captures import load

KDES = st.lists(
    st.builds(Kde, st.binary(min_size=3, max_size=3), st.integers(0, 255), st.binary(max_size=40))
    | st.builds(KeyDataElement, st.integers(0, 255).filter(lambda number: number != 0xDD), st.binary(max_size=40)),
    max_size=4,
).map(tuple)


@given(KDES)
def test_key_data_round_trip_padded_or_not(parts: tuple[Kde | KeyDataElement, ...]) -> None:
    data = join_key_data(parts)
    assert split_key_data(data) == parts
    assert split_key_data(pad_key_data(data)) == parts


@given(st.binary(max_size=100))
def test_arbitrary_key_data_raise_only_decode_errors(data: bytes) -> None:
    try:
        parts = split_key_data(data)
    except DecodeError:
        return
    assert data.startswith(join_key_data(parts))


@given(st.binary(max_size=70))
def test_padding_gives_whole_blocks_and_at_least_two(data: bytes) -> None:
    padded = pad_key_data(data)
    assert len(padded) % 8 == 0
    assert len(padded) >= 16
    assert padded.startswith(data)
    assert padded == data or padded[len(data)] == 0xDD


@given(st.binary(max_size=70))
def test_unwrapping_gives_the_padded_data(data: bytes) -> None:
    assert unwrap_key_data(bytes(16), wrap_key_data(bytes(16), data)) == pad_key_data(data)


def test_another_kek_fails_authentication() -> None:
    with pytest.raises(AuthenticationError):
        unwrap_key_data(bytes(16), wrap_key_data(b"\x01" * 16, b"key data"))


@pytest.mark.parametrize("name", ["opportunistic_128_01", "password_passphrase_256_01"])
@pytest.mark.parametrize("role", ["initiator", "responder"])
def test_captured_nik_exchange_reads_and_writes(name: str, role: str) -> None:
    recorded = load(name)[role]
    plain = bytes.fromhex(recorded["nik_exchange"]["own_key_data"])
    parts = split_key_data(plain)
    nik, lifetime = find_kde(parts, WFA_OUI, NIK_TYPE), find_kde(parts, WFA_OUI, LIFETIME_TYPE)
    assert nik is not None
    assert lifetime is not None
    assert NikKde.decode(nik).nik.hex() == recorded["keys"]["own_nik"]
    assert KeyLifetimeKde.decode(lifetime) == KeyLifetimeKde(43200, LifetimeKeys.NIK)
    made = join_key_data((NikKde(NikKde.decode(nik).nik).encode(), KeyLifetimeKde(43200).encode()))
    assert made == plain


@pytest.mark.parametrize("name", ["ndp_group_keys_128_01", "ndp_group_keys_256_01"])
@pytest.mark.parametrize("role", ["initiator", "responder"])
def test_captured_group_keys_read_and_write(name: str, role: str) -> None:
    recorded = load(name)[role]
    plain = bytes.fromhex(recorded["ndp"]["own_key_data"])
    received = split_key_data(bytes.fromhex(recorded["ndp"]["peer_key_data_padded"]))
    gtk, igtk = find_kde(received, IEEE_OUI, GTK_TYPE), find_kde(received, IEEE_OUI, IGTK_TYPE)
    assert gtk is not None
    assert igtk is not None
    assert GtkKde.decode(gtk).key.hex() == recorded["keys"]["peer_gtk"]
    assert ManagementGroupKeyKde.decode(igtk).key.hex() == recorded["keys"]["group_key_idx4_rx"]
    keys = recorded["keys"]
    made = [ManagementGroupKeyKde(IGTK_TYPE, 4, 0, bytes.fromhex(keys["group_key_idx4_tx"])).encode()]
    if "group_key_idx6_tx" in keys:
        made.append(ManagementGroupKeyKde(BIGTK_TYPE, 6, 0, bytes.fromhex(keys["group_key_idx6_tx"])).encode())
    made.append(GtkKde(1, bytes.fromhex(keys["gtk"])).encode())
    assert join_key_data(made) == plain


@given(st.binary(max_size=50))
def test_arbitrary_kde_bodies_raise_only_decode_errors(data: bytes) -> None:
    kde = Kde(IEEE_OUI, IGTK_TYPE, data)
    for codec in (GtkKde, ManagementGroupKeyKde, NikKde, KeyLifetimeKde):
        try:
            decoded = codec.decode(kde)
        except DecodeError:
            continue
        assert len(decoded.encode().data) == len(data)


def test_padding_that_is_not_zero_and_short_kdes_are_refused() -> None:
    for data in ("dd0000000001", "dd03506f9a", "30"):
        with pytest.raises(DecodeError):
            split_key_data(bytes.fromhex(data))


def test_what_has_no_form_is_an_encode_error() -> None:
    with pytest.raises(EncodeError):
        Kde(b"12", 1, b"").encode()
    with pytest.raises(EncodeError):
        Kde(WFA_OUI, 1, bytes(252)).encode()
    with pytest.raises(EncodeError):
        ManagementGroupKeyKde(IGTK_TYPE, 4, 2**48, bytes(16)).encode()


def test_keys_are_not_in_the_repr() -> None:
    key = b"\xab" * 16
    for record in (GtkKde(1, key), NikKde(key), Kde(WFA_OUI, 1, key), ManagementGroupKeyKde(9, 4, 0, key)):
        assert "ab" not in repr(record)
        assert "\\xab" not in repr(record)
