"""Radiotap: round trip, headers of others, and hostile bytes."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.transports.radiotap import Radiotap
from pairing.errors import DecodeError
from tests.support.frames import BROADCAST, frame, mac

FRAME = frame(BROADCAST, mac(1))
headers = st.builds(
    Radiotap,
    tsft=st.none() | st.integers(0, 2**64 - 1),
    flags=st.none() | st.integers(0, 255).map(lambda flags: flags & ~0x10),
    frequency_mhz=st.none() | st.sampled_from((2412, 2437, 5220, 5745)),
    signal_dbm=st.none() | st.integers(-128, 127),
    tx_flags=st.none() | st.integers(0, 0xFFFF),
)


@given(headers, st.binary(max_size=60))
def test_what_is_written_is_read_back(header: Radiotap, payload: bytes) -> None:
    assert Radiotap.decode(header.encode() + payload) == (header, payload)


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        _, rest = Radiotap.decode(data)
    except DecodeError:
        return
    assert len(rest) <= len(data) - 8


@given(headers, st.integers(0, 40))
def test_a_header_that_is_cut_off_is_refused(header: Radiotap, kept: int) -> None:
    data = header.encode()
    if kept < len(data):
        with pytest.raises(DecodeError):
            Radiotap.decode(data[:kept])


def test_fields_that_are_not_read_are_skipped_on_their_boundaries() -> None:
    # TSFT, flags, rate, channel, signal, antenna, RX flags, MCS, VHT: as a common driver writes them.
    fields = struct.pack("<QBBHHbB HBBB", 99, 0, 12, 2437, 0xA0, -60, 0, 0, 0, 0, 0) + b"\0" + bytes(12)
    present = sum(1 << bit for bit in (0, 1, 2, 3, 5, 11, 14, 19, 21))
    data = struct.pack("<BBHI", 0, 0, 8 + len(fields), present) + fields
    assert Radiotap.decode(data + FRAME) == (Radiotap(tsft=99, flags=0, frequency_mhz=2437, signal_dbm=-60), FRAME)


def test_a_second_namespace_is_skipped() -> None:
    words = struct.pack("<II", 1 << 31 | 1 << 29 | 1 << 5, 1 << 5 | 1 << 11)
    data = struct.pack("<BBH", 0, 0, 4 + len(words) + 3) + words + struct.pack("<bbB", -40, -41, 1)
    assert Radiotap.decode(data + FRAME) == (Radiotap(signal_dbm=-40), FRAME)


def test_a_field_of_unknown_size_ends_the_reading_and_not_the_frame() -> None:
    data = struct.pack("<BBHI", 0, 0, 8 + 1 + 7, 1 << 5 | 1 << 27) + struct.pack("<b", -40) + bytes(7)
    assert Radiotap.decode(data + FRAME) == (Radiotap(signal_dbm=-40), FRAME)


def test_an_fcs_is_taken_off_where_the_header_says_that_there_is_one() -> None:
    header = Radiotap(flags=0x10).encode()
    assert Radiotap.decode(header + FRAME + b"FCS!")[1] == FRAME
    assert Radiotap.decode(header + b"ab")[1] == b""
