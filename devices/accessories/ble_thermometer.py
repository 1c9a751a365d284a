"""A Bluetooth LE health thermometer: it indicates temperatures that go up and down by chance.

Source: Health Thermometer Service 1.0 (1809), 3.1 Temperature Measurement (2A1C), 3.2 Temperature Type (2A1D);
IEEE 11073-20601, FLOAT-Type: an exponent of ten in the highest octet, the rest the mantissa.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from devices.accessories.ble_peripheral import BlePeripheral
from devices.accessories.ble_settings import BleSettings
from devices.accessories.registry import accessory
from devices.bluetooth.tables import CharacteristicTable, ServiceTable
from devices.spec import Period

_SERVICE, _MEASUREMENT, _TYPE = "1809", "2a1c", "2a1d"
_FAHRENHEIT, _HAS_TYPE, _BODY = 0x01, 0x04, 0x02
_EXPONENT = -2


class BleThermometerSettings(BleSettings):
    """A thermometer's own keys."""

    celsius: float = Field(36.6, ge=-200, le=2_000, description="at power-on")
    step: float = Field(0.1, ge=0, le=100, description="by how much a reading may differ from the one before")
    every: Period = Field("1s", description="a reading so often")
    fahrenheit: bool = Field(False, description="tell it in degrees Fahrenheit")


@accessory("ble-thermometer")
class BleThermometer(BlePeripheral):
    """A thermometer for people."""

    settings_model = BleThermometerSettings
    settings: BleThermometerSettings

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.interval = self.settings.every
        self._draws = self.site.chance.stream(f"accessory/{self.id}/readings")
        self._celsius = self.settings.celsius

    def services(self) -> Sequence[ServiceTable]:
        """The Health Thermometer service, and what the home file adds."""
        measurement = CharacteristicTable(uuid=_MEASUREMENT, properties=["indicate"], value=self._measurement().hex())
        kind = CharacteristicTable(uuid=_TYPE, number=_BODY)
        return [ServiceTable(uuid=_SERVICE, characteristic=[measurement, kind]), *self.settings.service]

    def run_at_interval(self) -> None:
        """Another reading."""
        self._celsius += self._draws.uniform(-self.settings.step, self.settings.step)
        self.put(f"{_SERVICE}/{_MEASUREMENT}", self._measurement())

    def _measurement(self) -> bytes:
        is_other = self.settings.fahrenheit
        degrees = self._celsius * 1.8 + 32 if is_other else self._celsius
        mantissa = round(degrees * 100)
        flags = _HAS_TYPE | (_FAHRENHEIT if is_other else 0)
        octets = mantissa.to_bytes(3, "little", signed=True) + _EXPONENT.to_bytes(1, "little", signed=True)
        return bytes([flags]) + octets + bytes([_BODY])
