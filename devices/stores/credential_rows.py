"""Where a phone keeps its credentials: in memory, or wherever something reads and writes rows."""

from typing import Protocol

from pairing.thread.credentials import Row


class CredentialRows(Protocol):
    """All rows of one phone. A write has happened when it returns."""

    def read(self) -> tuple[Row, ...]:
        """The rows as they are."""

    def write(self, rows: tuple[Row, ...]) -> None:
        """The rows to keep."""


class MemoryRows:
    """Rows that go with the process."""

    def __init__(self) -> None:
        self._rows: tuple[Row, ...] = ()

    def read(self) -> tuple[Row, ...]:
        """The rows as they are."""
        return self._rows

    def write(self, rows: tuple[Row, ...]) -> None:
        """The rows to keep."""
        self._rows = rows
