"""Joiner ids and steering data: known answers, and what a Bloom filter promises."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import EncodeError
from pairing.thread.steering import SteeringData, crc16_ansi, crc16_ccitt, joiner_id, joiner_iid

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "thread" / "steering_data.json").read_text())["vectors"]
EUI64 = bytes.fromhex("18b4300000000002")
IDENTIFIERS = st.lists(st.binary(min_size=8, max_size=8), max_size=6)
LENGTHS = st.integers(1, 16)


@pytest.mark.parametrize("vector", [v for v in VECTORS if "eui64" in v], ids=lambda vector: vector["description"])
def test_steering_data_is_the_recorded_one(vector: dict[str, object]) -> None:
    identifiers = [joiner_id(bytes.fromhex(eui64)) for eui64 in list[str](vector["eui64"])]  # type: ignore[call-overload]
    assert [identifier.hex() for identifier in identifiers] == vector["joiner_ids"]
    steering = SteeringData.of_joiners(identifiers, int(str(vector["length"])))
    assert steering.filter.hex() == vector["steering_data"]
    assert all(steering.admits(identifier) for identifier in identifiers)


def test_joiner_id_and_iid_differ_in_one_bit() -> None:
    identifier = joiner_id(EUI64)
    assert identifier.hex() == "d65e64fa83f81cf7"
    assert joiner_iid(identifier).hex() == "d45e64fa83f81cf7"
    assert joiner_iid(joiner_iid(identifier)) == identifier


@pytest.mark.parametrize(("crc", "check_value"), [(crc16_ccitt, 0x31C3), (crc16_ansi, 0xFEE8)])
def test_checksums_give_the_published_check_values(crc: object, check_value: int) -> None:
    # CRC-16/XMODEM and CRC-16/UMTS of the usual nine digits.
    assert callable(crc)
    assert crc(b"123456789") == check_value


@given(IDENTIFIERS, LENGTHS)
def test_filter_admits_each_of_its_joiners(identifiers: list[bytes], length: int) -> None:
    steering = SteeringData.of_joiners(identifiers, length)
    assert len(steering.filter) == length
    assert all(steering.admits(identifier) for identifier in identifiers)


@given(st.binary(min_size=8, max_size=8), LENGTHS)
def test_ones_admit_anybody_and_zeros_nobody(identifier: bytes, length: int) -> None:
    everybody, nobody = SteeringData.any_joiner(length), SteeringData.no_joiner(length)
    assert (everybody.admits(identifier), everybody.admits_any, everybody.admits_none) == (True, True, False)
    assert (nobody.admits(identifier), nobody.admits_any, nobody.admits_none) == (False, False, True)


def test_stranger_is_not_admitted_by_a_long_filter() -> None:
    steering = SteeringData.of_joiners([joiner_id(EUI64)])
    assert not steering.admits(joiner_id(bytes.fromhex("18b4300000000001")))


def test_empty_filter_admits_nobody() -> None:
    assert not SteeringData(b"").admits(bytes(8))
    assert not SteeringData(b"").admits_any


@pytest.mark.parametrize("length", [0, 17])
def test_filter_length_outside_1_to_16_is_refused(length: int) -> None:
    with pytest.raises(EncodeError):
        SteeringData.of_joiners([], length)


@pytest.mark.parametrize("eui64", [b"", bytes(7), bytes(9)])
def test_eui64_of_wrong_length_is_refused(eui64: bytes) -> None:
    with pytest.raises(EncodeError):
        joiner_id(eui64)
