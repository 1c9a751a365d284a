"""Whatever the bytes: a tree whose leaves are exactly these bytes, or one DecodeError inside them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.decode.layers import Decoded, Layer, decode, decode_as, layers
from devices.decode.text import lines, title_line
from pairing.errors import DecodeError
from tests.support.command_line import POST_9
from tests.support.decoded import octets
from tests.support.nan_capture import captures

SEEDS = [
    *(frame.octets for capture in captures().values() for frame in capture.frames[:8]),
    bytes.fromhex(POST_9),
    bytes.fromhex("0672763d310e6e6e3d"),
    bytes.fromhex("48021234" + "0102030405060708" + "b163026370ff0a03616263"),
    bytes.fromhex("16fefd0000000000000000002f030000230000000000000023fefd20" + "00" * 32),
    bytes.fromhex("00008400000000010000000009"),
]


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    """A valid message with some octets changed, cut or repeated."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    start = draw(st.integers(0, 40)) if draw(st.booleans()) else 0
    end = draw(st.integers(0, len(data))) if draw(st.booleans()) else len(data)
    return bytes(data[start:end])


def check(data: bytes, layer: Layer) -> None:
    decoded = decode_as(layer, data, 0)
    list(lines(decoded.fields))
    decoded.as_json()
    title_line(decoded)
    if decoded.error is None:
        assert octets(decoded.fields) == data
    else:
        assert 0 <= decoded.error.offset <= len(data)


@pytest.mark.parametrize("layer", layers().values(), ids=lambda layer: layer.name)
@given(data=st.one_of(st.binary(max_size=300), bent()))
@settings(max_examples=150, deadline=None)
def test_each_layer_reads_any_bytes_whole_or_says_where_it_stopped(layer: Layer, data: bytes) -> None:
    check(data, layer)


def guessed(data: bytes) -> tuple[Decoded | None, int]:
    """What the bytes are taken for, or where nothing fits any more."""
    try:
        return decode(data), 0
    except DecodeError as error:
        return None, error.offset


@given(data=st.one_of(st.binary(max_size=400), bent()))
@settings(max_examples=500, deadline=None)
def test_guessing_takes_a_layer_or_ends_in_one_error(data: bytes) -> None:
    decoded, offset = guessed(data)
    assert 0 <= offset <= len(data)
    if decoded is not None:
        assert decoded.layer.guess(data) > 0
        assert decoded.error is not None or octets(decoded.fields) == data
