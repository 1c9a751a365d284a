"""A lamp on Thread: a full device that is always awake. Pressed, it joins while it is new, and switches afterwards."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from devices.accessories.registry import accessory
from devices.accessories.thread_device import ThreadDevice
from devices.accessories.thread_device_settings import ThreadDeviceSettings
from devices.actor import verb
from devices.errors import UsageError
from devices.events import AttributeChanged

_BRIGHTEST = 100


class ThreadLightSettings(ThreadDeviceSettings):
    """A lamp's own keys."""

    model: str = Field("Light", max_length=32, description="Vendor Model in JOIN_FIN")
    on: bool = Field(False, description="lit at first")
    brightness: int = Field(_BRIGHTEST, ge=1, le=_BRIGHTEST, description="percent")


@accessory("thread-light")
class ThreadLight(ThreadDevice):
    """A lamp."""

    settings_model = ThreadLightSettings
    settings: ThreadLightSettings

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._on = self.settings.on
        self._brightness = self.settings.brightness

    @property
    def facts(self) -> Mapping[str, Any]:
        """Whether and how brightly it is lit, beside what every device tells."""
        return {**super().facts, "on": self._on, "brightness": self._brightness}

    def dump_state(self) -> Mapping[str, Any]:
        """The lamp with its node."""
        return {**super().dump_state(), "on": self._on, "brightness": self._brightness}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up what an earlier run left."""
        super().load_state(state)
        self._on, self._brightness = bool(state["on"]), int(state["brightness"])

    @verb("press")
    async def _do_press(self) -> None:
        """Its button: while it has no network it joins one, then it switches."""
        if self.network.active_dataset is None:
            await self._do_join()
        else:
            await self._do_update(on=not self._on)

    @verb("update")
    async def _do_update(self, on: bool | None = None, brightness: int | None = None) -> None:
        """Switch it, or change how bright it is (1 to 100)."""
        if brightness is not None and not 1 <= brightness <= _BRIGHTEST:
            raise UsageError(f"brightness is 1 to {_BRIGHTEST} percent, not {brightness}")
        if brightness is not None and brightness != self._brightness:
            self._brightness = brightness
            self.emit(AttributeChanged(name="brightness", value=brightness), "mesh")
        if on is not None and on is not self._on:
            self._on = on
            self.emit(AttributeChanged(name="on", value=on), "mesh")
