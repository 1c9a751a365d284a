"""The acting half of pairlab: virtual accessories, media, faults, the control API and the command line.

`from devices import Home` is where a script starts; it is loaded when it is asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from devices.home.handle import Home

__all__ = ["Home"]


def __getattr__(name: str) -> Any:
    if name == "Home":
        from devices.home.handle import Home

        return Home
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
