"""Files that a running home is recorded into: transcript and capture.

A full disk or a reader that leaves ends the file, never the home.
"""

from pathlib import Path
from typing import BinaryIO

from devices.cli.output import complain

PRIVATE = 0o600
"""Mode of files that hold keys."""


class Recording:
    """A file as a sink for bytes, written through at once so that a reader sees them live."""

    def __init__(self, path: Path, *, is_private: bool = False) -> None:
        self._path = path
        if is_private:
            path.touch(mode=PRIVATE)
        self._stream: BinaryIO | None = path.open("wb", buffering=0)
        self.failed = False

    def __call__(self, data: bytes) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(data)
        except OSError as problem:
            # Raised inside an accessory, it would break what is being recorded.
            self.close()
            self.failed = not isinstance(problem, BrokenPipeError)
            complain(f"{self._path}: recording ends here: {problem.strerror}")

    def close(self) -> None:
        """End the file."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()


def free_path(directory: Path, stem: str, suffix: str) -> Path:
    """A file of that name that does not exist yet in the directory, which is made if it is missing."""
    directory.mkdir(parents=True, exist_ok=True)
    path, number = directory / f"{stem}{suffix}", 2
    while path.exists():
        path, number = directory / f"{stem}-{number}{suffix}", number + 1
    return path
