"""Home and scenario files: durations, defaults, merging, and errors that name the place and the mend."""

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from devices.errors import HomeFileError, ScenarioError, UsageError
from devices.spec import (
    FaultSpec,
    Period,
    StepSpec,
    closest,
    duration_us,
    load_home,
    load_scenario,
    make_record,
    read_home,
    slug,
)


def _file(folder: Path, text: str, name: str = "scenario.toml") -> Path:
    path = folder / name
    path.write_text(dedent(text), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "micros"),
    [("0s", 0), ("1us", 1), ("200ms", 200_000), ("7s", 7_000_000), (" 1.5m ", 90_000_000), ("2h", 7_200_000_000)],
)
def test_a_duration_is_a_number_with_a_unit(text: str, micros: int) -> None:
    assert duration_us(text) == micros


@pytest.mark.parametrize(
    "text", ["", "7", "s", "7 s", "-1s", "1d", "1e3s", "٣s", "nan s", "99999999h", "7s7s", "9" * 400 + "s"]
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        duration_us(text)


@pytest.mark.parametrize("text", ["0s", "0ms", "1us", "0.9ms"])
def test_what_happens_again_and_again_takes_some_time(text: str) -> None:
    with pytest.raises(ValidationError, match="needs 1ms or more"):
        TypeAdapter(Period).validate_python(text)
    assert TypeAdapter(Period).validate_python("1ms") == "1ms"


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        micros = duration_us(text)
    except ValueError:
        micros = 0
    assert micros >= 0


@pytest.mark.parametrize(
    ("name", "identifier"),
    [("Living Room", "living-room"), ("  Ünïcode! ", "n-code"), ("", "unnamed"), ("x" * 99, "x" * 63)],
)
def test_a_slug_is_a_legal_id(name: str, identifier: str) -> None:
    assert slug(name) == identifier


def test_an_id_defaults_to_the_slug_of_the_name_then_of_the_kind() -> None:
    home = read_home({"accessory": [{"kind": "lamp", "name": "Desk Lamp"}, {"kind": "lamp"}]})
    assert [each.id for each in home.accessory] == ["desk-lamp", "lamp"]


def test_keys_of_the_kind_are_kept_for_it() -> None:
    home = read_home({"accessory": [{"kind": "lamp", "name": "L", "colour": "red", "lies": ["x"]}]})
    assert home.accessory[0].settings == {"colour": "red"}
    assert FaultSpec.model_validate({"kind": "delay", "delay": "1s", "target": "l"}).parameters == {"delay": "1s"}


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"acessory": []}, "acessory: there is no such key; did you mean 'accessory'"),
        ({"seed": -1}, "seed: .*greater than or equal to 0"),
        ({"accessory": [{"name": "x"}]}, "accessory.0.kind: Field required"),
        ({"phone": [{"id": "p", "profil": "ios-26"}]}, "phone.0.profil: there is no such key; did you mean 'profile'"),
        ({"phone": [{"id": "p", "consent": "maybe"}]}, "phone.0.consent: .*'allow'"),
        ({"accessory": [{"kind": "lamp", "id": "a"}], "phone": [{"id": "a"}]}, "the id 'a' is used twice"),
        ({"fault": [{"kind": "drop", "probability": 2}]}, "fault.0.probability: .*less than or equal to 1"),
        ({"fault": [{"kind": "drop", "start": "soon"}]}, "fault.0.start: a duration is a number with"),
        ({"fault": [{"kind": "drop", "after": {"nth": 2}}]}, "fault.0.after.event: Field required"),
        ({"fault": [{"kind": "drop", "after": {"event": "x", "nth": 0}}]}, "fault.0.after.nth: "),
    ],
)
def test_a_wrong_home_is_refused_by_place(tables: dict[str, Any], message: str) -> None:
    with pytest.raises(HomeFileError, match=message):
        read_home(tables)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({}, "exactly one of do, expect and never"),
        ({"do": "press", "expect": "StateChanged", "actor": "x"}, "exactly one of do, expect and never"),
        ({"do": "press"}, "do = 'press' needs an actor"),
        ({"do": "advance", "actor": "br"}, "told to the home, not to an actor"),
        ({"do": "press", "actor": "x", "where": {"a": 1}}, "where has no meaning beside do; that takes actor, with"),
        ({"expect": "StateChanged", "during": "5s"}, "during has no meaning beside expect"),
        ({"never": "StateChanged", "within": "5s"}, "within has no meaning beside never"),
        ({"never": "StateChanged", "save": "x"}, "save has no meaning beside never"),
        ({"expect": "StateChanged", "count": 0}, "count"),
        ({"expect": "StateChanged", "within": "5"}, "a duration is a number with"),
    ],
)
def test_a_step_without_a_meaning_is_refused(step: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StepSpec.model_validate(step)


def test_a_scenario_adds_to_the_home_it_names(tmp_path: Path) -> None:
    _file(
        tmp_path,
        """
        name = "Base"
        seed = 5
        reach = ["lo"]
        [[accessory]]
        kind = "lamp"
        name = "One"
        [[phone]]
        id = "phone"
        """,
        "home.toml",
    )
    scenario = _file(
        tmp_path,
        """
        name = "Story"
        home = "home.toml"
        reach = ["eth0"]
        [[accessory]]
        kind = "lamp"
        name = "Two"
        [[fault]]
        kind = "drop"
        """,
    )
    spec = load_scenario(scenario)
    assert [each.id for each in spec.accessory] == ["one", "two"]
    assert [each.id for each in spec.phone] == ["phone"]
    assert (spec.name, spec.seed, spec.reach, len(spec.fault)) == ("Story", 5, ["eth0"], 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "is not TOML"),
        ("home = 'nowhere.toml'", "nowhere.toml: no such file"),
        ("home = 7", "home: Input should be a valid string"),
        ("[[step]]\ndo = 'x'\nactor = 'br'\nwiht = {}", "step.0.wiht: there is no such key; did you mean 'with'"),
        ("[client]\ncommand = []", "client.command"),
        ("accessory = 5", "accessory: Input should be a valid list"),
        ("x = " + "[" * 2_000, "is not TOML"),
    ],
)
def test_a_wrong_scenario_is_refused_with_its_file(tmp_path: Path, text: str, message: str) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(ScenarioError, match=message) as caught:
        load_scenario(path)
    assert caught.value.exit_code == 2


def test_a_home_with_steps_cannot_be_the_home_of_a_scenario(tmp_path: Path) -> None:
    _file(tmp_path, "[[step]]\nexpect = 'StateChanged'", "other.toml")
    path = _file(tmp_path, "home = 'other.toml'")
    with pytest.raises(ScenarioError, match=r"other\.toml: step: there is no such key"):
        load_scenario(path)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(HomeFileError, match="is a directory"):
        load_home(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"name = '\xe9'")
    with pytest.raises(HomeFileError, match="is not UTF-8 text"):
        load_home(tmp_path / "latin.toml")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_home_or_a_home_file_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    problem = None
    try:
        load_home(path)
    except HomeFileError as caught:
        problem = str(caught)
    assert problem is None or str(path) in problem


@dataclass(frozen=True)
class _Stall:
    share: float = 0.5
    count: int = 1
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.count > 9:
            raise ValueError(f"count is 9 at the most, not {self.count}")


def test_a_record_is_made_from_a_table() -> None:
    assert make_record(_Stall, {"share": 1, "count": 3}, "fault stall") == _Stall(1, 3)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cuont": 1}, "fault stall has no parameter 'cuont'; did you mean 'count'"),
        ({"count": "1"}, "fault stall: count: .* integer, not '1'"),
        ({"share": "half"}, "fault stall: share: .* number, not 'half'"),
        ({"count": 10}, "fault stall: count is 9 at the most, not 10"),
    ],
)
def test_a_record_from_a_wrong_table_is_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_record(_Stall, parameters, "fault stall")


def test_a_near_word_is_suggested_and_otherwise_all_are_listed() -> None:
    assert closest("brows", ["browse", "pick"]) == "; did you mean 'browse'?"
    assert closest("zzz", ["pick", "browse"]) == "; known: browse, pick"
    assert closest("zzz", []) == ""
