"""`GattService1`, `GattCharacteristic1` and `GattDescriptor1` below a connected device.

Paths carry the handle of the declaration, as clients cut them apart. GAP (1800) is BlueZ's own and not shown.
Source: BlueZ 5.66, doc/gatt-api.txt, src/gatt-client.c (texts of errors).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from bumble.att import ATT_Error, ErrorCode
from bumble.core import InvalidStateError
from bumble.core import TimeoutError as BumbleTimeoutError
from bumble.device import Peer
from dbus_fast import Variant

from devices.bluetooth.bluez.acquired_writes import AcquiredWrites
from devices.bluetooth.bluez.tree import BusError, Call, Interface, Method, option
from devices.bluetooth.tables import long_uuid, property_names

if TYPE_CHECKING:
    from devices.bluetooth.bluez.device import RemoteDevice

T = TypeVar("T")
_SERVICE, _CHARACTERISTIC, _DESCRIPTOR = (
    f"org.bluez.Gatt{kind}1" for kind in ("Service", "Characteristic", "Descriptor")
)
_HIDDEN = "00001800-0000-1000-8000-00805f9b34fb"
_CCCD = "00002902-0000-1000-8000-00805f9b34fb"
_ERRORS: Mapping[int, tuple[str, str]] = {
    ErrorCode.READ_NOT_PERMITTED: ("NotPermitted", "Read not permitted"),
    ErrorCode.WRITE_NOT_PERMITTED: ("NotPermitted", "Write not permitted"),
    ErrorCode.INSUFFICIENT_AUTHENTICATION: ("NotPermitted", "Not paired"),
    ErrorCode.INSUFFICIENT_ENCRYPTION: ("NotPermitted", "Not paired"),
    ErrorCode.INSUFFICIENT_ENCRYPTION_KEY_SIZE: ("NotPermitted", "Not paired"),
    ErrorCode.INVALID_OFFSET: ("InvalidArguments", "Invalid offset"),
    ErrorCode.INVALID_ATTRIBUTE_LENGTH: ("InvalidArguments", "Invalid Length"),
    ErrorCode.INSUFFICIENT_AUTHORIZATION: ("NotAuthorized", "Operation Not Authorized"),
    ErrorCode.REQUEST_NOT_SUPPORTED: ("NotSupported", "Operation is not supported"),
    0xFD: ("ImproperlyConfigured", "CCCD improperly configured"),
}
_INSECURE = (ErrorCode.INSUFFICIENT_AUTHENTICATION, ErrorCode.INSUFFICIENT_ENCRYPTION)


class GattObjects:
    """The objects of one connection."""

    def __init__(self, device: "RemoteDevice", peer: Peer) -> None:
        self.device, self.peer = device, peer
        self._paths: list[str] = []
        self._services: dict[tuple[int, int, str], str] = {}
        """Paths by handles and UUID."""
        self._changing = asyncio.Lock()
        self._notifying: dict[str, _Notifying] = {}
        self._writes: dict[str, AcquiredWrites] = {}
        self._asking: set[asyncio.Future[Any]] = set()

    async def appear(self) -> list[str]:
        """Discover, and put on the bus what is not there yet and off it what is gone; the UUIDs of the services."""
        async with self._changing:
            found = {_key(each): each for each in await self.peer.discover_services()}
            for key in [each for each in self._services if each not in found]:
                self._remove(self._services.pop(key))
            for key, service in found.items():
                if key not in self._services:
                    await discover_parts(service)
                    self._services[key] = self._add_service(service)
        return [_uuid(each.uuid) for each in found.values()]

    def _add_service(self, service: Any) -> str:
        uuid = _uuid(service.uuid)
        path = f"{self.device.path}/service{service.handle:04x}"
        if uuid == _HIDDEN:
            return path
        properties = {
            "UUID": Variant("s", uuid),
            "Device": Variant("o", self.device.path),
            "Primary": Variant("b", True),
            "Includes": Variant("ao", []),
        }
        self._add(path, Interface(_SERVICE, properties))
        for each in service.characteristics:
            self._add_characteristic(path, each)
        return path

    def _remove(self, service: str) -> None:
        """Take a service off the bus, the innermost first."""
        gone = [each for each in self._paths if f"{each}/".startswith(f"{service}/")]
        for path in reversed(gone):
            self._paths.remove(path)
            if path in self._notifying:
                self._notifying.pop(path).end()
                self._writes.pop(path).hang_up()
            self.device.tree.remove(path)

    def _add(self, path: str, interface: Interface) -> None:
        self._paths.append(path)
        self.device.tree.add(path, interface)

    def _add_characteristic(self, service: str, proxy: Any) -> None:
        path = f"{service}/char{proxy.handle - 1:04x}"
        flags = property_names(int(proxy.properties))
        properties = {
            "UUID": Variant("s", _uuid(proxy.uuid)),
            "Service": Variant("o", service),
            "Value": Variant("ay", b""),
            "Flags": Variant("as", flags),
            "MTU": Variant("q", self.mtu),
        }
        if {"notify", "indicate"} & set(flags):
            properties |= {"Notifying": Variant("b", False), "NotifyAcquired": Variant("b", False)}
        if "write-without-response" in flags:
            properties["WriteAcquired"] = Variant("b", False)
        self._notifying[path] = _Notifying(self, path, proxy, flags)
        one = self._notifying[path]
        writes = self._writes[path] = AcquiredWrites(self, path, proxy, flags)
        self._add(
            path,
            Interface(
                _CHARACTERISTIC,
                properties,
                {
                    "ReadValue": Method("a{sv}", "ay", lambda call: self._read(path, _CHARACTERISTIC, proxy, call)),
                    "WriteValue": Method("aya{sv}", "", lambda call: self._write(proxy, flags, call)),
                    "StartNotify": Method("", "", one.start),
                    "StopNotify": Method("", "", one.stop),
                    "AcquireNotify": Method("a{sv}", "hq", one.acquire),
                    "AcquireWrite": Method("a{sv}", "hq", writes.acquire),
                },
            ),
        )
        for each in proxy.descriptors:
            self._add_descriptor(path, each)

    def _add_descriptor(self, characteristic: str, proxy: Any) -> None:
        path, uuid = f"{characteristic}/desc{proxy.handle:04x}", _uuid(proxy.type)
        self._add(
            path,
            Interface(
                _DESCRIPTOR,
                {
                    "UUID": Variant("s", uuid),
                    "Characteristic": Variant("o", characteristic),
                    "Value": Variant("ay", b""),
                },
                {
                    "ReadValue": Method("a{sv}", "ay", lambda call: self._read(path, _DESCRIPTOR, proxy, call)),
                    "WriteValue": Method("aya{sv}", "", lambda call: self._write_descriptor(proxy, uuid, call)),
                },
            ),
        )

    def vanish(self) -> None:
        """Take everything off the bus, the innermost first."""
        for task in tuple(self._asking):
            task.cancel()
        for service in reversed(self._services.values()):
            self._remove(service)

    def client_gone(self, name: str) -> None:
        """Its subscriptions end."""
        for one in self._notifying.values():
            one.client_gone(name)  # writes through a socket end with the socket

    @property
    def mtu(self) -> int:
        """What both ends agreed on."""
        connection = self.device.connection
        return 23 if connection is None else int(connection.att_mtu)

    # Values

    async def _read(self, path: str, interface: str, proxy: Any, call: Call) -> Sequence[Any]:
        offset = option(call.body[0], "offset", "q", 0)
        value = bytes(await self.asked(proxy.read_value))
        if offset > len(value):
            raise BusError("InvalidArguments", "Invalid offset")
        self.device.tree.put(path, interface, {"Value": Variant("ay", value)})
        return [value[offset:]]

    async def _write(self, proxy: Any, flags: Sequence[str], call: Call) -> Sequence[Any]:
        value, options = bytes(call.body[0]), call.body[1]
        kind = option(options, "type", "s", "")
        with_response = kind in ("request", "reliable") or (kind == "" and "write" in flags)
        if not {"write", "write-without-response"} & set(flags):
            raise BusError("NotSupported", "Operation is not supported")
        if len(value) > 512:
            raise BusError("InvalidArguments", "Invalid Length")
        await self.asked(lambda: proxy.write_value(value, with_response=with_response))
        return []

    async def _write_descriptor(self, proxy: Any, uuid: str, call: Call) -> Sequence[Any]:
        if uuid == _CCCD:
            raise BusError("NotPermitted", "Write not permitted")
        value = bytes(call.body[0])
        await self.asked(lambda: proxy.write_value(value, with_response=True))
        return []

    async def asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask the accessory; what it refuses for want of security is asked again after pairing. Raises BusError."""
        connection = self.device.connection
        if connection is None:
            raise BusError("Failed", "Not connected")
        try:
            try:
                return await self._answer(ask)
            except ATT_Error as problem:
                if problem.error_code not in _INSECURE or connection.is_encrypted:
                    raise
                await self.device.pair()
                return await self._answer(ask)
        except ATT_Error as problem:
            code = int(problem.error_code)
            name, text = _ERRORS.get(code, ("Failed", f"Operation failed with ATT error: 0x{code:02x}"))
            raise BusError(name, text) from None
        except (InvalidStateError, asyncio.CancelledError):
            if self.device.connection is connection:
                raise
            raise BusError("Failed", "Not connected") from None
        except BumbleTimeoutError:
            # Core Vol 3 Part F 3.3.3: nothing more may be asked over this connection.
            await self.device.part()
            raise BusError("Failed", f"Operation failed with ATT error: 0x{ErrorCode.UNLIKELY_ERROR:02x}") from None

    async def _answer(self, ask: Callable[[], Awaitable[T]]) -> T:
        # Bumble would let a question that waits behind another wait for its answer without a connection.
        task = asyncio.ensure_future(ask())
        self._asking.add(task)
        try:
            return await task
        finally:
            self._asking.discard(task)


class _Notifying:
    """Who has subscribed to one characteristic, by signals or through a socket."""

    def __init__(self, objects: GattObjects, path: str, proxy: Any, flags: Sequence[str]) -> None:
        self._objects, self._path, self._proxy, self._flags = objects, path, proxy, flags
        self._clients: set[str] = set()
        self._socket: tuple[str, socket.socket] | None = None
        self._is_subscribed = False

    async def start(self, call: Call) -> Sequence[Any]:
        """StartNotify"""
        if self._socket is not None:
            raise BusError("NotPermitted", "Notify acquired")
        if not {"notify", "indicate"} & set(self._flags):
            raise BusError("NotSupported", "Operation is not supported")
        if call.sender in self._clients:
            return []
        # Some accessories notify before they have answered the subscription.
        self._clients.add(call.sender)
        try:
            await self._subscribe()
        except BusError:
            self._clients.discard(call.sender)
            raise
        self._told()
        return []

    async def stop(self, call: Call) -> Sequence[Any]:
        """StopNotify"""
        if call.sender not in self._clients:
            raise BusError("Failed", "No notify session started")
        self._clients.discard(call.sender)
        await self._unsubscribe_if_idle()
        self._told()
        return []

    async def acquire(self, call: Call) -> Sequence[Any]:
        """AcquireNotify: a socket whose datagrams are the values, and the MTU."""
        if self._socket is not None:
            raise BusError("NotPermitted", "Notify acquired")
        if self._clients:
            raise BusError("InProgress", "In Progress")
        if not {"notify", "indicate"} & set(self._flags):
            raise BusError("NotSupported", "Operation is not supported")
        await self._subscribe()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self._socket = call.sender, ours
        asyncio.get_running_loop().add_reader(ours, self._hung_up)
        self._told()
        return [theirs.detach(), self._objects.mtu]

    async def _subscribe(self) -> None:
        if not self._is_subscribed:
            self._is_subscribed = True
            try:
                await self._objects.asked(
                    lambda: self._proxy.subscribe(self._on_value, prefer_notify="notify" in self._flags)
                )
            except BusError:
                self._is_subscribed = False
                raise

    async def _unsubscribe_if_idle(self) -> None:
        if self._is_subscribed and not self._clients and self._socket is None:
            self._is_subscribed = False
            await self._objects.asked(lambda: self._proxy.unsubscribe(self._on_value))

    def _on_value(self, value: bytes) -> None:
        if self._clients:
            self._objects.device.tree.put(
                self._path, _CHARACTERISTIC, {"Value": Variant("ay", bytes(value))}, always=("Value",)
            )
        if self._socket is not None:
            try:
                self._socket[1].send(value)
            except OSError:
                self._hang_up()

    def _told(self) -> None:
        self._objects.device.tree.put(
            self._path,
            _CHARACTERISTIC,
            {
                "Notifying": Variant("b", bool(self._clients)),
                "NotifyAcquired": Variant("b", self._socket is not None),
            },
        )

    def _hung_up(self) -> None:
        # Nothing is ever sent this way; readable means that the client has closed it.
        self._hang_up()
        self._later()

    def _hang_up(self) -> None:
        held, self._socket = self._socket, None
        if held is not None:
            asyncio.get_running_loop().remove_reader(held[1])
            held[1].close()
            self._told()

    def _later(self) -> None:
        task = asyncio.ensure_future(self._quietly())
        self._ending = task

    async def _quietly(self) -> None:
        try:
            await self._unsubscribe_if_idle()
        except BusError:
            pass  # the connection has ended meanwhile

    def client_gone(self, name: str) -> None:
        """Whatever it subscribed to."""
        if self._socket is not None and self._socket[0] == name:
            self._hang_up()
        if name in self._clients or self._is_subscribed:
            self._clients.discard(name)
            self._later()

    def end(self) -> None:
        """The connection has ended."""
        self._clients.clear()
        self._is_subscribed = False
        self._hang_up()


def _uuid(uuid: Any) -> str:
    return long_uuid(uuid.to_hex_str("-"))


def _key(service: Any) -> tuple[int, int, str]:
    return service.handle, service.end_group_handle, _uuid(service.uuid)


async def discover_parts(service: Any) -> None:
    """The characteristics and descriptors of a service."""
    await service.discover_characteristics()
    for each in service.characteristics:
        await each.discover_descriptors()
