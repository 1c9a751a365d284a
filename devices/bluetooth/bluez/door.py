"""The door: a private bus, the name `org.bluez`, and one adapter or more. Real time only."""

from collections.abc import Sequence

from devices.bluetooth.bluez.adapter import Adapter
from devices.bluetooth.bluez.agent import Agents
from devices.bluetooth.bluez.monitors import Monitors
from devices.bluetooth.bluez.tree import Tree
from devices.bluetooth.chance import seed_bluetooth
from devices.media.ble import BleMedium
from devices.sim.chance import Chance
from devices.transports.private_bus import PrivateBus

NAME = "org.bluez"
VARIABLE = "DBUS_SYSTEM_BUS_ADDRESS"


class BluezDoor:
    """Open until it is closed; `address` is for clients' `DBUS_SYSTEM_BUS_ADDRESS`."""

    def __init__(self, bus: PrivateBus, tree: Tree, adapters: Sequence[Adapter], monitors: Sequence[Monitors]) -> None:
        self._bus, self.tree, self.adapters, self._monitors = bus, tree, adapters, monitors
        self.address = bus.address

    @classmethod
    async def open(cls, medium: BleMedium, chance: Chance, *, adapters: int = 1) -> "BluezDoor":
        """Raises TransportUnavailableError where there is no D-Bus daemon."""
        seed_bluetooth(chance.stream("ble/bluez"))
        bus = await PrivateBus.open()
        try:
            tree = await Tree.open(bus.address, NAME)
            agents = Agents(tree, medium, chance.stream("ble/agents"))
            made, monitors = [], []
            for number in range(adapters):
                adapter = Adapter(tree, medium, number, chance.stream(f"ble/hci{number}"), agents)
                watching = Monitors(adapter)
                await adapter.open(watching.interface())
                made.append(adapter)
                monitors.append(watching)
        except BaseException:
            await bus.close()
            raise
        return cls(bus, tree, made, monitors)

    async def close(self) -> None:
        """Adapters off, name gone, daemon ended."""
        for monitors in self._monitors:
            monitors.close()
        for adapter in self.adapters:
            adapter.close()
        await self.tree.close()
        await self._bus.close()
