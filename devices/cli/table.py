"""What a person sees of a running home: the table of who is there, and one line an event.

Pure rendering: rows in, Rich renderables out. `up` feeds it from the running home, `scripts/draw_home.py` draws it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from devices.cli.output import printable
from devices.spec import slug

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_LONGEST_CODE = 24
_LONGEST_VALUE = 48
_SAID = ("id", "at_us", "type", "actor", "peer", "medium", "names", "instance", "service_type")
_HIDDEN = (*_SAID, "key", "txt", "host")
_STYLES = {
    "Failed": "red",
    "Refused": "red",
    "Rejected": "red",
    "Lost": "yellow",
    "Fired": "magenta",
    "Started": "magenta",
    "Ended": "magenta",
    "Received": "dim",
}
_STATE_STYLES = {"off": "dim", "disabled": "yellow", "detached": "yellow"}


@dataclass(frozen=True, slots=True)
class Row:
    """One accessory or phone of the table."""

    id: str
    name: str
    kind: str
    state: str
    where: Sequence[str] = ()
    shows: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the table."""

    name: str
    seed: int
    reach: str
    api: str


def accessory_row(entry: Mapping[str, Any], instance: str | None = None) -> Row:
    """The row of an accessory from its entry in the ready line; `instance` is its name on Bonjour."""
    where = [f"{name} {place}" for name, place in entry["endpoints"].items()]
    if instance not in (None, entry["name"]):
        where.append(f"on Bonjour as {instance}")
    shows = [_shown(name, str(value)) for name, value in entry["shows"].items()]
    return Row(entry["id"], entry["name"], entry["kind"], entry["state"], where, shows)


def _shown(name: str, value: str) -> str:
    if len(value) <= _LONGEST_CODE:
        return f"{name} {value}"
    return f"{name} {value[: _LONGEST_CODE - 1]}…"


def home_table(heading: Heading, rows: Iterable[Row]) -> "Table":
    """The table of a home."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    title = Text.assemble(
        (printable(heading.name), "bold"),
        ("  seed ", "dim"),
        str(heading.seed),
        ("  reach ", "dim"),
        printable(heading.reach),
        ("  control ", "dim"),
        heading.api,
    )
    table = Table(title=title, title_justify="left", title_style="", box=box.ROUNDED, border_style="dim")
    table.add_column("name", style="bold", overflow="fold")
    table.add_column("kind", style="cyan", overflow="fold")
    table.add_column("where it is reached", overflow="fold")
    table.add_column("shows", style="green", overflow="fold")
    table.add_column("state", overflow="fold")
    for row in rows:
        name = Text(printable(row.name))
        if row.id != slug(row.name):
            name.append(f"\n{printable(row.id)}", style="not bold dim")
        table.add_row(
            name,
            Text(row.kind),
            Text(printable("\n".join(row.where) or "-")),
            Text(printable("\n".join(row.shows) or "-")),
            Text(printable(row.state), style=_STATE_STYLES.get(row.state, "green")),
        )
    return table


def event_line(document: Mapping[str, Any]) -> "Text":
    """One event: time since the start, who, what, and the facts that it carries."""
    from rich.text import Text

    kind = str(document["type"])
    style = next((style for ending, style in _STYLES.items() if kind.endswith(ending)), "")
    return Text.assemble(
        (f"{document['at_us'] / 1_000_000:9.3f}s  ", "dim"),
        (f"{printable(str(document['actor'])):<8}  ", "cyan"),
        (f"{kind:<23}  ", style),
        (printable(_facts(document)), "dim" if style == "dim" else ""),
    )


def _facts(document: Mapping[str, Any]) -> str:
    """What an event says beside who and when: names and values, the longest cut."""
    facts = [f"peer {document['peer']}"] if document.get("peer") else []
    if "service_type" in document:
        facts.append(f"{document['instance']} {document['service_type']}")
    for name, value in document.items():
        if name in _HIDDEN or value in (None, "", [], {}):
            continue
        text = _WRITTEN[name](value) if name in _WRITTEN else _fact(value)
        text = text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
        facts.append(f"{name.replace('_', ' ')} {text}")
    return "  ".join(facts)


_WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "rloc16": lambda number: f"0x{number:04x}",
    "lifetime": lambda us: f"{us / 1_000_000:g} s",
    "timeout": lambda us: f"{us / 1_000_000:g} s",
}
"""Values that have a form of their own."""


def _fact(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case {"instance": instance, "type": service_type}:
            return f"{instance} {service_type}"
        case Mapping():
            return ", ".join(f"{key} {_fact(each)}" for key, each in value.items())
        case list():
            return " ".join(map(_fact, value))
    return str(value)
