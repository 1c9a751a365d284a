"""What every accessory has: settings checked by its kind, power, places where it is reached, and lies.

A *lie* is a wrong thing that this kind can be made to say or leave out; each is a frozen record whose fields are its
parameters, declared by the kind in `lies`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from devices.actor import Actor, Site, verb
from devices.errors import UnknownKindError
from devices.events import StateChanged
from devices.spec import closest, make_record


class Settings(BaseModel):
    """The keys of one kind beyond the common ones; a kind subclasses this."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Lie:
    """Base of the frozen records that a kind declares as its lies; the docstring's first line is shown to users."""

    __slots__ = ()


class Accessory(Actor):
    """One virtual device. Subclasses override `_start`, `_stop` and what they show."""

    role = "accessory"
    kind: ClassVar[str]
    settings_model: ClassVar[type[Settings]] = Settings
    lies: ClassVar[Mapping[str, type[Lie]]] = {}

    def __init__(self, site: Site, actor_id: str, name: str, settings: Settings) -> None:
        super().__init__(site, actor_id, name)
        self.settings = settings
        self.powered = False
        self.told_lies: dict[str, Lie] = {}

    @property
    def state(self) -> str:
        """One word for the table: `off`, `on`, or the kind's own."""
        return "on" if self.powered else "off"

    @property
    def endpoints(self) -> Mapping[str, str]:
        """Where it is reached: name -> URL or host:port."""
        return {}

    @property
    def shows(self) -> Mapping[str, str]:
        """What a person can read off it: codes, QR payloads. Secret by nature."""
        return {}

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a script may want to know beyond that: identifiers, names as advertised."""
        return {}

    async def power_on(self) -> None:
        """Start; nothing happens when it is on."""
        if not self.powered:
            self.powered = True
            await self._start()
            self.emit(StateChanged(state=self.state, reason="power-on"))

    async def power_off(self, *, goodbye: bool = True) -> None:
        """Stop; with `goodbye` it takes its leave as a well-behaved device does, else it just falls silent."""
        if self.powered:
            self.powered = False
            await self._stop(goodbye=goodbye)
            self.emit(StateChanged(state=self.state, reason="power-off"))

    async def _start(self) -> None:
        """Open ports and start engines."""

    async def _stop(self, *, goodbye: bool) -> None:
        """Stop engines and close ports."""

    def dump_state(self) -> Mapping[str, Any]:
        """What must survive a restart of the program, as JSON values; holds secrets."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up what `dump_state` gave; called before the first power-on."""

    def start_lie(self, kind: str, parameters: Mapping[str, Any]) -> None:
        """Tell a lie from now on. Raises UnknownKindError or UsageError."""
        if kind not in self.lies:
            raise UnknownKindError(f"{self.id} ({self.kind}) tells no lie {kind!r}{closest(kind, self.lies)}")
        self.told_lies[kind] = make_record(self.lies[kind], parameters, f"lie {kind}")
        self._lies_changed()

    def stop_lie(self, kind: str) -> None:
        """Tell the truth again."""
        self.told_lies.pop(kind, None)
        self._lies_changed()

    def _lies_changed(self) -> None:
        """A lie began or ended."""

    def lie_told(self, kind: str, what: str = "") -> None:
        """A lie was put on the wire; the home counts it."""
        self.site.lie_told(self.id, kind, what)

    @verb("power-on")
    async def _do_power_on(self) -> None:
        """Switch it on."""
        await self.power_on()

    @verb("power-off")
    async def _do_power_off(self, goodbye: bool = True) -> None:
        """Switch it off; `goodbye = false` pulls the plug."""
        await self.power_off(goodbye=goodbye)

    @verb("restart")
    async def _do_restart(self, goodbye: bool = False) -> None:
        """Off and on again, as after a crash; what a device remembers stays."""
        await self.power_off(goodbye=goodbye)
        await self.power_on()
