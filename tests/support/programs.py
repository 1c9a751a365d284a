"""Programs that run beside a test: their lines are read as they come, and they end with it."""

import queue
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[2]


class Program:
    """A running program. `expect` waits for a line; leaving the context ends it."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str] | None = None, *, stdin: int = subprocess.PIPE
    ) -> None:
        self.command = command
        self.seen: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._process = subprocess.Popen(  # S603: what the test wrote
            command,
            cwd=ROOT,
            env=env,
            text=True,
            bufsize=1,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def expect(self, wanted: Callable[[str], bool], seconds: float = 15.0) -> str:
        """The next line of this kind; lines before it are kept in `seen`."""
        while True:
            try:
                line = self._lines.get(timeout=seconds)
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"{self.command[0]} said only {self.seen}")
            self.seen.append(line)
            if wanted(line):
                return line

    def tell(self, line: str) -> None:
        """Write a line to the program's standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    @property
    def is_running(self) -> bool:
        """It has not ended."""
        return self._process.poll() is None

    def wait(self, seconds: float) -> int:
        """Let it end by itself; its exit code."""
        return self._process.wait(seconds)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdout is not None
        if self.is_running:
            self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
        except BrokenPipeError:
            pass  # it ended before it read its input
        self._reader.join(5)
        self._process.stdout.close()
