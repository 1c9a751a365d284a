"""`pairlab faults`: every wire fault and every lie, with what it does and its parameters."""

import dataclasses
from typing import Annotated, Any

import typer

from devices.cli import output


def faults(
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Every fault and lie that can be put in force, with its parameters.

    Faults act on what travels, lies at the accessory that tells them. Put them into a home file under [[fault]] or
    `lies`, start them from a scenario, or over the control API.
    """
    catalogue = read_catalogue()
    if json:
        output.emit({"faults": catalogue})
        return
    for form, title in (("fault", "Faults act on what travels"), ("lie", "Lies are told by an accessory")):
        chosen = [entry for entry in catalogue if entry["form"] == form]
        if chosen:
            _print(title, chosen)


def read_catalogue() -> list[dict[str, Any]]:
    """Faults, then lies, each sorted by kind, as JSON values."""
    from devices.accessories.registry import kinds
    from devices.faults.base import wire_faults

    catalogue = [_entry(kind, "fault", cls, []) for kind, cls in wire_faults().items()]
    tellers: dict[str, list[str]] = {}
    lies: dict[str, Any] = {}
    for kind, accessory in kinds().items():
        for name, lie in accessory.lies.items():
            tellers.setdefault(name, []).append(kind)
            lies[name] = lie
    return catalogue + [_entry(name, "lie", lies[name], tellers[name]) for name in sorted(lies)]


def _entry(kind: str, form: str, cls: Any, tellers: list[str]) -> dict[str, Any]:
    parameters = []
    for each in dataclasses.fields(cls):
        required = each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
        parameter = {"name": each.name, "type": _type_name(each.type), "required": required}
        if not required:
            parameter["default"] = each.default if each.default is not dataclasses.MISSING else None
        parameters.append(parameter)
    entry: dict[str, Any] = {"kind": kind, "form": form, "description": _first_line(cls), "parameters": parameters}
    if form == "lie":
        entry["accessories"] = tellers
    return entry


def _type_name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _first_line(cls: Any) -> str:
    text = (cls.__doc__ or "").strip()
    # A dataclass without a docstring gets its signature as one, which says nothing to a user.
    return "" if text.startswith(f"{cls.__name__}(") else " ".join(text.split("\n\n")[0].split())


def _print(title: str, catalogue: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("kind", style="cyan", no_wrap=True)
    table.add_column("what it does")
    table.add_column("parameters")
    for entry in catalogue:
        parameters = ", ".join(
            each["name"] if each["required"] else f"{each['name']} = {each['default']!r}"
            for each in entry["parameters"]
        )
        table.add_row(entry["kind"], entry["description"], parameters)
    console = output.console()
    console.print(table)
    console.print()
