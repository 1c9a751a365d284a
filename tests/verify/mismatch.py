"""What a format module raises when our answer is not the vector's, and the comparisons that raise it."""

from typing import Any


class Mismatch(Exception):  # noqa: N818 - it is the finding itself, not a failure of the checker
    """One member of a vector differs: its path in the document, what the vector says, and what we produced."""

    def __init__(self, member: str, expected: object, got: object) -> None:
        super().__init__(f"{member}: expected {expected!r}, got {got!r}")
        self.member = member
        self.expected = expected
        self.got = got


def compare(member: str, expected: object, got: object) -> None:
    """Raise Mismatch unless both are equal and of one type (JSON's true is not 1)."""
    if type(expected) is not type(got) or expected != got:
        raise Mismatch(member, expected, got)


def compare_members(member: str, expected: Any, got: Any) -> None:
    """Compare two values down to the member that differs, so that the report names it."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for name in sorted({*expected, *got}):
            if name not in expected or name not in got:
                absent = "no such member"
                raise Mismatch(f"{member}.{name}", expected.get(name, absent), got.get(name, absent))
            compare_members(f"{member}.{name}", expected[name], got[name])
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for index, (one, other) in enumerate(zip(expected, got, strict=True)):
            compare_members(f"{member}[{index}]", one, other)
    else:
        compare(member, expected, got)
