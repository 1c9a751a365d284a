"""MeshCoP TLVs: framing in both length forms, and the typed value of each type."""

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import DecodeError, EncodeError
from pairing.thread.fields import Channel, ChannelMask, SecurityPolicy, Timestamp
from pairing.thread.tlv_values import State, UdpEncapsulation, VendorStackVersion, field_of, tlv_of
from pairing.thread.tlvs import MeshCopTlvType, Tlv, join_tlvs, split_tlvs, tlv_name

TLVS = st.lists(st.builds(Tlv, st.integers(0, 255), st.binary(max_size=300)), max_size=6)


@given(TLVS)
def test_joined_tlvs_split_into_the_same(tlvs: list[Tlv]) -> None:
    assert split_tlvs(join_tlvs(tlvs, extended=True), extended=True) == tuple(tlvs)


@given(st.lists(st.builds(Tlv, st.integers(0, 255), st.binary(max_size=254)), max_size=6))
def test_short_form_needs_no_permission(tlvs: list[Tlv]) -> None:
    assert split_tlvs(join_tlvs(tlvs)) == tuple(tlvs)


@given(st.binary(max_size=80), st.booleans())
def test_arbitrary_bytes_split_or_raise_decode_error(data: bytes, extended: bool) -> None:
    try:
        tlvs = split_tlvs(data, extended=extended)
    except DecodeError:
        return
    # The length form is not kept, so only TLVs and values must come back, not always the same bytes.
    assert split_tlvs(join_tlvs(tlvs, extended=True), extended=True) == tlvs
    assert extended or join_tlvs(tlvs) == data


def test_encapsulations_are_sent_extended_even_when_short() -> None:
    tlvs = (Tlv(16, b"\x01"), Tlv(48, b"abcd"))
    assert join_tlvs(tlvs, extended=True) == bytes.fromhex("10010130ff000461626364")


def test_encapsulation_is_accepted_in_either_length_form() -> None:
    assert split_tlvs(bytes.fromhex("300161"), extended=True) == (Tlv(48, b"a"),)
    assert split_tlvs(bytes.fromhex("30ff000161"), extended=True) == (Tlv(48, b"a"),)


@pytest.mark.parametrize(
    ("data", "extended", "offset"),
    [
        ("00", False, 0),
        ("0003aabb", False, 2),
        ("100101ff", False, 3),
        ("05ff000100", False, 1),
        ("05ff00", True, 2),
        ("05ff0002aa", True, 4),
    ],
)
def test_cut_tlvs_are_refused_with_their_offset(data: str, extended: bool, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        split_tlvs(bytes.fromhex(data), extended=extended)
    assert caught.value.offset == offset


@pytest.mark.parametrize("tlv", [Tlv(256, b""), Tlv(-1, b""), Tlv(1, bytes(255))])
def test_what_has_no_short_form_is_refused(tlv: Tlv) -> None:
    with pytest.raises(EncodeError):
        tlv.encode()


def test_value_over_65535_bytes_has_no_form_at_all() -> None:
    with pytest.raises(EncodeError):
        Tlv(48, bytes(65536)).encode(extended=True)


def test_names_are_one_word_and_unknown_types_keep_their_number() -> None:
    assert [tlv_name(tlv_type) for tlv_type in (2, 4, 53, 241)] == ["ExtPanId", "PSKc", "ChannelMask", "type_241"]
    assert Tlv(3, b"").name == "NetworkName"


@pytest.mark.parametrize("tlv_type", [4, 5, 21])
def test_secret_values_stay_out_of_the_repr(tlv_type: int) -> None:
    secret = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert secret.hex() not in repr(Tlv(tlv_type, secret))
    assert "secret bytes" in repr(Tlv(tlv_type, secret))


def test_other_values_show_in_the_repr() -> None:
    assert repr(Tlv(1, b"\x25\x0b")) == "Tlv(PanId, 250b)"


# One value of each type of the reference table, with the field that it means.
FIELDS: list[tuple[int, str, object]] = [
    (0, "00000f", Channel(0, 15)),
    (1, "250b", 0x250B),
    (2, "3c66f0dc9ef53f1c", bytes.fromhex("3c66f0dc9ef53f1c")),
    (3, "e7bd91e7bb9c", "网络"),
    (4, "6c9f919a4da9b213764fc83f84938108", bytes.fromhex("6c9f919a4da9b213764fc83f84938108")),
    (5, "4094dce45388fd3d3426e992cbf0697b", bytes.fromhex("4094dce45388fd3d3426e992cbf0697b")),
    (6, "00000007", 7),
    (7, "fdb360c72874da99", bytes.fromhex("fdb360c72874da99")),
    (8, "00000000000000000000000000000012", bytes(15) + b"\x12"),
    (9, "fc00", 0xFC00),
    (10, "6f742d636f6d6d", "ot-comm"),
    (11, "3109", 0x3109),
    (12, "02a0f7f8", SecurityPolicy(672, b"\xf7\xf8")),
    (13, "0e00", (14, 0)),
    (14, "00006553f1006073", Timestamp(1700000000, 12345, True)),
    (15, "c000", 49152),
    (16, "ff", State.REJECT),
    (17, "16fefd", b"\x16\xfe\xfd"),
    (18, "03e8", 1000),
    (19, "d45e64fa83f81cf7", bytes.fromhex("d45e64fa83f81cf7")),
    (20, "0400", 0x0400),
    (21, "000102030405060708090a0b0c0d0e0f", bytes(range(16))),
    (22, "0001", 1),
    (32, "687474703a2f2f61", "http://a"),
    (33, "61", "a"),
    (34, "62", "b"),
    (35, "", ""),
    (36, "ff00", b"\xff\x00"),
    (37, "18b430001234", VendorStackVersion(0x18B430, 1, 2, 3, 4)),
    (48, "f0bff0bf4001", UdpEncapsulation(61631, 61631, b"\x40\x01")),
    (49, "fd000000000000000000000000000001", IPv6Address("fd00::1")),
    (51, "0000000000090000", Timestamp(9)),
    (52, "00007530", 30000),
    (53, "0004001fffe0", ChannelMask.from_channels(range(11, 27))),
    (54, "02", 2),
    (55, "00c8", 200),
    (56, "0020", 32),
    (57, "bf7f", (-65, 127)),
    (58, "44", "D"),
    (74, "00000d", Channel(0, 13)),
    (128, "40", b"\x40"),
    (129, "4000", b"\x40\x00"),
]


@pytest.mark.parametrize(("tlv_type", "value", "field"), FIELDS, ids=lambda given: str(given) if given else "empty")
def test_each_type_decodes_to_its_field_and_back(tlv_type: int, value: str, field: object) -> None:
    tlv = Tlv(tlv_type, bytes.fromhex(value))
    assert field_of(tlv) == field
    assert tlv_of(tlv_type, field) == tlv


def test_every_type_of_the_table_is_covered() -> None:
    assert {tlv_type for tlv_type, _, _ in FIELDS} == set(MeshCopTlvType)


@given(st.sampled_from([*MeshCopTlvType, 200]), st.binary(max_size=40))
def test_arbitrary_values_decode_or_raise_decode_error(tlv_type: int, value: bytes) -> None:
    try:
        field = field_of(Tlv(tlv_type, value))
    except DecodeError:
        return
    # What a field keeps is written back as the front of the value; the surplus of a longer value is not the field's.
    assert value.startswith(tlv_of(tlv_type, field).value)


@pytest.mark.parametrize(
    ("tlv_type", "field"),
    [
        (1, 65536),
        (1, -1),
        (1, "250b"),
        (2, bytes(7)),
        (3, "\ud800"),
        (5, "key"),
        (13, (256,)),
        (36, 7),
        (37, VendorStackVersion(0, 0, 16, 0, 0)),
        (48, UdpEncapsulation(65536, 1, b"")),
        (57, (128,)),
    ],
)
def test_field_without_a_form_on_the_wire_raises_encode_error(tlv_type: int, field: object) -> None:
    with pytest.raises(EncodeError):
        tlv_of(tlv_type, field)


def test_unknown_state_is_refused() -> None:
    with pytest.raises(DecodeError):
        field_of(Tlv(16, b"\x07"))
