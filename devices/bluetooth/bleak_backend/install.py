"""Puts the backend in place of the platform's own, in this process.

bleak asks three functions for the platform's classes; they are replaced in bleak's package and in the modules that
define them, so nothing of the system's Bluetooth is ever imported. A program that pairlab starts gets a
`sitecustomize` that does it right after bleak was imported.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

VARIABLE = "PAIRLAB_BLE_HCI"
_KINDS = ("scanner", "client", "adapter")


def install() -> Callable[[], None]:
    """Replace the platform's classes; the returned call puts them back. Imports bleak."""
    import bleak

    put_back: list[tuple[Any, str, Any]] = []
    for kind in _KINDS:
        name = f"get_platform_{kind}_backend_type"
        try:
            module = importlib.import_module(f"bleak.backends.{kind}")
        except ImportError:
            continue  # adapters are younger than bleak 2.1
        for place in (module, bleak):
            if hasattr(place, name):
                put_back.append((place, name, getattr(place, name)))
                setattr(place, name, _chooser(kind))

    def undo() -> None:
        for place, name, before in reversed(put_back):
            setattr(place, name, before)

    return undo


def _chooser(kind: str) -> Callable[[], tuple[type, Any]]:
    def choose() -> tuple[type, Any]:
        from bleak.backends import get_default_backend

        # Programs branch on the name of the platform's own backend, so that stays.
        module = importlib.import_module(f"devices.bluetooth.bleak_backend.{kind}")
        return module.BACKEND, get_default_backend()

    return choose


class _Hook(importlib.abc.MetaPathFinder):
    """Installs the backend as soon as bleak has been imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """bleak's own spec, with a loader that installs afterwards."""
        if fullname != "bleak":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec("bleak")
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, own: Any) -> None:
        self._own = own

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._own.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        self._own.exec_module(module)
        install()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)


def install_when_imported() -> None:
    """From now on, whoever imports bleak gets the backend."""
    if "bleak" in sys.modules:
        install()
    else:
        sys.meta_path.insert(0, _Hook())
