"""What accessories and controllers share: an id, verbs one can tell them, and lies they can be made to tell.

A verb is a coroutine method under `@verb("set-dataset")`; its annotations are the schema of its arguments. Verbs are
one vocabulary for files, HTTP, pytest and the dashboard.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ArgsKwargs

from devices.errors import UnknownVerbError, UsageError
from devices.media.air import Air
from devices.media.ble import BleMedium
from devices.media.lan import Lan
from devices.media.mesh_roles import MeshRoles
from devices.sim.chance import Chance, Stream
from devices.sim.clock import Clock
from devices.spec import Reach, closest, explain
from devices.transports.data_path import DataPathRegistry
from pairing.engine import Event
from pairing.nan.identifiers import CLUSTER_ID_PREFIX

MethodT = TypeVar("MethodT", bound=Callable[..., Awaitable[Any]])


def verb(name: str) -> Callable[[MethodT], MethodT]:
    """Register a coroutine method under its verb."""

    def register(method: MethodT) -> MethodT:
        method.__verb__ = name  # type: ignore[attr-defined]  # read by Actor.__init_subclass__
        return method

    return register


@dataclass(frozen=True, slots=True)
class Site:
    """What a home offers to those who live in it."""

    clock: Clock
    chance: Chance
    lan: Lan
    air: Air
    ble: BleMedium
    mesh: MeshRoles
    emit: Callable[[Event, str, str], None]
    lie_told: Callable[[str, str, str], None]
    reach: Reach
    free_ports: bool = False
    """True where every port is picked by the system, whatever the file says: tests and `exec` run beside others."""
    attach: str = "7s"
    """How long a Thread node takes to attach unless its table says otherwise."""
    others: Callable[[], Sequence["Actor"]] = tuple
    """Everyone in the home: what a person sees around, with what it shows."""
    data_paths: DataPathRegistry = field(default_factory=DataPathRegistry)
    """What is at the end of the data paths that are open."""

    @property
    def real(self) -> bool:
        """True in real time, where sockets may be opened."""
        return not self.clock.virtual

    @property
    def cluster_id(self) -> bytes:
        """The one NAN cluster of the home."""
        return CLUSTER_ID_PREFIX + self.chance.stream("air/cluster").randbytes(2)


class Actor:
    """Someone in the home. `role` is the first part of the name of its stream of chance."""

    role: ClassVar[str] = "actor"
    verbs: ClassVar[Mapping[str, str]] = {}

    def __init__(self, site: Site, actor_id: str, name: str) -> None:
        self.site = site
        self.id = actor_id
        self.given_name = name
        self.name = name or actor_id

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        found = dict(cls.verbs)
        for attribute, method in vars(cls).items():
            if hasattr(method, "__verb__"):
                found[method.__verb__] = attribute
        cls.verbs = dict(sorted(found.items()))

    @property
    def chance(self) -> Stream:
        """A fresh copy of this actor's stream of chance."""
        return self.site.chance.stream(f"{self.role}/{self.id}")

    def emit(self, event: Event, medium: str = "") -> None:
        """Log something that happened to this actor."""
        self.site.emit(event, self.id, medium)

    async def do(self, verb_name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Carry out a verb. Raises UnknownVerbError, UsageError (arguments) or ActionRefusedError (state)."""
        attribute = self.verbs.get(verb_name)
        if attribute is None:
            raise UnknownVerbError(f"{self.id} has no verb {verb_name!r}{closest(verb_name, self.verbs)}")
        method = getattr(self, attribute)
        given = {name.replace("-", "_"): value for name, value in (arguments or {}).items()}
        known = inspect.signature(method).parameters
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise UsageError(f"{verb_name} of {self.id} has no argument {unknown[0]!r}{closest(unknown[0], known)}")
        try:
            # `validate_call` of a coroutine method checks when awaited, among the errors of the method itself.
            adapter = _adapter(getattr(type(self), attribute))
            pending: Awaitable[Any] = adapter.validate_python(ArgsKwargs((self,), given))
        except ValidationError as problem:
            raise UsageError(f"{verb_name} of {self.id}: {explain(problem)}") from None
        return await pending


@cache
def _adapter(method: Any) -> TypeAdapter[Any]:
    """What checks a method's arguments and calls it; made once, since that takes milliseconds."""
    return TypeAdapter(method)
