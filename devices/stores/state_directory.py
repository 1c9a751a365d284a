"""The directory in which a home keeps its state, locked for one process at a time.

The lock is the operating system's (flock), so it goes with the process that held it, however that ended. What is in
the directory belongs to others.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType

from devices.errors import StateLockedError, StoreError

LOCK_NAME = "lock"


class StateDirectory:
    """A directory of state that is ours until `close`; made (0700) if it is not there. Raises StateLockedError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock: int | None = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(f"state directory {path} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._lock, 20).decode("ascii", "replace").strip()
            self.close()
            whom = f"process {holder}" if holder else "another process"
            message = f"state directory {path} is in use by {whom}; stop that one, or give another directory"
            raise StateLockedError(message) from error
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode("ascii"), 0)

    def file(self, name: str) -> Path:
        """A file in the directory, whether it exists or not."""
        return self.path / name

    def close(self) -> None:
        """Let others have the directory. The lock file stays, since removing it would race with the next holder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> "StateDirectory":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
