"""`pairlab sweep`: a scenario with many seeds, on all processors; failures with the command that replays each."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devices.lab.sweep import SeedResult


def sweep(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO.toml", help="The scenario file.")],
    seeds: Annotated[
        str, typer.Option(metavar="0..999", help="A range with both ends, a seed, or several with commas.")
    ],
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="How many processes. (default: one a processor)")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document at the end.")] = False,
) -> None:
    """Run a scenario with many seeds. Failures are listed as they are; they are not shrunk yet."""
    from devices.cli import output
    from devices.errors import EmulatorError
    from devices.lab.result import replay_command
    from devices.lab.sweep import parse_seeds

    wanted = parse_seeds(seeds)
    done, failures = _sweep(scenario, wanted, workers, quiet=json)
    interrupted = done < len(wanted)
    if json:
        output.emit(
            {
                "scenario": str(scenario),
                "seeds": seeds,
                "passed": done - len(failures),
                "failed": len(failures),
                "interrupted": interrupted,
                "failures": [each.as_json(scenario) for each in failures],
            }
        )
    else:
        for each in failures:
            output.say(f"FAIL  seed {each.seed}  {_where(each)}{each.reason}")
            output.say(f"      again: {replay_command(scenario, each.seed)}")
        end = f"interrupted after {done} of {len(wanted)} seeds: " if interrupted else ""
        output.say(f"{scenario}: {end}{done - len(failures)} passed, {len(failures)} failed")
    if interrupted:
        raise KeyboardInterrupt
    if failures:
        raise typer.Exit(EmulatorError.exit_code)


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
