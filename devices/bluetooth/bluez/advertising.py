"""`org.bluez.LEAdvertisingManager1`: adverts of clients, on the air from the adapter's address.

Each is a set of extended advertising with PDUs of the legacy kind, so several run side by side. One that a central
connects to goes on; one whose time is over, whose client goes or takes it back is gone.
Source: BlueZ 5.66, doc/advertising-api.txt, src/advertising.c (texts of errors).
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bumble import hci
from bumble.device import AdvertisingEventProperties, AdvertisingParameters, AdvertisingSet
from dbus_fast import Variant

from devices.bluetooth.bluez.adapter import ADAPTER, Adapter
from devices.bluetooth.bluez.advertisement import INCLUDES, SECONDARY_CHANNELS, Advertisement, read_advertisement
from devices.bluetooth.bluez.tree import BusError, Call, Changed, Interface, Method
from devices.bluetooth.tables import LONGEST_ADVERT
from devices.sim.clock import Timer

MANAGER = "org.bluez.LEAdvertisingManager1"
_ADVERTISEMENT = "org.bluez.LEAdvertisement1"
_INSTANCES = 5
_MS = 1_000


@dataclass(slots=True, eq=False)
class _Registered:
    """One advert of one client, from the call on."""

    owner: str
    path: str
    watcher: Changed = lambda _interface, _changed: None
    properties: dict[str, Variant] = field(default_factory=dict)
    is_registered: bool = False
    is_over: bool = False
    on_air: AdvertisingSet | None = None
    timer: Timer | None = None


class Advertising:
    """Of one adapter."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter, self._tree = adapter, adapter.tree
        self._adverts: dict[tuple[str, str], _Registered] = {}
        self._changing = asyncio.Lock()
        self._tasks: set[asyncio.Future[None]] = set()
        adapter.tree.on_client_gone.append(self._client_gone)

    def interface(self) -> Interface:
        """For the adapter's object."""
        return Interface(
            MANAGER,
            {
                **self._counted(),
                "SupportedIncludes": Variant("as", list(INCLUDES)),
                "SupportedSecondaryChannels": Variant("as", list(SECONDARY_CHANNELS)),
                "SupportedFeatures": Variant("as", ["CanSetTxPower", "HardwareOffload"]),
                "SupportedCapabilities": Variant(
                    "a{sv}",
                    {
                        "MinTxPower": Variant("n", -127),
                        "MaxTxPower": Variant("n", 20),
                        "MaxAdvLen": Variant("y", LONGEST_ADVERT),
                        "MaxScnRspLen": Variant("y", LONGEST_ADVERT),
                    },
                ),
            },
            {
                "RegisterAdvertisement": Method("oa{sv}", "", self._register),
                "UnregisterAdvertisement": Method("o", "", self._unregister),
            },
        )

    def close(self) -> None:
        """Off."""
        for task in self._tasks:
            task.cancel()
        for each in self._adverts.values():
            self._tree.tell(each.owner, each.path, _ADVERTISEMENT, "Release")
            if each.timer is not None:
                each.timer.cancel()

    def _counted(self) -> Mapping[str, Variant]:
        active = sum(each.is_registered for each in self._adverts.values())
        return {
            "SupportedInstances": Variant("y", _INSTANCES - active),
            "ActiveInstances": Variant("y", active),
        }

    def _told(self) -> None:
        self._tree.put(self._adapter.path, MANAGER, self._counted())

    def _begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Future[None]":
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Clients

    async def _register(self, call: Call) -> Sequence[Any]:
        key = call.sender, call.body[0]
        if key in self._adverts:
            raise BusError("AlreadyExists", "Already Exists")
        if len(self._adverts) >= _INSTANCES:
            raise BusError("NotPermitted", "Maximum advertisements reached")
        advert = self._adverts[key] = _Registered(*key)
        advert.watcher = lambda *what: self._changed(advert, *what)
        try:
            await self._read(advert)
            # A client that goes meanwhile must not leave half of it with the controller.
            await asyncio.shield(self._begin(self._show(advert)))
        except BusError as problem:
            self._drop(advert)
            raise BusError("Failed", f"Failed to parse advertisement. {problem.text}") from None
        except asyncio.CancelledError:
            self._drop(advert)
            raise
        except (hci.HCI_Error, ValueError) as problem:
            self._drop(advert)
            raise BusError("Failed", f"Failed to register advertisement: {problem}") from None
        advert.is_registered = True
        self._told()
        self._tree.watch(advert.owner, advert.path, advert.watcher)
        return []

    async def _read(self, advert: _Registered) -> None:
        advert.properties = await self._tree.call(
            advert.owner,
            advert.path,
            "org.freedesktop.DBus.Properties",
            "GetAll",
            "s",
            [_ADVERTISEMENT],
            gives="a{sv}",
        )

    async def _unregister(self, call: Call) -> Sequence[Any]:
        advert = self._adverts.get((call.sender, call.body[0]))
        if advert is None or not advert.is_registered:
            raise BusError("DoesNotExist", "Does Not Exist")
        self._drop(advert)
        return []

    def _client_gone(self, name: str) -> None:
        for advert in [each for each in self._adverts.values() if each.owner == name]:
            self._drop(advert)

    def _changed(self, advert: _Registered, interface: str, changed: Mapping[str, Variant]) -> None:
        if interface != _ADVERTISEMENT or advert.is_over:
            return
        before = advert.properties
        advert.properties = {**before, **changed}
        try:
            self._meaning(advert)
        except BusError:
            advert.properties = before  # what cannot be is not done, and nobody waits for an answer
        else:
            self._begin(self._show(advert))

    def _drop(self, advert: _Registered) -> None:
        self._adverts.pop((advert.owner, advert.path), None)
        advert.is_over = True
        if advert.timer is not None:
            advert.timer.cancel()
        if advert.is_registered:
            advert.is_registered = False
            self._tree.unwatch(advert.owner, advert.path, advert.watcher)
            self._told()
        self._begin(self._hide(advert))

    def _expired(self, advert: _Registered) -> None:
        self._tree.tell(advert.owner, advert.path, _ADVERTISEMENT, "Release")
        self._drop(advert)

    # On the air

    def _meaning(self, advert: _Registered) -> Advertisement:
        tree, path = self._tree, self._adapter.path
        return read_advertisement(
            advert.properties,
            alias=tree.get(path, ADAPTER, "Alias"),
            adapter_is_discoverable=tree.get(path, ADAPTER, "Discoverable"),
        )

    async def _show(self, advert: _Registered) -> None:
        meaning = self._meaning(advert)
        async with self._changing:
            await self._off_air(advert)
            if not advert.is_over:
                advert.on_air = await self._on_air(meaning)
                advert.on_air.on(AdvertisingSet.EVENT_TERMINATION, lambda _status: self._begin(self._resume(advert)))
        if advert.timer is not None:
            advert.timer.cancel()
            advert.timer = None
        if meaning.timeout_us and not advert.is_over:
            clock = self._adapter.medium.clock
            advert.timer = clock.call_later(meaning.timeout_us, lambda: self._expired(advert))

    async def _on_air(self, meaning: Advertisement) -> AdvertisingSet:
        is_scannable = meaning.legacy and (meaning.connectable or bool(meaning.scan_response))
        return await self._adapter.device.create_advertising_set(
            advertising_parameters=AdvertisingParameters(
                AdvertisingEventProperties(
                    is_connectable=meaning.connectable, is_scannable=is_scannable, is_legacy=meaning.legacy
                ),
                primary_advertising_interval_min=meaning.interval_us / _MS,
                primary_advertising_interval_max=meaning.interval_us / _MS,
                own_address_type=hci.OwnAddressType.PUBLIC,
                advertising_tx_power=meaning.tx_power & 0xFF,  # Bumble has it without a sign
            ),
            advertising_data=meaning.data,
            scan_response_data=meaning.scan_response,
        )

    async def _resume(self, advert: _Registered) -> None:
        """A central has connected, which ends the set for the controller; there is room for more."""
        async with self._changing:
            if advert.on_air is not None and not advert.is_over:
                await advert.on_air.start()

    async def _hide(self, advert: _Registered) -> None:
        async with self._changing:
            await self._off_air(advert)

    async def _off_air(self, advert: _Registered) -> None:
        before, advert.on_air = advert.on_air, None
        if before is not None:
            if before.enabled:
                await before.stop()
            await before.remove()
