"""Faults of Bluetooth as unmodified bleak meets them: once over BlueZ's door, once over bleak's own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.needs import requires_tools

pytestmark = [pytest.mark.interop, pytest.mark.slow]
TABLE = """
[[accessory.service]]
uuid = "180f"
[[accessory.service.characteristic]]
uuid = "2a19"
properties = ["read", "notify"]
number = 100
notify = { every = "EVERY", values = ["63", "62", "61", "60"] }
"""
LIES = {
    "Parts": '"parts-on-read"',
    "Tiny": '"small-mtu"',
    "Slow": '{ kind = "slow-news", delay = "1s" }',
    "Early": '"early-news"',
    "Batch": '{ kind = "batched-news", hold = "1s" }',
    "Truth": '{ kind = "other-name", name = "Else" }',
    "Moves": '{ kind = "rotates-address", every = "500ms" }',
}
WIRE = """
[[fault]]
kind = "drop"
target = "lossy"
medium = "ble"
probability = 0.5
[[fault]]
kind = "delay"
target = "late"
medium = "ble"
delay = "1s"
"""
PROGRAM = """
import asyncio, bleak, json, time

async def main():
    heard, started = {}, time.monotonic()
    def hear(device, advert):
        heard.setdefault(advert.local_name, []).append((device.address, time.monotonic() - started))
    async with bleak.BleakScanner(hear):
        await asyncio.sleep(1.8)
    told = {
        "names": sorted(name for name in heard if name),
        "addresses": len({address for address, _ in heard["Moves"]}),
        "lossy": len(heard["Lossy"]) < len(heard["Tiny"]),
        "late": heard["Late"][0][1] > 0.9,
    }
    async def news_of(name):
        at = []
        async with bleak.BleakClient(heard[name][-1][0]) as client:
            began = time.monotonic()
            await client.start_notify("2a19", lambda _, data: at.append(time.monotonic() - began))
            await asyncio.sleep(1.6)
        return at
    # Lateness counts from the value, which may be older than the subscription.
    told["slow"] = (await news_of("Slow"))[0] > 0.4
    batch = await news_of("Batch")
    told["batch"] = batch[0] > 0.4 and batch[4] - batch[0] < 0.1
    async with bleak.BleakClient(heard["Early"][-1][0]) as client:
        at = []
        await client.start_notify("2a19", lambda _, data: at.append(bytes(data)))
        await asyncio.sleep(0.05)
        told["early"] = at[0][0]
    async with bleak.BleakClient(heard["Tiny"][-1][0]) as client:
        told["mtu"] = client.services.get_characteristic("2a19").max_write_without_response_size + 3
    gone = asyncio.Event()
    client = bleak.BleakClient(heard["Parts"][-1][0], lambda _: gone.set())
    await client.connect()
    try:
        await client.read_gatt_char("2a19")
    except bleak.BleakError:
        await asyncio.wait_for(gone.wait(), 2)
        told["parts"] = client.is_connected
    moves = await bleak.BleakScanner.find_device_by_name("Moves")
    async with bleak.BleakClient(moves) as client:
        await asyncio.sleep(0.7)
        told["read"] = len(await client.read_gatt_char("2a19"))
    print(json.dumps(told))

asyncio.run(main())
"""


@pytest.mark.parametrize("door", ["dbus", "bleak"])
def test_every_fault_of_bluetooth_reaches_a_program_over_either_door(tmp_path: Path, door: str) -> None:
    if door == "dbus":
        requires_tools("dbus-daemon")
    kinds = {**LIES, "Lossy": "", "Late": ""}
    home = "".join(
        f'[[accessory]]\nid = "{name.lower()}"\nname = "{name}"\nkind = "ble-peripheral"\n'
        f'advert = {{ interval = "50ms" }}\n'
        f"lies = [{lie}]\n{TABLE.replace('EVERY', '60s' if name == 'Early' else '100ms')}"
        for name, lie in kinds.items()
    )
    (tmp_path / "home.toml").write_text(home + WIRE)
    (tmp_path / "app.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "devices.cli.main", "exec", str(tmp_path / "home.toml"), "--ble", door]
    done = subprocess.run(
        [*command, "--", sys.executable, str(tmp_path / "app.py")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert told.pop("addresses") >= 3
    assert told == {
        "names": sorted({*kinds, "Else"} - {"Truth"}),
        "lossy": True,
        "late": True,
        "slow": True,
        "batch": True,
        "early": 100,
        "mtu": 23,
        "parts": False,
        "read": 1,
    }
