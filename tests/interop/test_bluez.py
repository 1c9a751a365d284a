"""BlueZ's own clients against the emulated `org.bluez`: bluetoothctl, and bleak's BlueZ backend, each beside a home."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.needs import requires_tools

ADDRESS = "C4:00:00:00:00:01"
HOME = f"""
[[accessory]]
id = "thermo"
kind = "ble-peripheral"
name = "Thermo"
address = "{ADDRESS}"
advert = {{ interval = "50ms" }}
pairing = {{ method = "passkey-shown", passkey = "123456" }}
max_connections = 2
[[accessory.service]]
uuid = "180f"
[[accessory.service.characteristic]]
uuid = "2a19"
properties = ["read", "write", "notify"]
number = 100
notify = {{ every = "200ms", values = ["61", "62"] }}
"""
PAIRING = """
[[accessory]]
id = "p{number}"
kind = "ble-peripheral"
address = "C4:00:00:00:00:0{number}"
advert = {{ interval = "50ms" }}
pairing = {{ {pairing} }}
"""
WAYS = (
    'method = "just-works"',
    'method = "just-works", accept = "never"',
    'method = "none"',
    'method = "numeric-comparison"',
    'method = "numeric-comparison", accept = "never"',
    'method = "passkey-typed"',
    'method = "passkey-typed", code = "wrong"',
)
HOME += "".join(PAIRING.format(number=number, pairing=way) for number, way in enumerate(WAYS, start=2))
FAILED = r"Failed to pair: org\.bluez\.Error\.AuthenticationFailed"
READER = f"""
import asyncio, bleak
async def main():
    device = await bleak.BleakScanner.find_device_by_address("{ADDRESS}")
    async with bleak.BleakClient(device) as client:
        values = asyncio.Queue()
        await client.start_notify("2a19", lambda _, data: values.put_nowait(bytes(data)))
        print(device.name, sorted([await values.get(), await values.get()]))
asyncio.run(main())
"""
SCRIPT = (
    ("", r"Agent registered"),
    ("default-agent", r"Default agent request successful"),
    ("scan on", rf"\[NEW\] Device {ADDRESS} Thermo"),
    (f"connect {ADDRESS}", r"Connection successful"),
    ("menu gatt", r"Menu gatt"),
    ("select-attribute 00002a19-0000-1000-8000-00805f9b34fb", r"char[0-9a-f]{4}\]"),
    ("write 0x32", r"Attempting to write"),
    ("read", r"Attempting to read.*?Value"),
    ("notify on", r"Notify started.*?Value:"),
    ("notify off", r"Notify stopped"),
    ("back", r""),
    (f"pair {ADDRESS}", r"Enter passkey"),
    ("654321", FAILED),
    (f"pair {ADDRESS}", r"Enter passkey"),
    ("123456", r"Pairing successful"),
    (f"info {ADDRESS}", r"Paired: yes"),
    (f"remove {ADDRESS}", r"Device has been removed"),
    (f"pair {ADDRESS[:-1]}2", r"Pairing successful"),
    (f"pair {ADDRESS[:-1]}3", FAILED),
    (f"pair {ADDRESS[:-1]}4", FAILED),
    (f"pair {ADDRESS[:-1]}5", r"Confirm passkey \d+"),
    ("no", FAILED),
    (f"pair {ADDRESS[:-1]}5", r"Confirm passkey \d+"),
    ("yes", r"Pairing successful"),
    (f"pair {ADDRESS[:-1]}6", r"Confirm passkey \d+"),
    ("yes", FAILED),
    (f"pair {ADDRESS[:-1]}7", r"Passkey: .*?\d{6}.*?Pairing successful"),
    (f"pair {ADDRESS[:-1]}8", FAILED),
    *((f"info {ADDRESS[:-1]}{number}", rf"Device {ADDRESS[:-1]}{number}.*Paired: yes") for number in (2, 5, 7)),
    ("scan off", r"Discovery stopped"),
    ("menu gatt", r"Menu gatt"),
    ("register-service 180d", r"Primary"),
    ("yes", r""),
    ("register-characteristic 2a37 read,notify", r"Enter value"),
    ("1", r""),
    ("register-application", r"Application registered"),
    ("back", r""),
    ("advertise on", r"Advertising object registered"),
    ("show", r"ActiveInstances: 0x01"),
    ("advertise off", r"Advertising object unregistered"),
    ("quit", r""),
)

pytestmark = pytest.mark.interop


def _beside(tmp_path: Path, program: Path) -> subprocess.CompletedProcess[str]:
    (tmp_path / "home.toml").write_text(HOME)
    command = [sys.executable, "-m", "devices.cli.main", "exec", str(tmp_path / "home.toml"), "--ble", "dbus"]
    return subprocess.run(
        [*command, "--", sys.executable, str(program)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_bleaks_bluez_backend_is_told_values(tmp_path: Path) -> None:
    requires_tools("dbus-daemon")
    program = tmp_path / "reader.py"
    program.write_text(READER)
    done = _beside(tmp_path, program)
    assert (done.returncode, done.stdout) == (0, "Thermo [b'a', b'b']\n"), done.stderr


def test_bluetoothctl_does_all_it_can_do_with_accessories_and_be_one(tmp_path: Path) -> None:
    requires_tools("dbus-daemon", "bluetoothctl")
    program = tmp_path / "drive.py"
    program.write_text("from tests.interop.test_bluez import drive\nraise SystemExit(drive())\n")
    done = _beside(tmp_path, program)
    assert done.returncode == 0, done.stdout + done.stderr


def drive() -> int:
    """Be the person at bluetoothctl: say each line once the answer to the one before is there."""
    return asyncio.run(_drive())


async def _drive() -> int:
    process = await asyncio.create_subprocess_exec(
        "bluetoothctl", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for line, expected in SCRIPT:
        if line:
            process.stdin.write(f"{line}\n".encode())
        said, until = "", asyncio.get_running_loop().time() + 8
        while expected and not re.search(expected, said, re.DOTALL):
            try:
                left = until - asyncio.get_running_loop().time()
                more = await asyncio.wait_for(process.stdout.read(65_536), left)
            except TimeoutError:
                more = b""
            if not more:
                print(f"after {line!r} nothing like {expected!r}; it said:\n{said}")
                process.kill()
                await process.wait()
                return 1
            said += re.sub(r"\x1b\[[0-9;]*[mKP]|[\x01\x02\r]", "", more.decode(errors="replace"))
    await process.wait()
    return 0
