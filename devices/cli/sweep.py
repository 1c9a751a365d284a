"""`pairlab sweep`: a scenario with many seeds, on all processors; failures with the command that replays each.

The first of each kind of failure is shrunk to the fewest fault decisions that cause it, and written as a scenario.
"""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devices.lab.scenario import Scenario
    from devices.lab.shrink import Shrunk
    from devices.lab.sweep import SeedResult
    from devices.lab.sweep_state import Standing, StateFile

_MOST_SHRUNK = 5
"""How many failures of different kinds one sweep shrinks."""
_MOST_TRIED = 3
"""How many failures of one kind are tried, beside a client from outside."""


def sweep(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO.toml", help="The scenario file.")],
    seeds: Annotated[
        str, typer.Option(metavar="0..999", help="A range with both ends, a seed, or several with commas.")
    ],
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="How many processes. (default: one a processor)")
    ] = None,
    client: Annotated[
        str | None,
        typer.Option(metavar="COMMAND", help="Run this program beside each home, in place of the file's \\[client]."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a sweep of the same was interrupted.")] = False,
    shrink: Annotated[
        bool, typer.Option(help="Reduce the first failure of each kind to the smallest fault schedule.")
    ] = True,
    shrunk: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the scenarios of shrunk failures are written.")
    ] = Path("pairlab-failures"),
    json: Annotated[bool, typer.Option("--json", help="One JSON document at the end.")] = False,
) -> None:
    """Run a scenario with many seeds, and shrink what fails to the smallest fault schedule that replays it.

    Interrupted, it leaves a file beside the folder of --shrunk; the same command with --resume goes on from there.
    """
    from devices.cli import output
    from devices.cli.run import command_words
    from devices.errors import EmulatorError
    from devices.lab.scenario import read_scenario, with_client
    from devices.lab.sweep import parse_seeds

    wanted = parse_seeds(seeds)
    story = read_scenario(scenario)
    if client is not None:
        story = with_client(story, command_words(client))
    if story.spec.client is not None:
        _require_program(story.spec.client.command[0])
    course = _Course(story, wanted, shrunk.parent, resume=resume, json=json)
    standing = course.run(workers)
    interrupted = standing.done < len(wanted)
    reduced = _shrink(story, standing.failures, shrunk) if shrink and not interrupted else {}
    if not interrupted:
        course.end()
    passed, failed = standing.done - len(standing.failures), len(standing.failures)
    if json:
        counts = {"passed": passed, "failed": failed, "interrupted": interrupted}
        failures = [{**each.as_json(story), **_document(reduced.get(each.seed))} for each in standing.failures]
        output.emit({"scenario": str(scenario), "seeds": seeds, **counts, "failures": failures})
    else:
        _tell(story, standing.failures, reduced)
        end = f"interrupted after {standing.done} of {len(wanted)} seeds: " if interrupted else ""
        output.say(f"{scenario}: {end}{passed} passed, {failed} failed")
    if interrupted:
        raise KeyboardInterrupt
    if failed:
        raise typer.Exit(EmulatorError.exit_code)


class _Course:
    """A sweep from its first seed, or from where it was interrupted, to its last; and the file that knows."""

    def __init__(self, scenario: "Scenario", seeds: "Sequence[int]", folder: Path, *, resume: bool, json: bool) -> None:
        from devices.lab.sweep_state import Standing, read_standing, state_path

        self._scenario = scenario
        self._seeds = seeds
        self._json = json
        self._path = state_path(folder, scenario, seeds)
        self._file: StateFile | None = None
        found = read_standing(self._path, scenario, seeds) if resume else None
        self._standing: Standing = found or Standing()
        if resume:
            self._say(
                f"goes on after {self._standing.done} of {len(seeds)} seeds"
                if found
                else f"there is nothing to go on from ({self._path} is not there), so it begins"
            )

    def run(self, workers: int | None) -> "Standing":
        """Until the last seed, or a Ctrl-C; then it says how to go on."""
        from devices.errors import HostError
        from devices.lab.sweep_state import StateFile

        try:
            self._file = StateFile(self._path, self._scenario, self._seeds, self._standing)
        except HostError as problem:
            self._say(f"cannot go on if it is interrupted: {problem}")
        try:
            standing = _sweep(self._scenario, self._seeds, workers, self._standing, self._file, bar=not self._json)
        finally:
            if self._file is not None:
                self._file.close()
        if self._file is not None and standing.done < len(self._seeds):
            self._say(f"{self._path} knows where it ended: the same command with --resume goes on")
        return standing

    def end(self) -> None:
        """Nothing is left to go on from."""
        if self._file is not None:
            self._file.remove()

    def _say(self, text: str) -> None:
        import sys

        print(f"sweep: {text}", file=sys.stderr, flush=True)


def _tell(
    scenario: "Scenario",
    failures: "Sequence[SeedResult]",
    reduced: "Mapping[int, tuple[Shrunk | None, Path | None]]",
) -> None:
    from devices.cli import output
    from devices.lab.result import replay_command
    from devices.lab.shrink import signature

    seen: set[tuple[object, ...]] = set()
    for each in failures:
        output.say(f"FAIL  seed {each.seed}  {_where(each)}{each.reason}")
        if signature(each) not in seen:
            seen.add(signature(each))
            for line in each.nearest:
                output.say(f"      nearest: {line}")
        output.say(f"      again: {replay_command(scenario.path, each.seed, scenario.client)}")
        if each.seed in reduced:
            output.say(f"      {_shrunk_line(*reduced[each.seed])}")


def _require_program(program: str) -> None:
    """What cannot be started fails with every seed, and is the host's matter. Raises TransportUnavailableError."""
    import shutil

    from devices.errors import TransportUnavailableError

    if "${" not in program and shutil.which(program) is None:
        raise TransportUnavailableError(f"client: {program}: there is no such program, or it cannot be executed")


def _shrink(
    scenario: "Scenario", failures: "Sequence[SeedResult]", folder: Path
) -> "Mapping[int, tuple[Shrunk | None, Path | None]]":
    """By seed: what the first failure of each kind shrinks to, and the file that replays it."""
    from devices.cli.exec_ import serve, sigterm_as_interrupt
    from devices.lab.run import NEVER_FIRED
    from devices.lab.shrink import shrink, signature, write_shrunk

    kinds: dict[tuple[object, ...], list[SeedResult]] = {}
    for each in failures:
        if not (each.reason or "").startswith(NEVER_FIRED):  # there, what faults did is not the cause
            kinds.setdefault(signature(each), []).append(each)
    reduced: dict[int, tuple[Shrunk | None, Path | None]] = {}
    with sigterm_as_interrupt():
        for alike in [*kinds.values()][:_MOST_SHRUNK]:
            # In real time a failure may not come again; then another one of its kind may.
            for each in alike[: 1 if scenario.virtual else _MOST_TRIED]:
                found = shrink(scenario, each.seed, serve)
                written = write_shrunk(found, folder, scenario.path) if found is not None and found.hits else None
                if found is None or found.decisions or each.defect:
                    reduced[each.seed] = (found, written)
                if written is not None:
                    break
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


def _sweep(
    scenario: "Scenario",
    seeds: "Sequence[int]",
    workers: int | None,
    standing: "Standing",
    file: "StateFile | None",
    *,
    bar: bool,
) -> "Standing":
    """Where it stands at the end, or at a Ctrl-C. Meanwhile a bar on a terminal, elsewhere a line now and then."""
    import contextlib
    import sys

    from devices.cli.exec_ import serve, sigterm_as_interrupt
    from devices.cli.sweep_progress import SweepProgress
    from devices.lab.sweep import sweep as sweep_seeds
    from devices.lab.sweep_state import Standing

    done, failures = standing.done, [*standing.failures]
    if done == len(seeds):
        return standing
    results = sweep_seeds(scenario, seeds[done:], workers, serve)
    progress = SweepProgress(len(seeds), done, len(failures), bar=bar and sys.stderr.isatty())
    with sigterm_as_interrupt(), progress, contextlib.closing(results):
        try:
            for result in results:
                done += 1
                if not result.passed:
                    failures.append(result)
                if file is not None:
                    file.note(result)
                progress.step(passed=result.passed)
        except KeyboardInterrupt:
            pass  # what was found until now is told
    return Standing(done, tuple(failures))
