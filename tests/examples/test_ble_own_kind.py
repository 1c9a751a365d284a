"""An accessory of one's own: a subclass that changes a value so often, met by unmodified bleak code."""

import asyncio

from bleak import BleakClient, BleakScanner

from devices.accessories.ble_peripheral import BlePeripheral
from devices.accessories.registry import accessory


@accessory("stopwatch")
class Stopwatch(BlePeripheral):
    interval = "50ms"
    ticks = 0

    def run_at_interval(self):
        self.ticks += 1
        self.put("fff1", bytes([self.ticks]))


HOME = """
[[accessory]]
kind = "stopwatch"
name = "Stopwatch"
[[accessory.service]]
uuid = "fff0"
characteristic = [{ uuid = "fff1", properties = ["read", "notify"] }]
"""


async def two_ticks():
    device = await BleakScanner.find_device_by_name("Stopwatch")
    ticks = asyncio.Queue()
    async with BleakClient(device) as client:
        await client.start_notify("fff1", lambda _, data: ticks.put_nowait(data[0]))
        return [await ticks.get(), await ticks.get()]


def test_a_stopwatch_ticks(pairlab_home, pairlab_bleak):
    pairlab_home(HOME)
    first, second = asyncio.run(two_ticks())
    assert second == first + 1
