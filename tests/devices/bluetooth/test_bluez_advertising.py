"""Adverts of clients of the emulated BlueZ: what they ask for, when they are on the air, and what is refused."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from dbus_fast import Variant

from devices.bluetooth.adverts import read_advert
from devices.bluetooth.bluez.advertisement import read_advertisement
from devices.bluetooth.bluez.door import BluezDoor
from devices.bluetooth.bluez.tree import BusError
from devices.home.live import LiveHome
from tests.support.bluez import ADAPTER, Client, Program, beside, until

MANAGER, ADVERTISEMENT = "org.bluez.LEAdvertisingManager1", "org.bluez.LEAdvertisement1"
OTHER = "/org/bluez/hci1"
Properties = Mapping[str, Variant]
PERIPHERAL: Properties = {
    "Type": Variant("s", "peripheral"),
    "ServiceUUIDs": Variant("as", ["180d", "0000fffb-0000-1000-8000-00805f9b34fb"]),
    "ManufacturerData": Variant("a{qv}", {0x004C: Variant("ay", b"\x01\x02")}),
    "ServiceData": Variant("a{sv}", {"180d": Variant("ay", b"\x07")}),
    "LocalName": Variant("s", "Peri"),
    "Includes": Variant("as", ["tx-power"]),
    "TxPower": Variant("n", -7),
    "Discoverable": Variant("b", True),
    "MinInterval": Variant("u", 20),
    "MaxInterval": Variant("u", 20),
}


async def _advertise(program: Program, path: str, properties: Properties, adapter: str = ADAPTER) -> None:
    program.objects[path] = {ADVERTISEMENT: properties}
    await program.call(adapter, f"{MANAGER}.RegisterAdvertisement", "oa{sv}", path, {})


async def _instances(client: Client) -> list[object]:
    return [await client.property(ADAPTER, MANAGER, name) for name in ("ActiveInstances", "SupportedInstances")]


def test_an_advert_is_heard_by_the_other_adapter_changes_with_its_object_and_goes_with_its_client() -> None:
    async def work(home: LiveHome, door: BluezDoor) -> None:
        program, scanner = await Program.of(door), await Client.of(door)
        first, second = door.adapters
        for path in (ADAPTER, OTHER):
            await scanner.call(path, "org.bluez.Adapter1.StartDiscovery")
        await _advertise(program, "/ad", PERIPHERAL)
        assert await _instances(program) == [1, 4]
        await until(lambda: first.address in second.devices)
        said = second.heard[first.address].said
        assert (said.name, said.services, said.flags, said.tx_power) == ("Peri", ("180d", "fffb"), 6, -7)
        assert (said.manufacturer, said.service_data) == ({0x4C: b"\x01\x02"}, {"180d": b"\x07"})
        renewed = Variant("a{qv}", {0x0059: Variant("ay", b"\x09")})
        await program.changes("/ad", ADVERTISEMENT, ManufacturerData=renewed)
        await until(lambda: second.heard[first.address].said.manufacturer.get(0x59) == b"\x09")
        assert first.address not in first.devices
        program.bus.disconnect()
        await until(lambda: not any(each.enabled for each in first.radio.advertising_sets.values()))
        assert await _instances(scanner) == [0, 5]
        scanner.bus.disconnect()

    beside(work, adapters=2)


def test_an_advert_whose_time_is_over_is_released() -> None:
    async def work(home: LiveHome, door: BluezDoor) -> None:
        program = await Program.of(door)
        await _advertise(program, "/brief", {**PERIPHERAL, "Timeout": Variant("q", 60)})
        await _advertise(program, "/long", PERIPHERAL)
        home.clock.advance(61_000_000)
        await until(lambda: ("/brief", "Release", []) in program.called)
        assert await _instances(program) == [1, 4]
        with pytest.raises(AssertionError, match="Does Not Exist"):
            await program.call(ADAPTER, f"{MANAGER}.UnregisterAdvertisement", "o", "/brief")
        await program.call(ADAPTER, f"{MANAGER}.UnregisterAdvertisement", "o", "/long")
        assert await _instances(program) == [0, 5]
        program.bus.disconnect()

    beside(work)


def test_what_is_still_on_the_air_is_released_when_the_door_closes() -> None:
    programs: list[Program] = []

    async def work(home: LiveHome, door: BluezDoor) -> None:
        programs.append(await Program.of(door))
        await _advertise(programs[0], "/ad", PERIPHERAL)

    beside(work)
    assert programs[0].called[-1] == ("/ad", "Release", [])


WRONG: tuple[tuple[str, Properties], ...] = (
    ("Type", {"Type": Variant("s", "both")}),
    ("Type", {"Type": Variant("q", 1)}),
    ("Discoverable", {"Type": Variant("s", "broadcast"), "Discoverable": Variant("b", True)}),
    ("LocalName", {"LocalName": Variant("s", "x"), "Includes": Variant("as", ["local-name"])}),
    ("300 octets", {"ManufacturerData": Variant("a{qv}", {1: Variant("ay", bytes(300))})}),
    ("33 octets", {"ManufacturerData": Variant("a{qv}", {1: Variant("ay", bytes(29))})}),
    ("ManufacturerData", {"ManufacturerData": Variant("a{qv}", {1: Variant("s", "x")})}),
    ("UUID", {"ServiceUUIDs": Variant("as", ["180"])}),
    ("100 UUIDs", {"ServiceUUIDs": Variant("as", ["180d"] * 100)}),
    ("SecondaryChannel", {"SecondaryChannel": Variant("s", "3M")}),
    ("interval", {"MinInterval": Variant("u", 1), "MaxInterval": Variant("u", 1)}),
    ("MinInterval", {"MinInterval": Variant("u", 100)}),
    ("DiscoverableTimeout", {"Timeout": Variant("q", 1), "DiscoverableTimeout": Variant("q", 2)}),
    ("TxPower", {"TxPower": Variant("n", 21)}),
)


@pytest.mark.parametrize(("named", "properties"), WRONG, ids=lambda given: given if isinstance(given, str) else "")
def test_a_property_that_cannot_be_is_refused_by_name(named: str, properties: Properties) -> None:
    with pytest.raises(BusError, match=named):
        read_advertisement(properties, alias="A", adapter_is_discoverable=False)


def test_the_adapters_own_name_is_shortened_and_a_secondary_channel_has_no_scan_response() -> None:
    included: dict[str, Any] = {"Type": Variant("s", "peripheral"), "Includes": Variant("as", ["local-name"])}
    own = read_advertisement(included, alias="A long name", adapter_is_discoverable=True)
    assert (read_advert(own.scan_response).name, read_advert(own.data).flags) == ("A long nam", 6)
    named = {
        "Type": Variant("s", "peripheral"),
        "LocalName": Variant("s", "Far"),
        "SecondaryChannel": Variant("s", "2M"),
    }
    far = read_advertisement(named, alias="A", adapter_is_discoverable=False)
    assert (far.legacy, read_advert(far.data).name, far.scan_response) == (False, "Far", b"")


def test_adverts_beyond_what_there_is_room_for_and_clients_that_do_not_answer_are_refused() -> None:
    async def work(home: LiveHome, door: BluezDoor) -> None:
        program, mute, other = await Program.of(door), await Program.of(door), await Client.of(door)
        mute.answers["GetAll"] = lambda _path, _body: None
        waiting = asyncio.ensure_future(_advertise(mute, "/ad", PERIPHERAL))
        await asyncio.sleep(0)
        for number in range(4):
            await _advertise(program, f"/ad{number}", PERIPHERAL)
        for number in range(4, 100):
            with pytest.raises(AssertionError, match="Maximum advertisements reached"):
                await _advertise(program, f"/ad{number}", PERIPHERAL)
        with pytest.raises(AssertionError, match="Already Exists"):
            await _advertise(program, "/ad0", PERIPHERAL)
        assert not waiting.done()
        mute.bus.disconnect()
        waiting.cancel()
        await asyncio.wait([waiting])
        await _advertise(program, "/last", PERIPHERAL)
        with pytest.raises(AssertionError, match=r"Failed to parse advertisement\. Type"):
            await _advertise(program, "/bad", {"Type": Variant("q", 1)}, OTHER)
        assert await other.property(OTHER, MANAGER, "ActiveInstances") == 0
        for each in (program, other):
            each.bus.disconnect()

    beside(work, adapters=2)
