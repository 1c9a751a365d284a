"""One Bluetooth LE peripheral: Bumble's host on our controller, its adverts, its connections, its bonds, as events.

Source: Core Specification 5.4, Vol 3, Part C (GAP) and Part H (SMP); Vol 1, Part F (error codes).
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bumble import att, hci
from bumble.device import AdvertisingType, Connection, Device, DeviceConfiguration
from bumble.host import Host
from bumble.keys import MemoryKeyStore, PairingKeys
from bumble.pairing import PairingConfig
from bumble.transport.common import AsyncPipeSink

from devices.ble_events import (
    Advertised,
    BondForgotten,
    Connected,
    Disconnected,
    Hidden,
    PairingCompleted,
    PairingVerified,
    Subscribed,
    Unsubscribed,
)
from devices.bluetooth.chance import seed_bluetooth
from devices.bluetooth.gatt_table import GattTable, GattValue, peer_of
from devices.bluetooth.misbehaviour import Misbehaviour
from devices.bluetooth.pairing_delegate import AccessoryDelegate, Owner, code_in_words, pairing_failed
from devices.bluetooth.pairing_sessions import end_failed_sessions
from devices.bluetooth.radio import Radio, public_address
from devices.bluetooth.tables import ServiceTable
from devices.media.ble import BleMedium
from devices.sim.chance import Stream
from pairing.engine import Event, Micros

_NOTIFICATION_HEADER = 3
_POWER_OFF = hci.HCI_ErrorCode.REMOTE_DEVICE_TERMINATED_CONNECTION_DUE_TO_POWER_OFF_ERROR


@dataclass(frozen=True, slots=True)
class StationSettings:
    """What a station is; `method` as in the home file's `pairing`."""

    actor: str
    name: str
    address: str
    is_random: bool
    mtu: int
    method: str
    bond: bool
    max_connections: int


@dataclass(frozen=True, slots=True)
class AdvertSettings:
    """What a station advertises, and how often."""

    data: bytes
    scan_response: bytes
    interval_us: Micros
    connectable: bool


class Station:
    """Events go to `emit` in the order in which they happen."""

    def __init__(
        self,
        medium: BleMedium,
        settings: StationSettings,
        owner: Owner,
        emit: Callable[[Event], None],
        chances: tuple[Stream, Stream],
        bonds: Mapping[str, Any],
    ) -> None:
        self.settings = settings
        self._owner = owner
        self._emit = emit
        radio_chance, self._host_chance = chances
        public = settings.address if not settings.is_random else public_address(radio_chance)
        self.radio = Radio(medium, settings.actor, public, radio_chance, medium.tap_of(settings.actor))
        self.table = GattTable(emit, self._is_authenticated)
        self._bonds = MemoryKeyStore()
        self._bonds.all_keys.update({address: PairingKeys.from_dict(dict(keys)) for address, keys in bonds.items()})
        self._encrypted_by_pairing: set[int] = set()
        self._advert: AdvertSettings | None = None
        self._changing_advert = asyncio.Lock()
        self.misbehaviour = Misbehaviour()
        self._held: list[tuple[GattValue, bytes]] = []
        self.table.instead_of_answer = self._instead_of_answer
        self._tasks: set[asyncio.Future[None]] = set()
        self.device = self._device()

    def _device(self) -> Device:
        settings = self.settings
        config = DeviceConfiguration(
            name=settings.name,
            address=hci.Address(settings.address),
            irk=self._host_chance.randbytes(16),
            identity_address_type=int(settings.is_random),
        )
        device = Device(config=config, host=Host(self.radio, AsyncPipeSink(self.radio)))
        device.keystore = self._bonds
        device.gatt_server.max_mtu = settings.mtu
        device.pairing_config_factory = self._pairing_config
        device.on(device.EVENT_CONNECTION, self._connected)
        end_failed_sessions(device)
        return device

    def _pairing_config(self, connection: Connection) -> PairingConfig:
        settings = self.settings
        kind = PairingConfig.AddressType.RANDOM if settings.is_random else PairingConfig.AddressType.PUBLIC
        return PairingConfig(
            sc=True,
            mitm=settings.method not in ("none", "just-works"),
            bonding=settings.bond,
            delegate=AccessoryDelegate(settings.method, peer_of(connection), self._owner),
            identity_address_type=kind,
        )

    async def open(self, services: Sequence[ServiceTable]) -> None:
        """Power on with this GATT table; nothing is advertised yet."""
        seed_bluetooth(self._host_chance)
        self.table.fill(self.device, services)
        for kept in self.table.values.values():
            self._watch_subscriptions(kept)
        await self.device.power_on()

    async def close(self, *, goodbye: bool) -> None:
        """Power off; without a goodbye, centrals find out by the supervision timeout."""
        self._advert = None
        for task in tuple(self._tasks):
            task.cancel()
        if goodbye:
            for connection in tuple(self.device.connections.values()):
                await connection.disconnect(_POWER_OFF)
        self.radio.close()

    # Advertising

    async def advertise(self, advert: AdvertSettings) -> None:
        """Advertise this from now on, while there is room for another central."""
        self._advert = advert
        await self._advertise(tell=True)

    @property
    def address(self) -> str:
        """Where it is now: its own address, or the private one of the moment."""
        return str(self.device.random_address) if self.settings.is_random else self.settings.address

    async def change_address(self, *, private: bool) -> str:
        """Go under a new resolvable private address, or under its own again; which."""
        device = self.device
        async with self._changing_advert:
            await device.stop_advertising()
            new = hci.Address.generate_private_address(device.irk) if private else hci.Address(self.settings.address)
            device.random_address = new
            await device.send_sync_command(hci.HCI_LE_Set_Random_Address_Command(random_address=new))
        await self._advertise(tell=True)
        return str(new)

    def misbehave(self, misbehaviour: Misbehaviour) -> None:
        """From now on do this wrong."""
        self.misbehaviour = misbehaviour
        self.device.gatt_server.max_mtu = misbehaviour.mtu or self.settings.mtu

    async def hide(self) -> None:
        """Advertise no longer."""
        if self._advert is not None:
            self._advert = None
            async with self._changing_advert:
                await self.device.stop_advertising()
            self._emit(Hidden(reason="told"))

    async def _advertise(self, *, tell: bool) -> None:
        async with self._changing_advert:  # Bumble's steps of it do not bear to be mixed
            await self._start_advertising(tell=tell)

    async def _start_advertising(self, *, tell: bool) -> None:
        advert = self._advert
        if advert is None or len(self.device.connections) >= self.settings.max_connections:
            return
        kinds = AdvertisingType
        interval_ms = advert.interval_us / 1_000
        await self.device.start_advertising(
            kinds.UNDIRECTED_CONNECTABLE_SCANNABLE if advert.connectable else kinds.UNDIRECTED,
            own_address_type=hci.OwnAddressType.RANDOM if self.settings.is_random else hci.OwnAddressType.PUBLIC,
            advertising_data=advert.data,
            scan_response_data=advert.scan_response,
            advertising_interval_min=interval_ms,
            advertising_interval_max=interval_ms,
        )
        if tell:
            self._emit(
                Advertised(
                    address=self.address,
                    data=advert.data,
                    scan_response=advert.scan_response,
                    interval_us=advert.interval_us,
                    connectable=advert.connectable,
                )
            )

    # Connections

    def _connected(self, connection: Connection) -> None:
        parameters = connection.parameters
        self._emit(
            Connected(
                peer=peer_of(connection),
                interval_us=round(parameters.connection_interval * 1_000),
                timeout_us=round(parameters.supervision_timeout * 1_000),
            )
        )
        connection.on(connection.EVENT_CONNECTION_ATT_MTU_UPDATE, lambda: self._mtu_agreed(connection))
        connection.on(connection.EVENT_DISCONNECTION, lambda code: self._disconnected(connection, code))
        connection.on(connection.EVENT_PAIRING_START, lambda: self._encrypted_by_pairing.add(connection.handle))
        connection.on(connection.EVENT_PAIRING, lambda keys: self._paired(connection, keys))
        connection.on(connection.EVENT_PAIRING_FAILURE, lambda code: self._failed(connection, code))
        connection.on(connection.EVENT_CONNECTION_ENCRYPTION_CHANGE, lambda: self._encrypted(connection))
        if self._advert is not None:
            if len(self.device.connections) < self.settings.max_connections:
                self.begin(self._advertise(tell=False))
            else:
                self._emit(Hidden(reason="connected"))

    def _disconnected(self, connection: Connection, code: int) -> None:
        self._encrypted_by_pairing.discard(connection.handle)
        was_full = len(self.device.connections) == self.settings.max_connections - 1
        self._emit(Disconnected(peer=peer_of(connection), reason=code_in_words(code), code=code))
        if was_full:
            self.begin(self._advertise(tell=True))

    def _mtu_agreed(self, connection: Connection) -> None:
        if self.misbehaviour.mtu is not None:
            self.misbehaviour.told("small-mtu", peer_of(connection))

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it beside everything else; it ends with the power."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def is_advertised(self) -> bool:
        """True while it advertises, or would if no central were connected."""
        return self._advert is not None

    def is_connected(self) -> bool:
        """True while any central is connected."""
        return bool(self.device.connections)

    async def disconnect(self) -> int:
        """Part with every central; how many there were."""
        connections = tuple(self.device.connections.values())
        for connection in connections:
            await connection.disconnect()
        return len(connections)

    # Values

    def _watch_subscriptions(self, kept: GattValue) -> None:
        def changed(connection: Connection, notify: bool, indicate: bool) -> None:
            peer = peer_of(connection)
            if notify or indicate:
                kind = "notifications" if notify else "indications"
                if self.misbehaviour.early_news:
                    self._tell_early(connection, kept)
                self._emit(Subscribed(peer=peer, characteristic=kept.name, kind=kind))
            else:
                self._emit(Unsubscribed(peer=peer, characteristic=kept.name))

        kept.characteristic.on(kept.characteristic.EVENT_SUBSCRIPTION, changed)

    def tell_soon(self, kept: GattValue) -> None:
        """Notify or indicate a value to whoever has subscribed, without waiting for anybody."""
        wrong, clock = self.misbehaviour, self.radio.clock
        if not self.device.connections:
            return
        if wrong.batch_us:
            self._held.append((kept, kept.value))
            if len(self._held) == 1:
                clock.call_later(wrong.batch_us, lambda: self._release(lost=wrong.loses_batch))
        elif wrong.late_us:
            value = kept.value
            wrong.told("slow-news", kept.name)
            clock.call_later(wrong.late_us, lambda: self.begin(self._news(kept, value)))
        else:
            self.begin(self._news(kept, kept.value))

    def _release(self, *, lost: bool) -> None:
        held, self._held = self._held, []
        self.misbehaviour.told("batched-news", f"{len(held)} {'lost' if lost else 'told'} at once")
        for kept, value in () if lost else held:
            self.begin(self._news(kept, value))

    def _tell_early(self, connection: Connection, kept: GattValue) -> None:
        # Past Bumble's own way, which waits: this must be out before the answer to the write.
        news = att.ATT_Handle_Value_Notification(
            attribute_handle=kept.characteristic.handle,
            attribute_value=kept.value[: connection.att_mtu - _NOTIFICATION_HEADER],
        )
        self.device.gatt_server.send_gatt_pdu(connection, bytes(news))
        self.misbehaviour.told("early-news", kept.name)

    def _instead_of_answer(self, connection: Connection) -> Awaitable[None] | None:
        if not self.misbehaviour.parts_on_read:
            return None
        self.misbehaviour.told("parts-on-read", peer_of(connection))
        return connection.disconnect()

    async def notify(self, name: str, data: bytes) -> None:
        """Notify or indicate a stream of bytes through a characteristic, in pieces that fit the smallest MTU."""
        kept = self.table.values[name]
        fits = min((each.att_mtu for each in self.device.connections.values()), default=23) - _NOTIFICATION_HEADER
        for start in range(0, len(data), fits):
            await self._news(kept, data[start : start + fits])

    async def _news(self, kept: GattValue, value: bytes) -> None:
        if "notify" in kept.table.properties:
            await self.device.notify_subscribers(kept.characteristic, value)
        if "indicate" in kept.table.properties:
            await self.device.indicate_subscribers(kept.characteristic, value)

    # Pairing

    def _paired(self, connection: Connection, keys: PairingKeys) -> None:
        if not self.settings.bond:
            self._bonds.all_keys.clear()
        ltk = keys.ltk or keys.ltk_peripheral
        self._emit(
            PairingCompleted(
                peer=peer_of(connection),
                method=self.settings.method,
                authenticated=ltk is not None and ltk.authenticated,
                bonded=self.settings.bond,
                ltk=b"" if ltk is None else ltk.value,
            )
        )

    def _failed(self, connection: Connection, code: int) -> None:
        self._encrypted_by_pairing.discard(connection.handle)
        self._emit(pairing_failed(peer_of(connection), self.settings.method, code))

    def _encrypted(self, connection: Connection) -> None:
        if connection.is_encrypted and connection.handle not in self._encrypted_by_pairing:
            self._emit(PairingVerified(peer=peer_of(connection), authenticated=self._is_authenticated(connection)))

    def _is_authenticated(self, connection: Connection) -> bool:
        keys = self._bonds.all_keys.get(str(connection.peer_address))
        ltk = None if keys is None else keys.ltk or keys.ltk_peripheral
        return connection.is_encrypted and ltk is not None and ltk.authenticated

    @property
    def bonds(self) -> dict[str, dict[str, Any]]:
        """The keys of every bond by the peer's address: secret, JSON values."""
        return {address: keys.to_dict() for address, keys in sorted(self._bonds.all_keys.items())}

    def forget_bonds(self, reason: str) -> int:
        """Forget every bond; how many there were."""
        forgotten = sorted(self._bonds.all_keys)
        self._bonds.all_keys.clear()
        for address in forgotten:
            self._emit(BondForgotten(peer=address.removesuffix("/P"), reason=reason))
        return len(forgotten)
