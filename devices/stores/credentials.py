"""The phones' credential stores in a file: rows as `pairing.thread.credentials` knows them, one set a holder.

A holder is a phone's id. A call on a store is one transaction: the rows are read, the pure call decides, its rows are
written; once the block has ended they are on the disk.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from devices.stores.database import WAIT_S, Database
from pairing.thread.credentials import Row, StoreFamily

TABLE = """
CREATE TABLE IF NOT EXISTS credential (
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
        for family, owner, key in before.keys() - after.keys():
            self._connection.execute(_DELETE, (self._holder, family.value, owner, key))
        for (family, owner, key), row in after.items():
            if before.get(row.key) != row:
                values = (getattr(row, column) for column in _COLUMNS)
                self._connection.execute(_UPSERT, (self._holder, family.value, owner, key, *values))
        self.rows = rows


@dataclass(frozen=True, slots=True)
class StoredRows:
    """The rows of one phone in a database, as `credential_rows.CredentialRows`."""

    database: Database
    holder: str

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Read and write alone; leaving the block commits, an exception changes nothing."""
        with self.database.transaction() as connection:
            yield Transaction(connection, self.holder)


class CredentialStore:
    """Opens or makes the file at `path`. Any trouble with it is a StoreError that leaves the file as it was."""

    def __init__(self, path: Path, wait_s: float = WAIT_S) -> None:
        self._database = Database(path, (TABLE,), wait_s)

    def rows(self, holder: str) -> tuple[Row, ...]:
        """The rows of one holder as they are now."""
        with self._database.reading() as connection:
            return Transaction(connection, holder).rows

    def transaction(self, holder: str) -> contextlib.AbstractContextManager[Transaction]:
        """Read and write one holder's rows alone; leaving the block commits, an exception changes nothing."""
        return StoredRows(self._database, holder).transaction()

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        self._database.close()

    def __enter__(self) -> "CredentialStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _row(columns: tuple[object, ...]) -> Row:
    family, owner, *values = columns
    fields = dict(zip(_COLUMNS, values, strict=True))
    fields["preferred"], fields["frozen"] = bool(fields["preferred"]), bool(fields["frozen"])
    return Row(family=StoreFamily(family), owner=owner, **fields)  # type: ignore[arg-type]  # types are the schema's
