"""Which kinds of accessory there are: the modules of this package, and the entry points `pairlab.accessories`."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import TypeVar

from pydantic import ValidationError

from devices.accessories.base import Accessory
from devices.actor import Site
from devices.errors import HomeFileError, UnknownKindError
from devices.spec import AccessorySpec, closest, explain

AccessoryT = TypeVar("AccessoryT", bound=type[Accessory])
_KINDS: dict[str, type[Accessory]] = {}


def accessory(kind: str) -> Callable[[AccessoryT], AccessoryT]:
    """Register an accessory class under its kind."""

    def register(cls: AccessoryT) -> AccessoryT:
        cls.kind = kind
        _KINDS[kind] = cls
        return cls

    return register


def kinds() -> Mapping[str, type[Accessory]]:
    """Every kind, sorted."""
    _load()
    return dict(sorted(_KINDS.items()))


@cache
def _load() -> None:
    # Once a process: looking for entry points reads the metadata of everything that is installed.
    package = importlib.import_module("devices.accessories")
    for module in sorted(each.name for each in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"devices.accessories.{module}")
    for entry in sorted(entry_points(group="pairlab.accessories"), key=lambda each: each.name):
        entry.load()


def build(site: Site, spec: AccessorySpec) -> Accessory:
    """An accessory from its table. Raises UnknownKindError or HomeFileError, which name the table and the mend."""
    known = kinds()
    if spec.kind not in known:
        raise UnknownKindError(f"accessory {spec.id!r}: there is no kind {spec.kind!r}{closest(spec.kind, known)}")
    cls = known[spec.kind]
    try:
        settings = cls.settings_model.model_validate(spec.settings)
    except ValidationError as problem:
        raise HomeFileError(f"accessory {spec.id!r}: {explain(problem, cls.settings_model)}") from None
    return cls(site, spec.id, spec.name, settings)
