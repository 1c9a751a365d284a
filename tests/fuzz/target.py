"""What is fuzzed: targets by name, each one function over hostile bytes, with valid bytes to begin from.

A target takes any bytes and says whether they were accepted; whatever escapes it is a finding. Decoders may raise the
errors that their module names, engines nothing at all. One file a layer lies in `targets/`, each with its `TARGETS`.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias, TypeVar

from pairing.errors import DecodeError

Seeds: TypeAlias = Callable[[], Iterable[bytes]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """One function over bytes, and valid inputs for it. `is_slow` says that an input costs milliseconds."""

    name: str
    run: Callable[[bytes], bool]
    seeds: Seeds
    is_slow: bool = False


def decoder(
    name: str,
    decode: Callable[[bytes], T],
    seeds: Seeds,
    *,
    errors: tuple[type[Exception], ...] = (DecodeError,),
    encode: Callable[[T], bytes] | None = None,
    is_exact: bool = True,
) -> Target:
    """A codec: only the named errors come out, and what was decoded encodes to the same bytes.

    Where the wire has several forms of one value, `is_exact` is False: then decoding the encoding gives the value.
    """

    def run(data: bytes) -> bool:
        try:
            value = decode(data)
        except errors:
            return False
        assert repr(value)
        if encode is not None:
            encoded = encode(value)
            if is_exact:
                assert encoded == data, f"encodes to {encoded.hex()}"
            else:
                assert decode(encoded) == value, f"encodes to {encoded.hex()}, which decodes to another value"
        return True

    return Target(name, run, seeds)


@cache
def targets() -> dict[str, Target]:
    """Every target by its name. Imports the modules of `tests.fuzz.targets` in sorted order."""
    package = importlib.import_module("tests.fuzz.targets")
    found: dict[str, Target] = {}
    for module in sorted(each.name for each in pkgutil.iter_modules(package.__path__)):
        for target in importlib.import_module(f"tests.fuzz.targets.{module}").TARGETS:
            if target.name in found:
                raise ValueError(f"two targets are called {target.name}")
            found[target.name] = target
    return found
