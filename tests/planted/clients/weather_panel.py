"""A hub between a weather sensor and a panel, over Bluetooth LE, by bleak as it is: the panel shows what it is told.

The sensor is known by its service: its name is its owner's business, its handles its firmware's.
"""

import asyncio
import time

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError
from home import chosen_bug

SCENARIO = "clients/weather-panel.toml"
BUGS = {
    "finds-it-by-name": "expect Connected (sensor)",
    "reads-before-it-is-connected": "expect CharacteristicWritten (panel)",
    "reads-by-an-old-handle": "expect CharacteristicWritten (panel)",
    "takes-silence-for-absence": "never CharacteristicWritten (panel)",
    "shows-the-first-of-a-batch": "expect CharacteristicWritten (panel)",
    "takes-news-for-the-whole-value": "expect CharacteristicWritten (panel)",
    "ignores-a-disconnect": "expect Subscribed (sensor)",
}


def uuid(short: str) -> str:
    """All of a UUID."""
    return f"0000{short}-0000-1000-8000-00805f9b34fb"


SENSOR, READING = uuid("fff0"), uuid("fff1")
PANEL, LINE = uuid("fff2"), uuid("fff3")
NAME = "Weather Sensor"
OLD_HANDLE = 15
"""Where the reading was before the sensor got its new firmware."""
NEWS_HEADER = 3
SCAN_SECONDS = 3
SILENCE_SECONDS = 0.4
BATCH_SECONDS = 0.1
LAST = "off"


async def find(service: str) -> BLEDevice:
    """The first device with that service."""
    found = await BleakScanner.find_device_by_filter(
        lambda _device, advert: service in advert.service_uuids, timeout=SCAN_SECONDS
    )
    if found is None:
        raise SystemExit(f"nobody offers {service}")
    return found


class Hub:
    """Reads here, and writes there."""

    def __init__(self, bug: str | None, panel: BleakClient) -> None:
        self.bug = bug
        self.panel = panel
        self.news: asyncio.Queue[str | None] = asyncio.Queue()
        self.heard_at = 0.0

    async def show(self, reading: str) -> None:
        """On the panel."""
        await self.panel.write_gatt_char(LINE, reading.encode(), response=True)

    async def find_sensor(self) -> BLEDevice | None:
        """The sensor, whatever it is called."""
        if self.bug == "finds-it-by-name":
            return await BleakScanner.find_device_by_name(NAME, timeout=SCAN_SECONDS)
        return await find(SENSOR)

    async def run(self) -> None:
        """Connect and tell, again and again."""
        while device := await self.find_sensor():
            client = BleakClient(device, disconnected_callback=lambda _client: self.news.put_nowait(None))
            if self.bug == "reads-before-it-is-connected":
                connecting = asyncio.ensure_future(client.connect())
                await self.show(await self.read(client))
                await connecting
            else:
                await client.connect()
                await self.show(await self.read(client))
            if await self.tell(client):
                return

    async def read(self, client: BleakClient) -> str:
        """The reading now."""
        try:
            return (
                await client.read_gatt_char(OLD_HANDLE if self.bug == "reads-by-an-old-handle" else READING)
            ).decode()
        except BleakError:
            return "--"

    def told(self, client: BleakClient, value: bytes) -> None:
        """A notification: the value, or as much of it as fits."""
        now = time.monotonic()
        is_late, self.heard_at = now - self.heard_at < BATCH_SECONDS, now
        if is_late and self.bug == "shows-the-first-of-a-batch":
            return
        is_cut = len(value) == client.mtu_size - NEWS_HEADER and self.bug != "takes-news-for-the-whole-value"
        self.news.put_nowait("" if is_cut else value.decode())

    async def tell(self, client: BleakClient) -> bool:
        """Subscribe, and show what comes; True at the end of it all, False when the sensor has parted."""
        await client.start_notify(READING, lambda _which, value: self.told(client, bytes(value)))
        while True:
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    reading = await self.news.get()
            except TimeoutError:
                if self.bug == "takes-silence-for-absence":
                    await self.show("offline")
                continue
            if reading is None:
                if self.bug != "ignores-a-disconnect":
                    return False
                continue
            reading = reading or await self.read(client)
            await self.show(reading)
            if reading == LAST:
                return True


async def main() -> None:
    """Find the panel, and keep it up to date."""
    bug = chosen_bug(BUGS)
    async with BleakClient(await find(PANEL)) as panel:
        await Hub(bug, panel).run()


if __name__ == "__main__":
    asyncio.run(main())
