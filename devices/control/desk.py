"""What the routes of one control API share: the home, its end, and how to wait for what may never come."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias, TypeVar

from fastapi import Depends, Path, Query, Request
from starlette.types import Receive

from devices.control.guard import is_loopback
from devices.control.problems import ProblemError
from devices.home import LiveHome

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Desk:
    """Where requests meet the home. Everything happens on the home's loop, so nothing is locked but slow changes."""

    live: LiveHome
    heartbeat_s: float = 15.0
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the API goes down: streams and waits end."""
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while accessories are added or removed, which takes more than one step."""

    async def attend(self, request: Request, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Wait for `work`, which may take for ever, as long as the client and the API are there."""
        task = asyncio.ensure_future(work)
        others = [asyncio.ensure_future(gone(request.receive)), asyncio.ensure_future(self.closing.wait())]
        try:
            await asyncio.wait({task, *others}, return_when=asyncio.FIRST_COMPLETED)
            if task.done() and not task.cancelled():
                return task.result()
            raise ProblemError(503, "home-stopped", "the home has stopped, or this party of it was switched off")
        finally:
            for each in (task, *others):
                each.cancel()
            await asyncio.gather(task, *others, return_exceptions=True)


async def gone(receive: Receive) -> None:
    """Returns when the client hangs up. The body has been read by then."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _secrets_asked(
    request: Request,
    secrets: Annotated[bool, Query(description="codes, keys and datasets too; from this machine only")] = False,
) -> bool:
    if secrets and not (request.client is not None and is_loopback(request.client.host)):
        raise ProblemError(403, "secrets-stay-here", "secrets=true is answered on loopback only")
    return secrets


Secrets: TypeAlias = Annotated[bool, Depends(_secrets_asked)]
Id: TypeAlias = Annotated[str, Path(alias="id", description="an id as in the home file")]
