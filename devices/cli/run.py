"""`pairlab run`: scenarios, one after the other; what failed is shown with its steps and a ladder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from devices.cli.up import MAX_SEED

if TYPE_CHECKING:
    from devices.lab.result import ScenarioResult
    from devices.lab.scenario import Scenario


def run(
    scenarios: Annotated[list[Path], typer.Argument(metavar="SCENARIO.toml", help="Scenario files.")],
    seed: Annotated[
        int | None, typer.Option(min=0, max=MAX_SEED, help="Draw everything from this seed, not from the file's.")
    ] = None,
    client: Annotated[
        str | None,
        typer.Option(metavar="COMMAND", help="Run this program beside each home, in place of the file's \\[client]."),
    ] = None,
    transcript: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the transcript of each run into this folder.")
    ] = None,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Put keys and codes into the transcript, so that `explain` shows them.")
    ] = False,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a JUnit XML file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document a scenario, one a line.")] = False,
) -> None:
    """Run scenarios: in virtual time, or in real time where they start a client."""
    from devices.cli.starting import starting

    with starting():
        from devices.cli import output
        from devices.errors import EmulatorError, UsageError
        from devices.lab import report
        from devices.lab.scenario import read_scenario, with_client

        if secrets and transcript is None:
            raise UsageError("--secrets is about the transcript: add --transcript DIR")
        # All files are read first: a typing mistake in the last one is not found after minutes.
        checked = [read_scenario(path) for path in scenarios]
    if client is not None:
        command = command_words(client)
        checked = [with_client(each, command) for each in checked]
    results: list[ScenarioResult] = []
    try:
        for scenario in checked:
            result = _run_one(scenario, seed, secrets=secrets)
            results.append(result)
            if transcript is not None:
                _save(result, transcript, is_private=secrets)
            if json:
                output.emit(result.as_json())
            else:
                for line in report.result_lines(result):
                    output.say(line)
    finally:
        # Where the host cannot go on, what was found so far is kept.
        if junit is not None:
            _write(junit, report.junit(results))
    if not json and len(results) > 1:
        output.say(report.summary_line(results))
    if not all(each.passed for each in results):
        raise typer.Exit(EmulatorError.exit_code)


def command_words(text: str) -> list[str]:
    """A command line in its words, as a shell takes it apart. Raises UsageError."""
    import shlex

    from devices.errors import UsageError

    try:
        return shlex.split(text)
    except ValueError as problem:
        raise UsageError(f"--client {text!r}: {problem}") from None


def _run_one(scenario: "Scenario", seed: int | None, *, secrets: bool) -> "ScenarioResult":
    from devices.cli.exec_ import serve, sigterm_as_interrupt
    from devices.lab.run import run_scenario

    with sigterm_as_interrupt():
        return run_scenario(scenario, seed, serve, secrets=secrets)


def _save(result: "ScenarioResult", folder: Path, *, is_private: bool) -> None:
    from devices.cli.recording import PRIVATE, free_path
    from devices.spec import slug

    path = free_path(folder, f"{slug(result.path.stem)}-seed-{result.seed}", ".cbor")
    if is_private:
        path.touch(mode=PRIVATE)
    path.write_bytes(result.transcript)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
