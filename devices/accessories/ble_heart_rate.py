"""A Bluetooth LE heart-rate strap: beats a minute by chance, with the time from beat to beat.

Source: Heart Rate Service 1.0 (180D), 3.1 Heart Rate Measurement (2A37), 3.2 Body Sensor Location (2A38).
"""

from collections.abc import Sequence
from typing import Any, Literal, get_args

from pydantic import Field

from devices.accessories.ble_peripheral import BlePeripheral
from devices.accessories.ble_settings import BleSettings
from devices.accessories.registry import accessory
from devices.bluetooth.tables import CharacteristicTable, ServiceTable
from devices.spec import Period

_SERVICE, _MEASUREMENT, _LOCATION = "180d", "2a37", "2a38"
_CONTACT_SUPPORTED, _CONTACT, _RR = 0x04, 0x02, 0x10
_RR_UNITS = 1_024
"""Of a second, in which the time between beats is told."""
_STEP = 3
Location = Literal["other", "chest", "wrist", "finger", "hand", "ear-lobe", "foot"]


class BleHeartRateSettings(BleSettings):
    """A strap's own keys."""

    slowest: int = Field(60, ge=30, le=240, description="beats a minute")
    fastest: int = Field(90, ge=30, le=240, description="beats a minute")
    every: Period = Field("1s", description="a measurement so often")
    location: Location = "chest"
    contact: bool = Field(True, description="whether the skin is touched")


@accessory("ble-heart-rate")
class BleHeartRate(BlePeripheral):
    """A heart-rate strap."""

    settings_model = BleHeartRateSettings
    settings: BleHeartRateSettings

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.interval = self.settings.every
        self._draws = self.site.chance.stream(f"accessory/{self.id}/beats")
        self._rate = (self.settings.slowest + max(self.settings.slowest, self.settings.fastest)) // 2

    def services(self) -> Sequence[ServiceTable]:
        """The Heart Rate service, and what the home file adds."""
        measurement = CharacteristicTable(uuid=_MEASUREMENT, properties=["notify"], value=self._measurement().hex())
        number = get_args(Location).index(self.settings.location)
        location = CharacteristicTable(uuid=_LOCATION, number=number)
        return [ServiceTable(uuid=_SERVICE, characteristic=[measurement, location]), *self.settings.service]

    def run_at_interval(self) -> None:
        """A heart that goes a little faster or slower."""
        settings = self.settings
        rate = self._rate + self._draws.randrange(-_STEP, _STEP + 1)
        self._rate = max(settings.slowest, min(rate, max(settings.slowest, settings.fastest)))
        self.put(f"{_SERVICE}/{_MEASUREMENT}", self._measurement())

    def _measurement(self) -> bytes:
        flags = _CONTACT_SUPPORTED | _RR | (_CONTACT if self.settings.contact else 0)
        between = round(60 * _RR_UNITS / self._rate)
        return bytes([flags, self._rate]) + between.to_bytes(2, "little")
