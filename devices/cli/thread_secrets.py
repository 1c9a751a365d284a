"""Keys and codes for `pairlab thread`: as an argument, from a file, from standard input, the environment, or a prompt.

What stands on a command line is read by whoever may list processes, so every one of them has another way in.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import typer

from devices.errors import UsageError

VARIABLES: Mapping[str, str] = {
    "pskc": "PAIRLAB_PSKC",
    "passphrase": "PAIRLAB_PASSPHRASE",
    "code": "PAIRLAB_CODE",
    "pskd": "PAIRLAB_PSKD",
}
FORMS = "a value, @FILE, or - for standard input"


def read_secret(text: str, what: str) -> str:
    """What an option holds: itself, the first line of `@FILE`, or a line of standard input for `-`."""
    if text == "-":
        return _asked(what) if sys.stdin.isatty() else sys.stdin.readline().strip()
    if text.startswith("@"):
        try:
            return Path(text[1:]).read_text(encoding="utf-8").partition("\n")[0].strip()
        except UnicodeDecodeError:
            raise UsageError(f"--{what}: {text[1:]} is not UTF-8 text") from None
    return text


def from_environment(what: str) -> str:
    """What the environment holds, empty for nothing."""
    return os.environ.get(VARIABLES[what], "").strip()


def needed(text: str | None, what: str, meaning: str) -> str:
    """A secret that has to be there: given, in the environment, or asked for on a terminal. Raises UsageError."""
    found = read_secret(text, what) if text else from_environment(what)
    if found:
        return found
    if not sys.stdin.isatty():
        raise UsageError(f"{meaning} is missing: give {FORMS}, or set {VARIABLES[what]}")
    return _asked(meaning)


def _asked(meaning: str) -> str:
    return str(typer.prompt(meaning, hide_input=True, err=True))
