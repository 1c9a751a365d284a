"""Requests and answers of the border router's REST API, and what is the same for every answer.

CORS headers, the error body, media types. Measured from ot-br-posix, REST API 0.5.0; see specs/protocols/otbr-rest.md.
"""

from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl

from devices.otbr.json_text import Json, print_json

JSON = "application/json"
JSON_API = "application/vnd.api+json"
TEXT = "text/plain"

METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS")

ALWAYS: tuple[tuple[str, str], ...] = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "DELETE, GET, OPTIONS, POST, PUT"),
    (
        "Access-Control-Allow-Headers",
        "Origin, Accept, X-Requested-With, Content-Type, Access-Control-Request-Method, Access-Control-Request-Headers",
    ),
)
"""On every answer, errors and unknown paths included."""

# Python 3.13 renamed some phrases; the agent's stay what they are.
_PHRASES = {413: "Payload Too Large", 422: "Unprocessable Content"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request, its body read whole. Header names are lower case; the path is decoded, without the query."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str:
        """The first header of that lower-case name, empty if there is none."""
        return next((value for each, value in self.headers if each == name), "")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. Without `content_type` it has no body either."""

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class RefusedError(Exception):
    """Ends a handler with an error answer."""

    def __init__(self, status: int, detail: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.detail = detail


def json_answer(value: Json, content_type: str = JSON) -> Answer:
    """200 with a JSON body."""
    return Answer(200, print_json(value), content_type)


def error_answer(status: int, detail: str = "", headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """The error body that all errors have. The agent leaves `detail` empty nearly always."""
    title = _PHRASES.get(status) or HTTPStatus(status).phrase
    return Answer(status, print_json({"title": title, "status": status, "detail": detail}), JSON, headers)


def parse_query(query: str) -> tuple[tuple[str, str], ...]:
    """Names and values of a query string, decoded, in order."""
    return tuple(parse_qsl(query, keep_blank_values=True))
