"""Plays a file of REST cases: states to reach, requests to send, shapes that answers must have.

The format: a state has `steps` and perhaps `from`; a case has a `state` and `steps`; a step is a request with `expect`,
or a `wait` until a request matches. Shapes are plain JSON (equal) or objects of `$` directives. `${name}` in text is a
variable, `${name|upper}` the same in upper case.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Shape = Any
Exchange = Callable[[str, str, Mapping[str, str], bytes | None], Awaitable["Reply"]]


@dataclass(frozen=True)
class Reply:
    """An answer as it came over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class MismatchError(AssertionError):
    """An answer that is not what a case expects."""


_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}


@dataclass
class Matcher:
    """Compares values with shapes; `variables` grow by `$save`."""

    definitions: Mapping[str, Shape]
    variables: dict[str, Any] = field(default_factory=dict)

    def fill(self, text: str) -> str:
        """The text with its variables put in."""

        def value(match: re.Match[str]) -> str:
            name, _, change = match[1].partition("|")
            return str(self.variables[name]).upper() if change == "upper" else str(self.variables[name])

        return re.sub(r"\$\{([^}]+)\}", value, text)

    def match(self, shape: Shape, value: Any, where: str = "$") -> None:
        """Raise MismatchError unless the value has the shape."""
        match shape:
            case dict() if any(name.startswith("$") for name in shape):
                self._directives(shape, value, where)
            case dict():
                self._object(shape, value, where)
            case list():
                self._need(isinstance(value, list) and len(value) == len(shape), where, f"{len(shape)} elements", value)
                for index, (each, got) in enumerate(zip(shape, value, strict=True)):
                    self.match(each, got, f"{where}[{index}]")
            case _:
                wanted = self.fill(shape) if isinstance(shape, str) else shape
                self._need(type(wanted) is type(value) and wanted == value, where, repr(wanted), value)

    def _object(self, shape: Mapping[str, Shape], value: Any, where: str) -> None:
        self._need(isinstance(value, dict), where, "an object", value)
        optional = {name for name, each in shape.items() if isinstance(each, dict) and "$optional" in each}
        needed, came = set(shape) - optional, set(value)
        self._need(needed <= came <= set(shape), where, f"members {sorted(shape)}", sorted(came))
        # In the order of the file: what one member saves, a later one may use.
        for name, each in shape.items():
            if name in value:
                self.match(each["$optional"] if name in optional else each, value[name], f"{where}.{name}")

    def _directives(self, shape: Mapping[str, Shape], value: Any, where: str) -> None:
        for name, argument in shape.items():
            match name:
                case "$type":
                    self._need(_KINDS[argument](value), where, argument, value)
                case "$re":
                    self._need(isinstance(value, str) and re.search(argument, value), where, argument, value)
                case "$range":
                    inside = _KINDS["number"](value) and argument[0] <= value <= argument[1]
                    self._need(inside, where, f"{argument[0]} to {argument[1]}", value)
                case "$oneOf":
                    self._need(value in argument, where, f"one of {argument}", value)
                case "$not":
                    unwanted = self.fill(argument) if isinstance(argument, str) else argument
                    self._need(value != unwanted, where, f"anything but {unwanted!r}", value)
                case "$ref":
                    self.match(self.definitions[argument], value, where)
                case "$all":
                    for each in argument:
                        self.match(each, value, where)
                case "$has":
                    self._need(isinstance(value, dict) and argument.keys() <= value.keys(), where, str(argument), value)
                    for member, each in argument.items():
                        self.match(each, value[member], f"{where}.{member}")
                case "$contains":
                    self._need(any(self._fits(argument, each) for each in value), where, f"some {argument}", value)
                case "$len":
                    self._need(len(value) == argument, where, f"{argument} elements", value)
                case "$items":
                    self._items(shape, value, where)
                case "$set":
                    pass  # read together with $items
                case "$save":
                    self.variables[argument] = value
                case _:
                    raise ValueError(f"unknown directive {name}")

    def _items(self, shape: Mapping[str, Shape], value: Any, where: str) -> None:
        self._need(isinstance(value, list), where, "an array", value)
        if "$set" not in shape:
            for index, each in enumerate(value):
                self.match(shape["$items"], each, f"{where}[{index}]")
            return
        key = shape["$set"]
        wanted = {each[key]: each for each in shape["$items"]}
        came = {each.get(key): each for each in value}
        self._need(wanted.keys() == came.keys() and len(came) == len(value), where, str(sorted(wanted)), value)
        for name, each in wanted.items():
            self.match(each, came[name], f"{where}[{name}]")

    def _fits(self, shape: Shape, value: Any) -> bool:
        try:
            self.match(shape, value)
        except MismatchError:
            return False
        return True

    @staticmethod
    def _need(condition: object, where: str, wanted: str, value: Any) -> None:
        if not condition:
            raise MismatchError(f"{where}: expected {wanted}, came {value!r}")


class CasePlayer:
    """Plays cases through `exchange`; `pass_time` lets the router's clock run while a step waits."""

    def __init__(
        self, document: Mapping[str, Any], exchange: Exchange, pass_time: Callable[[float], Awaitable[None]]
    ) -> None:
        self._document = document
        self._exchange = exchange
        self._pass_time = pass_time

    async def enter(self, state: str) -> None:
        """Reach a state, through the one that it starts from."""
        definition = self._document["states"][state]
        if "from" in definition:
            await self.enter(definition["from"])
        await self._play(definition["steps"])

    async def play(self, case: Mapping[str, Any]) -> None:
        """Play a case whose state has been reached."""
        await self._play(case["steps"])

    async def _play(self, steps: list[Mapping[str, Any]]) -> None:
        matcher = Matcher(self._document["defs"], dict(self._document["vars"]))
        for number, step in enumerate(steps, start=1):
            try:
                if "wait" in step:
                    await self._wait(matcher, step["wait"])
                elif "sleep" in step:
                    await self._pass_time(step["sleep"])
                else:
                    self._check(matcher, step.get("expect", {}), await self._send(matcher, step))
            except MismatchError as mismatch:
                raise MismatchError(f"step {number}, {json.dumps(step)[:160]}: {mismatch}") from None

    async def _send(self, matcher: Matcher, step: Mapping[str, Any]) -> Reply:
        body = matcher.fill(step["body"]).encode() if "body" in step else None
        return await self._exchange(step["method"], matcher.fill(step["path"]), step.get("headers", {}), body)

    async def _wait(self, matcher: Matcher, step: Mapping[str, Any]) -> None:
        expectation = {"status": step.get("status", 200), "json": step["json"]}
        waited = 0.0
        while True:
            try:
                self._check(matcher, expectation, await self._send(matcher, step))
            except MismatchError:
                if waited > step["timeout"]:
                    raise
            else:
                return
            await self._pass_time(0.1)
            waited += 0.1

    def _check(self, matcher: Matcher, expected: Mapping[str, Any], reply: Reply) -> None:
        if "status" in expected:
            matcher.match(expected["status"], reply.status, "status")
        if "contentType" in expected:
            media_type = reply.headers.get("content-type", "").partition(";")[0].strip()
            matcher.match(expected["contentType"], media_type, "content type")
        for name, shape in expected.get("headers", {}).items():
            matcher.match(shape, reply.headers.get(name.lower()), f"header {name}")
        if expected.get("empty"):
            matcher.match("", reply.body.decode(), "body")
        if "json" in expected:
            matcher.match(expected["json"], json.loads(reply.body))
        if "text" in expected:
            matcher.match(expected["text"], reply.body.decode("ascii"), "body")
        for tlv_type, shape in expected.get("tlvHas", {}).items():
            matcher.match(shape, _tlvs(reply.body).get(tlv_type), f"TLV {tlv_type}")


def _tlvs(text: bytes) -> dict[str, str]:
    """Type -> value of TLVs in hexadecimal text, both in lower-case hex."""
    data, found = bytes.fromhex(text.decode("ascii")), {}
    while data:
        kind, length = data[0], data[1]
        found[f"{kind:02x}"] = data[2 : 2 + length].hex()
        data = data[2 + length :]
    return found
