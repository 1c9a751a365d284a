"""`pairlab sweep`: a scenario with many seeds, on all processors; failures with the command that replays each.

The first of each kind of failure is shrunk to the fewest fault decisions that cause it, and written as a scenario.
"""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devices.lab.shrink import Shrunk
    from devices.lab.sweep import SeedResult

_MOST_SHRUNK = 5
"""How many failures of different kinds one sweep shrinks."""


def sweep(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO.toml", help="The scenario file.")],
    seeds: Annotated[
        str, typer.Option(metavar="0..999", help="A range with both ends, a seed, or several with commas.")
    ],
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="How many processes. (default: one a processor)")
    ] = None,
    shrink: Annotated[
        bool, typer.Option(help="Reduce the first failure of each kind to the smallest fault schedule.")
    ] = True,
    shrunk: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the scenarios of shrunk failures are written.")
    ] = Path("pairlab-failures"),
    json: Annotated[bool, typer.Option("--json", help="One JSON document at the end.")] = False,
) -> None:
    """Run a scenario with many seeds, and shrink what fails to the smallest fault schedule that replays it."""
    from devices.cli import output
    from devices.errors import EmulatorError
    from devices.lab.result import replay_command
    from devices.lab.sweep import parse_seeds

    wanted = parse_seeds(seeds)
    done, failures = _sweep(scenario, wanted, workers, quiet=json)
    interrupted = done < len(wanted)
    reduced = _shrink(scenario, failures, shrunk) if shrink and not interrupted else {}
    if json:
        output.emit(
            {
                "scenario": str(scenario),
                "seeds": seeds,
                "passed": done - len(failures),
                "failed": len(failures),
                "interrupted": interrupted,
                "failures": [{**each.as_json(scenario), **_document(reduced.get(each.seed))} for each in failures],
            }
        )
    else:
        for each in failures:
            output.say(f"FAIL  seed {each.seed}  {_where(each)}{each.reason}")
            output.say(f"      again: {replay_command(scenario, each.seed)}")
            if each.seed in reduced:
                output.say(f"      {_shrunk_line(*reduced[each.seed])}")
        end = f"interrupted after {done} of {len(wanted)} seeds: " if interrupted else ""
        output.say(f"{scenario}: {end}{done - len(failures)} passed, {len(failures)} failed")
    if interrupted:
        raise KeyboardInterrupt
    if failures:
        raise typer.Exit(EmulatorError.exit_code)


def _shrink(
    path: Path, failures: "Sequence[SeedResult]", folder: Path
) -> "Mapping[int, tuple[Shrunk | None, Path | None]]":
    """By seed: what the first failure of each kind shrinks to, and the file that replays it."""
    from devices.cli.exec_ import serve
    from devices.lab.shrink import shrink, signature, write_shrunk

    first: dict[tuple[object, ...], SeedResult] = {}
    for each in failures:
        first.setdefault(signature(each), each)
    reduced: dict[int, tuple[Shrunk | None, Path | None]] = {}
    for each in [*first.values()][:_MOST_SHRUNK]:
        found = shrink(path, each.seed, serve)
        written = write_shrunk(found, folder, path.stem) if found is not None and found.hits else None
        if found is None or found.decisions or each.defect:
            reduced[each.seed] = (found, written)
    return reduced


def _shrunk_line(found: "Shrunk | None", written: Path | None) -> str:
    if found is None:
        return "shrunk: it did not fail again"
    if found.hits is None:
        return f"not shrunk: the {found.decisions} fault decisions alone do not make it fail; a step may look at faults"
    if written is None:
        return "shrunk: it fails without any wire fault, too"
    end = "" if found.complete else ", when the time was up"
    return (
        f"shrunk: {found.decisions} fault decisions to {len(found.hits)}{end}: pairlab run {shlex.quote(str(written))}"
    )


def _document(entry: "tuple[Shrunk | None, Path | None] | None") -> dict[str, Any]:
    found, written = entry or (None, None)
    if found is None:
        return {}
    document: dict[str, Any] = {"decisions": found.decisions}
    if found.hits is not None:
        document |= {"hits": [each.as_table() for each in found.hits], "complete": found.complete}
    if written is not None:
        document["replay"] = f"pairlab run {shlex.quote(str(written))}"
    return {"shrunk": document}


def _where(result: "SeedResult") -> str:
    if result.defect:
        return "a defect of pairlab: "
    return "" if result.step is None else f"step {result.step}: "


def _sweep(path: Path, seeds: "Sequence[int]", workers: int | None, *, quiet: bool) -> "tuple[int, list[SeedResult]]":
    """How many seeds ran until the end or a Ctrl-C, and the failures in their order. A bar on a terminal meanwhile."""
    import contextlib
    import sys

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from devices.cli import output
    from devices.cli.exec_ import serve, sigterm_as_interrupt
    from devices.lab.sweep import sweep as sweep_seeds

    done = 0
    failures: list[SeedResult] = []
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed"),
        TimeRemainingColumn(compact=True),
    )
    console = output.console(sys.stderr)
    show = sys.stderr.isatty() and not quiet
    results = sweep_seeds(path, seeds, workers, serve)
    bar = Progress(*columns, console=console, transient=True, disable=not show)
    with sigterm_as_interrupt(), bar as progress, contextlib.closing(results):
        task = progress.add_task("", total=len(seeds), failed=0)
        try:
            for result in results:
                done += 1
                if not result.passed:
                    failures.append(result)
                progress.update(task, advance=1, failed=len(failures))
        except KeyboardInterrupt:
            pass  # what was found until now is told
    return done, failures
