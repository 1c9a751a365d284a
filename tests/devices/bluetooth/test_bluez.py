"""The emulated BlueZ under clients that die and clients that are many."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from dbus_fast import Message, MessageType, Variant

from devices.bluetooth.bluez.door import BluezDoor
from devices.home.live import HomeOptions, LiveHome
from devices.spec import read_home
from tests.support.bluez import ADAPTER, Client, until
from tests.support.needs import requires_tools

ADDRESS = "C4:00:00:00:00:01"
DEVICE = "/org/bluez/hci0/dev_C4_00_00_00_00_01"
READ = "org.bluez.GattCharacteristic1.ReadValue"
LEVEL = {"uuid": "2a19", "properties": ["read", "notify"], "value": "64"}
CONTROL = {"uuid": "2a1b", "properties": ["read", "write-without-response"]}
THERMO = {
    "id": "thermo",
    "kind": "ble-peripheral",
    "name": "Thermo",
    "address": ADDRESS,
    "advert": {"interval": "20ms"},
    "max_connections": 2,
    "service": [{"uuid": "180f", "characteristic": [LEVEL, CONTROL]}],
}
MANY_SCANS = """
import asyncio, threading
from bleak import BleakScanner
CYCLES, CLIENTS = 80, 3
found, failed = [], []
async def scan(number):
    for _ in range(CYCLES):
        names = set()
        async with BleakScanner(lambda device, _advert: names.add(device.name)):
            await asyncio.sleep(0.05)
        found.append(len(names))
def client(number):
    try:
        asyncio.run(scan(number))
    except Exception as problem:
        failed.append(repr(problem))
threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
for each in threads:
    each.start()
for each in threads:
    each.join()
print(len(found), sum(found) > 200, failed)
"""


async def _found(client: Client) -> None:
    await client.call(ADAPTER, "org.bluez.Adapter1.StartDiscovery")
    await until(lambda: ADDRESS in client.door.adapters[0].devices)


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _level(door: BluezDoor, device: str) -> str:
    """The path of its battery level."""
    return _characteristic(door, device, "2a19")


def _characteristic(door: BluezDoor, device: str, uuid: str) -> str:
    paths = (each for each in door.tree.paths() if each.startswith(f"{device}/"))
    kind = "org.bluez.GattCharacteristic1"
    return next(each for each in paths if (door.tree.get(each, kind, "UUID") or "").startswith(f"0000{uuid}"))


def _beside(work: Callable[[LiveHome, BluezDoor], Awaitable[None]], adapters: int = 1, **more: object) -> None:
    requires_tools("dbus-daemon")

    async def live() -> None:
        home = LiveHome(read_home({"accessory": [{**THERMO, **more}]}, "test"), HomeOptions(seed=1))
        await home.start()
        door = await BluezDoor.open(home.ble, home.chance, adapters=adapters)
        try:
            await asyncio.wait_for(work(home, door), 20)
        finally:
            await door.close()
            await home.stop()

    asyncio.run(live())


@pytest.mark.parametrize("stage", ["out of range", "discovering"])
def test_a_client_that_dies_while_it_connects_leaves_nothing_behind(stage: str) -> None:
    async def work(home: LiveHome, door: BluezDoor) -> None:
        dying, heir = await Client.of(door), await Client.of(door)
        await _found(dying)
        radio = door.adapters[0].radio
        if stage == "out of range":
            home.ble.separate("thermo", "hci0")
        attempt = asyncio.ensure_future(dying.call(DEVICE, "org.bluez.Device1.Connect"))
        await until(lambda: radio.pending_le_connection is not None or bool(radio.le_connections))
        if stage == "discovering":
            await until(lambda: bool(radio.le_connections))
            home.ble.separate("thermo", "hci0")  # it must not be done before the bus has noticed
        dying.bus.disconnect()
        attempt.cancel()  # dbus-fast may leave it waiting for ever
        await asyncio.wait([attempt])
        adapter = door.adapters[0]
        await until(lambda: not adapter.connecting.locked() and not radio.le_connections)
        assert radio.pending_le_connection is None
        assert not await heir.property(ADAPTER, "org.bluez.Adapter1", "Discovering")
        assert not await heir.property(DEVICE, "org.bluez.Device1", "Connected")
        home.ble.reunite("thermo", "hci0")
        await heir.call(DEVICE, "org.bluez.Device1.Connect")
        assert await heir.property(DEVICE, "org.bluez.Device1", "ServicesResolved")
        heir.bus.disconnect()

    _beside(work)


HOSTILE = (
    (ADAPTER, "org.bluez.Adapter1.SetDiscoveryFilter", "a{sv}", {"RSSI": Variant("s", "loud")}),
    (ADAPTER, "org.bluez.Adapter1.SetDiscoveryFilter", "a{sv}", {"UUIDs": Variant("q", 3)}),
    (ADAPTER, "org.bluez.Adapter1.SetDiscoveryFilter", "a{sv}", {"Pattern": Variant("q", 3)}),
    (ADAPTER, "org.bluez.Adapter1.SetDiscoveryFilter", "s", "RSSI"),
    (ADAPTER, "org.freedesktop.DBus.Properties.Get", "s", "org.bluez.Adapter1"),
    (ADAPTER, "org.bluez.Adapter1.RemoveDevice", "o", "/nobody"),
    (ADAPTER, "org.bluez.Adapter1.Explode", "s", "now"),
    ("/nowhere", "org.bluez.Device1.Connect", "s", "now"),
    (DEVICE, "org.bluez.Device1.CancelPairing", "s", "now"),
)


def test_hostile_calls_are_answered_with_an_error_and_change_nothing() -> None:
    async def work(home: LiveHome, door: BluezDoor) -> None:
        hostile, other = await Client.of(door), await Client.of(door)
        await _found(other)
        await hostile.call(ADAPTER, "org.bluez.Adapter1.StartDiscovery")
        for path, member, signature, argument in HOSTILE:
            with pytest.raises(AssertionError):
                await asyncio.wait_for(hostile.call(path, member, signature, argument), 5)
        wrong = ("org.bluez.Adapter1", "Alias", Variant("q", 5))
        with pytest.raises(AssertionError, match="signature"):
            await hostile.call(ADAPTER, "org.freedesktop.DBus.Properties.Set", "ssv", *wrong)
        assert await other.property(ADAPTER, "org.bluez.Adapter1", "Alias") == "pairlab"
        await other.call(DEVICE, "org.bluez.Device1.Connect")
        characteristic = next(path for path in door.tree.paths() if "/char" in path and "/desc" not in path)
        with pytest.raises(AssertionError, match="offset"):
            await other.call(characteristic, READ, "a{sv}", {"offset": Variant("s", "x")})
        for each in (hostile, other):
            each.bus.disconnect()

    _beside(work)


def test_descriptors_that_nobody_asked_for_are_closed() -> None:
    async def work(home: LiveHome, door: BluezDoor) -> None:
        client = await Client.of(door)
        await client.property(ADAPTER, "org.bluez.Adapter1", "Alias")
        held = _descriptors()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            for kind in (MessageType.METHOD_CALL, MessageType.SIGNAL):
                gift = Message(
                    message_type=kind,
                    destination="org.bluez",
                    path=ADAPTER,
                    interface="org.freedesktop.DBus.Properties",
                    member="PropertiesChanged",
                    signature="h",
                    body=[0],
                    unix_fds=[ours.fileno()],
                )
                await client.bus.send(gift)
            await client.property(ADAPTER, "org.bluez.Adapter1", "Alias")
        assert _descriptors() == held
        client.bus.disconnect()

    _beside(work)


def test_an_adapter_that_is_switched_off_loses_its_connections_and_hears_again_when_on() -> None:
    async def work(home: LiveHome, door: BluezDoor) -> None:
        client = await Client.of(door)
        await _found(client)
        await client.call(DEVICE, "org.bluez.Device1.Connect")
        power = ("org.freedesktop.DBus.Properties.Set", "ssv", "org.bluez.Adapter1", "Powered")
        await client.call(ADAPTER, *power, Variant("b", False))
        await until(lambda: not door.adapters[0].radio.le_connections)
        assert not await client.property(DEVICE, "org.bluez.Device1", "Connected")
        await client.call(ADAPTER, *power, Variant("b", True))
        await until(lambda: home.accessories["thermo"].state == "advertising")
        await client.call(DEVICE, "org.bluez.Device1.Connect")
        client.bus.disconnect()

    _beside(work)


def test_two_clients_have_an_adapter_each() -> None:
    async def work(home: LiveHome, door: BluezDoor) -> None:
        clients = [await Client.of(door) for _ in door.adapters]
        for number, (client, adapter) in enumerate(zip(clients, door.adapters, strict=True)):
            await client.call(adapter.path, "org.bluez.Adapter1.StartDiscovery")
            await until(lambda adapter=adapter: ADDRESS in adapter.devices)  # type: ignore[misc]
            device = DEVICE.replace("hci0", f"hci{number}")
            await client.call(device, "org.bluez.Device1.Connect")
            path = _level(door, device)
            assert await client.call(path, READ, "a{sv}", {}) == [b"\x64"]
        assert len(home.ble.connections) == 2
        await clients[0].call(DEVICE, "org.bluez.Device1.Disconnect")
        assert not await clients[1].property(DEVICE, "org.bluez.Device1", "Connected")
        assert await clients[1].property(DEVICE.replace("hci0", "hci1"), "org.bluez.Device1", "Connected")
        for each in clients:
            each.bus.disconnect()

    _beside(work, adapters=2)


def test_two_clients_share_a_connection_and_all_that_wait_for_it_learn_that_it_has_ended() -> None:
    async def work(home: LiveHome, door: BluezDoor) -> None:
        first, second = await Client.of(door), await Client.of(door)
        await _found(first)
        connecting = asyncio.ensure_future(first.call(DEVICE, "org.bluez.Device1.Connect"))
        await until(lambda: bool(door.adapters[0].radio.le_connections))
        await until(lambda: door.tree.get(DEVICE, "org.bluez.Device1", "Connected"))
        await second.call(DEVICE, "org.bluez.Device1.Connect")
        await connecting
        path = _level(door, DEVICE)
        home.ble.separate("thermo", "hci0")
        reads = [asyncio.ensure_future(each.call(path, READ, "a{sv}", {})) for each in (first, second, first)]
        await asyncio.sleep(0)
        await first.property(DEVICE, "org.bluez.Device1", "Connected")
        home.clock.advance(60_000_000)
        for each in reads:
            with pytest.raises(AssertionError, match="Not connected"):
                await asyncio.wait_for(each, 5)
        for client in (first, second):
            client.bus.disconnect()

    _beside(work)


def test_values_are_written_and_told_through_sockets_and_only_one_of_each() -> None:
    async def work(home: LiveHome, door: BluezDoor) -> None:
        client = await Client.of(door)
        await _found(client)
        await client.call(DEVICE, "org.bluez.Device1.Connect")
        level, control = (_characteristic(door, DEVICE, uuid) for uuid in ("2a19", "2a1b"))
        kind = "org.bluez.GattCharacteristic1"
        with pytest.raises(AssertionError, match="not supported"):
            await client.call(level, f"{kind}.AcquireWrite", "a{sv}", {})
        with socket.socket(fileno=await client.acquire(control, "AcquireWrite")) as writes:
            writes.send(b"one")
            await until(lambda: client.door.tree.get(control, kind, "WriteAcquired"))
            with pytest.raises(AssertionError, match="Write acquired"):
                await client.call(control, f"{kind}.AcquireWrite", "a{sv}", {})
            await until(lambda: home.accessories["thermo"].facts["values"]["180f/2a1b"] == b"one".hex())
        await until(lambda: not client.door.tree.get(control, kind, "WriteAcquired"))
        await client.call(level, f"{kind}.StartNotify")
        await client.call(level, f"{kind}.StartNotify")
        with pytest.raises(AssertionError, match="In Progress"):
            await client.call(level, f"{kind}.AcquireNotify", "a{sv}", {})
        await client.call(level, f"{kind}.StopNotify")
        acquired = socket.socket(fileno=await client.acquire(level, "AcquireNotify"))
        with acquired, pytest.raises(AssertionError, match="Notify acquired"):
            await client.call(level, f"{kind}.StartNotify")
        client.bus.disconnect()

    _beside(work)


def test_a_bonded_device_is_known_and_met_under_whatever_private_address_it_goes() -> None:
    async def work(home: LiveHome, door: BluezDoor) -> None:
        client, adapter = await Client.of(door), door.adapters[0]
        home.clock.advance(10_000_000)
        await client.call(ADAPTER, "org.bluez.Adapter1.StartDiscovery")
        await until(lambda: bool(adapter.devices))
        (stranger,) = adapter.devices.values()
        assert stranger.address != ADDRESS
        await client.call(stranger.path, "org.bluez.Device1.Pair")
        assert await client.property(stranger.path, "org.bluez.Device1", "Address") == ADDRESS
        await client.call(stranger.path, "org.bluez.Device1.Disconnect")
        await client.call(ADAPTER, "org.bluez.Adapter1.StopDiscovery")
        before = stranger.heard.place
        home.clock.advance(10_000_000)
        await client.call(stranger.path, "org.bluez.Device1.Connect")
        assert list(adapter.devices) == [ADDRESS]
        assert stranger.heard.place not in (before, ADDRESS)
        await client.call(ADAPTER, "org.bluez.Adapter1.RemoveDevice", "o", stranger.path)
        await client.call(ADAPTER, "org.bluez.Adapter1.StartDiscovery")
        await until(lambda: bool(adapter.devices))
        assert ADDRESS not in adapter.devices
        client.bus.disconnect()

    _beside(work, lies=[{"kind": "rotates-address", "every": "10s"}])


@pytest.mark.slow
def test_240_scan_cycles_with_200_accessories_do_not_lose_the_bus(tmp_path: Path) -> None:
    requires_tools("dbus-daemon")
    accessory = (
        '[[accessory]]\nid = "a{0}"\nkind = "ble-peripheral"\nname = "A{0}"\nadvert = {{ interval = "100ms" }}\n'
    )
    (tmp_path / "home.toml").write_text("".join(accessory.format(number) for number in range(200)))
    (tmp_path / "scans.py").write_text(MANY_SCANS)
    command = [sys.executable, "-m", "devices.cli.main", "exec", str(tmp_path / "home.toml"), "--ble", "dbus"]
    done = subprocess.run(
        [*command, "--", sys.executable, str(tmp_path / "scans.py")],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "240 True []\n"
