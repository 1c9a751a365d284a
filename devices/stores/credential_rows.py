"""Where a phone keeps its credentials: one call is one transaction on its rows."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from pairing.thread.credentials import Row


class RowTransaction(Protocol):
    """The rows inside a transaction."""

    rows: tuple[Row, ...]

    def write(self, rows: tuple[Row, ...]) -> None:
        """What the rows become when the block is left."""


class CredentialRows(Protocol):
    """The rows of one phone."""

    def transaction(self) -> AbstractContextManager[RowTransaction]:
        """Read and write alone; leaving the block keeps what was written."""


class MemoryRows:
    """Rows that go with the process."""

    def __init__(self) -> None:
        self.rows: tuple[Row, ...] = ()

    def write(self, rows: tuple[Row, ...]) -> None:
        """The rows to keep."""
        self.rows = rows

    @contextmanager
    def transaction(self) -> Iterator["MemoryRows"]:
        """Nobody else can be in the way."""
        yield self
