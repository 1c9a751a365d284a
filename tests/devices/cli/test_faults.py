"""`pairlab faults` lists what the registries hold, each with a description and its parameters."""

import pytest

from devices.accessories.registry import kinds
from devices.faults.base import wire_faults
from tests.support.command_line import run


def test_every_fault_and_lie_is_listed_with_a_description(capsys: pytest.CaptureFixture[str]) -> None:
    catalogue = run(capsys, "faults", "--json").document["faults"]
    listed = {entry["kind"]: entry for entry in catalogue}
    lies = {name for accessory in kinds().values() for name in accessory.lies}
    assert set(listed) == set(wire_faults()) | lies
    assert all(entry["description"] for entry in catalogue)


def test_parameters_carry_type_and_default(capsys: pytest.CaptureFixture[str]) -> None:
    catalogue = run(capsys, "faults", "--json").document["faults"]
    delay = next(entry for entry in catalogue if entry["kind"] == "delay")
    assert {"name": "delay", "type": "str", "required": False, "default": "200ms"} in delay["parameters"]


def test_lies_name_the_accessories_that_tell_them(capsys: pytest.CaptureFixture[str]) -> None:
    catalogue = run(capsys, "faults", "--json").document["faults"]
    wrong_xa = next(entry for entry in catalogue if entry["kind"] == "wrong-xa")
    assert (wrong_xa["form"], wrong_xa["accessories"]) == ("lie", ["thread-border-router"])


def test_the_list_for_people_has_both_parts(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "faults").out
    assert "duplicate" in out
    assert "no-txt-in-answers" in out
