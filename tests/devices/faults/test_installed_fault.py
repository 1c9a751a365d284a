"""A fault in force: whom it hits, how often, and when it counts as fired."""

from typing import Any

import pytest

from devices.faults.base import FaultContext, make_fault
from devices.home.installed_fault import InstalledFault
from devices.media.medium import Flight
from devices.sim.chance import Chance
from devices.spec import FaultSpec
from tests.support.media import flight


def _installed(kind: str = "drop", **table: Any) -> tuple[InstalledFault, list[str]]:
    told: list[str] = []
    spec = FaultSpec.model_validate({"kind": kind, **table})
    wire = make_fault(kind, spec.parameters)
    context = FaultContext(Chance(1).stream("fault/test"))
    return InstalledFault("f", spec, wire, context, lambda _, what: told.append(what), active=True), told


def _survivors(fault: InstalledFault, given: Flight) -> int:
    return len(fault.apply(given))


def test_it_tells_what_it_hit() -> None:
    fault, told = _installed()
    assert _survivors(fault, flight(b"12345", sender="br", receiver="phone")) == 0
    assert told == ["br to phone, 5 bytes"]
    assert fault.fired == 1
    assert not fault.silent


@pytest.mark.parametrize(
    ("direction", "hit"),
    [("in", {"a to x"}), ("out", {"x to a"}), ("both", {"a to x", "x to a"})],
)
def test_direction_says_which_way_of_its_target_is_hit(direction: str, hit: set[str]) -> None:
    fault, _ = _installed(target="x", direction=direction)
    ways = [("a", "x"), ("x", "a"), ("a", "b")]
    dropped = {f"{one} to {two}" for one, two in ways if _survivors(fault, flight(sender=one, receiver=two)) == 0}
    assert dropped == hit


def test_without_a_target_everyone_is_hit() -> None:
    fault, _ = _installed()
    assert _survivors(fault, flight(sender="any", receiver="one")) == 0


def test_another_medium_is_spared() -> None:
    fault, _ = _installed(medium="air")
    assert _survivors(fault, flight()) == 1


def test_before_its_time_and_after_it_nothing_is_hit() -> None:
    fault, told = _installed()
    fault.active = False
    assert _survivors(fault, flight()) == 1
    assert told == []
    assert fault.silent


def test_probability_chooses_about_that_share_and_the_same_frames_for_a_seed() -> None:
    rounds = [[_survivors(fault, flight()) for fault in [_installed(probability=0.3)[0]] for _ in range(1_000)]]
    rounds += [[_survivors(fault, flight()) for fault in [_installed(probability=0.3)[0]] for _ in range(1_000)]]
    assert rounds[0] == rounds[1]
    assert 600 < sum(rounds[0]) < 800


def test_probability_zero_hits_nothing() -> None:
    fault, _ = _installed(probability=0.0)
    assert sum(_survivors(fault, flight()) for _ in range(100)) == 100


def test_a_fault_that_changes_nothing_has_not_fired() -> None:
    fault, told = _installed("corrupt")
    fault.apply(flight(b""))
    assert told == []
    assert fault.silent


def test_the_frame_that_overtakes_does_not_count() -> None:
    fault, _ = _installed("reorder")
    fault.apply(flight(at_us=0))
    fault.apply(flight(at_us=10))
    assert fault.fired == 1


def test_an_optional_fault_is_never_called_silent() -> None:
    fault, _ = _installed(optional=True)
    assert not fault.silent
