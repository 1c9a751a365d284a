"""Service IDs, matching filters and service response filters against known answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import DecodeError, EncodeError
from pairing.nan.frames import ServiceDiscoveryFrame, decode_nan_frame
from pairing.nan.matching_filter import decode_filter, encode_filter, mismatch
from pairing.nan.service_frames import subscribe_frame
from pairing.nan.service_id import service_id, service_id_as_spelled
from pairing.nan.service_response_filter import ServiceResponseFilter
from pairing.nan.sessions import LocalDevice, Subscribe
from pairing.nan.setup_info import PairingSetupInfo
from tests.support.nan_capture import known_answers

ADDRESSES = st.binary(min_size=6, max_size=6)
FILTERS = [each for each in known_answers() if each["kat"] == "subscribe_srf"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [(each["service_name"], each["service_id"]) for each in known_answers() if each["kat"] == "service_id"]
    + [
        ("_sat-simulation._udp", "63487a70d3a0"),
        ("_example-service._tcp", "c57ed9d5d167"),
        ("_Example-Service._tcp", "c57ed9d5d167"),
        ("_cellfind._udp", "58bd1bc27102"),
    ],
)
def test_service_id_is_the_beginning_of_a_hash_over_small_letters(name: str, expected: str) -> None:
    assert service_id(name).hex() == expected


def test_only_ascii_letters_are_lower_cased() -> None:
    assert service_id("Ä") != service_id("ä")
    assert service_id("A") == service_id("a")


def test_the_known_mistake_gives_the_known_wrong_id() -> None:
    assert service_id_as_spelled("_Example-Service._tcp").hex() == "1cee8e8656ce"


@pytest.mark.parametrize("answer", FILTERS, ids=lambda answer: f"bloom{answer['bloom_len']}")
def test_subscribe_with_filters_is_the_recorded_frame(answer: dict[str, str | int]) -> None:
    addresses = [bytes.fromhex(str(answer[name])) for name in ("srf_mac_1", "srf_mac_2")]
    length, index, include = int(answer["bloom_len"]), int(answer["bloom_index"]), bool(answer["include"])
    if length:
        response_filter = ServiceResponseFilter.of_bloom(addresses, length, index, include=include)
    else:
        response_filter = ServiceResponseFilter.of_addresses(addresses, include=include)
    recorded = decode_nan_frame(bytes.fromhex(str(answer["frame"])))
    assert isinstance(recorded, ServiceDiscoveryFrame)
    subscribe = Subscribe(
        name=str(answer["service_name"]),
        instance_id=1,
        matching_filter=bytes.fromhex(str(answer["matching_filter"])) or None,
        response_filter=response_filter,
    )
    device = LocalDevice(nmi=bytes.fromhex(str(answer["nmi"])), cluster_id=bytes.fromhex(str(answer["cluster_id"])))
    assert subscribe_frame(device, subscribe).encode().hex() == answer["frame"]
    assert all(response_filter.admits(address) is include for address in addresses)


@given(st.lists(ADDRESSES, min_size=1, max_size=4), st.integers(1, 30), st.integers(0, 3), st.booleans())
def test_a_bloom_filter_holds_whom_it_was_made_for(
    addresses: list[bytes], length: int, index: int, include: bool
) -> None:
    made = ServiceResponseFilter.of_bloom(addresses, length, index, include=include)
    assert (made.is_bloom, made.bloom_index, made.is_include) == (True, index, include)
    assert ServiceResponseFilter.decode(made.encode()) == made
    assert all(made.admits(address) is include for address in addresses)


@given(st.lists(ADDRESSES, max_size=4), ADDRESSES, st.booleans())
def test_an_address_list_is_exact(addresses: list[bytes], other: bytes, include: bool) -> None:
    made = ServiceResponseFilter.of_addresses(addresses, include=include)
    assert made.admits(other) is ((other in addresses) is include)


@given(st.binary(max_size=40), ADDRESSES)
def test_an_arbitrary_response_filter_is_judged_or_refused(data: bytes, address: bytes) -> None:
    try:
        decoded = ServiceResponseFilter.decode(data)
    except DecodeError:
        assert data == b""
        return
    assert decoded.encode() == data
    assert decoded.admits(address) in (True, False)


def test_an_empty_bloom_filter_admits_nobody() -> None:
    assert not ServiceResponseFilter(0x03, b"").admits(bytes(6))


@pytest.mark.parametrize(("length", "index"), [(0, 0), (255, 0), (4, 4)])
def test_bloom_filters_that_do_not_fit_are_refused(length: int, index: int) -> None:
    with pytest.raises(EncodeError):
        ServiceResponseFilter.of_bloom([bytes(6)], length, index)


@given(st.lists(st.binary(max_size=12), max_size=6))
def test_filter_values_read_back(values: list[bytes]) -> None:
    assert decode_filter(encode_filter(values)) == tuple(values)


@pytest.mark.parametrize(
    ("subscribe", "publish", "is_match"),
    [
        (None, [b"a"], True),
        (None, None, True),
        ([b"a"], [b"a"], True),
        ([b"a"], [b"b"], False),
        ([b"a"], [b""], True),
        ([b""], [b"b"], True),
        ([b"a", b""], [b"a", b"z"], True),
        ([b"a", b"x"], [b"a"], False),
        ([b"a"], [b"a", b"z"], True),
        ([b"", b""], None, True),
        ([b"", b"x"], None, False),
        ([b"ab"], [b"a"], False),
    ],
)
def test_filters_are_compared_place_by_place(
    subscribe: list[bytes] | None, publish: list[bytes] | None, is_match: bool
) -> None:
    encoded = [None if values is None else encode_filter(values) for values in (subscribe, publish)]
    assert (mismatch(*encoded) is None) is is_match


def test_a_difference_names_place_and_values() -> None:
    difference = mismatch(encode_filter([b"", b"abc"]), encode_filter([b"x", b"abd"]))
    assert difference == "at 1 subscribe filter has 616263, publish filter 616264"


def test_a_cut_filter_is_refused() -> None:
    with pytest.raises(DecodeError):
        mismatch(b"\x05a", None)


def test_a_filter_beyond_its_length_octet_is_refused() -> None:
    with pytest.raises(EncodeError, match="256 octets"):
        encode_filter([bytes(255)])


def test_setup_info_reads_back_and_tolerates_foreign_keys() -> None:
    info = PairingSetupInfo("Porch", "Example", "M1", "en")
    assert PairingSetupInfo.decode(info.encode()) == info
    assert PairingSetupInfo.decode(b"\x03x=y" + info.encode()) == info
    assert PairingSetupInfo.decode(b"") == PairingSetupInfo()


@given(st.binary(max_size=60))
def test_arbitrary_setup_info_raises_decode_error_only(data: bytes) -> None:
    try:
        decoded = PairingSetupInfo.decode(data)
    except DecodeError:
        return
    assert isinstance(decoded, PairingSetupInfo)
