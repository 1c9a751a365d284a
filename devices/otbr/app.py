"""The border router's REST API as an ASGI application without a framework.

Its habits with 404, 405, CORS and media types are the agent's own: exact paths, 404 for a known method without a
handler, 405 for any other method. An application for one node; `transports.web` puts it on a socket.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from devices.otbr.classic import ClassicRoutes
from devices.otbr.json_api import JsonApiRoutes
from devices.otbr.messages import ALWAYS, METHODS, Answer, RefusedError, Request, error_answer, parse_query
from devices.otbr.node import OtbrNode
from devices.otbr.profile import CURRENT, NO_LIES, PENDING_LIES, OtbrLies, OtbrProfile
from devices.transports.web import AsgiReceive, AsgiSend, Scope

MAX_BODY = 1 << 20
_NEWER_PATHS = ("/node/dataset/", "/api/", "/.well-known/")
KEEP_ALIVE = ("Keep-Alive", "timeout=5, max=100")


class OtbrApp:
    """Answers HTTP requests for one border router. `lies` may be set at any time."""

    def __init__(self, node: OtbrNode, profile: OtbrProfile = CURRENT, lies: OtbrLies = NO_LIES) -> None:
        self._node = node
        self._lies = lies
        self._left_408 = lies.start_up_408
        self._routes = ClassicRoutes(node, profile, self._refuse_pending).routes()
        api = JsonApiRoutes(node, profile)
        self._routes |= api.routes()
        self._item_routes = api.item_routes()

    @property
    def lies(self) -> OtbrLies:
        """The lies in force."""
        return self._lies

    @lies.setter
    def lies(self, lies: OtbrLies) -> None:
        self._lies = lies
        self._left_408 = lies.start_up_408

    async def __call__(self, scope: Scope, receive: AsgiReceive, send: AsgiSend) -> None:
        """ASGI 3: one HTTP request."""
        if scope["type"] != "http":
            raise ValueError(f"the REST API speaks http, not {scope['type']}")
        body = await _read_body(receive)
        if body is None:
            return
        request = Request(
            method=scope["method"],
            path=scope["path"],
            headers=tuple(
                (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]
            ),
            query=parse_query(scope["query_string"].decode("latin-1")),
            body=body,
        )
        answer = self.answer(request)
        client = scope.get("client")
        self._node.record_request(request.method, request.path, answer.status, client[0] if client else None)
        if self._lies.slow_answer:
            self._node.lie_told("slow-answer", f"{request.method} {request.path}")
            if not await _outlasts(receive, self._node.sleep(self._lies.slow_answer)):
                return
        await _send(send, request, answer)

    def answer(self, request: Request) -> Answer:
        """What the agent answers; lies about content included, delays not."""
        if self._left_408 > 0:
            self._left_408 -= 1
            self._node.lie_told("start-up-408", f"{request.method} {request.path}")
            return error_answer(408)
        if len(request.body) > MAX_BODY:
            return error_answer(413)
        try:
            answer = self._dispatch(request)
        except RefusedError as refused:
            return error_answer(refused.status, refused.detail)
        if self._lies.truncated_json and answer.body and answer.content_type.endswith("json"):
            self._node.lie_told("truncated-json", f"{request.method} {request.path}")
            return Answer(answer.status, answer.body[: len(answer.body) // 2], answer.content_type, answer.headers)
        return answer

    def _dispatch(self, request: Request) -> Answer:
        if request.method not in METHODS:
            return error_answer(405, "method not supported", (("Allow", ", ".join(METHODS)),))
        if self._lies.old_agent and request.path.startswith(_NEWER_PATHS):
            self._node.lie_told("old-agent", f"{request.method} {request.path}")
            raise RefusedError(404)
        if request.path in self._routes:
            handler = self._routes[request.path].get(request.method)
            if handler is not None:
                return handler(request)
        parent, _, item_id = request.path.rpartition("/")
        item_handler = self._item_routes.get(f"{parent}/", {}).get(request.method)
        if item_handler is None or not item_id:
            raise RefusedError(404)
        return item_handler(request, item_id)

    def _refuse_pending(self) -> None:
        if self._lies.pending is not None:
            self._node.lie_told(self._lies.pending, "PUT /node/dataset/pending")
            raise RefusedError(*PENDING_LIES[self._lies.pending])


async def _read_body(receive: AsgiReceive) -> bytes | None:
    """The whole body, a little more than `MAX_BODY` of a longer one, None if the client has gone."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        # What is too long is read to its end, so that the client hears the answer, but not kept.
        if len(body) <= MAX_BODY:
            body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


async def _outlasts(receive: AsgiReceive, pause: Coroutine[Any, Any, None]) -> bool:
    """Wait out the pause; False, at once, if the client leaves before its end."""
    pausing, leaving = asyncio.ensure_future(pause), asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((pausing, leaving), return_when=asyncio.FIRST_COMPLETED)
        return not leaving.done()
    finally:
        for task in (pausing, leaving):
            task.cancel()
        await asyncio.wait((pausing, leaving))


async def _disconnected(receive: AsgiReceive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: AsgiSend, request: Request, answer: Answer) -> None:
    headers = [*ALWAYS, *answer.headers, ("Content-Length", str(len(answer.body)))]
    if answer.content_type:
        headers.append(("Content-Type", answer.content_type))
    if request.header("connection").lower() != "close":
        headers.append(KEEP_ALIVE)
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": answer.body})
