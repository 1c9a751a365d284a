"""What a format module raises when our answer is not the vector's."""


class Mismatch(Exception):  # noqa: N818 - it is the finding itself, not a failure of the checker
    """One member of a vector differs: its path in the document, what the vector says, and what we produced."""

    def __init__(self, member: str, expected: object, got: object) -> None:
        super().__init__(f"{member}: expected {expected!r}, got {got!r}")
        self.member = member
        self.expected = expected
        self.got = got
