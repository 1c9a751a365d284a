"""Matching filters of publish and subscribe: length(1) value, one after the other, compared place by place.

An empty value matches anything. Where the subscriber has no filter everything matches; where its filter is longer than
the publisher's, nothing does, unless the publisher has none and the subscriber's values are all empty.
Source: Wi-Fi Aware specification 4.0, appendix on matching filters; behaviour as an independent implementation has it.
"""

from collections.abc import Iterable

from pairing.errors import EncodeError
from pairing.wire import Reader, Writer

MAX_FILTER = 0xFF


def decode_filter(data: bytes) -> tuple[bytes, ...]:
    """The values of a filter; raises DecodeError if the last one is cut."""
    reader = Reader(data)
    values: list[bytes] = []
    while reader.remaining:
        values.append(reader.take(reader.u8("filter length"), "filter value"))
    return tuple(values)


def encode_filter(values: Iterable[bytes]) -> bytes:
    """A filter of these values."""
    writer = Writer()
    for value in values:
        writer.block8(value)
    if len(writer) > MAX_FILTER:
        raise EncodeError(f"matching filter has {len(writer)} octets, expected at most {MAX_FILTER}")
    return writer.getvalue()


def mismatch(subscribe: bytes | None, publish: bytes | None) -> str | None:
    """Why a publish with that filter is not for a subscribe with that one, or None if it is. Raises DecodeError."""
    wanted = decode_filter(subscribe or b"")
    offered = decode_filter(publish or b"")
    if not publish:
        place = next((place for place, value in enumerate(wanted) if value), None)
        return (
            None if place is None else f"subscribe filter has {wanted[place].hex()} at {place}, publish has no filter"
        )
    for place, value in enumerate(wanted):
        if place >= len(offered):
            return f"subscribe filter has {len(wanted)} values, publish filter {len(offered)}"
        if value and offered[place] and value != offered[place]:
            return f"at {place} subscribe filter has {value.hex()}, publish filter {offered[place].hex()}"
    return None
