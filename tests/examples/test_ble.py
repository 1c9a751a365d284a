"""A heart-rate strap for tests: bleak code under test, unmodified, on any system and without a radio."""

import asyncio

from bleak import BleakClient, BleakScanner

HOME = """
[[accessory]]
id = "strap"
kind = "ble-peripheral"
name = "Strap"
[[accessory.service]]
uuid = "180d"
[[accessory.service.characteristic]]
uuid = "2a37"
properties = ["notify"]
notify = { every = "50ms", values = ["003c", "003d"] }
"""


async def two_beats():
    device = await BleakScanner.find_device_by_name("Strap")
    beats = asyncio.Queue()
    async with BleakClient(device) as client:
        await client.start_notify("2a37", lambda _, data: beats.put_nowait(data[1]))
        return [await beats.get(), await beats.get()]


def test_a_strap_tells_its_beats(pairlab_home, pairlab_bleak):
    pairlab_home(HOME)
    assert sorted(asyncio.run(two_beats())) == [60, 61]
