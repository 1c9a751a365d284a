"""What a home remembers between runs: the state of each accessory, and the phones' credentials.

One locked directory with two SQLite files. A save has reached the disk when it returns.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from devices.errors import StoreError
from devices.stores.credential_rows import StoredRows
from devices.stores.credentials import CredentialStore
from devices.stores.state_directory import StateDirectory

ACCESSORIES_FILE = "accessories.sqlite"
CREDENTIALS_FILE = "credentials.sqlite"
_SCHEMA = "CREATE TABLE IF NOT EXISTS accessory (id TEXT PRIMARY KEY, state TEXT NOT NULL)"


class HomeState:
    """Opens or makes the directory. Raises StateLockedError when another process has it, StoreError otherwise."""

    def __init__(self, path: Path) -> None:
        self._directory = StateDirectory(path)
        try:
            self._file = self._directory.file(ACCESSORIES_FILE)
            with self._named():
                self._file.touch(0o600)
                self._accessories = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
                self._accessories.execute("PRAGMA journal_mode = WAL")
                self._accessories.execute("PRAGMA synchronous = FULL")
                self._accessories.execute(_SCHEMA)
            self._credentials = CredentialStore(self._directory.file(CREDENTIALS_FILE))
        except BaseException:
            self._directory.close()
            raise
        self._last: dict[str, str] = {}

    def load(self, accessory_id: str) -> Mapping[str, Any] | None:
        """What an earlier run saved for this accessory, None if nothing."""
        with self._named():
            found = self._accessories.execute("SELECT state FROM accessory WHERE id = ?", (accessory_id,)).fetchone()
        if found is None:
            return None
        try:
            state = json.loads(found[0])
        except ValueError:
            state = None
        if not isinstance(state, dict):
            raise StoreError(f"{self._file}: the state of {accessory_id!r} is damaged; it was left as it is")
        return state

    def save(self, accessory_id: str, state: Mapping[str, Any]) -> None:
        """Keep this state; nothing is written where nothing has changed."""
        text = json.dumps(state, sort_keys=True)
        if self._last.get(accessory_id) != text:
            with self._named():
                self._accessories.execute("INSERT OR REPLACE INTO accessory VALUES (?, ?)", (accessory_id, text))
            self._last[accessory_id] = text

    def credential_rows(self, phone_id: str) -> StoredRows:
        """The credentials of one phone."""
        return StoredRows(self._credentials, phone_id)

    def close(self) -> None:
        """Let others have the directory."""
        self._accessories.close()
        self._credentials.close()
        self._directory.close()

    def __enter__(self) -> "HomeState":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as problem:
            raise StoreError(f"{self._file} cannot be used ({problem}); it was left as it is") from problem
