"""The layers that can be decoded, one file each, and which of them some bytes are.

A layer is a function that reads through a `TracedReader`, registered by the outermost decorator together with a guess:
how likely bytes are of this layer by what they look like, from 0 (never) to 100. The guess may be wrong, reading
decides: of the layers that read the bytes whole, the likeliest is taken.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

from devices.decode.fields import Field, TracedReader, as_json
from devices.errors import UsageError
from devices.spec import closest
from pairing.errors import DecodeError

Read: TypeAlias = Callable[[TracedReader], None]
Guess: TypeAlias = Callable[[bytes], int]

PLAUSIBLE = 20
"""A layer that fails to read the bytes but was this likely says why; below it, the bytes are of no layer."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its name for `--as`, its title, and its two functions."""

    name: str
    title: str
    read: Read
    guess: Guess
    ports: frozenset[int] = frozenset()
    """UDP ports whose datagrams are of this layer."""


_LAYERS: dict[str, Layer] = {}


def layer(name: str, title: str, *, guess: Guess, ports: Sequence[int] = ()) -> Callable[[Read], Read]:
    """Register the function that reads a layer."""

    def register(read: Read) -> Read:
        _LAYERS[name] = Layer(name, title, read, guess, frozenset(ports))
        return read

    return register


@cache
def layers() -> Mapping[str, Layer]:
    """Every layer by name. Imports the modules of this package, each of which registers its own."""
    package = importlib.import_module("devices.decode")
    for module in sorted(each.name for each in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"devices.decode.{module}")
    return dict(sorted(_LAYERS.items()))


def layer_called(name: str) -> Layer:
    """The layer of that name; UsageError lists those that there are."""
    found = layers().get(name)
    if found is None:
        raise UsageError(f"no layer is called {name!r}{closest(name, layers())}; known: {', '.join(layers())}")
    return found


@dataclass(frozen=True, slots=True)
class Decoded:
    """Bytes as one layer, or as much of them as it could read."""

    layer: Layer
    fields: list[Field]
    length: int
    error: DecodeError | None = None
    others: tuple[str, ...] = field(default=())
    """Layers that would have read the bytes, too."""

    def as_json(self) -> dict[str, Any]:
        """One document."""
        document: dict[str, Any] = {
            "layer": self.layer.name,
            "title": self.layer.title,
            "length": self.length,
            "others": list(self.others),
            "fields": as_json(self.fields),
        }
        if self.error is not None:
            document["error"] = {"offset": self.error.offset, "reason": self.error.reason}
        return document


def decode_as(chosen: Layer, data: bytes, base: int = 0) -> Decoded:
    """The bytes as one layer; what is wrong with them is in `error`."""
    reader = TracedReader(data, base)
    try:
        chosen.read(reader)
        reader.expect_end(chosen.title)
    except DecodeError as error:
        return Decoded(chosen, reader.fields, len(data), error)
    return Decoded(chosen, reader.fields, len(data))


def decode(data: bytes, base: int = 0) -> Decoded:
    """The bytes as the likeliest layer that reads them whole, else as the likeliest that may have been meant.

    Raises DecodeError for bytes that look like no layer.
    """
    if not data:
        raise DecodeError(base, "nothing to decode: no bytes")
    guesses = [(each.guess(data), each) for each in layers().values()]
    likely = [each for guess, each in sorted(guesses, key=lambda pair: -pair[0]) if guess > 0]
    tried = [decode_as(each, data, base) for each in likely]
    whole = [each for each in tried if each.error is None]
    if whole:
        first, *others = whole
        return Decoded(first.layer, first.fields, len(data), None, tuple(each.layer.name for each in others))
    plausible = [each for each in tried if each.layer.guess(data) >= PLAUSIBLE]
    if plausible:
        return plausible[0]
    raise _nothing_fits(data, base, tried)


def _nothing_fits(data: bytes, base: int, tried: Sequence[Decoded]) -> DecodeError:
    count = f"{len(data)} byte{'' if len(data) == 1 else 's'}"
    known = ", ".join(layers())
    if not tried or tried[0].error is None:
        return DecodeError(base, f"{count} that begin like no layer; known: {known}")
    nearest = tried[0].error
    return DecodeError(
        nearest.offset, f"{count} that are of no layer; the nearest is {tried[0].layer.name}: {nearest.reason}"
    )
