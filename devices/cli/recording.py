"""Files that a running home is recorded into: transcript and capture.

A full disk or a reader that leaves ends the file, never the home.
"""

import sys
from pathlib import Path
from typing import BinaryIO

from devices.cli.output import complain


class Recording:
    """A sink for bytes, written through at once so that a reader sees them live."""

    def __init__(self, stream: BinaryIO, what: str) -> None:
        self._stream: BinaryIO | None = stream
        self._what = what
        self.failed = False

    @classmethod
    def to_file(cls, path: Path) -> "Recording":
        """Write a new file, or over an old one."""
        return cls(path.open("wb", buffering=0), str(path))

    @classmethod
    def to_stdout(cls, what: str) -> "Recording":
        """Write to this program's stdout."""
        return cls(sys.stdout.buffer, what)

    def __call__(self, data: bytes) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(data)
            self._stream.flush()
        except OSError as problem:
            # Raised inside an accessory, it would break what is being recorded.
            self._stream = None
            self.failed = not isinstance(problem, BrokenPipeError)
            complain(f"{self._what}: recording ends here: {problem.strerror}")

    def close(self) -> None:
        """End the file; stdout stays open."""
        stream, self._stream = self._stream, None
        if stream is not None and stream is not sys.stdout.buffer:
            stream.close()


def free_path(directory: Path, stem: str, suffix: str) -> Path:
    """A file of that name that does not exist yet in the directory, which is made if it is missing."""
    directory.mkdir(parents=True, exist_ok=True)
    path, number = directory / f"{stem}{suffix}", 2
    while path.exists():
        path, number = directory / f"{stem}-{number}{suffix}", number + 1
    return path
