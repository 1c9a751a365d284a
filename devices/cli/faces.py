"""The three ways in which `pairlab up` shows a home: JSON lines, plain lines, and a live table on a terminal.

A face answers False when nobody reads any more. Events that happened before the ready line are told after it.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TextIO

from rich.live import Live
from rich.text import Text

from devices.cli import output
from devices.cli.line_writer import LineWriter
from devices.cli.table import Heading, Row, event_line, home_table
from devices.event_log import StampedEvent

Rows = Callable[[], Sequence[Row]]
_DRAW_EVERY_S = 0.05
_MOST_LINES = 200


class Face(Protocol):
    """What is shown of a running home."""

    def ready(self, heading: Heading, accessories: Sequence[Mapping[str, Any]]) -> bool:
        """The home is up."""

    def happened(self, event: StampedEvent) -> bool:
        """Something happened."""

    def close(self) -> bool:
        """Nothing more will be shown. False if the system could not write what was."""


class JsonFace:
    """The ready line, then one event a line."""

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer

    def ready(self, heading: Heading, accessories: Sequence[Mapping[str, Any]]) -> bool:
        """The line that scripts wait for."""
        document = {"event": "ready", "api": heading.api, "seed": heading.seed, "accessories": list(accessories)}
        return self._emit(document)

    def happened(self, event: StampedEvent) -> bool:
        """The event as the control API gives it, without secrets."""
        return self._emit(event.as_json())

    def _emit(self, document: Mapping[str, Any]) -> bool:
        self._writer.write(output.json_line(document))
        return not self._writer.reader_left

    def close(self) -> bool:
        """Let the reader catch up."""
        return self._writer.close()


class PlainFace:
    """The table once, then a line an event."""

    def __init__(self, writer: LineWriter, rows: Rows) -> None:
        self._writer = writer
        self._console = output.console(writer)
        self._rows = rows

    def ready(self, heading: Heading, accessories: Sequence[Mapping[str, Any]]) -> bool:
        """The table."""
        self._console.print(home_table(heading, self._rows()))
        return not self._writer.reader_left

    def happened(self, event: StampedEvent) -> bool:
        """One line, however long."""
        self._console.print(event_line(event.as_json()), soft_wrap=True)
        return not self._writer.reader_left

    def close(self) -> bool:
        """Let the reader catch up."""
        return self._writer.close()


class TerminalFace:
    """Events scroll by above a table that stays and changes with the home.

    Drawn by the home's own loop, since only there the home may be read, and at most every 50 ms, so that a storm of
    events does not slow the home down.
    """

    def __init__(self, stream: TextIO, rows: Rows) -> None:
        self._console = output.console(stream)
        self._rows = rows
        self._heading: Heading | None = None
        self._live: Live | None = None
        self._lines: list[Text] = []
        self._timer: asyncio.TimerHandle | None = None

    def ready(self, heading: Heading, accessories: Sequence[Mapping[str, Any]]) -> bool:
        """Draw the table for the first time."""
        self._heading = heading
        self._live = Live(home_table(heading, self._rows()), console=self._console, auto_refresh=False)
        self._live.start(refresh=True)
        return True

    def happened(self, event: StampedEvent) -> bool:
        """A line above the table, soon."""
        self._lines.append(event_line(event.as_json()))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_DRAW_EVERY_S, self._draw)
        return True

    def _draw(self) -> None:
        self._timer = None
        if self._live is None or self._heading is None:
            return
        lines, self._lines = self._lines, []
        if len(lines) > _MOST_LINES:
            lines = [Text(f"… {len(lines) - _MOST_LINES} events are not shown", style="dim"), *lines[-_MOST_LINES:]]
        for line in lines:
            line.append("\n")
        self._console.print(Text().join(lines), end="")
        self._live.update(home_table(self._heading, self._rows()), refresh=True)

    def close(self) -> bool:
        """Leave the last table on the screen and give the cursor back."""
        if self._timer is not None:
            self._timer.cancel()
        if self._live is not None:
            # A terminal that was closed cannot be tidied up.
            with contextlib.suppress(OSError):
                self._draw()
                self._live.stop()
            self._live = None
        return True


def choose_face(*, json: bool, stream: TextIO | None, rows: Rows, on_problem: Callable[[], object]) -> Face:
    """JSON when asked for, a live table on a terminal, else plain lines. `stream` is where people read.

    `on_problem` is called, on another thread, when the reader has left.
    """
    stream = sys.stdout if stream is None else stream
    if json:
        return JsonFace(LineWriter(stream, "stdout", on_problem))
    if stream.isatty():
        return TerminalFace(stream, rows)
    return PlainFace(LineWriter(stream, "the events", on_problem), rows)
