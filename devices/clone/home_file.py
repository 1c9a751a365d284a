"""Writes the tables of a home as a TOML file, readable by its owner alone, and never over a file unasked."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devices.errors import UsageError


def home_text(home: Mapping[str, Any], source: str) -> str:
    """The home as TOML, with a first line that says where it comes from."""
    import tomli_w

    about = " ".join(source.split())
    return f"# Cloned from {about} by pairlab.\n{tomli_w.dumps(home)}"


def write_home(text: str, path: Path, *, force: bool) -> None:
    """Write the file whole or not at all. Raises UsageError where it exists, unless `force`."""
    if path.exists() and not force:
        raise UsageError(f"{path}: exists already; choose another name, or give --force to replace it")
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)
        if force:
            part.replace(path)
        else:
            os.link(part, path)  # unlike a rename, this fails where another program was quicker
    except FileExistsError:
        raise UsageError(f"{path}: exists already; choose another name, or give --force to replace it") from None
    finally:
        part.unlink(missing_ok=True)
