"""TCAT's adverts, TLVs, certificates, rights and proofs: round trips, and bytes of any kind."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import DecodeError, EncodeError
from pairing.thread.tcat.adverts import AdvertTlv, DeviceStatus, LinkCapabilities, TcatAdvert
from pairing.thread.tcat.authorization import Authorization, Requirement, is_allowed
from pairing.thread.tcat.certificates import ThreadCertificate
from pairing.thread.tcat.proofs import proof_holds, tcat_proof
from pairing.thread.tcat.tlvs import TcatStream, TcatTlv, TcatType, first_tlv

CERTIFICATES = json.loads((Path(__file__).parents[3] / "vectors/tcat/certificates.json").read_text())["certificates"]
TLVS = st.builds(TcatTlv, st.integers(0, 255), st.binary(max_size=600))
ADVERTS = st.builds(
    TcatAdvert,
    tlvs=st.lists(st.builds(AdvertTlv, st.integers(0, 15), st.binary(max_size=15)), max_size=4).map(tuple),
    version=st.integers(0, 15),
    opcode=st.integers(0, 15),
)


@given(ADVERTS)
def test_an_advert_comes_back_from_its_bytes(advert: TcatAdvert) -> None:
    assert TcatAdvert.decode_service_data(advert.encode_service_data()) == advert


@given(st.binary(max_size=40))
def test_any_bytes_are_an_advert_or_a_decode_error(data: bytes) -> None:
    try:
        advert = TcatAdvert.decode(data)
    except DecodeError:
        return
    assert advert.encode() == data


@given(st.integers(0, 127).map(lambda bits: bytes((bits << 1,))))
def test_every_status_comes_back(value: bytes) -> None:
    assert DeviceStatus.decode(value).encode() == value


def test_what_has_no_form_is_an_encode_error() -> None:
    with pytest.raises(EncodeError):
        TcatAdvert(tlvs=(AdvertTlv(1, bytes(16)),)).encode()
    with pytest.raises(EncodeError):
        TcatAdvert(version=16).encode()
    with pytest.raises(EncodeError):
        TcatTlv(TcatType.PING, bytes(0x10000)).encode()


def test_link_capabilities_and_status_need_a_byte() -> None:
    for decode in (LinkCapabilities.decode, DeviceStatus.decode):
        with pytest.raises(DecodeError):
            decode(b"")


@given(st.lists(TLVS, max_size=4), st.booleans(), st.integers(1, 50))
def test_a_stream_gives_the_same_tlvs_however_it_is_cut(tlvs: list[TcatTlv], long_form: bool, size: int) -> None:
    data = b"".join(tlv.encode(long_form=long_form) for tlv in tlvs)
    stream = TcatStream()
    assert [tlv for at in range(0, len(data), size) for tlv in stream.feed(data[at : at + size])] == tlvs
    assert stream.waiting == 0


@given(st.binary(max_size=300))
def test_a_stream_loses_no_bytes(data: bytes) -> None:
    stream, size, rest = TcatStream(), 0, data
    for tlv in stream.feed(data):
        first = first_tlv(rest)
        assert first is not None
        assert first.tlv == tlv
        size += first.size
        rest = data[size:]
    assert size + stream.waiting == len(data)


def test_a_dataset_is_not_shown() -> None:
    assert "00112233" not in repr(TcatTlv(TcatType.SET_ACTIVE_DATASET, bytes.fromhex("00112233")))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_certificate_or_a_decode_error(data: bytes) -> None:
    with pytest.raises(DecodeError):
        ThreadCertificate.decode(data)


@given(st.sampled_from(sorted(CERTIFICATES)), st.integers(0, 470), st.integers(0, 255))
def test_a_certificate_with_a_wrong_byte_is_one_or_a_decode_error(name: str, at: int, byte: int) -> None:
    der = bytearray.fromhex(CERTIFICATES[name]["der"])
    der[at] = byte
    try:
        read = ThreadCertificate.decode(bytes(der))
    except DecodeError:
        return
    assert read.der == bytes(der)


@given(st.binary(min_size=5, max_size=5))
def test_authorization_comes_back_but_for_reserved_bits(data: bytes) -> None:
    assert Authorization.decode(data).encode() == bytes((data[0] & 0xE1,)) + data[1:]


@given(st.binary(max_size=10).filter(lambda data: len(data) != 5))
def test_authorization_has_five_bytes(data: bytes) -> None:
    with pytest.raises(DecodeError):
        Authorization.decode(data)


@given(*[st.integers(0, 0x3F).map(Requirement)] * 3)
def test_all_of_the_commissioners_flags_and_one_of_the_devices(
    commissioner: Requirement, device: Requirement, met: Requirement
) -> None:
    allowed = all(flag in met for flag in commissioner) and any(flag in met for flag in device)
    assert is_allowed(commissioner, device, met) is allowed


def test_a_proof_is_of_one_key_challenge_and_device() -> None:
    proof = tcat_proof(b"J01NME", bytes(8), b"spki")
    assert proof_holds(proof, b"J01NME", bytes(8), b"spki")
    assert not proof_holds(proof, b"J01NMF", bytes(8), b"spki")
    assert not proof_holds(proof, b"J01NME", bytes(7) + b"\x01", b"spki")
    assert not proof_holds(proof, b"J01NME", bytes(8), b"another")
    assert not proof_holds(proof[:-1], b"J01NME", bytes(8), b"spki")
