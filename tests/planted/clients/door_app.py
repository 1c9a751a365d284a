"""An app for the doors of a house and the tag on a key ring, over Bluetooth LE, by bleak as it is.

The tag changes its address every now and then, as private devices do. The doors obey paired ones alone: the front door
pairs with everybody, the back door's owner never agrees.
"""

import asyncio

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError
from home import chosen_bug, wait_for

SCENARIO = "clients/doors-and-a-tag.toml"
BUGS = {
    "remembers-the-address": "expect Connected (tag)",
    "writes-and-hopes": "expect CharacteristicWritten (front)",
    "trusts-its-old-bond": "expect PairingCompleted (front)",
    "asks-to-pair-for-ever": "never PairingRequested (back)",
}


def uuid(short: str) -> str:
    """All of a UUID."""
    return f"0000{short}-0000-1000-8000-00805f9b34fb"


TAG, CHARGE = uuid("fff0"), uuid("fff1")
FRONT, BACK, ORDER = uuid("fff2"), uuid("fff3"), uuid("fff4")
CONNECT_SECONDS = 1.0
SCAN_SECONDS = 3.0


async def find(service: str) -> BLEDevice | None:
    """The first device with that service, under the address that it has now."""
    return await BleakScanner.find_device_by_filter(
        lambda _device, advert: service in advert.service_uuids, timeout=SCAN_SECONDS
    )


async def charge(device: BLEDevice) -> bytes | None:
    """The charge of the tag; None if it is not there."""
    try:
        async with BleakClient(device, timeout=CONNECT_SECONDS) as tag:
            return bytes(await tag.read_gatt_char(CHARGE))
    except (BleakError, TimeoutError):
        return None


async def watch_tag(bug: str | None) -> None:
    """Read the charge now and a quarter of an hour later, when it has changed its address and is looked for again."""
    device = await find(TAG)
    if device is not None:
        await charge(device)
    wait_for("FaultFired", actor="tag", kind="rotates-address")
    if bug != "remembers-the-address":
        device = await find(TAG)
    if device is not None:
        await charge(device)


async def order(service: str, word: bytes, *, does_pair: bool = True, tries: int = 1) -> bool:
    """Tell a door what to do; whether it has said that it will."""
    device = await find(service)
    if device is None:
        return False
    async with BleakClient(device) as door:
        for _ in range(tries):
            try:
                if does_pair:
                    await door.pair()
                await door.write_gatt_char(ORDER, word, response=does_pair)
                return True
            except BleakError as problem:
                print(f"{word.decode()}: {problem}")
    return False


async def main() -> None:
    """The tag, the front door today and tomorrow, the back door."""
    bug = chosen_bug(BUGS)
    await watch_tag(bug)
    await order(FRONT, b"open", does_pair=bug != "writes-and-hopes")
    wait_for("BondForgotten", actor="front")
    await order(FRONT, b"close", does_pair=bug != "trusts-its-old-bond")
    await order(BACK, b"open", tries=100 if bug == "asks-to-pair-for-ever" else 1)


if __name__ == "__main__":
    asyncio.run(main())
