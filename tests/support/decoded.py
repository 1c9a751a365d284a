"""What a decoded tree holds, for tests: its leaves, and fields by name."""

from collections.abc import Iterable

from devices.decode.fields import Field
from devices.decode.layers import Decoded


def leaves(fields: Iterable[Field]) -> list[Field]:
    """The fields that have no fields inside, in the order of the wire."""
    return [each for field in fields for each in field.walk() if not each.fields]


def octets(fields: Iterable[Field]) -> bytes:
    """What the leaves hold, one after the other."""
    return b"".join(each.octets for each in leaves(fields))


def named(decoded: Decoded, name: str) -> list[Field]:
    """Every field of that name."""
    return [each for field in decoded.fields for each in field.walk() if each.name == name]


def one(decoded: Decoded, name: str) -> Field:
    """The only field of that name."""
    (found,) = named(decoded, name)
    return found
