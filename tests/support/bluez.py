"""Programs on the bus of an emulated BlueZ: ones that call, and ones that have objects of their own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

from dbus_fast import BusType, Message, MessageFlag, MessageType, Variant
from dbus_fast.aio import MessageBus

from devices.bluetooth.bluez.door import BluezDoor
from devices.home.live import HomeOptions, LiveHome
from devices.spec import read_home
from tests.support.needs import requires_tools

ADAPTER = "/org/bluez/hci0"
Interfaces = Mapping[str, Mapping[str, Variant]]
Reply = tuple[str, Any] | None
"""The signature and the value of an answer; None: there is none."""


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110  # nobody tells when
        await asyncio.sleep(0)


class Client:
    """A program on the bus, without bleak's care."""

    def __init__(self, door: BluezDoor, bus: MessageBus) -> None:
        self.door, self.bus = door, bus

    @classmethod
    async def of(cls, door: BluezDoor) -> Self:
        return cls(
            door, await MessageBus(bus_address=door.address, bus_type=BusType.SYSTEM, negotiate_unix_fd=True).connect()
        )

    async def call(self, path: str, member: str, signature: str = "", *body: object) -> list[object]:
        interface, name = member.rsplit(".", 1)
        message = Message(
            destination="org.bluez", path=path, interface=interface, member=name, signature=signature, body=list(body)
        )
        reply = await self.bus.call(message)
        assert reply is not None
        assert reply.message_type is MessageType.METHOD_RETURN, reply.body
        return reply.body

    async def acquire(self, path: str, member: str) -> int:
        """The descriptor that AcquireWrite or AcquireNotify gives."""
        kind = "org.bluez.GattCharacteristic1"
        message = Message(
            destination="org.bluez", path=path, interface=kind, member=member, signature="a{sv}", body=[{}]
        )
        reply = await self.bus.call(message)
        assert reply is not None
        assert reply.signature == "hq", reply.body
        return reply.unix_fds[0]

    async def property(self, path: str, interface: str, name: str) -> object:
        (value,) = await self.call(path, "org.freedesktop.DBus.Properties.Get", "ss", interface, name)
        assert isinstance(value, Variant)
        return value.value


class Program(Client):
    """A program with objects by path. `called` is what it was called for; `answers` by member go before its own."""

    def __init__(self, door: BluezDoor, bus: MessageBus) -> None:
        super().__init__(door, bus)
        self.objects: dict[str, Interfaces] = {}
        self.called: list[tuple[str, str, list[Any]]] = []
        self.answers: dict[str, Callable[[str, list[Any]], Reply]] = {}
        bus.add_message_handler(self._on_message)

    def _on_message(self, message: Message) -> bool | Message | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        path, member = message.path or "", message.member or ""
        self.called.append((path, member, message.body))
        try:
            reply = self.answers.get(member, self._own(member))(path, message.body)
        except ValueError as refused:
            name, text = refused.args
            return Message.new_error(message, f"org.bluez.Error.{name}", text)
        if reply is None or message.flags & MessageFlag.NO_REPLY_EXPECTED:
            return True
        signature, value = reply
        return Message.new_method_return(message, signature, [value] if signature else [])

    def _own(self, member: str) -> Callable[[str, list[Any]], Reply]:
        if member == "GetAll":
            return lambda path, body: ("a{sv}", dict(self.objects[path][body[0]]))
        if member == "GetManagedObjects":
            return lambda _path, _body: ("a{oa{sa{sv}}}", self.objects)
        return lambda _path, _body: ("", None)

    async def changes(self, path: str, interface: str, **changed: Variant) -> None:
        """Tell that properties of an object have changed."""
        signal = ("org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", [interface, changed, []])
        await self.bus.send(Message.new_signal(path, *signal))


def beside(work: Callable[[LiveHome, BluezDoor], Awaitable[None]], *, adapters: int = 1) -> None:
    """An empty home in real time with the door open, while the work is done."""
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
