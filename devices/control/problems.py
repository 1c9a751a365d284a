"""Misuse of pairlab as problem documents (RFC 9457): one place that turns the error trees into statuses.

What an emulated platform refuses is no problem but a result, and never comes here.
"""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from devices.errors import (
    EmulatorError,
    HomeFileError,
    HostError,
    ScenarioError,
    UnknownActorError,
    UnknownKindError,
    UnknownVerbError,
    UsageError,
)
from pairing.errors import DecodeError, EncodeError, KeyStoreError, PairingError

_TYPE = "urn:pairlab:problem:"
_STATUSES: Mapping[type[Exception], int] = {
    UsageError: 400,
    UnknownActorError: 404,
    UnknownVerbError: 404,
    UnknownKindError: 422,
    HomeFileError: 422,
    ScenarioError: 422,
    HostError: 503,
    EmulatorError: 409,  # refused by the state of an accessory, a medium or the clock
    DecodeError: 422,
    EncodeError: 422,
    KeyStoreError: 503,
    PairingError: 409,
}


class ProblemError(Exception):
    """A refusal of the control API itself. `slug` names it in the problem's type."""

    def __init__(self, status: int, slug: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.headers = headers


class ProblemDocument(BaseModel):
    """RFC 9457: what was wrong, and how to mend it."""

    type: str
    title: str
    status: int
    detail: str


class Json(JSONResponse):
    """JSON in ASCII, since names from a network may hold what UTF-8 cannot."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


class Problem(Json):
    """A problem document as a response."""

    media_type = "application/problem+json"

    def __init__(self, status: int, slug: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        document = ProblemDocument(
            type=_TYPE + slug, title=slug.replace("-", " ").capitalize(), status=status, detail=detail
        )
        super().__init__(document.model_dump(), status, headers)


def problem_of(error: Exception) -> Problem:
    """The problem document of any error that a request may end in."""
    match error:
        case ProblemError():
            return Problem(error.status, error.slug, str(error), error.headers)
        case HTTPException():
            phrase = HTTPStatus(error.status_code).phrase
            slug = "unknown-route" if error.status_code == 404 else phrase.lower().replace(" ", "-")
            return Problem(error.status_code, slug, _route_detail(error), error.headers)
        case RequestValidationError():
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            return Problem(422, "invalid-value", f"{place}: {first['msg']}")
    for cls in type(error).__mro__:
        if cls in _STATUSES:
            return Problem(_STATUSES[cls], _slug(type(error)), str(error))
    return Problem(500, "defect", f"pairlab failed ({type(error).__name__}); the home runs on, its log tells more")


def _route_detail(error: HTTPException) -> str:
    if error.status_code == 404:
        return "there is no such route; /openapi.json lists them"
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        return f"this route does not take that method; it takes {allowed}"
    return str(error.detail)


def _slug(cls: type[Exception]) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__.removesuffix("Error")).lower()


def install_problems(app: FastAPI) -> None:
    """Answer every error of a request with its problem document."""

    async def answer(request: Request, error: Exception) -> Problem:
        return problem_of(error)

    handled = (ProblemError, HTTPException, RequestValidationError, EmulatorError, PairingError, Exception)
    for cls in handled:
        app.add_exception_handler(cls, answer)
