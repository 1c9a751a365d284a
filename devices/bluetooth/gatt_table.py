"""A GATT table on Bumble's server: values, who may read and write them, and what happens is told as events.

Security is judged by the bond, not by Bumble's flag: that one says "authenticated" after Just Works too.
Source: Core Specification 5.4, Vol 3, Part F, 4 (security) and Part G, 3.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bumble import att, gatt
from bumble.core import UUID
from bumble.device import Connection, Device

from devices.ble_events import CharacteristicRead, CharacteristicRefused, CharacteristicWritten
from devices.bluetooth.tables import LONGEST_VALUE, PROPERTY_NAMES, CharacteristicTable, DescriptorTable, ServiceTable
from devices.errors import UsageError
from pairing.engine import Event

_ERRORS: Mapping[int, str] = {
    att.ErrorCode.INSUFFICIENT_AUTHENTICATION: "insufficient-authentication",
    att.ErrorCode.INSUFFICIENT_ENCRYPTION: "insufficient-encryption",
    att.ErrorCode.INVALID_ATTRIBUTE_LENGTH: "invalid-attribute-length",
    att.ErrorCode.READ_NOT_PERMITTED: "read-not-permitted",
    att.ErrorCode.WRITE_NOT_PERMITTED: "write-not-permitted",
}

_MOST_HANDLES = 65_500  # the stack's own services take some

_PERMITTED_BY = {
    "read": ({"read"}, att.ErrorCode.READ_NOT_PERMITTED),
    "write": ({"write", "write-without-response"}, att.ErrorCode.WRITE_NOT_PERMITTED),
}


def _is_no_refusal(record: logging.LogRecord) -> bool:
    """A write command that is refused has no answer, and Bumble logs it; here the event log tells it."""
    return record.exc_info is None or not isinstance(record.exc_info[1], att.ATT_Error)


logging.getLogger("bumble.gatt_server").addFilter(_is_no_refusal)


@dataclass(slots=True)
class GattValue:
    """One characteristic at work. `name` is `service/characteristic`."""

    name: str
    table: CharacteristicTable
    value: bytes
    characteristic: Any = None
    on_read: Callable[[], bytes] | None = None
    """Makes the value at each read, instead of the one that is kept."""
    on_write: Callable[[bytes], None] | None = None
    """Is told what was written, beside the event."""


@dataclass(slots=True)
class GattTable:
    """The values of one accessory by name; `emit` gets events with the address of the central as `peer`."""

    emit: Callable[[Event], None]
    is_authenticated: Callable[[Connection], bool]
    values: dict[str, GattValue] = field(default_factory=dict)
    instead_of_answer: Callable[[Connection], Awaitable[None] | None] = lambda _connection: None
    """Asked before a value is given to a reader; what it returns is done, and then there is no answer."""

    def fill(self, device: Device, services: Sequence[ServiceTable]) -> None:
        """Put the services on the device's GATT server. Names of two alike characteristics get `#2`, `#3`.

        Raises UsageError where handles, which have 16 bits, run out.
        """
        handles = sum(1 + sum(3 + len(each.descriptor) for each in service.characteristic) for service in services)
        if handles > _MOST_HANDLES:
            raise UsageError(f"a GATT table has about {_MOST_HANDLES} handles at most, not {handles}")
        for service in services:
            made = [self._add(service, each) for each in service.characteristic]
            device.add_service(gatt.Service(UUID(service.uuid), made))

    def _add(self, service: ServiceTable, table: CharacteristicTable) -> Any:
        name = plain = f"{service.uuid}/{table.uuid}"
        number = 1
        while name in self.values:
            number += 1
            name = f"{plain}#{number}"
        kept = self.values[name] = GattValue(name, table, table.octets)
        properties = gatt.Characteristic.Properties(
            sum(1 << PROPERTY_NAMES.index(each) for each in set(table.properties))
        )
        permissions = att.Attribute.Permissions(0)
        if "read" in table.properties:
            permissions |= att.Attribute.READABLE
        if {"write", "write-without-response"} & set(table.properties):
            permissions |= att.Attribute.WRITEABLE
        kept.characteristic = gatt.Characteristic(
            UUID(table.uuid),
            properties,
            permissions,
            gatt.CharacteristicValue(
                read=lambda connection: self._read(kept, connection),
                write=lambda connection, value: self._write(kept, connection, value),
            ),
            [_descriptor(each) for each in table.descriptor],
        )
        return kept.characteristic

    def _read(self, kept: GattValue, connection: Connection | None) -> Any:
        if connection is None:  # Bumble reads it for a notification
            return kept.value
        self._check(kept, connection, "read")
        instead = self.instead_of_answer(connection)
        if instead is not None:
            return _unanswered(instead)
        if kept.on_read is not None:
            kept.value = kept.on_read()
        self.emit(CharacteristicRead(peer=peer_of(connection), characteristic=kept.name, value=kept.value))
        return kept.value

    def _write(self, kept: GattValue, connection: Connection, value: bytes) -> None:
        self._check(kept, connection, "write")
        if len(value) > LONGEST_VALUE:
            self._refuse(kept, connection, "write", att.ErrorCode.INVALID_ATTRIBUTE_LENGTH)
        kept.value = bytes(value)
        self.emit(CharacteristicWritten(peer=peer_of(connection), characteristic=kept.name, value=kept.value))
        if kept.on_write is not None:
            kept.on_write(kept.value)

    def _check(self, kept: GattValue, connection: Connection, operation: str) -> None:
        by, error = _PERMITTED_BY[operation]
        if not by & set(kept.table.properties):  # Bumble's server lets everybody
            self._refuse(kept, connection, operation, error)
        security = kept.table.security
        if security == "open":
            return
        if not connection.is_encrypted:
            self._refuse(kept, connection, operation, att.ErrorCode.INSUFFICIENT_AUTHENTICATION)
        if security == "authenticated" and not self.is_authenticated(connection):
            self._refuse(kept, connection, operation, att.ErrorCode.INSUFFICIENT_AUTHENTICATION)

    def _refuse(self, kept: GattValue, connection: Connection, operation: str, error: att.ErrorCode) -> None:
        self.emit(
            CharacteristicRefused(
                peer=peer_of(connection), characteristic=kept.name, operation=operation, error=_ERRORS[error]
            )
        )
        raise att.ATT_Error(error_code=error)


async def _unanswered(instead: Awaitable[None]) -> bytes:
    await instead
    raise att.ATT_Error(error_code=att.ErrorCode.UNLIKELY_ERROR)  # nobody is there to hear it


def peer_of(connection: Connection) -> str:
    """The address of the other end, as events name it."""
    return str(connection.peer_address).removesuffix("/P")


def _descriptor(table: DescriptorTable) -> Any:
    permissions = att.Attribute.READABLE
    if table.writable:
        permissions |= att.Attribute.WRITEABLE
    return gatt.Descriptor(UUID(table.uuid), permissions, bytes.fromhex(table.value))
