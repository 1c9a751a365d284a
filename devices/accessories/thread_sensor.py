"""A thermometer on Thread: an end device that sleeps between its readings, which go up and down by chance."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from devices.accessories.registry import accessory
from devices.accessories.thread_device import ThreadDevice
from devices.accessories.thread_device_settings import ThreadDeviceSettings
from devices.actor import verb
from devices.events import AttributeChanged
from devices.sim.clock import Timer
from devices.spec import Period, duration_us


class ThreadSensorSettings(ThreadDeviceSettings):
    """A thermometer's own keys."""

    model: str = Field("Sensor", max_length=32, description="Vendor Model in JOIN_FIN")
    value: float = Field(21.0, description="degrees Celsius at first")
    every: Period | None = Field(None, description="a new reading so often; never if not given")
    step: float = Field(0.5, ge=0, description="by how much a reading may differ from the one before")


@accessory("thread-sensor")
class ThreadSensor(ThreadDevice):
    """A thermometer."""

    settings_model = ThreadSensorSettings
    settings: ThreadSensorSettings
    is_sleepy = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._value = self.settings.value
        self._readings = self.site.chance.stream(f"accessory/{self.id}/readings")
        self._timer: Timer | None = None

    @property
    def facts(self) -> Mapping[str, Any]:
        """The last reading, beside what every device tells."""
        return {**super().facts, "temperature": self._value}

    def dump_state(self) -> Mapping[str, Any]:
        """The last reading with the node."""
        return {**super().dump_state(), "temperature": self._value}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up what an earlier run left."""
        super().load_state(state)
        self._value = float(state["temperature"])

    async def _start(self) -> None:
        await super()._start()
        self._wait()

    async def _stop(self, *, goodbye: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await super()._stop(goodbye=goodbye)

    def _wait(self) -> None:
        if self.settings.every is not None:
            self._timer = self.site.clock.call_later(duration_us(self.settings.every), self._read)

    def _read(self) -> None:
        change = self._readings.uniform(-self.settings.step, self.settings.step)
        self._show(round(self._value + change, 2))
        self._wait()

    def _show(self, value: float) -> None:
        if value != self._value:
            self._value = value
            self.emit(AttributeChanged(name="temperature", value=value), "mesh")

    @verb("press")
    async def _do_press(self) -> None:
        """Its button: join while it has no network."""
        await self._do_join()

    @verb("update")
    async def _do_update(self, value: float) -> None:
        """It measures this."""
        self._show(value)
