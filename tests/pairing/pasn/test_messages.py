"""PASN bodies: captured frames split and join to their octets, and hostile ones raise decode errors only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import DecodeError
from pairing.pasn.messages import PasnFrame
from tests.support.pasn_captures import FOLDER, auth_frames, load

BODIES = [frame[24:] for path in sorted(FOLDER.glob("*.json")) for frame in auth_frames(load(path.stem)).values()]


def test_captured_bodies_encode_to_their_octets() -> None:
    assert len(BODIES) > 30
    for body in BODIES:
        frame = PasnFrame.decode(body)
        assert frame.encode() == body
        assert frame.nan


@given(st.binary(max_size=80), st.sampled_from([b"", b"\x07\x00\x01\x00\x00\x00", b"\x07\x00\x02\x00\x00\x00"]))
def test_arbitrary_octets_lose_nothing_or_raise_a_decode_error(tail: bytes, head: bytes) -> None:
    try:
        frame = PasnFrame.decode(head + tail)
    except DecodeError:
        return
    assert frame.encode() == head + tail


@pytest.mark.parametrize("body", ["030001000000", "070000000000", "070004000000", "0700"])
def test_other_algorithms_and_transactions_are_refused(body: str) -> None:
    with pytest.raises(DecodeError):
        PasnFrame.decode(bytes.fromhex(body))


def test_missing_elements_are_named() -> None:
    frame = PasnFrame(2, ())
    assert (frame.wrapped, frame.nan, frame.mic, frame.covered_elements) == (None, None, None, b"")
    with pytest.raises(DecodeError, match="PASN frame 2 has no RSNE"):
        _ = frame.rsne
    with pytest.raises(DecodeError, match="PASN frame 2 has no PASN Parameters"):
        _ = frame.parameters


def test_mic_is_covered_as_zeros_in_its_place() -> None:
    body = next(body for body in BODIES if body[2] == 2 and PasnFrame.decode(body).mic)
    frame = PasnFrame.decode(body)
    assert frame.mic is not None
    assert frame.with_zero_mic() == body[: -len(frame.mic)] + bytes(len(frame.mic))
