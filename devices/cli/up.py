"""`pairlab up`: a home in real time, until Ctrl-C, SIGTERM or the end of `--duration`.

Order matters: the accessories come up first and the control API after them, since importing its framework would delay
the first answers on Bonjour. Then comes the ready line, then every event as it happens.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from devices.cli.places import demo_home, demo_state
from devices.errors import HostError, UsageError

if TYPE_CHECKING:
    from devices.spec import HomeSpec

MAX_SEED = 2**63 - 1


def up(
    home: Annotated[
        Path | None, typer.Argument(metavar="HOME.toml", help="The home file; by default the demo home.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=MAX_SEED, help="Draw identities and keys from this seed.")
    ] = None,
    api_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port of the control API; 0 = any. (default: 8700, or the next free one)"),
    ] = None,
    reach: Annotated[
        str | None,
        typer.Option(help="loopback, all, or interface names. (default: PAIRLAB_REACH, the home file's, all)"),
    ] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Remember the home in this folder between runs.")
    ] = None,
    transcript: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a transcript into this folder.")] = None,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Keys and codes in the transcript, keys of DTLS in the capture.")
    ] = False,
    pcap: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="Write a pcapng capture; - is stdout, for a live Wireshark.")
    ] = None,
    duration: Annotated[
        str | None, typer.Option(metavar="S", help="End this long after the home is ready: seconds, or 2m.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON lines: ready, then one event a line.")] = False,
) -> None:
    """Bring a home up in real time. Ctrl-C says goodbye and leaves nothing behind."""
    import asyncio

    from devices.cli.live_session import LiveSession, Plan
    from devices.sim.chance import Chance
    from devices.transports.reach import choose_reach

    if json and pcap == "-":
        raise UsageError("--json and --pcap - both want stdout; write the capture to a file")
    if secrets and transcript is None and pcap is None:
        raise UsageError("--secrets is about the transcript and the capture: add --transcript DIR or --pcap FILE")
    spec, source = _read(home)
    chosen_seed = seed if seed is not None else spec.seed
    plan = Plan(
        spec=spec,
        source=source,
        seed=Chance.drawn().seed if chosen_seed is None else chosen_seed,
        reach=choose_reach(reach, spec.reach, "all"),
        state=_state_folder(home, spec, state, chosen_seed),
        api_port=api_port,
        transcript=transcript,
        secrets=secrets,
        pcap=pcap,
        duration_us=_duration_us(duration),
        json=json,
    )
    if not asyncio.run(LiveSession(plan).run()):
        raise typer.Exit(HostError.exit_code)


def _read(path: Path | None) -> "tuple[HomeSpec, bytes]":
    """The home and the bytes of its file, the demo home's without a path."""
    from devices.spec import load_home

    path = demo_home() if path is None else path
    spec = load_home(path)
    return spec, path.read_bytes()


def _state_folder(home: Path | None, spec: "HomeSpec", option: Path | None, seed: int | None) -> Path | None:
    """Where the home is remembered, if at all: as asked for, as the file says, or the demo home in the user's folder.

    A seed says what to draw, so a demo home with one starts afresh.
    """
    if option is not None:
        return option
    if spec.state is not None:
        return (home or demo_home()).parent / spec.state
    if home is None and seed is None:
        return demo_state()
    return None


def _duration_us(text: str | None) -> int | None:
    from devices.spec import duration_us

    if text is None:
        return None
    try:
        return duration_us(f"{text}s" if text.replace(".", "", 1).isdigit() else text)
    except ValueError as problem:
        raise UsageError(f"--duration: {problem}; a plain number means seconds") from None
