"""`pairlab exec`: a home on free ports, and a program beside it that finds the home by its environment."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from devices.cli.up import MAX_SEED

if TYPE_CHECKING:
    from types import FrameType

    from devices.home import LiveHome


class GateScope(Enum):
    """Whom `--local-network` is about."""

    ALL = "all"
    PREFIX = "prefix"


class BleDoor(Enum):
    """Doors to a home's Bluetooth."""

    NONE = "none"
    BLEAK = "bleak"
    DBUS = "dbus"


@asynccontextmanager
async def serve(live: "LiveHome") -> AsyncIterator[str]:
    """The control API of a home on a free port of loopback, while the block runs."""
    from devices.control.server import serve_control

    async with serve_control(live, port=0, explicit=True) as url:
        yield url


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """A SIGTERM ends the block as a Ctrl-C does: what it started is taken down first."""
    import signal

    def interrupt(_number: int, frame: "FrameType | None") -> None:
        # In a running loop a Ctrl-C cancels the main task; an exception out of nowhere could cost it a callback.
        on_interrupt = signal.getsignal(signal.SIGINT)
        if not callable(on_interrupt):  # it is ignored, as in the background of a shell
            raise KeyboardInterrupt
        on_interrupt(signal.SIGINT, frame)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def exec_(
    home: Annotated[Path, typer.Argument(metavar="HOME.toml", help="The home file.")],
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="After --: the program to run beside it.")],
    seed: Annotated[
        int | None, typer.Option(min=0, max=MAX_SEED, help="Draw identities and keys from this seed.")
    ] = None,
    ble: Annotated[
        BleDoor,
        typer.Option(
            help="How COMMAND reaches the home's Bluetooth: dbus = BlueZ (Linux), bleak = bleak on any system."
        ),
    ] = BleDoor.NONE,
    adapters: Annotated[
        int, typer.Option(min=1, max=16, help="How many adapters --ble dbus has: hci0, hci1 and so on.")
    ] = 1,
    local_network: Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            help="Put COMMAND where it can be kept from the local network (Linux): granted, denied (no route to host)"
            " or refused (connection refused); denied:5s = granted after 5 s.",
        ),
    ] = None,
    gate: Annotated[
        GateScope,
        typer.Option(help="Whom that is about: all = COMMAND, prefix = what it starts with $PAIRLAB_GATE in front."),
    ] = GateScope.ALL,
    artifacts: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write transcript, capture and ladder into this folder.")
    ] = None,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Put keys and codes into the transcript, so that `explain` shows them.")
    ] = False,
    reach: Annotated[
        str | None,
        typer.Option(help="loopback, all, or interface names. (default: PAIRLAB_REACH, the file's, loopback)"),
    ] = None,
) -> None:
    """Run a program or test suite beside a home, and end with its exit code.

    It finds PAIRLAB_URL (control API), PAIRLAB_SEED and PAIRLAB_HOME (a JSON file: ids, endpoints, codes) in its
    environment. 125: the home did not come up. 126, 127: the program could not be started. 128 + n: signal n ended it.
    """
    import asyncio

    from devices.errors import EmulatorError
    from devices.lab.behind_doors import LocalNetworkOption
    from devices.lab.exec import ExecPlan, HomeFailedError, exec_beside
    from devices.sim.chance import Chance
    from devices.spec import load_home
    from devices.transports.reach import choose_reach

    try:
        _require(artifacts is not None or not secrets, "--secrets is about the transcript: add --artifacts DIR")
        _require(adapters == 1 or ble is BleDoor.DBUS, "--adapters is about the emulated BlueZ: add --ble dbus")
        _require(
            gate is GateScope.ALL or local_network is not None,
            "--gate is about the local network: add --local-network granted, denied or refused",
        )
        option = None if local_network is None else LocalNetworkOption.parse(local_network)
        spec = load_home(home)
        source = home.read_bytes()
        in_force = choose_reach(reach, spec.reach, "loopback")
    except EmulatorError as problem:
        # Any other code could be taken for the program's own.
        raise HomeFailedError(str(problem)) from None
    given = seed if seed is not None else spec.seed
    chosen = Chance.drawn().seed if given is None else given
    plan = ExecPlan(
        spec=spec,
        source=source,
        seed=chosen,
        reach=in_force,
        command=command,
        ble=ble.value,
        local_network=option,
        gate=gate.value,
        adapters=adapters,
        replay=_replay(home, chosen, [*_door_words(ble, adapters), *_gate_words(local_network, gate)], command),
        artifacts=artifacts,
        secrets=secrets,
    )
    raise typer.Exit(asyncio.run(exec_beside(plan, serve)))


def _require(is_met: bool, otherwise: str) -> None:
    from devices.errors import UsageError

    if not is_met:
        raise UsageError(otherwise)


def _door_words(ble: BleDoor, adapters: int) -> list[str]:
    door = [] if ble is BleDoor.NONE else ["--ble", ble.value]
    return [*door, *([] if adapters == 1 else ["--adapters", str(adapters)])]


def _gate_words(local_network: str | None, gate: GateScope) -> list[str]:
    if local_network is None:
        return []
    return ["--local-network", local_network, *(["--gate", gate.value] if gate is GateScope.PREFIX else [])]


def _replay(home: Path, seed: int, options: list[str], command: list[str]) -> str:
    """The command line that does it again."""
    import shlex

    return shlex.join(["pairlab", "exec", str(home), "--seed", str(seed), *options, "--", *command])
