"""bleak's adapter (3.1 and later): the devices that this program is connected to."""

from typing import Any

from bleak.backends.adapter import BaseBleakAdapter
from bleak.backends.device import BLEDevice

from devices.bluetooth.bleak_backend.central import Central


class PairlabAdapter(BaseBleakAdapter):
    """The one adapter."""

    @classmethod
    async def get(cls, **_platform: Any) -> "PairlabAdapter":
        """Whether there is a home shows at the first use."""
        await Central.get()
        return cls()

    async def get_connected_devices(self, service_uuids: frozenset[str]) -> list[BLEDevice]:
        """Those that offer one of the services."""
        central = await Central.get()
        return [
            BLEDevice(address, central.names.get(address), {"address": address})
            for address, client in central.connected.items()
            if any(service.uuid in service_uuids for service in client.services or ())
        ]


BACKEND = PairlabAdapter
