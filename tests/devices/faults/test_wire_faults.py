"""Each wire fault: what becomes of a flight; and how faults are made from tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import UnknownKindError, UsageError
from devices.faults.base import FaultContext, WireFault, make_fault, wire_faults
from devices.sim.chance import Chance
from tests.support.media import flight


def _context(seed: int = 1) -> FaultContext:
    return FaultContext(Chance(seed).stream("fault/test"))


def _arrivals(fault: WireFault, context: FaultContext | None = None) -> list[int]:
    return [each.arrives_us for each in fault.apply(flight(), context or _context())]


def test_drop_leaves_nothing() -> None:
    assert _arrivals(make_fault("drop", {})) == []


def test_delay_adds_its_delay() -> None:
    assert _arrivals(make_fault("delay", {"delay": "50ms"})) == [52_000]


def test_jitter_is_drawn_from_the_faults_own_chance() -> None:
    fault = make_fault("delay", {"delay": "0s", "jitter": "10ms"})
    first = [_arrivals(fault, context)[0] for context in [_context(5)] for _ in range(20)]
    assert first == [_arrivals(fault, context)[0] for context in [_context(5)] for _ in range(20)]
    assert len(set(first)) > 10
    assert all(2_000 <= each <= 12_000 for each in first)


def test_duplicate_adds_copies_with_gaps() -> None:
    assert _arrivals(make_fault("duplicate", {"copies": 2, "gap": "3ms"})) == [2_000, 5_000, 8_000]


def test_corrupt_flips_exactly_as_many_bits_as_asked_for() -> None:
    fault = make_fault("corrupt", {"bits": 5})
    (changed,) = fault.apply(flight(bytes(100)), _context())
    assert sum(each.bit_count() for each in changed.payload) == 5


def test_corrupt_leaves_an_empty_frame_alone() -> None:
    assert make_fault("corrupt", {}).apply(flight(b""), _context()) == (flight(b""),)


@given(st.binary(min_size=1, max_size=200), st.integers(1, 10_000), st.integers(0, 2**32))
def test_a_corrupt_frame_keeps_its_length_and_differs(payload: bytes, bits: int, seed: int) -> None:
    (changed,) = make_fault("corrupt", {"bits": bits}).apply(flight(payload), _context(seed))
    assert len(changed.payload) == len(payload)
    assert changed.payload != payload


def test_reorder_lets_the_next_frame_of_the_same_way_overtake() -> None:
    fault, context = make_fault("reorder", {"patience": "500ms"}), _context()
    held = fault.apply(flight(at_us=1_000), context)
    overtaking = fault.apply(flight(at_us=200_000), context)
    assert [each.arrives_us for each in held] == [502_000]
    assert [each.arrives_us for each in overtaking] == [201_000]


def test_reorder_does_not_count_frames_of_another_way() -> None:
    fault, context = make_fault("reorder", {"patience": "500ms"}), _context()
    fault.apply(flight(at_us=1_000), context)
    (other,) = fault.apply(flight(at_us=2_000, receiver="c"), context)
    assert other.arrives_us == 503_000


def test_reorder_holds_a_frame_back_anew_when_nothing_came_in_time() -> None:
    fault, context = make_fault("reorder", {"patience": "10ms"}), _context()
    fault.apply(flight(at_us=1_000), context)
    (late,) = fault.apply(flight(at_us=900_000), context)
    assert late.arrives_us == 911_000


def test_every_registered_fault_can_be_made_without_parameters_and_explains_itself() -> None:
    kinds = wire_faults()
    assert {"corrupt", "delay", "drop", "duplicate", "reorder"} <= set(kinds)
    for kind in kinds:
        assert make_fault(kind, {}).kind == kind
        assert kinds[kind].__doc__


@pytest.mark.parametrize(
    ("kind", "parameters", "error", "message"),
    [
        ("dropp", {}, UnknownKindError, "no fault is called .dropp.; did you mean .drop."),
        ("drop", {"copies": 1}, UsageError, "fault drop has no parameter 'copies'"),
        ("duplicate", {"copies": 0}, UsageError, "copies is 1 to 100, not 0"),
        ("duplicate", {"copies": "many"}, UsageError, "fault duplicate: copies: .* integer, not .many."),
        ("duplicate", {"copies": True}, UsageError, "fault duplicate: copies: .* integer, not True"),
        ("delay", {"delay": "soon"}, UsageError, "fault delay: .*not 'soon'"),
        ("delay", {"delay": 5}, UsageError, "fault delay: delay: .* string, not 5"),
        ("corrupt", {"bits": 1.5}, UsageError, "fault corrupt: bits: .* integer, not 1.5"),
        ("reorder", {"patience": "-1s"}, UsageError, "fault reorder: .*not '-1s'"),
    ],
)
def test_a_wrong_table_is_refused_by_name(
    kind: str, parameters: dict[str, object], error: type[UsageError], message: str
) -> None:
    with pytest.raises(error, match=message):
        make_fault(kind, parameters)
