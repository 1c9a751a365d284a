"""Unmodified bleak against a home, by the pytest fixture and by `pairlab exec --ble bleak`."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakBluetoothNotAvailableError, BleakDeviceNotFoundError, BleakError

from devices.home import Home

HOME = """
[[accessory]]
id = "thermo"
kind = "ble-peripheral"
name = "Thermo"
advert = { interval = "20ms", manufacturer = { "004c" = "0215" }, service_data = { "180f" = "64" }, tx_power = -4 }
pairing = { method = "just-works" }
[[accessory.service]]
uuid = "180f"
[[accessory.service.characteristic]]
uuid = "2a19"
properties = ["read", "write", "notify"]
number = 100
[[accessory.service.characteristic]]
uuid = "2a3d"
security = "encrypted"
text = "secret"
[[accessory.service.characteristic]]
uuid = "2a3e"
security = "authenticated"
text = "more secret"
"""
pytestmark = pytest.mark.interop


def test_an_advert_is_told_in_bleaks_words(pairlab_home, pairlab_bleak) -> None:
    async def scan():
        async with BleakScanner() as scanner:
            async for device, advert in scanner.advertisement_data():
                if advert.local_name:
                    return device, advert
        raise AssertionError

    home: Home = pairlab_home(HOME)
    device, advert = asyncio.run(scan())
    assert (device.address, device.name) == (home["thermo"].endpoints["ble"], "Thermo")
    assert advert.manufacturer_data == {0x4C: b"\x02\x15"}
    battery = "0000180f-0000-1000-8000-00805f9b34fb"
    assert (advert.service_uuids, advert.service_data) == ([battery], {battery: b"d"})
    assert (advert.tx_power, advert.rssi) == (-4, -50)


def test_reading_writing_and_what_a_protected_value_needs(pairlab_home, pairlab_bleak) -> None:
    async def use() -> list[bytes]:
        device = await BleakScanner.find_device_by_name("Thermo")
        gone = asyncio.Event()
        async with BleakClient(device, disconnected_callback=lambda _client: gone.set()) as client:
            await client.write_gatt_char("2a19", b"\x32", response=True)
            values = [await client.read_gatt_char("2a19"), await client.read_gatt_char("2a3d")]
            with pytest.raises(BleakError):
                await client.read_gatt_char("2a3e")
            assert client.mtu_size == 185
        await gone.wait()
        async with BleakClient(device) as client:  # the bond serves again
            values.append(await client.read_gatt_char("2a3d"))
        return [bytes(each) for each in values]

    home: Home = pairlab_home(HOME)
    assert asyncio.run(use()) == [b"2", b"secret", b"secret"]
    kinds = [each.type for each in home.events.all() if each.type.startswith("Pairing")]
    assert kinds == ["PairingRequested", "PairingCompleted", "PairingVerified"]


def test_a_bonded_device_is_known_by_its_own_address_whatever_it_goes_under(pairlab_home, pairlab_bleak) -> None:
    async def use() -> list[str]:
        stranger = await BleakScanner.find_device_by_name("Thermo")
        async with BleakClient(stranger, pair=True) as client:
            assert bytes(await client.read_gatt_char("2a3d")) == b"secret"
        private = {"address": {"matches": "^[4-7]"}}
        rotated = await home.events.wait_async("Advertised", where=private, after=len(home.events.all()))
        friend = await BleakScanner.find_device_by_name("Thermo")
        async with BleakClient(friend.address) as client:
            assert bytes(await client.read_gatt_char("2a3d")) == b"secret"
            await client.unpair()
        forgotten = await BleakScanner.find_device_by_name("Thermo")
        assert forgotten.address != friend.address
        return [rotated.as_json()["address"], friend.address]

    lie = 'lies = [{ kind = "rotates-address", every = "1s" }]\n[[accessory.service]]'
    home: Home = pairlab_home(HOME.replace("[[accessory.service]]", lie, 1))
    on_the_air, told = asyncio.run(use())
    assert told == home["thermo"].facts["address"] != on_the_air
    assert len(home.events.all("PairingCompleted")) == len(home.events.all("PairingVerified")) == 1


def test_the_accessory_parting_is_told_and_its_absence_is_named(pairlab_home, pairlab_bleak) -> None:
    home: Home = pairlab_home(HOME)

    async def use() -> None:
        device = await BleakScanner.find_device_by_name("Thermo")
        gone = asyncio.Event()
        async with BleakClient(device, disconnected_callback=lambda _client: gone.set()) as client:
            await asyncio.to_thread(home["thermo"].do("disconnect").result)
            await asyncio.wait_for(gone.wait(), 5)
            with pytest.raises(BleakError):
                await client.read_gatt_char("2a19")
        with pytest.raises(BleakDeviceNotFoundError):
            await BleakClient("C4:00:00:00:00:99", timeout=0.3).connect()
        await asyncio.to_thread(home["thermo"].do("hide").result)
        with pytest.raises(TimeoutError):
            await BleakClient(device, timeout=0.1).connect()
        await asyncio.to_thread(home["thermo"].do("advertise").result)
        async with BleakClient(device, timeout=5) as client:
            assert client.is_connected

    asyncio.run(use())


def test_without_a_home_there_is_no_bluetooth(pairlab_bleak) -> None:
    with pytest.raises(BleakBluetoothNotAvailableError, match="no pairlab home"):
        asyncio.run(BleakScanner.discover(0.1))


def test_a_program_beside_a_home_needs_no_change(tmp_path: Path) -> None:
    (tmp_path / "home.toml").write_text(HOME)
    (tmp_path / "sitecustomize.py").write_text("print('theirs')\n")
    (tmp_path / "app.py").write_text(
        "import asyncio, bleak\n"
        "async def main():\n"
        "    device = await bleak.BleakScanner.find_device_by_name('Thermo')\n"
        "    async with bleak.BleakClient(device) as client:\n"
        "        print(bytes(await client.read_gatt_char('2a19')))\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-m", "devices.cli.main", "exec", "home.toml", "--ble", "bleak"]
    done = subprocess.run(
        [*command, "--", sys.executable, "app.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # Once for pairlab itself, once for the program.
    assert (done.returncode, done.stdout.split()) == (0, ["theirs", "theirs", "b'd'"]), done.stderr


def test_a_python_without_bumble_keeps_the_systems_bluetooth_and_says_so() -> None:
    site = Path(__file__).parents[3] / "devices" / "bluetooth" / "bleak_backend" / "site" / "sitecustomize.py"
    code = f"import runpy; runpy.run_path({str(site)!r}); print('on')"
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "on\n"), done.stderr
    assert "this Python lacks bumble" in done.stderr
