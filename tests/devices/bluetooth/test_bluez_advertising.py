"""Adverts of clients of the emulated BlueZ: what they ask for, when they are on the air, and what is refused."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from dbus_fast import Message, MessageFlag, MessageType, Variant

from devices.bluetooth.adverts import read_advert
from devices.bluetooth.bluez.advertisement import read_advertisement
from devices.bluetooth.bluez.door import BluezDoor
from devices.bluetooth.bluez.tree import BusError
from devices.home.live import HomeOptions, LiveHome
from devices.spec import read_home
from tests.devices.bluetooth.test_bluez import ADAPTER, Client, until
from tests.support.needs import requires_tools

MANAGER = "org.bluez.LEAdvertisingManager1"
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


class Advertiser(Client):
    """A program with adverts of its own: objects by path; `released` are those that it was told are over."""

    objects: dict[str, Properties]
    released: list[str]
    answers: bool

    @classmethod
    async def on(cls, door: BluezDoor) -> "Advertiser":
        made = cls(door, (await Client.of(door)).bus)
        made.objects, made.released, made.answers = {}, [], True
        made.bus.add_message_handler(made._on_message)
        return made

    def _on_message(self, message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        if message.member == "Release":
            self.released.append(message.path or "")
        elif message.member == "GetAll" and not self.answers:
            return True
        elif message.member == "GetAll":
            return Message.new_method_return(message, "a{sv}", [dict(self.objects[message.path or ""])])
        return None if message.flags & MessageFlag.NO_REPLY_EXPECTED else Message.new_method_return(message)

    async def advertise(self, path: str, properties: Properties, adapter: str = ADAPTER) -> None:
        self.objects[path] = properties
        await self.call(adapter, f"{MANAGER}.RegisterAdvertisement", "oa{sv}", path, {})

    async def active(self) -> tuple[object, object]:
        names = ("ActiveInstances", "SupportedInstances")
        found = [await self.property(ADAPTER, MANAGER, name) for name in names]
        return found[0], found[1]


def beside(work: Callable[[LiveHome, BluezDoor], Awaitable[None]], *, adapters: int = 2) -> None:
    requires_tools("dbus-daemon")

    async def live() -> None:
        home = LiveHome(read_home({}, "test"), HomeOptions(seed=1))
        await home.start()
        door = await BluezDoor.open(home.ble, home.chance, adapters=adapters)
        try:
            await asyncio.wait_for(work(home, door), 20)
        finally:
            await door.close()
            await home.stop()

    asyncio.run(live())


def test_an_advert_is_heard_by_the_other_adapter_changes_with_its_object_and_goes_with_its_client() -> None:
    async def work(home: LiveHome, door: BluezDoor) -> None:
        program, scanner = await Advertiser.on(door), await Client.of(door)
        first, second = door.adapters
        for path in (ADAPTER, OTHER):
            await scanner.call(path, "org.bluez.Adapter1.StartDiscovery")
        await program.advertise("/ad", PERIPHERAL)
        assert await program.active() == (1, 4)
        await until(lambda: first.address in second.devices)
        said = second.heard[first.address].said
        assert (said.name, said.services, said.flags, said.tx_power) == ("Peri", ("180d", "fffb"), 6, -7)
        assert (said.manufacturer, said.service_data) == ({0x4C: b"\x01\x02"}, {"180d": b"\x07"})
        changed = {"ManufacturerData": Variant("a{qv}", {0x0059: Variant("ay", b"\x09")})}
        told = ["org.bluez.LEAdvertisement1", changed, []]
        signal = ("/ad", "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", told)
        await program.bus.send(Message.new_signal(*signal))
        await until(lambda: second.heard[first.address].said.manufacturer.get(0x59) == b"\x09")
        assert first.address not in first.devices
        program.bus.disconnect()
        await until(lambda: not any(each.enabled for each in first.radio.advertising_sets.values()))
        assert await Advertiser.active(scanner) == (0, 5)  # type: ignore[arg-type]  # it asks for properties alone
        scanner.bus.disconnect()

    beside(work)


def test_an_advert_whose_time_is_over_is_released() -> None:
    async def work(home: LiveHome, door: BluezDoor) -> None:
        program = await Advertiser.on(door)
        await program.advertise("/brief", {**PERIPHERAL, "Timeout": Variant("q", 60)})
        await program.advertise("/long", PERIPHERAL)
        home.clock.advance(61_000_000)
        await until(lambda: program.released == ["/brief"])
        assert await program.active() == (1, 4)
        with pytest.raises(AssertionError, match="Does Not Exist"):
            await program.call(ADAPTER, f"{MANAGER}.UnregisterAdvertisement", "o", "/brief")
        await program.call(ADAPTER, f"{MANAGER}.UnregisterAdvertisement", "o", "/long")
        assert await program.active() == (0, 5)
        program.bus.disconnect()

    beside(work, adapters=1)


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
        program, mute, other = await Advertiser.on(door), await Advertiser.on(door), await Client.of(door)
        mute.answers = False
        waiting = asyncio.ensure_future(mute.advertise("/ad", PERIPHERAL))
        await asyncio.sleep(0)
        for number in range(4):
            await program.advertise(f"/ad{number}", PERIPHERAL)
        for number in range(4, 100):
            with pytest.raises(AssertionError, match="Maximum advertisements reached"):
                await program.advertise(f"/ad{number}", PERIPHERAL)
        with pytest.raises(AssertionError, match="Already Exists"):
            await program.advertise("/ad0", PERIPHERAL)
        assert not waiting.done()
        mute.bus.disconnect()
        waiting.cancel()
        await asyncio.wait([waiting])
        await program.advertise("/last", PERIPHERAL)
        with pytest.raises(AssertionError, match=r"Failed to parse advertisement\. Type"):
            await program.advertise("/bad", {"Type": Variant("q", 1)}, OTHER)
        assert await other.property(OTHER, MANAGER, "ActiveInstances") == 0
        for each in (program, other):
            each.bus.disconnect()

    beside(work)
