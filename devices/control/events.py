"""Routes: what happens in a home, as server-sent events (HTML standard, section 9.2) and as a wait for one of them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.types import Receive, Scope, Send

from devices.control.bodies import WaitBody, described, reads
from devices.control.desk import Desk, Secrets, gone
from devices.control.documents import WaitDocument, wait_document
from devices.control.problems import ProblemError
from devices.event_log import Pattern, StampedEvent
from devices.events import members
from devices.spec import duration_us
from pairing.engine import SECOND, Micros

_STREAM: dict[str, Any] = {
    "description": "one block an event: its id, and its JSON as data",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


def event_routes(desk: Desk) -> APIRouter:
    """The stream and the wait."""
    router = APIRouter(prefix="/v1/events", tags=["events"])
    live = desk.live

    @router.get("", response_class=Response, responses={200: _STREAM})
    async def stream_events(
        secrets: Secrets,
        after: Annotated[int, Query(ge=0, description="only events whose id is greater")] = 0,
        last_event_id: Annotated[str | None, Header(description="sent by a client that connects again")] = None,
    ) -> EventStream:
        """Every kept event after `after`, then each new one. `event: end` is the last block when the home stops."""
        cursor = int(last_event_id) if last_event_id is not None and last_event_id.isdecimal() else after
        return EventStream(desk, cursor, secrets=secrets)

    @router.post("/wait", openapi_extra=described(WaitBody), response_model_exclude_unset=True)
    async def wait_for_event(
        body: Annotated[WaitBody, Depends(reads(WaitBody))], request: Request, secrets: Secrets
    ) -> WaitDocument:
        """Wait for an event; past ones count. Without a match: the nearest three, with what is different about them."""
        pattern = Pattern(body.type, body.where, body.actor)
        pattern.check()
        if not secrets:
            _refuse_guessing(pattern.type, body.where)
        within_us = _timeout_us(body.timeout)
        waiting = live.log.wait(pattern, clock=live.clock, within_us=within_us, after=body.after)
        return wait_document(await desk.attend(request, waiting), secrets=secrets)

    return router


def _refuse_guessing(event_type: str, where: Mapping[str, Any]) -> None:
    # A condition on a secret member would tell, try by try, what is not to be told.
    secret = {name for name, each in members(event_type).items() if each.metadata.get("secret")}
    for name in where:
        if name.partition(".")[0] in secret:
            raise ProblemError(
                403, "secret-member", f"where.{name} is a secret of {event_type}; ask with ?secrets=true"
            )


def _timeout_us(timeout: str | float) -> Micros:
    if isinstance(timeout, str):
        return duration_us(timeout)
    if not 0 <= timeout <= 86_400:
        raise ProblemError(422, "invalid-value", f"timeout: seconds are 0 to 86400, not {timeout}")
    return round(timeout * SECOND)


class EventStream(Response):
    """The response: pure ASGI, so that it ends, with everything it started, when the client or the home does."""

    media_type = "text/event-stream"

    def __init__(self, desk: Desk, cursor: int, *, secrets: bool) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._desk = desk
        self._cursor = cursor
        self._secrets = secrets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        ends = [asyncio.ensure_future(gone(receive)), asyncio.ensure_future(self._desk.closing.wait())]
        try:
            await _write(send, ": pairlab events\n\n")
            async with contextlib.aclosing(self._desk.live.log.follow(self._cursor)) as events:
                await self._follow(events, ends, send)
            if self._desk.closing.is_set():
                for event in self._desk.live.log.since(self._cursor):
                    await _write(send, self._block(event))
                await _write(send, "event: end\ndata: the home has stopped\n\n")
            await send({"type": "http.response.body", "body": b""})
        finally:
            await _drop(*ends)

    async def _follow(
        self, events: AsyncIterator[StampedEvent], ends: Sequence[asyncio.Future[Any]], send: Send
    ) -> None:
        coming = asyncio.ensure_future(_next(events))
        try:
            while True:
                heard = {coming, *ends}
                await asyncio.wait(heard, timeout=self._desk.heartbeat_s, return_when=asyncio.FIRST_COMPLETED)
                if any(each.done() for each in ends):
                    return
                if coming.done():
                    event, coming = coming.result(), asyncio.ensure_future(_next(events))
                    await _write(send, self._block(event))
                else:
                    await _write(send, ": heartbeat\n\n")
        finally:
            await _drop(coming)

    def _block(self, event: StampedEvent) -> str:
        missed, self._cursor = event.id - self._cursor - 1, event.id
        document = json.dumps(event.as_json(secrets=self._secrets), separators=(",", ":"))
        gap = f"event: gap\ndata: {missed}\n\n" if missed else ""
        return f"{gap}id: {event.id}\ndata: {document}\n\n"


async def _next(events: AsyncIterator[StampedEvent]) -> StampedEvent:
    return await anext(events)


async def _write(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _drop(*futures: asyncio.Future[Any]) -> None:
    for each in futures:
        each.cancel()
    await asyncio.gather(*futures, return_exceptions=True)
