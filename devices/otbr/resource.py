"""Items and collections of the JSON:API side: at most 200 items, oldest out, sparse fields, two ways to print.

`created` and `updated` are moments on the engine's clock; whoever prints turns them into calendar time.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from devices.otbr.json_text import Json
from pairing.engine import Micros

LIMIT = 200

Fields = Mapping[str, frozenset[str]]
"""Type -> the members asked for; no members = all. The empty mapping = all types."""


class Item(Protocol):
    """Something that a collection holds."""

    @property
    def id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def created(self) -> Micros: ...
    @property
    def updated(self) -> Micros: ...


ItemT = TypeVar("ItemT", bound=Item)


class Collection(Generic[ItemT]):
    """Items by id, oldest first."""

    def __init__(self) -> None:
        self._items: dict[str, ItemT] = {}

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[ItemT]:
        return iter(tuple(self._items.values()))

    def get(self, item_id: str) -> ItemT | None:
        """The item of exactly this id."""
        return self._items.get(item_id)

    def put(self, item: ItemT) -> ItemT | None:
        """Add an item, or replace the one of the same id in its place. Returns the one that had to go."""
        evicted = None
        if item.id not in self._items and len(self._items) >= LIMIT:
            evicted = self._items.pop(next(iter(self._items)))
        self._items[item.id] = item
        return evicted

    def remove(self, item_id: str) -> ItemT | None:
        """Take an item out."""
        return self._items.pop(item_id, None)

    def clear(self) -> tuple[ItemT, ...]:
        """Take all items out."""
        gone = tuple(self)
        self._items.clear()
        return gone


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """A device or a diagnostic: attributes as they were when last updated."""

    id: str
    type: str
    attributes: Mapping[str, Json]
    created: Micros
    updated: Micros


Calendar = Callable[[Micros], str]
"""Turns a moment into RFC 3339 text."""


def asked_fields(query: tuple[tuple[str, str], ...], types: frozenset[str]) -> Fields | None:
    """What `fields[type]=a,b.c` asks for; None where types are named but none that is here, so nothing is shown."""
    named = [(name, value) for name, value in query if name.startswith("fields[")]
    found: dict[str, frozenset[str]] = {}
    for name, value in named:
        kind = name.removeprefix("fields[").removesuffix("]")
        if name.endswith("]") and kind in types:
            found.setdefault(kind, frozenset(value.replace(",", " ").split()))
    return found if found or not named else None


def sparse(attributes: Mapping[str, Json], keys: frozenset[str]) -> dict[str, Json]:
    """The members asked for; `mode.rxOnWhenIdle` asks for a part of one."""
    if not keys:
        return dict(attributes)
    shown: dict[str, Json] = {}
    for name, value in attributes.items():
        parts = {key.removeprefix(f"{name}.") for key in keys if key.startswith(f"{name}.")}
        if name in keys:
            shown[name] = value
        elif parts:
            shown[name] = _parts(value, parts)
    return shown


def _parts(value: Json, parts: set[str]) -> Json:
    match value:
        case dict():
            return {name: part for name, part in value.items() if name in parts}
        case list():
            return [_parts(each, parts) for each in value]
        case _:
            return value


def resource_object(
    item: Item, attributes: dict[str, Json], calendar: Calendar, relationships: Json = None
) -> dict[str, Json]:
    """The JSON:API form of an item; `created` is always part of it."""
    shown: dict[str, Json] = {**attributes, "created": calendar(item.created)}
    if item.updated != item.created:
        shown["updated"] = calendar(item.updated)
    document: dict[str, Json] = {"id": item.id, "type": item.type, "attributes": shown}
    if relationships is not None:
        document["relationships"] = relationships
    return document


def collection_meta(total: int, **more: int) -> Json:
    """The `meta` member of a collection."""
    return {"collection": {"offset": 0, "limit": LIMIT, "total": total, **more}}
