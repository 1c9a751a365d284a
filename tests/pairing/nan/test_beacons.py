"""NAN beacons: the constructed ones to the octet, and nothing lost of any other."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import DecodeError, EncodeError
from pairing.nan.attributes import Cluster, MasterIndication, ServiceIdList
from pairing.nan.beacons import Beacon, master_rank, nan_beacon, rank_octets, rank_preference
from tests.support.nan_capture import FOLDER

VECTORS: list[dict[str, Any]] = json.loads((FOLDER / "beacons_constructed.json").read_text())["beacons"]
OCTETS = [bytes.fromhex(vector["hex"]) for vector in VECTORS]


def beacon(vector: dict[str, Any], **more: Any) -> Beacon:
    return nan_beacon(
        bytes.fromhex(vector["nmi"]),
        bytes.fromhex(vector["cluster_id"]),
        vector["tsf"],
        MasterIndication(vector["master_preference"], vector["random_factor"]),
        Cluster(vector["anchor_master_rank"], vector["hop_count"], vector["ambtt"]),
        is_sync=vector["beacon_interval"] == 512,
        **more,
    )


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_beacons_are_the_constructed_ones(vector: dict[str, Any]) -> None:
    octets = bytes.fromhex(vector["hex"])
    assert beacon(vector).encode() == octets
    assert Beacon.decode(octets) == beacon(vector)
    assert Beacon.decode(octets).is_sync is (vector["beacon_interval"] == 512)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_rank_is_preference_then_random_factor_then_address(vector: dict[str, Any]) -> None:
    if vector["hop_count"] == 0:
        rank = master_rank(vector["master_preference"], vector["random_factor"], bytes.fromhex(vector["nmi"]))
        assert rank == vector["anchor_master_rank"]
        assert rank_octets(rank).hex() == vector["anchor_master_rank_wire"]
        assert rank_preference(rank) == vector["master_preference"]


def test_the_last_octet_of_the_address_weighs_most_of_it() -> None:
    assert master_rank(1, 1, bytes.fromhex("000000000002")) > master_rank(1, 1, bytes.fromhex("ffffffffff01"))
    assert master_rank(1, 2, bytes(6)) > master_rank(1, 1, b"\xff" * 6)
    assert master_rank(2, 0, bytes(6)) > master_rank(1, 255, b"\xff" * 6)


@given(st.integers(0, 255), st.integers(0, 255), st.binary(min_size=6, max_size=6))
def test_ranks_order_as_their_parts(preference: int, factor: int, address: bytes) -> None:
    rank = master_rank(preference, factor, address)
    assert rank_octets(rank) == address + bytes((factor, preference))


def test_other_elements_keep_their_places() -> None:
    around = replace(Beacon.decode(OCTETS[0]), preceding=bytes.fromhex("0001410302aabb"), following=b"\xdd\x00rest")
    assert Beacon.decode(around.encode()) == around


@pytest.mark.parametrize(("is_sync", "fits", "limit"), [(True, 10, 128), (False, 37, 350)])
def test_beacons_have_a_size_limit_each(is_sync: bool, fits: int, limit: int) -> None:
    vector = VECTORS[0] | {"beacon_interval": 512 if is_sync else 100}
    room = (limit - len(OCTETS[0]) - 3) // 6
    assert room >= fits
    most = min(room, (255 - 25 - 3) // 6)
    assert len(beacon(vector, more=(ServiceIdList((bytes(6),) * most),)).encode()) <= limit
    with pytest.raises(EncodeError, match="expected at most"):
        beacon(vector, more=(ServiceIdList((bytes(6),) * (most + 1)),))


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "frame control"),
        (b"\xd0" + OCTETS[0][1:], "expected a beacon"),
        (OCTETS[0][:36], "no NAN element"),
        (OCTETS[0][:36] + bytes.fromhex("dd040050f202"), "no NAN element"),
        (OCTETS[0][:-1], "element needs 25 bytes"),
        (OCTETS[0][:30], "timestamp"),
    ],
)
def test_other_frames_are_refused_with_a_reason(octets: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        Beacon.decode(octets)


@given(st.binary(max_size=120))
def test_arbitrary_octets_raise_decode_error_only(octets: bytes) -> None:
    try:
        decoded = Beacon.decode(octets)
    except DecodeError:
        return
    assert decoded.encode() == octets


@given(st.sampled_from(OCTETS), st.integers(0, 200), st.integers(0, 255))
def test_any_bent_octet_is_kept_or_refused(octets: bytes, place: int, value: int) -> None:
    bent = bytearray(octets)
    bent[place % len(bent)] = value
    try:
        decoded = Beacon.decode(bytes(bent))
    except DecodeError:
        return
    assert decoded.encode() == bytes(bent)
