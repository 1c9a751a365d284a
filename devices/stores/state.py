"""The directory in which a home keeps its state from run to run, locked for one process at a time.

The lock is the operating system's (flock), so it goes with the process that held it, however that ended. State is one
SQLite file: what accessories say must survive, and what phones have stored.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from devices.errors import StateLockedError, StoreError
from devices.stores import credentials
from devices.stores.credentials import StoredRows
from devices.stores.database import WAIT_S, Database

LOCK_NAME = "lock"
DATABASE_NAME = "home.sqlite"
_ACCESSORIES = "CREATE TABLE IF NOT EXISTS accessory (id TEXT PRIMARY KEY, state TEXT NOT NULL)"


class StateDirectory:
    """A directory of state that is ours until `close`; made (0700) if it is not there.

    Raises StateLockedError if another process has it, StoreError if it cannot be used.
    """

    def __init__(self, path: Path, wait_s: float = WAIT_S) -> None:
        self.path = path
        lock = _locked(path)
        try:
            self._database = Database(path / DATABASE_NAME, (credentials.TABLE, _ACCESSORIES), wait_s)
        except BaseException:
            os.close(lock)
            raise
        self._lock: int | None = lock
        self._last: dict[str, str] = {}

    def credential_rows(self, phone_id: str) -> StoredRows:
        """The credential store of one phone."""
        return StoredRows(self._database, phone_id)

    def load(self, accessory_id: str) -> Mapping[str, Any] | None:
        """What an accessory saved last, or None."""
        with self._database.reading() as connection:
            found = connection.execute("SELECT state FROM accessory WHERE id = ?", (accessory_id,)).fetchone()
        if found is None:
            return None
        try:
            state = json.loads(found[0])
        except ValueError:
            state = None
        if not isinstance(state, dict):
            raise StoreError(f"{self._database.path}: the state of {accessory_id!r} is damaged; it was left as it is")
        return state

    def save(self, accessory_id: str, state: Mapping[str, Any]) -> None:
        """Keep an accessory's state (JSON values); it is on the disk when this returns. No change, no write."""
        text = json.dumps(state, sort_keys=True)
        if self._last.get(accessory_id) == text:
            return
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO accessory VALUES (?, ?)", (accessory_id, text))
        self._last[accessory_id] = text

    def close(self) -> None:
        """Let others have the directory. The lock file stays, since removing it would race with the next holder."""
        self._database.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> "StateDirectory":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _locked(path: Path) -> int:
    """The lock file, open and ours, with our process id in it for who comes next."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"state directory {path} cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(lock, 20).decode("ascii", "replace").strip()
        os.close(lock)
        whom = f"process {holder}" if holder else "another process"
        message = f"state directory {path} is in use by {whom}; stop that one, or give another directory (--state DIR)"
        raise StateLockedError(message) from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode("ascii"), 0)
    return lock
