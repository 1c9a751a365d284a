#!/usr/bin/env python
"""Draws every table of states in `pairing` as a Mermaid diagram into the page of its protocol in specs/protocols.

    python scripts/draw_states.py [--check]

A table is a mapping {(state, input): state} of enums at the top of a module; it is found by that, wherever it is. What
stands between the two marks of a page is written anew, the rest is left alone; tables of a page that does not exist are
left out. With `--check` nothing is written; the exit code says whether the pages are current.
"""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType

import pairing

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "specs" / "protocols"
PAGES = {
    "pairing.coap": "coap.md",
    "pairing.dnssd": "bonjour.md",
    "pairing.dtls": "dtls.md",
    "pairing.nan": "wifi-aware.md",
    "pairing.nan.data_path_states": "wifi-aware-pairing.md",
    "pairing.nan.pairing_states": "wifi-aware-pairing.md",
    "pairing.pasn": "pasn.md",
    "pairing.sae": "pasn.md",
    "pairing.thread": "meshcop.md",
    "pairing.thread.ephemeral_key": "otbr-rest.md",
    "pairing.thread.node": "otbr-rest.md",
}
"""Beginning of a module's name -> the page; the longest that fits counts."""
BEGIN = "<!-- State diagrams: written by scripts/draw_states.py from the tables of the engines, not by hand. -->"
END = "<!-- End of the state diagrams. -->"
Moves = Mapping[tuple[Enum, Enum], Enum]


@dataclass(frozen=True, slots=True)
class Table:
    """One table of moves."""

    module: ModuleType
    name: str
    moves: Moves

    @property
    def page(self) -> Path:
        """Where it is drawn. Raises LookupError for a protocol that has no page assigned."""
        fitting = [start for start in PAGES if f"{self.module.__name__}.".startswith(f"{start}.")]
        if not fitting:
            raise LookupError(f"{self.module.__name__}: name its page in {Path(__file__).name}")
        return FOLDER / PAGES[max(fitting, key=len)]

    @property
    def states(self) -> list[Enum]:
        """The states that occur, in the order of their enum."""
        used = {state for (start, _), end in self.moves.items() for state in (start, end)}
        return [state for state in type(next(iter(self.moves.values()))) if state in used]


def tables() -> Iterator[Table]:
    """Every table of states in `pairing`, in the order of modules and of their lines."""
    for found in sorted(pkgutil.walk_packages(pairing.__path__, "pairing."), key=lambda each: each.name):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if (
                not name.startswith("_")
                and is_table(value)
                and module.__name__ == type(next(iter(value))[0]).__module__
            ):
                yield Table(module, name, value)


def is_table(value: object) -> bool:
    """Whether it maps a state and an input to a state."""
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(
            isinstance(key, tuple)
            and len(key) == 2
            and all(isinstance(part, Enum) for part in key)
            and type(end) is type(key[0])
            for key, end in value.items()
        )
    )


def diagram(table: Table) -> list[str]:
    """The lines of a Mermaid state diagram: one arrow for all inputs that lead from one state to another.

    Of a move that leads to one state from many, only the first is drawn, and a move that changes nothing is not: with
    them, most tables are a knot. `told` has the rest in words.
    """
    states, apart = table.states, {*_shared(table.moves), *_idle(table.moves)}
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{words(state)}" as {ident(state)}' for state in states if words(state) != ident(state)]
    lines.append(f"    [*] --> {ident(states[0])}")
    arrows: dict[tuple[Enum, Enum], list[str]] = {}
    for (start, given), end in table.moves.items():
        if (start, given) not in apart:
            arrows.setdefault((start, end), []).append(words(given))
    for start, end in sorted(arrows, key=lambda arrow: [states.index(state) for state in arrow]):
        lines.append(f"    {ident(start)} --> {ident(end)} : {', '.join(arrows[start, end])}")
    leaving = {start for (start, _), end in table.moves.items() if start is not end}
    return lines + [f"    {ident(state)} --> [*]" for state in states if state not in leaving]


def told(table: Table) -> list[str]:
    """The moves that are not drawn, a line for those that have all but the input in common."""
    from_same: dict[tuple[tuple[Enum, ...], Enum], list[str]] = {}
    by_way: dict[tuple[Enum, Enum], list[Enum]] = {}
    for start, given in _shared(table.moves):
        by_way.setdefault((given, table.moves[start, given]), []).append(start)
    for (given, end), starts in by_way.items():
        from_same.setdefault((tuple(starts), end), []).append(words(given))
    staying: dict[Enum, list[str]] = {}
    for state, given in _idle(table.moves):
        staying.setdefault(state, []).append(words(given))
    in_same: dict[tuple[str, ...], list[str]] = {}
    for state, inputs in staying.items():
        in_same.setdefault(tuple(inputs), []).append(words(state))
    lines = [
        f"- {_listed(given, '`')} {'leads' if len(given) == 1 else 'lead'} from "
        f"{_listed(map(words, starts), '*')} to *{words(end)}*, too"
        for (starts, end), given in from_same.items()
    ]
    return lines + [
        f"- {_listed(given, '`')} {'does' if len(given) == 1 else 'do'} not leave {_listed(states, '*')}"
        for given, states in in_same.items()
    ]


def _shared(moves: Moves) -> list[tuple[Enum, Enum]]:
    """The moves of one input to one state, where there are three or more: all but the first."""
    by_way: dict[tuple[Enum, Enum], list[Enum]] = {}
    for (start, given), end in moves.items():
        if start is not end:
            by_way.setdefault((given, end), []).append(start)
    return [(start, given) for (given, _), starts in by_way.items() if len(starts) > 2 for start in starts[1:]]


def _idle(moves: Moves) -> list[tuple[Enum, Enum]]:
    """The moves that stay where they begin."""
    return [(start, given) for (start, given), end in moves.items() if start is end]


def _listed(names: Iterable[str], mark: str) -> str:
    """`a, b and c`, each between marks."""
    *first, last = (f"{mark}{name}{mark}" for name in names)
    return " and ".join([", ".join(first), last] if first else [last])


def words(member: Enum) -> str:
    """A state or input as people say it."""
    return str(member.value).replace("-", " ")


def ident(member: Enum) -> str:
    """The same as Mermaid's name of a state."""
    return str(member.name).lower()


def block(shown: list[Table]) -> str:
    """What stands between the marks of a page."""
    parts = [BEGIN]
    for table in shown:
        source = table.module.__name__.replace(".", "/")
        about = (inspect.getdoc(type(table.states[0])) or "").partition("\n")[0]
        parts += ["", f"`{table.name}` in [{source}.py](../../{source}.py). {about}", ""]
        parts += ["```mermaid", *diagram(table), "```"]
        if told(table):
            parts += ["", *told(table)]
    return "\n".join([*parts, "", END])


def drawn(page: Path, shown: list[Table]) -> str:
    """The page with its diagrams as they should be."""
    text = page.read_text(encoding="utf-8")
    if BEGIN not in text:
        return f"{text.rstrip()}\n\n## State diagrams\n\n{block(shown)}\n"
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{block(shown)}{after}"


def main() -> int:
    """Write the pages, or check them."""
    by_page: dict[Path, list[Table]] = {}
    for table in tables():
        by_page.setdefault(table.page, []).append(table)
    stale = []
    for page, shown in by_page.items():
        if not page.exists():
            continue
        text = drawn(page, shown)
        if page.read_text(encoding="utf-8") != text:
            stale.append(page)
            if "--check" not in sys.argv[1:]:
                page.write_text(text, encoding="utf-8")
    if "--check" not in sys.argv[1:]:
        return 0
    for page in stale:
        print(f"{page.name}: its state diagrams are not current; run scripts/draw_states.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
