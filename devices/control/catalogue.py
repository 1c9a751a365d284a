"""Every wire fault and every lie with its parameters, as JSON values: for the control API and the command line."""

import dataclasses
from typing import Any

from devices.accessories.registry import kinds
from devices.faults.base import wire_faults


def read_catalogue() -> list[dict[str, Any]]:
    """Faults, then lies, each sorted by kind."""
    tellers: dict[str, list[str]] = {}
    lies: dict[str, type] = {}
    for kind, accessory in kinds().items():
        for name, lie in accessory.lies.items():
            tellers.setdefault(name, []).append(kind)
            lies[name] = lie
    return [
        *(_entry(kind, "fault", cls, []) for kind, cls in wire_faults().items()),
        *(_entry(name, "lie", lies[name], tellers[name]) for name in sorted(lies)),
    ]


def _entry(kind: str, form: str, cls: Any, tellers: list[str]) -> dict[str, Any]:
    parameters = []
    for each in dataclasses.fields(cls):
        required = each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
        parameter = {"name": each.name, "type": _type_name(each.type), "required": required}
        if not required:
            parameter["default"] = each.default if each.default is not dataclasses.MISSING else None
        parameters.append(parameter)
    entry: dict[str, Any] = {"kind": kind, "form": form, "description": _description(cls), "parameters": parameters}
    if form == "lie":
        entry["accessories"] = tellers
    return entry


def _type_name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _description(cls: type) -> str:
    text = (cls.__doc__ or "").strip()
    # A dataclass without a docstring gets its signature as one, which says nothing to a user.
    return "" if text.startswith(f"{cls.__name__}(") else " ".join(text.split("\n\n")[0].split())
