"""Partitions, bottlenecks, cuts and replays; and the bundles, whose figures are those of the reports they reproduce."""

from typing import Any

import pytest

from devices.errors import UsageError
from devices.faults.abrupt_close import AbruptClose
from devices.faults.base import FaultContext, make_fault
from devices.faults.dark_wake import DarkWake
from devices.home.installed_fault import InstalledFault
from devices.media.abrupt import Cut
from devices.sim.chance import Chance
from devices.spec import FaultSpec
from tests.support.media import flight

S = 1_000_000


def _context(target: str = "*", started_us: int = 0) -> FaultContext:
    return FaultContext(Chance(1).stream("fault/test"), target, started_us)


def _arrivals(kind: str, times: list[int], /, *, started_us: int = 0, **parameters: Any) -> list[list[int]]:
    """When the copies of a frame sent at each of these times arrive."""
    fault, context = make_fault(kind, parameters), _context(started_us=started_us)
    return [[each.arrives_us for each in fault.apply(flight(at_us=time), context)] for time in times]


def _ways(kind: str, target: str = "*", **parameters: Any) -> set[str]:
    """Which ways among three are left."""
    fault, context = make_fault(kind, parameters), _context(target)
    ways = [(one, two) for one in "abc" for two in "abc" if one != two]
    return {f"{one}{two}" for one, two in ways if fault.apply(flight(sender=one, receiver=two), context)}


def test_truncate_leaves_the_beginning() -> None:
    (cut,) = make_fault("truncate", {"length": 3}).apply(flight(b"payload"), _context())
    assert cut.payload == b"pay"
    drawn = {make_fault("truncate", {}).apply(flight(b"payload"), context)[0].payload for context in [_context()] * 50}
    assert all(b"payload".startswith(each) and len(each) < 7 for each in drawn)
    assert len(drawn) == 7


def test_replay_brings_the_same_bytes_again_much_later() -> None:
    assert _arrivals("replay", [0], after="10s", times=2) == [[1_000, 10 * S + 1_000, 20 * S + 1_000]]


def test_a_partition_parts_two_sides_both_ways() -> None:
    assert _ways("partition", side=["a"]) == {"bc", "cb"}
    assert _ways("partition", side=["a", "b"]) == {"ab", "ba"}


def test_a_one_way_partition_makes_its_side_mute_not_deaf() -> None:
    assert _ways("one-way-partition", side=["a"]) == {"ba", "ca", "bc", "cb"}
    assert _ways("one-way-partition", "a") == {"ba", "ca", "bc", "cb"}


def test_a_rate_queues_in_order_and_loses_what_does_not_fit() -> None:
    # Seven bytes at 1000 a second take 7 ms.
    assert _arrivals("rate", [0, 0, 0, 50_000], queue=13) == [[8_000], [15_000], [], [58_000]]


def test_a_stall_of_30_s_comes_every_two_hours_and_delivers_in_order() -> None:
    times = [9 * S, 10 * S, 25 * S, 40 * S, 7_200 * S + 10 * S, 7_200 * S + 40 * S]
    assert _arrivals("lock-screen-stall", times, onset="10s") == [
        [9 * S + 1_000],
        [40 * S],
        [40 * S],
        [40 * S + 1_000],
        [7_240 * S],
        [7_240 * S + 1_000],
    ]


def test_a_stall_counts_from_when_it_was_started_and_may_lose_everything() -> None:
    times = [99 * S, 100 * S, 129 * S, 130 * S]
    assert _arrivals("lock-screen-stall", times, started_us=100 * S, every="0s", ending="lost") == [
        [99 * S + 1_000],
        [],
        [],
        [130 * S + 1_000],
    ]


def test_a_late_batch_arrives_together_after_its_first_was_held() -> None:
    assert _arrivals("late-batch", [0, 3 * S, 59 * S, 61 * S], hold="60s") == [
        [60 * S + 1_000],
        [60 * S + 1_000],
        [60 * S + 1_000],
        [121 * S + 1_000],
    ]
    assert _arrivals("late-batch", [0], ending="lost") == [[]]


def test_a_dark_wake_lets_the_heartbeats_of_a_few_seconds_every_15_minutes_pass() -> None:
    night = range(0, 8 * 3600 * S, 20 * S)
    passed = [time // S for time, left in zip(night, _arrivals("dark-wake", list(night)), strict=True) if left]
    assert passed == list(range(900, 8 * 3600, 900))


def test_a_sleeper_wakes_at_the_next_period_and_others_do_not_sleep() -> None:
    asleep = DarkWake()
    wakes = [asleep.wakes_us(flight(at_us=time * S), _context("a", 100 * S)) for time in (100, 999, 1_005)]
    assert wakes == [1_000 * S, 1_000 * S, 1_900 * S]
    assert asleep.wakes_us(flight(at_us=200 * S), _context("b", 100 * S)) is None


def test_an_abrupt_close_is_the_receivers_and_leaves_frames_alone() -> None:
    cutting = AbruptClose(order="read-first", pending="2s")
    assert cutting.cut_steps(flight(), _context("b")) == (
        (0, Cut.STOP_READING),
        (2 * S, Cut.END_WRITING),
        (2 * S, Cut.RESET),
    )
    assert cutting.cut_steps(flight(), _context("a")) == ()
    assert _arrivals("abrupt-close", [0]) == [[1_000]]


def test_a_link_that_is_down_is_told_in_the_log_with_the_size() -> None:
    told: list[str] = []
    spec = FaultSpec(kind="link-down-silent")
    wire = make_fault("link-down-silent", {})
    fault = InstalledFault("f", spec, wire, _context(), lambda _, what: told.append(what), active=True)
    assert fault.apply(flight(b"hello\0")) == ()
    assert told == ["dropped: link down (50): a to b, 6 bytes"]


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("truncate", {"length": -2}, "length is a number of bytes"),
        ("replay", {"after": "0s"}, "after is how much later"),
        ("replay", {"times": 0}, "times is 1 to 100"),
        ("rate", {"bytes_per_second": 0}, "bytes_per_second is 1 or more"),
        ("lock-screen-stall", {"every": "20s"}, "every is more than stall"),
        ("lock-screen-stall", {"ending": "soon"}, "'resume' or 'lost'"),
        ("late-batch", {"hold": "0s"}, "hold is how long"),
        ("dark-wake", {"window": "15m"}, "less than period"),
        ("abrupt-close", {"order": "later"}, "'at-once', 'read-first' or 'write-first'"),
        ("abrupt-close", {"pending": "soon"}, "a duration is"),
    ],
)
def test_a_wrong_figure_is_refused_by_name(kind: str, parameters: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_fault(kind, parameters)
