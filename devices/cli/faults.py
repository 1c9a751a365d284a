"""`pairlab faults`: every wire fault and every lie, with what it does and its parameters."""

from typing import Annotated, Any

import typer

from devices.cli import output


def faults(
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Every fault and lie that can be put in force, with its parameters.

    Faults act on what travels, lies at the accessory that tells them. Put them into a home file as `fault` tables
    or `lies`, start them from a scenario, or over the control API.
    """
    from devices.control.catalogue import read_catalogue

    catalogue = read_catalogue()
    if json:
        output.emit({"faults": catalogue})
        return
    for form, title in (("fault", "Faults act on what travels"), ("lie", "Lies are told by an accessory")):
        chosen = [entry for entry in catalogue if entry["form"] == form]
        if chosen:
            _print(title, chosen)


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
