"""JSON as the agent's parser takes it: the first value counts, text after it is ignored, a member's first copy wins.

Numbers are cut to C integers as the agent does. Whatever cannot be read is one `BadJsonError`, never another exception.
"""

import json
from typing import TypeAlias, TypeGuard

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

MAX_NESTING = 200
"""Deeper documents are refused. The agent allows 1,000; Python's parser recurses, and nothing here needs ten."""

_INT_MIN, _INT_MAX = -(1 << 31), (1 << 31) - 1


class BadJsonError(Exception):
    """The text does not begin with a JSON value."""


def _first_wins(members: list[tuple[str, Json]]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, value in members:
        found.setdefault(name, value)
    return found


def _no_constant(name: str) -> Json:
    raise BadJsonError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_first_wins, parse_constant=_no_constant)


def parse_json(body: bytes) -> Json:
    """The value that the body begins with."""
    try:
        text = body.decode().lstrip()
        # Every opening bracket counts, those in strings too: too strict for strings nobody sends.
        if text.count("[") + text.count("{") > MAX_NESTING and _nesting(text) > MAX_NESTING:
            raise BadJsonError(f"more than {MAX_NESTING} levels")
        value: Json = _DECODER.raw_decode(text)[0]
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except ValueError as problem:
        # Covers what is not UTF-8, not JSON, half a surrogate pair, or a number of thousands of digits.
        raise BadJsonError(str(problem)) from None
    return value


def _nesting(text: str) -> int:
    depth = deepest = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def parse_object(body: bytes) -> dict[str, Json]:
    """The object that the body begins with; another kind of value is a BadJsonError too."""
    value = parse_json(body)
    if not isinstance(value, dict):
        raise BadJsonError("not an object")
    return value


def parse_string(body: bytes) -> str:
    """The string that the body begins with; another kind of value is a BadJsonError too."""
    value = parse_json(body)
    if not isinstance(value, str):
        raise BadJsonError("not a string")
    return value


def is_number(value: Json) -> TypeGuard[int | float]:
    """Whether the value is a JSON number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def c_double(value: float, low: float, high: float) -> int:
    """A JSON number, cut to a whole one between two bounds."""
    return int(min(max(value, low), high))


def c_int(value: float) -> int:
    """A JSON number as a C int: cut to a whole one, held at its ends."""
    return c_double(value, _INT_MIN, _INT_MAX)


def c_uint(value: float, bits: int) -> int:
    """A JSON number as an unsigned C integer of some bits, made from a C int by leaving bits out."""
    return c_int(value) & ((1 << bits) - 1)


def print_json(value: Json) -> bytes:
    """A value as the agent prints it: with tabs, not ASCII only."""
    return json.dumps(value, ensure_ascii=False, indent="\t").encode()
