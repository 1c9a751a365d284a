"""A value of a client's GATT application: each read and write is asked of the program, and its errors become ATT's.

A read that goes on (Read Blob) is asked with its offset, as BlueZ does; a program that does not mind `offset` gives its
beginning again.
Source: BlueZ 5.66, src/gatt-database.c; Core Specification 5.4, Vol 3, Part F, 3.4.1 and 4.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from bumble import att, gatt
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
_IN_PROGRESS, _APPLICATION = 0xFE, 0x80
_NAMED: Mapping[str, int] = {
    f"{ERRORS}.NotSupported": att.ErrorCode.REQUEST_NOT_SUPPORTED,
    f"{ERRORS}.NotAuthorized": att.ErrorCode.INSUFFICIENT_AUTHORIZATION,
    f"{ERRORS}.InvalidValueLength": att.ErrorCode.INVALID_ATTRIBUTE_LENGTH,
    f"{ERRORS}.InvalidOffset": att.ErrorCode.INVALID_OFFSET,
    f"{ERRORS}.InProgress": _IN_PROGRESS,
}


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
        self.pass_on: Callable[[Connection, bytes], Awaitable[bool]] | None = None
        """Takes a write instead of the method; False where it cannot."""

    def value(self) -> gatt.CharacteristicValue[bytes]:
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
        if self.pass_on is not None and await self.pass_on(connection, value):
            return
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
