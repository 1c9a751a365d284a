"""Elements: nothing is lost on the way in and out, fragments included; each typed element is what its octets say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import DecodeError, EncodeError
from pairing.ieee80211.elements import (
    Akm,
    CipherSuite,
    Comeback,
    Element,
    ElementId,
    ExtensionId,
    PasnParameters,
    Rsne,
    decode_supported_groups,
    find_element,
    join_elements,
    rsnxe,
    split_elements,
    supported_groups,
    vendor_content,
    vendor_specific,
    wrapped_data,
)
from tests.support.pasn_captures import FOLDER, auth_frames, load

PASN_BODIES = [
    frame[30:]
    for path in sorted(FOLDER.glob("*.json"))
    if path.stem != "kats"
    for frame in auth_frames(load(path.stem)).values()
]


def test_captured_elements_join_to_their_octets() -> None:
    assert len(PASN_BODIES) > 30
    for body in PASN_BODIES:
        assert join_elements(split_elements(body)) == body


@given(st.binary(max_size=600))
def test_arbitrary_octets_split_without_loss_or_raise_a_decode_error(data: bytes) -> None:
    try:
        elements = split_elements(data)
    except DecodeError:
        return
    assert join_elements(elements) == data


CHAIN = st.lists(
    st.tuples(st.sampled_from([48, 221, 242, 242, 255]), st.sampled_from([0, 1, 3, 254, 255, 255])), max_size=6
)


@given(CHAIN)
def test_any_chain_of_full_elements_and_fragments_keeps_its_octets(chain: list[tuple[int, int]]) -> None:
    data = b"".join(bytes((number, length)) + bytes(length) for number, length in chain if number != 255 or length)
    assert join_elements(split_elements(data)) == data


@pytest.mark.parametrize("length", [0, 253, 254, 255, 509, 510, 600])
def test_long_elements_are_continued_in_fragments(length: int) -> None:
    element = wrapped_data(bytes(index % 251 for index in range(length)))
    encoded = element.encode()
    assert split_elements(encoded) == (element,)
    assert encoded[1] == min(length + 1, 255)
    assert len(encoded) == length + 1 + 2 * max(1, -(-(length + 1) // 255))


def test_fragment_after_a_short_element_stays_by_itself() -> None:
    data = bytes.fromhex("3001aa" + "f201bb")
    assert [(each.id, each.body) for each in split_elements(data)] == [(48, b"\xaa"), (242, b"\xbb")]


@pytest.mark.parametrize(("data", "offset"), [("30", 31), ("3002aa", 32), ("3001aaff00", 33)])
def test_cut_elements_name_the_offset_in_the_frame(data: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        split_elements(bytes.fromhex(data), base=30)
    assert caught.value.offset == offset


def test_extension_id_goes_with_255_only() -> None:
    for element in (Element(255, b""), Element(48, b"", 3)):
        with pytest.raises(EncodeError):
            element.encode()


RSNES = st.builds(
    Rsne,
    pairwise=st.lists(st.integers(0, 2**32 - 1), max_size=3).map(tuple),
    akms=st.lists(st.integers(0, 2**32 - 1), max_size=3).map(tuple),
    pmkids=st.lists(st.binary(min_size=16, max_size=16), max_size=2).map(tuple),
    group=st.integers(0, 2**32 - 1),
    group_management=st.integers(0, 2**32 - 1),
    capabilities=st.integers(0, 0xFFFF),
    version=st.integers(0, 0xFFFF),
    rest=st.binary(max_size=4),
)


@given(RSNES)
def test_rsne_round_trips(rsne: Rsne) -> None:
    assert Rsne.decode(rsne.encode()) == rsne


@given(st.binary(max_size=60))
def test_arbitrary_rsne_bodies_lose_nothing_or_raise_a_decode_error(body: bytes) -> None:
    try:
        rsne = Rsne.decode(Element(ElementId.RSN, body))
    except DecodeError:
        return
    assert rsne.encode().body == body


def test_rsne_of_pasn_is_26_octets_and_42_with_a_pmkid() -> None:
    plain = Rsne((CipherSuite.CCMP_128,), (Akm.PASN,)).encode().body
    assert plain.hex() == "0100000fac070100000fac040100000fac15c0000000000fac07"
    assert len(Rsne((CipherSuite.GCMP_256,), (Akm.SAE,), (bytes(16),)).encode().body) == 42
    with pytest.raises(EncodeError):
        Rsne((), (), (b"short",)).encode()


PARAMETERS = st.builds(
    PasnParameters,
    st.integers(0, 255),
    st.integers(0, 0xFFFF),
    st.binary(max_size=70),
    st.none() | st.builds(Comeback, st.binary(max_size=20), st.integers(0, 0xFFFF)),
    st.integers(0, 63).map(lambda number: number << 2),
)


@given(PARAMETERS)
def test_pasn_parameters_of_a_responder_round_trip(parameters: PasnParameters) -> None:
    assert PasnParameters.decode(parameters.encode(), from_responder=True) == parameters


@given(st.binary(max_size=60), st.booleans())
def test_arbitrary_parameters_lose_nothing_or_raise_a_decode_error(body: bytes, from_responder: bool) -> None:
    element = Element(ElementId.EXTENSION, body, ExtensionId.PASN_PARAMETERS)
    try:
        parameters = PasnParameters.decode(element, from_responder=from_responder)
    except DecodeError:
        return
    assert parameters.encode() == element


def test_comeback_of_an_initiator_has_no_time() -> None:
    sent = PasnParameters(0, 19, b"\x02", Comeback(b"cookie")).encode()
    assert sent.encode().hex() == "ff0e64" + "0300" + "06636f6f6b6965" + "1300" + "0102"
    assert PasnParameters.decode(sent, from_responder=False).comeback == Comeback(b"cookie")


def test_rsnxe_counts_its_octets_and_names_hash_to_element() -> None:
    assert rsnxe(hash_to_element=True).encode().hex() == "f4022100"
    assert rsnxe(hash_to_element=False).encode().hex() == "f4020100"


def test_supported_groups_are_little_endian() -> None:
    element = supported_groups((19, 20))
    assert element.encode().hex() == "ff05a113001400"
    assert decode_supported_groups(element) == (19, 20)
    with pytest.raises(DecodeError):
        decode_supported_groups(Element(255, b"\x13\x00\x14", 161))


def test_vendor_elements_of_one_type_are_read_as_one() -> None:
    kind = b"\x50\x6f\x9a\x13"
    elements = (vendor_specific(kind, b"one"), Element(221, b"other"), vendor_specific(kind, b"two"))
    assert vendor_content(elements, kind) == b"onetwo"
    assert vendor_content(elements[1:2], kind) is None
    with pytest.raises(EncodeError):
        vendor_specific(kind, bytes(252))


def test_first_element_of_an_id_is_found() -> None:
    elements = (Element(48, b"1"), Element(255, b"2", 8), Element(48, b"3"))
    assert find_element(elements, 48) == elements[0]
    assert find_element(elements, 255, 8) == elements[1]
    assert find_element(elements, 255, 9) is None
