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
        int | None, typer.Option(min=1, max=256, help="How many processes. [default: one a processor]")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document at the end.")] = False,
) -> None:
    """Run a scenario with many seeds. Failures are listed as they are; they are not shrunk yet."""
    from devices.cli import output
    from devices.errors import EmulatorError
    from devices.lab.result import replay_command
    from devices.lab.sweep import parse_seeds

    wanted = parse_seeds(seeds)
    failures = _sweep(scenario, wanted, workers, quiet=json)
    passed = len(wanted) - len(failures)
    if json:
        output.emit(
            {
                "scenario": str(scenario),
                "seeds": seeds,
                "passed": passed,
                "failed": len(failures),
                "failures": [each.as_json(scenario) for each in failures],
            }
        )
    else:
        for each in failures:
            output.say(f"FAIL  seed {each.seed}  {_where(each)}{each.reason}")
            output.say(f"      again: {replay_command(scenario, each.seed)}")
        output.say(f"{scenario}: {passed} of {len(wanted)} seeds passed, {len(failures)} failed")
    if failures:
        raise typer.Exit(EmulatorError.exit_code)


def _where(result: "SeedResult") -> str:
    if result.defect:
        return "a defect of pairlab: "
    return "" if result.step is None else f"step {result.step}: "


def _sweep(path: Path, seeds: "Sequence[int]", workers: int | None, *, quiet: bool) -> "list[SeedResult]":
    """The failures in the order of the seeds, with a bar on a terminal meanwhile."""
    import contextlib
    import sys

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from devices.cli import output
    from devices.cli.exec_ import serve
    from devices.lab.sweep import sweep as sweep_seeds

    failures: list[SeedResult] = []
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed"),
        TimeRemainingColumn(compact=True),
    )
    console = output.console(sys.stderr)
    show = sys.stderr.isatty() and not quiet
    with Progress(*columns, console=console, transient=True, disable=not show) as progress:
        task = progress.add_task("", total=len(seeds), failed=0)
        with contextlib.closing(sweep_seeds(path, seeds, workers, serve)) as results:
            for result in results:
                if not result.passed:
                    failures.append(result)
                progress.update(task, advance=1, failed=len(failures))
    return failures
