"""An iPhone app that watches a camera over a data path and a sensor over Bluetooth LE, and says on a panel how it is.

In the middle everything is silent for a while, as with a locked screen: no error, no end, and what is written succeeds.
"""

import asyncio
from typing import Any

from bleak import BleakClient, BleakScanner
from home import accessory, chosen_bug, control

SCENARIO = "clients/stall-while-all-is-open.toml"
BUGS = {
    "hangs-while-it-waits": "expect CharacteristicWritten (panel)",
    "takes-silence-for-success": "expect CharacteristicWritten (panel)",
    "takes-a-stall-for-the-end": "expect CharacteristicWritten (panel)",
    "begins-anew-at-once": "never DataPathClosed (phone)",
}


def uuid(short: str) -> str:
    """All of a UUID."""
    return f"0000{short}-0000-1000-8000-00805f9b34fb"


SENSOR, READING = uuid("fff0"), uuid("fff1")
PANEL, LINE = uuid("fff2"), uuid("fff3")
WIFI_AWARE = "phones/phone/wifi-aware"
SERVICE = "_sat-simulation._udp"
PING = b"ping"
SILENCE_SECONDS = 0.5
PATIENCE_SECONDS = 5
PAUSE_SECONDS = 0.1


async def connected(service: str) -> BleakClient:
    """The device with that service."""
    found = await BleakScanner.find_device_by_filter(lambda _device, advert: service in advert.service_uuids)
    assert found is not None
    client = BleakClient(found)
    await client.connect()
    return client


class Watch:
    """One data path with its connection, one sensor, one panel."""

    def __init__(self, bug: str | None, sensor: BleakClient, panel: BleakClient) -> None:
        self.bug = bug
        self.sensor = sensor
        self.panel = panel
        self.said = ""

    async def open(self, device: str) -> None:
        """Open a data path and connect to what is at its end."""
        opened: dict[str, Any] = control("POST", f"{WIFI_AWARE}/connections", {"to": device})["value"]
        self.path = opened["id"]
        host, _, port = opened["endpoints"]["tcp"].rpartition(":")
        self.reader, self.writer = await asyncio.open_connection(host, int(port))

    async def say(self, state: str) -> None:
        """On the panel, where it is news."""
        if state != self.said:
            self.said = state
            await self.panel.write_gatt_char(LINE, state.encode(), response=True)

    async def ask(self) -> None:
        """A ping to the camera and back, and a reading of the sensor at the same time."""
        self.writer.write(PING)
        await self.writer.drain()
        if self.bug != "takes-silence-for-success":
            await asyncio.gather(self.reader.readexactly(len(PING)), self.sensor.read_gatt_char(READING))

    async def outlast(self, asking: "asyncio.Future[None]") -> None:
        """The stall may end, and then what was asked is answered."""
        if self.bug == "begins-anew-at-once":
            control("DELETE", f"{WIFI_AWARE}/connections/{self.path}")
        elif self.bug != "takes-a-stall-for-the-end":
            await asyncio.wait((asking,), timeout=PATIENCE_SECONDS)
            await self.say("live" if asking.done() and asking.exception() is None else "gone")
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    async def run(self, device: str) -> None:
        """Until it has been live, stalled, and live again."""
        await self.open(device)
        for _ in range(100):
            asking = asyncio.ensure_future(self.ask())
            patience = None if self.bug == "hangs-while-it-waits" else SILENCE_SECONDS
            done, _pending = await asyncio.wait((asking,), timeout=patience)
            if not done:
                await self.say("stalled")
                await self.outlast(asking)
                return
            await self.say("live")
            await asyncio.sleep(PAUSE_SECONDS)


async def main() -> None:
    """Pair, connect, watch."""
    bug = chosen_bug(BUGS)
    pin = accessory("camera")["shows"]["code"]
    picked = control("POST", f"{WIFI_AWARE}/picker", {"service": SERVICE, "code": pin})
    sensor, panel = await connected(SENSOR), await connected(PANEL)
    await Watch(bug, sensor, panel).run(picked["value"]["device"]["id"])
    await sensor.disconnect()
    await panel.disconnect()


if __name__ == "__main__":
    asyncio.run(main())
