"""Valid bytes out of the recorded vectors, by the name of the member that holds them as hex."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parents[1] / "vectors"
SMALLEST = 2


@cache
def documents(files: str) -> tuple[Any, ...]:
    """The JSON documents of a pattern such as `thread/dtls_*`."""
    return tuple(json.loads(path.read_text(encoding="utf-8")) for path in sorted(VECTORS.glob(f"{files}.json")))


@cache
def octets(files: str, *members: str) -> tuple[bytes, ...]:
    """The octets that members of these names hold anywhere in the files, each once, the short ones first."""
    found = {text for document in documents(files) for text in _texts(document, members)}
    return tuple(sorted(map(bytes.fromhex, found), key=lambda each: (len(each), each)))


def _texts(value: object, members: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            if name in members and isinstance(member, str) and _is_hex(member):
                yield member
            else:
                yield from _texts(member, members)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member, members)


def _is_hex(text: str) -> bool:
    return len(text) >= 2 * SMALLEST and len(text) % 2 == 0 and all(each in "0123456789abcdef" for each in text)
