"""`${x.member}`: what it becomes, and what is said where nothing fills it."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import ScenarioError
from devices.lab.placeholders import filled, references

KNOWN: Mapping[str, Mapping[str, Any]] = {
    "br": {"ext_address": "d6f8", "port": 8081, "services": ["a", "b"], "service": {"txt": "00"}},
}


def _look(name: str) -> Mapping[str, Any]:
    return KNOWN[name]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("${br.ext_address}", "d6f8"),
        ("${ br.ext_address }", "d6f8"),
        ("${br.port}", 8081),
        ("${br.services}", ["a", "b"]),
        ("${br.service.txt}", "00"),
        ("xa=${br.ext_address}:${br.port}", "xa=d6f8:8081"),
        ({"a": ["${br.port}", {"b": "${br.port}"}], "c": 5}, {"a": [8081, {"b": 8081}], "c": 5}),
        ("$br, $5 and {x}", "$br, $5 and {x}"),
        (True, True),
    ],
)
def test_placeholders_are_filled(value: Any, expected: Any) -> None:
    assert filled(value, _look) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("${br.ext_adress}", "br has no 'ext_adress' now; did you mean 'ext_address'"),
        ("a ${br.service.txt.deeper}", "br.service.txt has no 'deeper' now"),
        ("${}", "is no placeholder"),
        ("${br}", "is no placeholder"),
        ("${BR.x}", "is no placeholder"),
    ],
)
def test_what_nothing_fills_is_named(value: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        filled(value, _look)


@given(st.text(max_size=30))
def test_any_text_is_filled_or_refused_by_name(text: str) -> None:
    refused = False
    try:
        names = [name for name, _ in references(text)]
    except ScenarioError:
        refused, names = True, []
    if not refused and not names:
        assert filled(text, _look) == text
