"""GATT applications of clients of the emulated BlueZ, judged by Bumble's own GATT client on the same air."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from bumble import hci
from bumble.att import ATT_Error
from bumble.core import UUID, ProtocolError
from bumble.device import Connection, Peer
from dbus_fast import Message, Variant

from devices.bluetooth.bluez.application import Objects, Security, read_application
from devices.bluetooth.bluez.door import BluezDoor
from devices.bluetooth.bluez.remote_value import error_code
from devices.bluetooth.bluez.tree import BusError
from devices.home.live import LiveHome
from tests.support.ble_home import Central
from tests.support.bluez import ADAPTER, Interfaces, Program, beside, until

REGISTER, UNREGISTER = (f"org.bluez.GattManager1.{each}Application" for each in ("Register", "Unregister"))
SERVICE, CHARACTERISTIC, DESCRIPTOR = (f"org.bluez.Gatt{each}1" for each in ("Service", "Characteristic", "Descriptor"))


def _service(uuid: str = "180d", **more: Variant) -> Interfaces:
    return {SERVICE: {"UUID": Variant("s", uuid), "Primary": Variant("b", True), **more}}


def _characteristic(uuid: str, *flags: str, service: str = "/s", **more: Variant) -> Interfaces:
    own = {"UUID": Variant("s", uuid), "Service": Variant("o", service), "Flags": Variant("as", list(flags))}
    return {CHARACTERISTIC: {**own, **more}}


def _descriptor(uuid: str, *flags: str, characteristic: str = "/s/a") -> Interfaces:
    owner = Variant("o", characteristic)
    return {DESCRIPTOR: {"UUID": Variant("s", uuid), "Characteristic": owner, "Flags": Variant("as", list(flags))}}


HEART: Mapping[str, Interfaces] = {
    "/s": _service(Handle=Variant("q", 0)),
    "/s/a": _characteristic("2a37", "read", "write", "notify"),
    "/s/a/d": _descriptor("2901", "read", "write"),
    "/s/b": _characteristic("2a38", "read", "write-without-response", "indicate"),
    "/s/c": _characteristic("2a39", "write", "encrypt-read"),
}


def _refuse(_path: str, _body: list[Any]) -> None:
    raise ValueError("NotPermitted", "no")


class Judge:
    """Bumble's client, connected to the adapter."""

    def __init__(self, connection: Connection, peer: Peer) -> None:
        self.connection, self.peer = connection, peer

    @classmethod
    async def at(cls, home: LiveHome, door: BluezDoor) -> "Judge":
        central = await Central.of(home)
        address = hci.Address(door.adapters[0].address, hci.AddressType.PUBLIC_DEVICE)
        connection = await central.device.connect(address)
        made = cls(connection, Peer(connection))
        await made.discover()
        return made

    async def discover(self) -> None:
        await self.peer.discover_services()
        await self.peer.discover_characteristics()

    def value(self, uuid: str) -> Any:
        return self.peer.get_characteristics_by_uuid(UUID(uuid))[-1]

    async def refused(self, ask: Awaitable[object]) -> int:
        with pytest.raises(ATT_Error) as refused:
            await ask
        return int(refused.value.error_code)


def _served(work: Callable[[Program, Judge], Awaitable[None]], objects: Mapping[str, Interfaces] = HEART) -> None:
    async def begin(home: LiveHome, door: BluezDoor) -> None:
        program = await Program.of(door)
        program.objects.update(objects)
        program.objects["/ad"] = {"org.bluez.LEAdvertisement1": {"Type": Variant("s", "peripheral")}}
        await program.call(ADAPTER, REGISTER, "oa{sv}", "/", {})
        await program.call(ADAPTER, "org.bluez.LEAdvertisingManager1.RegisterAdvertisement", "oa{sv}", "/ad", {})
        await work(program, await Judge.at(home, door))
        program.bus.disconnect()

    beside(begin)


def test_reads_and_writes_are_asked_of_the_program_with_who_asks() -> None:
    async def work(program: Program, judge: Judge) -> None:
        program.answers["ReadValue"] = lambda path, _body: ("ay", path.encode())
        heart = judge.value("2a37")
        assert await heart.read_value() == b"/s/a"
        await heart.discover_descriptors()
        described = next(each for each in heart.descriptors if each.type == UUID("2901"))
        assert await described.read_value() == b"/s/a/d"
        await heart.write_value(b"new", with_response=True)
        await described.write_value(b"text", with_response=True)
        await judge.value("2a38").write_value(b"quiet", with_response=False)
        await until(lambda: len([each for each in program.called if each[1] == "WriteValue"]) == 3)
        device = f"{ADAPTER}/dev_{str(judge.connection.self_address).removesuffix('/P').replace(':', '_')}"
        options = {"device": Variant("o", device), "link": Variant("s", "LE"), "mtu": Variant("q", 23)}
        written = [(path, body) for path, member, body in program.called if member == "WriteValue"]
        assert written == [
            ("/s/a", [b"new", options]),
            ("/s/a/d", [b"text", options]),
            ("/s/b", [b"quiet", options]),
        ]
        assert ("/s", "Set", [SERVICE, "Handle", Variant("q", judge.peer.services[-1].handle)]) in program.called

    _served(work)


def test_a_long_value_is_read_on_at_its_offset() -> None:
    async def work(program: Program, judge: Judge) -> None:
        value = bytes(range(100))
        asked: list[int] = []

        def read(_path: str, body: list[Any]) -> tuple[str, bytes]:
            asked.append(body[0].get("offset", Variant("q", 0)).value)
            return "ay", value[asked[-1] :]

        program.answers["ReadValue"] = read
        assert await judge.value("2a37").read_value() == value
        assert asked == [0, 22, 44, 66, 88]

    _served(work)


def test_subscribers_are_told_what_the_program_tells_and_an_indication_is_confirmed() -> None:
    async def work(program: Program, judge: Judge) -> None:
        values: asyncio.Queue[bytes] = asyncio.Queue()
        await judge.value("2a37").subscribe(values.put_nowait)
        await judge.value("2a38").subscribe(values.put_nowait)
        await until(
            lambda: [each[:2] for each in program.called[-2:]] == [("/s/a", "StartNotify"), ("/s/b", "StartNotify")]
        )
        for number in range(3):
            await program.changes("/s/a", CHARACTERISTIC, Value=Variant("ay", bytes([number])))
        assert [await values.get() for _ in range(3)] == [b"\0", b"\1", b"\2"]
        await program.changes("/s/b", CHARACTERISTIC, Value=Variant("ay", b"sure"))
        assert await values.get() == b"sure"
        await until(lambda: program.called[-1][:2] == ("/s/b", "Confirm"))
        await judge.value("2a37").unsubscribe()
        await judge.connection.disconnect()
        await until(lambda: program.called[-1][:2] == ("/s/b", "StopNotify"))
        assert [each[0] for each in program.called if each[1] == "StopNotify"] == ["/s/a", "/s/b"]

    _served(work)


def test_what_flags_and_programs_refuse_is_an_att_error() -> None:
    async def work(program: Program, judge: Judge) -> None:
        program.answers["ReadValue"] = program.answers["WriteValue"] = _refuse
        assert await judge.refused(judge.value("2a37").read_value()) == 0x02
        assert await judge.refused(judge.value("2a37").write_value(b"", with_response=True)) == 0x03
        assert await judge.refused(judge.value("2a39").read_value()) == 0x0F
        assert await judge.refused(judge.value("2a37").write_value(b"x" * 513, with_response=True)) == 0x0D
        program.answers["ReadValue"] = lambda _path, _body: ("s", "rubbish")
        assert await judge.refused(judge.value("2a37").read_value()) == 0x0E
        heart = judge.value("2a37")
        await heart.discover_descriptors()
        configuration = next(each for each in heart.descriptors if each.type == UUID("2902"))
        assert await judge.refused(configuration.write_value(b"\2\0", with_response=True)) == 0xFD
        assert await judge.refused(configuration.write_value(b"\1", with_response=True)) == 0xFD

    _served(work)


def test_a_central_pairs_when_the_agent_authorizes_it_and_then_reads_what_is_encrypted() -> None:
    async def work(program: Program, judge: Judge) -> None:
        program.answers["ReadValue"] = lambda _path, _body: ("ay", b"secret")
        program.answers["RequestAuthorization"] = _refuse
        await program.call("/org/bluez", "org.bluez.AgentManager1.RegisterAgent", "os", "/agent", "DisplayYesNo")
        with pytest.raises(ProtocolError):
            await judge.connection.pair()
        del program.answers["RequestAuthorization"]
        judge.connection.device.smp_manager.sessions.clear()
        await judge.connection.pair()
        asked = [(path, body) for path, member, body in program.called if member == "RequestAuthorization"]
        assert [each[0] for each in asked] == ["/agent"] * 2
        assert await judge.value("2a39").read_value() == b"secret"
        (device,) = asked[0][1]
        assert await program.property(device, "org.bluez.Device1", "Paired")

    _served(work)


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("Failed", "0x85", 0x85),
        ("Failed", "133", 0x85),
        ("Failed", "0x20", 0x0E),
        ("Failed", "broken", 0x80),
        ("Failed", "", 0x0E),
        ("NotSupported", "", 0x06),
        ("NotAuthorized", "", 0x08),
        ("InvalidValueLength", "", 0x0D),
        ("InvalidOffset", "", 0x07),
        ("InProgress", "", 0xFE),
        ("org.example.Other", "0x85", 0x0E),
    ],
)
def test_an_error_of_a_program_has_atts_code(name: str, text: str, code: int) -> None:
    assert error_code(BusError(name, text), 0x02) == code


def test_values_go_through_sockets_where_the_program_wants_them() -> None:
    taken: list[socket.socket] = []
    given: list[socket.socket] = []

    def acquire(message: Message) -> Message | None:
        if message.member not in ("AcquireNotify", "AcquireWrite"):
            return None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        taken.append(ours)
        given.append(theirs)
        return Message.new_method_return(message, "hq", [0, 23], unix_fds=[theirs.fileno()])

    async def work(program: Program, judge: Judge) -> None:
        program.bus.add_message_handler(acquire)
        program.bus.remove_message_handler(program._on_message)
        loop = asyncio.get_running_loop()
        await judge.value("2a37").write_value(b"first", with_response=True)
        await judge.value("2a37").write_value(b"second", with_response=True)
        assert [await loop.sock_recv(taken[0], 64) for _ in range(2)] == [b"first", b"second"]
        values: asyncio.Queue[bytes] = asyncio.Queue()
        await judge.value("2a37").subscribe(values.put_nowait)
        await until(lambda: len(taken) == 2)
        taken[1].send(b"news")
        assert await values.get() == b"news"
        for each in given:
            each.close()  # the adapter has its own
        await judge.value("2a37").unsubscribe()
        assert await loop.sock_recv(taken[1], 64) == b""
        for each in taken:
            each.close()

    acquired = {name: Variant("b", False) for name in ("NotifyAcquired", "WriteAcquired")}
    _served(work, {**HEART, "/s/a": _characteristic("2a37", "write", "notify", **acquired)})


def test_services_go_with_their_object_their_application_and_their_client() -> None:
    async def work(program: Program, judge: Judge) -> None:
        told: asyncio.Queue[bytes] = asyncio.Queue()
        await judge.value("2a05").subscribe(told.put_nowait)
        heart = judge.peer.services[-1]
        removed = ["/s", [SERVICE]]
        signal = ("/", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", "oas", removed)
        await program.bus.send(Message.new_signal(*signal))
        assert await told.get() == heart.handle.to_bytes(2, "little") + heart.end_group_handle.to_bytes(2, "little")
        assert await judge.refused(judge.value("2a37").read_value()) == 0x01
        await program.call(ADAPTER, UNREGISTER, "o", "/")
        with pytest.raises(AssertionError, match="Does Not Exist"):
            await program.call(ADAPTER, UNREGISTER, "o", "/")
        await program.call(ADAPTER, REGISTER, "oa{sv}", "/", {})
        await told.get()
        assert (await judge.peer.discover_services())[-1].handle > heart.end_group_handle
        program.bus.disconnect()
        await told.get()
        assert UUID("180d") not in [each.uuid for each in await judge.peer.discover_services()]

    _served(work)


def test_a_central_of_another_adapter_has_the_services_that_come_and_no_longer_those_that_go() -> None:
    async def work(home: LiveHome, door: BluezDoor) -> None:
        program, central = await Program.of(door), await Program.of(door)
        program.objects.update(HEART)
        program.objects["/ad"] = {"org.bluez.LEAdvertisement1": {"Type": Variant("s", "peripheral")}}
        await program.call(ADAPTER, "org.bluez.LEAdvertisingManager1.RegisterAdvertisement", "oa{sv}", "/ad", {})
        first, second = door.adapters
        await central.call(second.path, "org.bluez.Adapter1.StartDiscovery")
        await until(lambda: first.address in second.devices)
        device = second.devices[first.address].path
        await central.call(device, "org.bluez.Device1.Connect")

        def levels() -> list[str]:
            uuids = {each: door.tree.get(each, CHARACTERISTIC, "UUID") or "" for each in door.tree.paths()}
            return [each for each, uuid in uuids.items() if uuid.startswith("00002a37")]

        assert not levels()
        await program.call(ADAPTER, REGISTER, "oa{sv}", "/", {})
        await until(lambda: bool(levels()))
        (path,) = levels()
        await until(lambda: "0000180d" in str(door.tree.get(device, "org.bluez.Device1", "UUIDs")))
        program.answers["ReadValue"] = lambda _path, _body: ("ay", b"72")
        assert await central.call(path, f"{CHARACTERISTIC}.ReadValue", "a{sv}", {}) == [b"72"]
        await program.call(ADAPTER, UNREGISTER, "o", "/")
        await until(lambda: not levels())
        for each in (program, central):
            each.bus.disconnect()

    beside(work, adapters=2)


WRONG: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("No object received", {}),
    ("No object received", {"/": {}}),
    ("none is a", {"/": {"org.example.Thing": {}}}),
    ("/s/a is '/nowhere'", {"/s": _service(), "/s/a": _characteristic("2a37", "read", service="/nowhere")}),
    ("/s/a/d is '/s/x'", {"/s": _service(), "/s/a/d": _descriptor("2901", "read", characteristic="/s/x")}),
    ("have 'shout'", {"/s": _service(), "/s/a": _characteristic("2a37", "shout")}),
    ("are missing", {"/s": _service(), "/s/a": _characteristic("2a37")}),
    ("have 'notify'", {**HEART, "/s/a/d": _descriptor("2901", "notify")}),
    ("GAP service must", {"/s": _service("00001800-0000-1000-8000-00805f9b34fb")}),
    ("UUID of /s", {"/s": _service("heart")}),
    ("UUID of /s/a", {"/s": _service(), "/s/a": _characteristic("", "read")}),
    ("Primary of /s is missing", {"/s": {SERVICE: {"UUID": Variant("s", "180d")}}}),
    ("Flags has the signature", {"/s": _service(), "/s/a": _characteristic("2a37", Flags=Variant("s", "read"))}),
)


@pytest.mark.parametrize(("text", "objects"), WRONG, ids=[text for text, _ in WRONG])
def test_an_application_that_cannot_be_is_refused_with_its_object(text: str, objects: Objects) -> None:
    with pytest.raises(BusError, match=text) as refused:
        read_application(objects)
    assert refused.value.name == "org.bluez.Error.Failed"


def test_flags_are_properties_and_permissions() -> None:
    flags = ("encrypt-authenticated-read", "write", "secure-notify", "reliable-write")
    (service,) = read_application({"/s": _service(), "/s/a": _characteristic("2a37", *flags)})
    permissions = service.characteristics[0].permissions
    assert (permissions.bits, permissions.extended) == (0x9A, 1)
    assert (permissions.read, permissions.write, permissions.subscribe) == (
        Security.AUTHENTICATED,
        Security.OPEN,
        Security.AUTHENTICATED,
    )


def test_an_application_that_answers_rubbish_hangs_or_goes_is_one_error_and_others_are_served() -> None:
    async def work(home: LiveHome, door: BluezDoor) -> None:
        hostile, hanging, other = [await Program.of(door) for _ in range(3)]
        manager = "GetManagedObjects"
        for rubbish in (("s", "nothing"), ("a{sv}", {}), ("ao", ["/s"])):
            hostile.answers[manager] = lambda _path, _body, reply=rubbish: reply  # type: ignore[misc]
            with pytest.raises(AssertionError, match="No object received"):
                await hostile.call(ADAPTER, REGISTER, "oa{sv}", "/", {})
        hanging.answers[manager] = lambda _path, _body: None
        waiting = asyncio.ensure_future(hanging.call(ADAPTER, REGISTER, "oa{sv}", "/", {}))
        await until(lambda: bool(hanging.called))
        other.objects.update(HEART)
        for number in range(100):
            await other.call(ADAPTER, REGISTER, "oa{sv}", f"/app{number}", {})
        with pytest.raises(AssertionError, match="Already Exists"):
            await other.call(ADAPTER, REGISTER, "oa{sv}", "/app0", {})
        assert len(door.adapters[0].server.services) == 102
        hanging.bus.disconnect()
        waiting.cancel()
        await asyncio.wait([waiting])
        other.bus.disconnect()
        await until(lambda: len(door.adapters[0].server.services) == 2)
        hostile.bus.disconnect()

    beside(work)
