"""`pairlab transcript`: read and convert what `--transcript` and `--artifacts` have written."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from devices.cli import output
from devices.cli.up import MAX_SEED
from devices.errors import EmulatorError, UsageError

app = typer.Typer(help="Show, compare and convert transcripts.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A transcript (.cbor).")]
_Sink = Callable[[bytes], object]


@app.command()
def show(
    file: FileArgument,
    hci: Annotated[
        bool, typer.Option("--hci", help="With what each Bluetooth host and its own controller say to each other.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON lines: the header, then one record a line.")] = False,
) -> None:
    """Print a transcript as a ladder: who sent what to whom when, and what happened.

    Of a damaged file everything before the damage is printed, then one error that says where it is.
    """
    from devices.transcripts.show import ladder_of_file, read_file, record_document

    if json:
        for record in read_file(file):
            if not output.emit(record_document(record)):
                return
    else:
        for line in ladder_of_file(file, hci=hci):
            if not output.say(line):
                return


@app.command()
def diff(
    one: Annotated[Path, typer.Argument(metavar="A", help="A transcript (.cbor).")],
    other: Annotated[Path, typer.Argument(metavar="B", help="Another.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Say where two transcripts first differ, and in what; exit 0 where they do not, 1 where they do."""
    from devices.transcripts.diff import divergence_lines, first_divergence
    from devices.transcripts.show import read_file

    found = first_divergence(read_file(one), read_file(other))
    if json:
        output.emit({"same": found is None, **({} if found is None else found.as_json())})
    elif found is None:
        output.say("the same")
    else:
        for line in divergence_lines(found):
            output.say(line)
    if found is not None:
        raise typer.Exit(EmulatorError.exit_code)


@app.command()
def replay(
    file: FileArgument,
    home: Annotated[
        Path, typer.Argument(metavar="HOME.toml", help="The home to say it to: the recorded one, changed.")
    ],
    seed: Annotated[int | None, typer.Option(min=0, max=MAX_SEED, help="Instead of the recorded seed.")] = None,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Each request as soon as the one before is answered, not at its time.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document a request, one a line.")] = False,
) -> None:
    """Say a recorded program's HTTP requests again, to another home; exit 1 where it answers otherwise.

    Record with `--transcript DIR --secrets` (`up`, `run`) or `--artifacts DIR --secrets` (`exec`): what programs say
    may hold keys. What went over TLS or DTLS cannot be said again.
    """
    from devices.cli.exec_ import sigterm_as_interrupt
    from devices.cli.replay import replay_file

    with sigterm_as_interrupt():
        same = replay_file(file, home, seed, at_once=at_once, json=json)
    if not same:
        raise typer.Exit(EmulatorError.exit_code)


@app.command()
def export(
    file: FileArgument,
    pcapng: Annotated[Path | None, typer.Option(metavar="OUT", help="A capture for Wireshark; - is stdout.")] = None,
    jsonl: Annotated[Path | None, typer.Option(metavar="OUT", help="JSON lines; - is stdout.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="OUT", help="One page with a drawing; - is stdout.")] = None,
    btsnoop: Annotated[Path | None, typer.Option(metavar="OUT", help="HCI of one Bluetooth host; - is stdout.")] = None,
    actor: Annotated[str | None, typer.Option(help="Whose HCI --btsnoop writes, where there are several.")] = None,
    secrets: Annotated[bool, typer.Option("--secrets", help="Keys and codes, too, in the page of --html.")] = False,
) -> None:
    """Convert a transcript. Of a damaged file everything before the damage is converted, then the error is told."""
    from devices.transcripts.btsnoop import to_btsnoop
    from devices.transcripts.export import to_json_lines, to_pcapng
    from devices.transcripts.html import to_html
    from devices.transcripts.show import read_file

    if sum(each is not None for each in (pcapng, jsonl, html, btsnoop)) != 1:
        raise UsageError("export writes one thing: --pcapng OUT, --jsonl OUT, --html OUT or --btsnoop OUT")
    if secrets and html is None:
        raise UsageError("--secrets goes with --html; the other exports hold what the transcript does")
    if actor is not None and btsnoop is None:
        raise UsageError("--actor goes with --btsnoop")
    records = read_file(file)
    if pcapng is not None:
        _write(file, pcapng, lambda sink: to_pcapng(records, sink))
    if jsonl is not None:
        _write(file, jsonl, lambda sink: to_json_lines(records, sink))
    if html is not None:
        _write(file, html, lambda sink: to_html(records, sink, title=file.stem, secrets=secrets))
    if btsnoop is not None:
        _write(file, btsnoop, lambda sink: to_btsnoop(records, sink, actor))


def _write(source: Path, out: Path, convert: Callable[[_Sink], int]) -> None:
    if str(out) == "-":
        try:
            convert(sys.stdout.buffer.write)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            output.send_nowhere(sys.stdout)
        return
    if out.exists() and out.samefile(source):
        raise UsageError(f"{out}: is the transcript itself; choose another name")
    out.touch(mode=source.stat().st_mode & 0o666 | 0o600)  # what holds keys is converted for the same eyes
    with out.open("wb") as sink:
        convert(sink.write)
