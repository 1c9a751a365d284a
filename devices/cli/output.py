"""What commands print: lines, JSON, aligned rows and Rich tables, safe for terminals and for readers that leave.

A reader that closes its pipe is no error: what comes after goes nowhere and the command ends as it would have ended.
"""

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console

    from devices.cli.line_writer import LineWriter


_WIDTH_OF_A_PIPE = 160
"""Wide enough for a table whose URLs stay whole, whatever the terminal of whoever reads the pipe."""


def write(text: str, stream: TextIO | None = None) -> bool:
    """Write and flush, by default to stdout. False when the reader has gone."""
    stream = sys.stdout if stream is None else stream
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        send_nowhere(stream)
        return False
    return True


def send_nowhere(stream: IO[str]) -> None:
    """Point a stream whose reader has gone at the null device, so that nothing fails later, not even at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def say(text: str = "") -> bool:
    """One line on stdout."""
    return write(f"{printable(text)}\n")


def emit(document: Any) -> bool:
    """One JSON document on one line of stdout."""
    return write(json_line(document))


def json_line(document: Any) -> str:
    """The document as one line."""
    import json

    return json.dumps(document, separators=(",", ":")) + "\n"


def warn(text: str) -> None:
    """One line on stderr that does not change the outcome."""
    write(f"{printable(text)}\n", sys.stderr)


def complain(text: str) -> None:
    """The line that says why it did not work."""
    warn(f"pairlab: {text}")


def printable(text: str) -> str:
    """The text with control characters escaped: what came from a network must not drive a terminal."""
    return "".join(
        character if character == "\n" or character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def rows(pairs: Iterable[tuple[str, str]], *, indent: str = "") -> bool:
    """Labels and values in two columns; on a terminal the labels are bold and long values wrap in their column."""
    table = [(printable(label), printable(value)) for label, value in pairs]
    width = max((len(label) for label, _ in table), default=0)
    bold, plain = ("\x1b[1m", "\x1b[0m") if _colours(sys.stdout) else ("", "")
    room = max(shutil.get_terminal_size().columns - len(indent) - width - 2, 20) if sys.stdout.isatty() else None
    lines = []
    for label, value in table:
        first, *others = _wrapped(value, room)
        lines.append(f"{indent}{bold}{label:<{width}}{plain}  {first}".rstrip())
        lines += [f"{indent}{'':<{width}}  {other}" for other in others]
    return write("".join(f"{line}\n" for line in lines))


def _wrapped(value: str, room: int | None) -> list[str]:
    lines = value.split("\n")
    return lines if room is None else [part for line in lines for part in textwrap.wrap(line, room) or [""]]


def _colours(stream: TextIO) -> bool:
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def console(stream: "TextIO | LineWriter | None" = None) -> "Console":
    """A Rich console on stdout or `stream`; without a terminal it does not wrap at 80 columns."""
    from rich.console import Console

    class QuietConsole(Console):
        """Goes on without a reader, where Rich would end the program."""

        def on_broken_pipe(self) -> None:
            send_nowhere(self.file)

    stream = sys.stdout if stream is None else stream
    width = None if stream.isatty() else _WIDTH_OF_A_PIPE
    return QuietConsole(file=cast("TextIO", stream), width=width, highlight=False)
