"""`pairlab explain`: why a MIC, tag, proof or verdict in a transcript failed, with the known mistake that fits."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from devices.cli import output
from devices.errors import EmulatorError, UsageError

if TYPE_CHECKING:
    from devices.explain.finding import Finding
    from devices.explain.story import Story


def explain(
    transcript: Annotated[Path, typer.Argument(metavar="TRANSCRIPT", help="A transcript (.cbor).")],
    event: Annotated[int | None, typer.Argument(metavar="EVENT", help="The number of one event.")] = None,
    password: Annotated[
        str, typer.Option(metavar="CODE", help="The right code, to tell mistakes that only it can tell.")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Say of each failure what failed, what was expected, what came, and which known mistake gives exactly that.

    Intermediate values are shown where the transcript holds them: record with --secrets. Exit 0: every failure is
    explained; 1: some are not.
    """
    from devices.explain.finding import explain_all
    from devices.explain.text import lines, verdict

    story = _story(transcript, password)
    findings = explain_all(story) if event is None else _of_event(story, event)
    told = [each for each in findings if each.is_failure or event is not None]
    unexplained = sum(each.is_failure and not each.is_explained for each in findings)
    if json:
        output.emit(
            {
                "file": str(transcript),
                "failures": sum(each.is_failure for each in findings),
                "unexplained": unexplained,
                "findings": [each.as_json() for each in told],
            }
        )
    else:
        for each in told:
            for line in lines(each):
                output.say(line)
            output.say()
        output.say(verdict(findings))
    if unexplained:
        raise typer.Exit(EmulatorError.exit_code)


def _story(path: Path, password: str) -> "Story":
    from devices.explain.story import Story
    from devices.transcripts.show import read_file

    return Story(read_file(path), password)


def _of_event(story: "Story", event_id: int) -> "list[Finding]":
    from devices.explain.finding import explain as explain_one

    event = story.event(event_id)
    if event is None:
        numbers = f"1 to {story.events[-1]['id']}" if story.events else "none"
        raise UsageError(f"the transcript has no event {event_id}; it has {numbers}")
    found = explain_one(story, event)
    if found is None:
        output.warn(f"event {event_id} is {event['type']} of {event['actor']}: no failure")
    return [] if found is None else [found]
