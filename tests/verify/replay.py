"""Finds the format of a vector file by its content and has it checked. Nothing is skipped: what cannot be read, is of
no known format, or makes a checker stumble is a failure."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tests.verify import formats
from tests.verify.mismatch import Mismatch

LONGEST_SHOWN = 300


class Format(Protocol):
    """What each module of `formats` offers; instead of `check` it may have `check_beside(document, folder)`."""

    __name__: str

    def recognises(self, document: object) -> bool:
        """Whether the document is of this format."""

    def check(self, document: dict[str, object]) -> None:
        """Produce every answer of the document; raises Mismatch at the first that differs."""


def all_formats() -> list[Format]:
    """The format modules in the order of their names."""
    names = sorted(module.name for module in pkgutil.iter_modules(formats.__path__))
    return [importlib.import_module(f"{formats.__name__}.{name}") for name in names]


def replay_directory(directory: Path) -> Iterator[tuple[str, str | None]]:
    """Every `*.json` below the directory in order: its path there, and None or what failed."""
    known = all_formats()
    for path in sorted(directory.rglob("*.json")):
        yield str(path.relative_to(directory)), replay_file(path, known)


def replay_file(path: Path, known: list[Format]) -> str | None:
    """None, or why the file fails, in one line."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        return one_line(f"unreadable JSON: {error}")
    return replay_document(document, known, path.parent)


def replay_document(document: object, known: list[Format], folder: Path | None = None) -> str | None:
    """None, or why the document fails, in one line. `folder` has the files that a document may name."""
    try:
        fitting = [module for module in known if module.recognises(document)]
        if len(fitting) != 1:
            names = ", ".join(module.__name__.rpartition(".")[2] for module in fitting)
            return f"fits several formats: {names}" if fitting else "unknown format"
        beside = getattr(fitting[0], "check_beside", None)
        if beside is not None:
            beside(document, folder)
        else:
            fitting[0].check(document)  # type: ignore[arg-type]  # each format recognises objects only
    except Mismatch as mismatch:
        expected, got = one_line(repr(mismatch.expected)), one_line(repr(mismatch.got))
        return f"{mismatch.member}: expected {expected}, got {got}"
    except Exception as error:  # a checker that stumbles over a file has not passed it
        return one_line(f"{type(error).__name__}: {error}")
    return None


def one_line(text: str) -> str:
    """The text without line breaks, cut where it gets too long to read."""
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_SHOWN else f"{flat[:LONGEST_SHOWN]}… ({len(flat)} characters)"
