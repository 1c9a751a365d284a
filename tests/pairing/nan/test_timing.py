"""Time of a cluster: windows, DW0, committed windows, time bitmaps, and the gate that holds frames back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.engine import Transmit
from pairing.errors import LocalProtocolError
from pairing.nan.availability import ChannelEntry, TimeBitmap
from pairing.nan.timing import DW0_PERIOD, DW_DURATION, DW_PERIOD, TU, DiscoveryWindows, Tsf, dw_index
from pairing.nan.windows import WindowGate

TSFS = st.integers(0, 1 << 50)


def test_windows_have_the_lengths_of_the_standard() -> None:
    assert (TU, DW_DURATION, DW_PERIOD, DW0_PERIOD) == (1024, 16_384, 524_288, 8_388_608)
    assert DW0_PERIOD == 1 << 23, "DW0 is where the low 23 bits of the TSF are zero"


def test_the_5_ghz_window_opens_128_tu_later() -> None:
    assert DiscoveryWindows(is_5_ghz=True).next_start(0) == 128 * TU
    assert DiscoveryWindows().next_start(0) == DW_PERIOD


@given(TSFS, st.integers(1, 5), st.booleans())
def test_the_next_window_is_the_first_one_that_is_open(tsf: int, committed: int, is_5_ghz: bool) -> None:
    windows = DiscoveryWindows(committed, is_5_ghz)
    start = windows.next_start(tsf)
    assert start is not None
    assert start > tsf
    assert windows.start(start) == start
    assert not windows.is_open(start - 1)
    assert windows.is_open(start + DW_DURATION - 1)
    assert not windows.is_open(start + DW_DURATION)
    assert (start - 128 * TU * is_5_ghz) % (DW_PERIOD << committed - 1) == 0


@pytest.mark.parametrize(("committed", "awake"), [(1, list(range(16))), (2, [0, 2, 4, 6, 8, 10, 12, 14]), (5, [0])])
def test_committed_windows_are_counted_from_dw0(committed: int, awake: list[int]) -> None:
    windows = DiscoveryWindows(committed)
    assert [index for index in range(16) if windows.is_open(DW0_PERIOD + index * DW_PERIOD)] == awake


def test_a_device_without_committed_windows_never_wakes() -> None:
    assert DiscoveryWindows(0).next_start(5) is None
    assert not DiscoveryWindows(0).is_open(0)


@given(TSFS, st.integers(-(1 << 40), 1 << 40))
def test_tsf_and_the_callers_clock_follow_from_each_other(now: int, offset: int) -> None:
    tsf = Tsf(offset)
    assert tsf.when(tsf.at(now)) == now


def test_windows_are_numbered_within_the_dw0_period() -> None:
    assert [dw_index(number * DW_PERIOD + 1) for number in (0, 1, 15, 16)] == [0, 1, 15, 0]


def test_a_time_bitmap_covers_the_slots_whose_bits_are_set() -> None:
    bitmap = TimeBitmap(bytes.fromhex("fefffeff"))
    covered = [slot for slot in range(32) if bitmap.covers(slot * 16 * TU)]
    assert covered == [slot for slot in range(32) if slot not in (0, 16)]
    assert not bitmap.covers(512 * TU), "it repeats"
    assert bitmap.covers(512 * TU + 16 * TU)


def test_a_time_bitmap_without_period_counts_from_dw0() -> None:
    bitmap = TimeBitmap(b"\x01", duration=1, period=0, start_offset=2)
    assert [tu for tu in range(0, 8192, 16) if bitmap.covers(tu * TU)] == [32, 48]


def test_channel_bitmaps_name_channels_of_their_operating_class() -> None:
    assert ChannelEntry(81, 0b100001).channels == (1, 6)
    assert ChannelEntry(131, 0x0105).channels == (5,)
    assert ChannelEntry(200, 0xFFFF).channels == ()


def gate(tsf: int = 0) -> WindowGate:
    return WindowGate(DiscoveryWindows(), Tsf(tsf))


ONE, TWO = Transmit(b"one", b"a"), Transmit(b"two", b"a")


def test_without_windows_everything_passes() -> None:
    assert WindowGate().send(ONE, 123) == [ONE]
    assert WindowGate().deadline is None


def test_frames_wait_for_the_window_in_order_and_once() -> None:
    held = gate()
    assert held.send(ONE, DW_DURATION) == held.send(TWO, DW_DURATION + 1) == held.send(ONE, DW_DURATION + 2) == []
    assert held.deadline == DW_PERIOD
    assert held.flush(DW_PERIOD - 1) == []
    assert held.flush(DW_PERIOD) == [ONE, TWO]
    assert held.deadline is None


def test_a_caller_that_comes_too_late_waits_for_the_next_window() -> None:
    held = gate()
    held.send(ONE, DW_DURATION)
    assert held.flush(DW_PERIOD + DW_DURATION) == []
    assert held.deadline == 2 * DW_PERIOD


def test_another_clock_moves_the_window() -> None:
    held = gate()
    held.send(ONE, DW_DURATION)
    held.synchronise(Tsf(100), DW_DURATION)
    assert held.deadline == DW_PERIOD - 100


def test_what_waited_goes_before_what_comes() -> None:
    held = gate()
    held.send(ONE, DW_DURATION)
    assert held.send(TWO, DW_PERIOD) == [ONE, TWO]


def test_a_gate_for_a_device_that_never_wakes_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        WindowGate(DiscoveryWindows(0))
