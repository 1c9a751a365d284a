"""Named intermediate values of a key derivation, kept so that a failure can be explained step by step."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType


class Intermediates(Mapping[str, bytes]):
    """Name -> octets in the order in which they came about. Nearly all are secret: the repr shows names only."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, bytes] | None = None) -> None:
        self._values = MappingProxyType(dict(values or {}))

    def __getitem__(self, name: str) -> bytes:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Intermediates({', '.join(self._values)})"
