"""Decoded bytes as lines of text: offset, field, octets, meaning."""

from collections.abc import Iterable, Iterator

from devices.decode.fields import Field, shown
from devices.decode.layers import Decoded
from devices.decode.words import count

_LONGEST_OCTETS = 32
_LONGEST_NAME = 44
_INDENT = "  "


def title_line(decoded: Decoded) -> str:
    """Which layer was taken, and which others would have read the bytes, too."""
    line = f"{decoded.layer.title}, {count(decoded.length, 'byte')}"
    if decoded.others:
        line += f" (--as {decoded.layer.name}; possible, too: {', '.join(decoded.others)})"
    return line


def lines(fields: Iterable[Field]) -> Iterator[str]:
    """One line a field."""
    rows = list(_rows(fields, 0))
    width = min(max((len(name) for _, name, _, _ in rows), default=0), _LONGEST_NAME)
    for offset, name, octets, meaning in rows:
        yield f"{offset:>6}  {name:<{width}}  {octets}{'  ' if octets and meaning else ''}{meaning}".rstrip()


def _rows(fields: Iterable[Field], depth: int) -> Iterator[tuple[int, str, str, str]]:
    for each in shown(fields):
        octets = "" if each.fields else _octets(each.octets)
        meaning = each.meaning
        if not meaning:
            meaning = f"= {each.number}" if each.number is not None else ""
        yield each.offset, _INDENT * depth + each.name, octets, meaning
        yield from _rows(each.fields, depth + 1)


def _octets(octets: bytes) -> str:
    if len(octets) <= _LONGEST_OCTETS:
        return octets.hex()
    return f"{octets[:_LONGEST_OCTETS].hex()}… {len(octets)} bytes"
