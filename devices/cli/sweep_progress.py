"""How far a sweep is, on stderr: a bar on a terminal, elsewhere a plain line every so often."""

import sys
import time
from types import TracebackType
from typing import TextIO

EVERY_S = 10.0


class SweepProgress:
    """Use it as a context; `step` after each seed."""

    def __init__(self, total: int, done: int = 0, failed: int = 0, *, bar: bool, stream: TextIO | None = None) -> None:
        self._total = total
        self._began_with = done
        self._done = done
        self._failed = failed
        self._stream = sys.stderr if stream is None else stream
        self._began = self._told = time.monotonic()
        self._bar = _Bar(total, done, failed) if bar else None

    def __enter__(self) -> "SweepProgress":
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, *, passed: bool) -> None:
        """One more seed is done."""
        self._done += 1
        self._failed += not passed
        if self._bar is not None:
            self._bar.update(self._done, self._failed)
        elif time.monotonic() >= self._told + EVERY_S:
            self._told = time.monotonic()
            print(self.line(self._told - self._began), file=self._stream, flush=True)

    def line(self, seconds: float) -> str:
        """Where it stands after so many seconds."""
        rate = (self._done - self._began_with) / max(seconds, 0.001)
        left = (self._total - self._done) / max(rate, 0.001)
        pace = f"{rate:.1f} a second, about {_span(left)} to go"
        return f"sweep: {self._done} of {self._total} seeds, {self._failed} failed, {pace}"


class _Bar:
    def __init__(self, total: int, done: int, failed: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        from devices.cli import output

        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[failed]} failed"),
            TimeRemainingColumn(compact=True),
        )
        self._progress = Progress(*columns, console=output.console(sys.stderr), transient=True)
        self._task = self._progress.add_task("", total=total, completed=done, failed=failed)

    def start(self) -> None:
        self._progress.start()

    def stop(self) -> None:
        self._progress.stop()

    def update(self, done: int, failed: int) -> None:
        self._progress.update(self._task, completed=done, failed=failed)


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
