"""bleak's client: connects, discovers, reads, writes, subscribes and pairs through Bumble's GATT client.

A read or write that is refused for want of security pairs and is repeated, as BlueZ and CoreBluetooth do.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from bleak import exc
from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.uuids import normalize_uuid_str
from bumble import hci
from bumble.att import ATT_Error
from bumble.core import UUID, InvalidStateError, ProtocolError
from bumble.device import Connection, Peer

from devices.bluetooth.bleak_backend.central import Central
from devices.bluetooth.tables import property_names

T = TypeVar("T")
_MTU = 517
_WRITE_HEADER = 3
_INSECURE = (0x05, 0x0F)
_SERVICE_CHANGED = "2a05"


class PairlabClient(BaseBleakClient):
    """One connection to one accessory."""

    def __init__(self, address_or_ble_device: BLEDevice | str, **options: Any) -> None:
        self._wanted: set[str] | None = options.pop("services", None)
        super().__init__(
            address_or_ble_device,
            disconnected_callback=options.pop("disconnected_callback", None),
            timeout=options.pop("timeout", 10.0),
        )
        self.address = self.address.upper()
        self._given_name = address_or_ble_device.name if isinstance(address_or_ble_device, BLEDevice) else None
        self._central: Central | None = None
        self._connection: Connection | None = None
        self._peer: Peer | None = None
        self._gone: asyncio.Event = asyncio.Event()
        self._subscriptions: dict[int, Callable[[bytes], None]] = {}
        self._cached: dict[int, bytes] = {}

    @property
    def name(self) -> str:
        """As advertised; without a name, the address."""
        known = None if self._central is None else self._central.names.get(self.address)
        return known or self._given_name or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        """What both ends agreed on."""
        return 23 if self._connection is None else self._connection.att_mtu

    @property
    def is_connected(self) -> bool:
        """Until either side parts."""
        return self._connection is not None

    # Connecting

    async def connect(self, pair: bool = False, **options: Any) -> None:
        """Raises BleakDeviceNotFoundError if it is not heard in time, asyncio.TimeoutError if it does not connect."""
        if self.is_connected:
            raise exc.BleakError("Client is already connected")
        timeout = options.get("timeout", self._timeout)
        self._central = central = await Central.get()
        async with asyncio.timeout(timeout):
            if self.address not in central.kinds:
                await self._find(central, timeout)
            connection = await central.connect(self.address)
        self._gone.clear()
        self._connection = connection
        connection.on(connection.EVENT_DISCONNECTION, self._disconnected)
        try:
            if pair or central.is_bonded(self.address):
                await (self.pair() if not central.is_bonded(self.address) else self._encrypt())
            await self._discover(connection)
        except BaseException:
            await self.disconnect()
            raise
        central.connected[self.address] = self

    async def _find(self, central: Central, within_s: float) -> None:
        heard = asyncio.Event()
        owner = object()
        await central.listen(owner, lambda _advert: heard.set() if self.address in central.kinds else None, active=True)
        try:
            await asyncio.wait_for(heard.wait(), within_s * 0.9)
        except TimeoutError:
            raise exc.BleakDeviceNotFoundError(
                self.address, f"Device with address {self.address} was not found."
            ) from None
        finally:
            await central.ignore(owner)

    async def _encrypt(self) -> None:
        connection = self._connected()
        try:
            await connection.encrypt()
        except hci.HCI_Error as problem:
            if problem.error_code != hci.HCI_ErrorCode.PIN_OR_KEY_MISSING_ERROR or self._central is None:
                raise exc.BleakError(f"encryption failed: {problem}") from problem
            self._central.forget(self.address)  # the other side has forgotten us, so we do

    async def _discover(self, connection: Connection) -> None:
        peer = self._peer = Peer(connection)
        if connection.att_mtu == 23:
            await peer.request_mtu(_MTU)
        await peer.discover_services()
        collection = BleakGATTServiceCollection()
        for service in peer.services:
            uuid = _uuid(service.uuid)
            await service.discover_characteristics()
            if self._wanted is not None and uuid not in self._wanted:
                continue
            shown = BleakGATTService(service, service.handle, uuid)
            collection.add_service(shown)
            for each in service.characteristics:
                await self._add_characteristic(collection, shown, each)
        await self._watch_services(peer)
        self.services = collection

    async def _watch_services(self, peer: Peer) -> None:
        """Ask to be told when the services change, as operating systems do by themselves."""
        for each in peer.get_characteristics_by_uuid(UUID(_SERVICE_CHANGED)):
            try:
                await each.subscribe()
            except (ATT_Error, InvalidStateError):
                pass  # then it does not tell

    async def _add_characteristic(
        self, collection: BleakGATTServiceCollection, service: BleakGATTService, proxy: Any
    ) -> None:
        await proxy.discover_descriptors()
        properties: Any = property_names(int(proxy.properties))
        characteristic = BleakGATTCharacteristic(
            proxy, proxy.handle - 1, _uuid(proxy.uuid), properties, lambda: self.mtu_size - _WRITE_HEADER, service
        )
        collection.add_characteristic(characteristic)
        for each in proxy.descriptors:
            descriptor = BleakGATTDescriptor(each, each.handle, _uuid(each.type), characteristic)
            collection.add_descriptor(descriptor)

    async def disconnect(self) -> None:
        """Part, if connected; waits until it is so."""
        connection = self._connection
        if connection is None:
            return
        try:
            await connection.disconnect()
        except (hci.HCI_Error, InvalidStateError):
            pass  # the other side was faster
        await self._gone.wait()

    def _disconnected(self, _reason: int) -> None:
        self._connection = self._peer = None
        self.services = None
        self._subscriptions.clear()
        self._cached.clear()
        if self._central is not None:
            self._central.connected.pop(self.address, None)
        self._gone.set()
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    # Pairing

    async def pair(self, *_arguments: Any, **_options: Any) -> None:
        """Just works, as without an agent; a bond that is there already is enough."""
        connection = self._connected()
        if self._central is not None and self._central.is_bonded(self.address) and connection.is_encrypted:
            return
        try:
            await connection.pair()
        except (ProtocolError, asyncio.CancelledError) as problem:
            if isinstance(problem, asyncio.CancelledError) and self.is_connected:
                raise
            raise exc.BleakError(f"pairing failed: {problem}") from problem

    async def unpair(self) -> None:
        """Forget the bond; the connection ends, as it does elsewhere."""
        central = self._central or await Central.get()
        if not central.forget(self.address) and self.address not in central.kinds:
            raise exc.BleakDeviceNotFoundError(self.address, f"Device with address {self.address} was not found.")
        await self.disconnect()

    def _connected(self) -> Connection:
        if self._connection is None:
            raise exc.BleakError("Not connected")
        return self._connection

    # Values

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        self._connected()
        try:
            try:
                return await ask()
            except ATT_Error as problem:
                if problem.error_code not in _INSECURE or self._connected().is_encrypted:
                    raise
                await self.pair()
                return await ask()
        except ATT_Error as problem:
            raise _gatt_error(problem.error_code) from problem
        except (asyncio.CancelledError, InvalidStateError) as problem:
            if self.is_connected:
                raise
            raise exc.BleakError("disconnected") from problem

    async def read_gatt_char(self, characteristic: BleakGATTCharacteristic, **options: Any) -> bytearray:
        """A read request, and read blob requests for what does not fit."""
        return await self._read(characteristic.obj, use_cached=options.get("use_cached", False))

    async def read_gatt_descriptor(self, descriptor: BleakGATTDescriptor, **options: Any) -> bytearray:
        """The same for a descriptor."""
        return await self._read(descriptor.obj, use_cached=options.get("use_cached", False))

    async def _read(self, proxy: Any, *, use_cached: bool) -> bytearray:
        if not use_cached or proxy.handle not in self._cached:
            self._cached[proxy.handle] = await self._asked(proxy.read_value)
        return bytearray(self._cached[proxy.handle])

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        """A write request, or a write command."""
        octets = bytes(data)
        await self._asked(lambda: characteristic.obj.write_value(octets, with_response=response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """A write request."""
        octets = bytes(data)
        await self._asked(lambda: descriptor.obj.write_value(octets, with_response=True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_options: Any
    ) -> None:
        """Notifications where there are such, else indications."""

        def told(value: bytes) -> None:
            callback(bytearray(value))

        prefer_notify = "notify" in characteristic.properties
        if not prefer_notify and "indicate" not in characteristic.properties:
            raise exc.BleakError(f"{characteristic.uuid} neither notifies nor indicates")
        await self._asked(lambda: characteristic.obj.subscribe(told, prefer_notify=prefer_notify))
        self._subscriptions[characteristic.handle] = told

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """No more of them."""
        told = self._subscriptions.pop(characteristic.handle, None)
        if told is not None:
            await self._asked(lambda: characteristic.obj.unsubscribe(told))


def _uuid(uuid: Any) -> str:
    return normalize_uuid_str(str(uuid.to_hex_str("-")).lower())


def _gatt_error(code: int) -> exc.BleakError:
    # Younger than bleak 2.1, where such errors are told in words.
    kind = getattr(exc, "BleakGATTProtocolError", None)
    return kind(code) if kind is not None else exc.BleakError(f"GATT Protocol Error: 0x{code:02X}")


BACKEND = PairlabClient
