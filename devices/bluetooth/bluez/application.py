"""A client's GATT application: its objects, as `GetManagedObjects` tells of them, read into services.

Source: BlueZ 5.66, doc/gatt-api.txt, src/gatt-database.c (flags, what must be there, texts of errors).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from dbus_fast import Variant

from devices.bluetooth.bluez.tree import BusError, option
from devices.bluetooth.tables import PROPERTY_NAMES, checked_uuid

SERVICE, CHARACTERISTIC, DESCRIPTOR = (f"org.bluez.Gatt{kind}1" for kind in ("Service", "Characteristic", "Descriptor"))
_PROFILE = "org.bluez.GattProfile1"
_OWN = {"1800": "GAP", "1801": "GATT"}
"""Services that are BlueZ's own."""
_CCCD, _EXTENDED_PROPERTIES = "2902", "2900"
Objects = Mapping[str, Mapping[str, Mapping[str, Variant]]]


class Security(IntEnum):
    """What a peer must have done before an operation; NEVER: there is no such operation."""

    OPEN = 0
    ENCRYPTED = 1
    AUTHENTICATED = 2
    NEVER = 3


@dataclass(frozen=True, slots=True)
class Permissions:
    """What peers may do, and the properties that tell them so."""

    bits: int = 0
    extended: int = 0
    read: Security = Security.NEVER
    write: Security = Security.NEVER
    subscribe: Security = Security.OPEN


_SECURITY = {
    "encrypt-": Security.ENCRYPTED,
    "encrypt-authenticated-": Security.AUTHENTICATED,
    "secure-": Security.AUTHENTICATED,
}
_EXTENDED = {"reliable-write": 1, "writable-auxiliaries": 2}


@dataclass(frozen=True, slots=True)
class DescriptorObject:
    """`GattDescriptor1`"""

    path: str
    uuid: str
    permissions: Permissions
    wants_handle: bool


@dataclass(frozen=True, slots=True)
class CharacteristicObject:
    """`GattCharacteristic1`; with `acquires_…` values go through a socket."""

    path: str
    uuid: str
    permissions: Permissions
    wants_handle: bool
    acquires_write: bool
    acquires_notify: bool
    descriptors: tuple[DescriptorObject, ...]


@dataclass(frozen=True, slots=True)
class ServiceObject:
    """`GattService1`"""

    path: str
    uuid: str
    primary: bool
    wants_handle: bool
    characteristics: tuple[CharacteristicObject, ...]


def read_application(objects: Objects) -> tuple[ServiceObject, ...]:
    """The services; none where there are profiles only. Raises BusError with the object and what is wrong with it."""
    if not any(each for each in objects.values()):
        raise BusError("Failed", "No object received")
    services = _of_kind(objects, SERVICE)
    if not services and not _of_kind(objects, _PROFILE):
        raise BusError("Failed", f"No valid service object found: none is a {SERVICE}")
    try:
        _check_owners(objects, services)
        parsed = {path: _characteristic(path, objects) for path in _of_kind(objects, CHARACTERISTIC)}
    except BusError as problem:
        raise BusError("Failed", f"No valid service object found: {problem.text}") from None
    try:
        return tuple(_service(path, properties, objects, parsed) for path, properties in services.items())
    except BusError as problem:
        raise BusError("Failed", f"Failed to create entry in database: {problem.text}") from None


def _of_kind(objects: Objects, interface: str) -> Mapping[str, Mapping[str, Variant]]:
    return {path: interfaces[interface] for path, interfaces in objects.items() if interface in interfaces}


def _check_owners(objects: Objects, services: Mapping[str, Any]) -> None:
    characteristics = _of_kind(objects, CHARACTERISTIC)
    for path, properties in characteristics.items():
        owner = option(properties, "Service", "o", None)
        if owner not in services:
            raise BusError("Failed", f"Service of {path} is {owner!r}, which is no service here")
    for path, properties in _of_kind(objects, DESCRIPTOR).items():
        owner = option(properties, "Characteristic", "o", None)
        if owner not in characteristics:
            raise BusError("Failed", f"Characteristic of {path} is {owner!r}, which is no characteristic here")


def _permissions(path: str, properties: Mapping[str, Variant], *, is_descriptor: bool) -> Permissions:
    bits, extended = 0, 0
    needed = {"read": Security.NEVER, "write": Security.NEVER, "notify": Security.OPEN}
    flags = option(properties, "Flags", "as", None)
    if not flags:
        raise BusError("Failed", f"Flags of {path} are missing")
    for flag in flags:
        kind, security = _flag(flag)
        if kind is None or (is_descriptor and kind not in ("read", "write", "authorize")):
            raise BusError("Failed", f"Flags of {path} have {flag!r}")
        if kind in PROPERTY_NAMES:
            bits |= 1 << PROPERTY_NAMES.index(kind)
        extended |= _EXTENDED.get(kind, 0)
        operation = _OPERATIONS.get(kind)
        if operation is not None:
            before = needed[operation]
            needed[operation] = security if before is Security.NEVER else max(before, security)
    if extended:
        bits |= 1 << PROPERTY_NAMES.index("extended-properties")
    return Permissions(bits, extended, needed["read"], needed["write"], needed["notify"])


_OPERATIONS = {
    "read": "read",
    "write": "write",
    "write-without-response": "write",
    "authenticated-signed-writes": "write",
    "reliable-write": "write",
    "notify": "notify",
    "indicate": "notify",
}


def _flag(flag: str) -> tuple[str | None, Security]:
    """What a flag is about, and the security that it asks for; None: there is no such flag."""
    if flag in PROPERTY_NAMES or flag in _EXTENDED or flag == "authorize":
        return flag, Security.OPEN
    for prefix in sorted(_SECURITY, key=len, reverse=True):
        kind = flag.removeprefix(prefix)
        if kind != flag and kind in ("read", "write", "notify", "indicate"):
            return kind, _SECURITY[prefix]
    return None, Security.OPEN


def _characteristic(path: str, objects: Objects) -> tuple[str, Permissions, dict[str, Permissions]]:
    """Its service, its permissions, and those of its descriptors: what must be right before anything is added."""
    properties = objects[path][CHARACTERISTIC]
    descriptors = {
        each: _permissions(each, found, is_descriptor=True)
        for each, found in _of_kind(objects, DESCRIPTOR).items()
        if option(found, "Characteristic", "o", None) == path
    }
    owner: str = option(properties, "Service", "o", "")
    return owner, _permissions(path, properties, is_descriptor=False), descriptors


def _service(
    path: str,
    properties: Mapping[str, Variant],
    objects: Objects,
    parsed: Mapping[str, tuple[str, Permissions, dict[str, Permissions]]],
) -> ServiceObject:
    primary = option(properties, "Primary", "b", None)
    if primary is None:
        raise BusError("Failed", f"Primary of {path} is missing")
    made = []
    for each, (owner, permissions, descriptors) in parsed.items():
        if owner != path:
            continue
        found = objects[each][CHARACTERISTIC]
        made.append(
            CharacteristicObject(
                each,
                _uuid(each, found),
                permissions,
                _wants_handle(found),
                "WriteAcquired" in found,
                "NotifyAcquired" in found,
                tuple(_descriptors(descriptors, objects)),
            )
        )
    return ServiceObject(path, _uuid(path, properties), primary, _wants_handle(properties), tuple(made))


def _descriptors(permissions: Mapping[str, Permissions], objects: Objects) -> Sequence[DescriptorObject]:
    made = []
    for path, each in permissions.items():
        found = objects[path][DESCRIPTOR]
        uuid = _uuid(path, found)
        if uuid not in (_CCCD, _EXTENDED_PROPERTIES):  # those come by themselves
            made.append(DescriptorObject(path, uuid, each, _wants_handle(found)))
    return made


def _uuid(path: str, properties: Mapping[str, Variant]) -> str:
    try:
        uuid = checked_uuid(option(properties, "UUID", "s", ""))
    except ValueError as problem:
        raise BusError("Failed", f"UUID of {path}: {problem}") from None
    if uuid in _OWN:
        raise BusError("Failed", f"UUID of {path}: {_OWN[uuid]} service must be handled by BlueZ")
    return uuid


def _wants_handle(properties: Mapping[str, Variant]) -> bool:
    return "Handle" in properties and option(properties, "Handle", "q", 0) == 0
