"""One private SQLite file: opened with care, read and written in transactions, its troubles under our own name.

A transaction ends when its commit has reached the disk (WAL, synchronous FULL), so what was acknowledged survives a
killed process. A file that is damaged, of something else or of a newer format is refused before anything is written
to it. Which tables there are is its caller's business.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from devices.errors import StoreError

APPLICATION_ID = 0x70616972
"""Marks the file as ours in SQLite's header: "pair"."""
VERSION = 1
WAIT_S = 5.0
"""How long one process waits for another's transaction."""


class Database:
    """Opens or makes the file. Any trouble with it is a StoreError that leaves the file as it was."""

    def __init__(self, path: Path, tables: tuple[str, ...], wait_s: float = WAIT_S) -> None:
        """`tables` are the statements that make the tables, each with IF NOT EXISTS."""
        self.path = path
        self._tables = tables
        self._mutex = threading.Lock()  # one connection, used by the home's thread and its caller's
        _make_private(path)
        with _named(path):
            self._connection = sqlite3.connect(path, timeout=wait_s, isolation_level=None, check_same_thread=False)
            try:
                self._open()
            except BaseException:
                self._connection.close()
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """For one statement that reads."""
        with self._mutex, _named(self.path):
            yield self._connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Read and write alone; leaving the block commits, an exception changes nothing."""
        with self._mutex, _named(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                # Still open after an exception, also that of a COMMIT for which the disk is too full.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        with self._mutex:
            self._connection.close()

    def _open(self) -> None:
        """Check that the file is ours and whole before anything is written to it."""
        connection = self._connection
        mark, version = self._pragma("application_id"), self._pragma("user_version")
        is_new = (mark, version) == (0, 0) and self._is_empty()
        if not is_new and mark != APPLICATION_ID:
            raise StoreError(f"{self.path} is a database of something else; give another file")
        if not is_new and version != VERSION:
            raise StoreError(f"{self.path} has format {version}, this pairlab reads {VERSION}; use the newer one")
        if (report := self._pragma("quick_check(1)")) != "ok":
            raise StoreError(f"{self.path} is damaged ({report}); it was left as it is")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if not is_new:
            self._make_tables()  # a file may have been made by somebody who needs fewer
            return
        connection.execute("BEGIN IMMEDIATE")
        self._make_tables()
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")

    def _make_tables(self) -> None:
        for statement in self._tables:
            self._connection.execute(statement)

    def _pragma(self, name: str) -> object:
        return self._connection.execute(f"PRAGMA {name}").fetchone()[0]

    def _is_empty(self) -> bool:
        (count,) = self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        return bool(count == 0)


def _make_private(path: Path) -> None:
    """The file exists and only its user may read it; SQLite gives its side files the same mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StoreError(f"{path} cannot be used: {error.strerror}") from error


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """SQLite's errors under our name, saying what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(_explained(path, error)) from error


def _explained(path: Path, error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"{path} is in use by another process; stop that one, or try again"
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return f"{path} is damaged ({error}); it was left as it is"
    return f"{path} cannot be used: {error}"
