"""The JSON Schemas: current, true of every file in the repository, and of the same mind as the loader."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from devices.spec import StepSpec, load_scenario, read_home
from tests.support.scenarios import HOME

ROOT = Path(__file__).parents[3]
SPECS = ROOT / "specs"
STEP = '[[step]]\nexpect = "RoleChanged"\n'


def _validator(name: str) -> Draft202012Validator:
    schema = json.loads((SPECS / "schema" / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


HOMES = _validator("home")
SCENARIOS = _validator("scenario")


def _mistakes(validator: Draft202012Validator, text: str) -> list[str]:
    return [error.message for error in validator.iter_errors(tomllib.loads(text))]


def test_the_files_are_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "write_schema.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"},
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", sorted((SPECS / "homes").glob("*.toml")), ids=lambda path: str(path.stem))
def test_every_home_of_the_repository_is_valid(path: Path) -> None:
    assert _mistakes(HOMES, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted((SPECS / "scenarios").rglob("*.toml")), ids=lambda path: str(path.stem))
def test_every_scenario_of_the_repository_is_valid(path: Path) -> None:
    assert _mistakes(SCENARIOS, path.read_text(encoding="utf-8")) == []
    assert load_scenario(path).step


@pytest.mark.parametrize(
    "table",
    [
        "colour = 1",
        "seed = -1",
        '[[accessory]]\nkind = "toaster"',
        '[[accessory]]\nkind = "thread-border-router"\nvendr = "x"',
        '[[accessory]]\nkind = "thread-border-router"\nrest_port = 70000',
        '[[accessory]]\nkind = "thread-border-router"\nlies = ["dream"]',
        '[[accessory]]\nkind = "thread-border-router"\nlies = [{ kind = "stale-xp", yp = "00" }]',
        '[[accessory]]\nname = "x"',
        '[[phone]]\nprofile = "ios-1"',
        '[[fault]]\nkind = "dorp"',
        '[[fault]]\nkind = "drop"\ncopies = 2',
        '[[fault]]\nkind = "duplicate"\ncopies = "two"',
        '[[fault]]\nkind = "stale-xp"',
        '[[fault]]\nkind = "drop"\nstart = "soon"',
        '[[fault]]\nkind = "drop"\nafter = { event = "Nothing" }',
    ],
)
def test_a_mistake_in_a_home_is_seen(table: str) -> None:
    assert _mistakes(HOMES, table)


@pytest.mark.parametrize(
    "table",
    [
        '[[accessory]]\nkind = "thread-border-router"\nlies = ["stale-xp", { kind = "missing-key", key = "xp" }]',
        '[[fault]]\nkind = "duplicate"\ncopies = 2\ngap = "5ms"\nprobability = 0.5\ndirection = "in"',
        '[[fault]]\nkind = "stale-xp"\ntarget = "br"\nafter = { event = "RoleChanged", nth = 2 }',
        'reach = ["en0"]',
        'reach = "loopback"\nseed = 1',
        '[[phone]]\nprofile = "android-16"\nconsent = "ask"',
    ],
)
def test_what_the_loader_takes_is_valid(table: str) -> None:
    read_home(tomllib.loads(table))
    assert _mistakes(HOMES, table) == []


STEPS: list[dict[str, Any]] = [
    {"do": "enable", "actor": "br"},
    {"do": "advance", "with": {"duration": "1s"}},
    {"do": "browse", "actor": "phone", "within": "5s", "refused": True, "save": "x"},
    {"expect": "RoleChanged", "where": {"role": ["leader"]}, "count": 2, "within": "1.5s", "save": "x"},
    {"never": "RoleChanged", "actor": "br", "during": "2m"},
    {"do": "enable", "expect": "RoleChanged", "actor": "br"},
    {"do": "enable", "actor": "br", "where": {}},
    {"expect": "RoleChanged", "during": "1s"},
    {"never": "RoleChanged", "count": 2},
    {"never": "RoleChanged", "within": "1s"},
    {"expect": "RoleChanged", "within": "1 s"},
    {"expect": "RoleChanged", "count": 0},
    {},
]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_schema_and_loader_agree_about_a_step(step: dict[str, Any]) -> None:
    try:
        StepSpec.model_validate(step)
    except ValueError:
        taken = False
    else:
        taken = True
    valid = SCENARIOS.is_valid({**tomllib.loads(HOME), "step": [step]})
    assert valid is taken


def test_verbs_and_events_are_known_to_the_schema() -> None:
    assert _mistakes(SCENARIOS, HOME + STEP) == []
    assert _mistakes(SCENARIOS, HOME + STEP.replace("RoleChanged", "RoleChange"))
    assert _mistakes(SCENARIOS, HOME + '[[step]]\ndo = "brows"\nactor = "phone"')
