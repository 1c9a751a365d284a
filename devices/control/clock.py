"""Routes: the home's clock."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends

from devices.control.bodies import AdvanceBody, described, reads
from devices.control.desk import Desk
from devices.control.documents import TimeDocument
from devices.home import LiveHome
from devices.spec import duration_us
from pairing.engine import SECOND, Micros

SLICE: Micros = 60 * SECOND
"""So much is skipped at once: between slices answers leave and sockets are served."""


def clock_routes(desk: Desk) -> APIRouter:
    """Read and advance."""
    router = APIRouter(prefix="/v1/time", tags=["time"])
    live = desk.live

    @router.get("")
    async def read_time() -> TimeDocument:
        """The home's time."""
        return TimeDocument(now_us=live.clock.now(), virtual=live.clock.virtual)

    @router.post("/advance", openapi_extra=described(AdvanceBody))
    async def advance_time(body: Annotated[AdvanceBody, Depends(reads(AdvanceBody))]) -> TimeDocument:
        """Let the home's timers that are due within `duration` fire now; real sockets stay in real time."""
        await advance(live, duration_us(body.duration))
        return TimeDocument(now_us=live.clock.now(), virtual=live.clock.virtual)

    return router


async def advance(live: LiveHome, delta: Micros) -> None:
    """Move the clock; in virtual time the home lives through it."""
    if live.clock.virtual:
        await live.clock.sleep(delta)
        return
    while delta > 0:
        step = min(SLICE, delta)
        live.clock.advance(step)
        delta -= step
        await asyncio.sleep(0)
