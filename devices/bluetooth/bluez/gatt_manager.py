"""`org.bluez.GattManager1`: clients' GATT applications, served to whoever connects to the adapter.

Source: BlueZ 5.66, doc/gatt-api.txt, src/gatt-database.c.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bumble import att, gatt
from bumble.core import UUID
from dbus_fast import Variant

from devices.bluetooth.bluez.adapter import Adapter
from devices.bluetooth.bluez.application import (
    CHARACTERISTIC,
    DESCRIPTOR,
    SERVICE,
    CharacteristicObject,
    DescriptorObject,
    ServiceObject,
    read_application,
)
from devices.bluetooth.bluez.news import News
from devices.bluetooth.bluez.remote_value import RemoteValue
from devices.bluetooth.bluez.tree import BusError, Call, Interface, Method

MANAGER = "org.bluez.GattManager1"
_LAST_HANDLE = 0xFFFF
_ALL = att.Attribute.READABLE | att.Attribute.WRITEABLE
"""Who may do what is judged where the program is asked."""


@dataclass(slots=True, eq=False)
class _Application:
    """One application of one client, from the call on."""

    owner: str
    path: str
    is_registered: bool = False
    services: dict[str, gatt.Service] = field(default_factory=dict)
    """By the path of the object."""
    news: dict[str, list[News]] = field(default_factory=dict)
    """What is told to subscribers, by the path of the service."""


class GattManager:
    """Of one adapter."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter, self._tree, self._server = adapter, adapter.tree, adapter.server
        self._applications: dict[tuple[str, str], _Application] = {}
        self._tasks: set[asyncio.Future[None]] = set()
        adapter.tree.on_client_gone.append(self._client_gone)
        adapter.tree.on_objects_removed.append(self._objects_removed)

    def interface(self) -> Interface:
        """For the adapter's object."""
        return Interface(
            MANAGER,
            {},
            {
                "RegisterApplication": Method("oa{sv}", "", self._register),
                "UnregisterApplication": Method("o", "", self._unregister),
            },
        )

    def close(self) -> None:
        """Off."""
        for task in self._tasks:
            task.cancel()
        for application in self._applications.values():
            for path in tuple(application.news):
                self._end_news(application, path)

    # Clients

    async def _register(self, call: Call) -> Sequence[Any]:
        key = call.sender, call.body[0]
        if key in self._applications:
            raise BusError("AlreadyExists", "Already Exists")
        application = self._applications[key] = _Application(*key)
        try:
            services = read_application(await self._objects(application))
            self._add(application, services)
        except BaseException:
            self._applications.pop(key, None)
            raise
        application.is_registered = True
        return []

    async def _objects(self, application: _Application) -> Any:
        manager = "org.freedesktop.DBus.ObjectManager"
        try:
            return await self._tree.call(
                application.owner, application.path, manager, "GetManagedObjects", gives="a{oa{sa{sv}}}"
            )
        except BusError as problem:
            raise BusError("Failed", f"No object received: {problem.text}") from None

    async def _unregister(self, call: Call) -> Sequence[Any]:
        application = self._applications.get((call.sender, call.body[0]))
        if application is None or not application.is_registered:
            raise BusError("DoesNotExist", "Does Not Exist")
        self._drop(application)
        return []

    def _client_gone(self, name: str) -> None:
        for application in [each for each in self._applications.values() if each.owner == name]:
            self._drop(application)

    def _objects_removed(self, owner: str, path: str, interfaces: Sequence[str]) -> None:
        if SERVICE in interfaces:
            for application in self._applications.values():
                if application.owner == owner and path in application.services:
                    self._remove(application, path)

    def _drop(self, application: _Application) -> None:
        self._applications.pop((application.owner, application.path), None)
        for path in tuple(application.services):
            self._remove(application, path)

    # Services

    def _add(self, application: _Application, services: Sequence[ServiceObject]) -> None:
        needed = sum(2 + 5 * len(each.characteristics) for each in services)
        needed += sum(len(one.descriptors) for each in services for one in each.characteristics)
        if self._server.next_handle() + needed > _LAST_HANDLE:
            raise BusError("Failed", "Failed to create entry in database: there are no more handles")
        for each in services:
            self._add_service(application, each)

    def _add_service(self, application: _Application, found: ServiceObject) -> None:
        owner, news = application.owner, application.news.setdefault(found.path, [])
        remote: list[tuple[att.Attribute[bytes], RemoteValue]] = []
        made = [self._characteristic(owner, each, remote) for each in found.characteristics]
        service = gatt.Service(UUID(found.uuid), made, primary=found.primary)
        self._server.add_service(service)
        application.services[found.path] = service
        for attribute, value in remote:
            self._server.remote[attribute.handle] = value
        by_path = {value.path: (attribute, value) for attribute, value in remote}
        for each in found.characteristics:
            attribute, value = by_path[each.path]
            one = News(value, attribute, acquires_write=each.acquires_write, acquires_notify=each.acquires_notify)
            self._tree.watch(owner, each.path, one.on_changed)
            news.append(one)
        if found.wants_handle:
            self._tell_handle(owner, found.path, SERVICE, service.handle)
        for each in found.characteristics:
            if each.wants_handle:
                self._tell_handle(owner, each.path, CHARACTERISTIC, by_path[each.path][0].handle - 1)
            for descriptor in each.descriptors:
                if descriptor.wants_handle:
                    self._tell_handle(owner, descriptor.path, DESCRIPTOR, by_path[descriptor.path][0].handle)
        self._changed(service)

    def _characteristic(
        self, owner: str, found: CharacteristicObject, remote: list[tuple[att.Attribute[bytes], RemoteValue]]
    ) -> gatt.Characteristic[bytes]:
        descriptors = [self._descriptor(owner, each, remote) for each in found.descriptors]
        permissions = found.permissions
        if permissions.extended:
            extended = permissions.extended.to_bytes(2, "little")
            descriptors.append(
                gatt.Descriptor(
                    gatt.GATT_CHARACTERISTIC_EXTENDED_PROPERTIES_DESCRIPTOR, att.Attribute.READABLE, extended
                )
            )
        value = RemoteValue(self._adapter, owner, found)
        properties = gatt.Characteristic.Properties(permissions.bits)
        made = gatt.Characteristic[bytes](UUID(found.uuid), properties, _ALL, value.value(), descriptors)
        remote.append((made, value))
        return made

    def _descriptor(
        self, owner: str, found: DescriptorObject, remote: list[tuple[att.Attribute[bytes], RemoteValue]]
    ) -> gatt.Descriptor:
        value = RemoteValue(self._adapter, owner, found)
        made = gatt.Descriptor(UUID(found.uuid), _ALL, value.value())
        remote.append((made, value))
        return made

    def _tell_handle(self, owner: str, path: str, interface: str, handle: int) -> None:
        properties, body = "org.freedesktop.DBus.Properties", [interface, "Handle", Variant("q", handle)]
        self._tree.tell(owner, path, properties, "Set", "ssv", body)

    def _remove(self, application: _Application, path: str) -> None:
        self._end_news(application, path)
        service = application.services.pop(path)
        self._server.remove_service(service)
        self._changed(service)

    def _end_news(self, application: _Application, path: str) -> None:
        for one in application.news.pop(path, []):
            self._tree.unwatch(application.owner, one.path, one.on_changed)
            one.end()

    def _changed(self, service: gatt.Service) -> None:
        work = self._server.changed(service.handle, service.end_group_handle)
        if work is not None:
            task = asyncio.ensure_future(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
