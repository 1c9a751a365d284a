"""NAN frames: recorded ones come out as they went in, everything else is refused by name."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import DecodeError, EncodeError
from pairing.ieee80211.elements import ElementId, split_elements
from pairing.ieee80211.frames import AuthenticationBody, ManagementFrame
from pairing.nan.attributes import CipherSuiteInfo, PairingBootstrapping, UnknownAttribute
from pairing.nan.frames import (
    NanActionFrame,
    ServiceDiscoveryFrame,
    decode_nan_element,
    decode_nan_frame,
    encode_nan_element,
    is_nan_frame,
)
from tests.support.nan_capture import Frame, captures

FRAMES = [frame for capture in captures().values() for frame in capture.frames]
NAN_FRAMES = [frame for frame in FRAMES if not frame.kind.startswith("auth")]
AUTHENTICATION = [frame for frame in FRAMES if frame.kind.startswith("auth")]
SUBTYPES = {
    "ndp_request": 5,
    "ndp_response": 6,
    "ndp_confirm": 7,
    "ndp_key_install": 8,
    "ndp_termination": 9,
}


def test_every_recorded_frame_encodes_to_the_same_octets() -> None:
    assert len(NAN_FRAMES) > 200
    for frame in NAN_FRAMES:
        assert frame.nan.encode() == frame.octets


@pytest.mark.parametrize("kind", sorted({frame.kind for frame in NAN_FRAMES}))
def test_kind_decides_between_sdf_and_naf(kind: str) -> None:
    frame = next(each for each in NAN_FRAMES if each.kind == kind).nan
    if kind in SUBTYPES:
        assert isinstance(frame, NanActionFrame)
        assert frame.subtype == SUBTYPES[kind]
    else:
        assert isinstance(frame, ServiceDiscoveryFrame)


def test_frames_of_paired_devices_have_the_protected_dual_category() -> None:
    for frame in NAN_FRAMES:
        if frame.kind == "nik_followup":
            assert frame.nan.is_protected_dual
        elif frame.kind in ("publish", "subscribe"):
            assert not frame.nan.is_protected_dual


def test_an_encrypted_frame_is_told_apart_but_not_read() -> None:
    document = captures()["password_protected_128_01"].document
    protected = next(bytes.fromhex(each["protected_hex"]) for each in document["frames"] if "protected_hex" in each)
    assert is_nan_frame(ManagementFrame.decode(protected))
    with pytest.raises(DecodeError, match="encrypted"):
        decode_nan_frame(protected)


@pytest.mark.parametrize("frame", AUTHENTICATION[:40], ids=lambda frame: frame.kind)
def test_nan_element_of_authentication_frames_is_an_attribute_list(frame: Frame) -> None:
    body = AuthenticationBody.decode(ManagementFrame.decode(frame.octets).body)
    (element,) = [each for each in split_elements(body.content) if each.id == ElementId.VENDOR_SPECIFIC]
    attributes = decode_nan_element(element.body)
    assert attributes is not None
    assert encode_nan_element(attributes) == element.encode()
    assert any(isinstance(each, CipherSuiteInfo) for each in attributes)


def test_elements_of_other_vendors_are_none_of_ours() -> None:
    assert decode_nan_element(bytes.fromhex("0050f20201")) is None
    assert decode_nan_element(bytes.fromhex("506f9a09")) is None
    assert decode_nan_element(b"") is None


def test_a_nan_element_cannot_exceed_an_element() -> None:
    with pytest.raises(EncodeError, match="NAN element"):
        encode_nan_element((UnknownAttribute(0x63, bytes(250)),))


def bent(offset: int, value: int) -> bytes:
    octets = bytearray(NAN_FRAMES[0].octets)
    octets[offset] = value
    return bytes(octets)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "frame control"),
        (bent(0, 0x80), "expected an Action frame"),
        (bent(0, 0x08), "expected a management frame"),
        (bent(24, 3), "category 3"),
        (bent(25, 4), "action 4"),
        (bent(26, 0), "Wi-Fi Alliance"),
        (bent(29, 0x09), "OUI type"),
        (NAN_FRAMES[0].octets[:-1], "needs"),
        (NAN_FRAMES[0].octets + b"\x00", "length of master indication"),
    ],
)
def test_other_frames_are_refused_with_a_reason(octets: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decode_nan_frame(octets)


@given(st.binary(max_size=200))
def test_arbitrary_octets_raise_decode_error_only(octets: bytes) -> None:
    try:
        frame = decode_nan_frame(octets)
    except DecodeError:
        return
    assert frame.encode() == octets


@given(st.sampled_from(NAN_FRAMES), st.integers(0, 400), st.integers(0, 255))
def test_any_bent_octet_is_kept_or_refused(frame: Frame, place: int, value: int) -> None:
    octets = bytearray(frame.octets)
    octets[place % len(octets)] = value
    try:
        decoded = decode_nan_frame(bytes(octets))
    except DecodeError:
        return
    assert decoded.encode() == bytes(octets)


def test_attributes_are_found_by_their_type() -> None:
    request = next(each for each in NAN_FRAMES if each.kind == "bootstrap_request").nan
    assert request.find(PairingBootstrapping) in request.find_all(PairingBootstrapping)
    assert replace(request, attributes=()).find(PairingBootstrapping) is None


def test_a_naf_subtype_beyond_one_octet_is_refused() -> None:
    naf = next(each for each in NAN_FRAMES if each.kind == "ndp_request").nan
    assert isinstance(naf, NanActionFrame)
    with pytest.raises(EncodeError, match="subtype"):
        replace(naf, subtype=256).encode()
