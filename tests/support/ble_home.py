"""A home with Bluetooth LE accessories on virtual time, and a central of Bumble's beside them."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from bumble import hci
from bumble.core import UUID
from bumble.device import Connection, Device, Peer
from bumble.pairing import PairingDelegate

from devices.bluetooth.chance import seed_bluetooth
from devices.bluetooth.radio import Radio
from devices.home.live import HomeOptions, LiveHome
from devices.sim import VirtualTimeLoop
from devices.spec import load_home
from tests.support.ble import bumble_device

T = TypeVar("T")
Capability = PairingDelegate.IoCapability


class Central:
    """A phone-like central that keeps its bonds."""

    def __init__(self, home: LiveHome, device: Device) -> None:
        self.home = home
        self.device = device

    @classmethod
    async def of(
        cls, home: LiveHome, capability: Any = Capability.NO_OUTPUT_NO_INPUT, type_in: Callable[[], int] = int
    ) -> "Central":
        class Delegate(PairingDelegate):
            async def get_number(self) -> int:
                await home.clock.sleep(100_000)
                return type_in()

        seed_bluetooth(home.chance.stream("test/central"))
        radio = Radio(
            home.ble, "central", "02:00:00:00:00:02", home.chance.stream("test/radio"), home.ble.tap_of("central")
        )
        device = bumble_device(radio, "central", 2, Delegate(capability))
        await device.power_on()
        return cls(home, device)

    async def connect(self, accessory: str) -> Connection:
        return await self.device.connect(hci.Address(self.home.accessories[accessory].endpoints["ble"]))

    async def found(self, connection: Connection, uuid: str) -> Any:
        """A characteristic by its UUID, the last of several."""
        peer = Peer(connection)
        await peer.discover_services()
        await peer.discover_characteristics()
        return peer.get_characteristics_by_uuid(UUID(uuid))[-1]


def run_home(tmp_path: Path, toml: str, work: Callable[[LiveHome], Awaitable[T]], seed: int = 1) -> T:
    """Bring a home up on virtual time, do the work, take it down."""
    path = tmp_path / "home.toml"
    path.write_text(toml)
    loop = VirtualTimeLoop()

    async def live() -> T:
        home = LiveHome(load_home(path), HomeOptions(virtual=True, seed=seed))
        await home.start()
        try:
            return await work(home)
        finally:
            await home.stop()

    try:
        return loop.run_until_complete(live())
    finally:
        loop.close()


def told(home: LiveHome, *types: str) -> list[dict[str, Any]]:
    """The home's events of these types, in order."""
    return [each.as_json() for each in home.log.since() if each.type in types]
