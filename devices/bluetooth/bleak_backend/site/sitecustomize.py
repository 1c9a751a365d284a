"""Found by Python at its start, by way of PYTHONPATH: gives bleak the backend that reaches the pairlab home.

A `sitecustomize` that the environment has of its own is run as well.
"""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def _run_their_own() -> None:
    others = [each for each in sys.path if each and Path(each).resolve() != _HERE]
    finder = importlib.machinery.PathFinder
    spec = finder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _install() -> None:
    try:
        import bumble  # noqa: F401 - only whether it is there

        from devices.bluetooth.bleak_backend.install import install_when_imported
    except ImportError as problem:
        print(
            f"pairlab: bleak keeps the system's Bluetooth here, since this Python lacks {problem.name}; "
            "pip install 'pairlab[ble]' beside the program",
            file=sys.stderr,
        )
    else:
        install_when_imported()


_install()
_run_their_own()
