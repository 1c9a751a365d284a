"""Draws what `pairlab up` shows of the demo home into specs/pictures/home.svg.

    python scripts/draw_home.py

The home runs in virtual time from a fixed seed, so the picture changes only when the product does; its addresses are
written as a real-time home on this machine has them.
"""

import io
import re
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from devices.cli.live_session import home_rows
from devices.cli.places import demo_home
from devices.cli.table import Heading, Row, event_line, home_table
from devices.home import HomeOptions, LiveHome
from devices.sim.loop import VirtualTimeLoop
from devices.spec import load_home
from pairing.engine import SECOND

SEED = 7
PICTURE = Path(__file__).resolve().parent.parent / "specs" / "pictures" / "home.svg"
WIDTH = 114
REST = "rest http://127.0.0.1:8081"


async def show(console: Console) -> None:
    """Run the home until its border router leads and shares a code; print what has happened, and the table."""
    home = LiveHome(load_home(demo_home()), HomeOptions(virtual=True, seed=SEED))
    await home.start()
    await home.clock.sleep(8 * SECOND)
    await home.do("br", "share-code", {"lifetime": "10m"})
    await home.clock.sleep(SECOND)
    for event in home.log.since():
        console.print(event_line(event.as_json()), soft_wrap=True)
    heading = Heading(home.spec.name, SEED, "all", "http://127.0.0.1:8700")
    console.print(home_table(heading, [in_real_time(row) for row in home_rows(home)]))
    await home.stop()


def in_real_time(row: Row) -> Row:
    """The row with the addresses of a real-time home in place of those of the simulated network."""
    where = [re.sub(r"192\.0\.2\.\d+", "127.0.0.1", place) for place in row.where]
    return replace(row, where=[REST, *where] if row.kind == "thread-border-router" else where)


def draw() -> str:
    """The picture as SVG."""
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor", highlight=False
    )
    console.print(Text(f"$ pairlab up --seed {SEED}", style="bold"))
    loop = VirtualTimeLoop()
    try:
        loop.run_until_complete(show(console))
    finally:
        loop.close()
    picture = console.export_svg(title="pairlab up", unique_id="home")
    # Fonts are the reader's own: a picture that loads one would ask a stranger's server.
    return re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)


if __name__ == "__main__":
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(draw(), encoding="utf-8")
