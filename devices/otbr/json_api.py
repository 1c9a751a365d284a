"""The `/api/…` routes in the manner of JSON:API: actions, devices, diagnostics, this node; and the discovery document.

Measured from ot-br-posix, REST API 0.5.0, its oddities included: exact media types, a small character set on the three
collections, and DELETE of a device that says 404 when it worked.
"""

import re
from collections.abc import Callable
from datetime import UTC
from typing import TypeVar

from devices.otbr.actions import Action
from devices.otbr.engine import OtbrEngine
from devices.otbr.json_text import BadJsonError, Json, parse_json
from devices.otbr.messages import JSON, JSON_API, Answer, RefusedError, Request, json_answer
from devices.otbr.node import OtbrNode
from devices.otbr.profile import OtbrProfile
from devices.otbr.resource import (
    Collection,
    Item,
    StoredItem,
    asked_fields,
    collection_meta,
    resource_object,
    sparse,
)
from devices.otbr.task import BadTaskError, parse_task
from pairing.engine import Micros

Handler = Callable[[Request], Answer]
ItemHandler = Callable[[Request, str], Answer]
ItemT = TypeVar("ItemT", bound=Item)

NO_CONTENT = Answer(204)
MAX_HEADERS = 32
MAX_QUERY_PARAMETERS = 16

_LEGAL = re.compile(r'(?:[A-Za-z0-9_ ,.;?\-+()\[\]{}=/*":\n]|%[0-9a-fA-F]{2})*')
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_EXT_ADDRESS = re.compile(r"[0-9a-fA-F]{16}")


class JsonApiRoutes:
    """Handlers over one node."""

    def __init__(self, node: OtbrNode, profile: OtbrProfile) -> None:
        self._node = node
        self._profile = profile

    @property
    def _engine(self) -> OtbrEngine:
        return self._node.engine

    def routes(self) -> dict[str, dict[str, Handler]]:
        """Path -> method -> handler."""
        if not self._profile.api:
            return {}
        return {
            "/.well-known/thread/br-rest": {"GET": self.discover, "OPTIONS": _options("GET, OPTIONS")},
            "/api/node": {"GET": self.get_node},
            "/api/actions": {
                "GET": _checked(self.get_actions),
                "POST": _checked(self.post_actions),
                "DELETE": _checked(self.delete_actions),
                "OPTIONS": _checked(_options("GET, POST, DELETE, OPTIONS")),
            },
            "/api/devices": {
                "GET": _checked(self.get_devices),
                "DELETE": _checked(self.delete_devices),
                "OPTIONS": _checked(_options("GET, DELETE, OPTIONS")),
            },
            "/api/diagnostics": {
                "GET": _checked(self.get_diagnostics),
                "DELETE": _checked(self.delete_diagnostics),
                "OPTIONS": _checked(_options("GET, DELETE, OPTIONS")),
            },
        }

    def item_routes(self) -> dict[str, dict[str, ItemHandler]]:
        """Path up to the id -> method -> handler."""
        if not self._profile.api:
            return {}
        return {
            "/api/actions/": {"GET": self.get_action, "DELETE": self.delete_action},
            "/api/devices/": {"GET": self.get_device, "DELETE": self.delete_device},
            "/api/diagnostics/": {"GET": self.get_diagnostic, "DELETE": self.delete_diagnostic},
        }

    def discover(self, request: Request) -> Answer:
        """What this API is and where it begins."""
        links = {
            "node": "/api/node",
            "task": "/api/actions",
            "device": "/api/devices",
            "diagnostic": "/api/diagnostics",
        }
        own: Json = {"href": "/.well-known/thread/br-rest", "rel": "self", "type": [JSON]}
        others: list[Json] = [{"href": href, "rel": rel, "type": [JSON_API]} for rel, href in links.items()]
        return json_answer({"api": {"version": self._profile.api_version, "base": "/api/"}, "links": [own, *others]})

    def get_node(self, request: Request) -> Answer:
        """This router's item in the collection of devices."""
        return self._item(request, self._engine.devices, self._engine.network.ext_address.hex(), _stored)

    # Actions

    def get_actions(self, request: Request) -> Answer:
        """All tasks, with how many are not finished."""
        self._node.perform(self._engine.actions.advance)
        actions = self._engine.actions
        return self._collection(request, actions.items, self._action, pending=actions.unfinished)

    def get_action(self, request: Request, item_id: str) -> Answer:
        """One task."""
        self._node.perform(self._engine.actions.advance)
        return self._item(request, self._engine.actions.items, item_id, self._action)

    def post_actions(self, request: Request) -> Answer:
        """Enter tasks: all of them, or none if one is bad."""
        content_type = request.header("content-type")
        if content_type != JSON_API:
            raise RefusedError(415 if content_type else 406)
        try:
            document = parse_json(request.body)
        except BadJsonError:
            raise RefusedError(400) from None
        data = document.get("data") if isinstance(document, dict) else None
        if not isinstance(data, list):
            raise RefusedError(422)
        try:
            tasks = [parse_task(each) for each in data]
        except BadTaskError:
            raise RefusedError(422) from None
        actions, now = self._engine.actions, self._node.now()
        created = actions.create(tasks, now)
        shown: list[Json] = [
            {"id": action.id, "type": action.type, "attributes": actions.attributes(action, now)} for action in created
        ]
        self._node.perform(actions.advance)
        return json_answer({"data": shown, "meta": collection_meta(len(shown))}, JSON_API)

    def delete_actions(self, request: Request) -> Answer:
        """Forget all tasks; those that run are stopped."""
        self._engine.actions.items.clear()
        self._node.perform(self._engine.actions.advance)
        return NO_CONTENT

    def delete_action(self, request: Request, item_id: str) -> Answer:
        """Forget one task; one that runs is stopped."""
        if self._engine.actions.items.remove(item_id) is None:
            raise RefusedError(404)
        self._node.perform(self._engine.actions.advance)
        return NO_CONTENT

    # Devices

    def get_devices(self, request: Request) -> Answer:
        """The devices that were found."""
        return self._collection(request, self._engine.devices, _stored)

    def get_device(self, request: Request, item_id: str) -> Answer:
        """One device, by its extended address."""
        return self._item(request, self._engine.devices, item_id, _stored)

    def delete_devices(self, request: Request) -> Answer:
        """Forget all devices, this router included."""
        self._engine.devices.clear()
        return NO_CONTENT

    def delete_device(self, request: Request, item_id: str) -> Answer:
        """Forget one device. The status is the wrong way round: 404 when it was there, 204 when not."""
        if _EXT_ADDRESS.fullmatch(item_id) is None or self._engine.devices.remove(item_id) is not None:
            raise RefusedError(404)
        return NO_CONTENT

    # Diagnostics

    def get_diagnostics(self, request: Request) -> Answer:
        """The results of tasks."""
        return self._collection(request, self._engine.diagnostics, _stored)

    def get_diagnostic(self, request: Request, item_id: str) -> Answer:
        """One result."""
        return self._item(request, self._engine.diagnostics, item_id, _stored)

    def delete_diagnostics(self, request: Request) -> Answer:
        """Forget all results."""
        self._engine.diagnostics.clear()
        return NO_CONTENT

    def delete_diagnostic(self, request: Request, item_id: str) -> Answer:
        """Forget one result."""
        if self._engine.diagnostics.remove(item_id) is None:
            raise RefusedError(404)
        return NO_CONTENT

    # Inside

    def _action(self, action: Action) -> tuple[dict[str, Json], Json]:
        """Attributes and relationships of a task."""
        result: Json = None
        if action.result_id is not None:
            result = {"result": {"data": {"type": "diagnostics", "id": action.result_id}}}
        return self._engine.actions.attributes(action, self._node.now()), result

    def _collection(
        self,
        request: Request,
        collection: Collection[ItemT],
        show: Callable[[ItemT], tuple[dict[str, Json], Json]],
        **meta: int,
    ) -> Answer:
        """All items: resource objects of the types and members asked for, or bare attributes."""
        if _accepted(request) == JSON:
            return json_answer([show(item)[0] for item in collection])
        fields = asked_fields(request.query, frozenset(item.type for item in collection))
        data: list[Json] = []
        for item in collection:
            if fields is not None and (not fields or item.type in fields):
                attributes, relationships = show(item)
                keys = fields.get(item.type, frozenset())
                data.append(resource_object(item, sparse(attributes, keys), self._calendar, relationships))
        return json_answer({"data": data, "meta": collection_meta(len(collection), **meta)}, JSON_API)

    def _item(
        self,
        request: Request,
        collection: Collection[ItemT],
        item_id: str,
        show: Callable[[ItemT], tuple[dict[str, Json], Json]],
    ) -> Answer:
        """One item by its id as it is written; 404 without it, or if its type is not among those asked for."""
        accepted = _accepted(request)
        item = collection.get(item_id)
        fields = asked_fields(request.query, frozenset(each.type for each in collection))
        if item is None or fields is None or (fields and item.type not in fields):
            raise RefusedError(404)
        attributes, relationships = show(item)
        shown = sparse(attributes, fields.get(item.type, frozenset()))
        if accepted == JSON:
            return json_answer(shown)
        return json_answer({"data": resource_object(item, shown, self._calendar, relationships)}, JSON_API)

    def _calendar(self, at: Micros) -> str:
        return self._node.wall_clock(at).astimezone(UTC).isoformat(timespec="seconds")


def _stored(item: StoredItem) -> tuple[dict[str, Json], Json]:
    return dict(item.attributes), None


def _accepted(request: Request) -> str:
    """The media type to answer in: exactly one of two, or anything; no list and no silence."""
    accept = request.header("accept")
    if accept == "*/*":
        return JSON_API
    if accept not in (JSON, JSON_API):
        raise RefusedError(406)
    return accept


def _options(allow: str) -> Handler:
    return lambda request: Answer(204, headers=(("Allow", allow),))


def _checked(handler: Handler) -> Handler:
    """The handler behind the check of characters and counts that the three collections make first."""

    def check(request: Request) -> Answer:
        if len(request.headers) >= MAX_HEADERS or len(request.query) >= MAX_QUERY_PARAMETERS:
            raise RefusedError(400)
        texts = [request.path, request.body.decode("latin-1")]
        texts += [value for _, value in request.headers]
        texts += [text for parameter in request.query for text in parameter]
        if not all(map(_is_legal, texts)):
            raise RefusedError(400)
        return handler(request)

    return check


def _is_legal(text: str) -> bool:
    """Whether every character, and every one that is percent-encoded, is in the small set."""
    if _LEGAL.fullmatch(text) is None:
        return False
    return all(_LEGAL.fullmatch(chr(int(digits, 16))) for digits in _ESCAPE.findall(text))
