"""Output that never holds up the home: a thread of its own writes what a reader may be slow to read, or never reads."""

import os
import queue
import threading
from collections.abc import Callable
from typing import TextIO

from devices.cli.output import complain

MOST_WAITING = 100_000
"""Pieces kept for a slow reader; what comes beyond them is dropped, and said to be."""
PATIENCE_S = 2.0
"""How long the end waits for a slow reader."""


class LineWriter:
    """A file for text or bytes. Writes by file descriptor, since a thread that dies in a stream would keep its lock."""

    encoding = "utf-8"

    def __init__(self, stream: TextIO, what: str, on_problem: Callable[[], object] = lambda: None) -> None:
        """`on_problem` is called on the thread when nothing that is written arrives any more."""
        self.problem: OSError | None = None
        self.dropped = 0
        stream.flush()
        self._stream = stream
        self._what = what
        self._on_problem = on_problem
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"writes {what}", daemon=True)
        self._thread.start()

    def write(self, data: str | bytes) -> int:
        """Hand over to the thread."""
        if self._queue.qsize() < MOST_WAITING:
            self._queue.put(data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data)
        else:
            self.dropped += 1
        return len(data)

    @property
    def reader_left(self) -> bool:
        """Nothing that is written arrives any more."""
        return self.problem is not None

    def flush(self) -> None:
        """Everything is on its way already."""

    def isatty(self) -> bool:
        """Whoever reads a terminal wants no thread."""
        return False

    def close(self) -> bool:
        """Wait for the reader for a while, and say what it has missed. False if the system could not write."""
        self._queue.put(None)
        self._thread.join(PATIENCE_S)
        if self.problem is not None and not isinstance(self.problem, BrokenPipeError):
            complain(f"{self._what} cannot be written: {self.problem.strerror}")
            return False
        if self.dropped or self._thread.is_alive():
            complain(f"nobody read {self._what}; {self.dropped + self._queue.qsize()} pieces of it are lost")
        return True

    def _run(self) -> None:
        descriptor = self._stream.fileno()
        while (data := self._queue.get()) is not None:
            while data and self.problem is None:
                try:
                    data = data[os.write(descriptor, data) :]
                except OSError as problem:
                    self.problem = problem
                    self._on_problem()
