"""`pairlab transcript replay`: a recorded program's requests at another home, and a line for each."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from devices.cli import output
from devices.errors import TranscriptError
from devices.home import HomeOptions, LiveHome
from devices.lab.replay import Exchange, Request, replay, requests_of
from devices.spec import HomeSpec, load_home
from devices.transcripts.reader import Header
from devices.transcripts.show import read_file
from devices.transports.reach import choose_reach

_LONGEST = 60


def replay_file(file: Path, home: Path, seed: int | None, *, at_once: bool, json: bool) -> bool:
    """Bring the home up, say everything, and tell; whether all answers were the recorded ones."""
    spec = load_home(home)
    source = home.read_bytes()
    records = list(read_file(file))
    try:
        requests, strangers = requests_of(records)
    except TranscriptError as problem:
        raise TranscriptError(f"{file}: {problem}") from None
    header = next(each for each in records if isinstance(each, Header))
    options = HomeOptions(
        seed=header.seed if seed is None else seed,
        reach=choose_reach(None, spec.reach, "loopback"),
        free_ports=True,
        source=source,
    )
    total, same = asyncio.run(_play(spec, options, requests, at_once=at_once, json=json))
    if not json:
        output.say(f"{total} requests, {same} answered as recorded, {total - same} otherwise")
    if strangers:
        print(f"left out: {strangers} connections that speak no HTTP", file=sys.stderr)
    return same == total


async def _play(
    spec: HomeSpec, options: HomeOptions, requests: Sequence[Request], *, at_once: bool, json: bool
) -> tuple[int, int]:
    """How many requests were made, and how many of them were answered as recorded."""
    live = LiveHome(spec, options)
    same = total = 0
    try:
        await live.start()
        async for exchange in replay(live, requests, at_once=at_once):
            total += 1
            same += not exchange.differences
            if json:
                output.emit(exchange.as_json())
            else:
                for line in _lines(exchange):
                    output.say(line)
    finally:
        await live.stop()
    return total, same


def _lines(exchange: Exchange) -> list[str]:
    request, differences = exchange.request, exchange.differences
    before, now = ("no answer" if each is None else str(each.status) for each in (request.answer, exchange.answer))
    told = f"{before}, as recorded" if not differences else f"{before} -> {now}" if before != now else f"{now}, but"
    at = f"{request.at_us / 1_000_000:10.3f} s"
    head = f"{at}  {request.actor}  {request.method} {request.path}  {told}"
    return [
        head,
        *(
            f"      {place}: {_short(was)} -> {_short(came)}"
            for place, (was, came) in differences.items()
            if place != "status"
        ),
    ]


def _short(value: object) -> str:
    text = "not there" if value is None else ascii(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
