"""Every command under its name. Command modules import what is heavy only when they run, so that start-up is fast."""

from typing import Annotated

import typer

from devices.cli import (
    browse,
    clone,
    credentials,
    dataset,
    decode,
    exec_,
    explain,
    faults,
    phone,
    run,
    sweep,
    thread,
    transcript,
    up,
)

HOMES = "Homes"
TESTS = "Tests"
WIFI_AWARE = "Wi-Fi Aware"
THREAD = "Thread"
TOOLS = "Tools"

app = typer.Typer(
    name="pairlab",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        from devices.cli.output import say

        say(f"pairlab {version('pairlab')}")
        raise typer.Exit


@app.callback()
def pairlab(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Virtual accessories for pairing tests: Thread, Wi-Fi Aware and Bluetooth LE devices, and phones that meet them.

    Exit codes: 0 done, 1 the answer is no, 2 wrong usage or a bad file, 3 the host cannot.
    """


app.command("up", rich_help_panel=HOMES)(up.up)
app.command("exec", rich_help_panel=TESTS)(exec_.exec_)
app.command("run", rich_help_panel=TESTS)(run.run)
app.command("sweep", rich_help_panel=TESTS)(sweep.sweep)
app.add_typer(transcript.app, name="transcript", rich_help_panel=TESTS)
app.command("explain", rich_help_panel=TESTS)(explain.explain)
app.add_typer(phone.app, name="phone", rich_help_panel=WIFI_AWARE)
app.add_typer(dataset.app, name="dataset", rich_help_panel=THREAD)
app.add_typer(thread.app, name="thread", rich_help_panel=THREAD)
app.add_typer(credentials.app, name="credentials", rich_help_panel=THREAD)
app.command("browse", rich_help_panel=TOOLS)(browse.browse)
app.command("decode", rich_help_panel=TOOLS)(decode.decode)
app.add_typer(clone.app, name="clone", rich_help_panel=TOOLS)
app.command("faults", rich_help_panel=TOOLS)(faults.faults)
