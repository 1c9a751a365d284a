"""The door: a private bus, the name `org.bluez`, and one adapter or more. Real time only."""

from collections.abc import Sequence
from dataclasses import dataclass

from devices.bluetooth.bluez.adapter import Adapter
from devices.bluetooth.bluez.advertising import Advertising
from devices.bluetooth.bluez.agent import Agents
from devices.bluetooth.bluez.gatt_manager import GattManager
from devices.bluetooth.bluez.monitors import Monitors
from devices.bluetooth.bluez.tree import Tree
from devices.bluetooth.chance import seed_bluetooth
from devices.media.ble import BleMedium
from devices.sim.chance import Chance
from devices.transports.private_bus import PrivateBus

NAME = "org.bluez"
VARIABLE = "DBUS_SYSTEM_BUS_ADDRESS"


@dataclass(frozen=True, slots=True)
class _Station:
    """One adapter, and what clients register with it."""

    adapter: Adapter
    monitors: Monitors
    advertising: Advertising
    applications: GattManager

    @classmethod
    async def open(cls, adapter: Adapter) -> "_Station":
        made = cls(adapter, Monitors(adapter), Advertising(adapter), GattManager(adapter))
        await adapter.open(*(each.interface() for each in (made.monitors, made.advertising, made.applications)))
        return made

    def close(self) -> None:
        self.monitors.close()
        self.advertising.close()
        self.applications.close()
        self.adapter.close()


class BluezDoor:
    """Open until it is closed; `address` is for clients' `DBUS_SYSTEM_BUS_ADDRESS`."""

    def __init__(self, bus: PrivateBus, tree: Tree, stations: Sequence[_Station]) -> None:
        self._bus, self.tree, self._stations = bus, tree, stations
        self.address = bus.address
        self.adapters = [each.adapter for each in stations]

    @classmethod
    async def open(cls, medium: BleMedium, chance: Chance, *, adapters: int = 1) -> "BluezDoor":
        """Raises TransportUnavailableError where there is no D-Bus daemon."""
        seed_bluetooth(chance.stream("ble/bluez"))
        bus = await PrivateBus.open()
        try:
            tree = await Tree.open(bus.address, NAME)
            agents = Agents(tree, medium, chance.stream("ble/agents"))
            stations = [
                await _Station.open(Adapter(tree, medium, number, chance.stream(f"ble/hci{number}"), agents))
                for number in range(adapters)
            ]
        except BaseException:
            await bus.close()
            raise
        return cls(bus, tree, stations)

    async def close(self) -> None:
        """Adapters off, name gone, daemon ended."""
        for each in self._stations:
            each.close()
        await self.tree.close()
        await self._bus.close()
