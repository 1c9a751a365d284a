"""Bluetooth LE at scale: processor time of many advertising accessories, connections through bleak, memory.

`python scripts/bench/ble.py [--quick]` runs each case in a process of its own: our radio with nobody scanning, with a
scanner at the medium (as the emulated BlueZ hears), and with a host that scans over HCI; beside it stock Bumble's
LocalLink with one scanning host, and the ratio, below 1 where ours is cheaper. The stock link is left out where it does
not keep up. Then bleak, unmodified, connects, discovers and reads through both doors.
"""

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

os.environ.setdefault("PAIRLAB_REACH", "loopback")
KINDS = ("nobody", "medium", "hci", "stock")
CASES = ((1, 1_000), (50, 1_000), (200, 1_000), (500, 1_000), (1, 100), (50, 100), (200, 100), (500, 100))
SERVICES = (("180f", "2a19"), ("180a", "2a29"), ("fff0", "fff1"))
ROUNDS = 20
HOME = """
[ble]
hci = "127.0.0.1:0"
[[accessory]]
id = "it"
kind = "ble-peripheral"
name = "It"
address = "C4:00:00:00:00:01"
advert = { interval = "100ms" }
""" + "".join(
    f'[[accessory.service]]\nuuid = "{service}"\n[[accessory.service.characteristic]]\nuuid = "{value}"\nvalue = "01"\n'
    for service, value in SERVICES
)
CLIENT = """
import asyncio, json, time, bleak
async def main():
    device = await bleak.BleakScanner.find_device_by_address("C4:00:00:00:00:01")
    connects, reads = [], []
    for _ in range(ROUNDS):
        client = bleak.BleakClient(device)
        start = time.perf_counter()
        await client.connect()
        connects.append(time.perf_counter() - start)
        for _ in range(10):
            start = time.perf_counter()
            await client.read_gatt_char("2a19")
            reads.append(time.perf_counter() - start)
        await client.disconnect()
    print(json.dumps([connects, reads]))
asyncio.run(main())
"""


async def ours(kind: str, count: int, interval_ms: int, seconds: float) -> dict[str, float]:
    """A home of so many accessories, and who listens."""
    import devices.bluetooth.station  # noqa: F401  # so that importing it counts for nobody
    from devices.accessories.registry import kinds
    from devices.home.live import HomeOptions, LiveHome
    from devices.spec import read_home

    table = {"kind": "ble-peripheral", "advert": {"interval": f"{interval_ms}ms"}}
    table["service"] = [{"uuid": each, "characteristic": [{"uuid": value}]} for each, value in SERVICES]
    home = {"accessory": [{"id": f"a{number}", "name": f"A{number}", **table} for number in range(count)]}
    kinds()  # their modules count for nobody, either
    live = LiveHome(read_home(home, "bench"), HomeOptions(seed=1))
    before = _kibibytes()
    await live.start()
    memory = (_kibibytes() - before) / count
    heard = [0]

    def hear(*_told: object) -> None:
        heard[0] += 1

    if kind == "medium":
        live.ble.join("scanner", hear, lambda *_: None, lambda *_: None).listen(True)
    elif kind == "hci":
        from devices.bluetooth.radio import Radio

        await _scan(Radio(live.ble, "scanner", "02:00:00:00:00:02", live.chance.stream("scanner")), hear)
    figures = await _measured(seconds, heard)
    await live.stop()
    return figures | {"kibibytes": memory}


async def stock(count: int, interval_ms: int, seconds: float) -> dict[str, float]:
    """The same many peripherals on Bumble's own controllers and link."""
    from bumble import gatt, hci
    from bumble.controller import Controller
    from bumble.core import UUID
    from bumble.device import AdvertisingType, Device, DeviceConfiguration
    from bumble.host import Host
    from bumble.link import LocalLink
    from bumble.transport.common import AsyncPipeSink

    link = LocalLink()
    before = _kibibytes()
    devices = []
    for number in range(count):
        controller = Controller(f"a{number}", link=link)
        config = DeviceConfiguration(
            name=f"A{number}", address=hci.Address(f"C4:00:00:00:{number >> 8:02X}:{number & 255:02X}")
        )
        device = Device(config=config, host=Host(controller, AsyncPipeSink(controller)))
        for service, value in SERVICES:
            made = gatt.Characteristic(
                UUID(value), gatt.Characteristic.Properties.READ, gatt.Characteristic.READABLE, b"\x01"
            )
            device.add_service(gatt.Service(UUID(service), [made]))
        await device.power_on()
        await device.start_advertising(
            AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE,
            advertising_interval_min=interval_ms,
            advertising_interval_max=interval_ms,
        )
        devices.append(device)
    memory = (_kibibytes() - before) / count
    heard = [0]

    def hear(*_told: object) -> None:
        heard[0] += 1

    await _scan(Controller("scanner", link=link), hear)
    return await _measured(seconds, heard) | {"kibibytes": memory}


async def _scan(controller: object, hear: object) -> None:
    from bumble import hci
    from bumble.device import Device, DeviceConfiguration
    from bumble.host import Host
    from bumble.transport.common import AsyncPipeSink

    config = DeviceConfiguration(name="scanner", address=hci.Address("C4:FF:00:00:00:01"))
    device = Device(config=config, host=Host(controller, AsyncPipeSink(controller)))
    device.on("advertisement", hear)
    await device.power_on()
    await device.start_scanning(active=True, filter_duplicates=False)


async def _measured(seconds: float, heard: list[int]) -> dict[str, float]:
    await asyncio.sleep(1)
    heard[0] = 0
    start, cpu = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    took = time.monotonic() - start
    return {"cpu": (time.process_time() - cpu) / took, "heard": heard[0] / took}


def _kibibytes() -> float:
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def case(kind: str, count: int, interval_ms: int, seconds: float) -> dict[str, float] | None:
    """One case in a process of its own; None if it does not end."""
    command = [sys.executable, __file__, "--case", kind, str(count), str(interval_ms), str(seconds)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=True)
    except subprocess.TimeoutExpired:
        return None
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def door(name: str) -> list[float]:
    """Connecting with discovery, and a read, through a door of `exec --ble`: median and best of each in ms."""
    with tempfile.TemporaryDirectory() as folder:
        home, program = Path(folder, "home.toml"), Path(folder, "client.py")
        home.write_text(HOME)
        program.write_text(f"ROUNDS = {ROUNDS}\n{CLIENT}")
        command = [sys.executable, "-m", "devices.cli.main", "exec", str(home), "--ble", name]
        done = subprocess.run(
            [*command, "--", sys.executable, str(program)],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    connects, reads = json.loads(done.stdout.splitlines()[-1])
    return [1_000 * best(times) for times in (connects, reads) for best in (statistics.median, min)]


def main() -> None:
    """Every case, or one of them in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter, and without 500")
    parser.add_argument("--case", nargs=4, metavar=("KIND", "COUNT", "MS", "SECONDS"))
    arguments = parser.parse_args()
    if arguments.case:
        kind, count, interval, seconds = arguments.case
        work = stock if kind == "stock" else lambda *rest: ours(kind, *rest)
        print(json.dumps(asyncio.run(work(int(count), int(interval), float(seconds)))))
        return
    seconds = 2.0 if arguments.quick else 5.0
    print(
        f"{'accessories':>11} {'every':>7} "
        + " ".join(f"{each:>8}" for each in KINDS)
        + "   hci/stock  heard/s  KiB each"
    )
    for count, interval in CASES:
        if arguments.quick and count == 500:
            continue
        # The stock link gives every advert to every controller; past this it no longer ends.
        kinds = KINDS if count * count * (1_000 // interval) <= 100_000 else KINDS[:-1]
        found = {kind: case(kind, count, interval, seconds) for kind in kinds}
        shares = {kind: each["cpu"] if each else None for kind, each in found.items()}
        row = " ".join(f"{shares[kind]:8.1%}" if shares.get(kind) is not None else f"{'-':>8}" for kind in KINDS)
        ratio = shares["hci"] / shares["stock"] if shares.get("stock") and shares["hci"] else None
        hci = found["hci"] or {"heard": 0.0, "kibibytes": 0.0}
        shown = f"{ratio:11.2f}" if ratio is not None else f"{'-':>11}"
        print(f"{count:>11} {interval:>4} ms {row} {shown} {hci['heard']:8.0f} {hci['kibibytes']:9.0f}", flush=True)
    for name in ("dbus", "bleak") if sys.platform == "linux" else ("bleak",):
        connect, best_connect, read, best_read = door(name)
        print(
            f"exec --ble {name:<6} connect and discover {connect:.1f} ms (best {best_connect:.1f}), "
            f"read {read:.2f} ms (best {best_read:.2f})"
        )


if __name__ == "__main__":
    main()
