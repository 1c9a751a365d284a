"""Management frames and their fixed fields."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import DecodeError, EncodeError
from pairing.ieee80211.frames import ActionBody, AuthenticationBody, ManagementFrame, Subtype
from tests.support.pasn_captures import FOLDER

ADDRESS = st.binary(min_size=6, max_size=6)
U16 = st.integers(0, 0xFFFF)
FRAMES = st.builds(
    ManagementFrame,
    st.integers(0, 15),
    ADDRESS,
    ADDRESS,
    ADDRESS,
    st.binary(max_size=40),
    st.integers(0, 0x7F),
    U16,
    U16,
)


def recorded_frames() -> list[str]:
    documents = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
    return [frame["hex"] for document in documents for frame in document.get("frames", ())]


def test_every_captured_frame_encodes_to_its_octets() -> None:
    frames = recorded_frames()
    assert len(frames) > 100
    for frame in frames:
        assert ManagementFrame.decode(bytes.fromhex(frame)).encode().hex() == frame


@given(FRAMES)
def test_decoding_an_encoded_frame_gives_it_back(frame: ManagementFrame) -> None:
    assert ManagementFrame.decode(frame.encode()) == frame


@given(st.binary(max_size=40))
def test_arbitrary_octets_are_a_frame_or_a_decode_error(data: bytes) -> None:
    try:
        frame = ManagementFrame.decode(data)
    except DecodeError:
        return
    assert frame.encode() == data


@given(st.binary(min_size=6, max_size=12))
def test_bodies_lose_nothing(data: bytes) -> None:
    assert AuthenticationBody.decode(data).encode() == data
    assert ActionBody.decode(data).encode() == data


@pytest.mark.parametrize("codec", [AuthenticationBody, ActionBody])
def test_cut_bodies_name_the_offset_in_the_frame(codec: type[AuthenticationBody | ActionBody]) -> None:
    with pytest.raises(DecodeError) as caught:
        codec.decode(b"\x07", 24)
    assert caught.value.offset in (24, 25)


def test_fields_are_where_the_standard_has_them() -> None:
    data = bytes.fromhex("b0080102" + "0a" * 6 + "0b" * 6 + "0c" * 6 + "3012") + b"body"
    frame = ManagementFrame.decode(data)
    assert frame == ManagementFrame(
        Subtype.AUTHENTICATION, b"\x0a" * 6, b"\x0b" * 6, b"\x0c" * 6, b"body", 0x08, 0x0201, 0x1230
    )
    assert not frame.is_protected
    assert not frame.is_group_addressed


@pytest.mark.parametrize("start", ["08", "b4", "b1"])
def test_frames_of_another_type_or_version_are_refused(start: str) -> None:
    with pytest.raises(DecodeError, match="expected a management frame"):
        ManagementFrame.decode(bytes.fromhex(start) + bytes(23))


def test_ht_control_is_refused_since_it_would_shift_the_body() -> None:
    with pytest.raises(DecodeError, match="HT Control"):
        ManagementFrame.decode(b"\xd0\x80" + bytes(26))


def test_unencodable_frames_are_encode_errors() -> None:
    for frame in (ManagementFrame(16, b"a" * 6, b"b" * 6, b"c" * 6, b""), ManagementFrame(8, b"a", b"b", b"c", b"")):
        with pytest.raises(EncodeError):
            frame.encode()
