"""Bumble devices on our radio, on virtual time."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from bumble import gatt, hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Device, DeviceConfiguration
from bumble.host import Host
from bumble.keys import MemoryKeyStore
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport.common import AsyncPipeSink

from devices.bluetooth.chance import seed_bluetooth
from devices.bluetooth.radio import OnHci, Radio
from devices.media.ble import BleMedium
from devices.sim import Chance, Clock, VirtualTimeLoop

T = TypeVar("T")
BATTERY_LEVEL = UUID("2a19")


def bumble_device(radio: Radio, name: str, number: int, delegate: PairingDelegate | None = None) -> Device:
    """A host on that controller, at the address of that number, that keeps its keys in memory; it is off."""
    config = DeviceConfiguration(name=name, address=hci.Address(f"C4:00:00:00:00:{number:02X}"))
    device = Device(config=config, host=Host(radio, AsyncPipeSink(radio)))
    device.keystore = MemoryKeyStore()
    device.pairing_config_factory = lambda _connection: PairingConfig(
        delegate=delegate, identity_address_type=PairingConfig.AddressType.RANDOM
    )
    return device


class Town:
    """A medium and as many devices as a test names."""

    def __init__(self, seed: int = 1) -> None:
        self.loop = VirtualTimeLoop()
        self.clock = Clock(self.loop, virtual=True)
        self.chance = Chance(seed)
        self.medium = BleMedium(self.clock)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        async def seeded() -> T:
            seed_bluetooth(self.chance.stream("bluetooth"))
            return await work

        try:
            return self.loop.run_until_complete(seeded())
        finally:
            self.clock.close()
            self.loop.close()

    def radio(self, actor: str, number: int, on_hci: OnHci | None = None) -> Radio:
        return Radio(self.medium, actor, f"02:00:00:00:00:{number:02X}", self.chance.stream(actor), on_hci)

    async def device(self, actor: str, number: int, on_hci: OnHci | None = None) -> Device:
        """A device that is on and keeps its keys in memory."""
        device = bumble_device(self.radio(actor, number, on_hci), actor, number)
        if actor == "battery":
            device.add_service(
                gatt.Service(
                    "180f",
                    [
                        gatt.Characteristic(
                            BATTERY_LEVEL,
                            gatt.Characteristic.Properties.READ | gatt.Characteristic.Properties.NOTIFY,
                            gatt.Characteristic.READABLE,
                            b"\x64",
                        )
                    ],
                )
            )
        await device.power_on()
        return device

    async def advertising_battery(self, interval_ms: float = 100.0) -> Device:
        """A battery that advertises its name, and its service in the scan response only."""
        device = await self.device("battery", 1)
        kinds = AdvertisingData.Type
        device.advertising_data = bytes(AdvertisingData([(kinds.COMPLETE_LOCAL_NAME, b"battery")]))
        device.scan_response_data = bytes(
            AdvertisingData([(kinds.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, b"\x0f\x18")])
        )
        await device.start_advertising(
            auto_restart=True, advertising_interval_min=interval_ms, advertising_interval_max=interval_ms
        )
        return device
