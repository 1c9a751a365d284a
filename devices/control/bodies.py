"""Request bodies: read with limits, as JSON that can be answered in JSON again, into a model or a plain object.

`Content-Type` is not asked for, so that `curl -d` works; the guard keeps pages of other sites out.
"""

import json
import math
from collections.abc import Awaitable, Callable
from typing import Any, Literal, NoReturn, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from devices.control.problems import ProblemError
from devices.spec import Duration, explain
from pairing.thread.credentials import Consent

LIMIT = 1 << 20
"""A megabyte holds any home; more is refused unread."""

MAX_NESTING = 100

ModelT = TypeVar("ModelT", bound=BaseModel)


class Body(BaseModel):
    """A request's body: members that nobody knows are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WaitBody(Body):
    """What to wait for, from which event on, and for how long on the home's clock."""

    type: str = Field(examples=["RoleChanged"])
    where: dict[str, Any] = Field(
        {}, description="member -> value, list of values, {min, max} or {matches: regular expression}"
    )
    actor: str | None = None
    after: int = Field(0, ge=0, description="only events whose id is greater: a cursor from an earlier answer")
    timeout: Duration | float = Field("10s", description="a duration such as 5s, or seconds")


class AdvanceBody(Body):
    """How far to move the home's clock."""

    duration: Duration = Field(examples=["2m"])


class PhoneBody(Body):
    """What of a phone can be changed while the home runs; members that are not given stay as they are."""

    consent: Consent | None = None
    code: Literal["right", "wrong", "wrong-then-right", "none"] | None = Field(
        None, description="what its user types when a code is asked for"
    )
    outcome: str | None = Field(None, description="what every call ends in: an outcome, a WAError case, a NanStatus")


async def read_object(request: Request) -> dict[str, Any]:
    """The body as an object; an empty body is an empty object."""
    raw = await _read(request)
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw, parse_constant=_refuse_constant, parse_float=_finite)
        if _depth(value) > MAX_NESTING:
            raise ValueError(f"more than {MAX_NESTING} levels")
        # Half a surrogate pair is text that no answer and no name on a network could hold.
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ProblemError(400, "bad-json", f"the body is nested more than {MAX_NESTING} levels deep") from None
    except ValueError as problem:
        raise ProblemError(400, "bad-json", f"the body is not JSON: {problem}") from None
    if not isinstance(value, dict):
        raise ProblemError(422, "invalid-value", f"the body is one JSON object, not {type(value).__name__}")
    return value


def reads(model: type[ModelT]) -> Callable[[Request], Awaitable[ModelT]]:
    """A dependency that reads the body into a model."""

    async def read(request: Request) -> ModelT:
        value = await read_object(request)
        try:
            return model.model_validate(value)
        except ValidationError as problem:
            raise ProblemError(422, "invalid-value", explain(problem, model)) from None

    return read


def described(model: type[BaseModel] | None = None) -> dict[str, Any]:
    """The body for the OpenAPI document, which cannot see our own reading."""
    schema = _inlined(model) if model is not None else {"type": "object", "additionalProperties": True}
    return {"requestBody": {"required": model is not None, "content": {"application/json": {"schema": schema}}}}


def _inlined(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a model without references, which would point outside of it in an OpenAPI document."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def inline(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return inline(definitions[node["$ref"].rpartition("/")[2]])
            return {name: inline(each) for name, each in node.items()}
        return [inline(each) for each in node] if isinstance(node, list) else node

    inlined: dict[str, Any] = inline(schema)
    return inlined


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LIMIT:
            # The rest stays unread, so this connection can carry no further request.
            raise ProblemError(
                413, "body-too-large", f"a body is {LIMIT} bytes at the most", headers={"Connection": "close"}
            )
    return bytes(body)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text[:20]} is out of range")
    return value


def _depth(value: object) -> int:
    level, depth = [value], 0
    while level:
        depth += 1
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return depth
