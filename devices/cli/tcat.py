"""`pairlab thread tcat`: commission a Thread device over Bluetooth LE, or a simulated one over UDP.

Each command is one connection. Exit code 1 is a refusal, whose verdict is printed.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from devices.cli import output
from devices.errors import UsageError

if TYPE_CHECKING:
    from devices.controllers.tcat_dialogue import TcatDialogue
    from pairing.engine import Endpoint, Event

app = typer.Typer(help="Commission a Thread device over Bluetooth LE (TCAT).", no_args_is_help=True)

_PATIENCE_US = 10_000_000
AddressOption = Annotated[str, typer.Option(metavar="HOST:PORT", help="A simulated device, over UDP.")]
BleOption = Annotated[str, typer.Option(metavar="ADDRESS", help="A device, over Bluetooth LE.")]
IdentitiesOption = Annotated[
    str | None,
    typer.Option(metavar="DIR", help="Folder of PEM files. (default: pairlab's own, made at first use)"),
]
PskdOption = Annotated[str, typer.Option(metavar="PSKD", help="Prove first to know what is on the device's label.")]
PskcOption = Annotated[str, typer.Option(metavar="HEX", help="Prove first to know the network's PSKc.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document.")]
Work = Callable[["TcatDialogue"], Awaitable[Sequence["Event"]]]


@app.command()
def commission(
    dataset: Annotated[str, typer.Argument(metavar="HEX", help="The Active Dataset.")],
    address: AddressOption = "",
    ble: BleOption = "",
    pskd: PskdOption = "",
    start: Annotated[bool, typer.Option(help="Start Thread as well.")] = True,
    identities: IdentitiesOption = None,
    json: JsonOption = False,
) -> None:
    """Give a device the network's dataset."""
    tlvs = _octets(dataset)

    async def work(dialogue: "TcatDialogue") -> "Sequence[Event]":
        proved = await _proved(dialogue, "pskd", pskd.encode())
        return [*proved, *await dialogue.ask(lambda engine, now: engine.commission(tlvs, now, start=start))]

    _run(address, ble, identities, work, json=json)


@app.command()
def decommission(
    address: AddressOption = "",
    ble: BleOption = "",
    pskc: PskcOption = "",
    identities: IdentitiesOption = None,
    json: JsonOption = False,
) -> None:
    """Have a device forget its network."""
    key = _octets(pskc)

    async def work(dialogue: "TcatDialogue") -> "Sequence[Event]":
        from pairing.thread.tcat.tlvs import TcatType

        proved = await _proved(dialogue, "pskc", key)
        return [*proved, *await dialogue.ask(lambda engine, now: engine.command(TcatType.DECOMMISSION, now))]

    _run(address, ble, identities, work, json=json)


@app.command()
def prove(
    pskd: Annotated[str, typer.Argument(metavar="PSKD", help="What is on the device's label.")],
    address: AddressOption = "",
    ble: BleOption = "",
    identities: IdentitiesOption = None,
    json: JsonOption = False,
) -> None:
    """Prove to know the PSKd, and have the device prove it as well."""

    async def work(dialogue: "TcatDialogue") -> "Sequence[Event]":
        proved = await _proved(dialogue, "pskd", pskd.encode())
        return [*proved, *await dialogue.ask(lambda engine, now: engine.check_pskd(pskd, now))]

    _run(address, ble, identities, work, json=json)


@app.command()
def command(
    name: Annotated[str, typer.Argument(metavar="COMMAND", help="get-network-name, get-diagnostics, thread-stop, …")],
    value: Annotated[str, typer.Argument(metavar="[HEX]", help="Its value.")] = "",
    address: AddressOption = "",
    ble: BleOption = "",
    identities: IdentitiesOption = None,
    json: JsonOption = False,
) -> None:
    """Give one command."""
    from devices.spec import closest
    from pairing.thread.tcat.tlvs import TcatType, tcat_type_name

    known = {tcat_type_name(each): each for each in TcatType}
    if name not in known:
        raise UsageError(f"there is no command {name!r}{closest(name, known)}")
    octets = _octets(value)

    async def work(dialogue: "TcatDialogue") -> "Sequence[Event]":
        return await dialogue.ask(lambda engine, now: engine.command(known[name], now, octets))

    _run(address, ble, identities, work, json=json)


async def _proved(dialogue: "TcatDialogue", kind: str, key: bytes) -> "Sequence[Event]":
    from devices.controllers.tcat_dialogue import judged

    news = await dialogue.ask(lambda engine, now: engine.prove(kind, key, now)) if key else ()
    judged(news)
    return news


def _run(address: str, ble: str, identities: str | None, work: Work, *, json: bool) -> None:
    import asyncio

    from devices.controllers.commissioner_results import RefusedError, done, refused
    from devices.controllers.tcat_dialogue import judged
    from devices.controllers.tcat_outside import reached

    where = _where(address, ble)

    async def talk() -> list[dict[str, Any]]:
        async with reached(where, identities, _PATIENCE_US) as dialogue:
            return judged(await work(dialogue))

    try:
        answers = asyncio.run(talk())
    except RefusedError as problem:
        document = refused(problem.refusal)
        if json:
            output.emit(document)
        else:
            output.rows([(name, str(text)) for name, text in document["verdict"].items() if text])
        raise typer.Exit(1) from None
    if json:
        output.emit(done({"answers": answers}))
        return
    output.rows([(str(each["command"]), str(each.get("status") or each.get("payload"))) for each in answers])


def _where(address: str, ble: str) -> "Endpoint | str":
    from pairing.engine import Endpoint

    if bool(address) is bool(ble):
        raise UsageError("which device? --ble ADDRESS, or --address HOST:PORT of a simulated one")
    if ble:
        return ble
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 0xFFFF:
        raise UsageError(f"--address is HOST:PORT, not {address!r}")
    return Endpoint(host.strip("[]"), int(port))


def _octets(text: str) -> bytes:
    from pairing.errors import DecodeError
    from pairing.thread.dataset import bytes_from_hex

    try:
        return bytes_from_hex(text)
    except DecodeError as problem:
        raise UsageError(problem.reason) from None
