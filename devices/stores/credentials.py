"""The phones' credential stores in one SQLite file: rows as `pairing.thread.credentials` knows them, one set a holder.

A call on a store is one transaction: the rows are read, the pure call decides, its rows are written, and only when the
commit has reached the disk (WAL, synchronous FULL) does the block end; what was acknowledged survives a killed
process. A holder is a phone's id. The file is readable by its user alone.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from devices.errors import StoreError
from pairing.thread.credentials import Row, StoreFamily

APPLICATION_ID = 0x70616972
"""Marks the file as ours in SQLite's header: "pair"."""
VERSION = 1
WAIT_S = 5.0
"""How long one process waits for another's transaction."""

_SCHEMA = """
CREATE TABLE credential (
    place INTEGER PRIMARY KEY,
    holder TEXT NOT NULL,
    family TEXT NOT NULL,
    owner TEXT NOT NULL,
    key BLOB NOT NULL,
    border_agent_id BLOB NOT NULL,
    extended_pan_id BLOB NOT NULL,
    dataset BLOB NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    preferred INTEGER NOT NULL,
    frozen INTEGER NOT NULL,
    source TEXT NOT NULL,
    extended_address BLOB NOT NULL,
    UNIQUE (holder, family, owner, key)
)
"""
_COLUMNS = (
    "border_agent_id",
    "extended_pan_id",
    "dataset",
    "created",
    "modified",
    "preferred",
    "frozen",
    "source",
    "extended_address",
)
_SELECT = f"SELECT family, owner, {', '.join(_COLUMNS)} FROM credential WHERE holder = ? ORDER BY place"  # noqa: S608 - constants only
_DELETE = "DELETE FROM credential WHERE holder = ? AND family = ? AND owner = ? AND key = ?"
_UPSERT = (
    f"INSERT INTO credential (holder, family, owner, key, {', '.join(_COLUMNS)})"  # noqa: S608 - constants only
    f" VALUES ({', '.join('?' * (4 + len(_COLUMNS)))}) ON CONFLICT (holder, family, owner, key) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS)
)


class Transaction:
    """The rows of one holder inside a transaction: `rows` as they are, `write` what they become."""

    def __init__(self, connection: sqlite3.Connection, holder: str) -> None:
        self._connection = connection
        self._holder = holder
        self.rows = tuple(_row(columns) for columns in connection.execute(_SELECT, (holder,)))

    def write(self, rows: tuple[Row, ...]) -> None:
        """Keep exactly these rows; those that stay keep their order, new ones follow."""
        before = {row.key: row for row in self.rows}
        after = {row.key: row for row in rows}
        for key in before.keys() - after.keys():
            self._connection.execute(_DELETE, (self._holder, key[0].value, *key[1:]))
        for key, row in after.items():
            if before.get(key) != row:
                values = (getattr(row, column) for column in _COLUMNS)
                self._connection.execute(_UPSERT, (self._holder, key[0].value, *key[1:], *values))
        self.rows = rows


class CredentialStore:
    """Opens or makes the file at `path`. Any trouble with it is a StoreError that leaves the file as it was."""

    def __init__(self, path: Path, wait_s: float = WAIT_S) -> None:
        self.path = path
        self._mutex = threading.Lock()  # one connection, used by the home's thread and its caller's
        with _named(path):
            _make_private(path)
            self._connection = sqlite3.connect(path, timeout=wait_s, isolation_level=None, check_same_thread=False)
            try:
                self._open()
            except BaseException:
                self._connection.close()
                raise

    def rows(self, holder: str) -> tuple[Row, ...]:
        """The rows of one holder as they are now."""
        with self._mutex, _named(self.path):
            return Transaction(self._connection, holder).rows

    @contextlib.contextmanager
    def transaction(self, holder: str) -> Iterator[Transaction]:
        """Read and write one holder's rows alone; leaving the block commits, an exception changes nothing."""
        with self._mutex, _named(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield Transaction(self._connection, holder)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        with self._mutex:
            self._connection.close()

    def __enter__(self) -> "CredentialStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> None:
        """Check that the file is ours and whole before anything is written to it."""
        connection = self._connection
        mark, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
        is_new = (mark, version) == (0, 0) and _is_empty(connection)
        if not is_new and mark != APPLICATION_ID:
            raise StoreError(f"{self.path} is a database of something else; give another file")
        if not is_new and version != VERSION:
            raise StoreError(f"{self.path} has format {version}, this pairlab reads {VERSION}; use the newer one")
        if (report := _pragma(connection, "quick_check(1)")) != "ok":
            raise StoreError(f"{self.path} is damaged ({report}); it was left as it is")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if is_new:
            self._create()

    def _create(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        if _is_empty(self._connection):  # else another process has been faster
            self._connection.execute(_SCHEMA)
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._connection.execute(f"PRAGMA user_version = {VERSION}")
        self._connection.execute("COMMIT")


def _make_private(path: Path) -> None:
    """The file exists and only its user may read it; SQLite gives its side files the same mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)


def _pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)


def _row(columns: tuple[object, ...]) -> Row:
    family, owner, *values = columns
    fields = dict(zip(_COLUMNS, values, strict=True))
    fields["preferred"], fields["frozen"] = bool(fields["preferred"]), bool(fields["frozen"])
    return Row(family=StoreFamily(family), owner=owner, **fields)  # type: ignore[arg-type]  # types are the schema's


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors under our name, saying what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(_explained(path, error)) from error
    except OSError as error:
        raise StoreError(f"{path} cannot be used: {error.strerror}") from error


def _explained(path: Path, error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"{path} is in use by another process; stop that one, or try again"
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return f"{path} is damaged ({error}); it was left as it is"
    return f"{path} cannot be used: {error}"
