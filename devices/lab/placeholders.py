"""`${x.member}` in a scenario: a member of a saved event or result, or of an accessory or phone.

A text that is one placeholder becomes the member itself, a number or list too; inside a longer text it becomes text.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from devices.actor import Actor
from devices.errors import ScenarioError
from devices.event_log import plain
from devices.spec import closest

_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
_REFERENCE = re.compile(r"([a-z0-9][a-z0-9_-]*)\.([A-Za-z0-9_.-]+)")

Look = Callable[[str], Mapping[str, Any]]
"""Gives the members of a name. Raises ScenarioError."""


def references(value: Any) -> Iterator[tuple[str, str]]:
    """Every (name, member) that a value asks for. Raises ScenarioError where a placeholder has no such form."""
    if isinstance(value, str):
        for found in _PLACEHOLDER.finditer(value):
            reference = _REFERENCE.fullmatch(found[1].strip())
            if reference is None:
                raise ScenarioError(
                    f"{found[0]!r} is no placeholder; write ${{name.member}}, such as ${{br.ext_address}}"
                )
            yield reference[1], reference[2]
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def filled(value: Any, look: Look) -> Any:
    """The value with every placeholder replaced. Raises ScenarioError where a name has no such member."""
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        if whole is not None:
            ((name, member),) = references(value)
            return _member(name, member, look)
        return _PLACEHOLDER.sub(lambda found: _text(found[0], look), value)
    if isinstance(value, Mapping):
        return {key: filled(each, look) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, look) for each in value]
    return value


def members_of(actor: Actor) -> dict[str, Any]:
    """What a placeholder can ask an accessory or phone for: what it is, its facts, endpoints, and what it shows now."""
    members: dict[str, Any] = {"id": actor.id, "name": actor.name}
    for name in ("kind", "state"):
        if hasattr(actor, name):
            members[name] = getattr(actor, name)
    for group in ("facts", "endpoints", "shows"):
        members |= dict(getattr(actor, group, {}))
    plain_members: dict[str, Any] = plain(members)
    return plain_members


def _text(placeholder: str, look: Look) -> str:
    ((name, member),) = references(placeholder)
    return str(_member(name, member, look))


def _member(name: str, path: str, look: Look) -> Any:
    value: Any = look(name)
    walked = name
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            known: Iterable[str] = map(str, value) if isinstance(value, Mapping) else ()
            raise ScenarioError(f"${{{name}.{path}}}: {walked} has no {part!r} now{closest(part, known)}")
        value = value[part]
        walked = f"{walked}.{part}"
    return value
