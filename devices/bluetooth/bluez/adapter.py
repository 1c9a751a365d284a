"""`org.bluez.Adapter1`: who scans, what was heard, and the devices that follow from it.

Adverts are heard from the medium itself, without HCI between, and told at most every 0.3 s of one device unless it says
something new. A device that is not connected, paired or trusted vanishes 30 s after its last advert.
Source: BlueZ 5.66, doc/adapter-api.txt; reference for texts of errors: src/error.c.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bumble import hci
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.gatt import GATT_DEVICE_NAME_CHARACTERISTIC
from bumble.host import Host
from bumble.keys import MemoryKeyStore
from bumble.pairing import PairingConfig
from bumble.transport.common import AsyncPipeSink
from dbus_fast import Variant

from devices.bluetooth.adverts import ReadAdvert, read_advert
from devices.bluetooth.bluez.agent import Agents
from devices.bluetooth.bluez.device import RemoteDevice
from devices.bluetooth.bluez.gatt_server import ApplicationServer
from devices.bluetooth.bluez.tree import BusError, Call, Interface, Method, Tree, option
from devices.bluetooth.gatt_table import peer_of
from devices.bluetooth.pairing_sessions import end_failed_sessions
from devices.bluetooth.radio import Radio, public_address
from devices.bluetooth.tables import long_uuid
from devices.media.ble import Advert, BleMedium
from devices.sim.chance import Stream
from devices.sim.clock import Timer
from pairing.engine import SECOND, Micros

logging.getLogger("bumble.controller").setLevel(logging.ERROR)  # what follows a goodbye is lost, which is no news

ADAPTER = "org.bluez.Adapter1"
_NAME = "pairlab"
_KEPT = ("Discoverable", "DiscoverableTimeout", "Pairable", "PairableTimeout")
"""Properties that a client may set and that change nothing here."""
_QUIET: Micros = 300_000
_LIFE: Micros = 30 * SECOND
_SWEEP: Micros = 5 * SECOND
_RESOLVABLE = 0b01
"""The top bits of a resolvable private address."""


@dataclass(slots=True)
class Discovery:
    """One client that scans, and what it wants to see."""

    uuids: frozenset[str] = frozenset()
    rssi: int | None = None
    pattern: str = ""

    def wants(self, heard: "Heard", address: str) -> bool:
        """Whether a device fits its filter."""
        if self.uuids and not self.uuids & set(heard.uuids):
            return False
        if self.rssi is not None and (heard.rssi_dbm is None or heard.rssi_dbm < self.rssi):
            return False
        return not self.pattern or address.startswith(self.pattern) or (heard.said.name or "").startswith(self.pattern)


@dataclass(slots=True)
class Heard:
    """What is known of one address from its adverts."""

    address: str
    is_random: bool
    said: ReadAdvert
    rssi_dbm: int | None
    """None: it was never heard, it has connected to us."""
    last_us: Micros
    told_us: Micros = -_QUIET
    uuids: tuple[str, ...] = ()
    place: str = ""
    """The address it was last heard at: its own, or the private one of the moment."""
    advert: Advert | None = field(default=None, repr=False)


class Adapter:
    """One adapter `/org/bluez/hciN` with a central of its own."""

    def __init__(self, tree: Tree, medium: BleMedium, number: int, chance: Stream, agents: Agents) -> None:
        self.tree, self.medium, self.agents = tree, medium, agents
        self.path = f"/org/bluez/hci{number}"
        self.devices: dict[str, RemoteDevice] = {}
        self.connecting = asyncio.Lock()
        self.heard: dict[str, Heard] = {}
        self._filters: dict[str, Discovery] = {}
        self._discoveries: dict[str, Discovery] = {}
        self._passive: set[str] = set()
        self._sought: dict[str, asyncio.Future[None]] = {}
        self._sweep: Timer | None = None
        self.on_found: list[Callable[[RemoteDevice, Heard], None]] = []
        """Called at each telling of a device: the advertisement monitors."""
        self.address = public_address(chance)
        actor = f"hci{number}"
        self.radio = Radio(medium, actor, self.address, chance, medium.tap_of(actor))
        self.device = self._host(chance)
        # A port of its own hears adverts, so that scanning and connecting do not mind each other.
        self.port = medium.join(actor, self._on_advert, lambda _link, _payload: None, lambda _link: None)
        tree.on_client_gone.append(self._client_gone)

    def _host(self, chance: Stream) -> Device:
        config = DeviceConfiguration(
            name=_NAME,
            address=hci.Address(self.address, hci.AddressType.PUBLIC_DEVICE),
            irk=chance.randbytes(16),
            identity_address_type=int(hci.AddressType.PUBLIC_DEVICE),
            gap_service_enabled=False,
            gatt_service_enabled=False,
        )
        device = Device(config=config, host=Host(self.radio, AsyncPipeSink(self.radio)))
        device.gatt_server = self.server = ApplicationServer(device)
        device.add_default_services()
        device.keystore = MemoryKeyStore()
        device.on(device.EVENT_CONNECTION, self._connected)
        end_failed_sessions(device)
        device.pairing_config_factory = lambda connection: PairingConfig(
            delegate=self.agents.delegate_for(self.remote_of(connection)),
            identity_address_type=PairingConfig.AddressType.PUBLIC,
        )
        return device

    def remote_of(self, connection: Connection) -> RemoteDevice | None:
        """The device at the other end of a connection."""
        return self.devices.get(peer_of(connection))

    @property
    def is_pairable(self) -> bool:
        """Whether others may begin to pair."""
        return bool(self.tree.get(self.path, ADAPTER, "Pairable"))

    def is_authenticated(self, connection: Connection) -> bool:
        """Whether the bond is one with a number; Bumble's flag is set after Just Works, too."""
        keys = getattr(self.device.keystore, "all_keys", {}).get(str(connection.peer_address))
        ltk = None if keys is None else keys.ltk or keys.ltk_peripheral
        return connection.is_encrypted and ltk is not None and bool(ltk.authenticated)

    def _connected(self, connection: Connection) -> None:
        if connection.role != hci.Role.PERIPHERAL:
            return
        address = peer_of(connection)
        device = self.devices.get(address)
        if device is None:
            heard = self.heard.get(address)
            if heard is None:
                is_random = bool(connection.peer_address.address_type & 1)
                heard = self.heard[address] = Heard(address, is_random, ReadAdvert(), None, self.medium.clock.now())
            device = self.devices[address] = RemoteDevice(self, heard)
            device.appear()
        device.opened(connection)

    async def open(self, *more: Interface) -> None:
        """Power on, and appear on the bus, with more interfaces of the adapter's object."""
        await self.device.power_on()
        self.tree.add(
            self.path,
            Interface(
                ADAPTER,
                {
                    "Address": Variant("s", self.address),
                    "AddressType": Variant("s", "public"),
                    "Name": Variant("s", _NAME),
                    "Alias": Variant("s", _NAME),
                    "Class": Variant("u", 0),
                    "Powered": Variant("b", True),
                    "Discoverable": Variant("b", False),
                    "DiscoverableTimeout": Variant("u", 180),
                    "Pairable": Variant("b", True),
                    "PairableTimeout": Variant("u", 0),
                    "Discovering": Variant("b", False),
                    "UUIDs": Variant("as", []),
                    "Modalias": Variant("s", "usb:v1D6Bp0246d0542"),
                    "Roles": Variant("as", ["central", "peripheral"]),
                },
                {
                    "StartDiscovery": Method("", "", self._start_discovery),
                    "StopDiscovery": Method("", "", self._stop_discovery),
                    "SetDiscoveryFilter": Method("a{sv}", "", self._set_filter),
                    "GetDiscoveryFilters": Method("", "as", self._get_filters),
                    "RemoveDevice": Method("o", "", self._remove_device),
                },
                {
                    **dict.fromkeys(_KEPT, lambda _value: None),
                    "Alias": self._rename,
                    "Powered": self._power,
                },
            ),
            *more,
        )
        self._arm_sweep()

    def _power(self, on: bool) -> None:
        """Off, it hears nobody, and its connections end by the supervision timeout."""
        (self.medium.radio_on if on else self.medium.radio_off)(self.radio.port.actor)

    def _rename(self, alias: str) -> str:
        """No alias is the name; the GAP service tells it to centrals."""
        for each in self.server.attributes:
            if each.type == GATT_DEVICE_NAME_CHARACTERISTIC:
                each.value = (alias or _NAME).encode()
        return alias or _NAME

    async def give_up_connecting(self, attempt: "asyncio.Future[Connection]") -> None:
        """Take back an attempt to connect; one that has just come about ends again."""
        attempt.add_done_callback(_forget)  # told to end a second time, we do not wait for it
        while not attempt.done():
            if self.radio.pending_le_connection is not None:
                with contextlib.suppress(hci.HCI_Error):  # it came about in this moment
                    await self.device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())
            await asyncio.sleep(0.001)
        if attempt.exception() is None:
            await attempt.result().disconnect()

    def close(self) -> None:
        """Off: connections end without a word."""
        if self._sweep is not None:
            self._sweep.cancel()
        self.port.close()
        self.radio.close()

    # Discovery

    def _client_gone(self, name: str) -> None:
        self._filters.pop(name, None)
        self._passive.discard(name)
        if self._discoveries.pop(name, None) is not None:
            self._scanning_changed()
        for device in tuple(self.devices.values()):
            device.client_gone(name)

    def watch(self, owner: str, *, on: bool) -> None:
        """Listen for an advertisement monitor, without being discovering."""
        (self._passive.add if on else self._passive.discard)(owner)
        self._scanning_changed()

    def _scanning_changed(self) -> None:
        self.port.listen(bool(self._discoveries or self._passive or self._sought))
        self.tree.put(self.path, ADAPTER, {"Discovering": Variant("b", bool(self._discoveries))})

    async def _start_discovery(self, call: Call) -> Sequence[Any]:
        if call.sender in self._discoveries:
            raise BusError("InProgress", "Operation already in progress")
        self._discoveries[call.sender] = self._filters.get(call.sender, Discovery())
        self._scanning_changed()
        return []

    async def _stop_discovery(self, call: Call) -> Sequence[Any]:
        if self._discoveries.pop(call.sender, None) is None:
            raise BusError("Failed", "No discovery started")
        self._scanning_changed()
        return []

    async def _set_filter(self, call: Call) -> Sequence[Any]:
        given: Mapping[str, Variant] = call.body[0]
        known = {"UUIDs", "RSSI", "Pathloss", "Transport", "DuplicateData", "Discoverable", "Pattern"}
        if set(given) - known:
            raise BusError("InvalidArguments", "Invalid arguments in method call")
        wanted = Discovery(
            frozenset(each.lower() for each in option(given, "UUIDs", "as", ())),
            option(given, "RSSI", "n", None),
            option(given, "Pattern", "s", ""),
        )
        self._filters[call.sender] = wanted
        if call.sender in self._discoveries:
            self._discoveries[call.sender] = wanted
        return []

    async def _get_filters(self, call: Call) -> Sequence[Any]:
        return [["UUIDs", "RSSI", "Pathloss", "Transport", "DuplicateData", "Discoverable", "Pattern"]]

    async def _remove_device(self, call: Call) -> Sequence[Any]:
        found = next((each for each in self.devices.values() if each.path == call.body[0]), None)
        if found is None:
            raise BusError("DoesNotExist", "Does Not Exist")
        await found.remove()
        return []

    # Adverts

    def _known_as(self, place: str) -> str:
        """Of a bonded device that goes under a private address its own."""
        resolver = self.device.address_resolver
        own = None if resolver is None else resolver.resolve(hci.Address(place))
        return place if own is None else str(own).removesuffix("/P")

    async def meet(self, address: str) -> None:
        """Listen until a device that goes under private addresses is heard, so that the one of the moment is known."""
        self._sought[address] = asyncio.get_running_loop().create_future()
        self._scanning_changed()
        try:
            await self._sought[address]
        finally:
            del self._sought[address]
            self._scanning_changed()

    def renamed(self, device: RemoteDevice, address: str) -> None:
        """A device has told its own address while it paired."""
        other = self.devices.get(address)
        if other is not None:
            other.vanish()
        for kept in (self.devices, self.heard):
            kept.pop(device.address, None)
        self.devices[address], self.heard[address] = device, device.heard

    def forget_bond(self, address: str) -> None:
        """Its keys are no longer there, and it is not known under private addresses any more."""
        known = getattr(self.device.keystore, "all_keys", {})
        for each in [name for name in known if name.removesuffix("/P") == address]:
            del known[each]
        resolver = self.device.address_resolver
        if resolver is not None:  # Bumble's own reads the keys when there are more, not when there are fewer
            kept = [pair for pair in resolver.resolving_keys if str(pair[1]).removesuffix("/P") != address]
            resolver.resolving_keys = kept

    def _on_advert(self, advert: Advert, rssi_dbm: int) -> None:
        now = self.medium.clock.now()
        place = advert.address.hex(":").upper()
        if place == self.address:
            return  # an adapter does not hear itself
        is_private = advert.is_random and advert.address[0] >> 6 == _RESOLVABLE
        address = self._known_as(place) if is_private else place
        heard = self.heard.get(address)
        is_news = heard is None or heard.advert is not advert
        if heard is None:
            heard = self.heard[address] = Heard(address, advert.is_random, ReadAdvert(), rssi_dbm, now)
        heard.rssi_dbm, heard.last_us, heard.place = rssi_dbm, now, place
        sought = self._sought.get(address)
        if sought is not None and not sought.done():
            sought.set_result(None)
        if is_news:
            heard.advert = advert
            before = heard.said
            # BlueZ scans actively for discovery and passively for monitors.
            response = advert.scan_response if self._discoveries else b""
            heard.said = before.merged_with(read_advert(advert.data)).merged_with(read_advert(response))
            heard.uuids = tuple(map(long_uuid, heard.said.services))
        if is_news or now - heard.told_us >= _QUIET:
            self._tell(heard, now)

    def _tell(self, heard: Heard, now: Micros) -> None:
        device = self.devices.get(heard.address)
        wanted = self._passive or any(each.wants(heard, heard.address) for each in self._discoveries.values())
        if device is None and not wanted:
            return
        heard.told_us = now
        if device is None:
            device = self.devices[heard.address] = RemoteDevice(self, heard)
            device.appear()
        else:
            device.heard_again()
        for look in tuple(self.on_found):
            look(device, heard)

    def _arm_sweep(self) -> None:
        self._sweep = self.medium.clock.call_later(_SWEEP, self._expire)

    def _expire(self) -> None:
        now = self.medium.clock.now()
        for heard in tuple(self.heard.values()):
            if now - heard.last_us < _LIFE:
                continue
            device = self.devices.get(heard.address)
            if device is None or device.is_temporary:
                del self.heard[heard.address]
                if device is not None:
                    device.vanish()
        self._arm_sweep()


def _forget(attempt: "asyncio.Future[Connection]") -> None:
    if not attempt.cancelled():
        attempt.exception()
