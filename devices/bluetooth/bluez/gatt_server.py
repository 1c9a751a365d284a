"""An adapter's GATT server whose values are objects of clients: each read and write is asked of the program.

Handles are never given twice. A read that goes on (Read Blob) is asked with its offset, as BlueZ does; a program that
does not mind `offset` gives its beginning again.
Source: BlueZ 5.66, src/gatt-database.c, src/shared/gatt-server.c; Core Specification 5.4, Vol 3, Part F, 3.4 and 4.
"""

import asyncio
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bumble import att, gatt, gatt_server
from bumble.device import Connection
from dbus_fast import Variant

from devices.bluetooth.bluez.adapter import Adapter
from devices.bluetooth.bluez.application import (
    CHARACTERISTIC,
    DESCRIPTOR,
    CharacteristicObject,
    DescriptorObject,
    Permissions,
    Security,
)
from devices.bluetooth.bluez.tree import ERRORS, BusError
from devices.bluetooth.tables import LONGEST_VALUE

_PATIENCE_S = 25
"""Below the 30 seconds of an ATT transaction."""
_IN_PROGRESS, _IMPROPERLY_CONFIGURED, _APPLICATION = 0xFE, 0xFD, 0x80
_NAMED: Mapping[str, int] = {
    f"{ERRORS}.NotSupported": att.ErrorCode.REQUEST_NOT_SUPPORTED,
    f"{ERRORS}.NotAuthorized": att.ErrorCode.INSUFFICIENT_AUTHORIZATION,
    f"{ERRORS}.InvalidValueLength": att.ErrorCode.INVALID_ATTRIBUTE_LENGTH,
    f"{ERRORS}.InvalidOffset": att.ErrorCode.INVALID_OFFSET,
    f"{ERRORS}.InProgress": _IN_PROGRESS,
}


class ApplicationServer(gatt_server.Server):
    """Bumble's server, from which services can go again, and which tells who subscribes."""

    def __init__(self, device: Any) -> None:
        super().__init__(device)
        self.remote: dict[int, RemoteValue] = {}
        """Values of clients by handle."""
        self.subscribed: dict[int, Callable[[Connection, int, int], None]] = {}
        """Called with (connection, value of the CCCD before, and now), by the handle of the characteristic."""
        self._last_handle = 0

    def next_handle(self) -> int:
        """The next one that was never given."""
        return max((self._last_handle, *(each.handle for each in self.attributes[-1:]))) + 1

    def remove_service(self, service: gatt.Service) -> None:
        """Its attributes are no longer there."""
        self._last_handle = self.next_handle() - 1
        first, last = service.handle, service.end_group_handle
        self.attributes = [each for each in self.attributes if not first <= each.handle <= last]
        self.attributes_by_handle.clear()
        self.services.remove(service)
        for handle in range(first, last + 1):
            self.remote.pop(handle, None)
            self.subscribed.pop(handle, None)

    def changed(self, first: int, last: int) -> Any:
        """Indicate Service Changed to whoever has subscribed to it."""
        for each in self.attributes:
            if each.type == gatt.GATT_SERVICE_CHANGED_CHARACTERISTIC and isinstance(each, gatt.Characteristic):
                return self.indicate_subscribers(each, struct.pack("<HH", first, last))
        return None

    def write_cccd(self, bearer: Any, characteristic: gatt.Characteristic, value: bytes) -> None:
        """Only what the properties allow; others are improperly configured."""
        tell = self.subscribed.get(characteristic.handle)
        wanted = int.from_bytes(value, "little")
        bits = characteristic.properties & (gatt.Characteristic.Properties.NOTIFY, gatt.Characteristic.Properties.INDICATE)[
            wanted == 2
        ]
        if len(value) != 2 or wanted > 2 or (wanted and not bits):
            raise att.ATT_Error(error_code=_IMPROPERLY_CONFIGURED)
        before = int.from_bytes(self.read_cccd(bearer, characteristic), "little")
        super().write_cccd(bearer, characteristic, value)
        if tell is not None:
            tell(bearer, before, wanted)

    def on_disconnection(self, bearer: Any) -> None:
        """Its subscriptions end."""
        for handle, value in self.subscribers.get(bearer, {}).items():
            tell = self.subscribed.get(handle)
            if tell is not None:
                tell(bearer, int.from_bytes(value, "little"), 0)
        super().on_disconnection(bearer)

    def on_att_read_blob_request(self, bearer: Any, request: Any) -> None:
        """Vol 3, Part F, 3.4.4.5"""
        value = self.remote.get(request.attribute_handle)
        if value is None:
            super().on_att_read_blob_request(bearer, request)
        else:
            task = asyncio.ensure_future(self._read_blob(value, bearer, request))
            value.tasks.add(task)
            task.add_done_callback(value.tasks.discard)

    async def _read_blob(self, value: "RemoteValue", bearer: Any, request: Any) -> None:
        response: att.ATT_PDU
        try:
            octets = await value.read(bearer, request.value_offset)
            response = att.ATT_Read_Blob_Response(part_attribute_value=octets[: bearer.att_mtu - 1])
        except att.ATT_Error as problem:
            response = att.ATT_Error_Response(
                request_opcode_in_error=request.op_code,
                attribute_handle_in_error=request.attribute_handle,
                error_code=problem.error_code,
            )
        self.send_response(bearer, response)


class RemoteValue:
    """One value of one client's object."""

    def __init__(self, adapter: Adapter, owner: str, found: CharacteristicObject | DescriptorObject) -> None:
        self.adapter, self.owner, self.path = adapter, owner, found.path
        self.permissions: Permissions = found.permissions
        is_characteristic = isinstance(found, CharacteristicObject)
        self.interface = CHARACTERISTIC if is_characteristic else DESCRIPTOR
        self._answers_at_once = bool(
            found.permissions.bits & gatt.Characteristic.Properties.WRITE_WITHOUT_RESPONSE and is_characteristic
        )
        self.tasks: set[asyncio.Future[None]] = set()

    def value(self) -> gatt.CharacteristicValue:
        """For Bumble's attribute."""
        return gatt.CharacteristicValue(read=lambda connection: self.read(connection, 0), write=self.write)

    async def read(self, connection: Connection, offset: int) -> bytes:
        """Raises ATT_Error."""
        self.check(connection, self.permissions.read, att.ErrorCode.READ_NOT_PERMITTED)
        options = self.options(connection, offset)
        try:
            value = await self._call("ReadValue", "a{sv}", [options], gives="ay")
        except BusError as problem:
            raise att.ATT_Error(error_code=error_code(problem, att.ErrorCode.READ_NOT_PERMITTED)) from None
        return bytes(value)[:LONGEST_VALUE]

    async def write(self, connection: Connection, value: bytes) -> None:
        """Raises ATT_Error."""
        self.check(connection, self.permissions.write, att.ErrorCode.WRITE_NOT_PERMITTED)
        body = [bytes(value), self.options(connection, 0)]
        if self._answers_at_once:
            # BlueZ waits for the program only where there is no write without response.
            self.adapter.tree.tell(self.owner, self.path, self.interface, "WriteValue", "aya{sv}", body)
            return
        try:
            await self._call("WriteValue", "aya{sv}", body)
        except BusError as problem:
            raise att.ATT_Error(error_code=error_code(problem, att.ErrorCode.WRITE_NOT_PERMITTED)) from None

    async def _call(self, member: str, signature: str, body: Sequence[Any], *, gives: str | None = None) -> Any:
        return await self.adapter.tree.call(
            self.owner, self.path, self.interface, member, signature, body, gives=gives, patience_s=_PATIENCE_S
        )

    def check(self, connection: Connection, needed: Security, never: int) -> None:
        """Raises ATT_Error where the peer has to pair first, or may not do it at all."""
        if needed is Security.NEVER:
            raise att.ATT_Error(error_code=never)
        if needed is Security.ENCRYPTED and not connection.is_encrypted:
            raise att.ATT_Error(error_code=att.ErrorCode.INSUFFICIENT_ENCRYPTION)
        if needed is Security.AUTHENTICATED and not self.adapter.is_authenticated(connection):
            raise att.ATT_Error(error_code=att.ErrorCode.INSUFFICIENT_AUTHENTICATION)

    def options(self, connection: Connection, offset: int) -> dict[str, Variant]:
        """Who asks, for what of it, over what. Raises ATT_Error where nobody does any more."""
        device = self.adapter.remote_of(connection)
        if device is None:
            raise att.ATT_Error(error_code=att.ErrorCode.UNLIKELY_ERROR)
        options = {
            "device": Variant("o", device.path),
            "link": Variant("s", "LE"),
            "mtu": Variant("q", int(connection.att_mtu)),
        }
        return {**options, "offset": Variant("q", offset)} if offset else options


def error_code(problem: BusError, not_permitted: int) -> int:
    """ATT's code for what a program answers: its own codes (0x80 to 0x9f) as the text of Failed."""
    if problem.name == f"{ERRORS}.NotPermitted":
        return not_permitted
    if problem.name != f"{ERRORS}.Failed":
        return _NAMED.get(problem.name, att.ErrorCode.UNLIKELY_ERROR)
    try:
        code = int(problem.text.strip() or "0", 0)
    except ValueError:
        return _APPLICATION
    return code if 0x80 <= code <= 0x9F else att.ErrorCode.UNLIKELY_ERROR
