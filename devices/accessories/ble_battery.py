"""A Bluetooth LE battery: Battery Level, which goes down as time goes by.

Source: Battery Service 1.1 (180F), 3.1 Battery Level (2A19); Assigned Numbers, 3.4 and 3.8.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from devices.accessories.ble_peripheral import BlePeripheral
from devices.accessories.ble_settings import BleSettings
from devices.accessories.registry import accessory
from devices.bluetooth.tables import CharacteristicTable, ServiceTable
from devices.spec import Period

_SERVICE, _LEVEL = "180f", "2a19"


class BleBatterySettings(BleSettings):
    """A battery's own keys."""

    level: int = Field(100, ge=0, le=100, description="percent at power-on")
    every: Period = Field("60s", description="one percent less so often; an empty one is charged anew")


@accessory("ble-battery")
class BleBattery(BlePeripheral):
    """A battery."""

    settings_model = BleBatterySettings
    settings: BleBatterySettings

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.interval = self.settings.every

    def services(self) -> Sequence[ServiceTable]:
        """Battery Level, and what the home file adds."""
        level = CharacteristicTable(uuid=_LEVEL, properties=["read", "notify"], number=self.settings.level)
        return [ServiceTable(uuid=_SERVICE, characteristic=[level]), *self.settings.service]

    def run_at_interval(self) -> None:
        """One percent less."""
        level = self.value(f"{_SERVICE}/{_LEVEL}")[0]
        self.put(f"{_SERVICE}/{_LEVEL}", bytes([level - 1 if level else 100]))
