"""`org.bluez.AdvertisementMonitorManager1`: clients that scan passively for adverts with given octets in them.

A client may register before its monitor object is there, or a root without one, so it is looked at after the reply.
Source: BlueZ 5.66, doc/advertisement-monitor-api.txt.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from dbus_fast import Variant

from devices.bluetooth.adverts import structures
from devices.bluetooth.bluez.adapter import Adapter, Heard
from devices.bluetooth.bluez.device import RemoteDevice
from devices.bluetooth.bluez.tree import BusError, Call, Interface, Method, option

MANAGER = "org.bluez.AdvertisementMonitorManager1"
_MONITOR = "org.bluez.AdvertisementMonitor1"


class Monitors:
    """Of one adapter."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._monitors: dict[tuple[str, str], list[tuple[int, int, bytes]]] = {}
        self._told: set[tuple[str, str, str]] = set()
        self._tasks: set[asyncio.Future[None]] = set()
        adapter.on_found.append(self._found)
        adapter.tree.on_client_gone.append(self._client_gone)

    def interface(self) -> Interface:
        """For the adapter's object."""
        return Interface(
            MANAGER,
            {
                "SupportedMonitorTypes": Variant("as", ["or_patterns"]),
                "SupportedFeatures": Variant("as", ["controller-patterns"]),
            },
            {
                "RegisterMonitor": Method("o", "", self._register),
                "UnregisterMonitor": Method("o", "", self._unregister),
            },
        )

    def close(self) -> None:
        """Off."""
        for task in self._tasks:
            task.cancel()

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _register(self, call: Call) -> Sequence[Any]:
        if any(owner == call.sender and path == call.body[0] for owner, path in self._monitors):
            raise BusError("AlreadyExists", "Already Exists")
        self._begin(self._look(call.sender, call.body[0]))
        return []

    async def _look(self, owner: str, root: str) -> None:
        await asyncio.sleep(0.01)  # the client exports its object once it has our reply
        for path, properties in (await self._objects(owner, root)).items():
            try:
                patterns = option(properties, "Patterns", "a(yyay)", ())
            except BusError:
                await self._tell(owner, path, "Release")
                continue
            self._monitors[owner, path] = [(start, kind, bytes(octets)) for start, kind, octets in patterns]
            self._adapter.watch(owner, on=True)
            await self._tell(owner, path, "Activate")

    async def _objects(self, owner: str, root: str) -> dict[str, Any]:
        tree = self._adapter.tree
        try:
            properties = await tree.call(owner, root, "org.freedesktop.DBus.Properties", "GetAll", "s", [_MONITOR])
        except BusError:
            properties = None
        if properties and isinstance(properties, dict):
            return {root: properties}
        try:
            managed = await tree.call(owner, root, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        except BusError:
            return {}
        if not isinstance(managed, dict):
            return {}
        return {path: found[_MONITOR] for path, found in managed.items() if _MONITOR in found}

    async def _unregister(self, call: Call) -> Sequence[Any]:
        if not self._drop(call.sender, call.body[0]):
            raise BusError("DoesNotExist", "Does Not Exist")
        return []

    def _drop(self, owner: str, root: str) -> bool:
        gone = [key for key in self._monitors if key[0] == owner and key[1].startswith(root)]
        for key in gone:
            del self._monitors[key]
        if gone and not any(key[0] == owner for key in self._monitors):
            self._adapter.watch(owner, on=False)
        self._told = {each for each in self._told if each[:2] not in gone}
        return bool(gone)

    def _client_gone(self, name: str) -> None:
        self._drop(name, "/")

    def _found(self, device: RemoteDevice, heard: Heard) -> None:
        advert = heard.advert
        said = [] if advert is None else list(structures(advert.data))
        for (owner, path), patterns in self._monitors.items():
            if (owner, path, device.path) not in self._told and _matches(patterns, said):
                self._told.add((owner, path, device.path))
                self._begin(self._tell(owner, path, "DeviceFound", "o", device.path))

    async def _tell(self, owner: str, path: str, member: str, signature: str = "", *body: Any) -> None:
        try:
            await self._adapter.tree.call(owner, path, _MONITOR, member, signature, body)
        except BusError:
            pass  # a monitor that does not listen misses it


def _matches(patterns: list[tuple[int, int, bytes]], said: list[tuple[int, bytes]]) -> bool:
    if not patterns:
        return True
    return any(
        kind == wanted and data[start : start + len(octets)] == octets
        for start, wanted, octets in patterns
        for kind, data in said
    )
