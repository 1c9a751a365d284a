"""`pairlab clone`: a home file with an accessory like a real one, read over REST, Bluetooth, or from Bonjour."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from devices.cli import output
from devices.cli.search import search

if TYPE_CHECKING:
    from devices.clone.portrait import Portrait

app = typer.Typer(help="Make a home file from a real device.", no_args_is_help=True)

FileOption = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="HOME.toml", help="Write this file. (default: stdout)")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")]
SecretsOption = Annotated[
    bool, typer.Option("--secrets", help="Keep network key and PSKc; the home is then bound to loopback.")
]
ReachOption = Annotated[
    str | None,
    typer.Option(help="Where to look on Bonjour: loopback, all, or interface names. (default: PAIRLAB_REACH, all)"),
]
SecondsOption = Annotated[float, typer.Option(min=0.1, max=60, help="How long to look on Bonjour.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document: the tables of the home file.")]


@app.command()
def otbr(
    url: Annotated[str, typer.Argument(metavar="URL", help="Its REST API, such as http://192.0.2.1:8081.")],
    file: FileOption = None,
    force: ForceOption = False,
    secrets: SecretsOption = False,
    reach: ReachOption = None,
    seconds: SecondsOption = 3.0,
    json: JsonOption = False,
) -> None:
    """Clone a border router from its REST API, and from its Bonjour record if that is in view."""
    from devices.clone.bonjour import completed
    from devices.clone.otbr import read_otbr
    from pairing.thread.meshcop_txt import SERVICE_TYPE

    portrait = completed(asyncio.run(read_otbr(url)), search([SERVICE_TYPE], reach, seconds))
    if portrait.txt is None:
        output.warn("its Bonjour record is not in view, so vendor, model and the like are pairlab's own")
    _write(portrait, url, file, force=force, secrets=secrets, json=json)


@app.command()
def bonjour(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Instance name, network name or `xa`.")],
    file: FileOption = None,
    force: ForceOption = False,
    secrets: SecretsOption = False,
    reach: ReachOption = None,
    seconds: SecondsOption = 3.0,
    json: JsonOption = False,
) -> None:
    """Clone a border router from what it shows on Bonjour; its keys are not there, so they are drawn."""
    from devices.clone.bonjour import portrait_of
    from pairing.thread.meshcop_txt import SERVICE_TYPE

    portrait = portrait_of(name, search([SERVICE_TYPE], reach, seconds))
    if secrets:
        output.warn("Bonjour carries no keys, so --secrets changes nothing here; `pairlab clone otbr` reads them")
    _write(portrait, name, file, force=force, secrets=secrets, json=json)


@app.command()
def ble(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Its address, or the name that it advertises.")],
    file: FileOption = None,
    force: ForceOption = False,
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="How long to look for it.")] = 5.0,
    json: JsonOption = False,
) -> None:
    """Clone a Bluetooth LE peripheral: what it advertises, and its GATT table with the values that can be read."""
    from devices.clone.ble import read_ble

    _write_tables(asyncio.run(read_ble(address, seconds)), address, file, force=force, json=json)


def _write(portrait: "Portrait", source: str, file: Path | None, *, force: bool, secrets: bool, json: bool) -> None:
    import os

    from devices.clone.portrait import home_of

    home = home_of(portrait, secrets=secrets, entropy=os.urandom)
    _write_tables(home, source, file, force=force, json=json)


def _write_tables(home: dict[str, Any], source: str, file: Path | None, *, force: bool, json: bool) -> None:
    from devices.clone.home_file import home_text, write_home

    text = home_text(home, source)
    if file is not None:
        write_home(text, file, force=force)
    if json:
        output.emit(home)
    elif file is None:
        output.write(text)
    else:
        output.say(f"wrote {file}; bring it up with: pairlab up {file}")
