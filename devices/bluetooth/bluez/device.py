"""`org.bluez.Device1`: an accessory as BlueZ shows it: connecting, pairing, and the GATT objects below it.

Order matters to clients: Connected, then every GATT object, then ServicesResolved, then the reply; and back on the way
down. Source: BlueZ 5.66, doc/device-api.txt, src/device.c.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bumble import hci
from bumble.att import ATT_Error
from bumble.core import UUID, InvalidStateError, ProtocolError
from bumble.core import TimeoutError as BumbleTimeoutError
from bumble.device import Connection, Peer
from dbus_fast import Variant

from devices.bluetooth.bluez.gatt import GattObjects
from devices.bluetooth.bluez.tree import BusError, Call, Interface, Method
from devices.bluetooth.gatt_table import peer_of
from devices.bluetooth.tables import long_uuid

if TYPE_CHECKING:
    from devices.bluetooth.bluez.adapter import Adapter, Heard

DEVICE = "org.bluez.Device1"
_MTU = 517
_CONNECT_SECONDS = 40
_SERVICE_CHANGED = UUID("2a05")
_CANCELLED = BusError("Failed", "le-connection-canceled")


class RemoteDevice:
    """One device below one adapter."""

    def __init__(self, adapter: "Adapter", heard: "Heard") -> None:
        self.adapter, self.heard = adapter, heard
        self.tree = adapter.tree
        self.address = heard.address
        self.path = f"{adapter.path}/dev_{heard.address.replace(':', '_')}"
        self.connection: Connection | None = None
        self.pairing_for = ""
        """The client for which pairing is under way: its agent is asked."""
        self._gatt: GattObjects | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._looking: set[asyncio.Future[None]] = set()
        self._gone = asyncio.Event()

    @property
    def is_temporary(self) -> bool:
        """Whether it vanishes when it is no longer heard."""
        trusted = self.tree.get(self.path, DEVICE, "Trusted")
        return self.connection is None and self._attempt is None and not trusted and not self.is_paired

    @property
    def is_paired(self) -> bool:
        """Whether there are keys of it."""
        keystore = self.adapter.device.keystore
        known = getattr(keystore, "all_keys", {})
        return any(each.removesuffix("/P") == self.address for each in known)

    @property
    def is_central(self) -> bool:
        """Whether it has connected to us."""
        return self.connection is not None and self.connection.role == hci.Role.PERIPHERAL

    # On the bus

    def appear(self) -> None:
        """Be an object from now on."""
        properties = {
            "Address": Variant("s", self.address),
            "AddressType": Variant("s", "random" if self.heard.is_random else "public"),
            "Alias": Variant("s", self.heard.said.name or self.address.replace(":", "-")),
            "Adapter": Variant("o", self.adapter.path),
            "Paired": Variant("b", self.is_paired),
            "Bonded": Variant("b", self.is_paired),
            "Trusted": Variant("b", False),
            "Blocked": Variant("b", False),
            "LegacyPairing": Variant("b", False),
            "Connected": Variant("b", False),
            "ServicesResolved": Variant("b", False),
            **self._said(),
        }
        self.tree.add(
            self.path,
            Interface(
                DEVICE,
                properties,
                {
                    "Connect": Method("", "", self._connect),
                    "Disconnect": Method("", "", self._disconnect),
                    "Pair": Method("", "", self._pair),
                    "CancelPairing": Method("", "", self._cancel_pairing),
                },
                {name: lambda _value: None for name in ("Alias", "Trusted", "Blocked")},
            ),
        )

    def heard_again(self) -> None:
        """Tell what is new, and the strength in any case: a client that starts to look now sees it by that."""
        self.tree.put(self.path, DEVICE, self._said(), always=("RSSI",))

    def _said(self) -> Mapping[str, Variant]:
        said = self.heard.said
        found = {} if self.heard.rssi_dbm is None else {"RSSI": Variant("n", self.heard.rssi_dbm)}
        if said.name is not None:
            found["Name"] = found["Alias"] = Variant("s", said.name)
        if self.heard.uuids:
            known = self.tree.get(self.path, DEVICE, "UUIDs") or []
            found["UUIDs"] = Variant("as", list(dict.fromkeys((*known, *self.heard.uuids))))
        if said.manufacturer:
            found["ManufacturerData"] = Variant(
                "a{qv}", {company: Variant("ay", data) for company, data in said.manufacturer.items()}
            )
        if said.service_data:
            found["ServiceData"] = Variant(
                "a{sv}", {long_uuid(uuid): Variant("ay", data) for uuid, data in said.service_data.items()}
            )
        if said.tx_power is not None:
            found["TxPower"] = Variant("n", said.tx_power)
        if said.appearance is not None:
            found["Appearance"] = Variant("q", said.appearance)
        if said.flags is not None:
            found["AdvertisingFlags"] = Variant("ay", bytes([said.flags]))
        return found

    def vanish(self) -> None:
        """Be no object any more."""
        self.adapter.devices.pop(self.address, None)
        self.tree.remove(self.path)

    async def remove(self) -> None:
        """Disconnect, forget the bond, and vanish until heard again."""
        if self._attempt is not None:
            self._attempt.cancel()
        if self.connection is not None:
            await self.part()
        self.adapter.forget_bond(self.address)
        self.adapter.heard.pop(self.address, None)
        self.vanish()

    def client_gone(self, name: str) -> None:
        """A client has gone: its subscriptions, and an attempt that only it waited for."""
        if self._gatt is not None:
            self._gatt.client_gone(name)
        if self.pairing_for == name and self._attempt is not None:
            self._attempt.cancel()

    # Connecting

    async def _connect(self, call: Call) -> Sequence[Any]:
        if self.connection is None and self._attempt is not None:
            raise BusError("Failed", "Operation already in progress")
        if self.connection is None:
            await self._attempted(self._open(), _CANCELLED)
        elif self._gatt is None and self._attempt is None:
            # It has connected to us, and nobody has asked for its services yet.
            await self._attempted(self._resolve(self.connection), _CANCELLED)
        return []

    async def _attempted(self, work: Any, cancelled: BusError) -> None:
        if self._attempt is not None:
            work.close()
            raise BusError("InProgress", "In Progress")
        task = self._attempt = asyncio.ensure_future(work)
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelled():
                task.cancel()  # the client has gone
                raise
            raise cancelled from None
        finally:
            self._attempt = None

    async def _open(self) -> None:
        kind = hci.AddressType.RANDOM_DEVICE if self.heard.is_random else hci.AddressType.PUBLIC_DEVICE
        async with self.adapter.connecting:
            if self.heard.place not in ("", self.address):
                await self._meet()
            work = asyncio.ensure_future(
                self.adapter.device.connect(
                    hci.Address(self.heard.place or self.address, kind),
                    own_address_type=hci.OwnAddressType.PUBLIC,
                    timeout=_CONNECT_SECONDS,
                )
            )
            try:
                # Cancelled itself, Bumble would leave the attempt with the controller, or hang.
                connection = await asyncio.shield(work)
            except asyncio.CancelledError:
                await self.adapter.give_up_connecting(work)
                raise
            except BumbleTimeoutError:
                raise BusError("Failed", "le-connection-abort-by-local") from None
            except (hci.HCI_Error, ProtocolError) as problem:
                raise BusError("Failed", f"le-connection-failed: {problem}") from None
        self.opened(connection)
        await self._resolve(connection)

    async def _meet(self) -> None:
        try:
            await asyncio.wait_for(self.adapter.meet(self.address), _CONNECT_SECONDS)
        except TimeoutError:
            raise BusError("Failed", "le-connection-abort-by-local") from None

    def opened(self, connection: Connection) -> None:
        """There is a connection, made by us or by the device."""
        self._gone.clear()
        self.connection = connection
        connection.on(connection.EVENT_DISCONNECTION, self._disconnected)
        connection.on(connection.EVENT_PAIRING, lambda _keys: self._paired())
        self.tree.put(self.path, DEVICE, {"Connected": Variant("b", True)})

    async def _resolve(self, connection: Connection) -> None:
        try:
            if self.is_paired and not connection.is_encrypted:
                await self._encrypt(connection)
            await self._discover(connection)
        except (ATT_Error, ProtocolError, InvalidStateError, BumbleTimeoutError, hci.HCI_Error) as problem:
            await self.part()
            raise BusError("Failed", f"le-connection-failed: {problem}") from None
        except asyncio.CancelledError:
            # Half discovered it would be of use to nobody, and in the way of whoever connects next.
            await self.part()
            raise

    async def _encrypt(self, connection: Connection) -> None:
        try:
            await connection.encrypt()
        except hci.HCI_Error:
            pass  # the other side has forgotten us: what needs security will be refused, and pairing begins anew

    async def _discover(self, connection: Connection) -> None:
        peer = Peer(connection)
        await peer.request_mtu(_MTU)
        gatt = self._gatt = GattObjects(self, peer)
        uuids = await gatt.appear()
        for each in peer.get_characteristics_by_uuid(_SERVICE_CHANGED):
            await each.subscribe(lambda _range: self._services_changed(gatt))
        self._resolved(uuids)

    def _resolved(self, uuids: Sequence[str]) -> None:
        known = self.tree.get(self.path, DEVICE, "UUIDs") or []
        found = Variant("as", list(dict.fromkeys((*known, *uuids))))
        self.tree.put(self.path, DEVICE, {"UUIDs": found, "ServicesResolved": Variant("b", True)})

    def _services_changed(self, gatt: GattObjects) -> None:
        task = asyncio.ensure_future(self._look_again(gatt))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def _look_again(self, gatt: GattObjects) -> None:
        try:
            uuids = await gatt.asked(gatt.appear)
        except BusError:
            return  # the connection has ended, or the other side does not answer
        if self._gatt is gatt:
            self._resolved(uuids)

    async def _disconnect(self, call: Call) -> Sequence[Any]:
        if self._attempt is not None:
            self._attempt.cancel()
        if self.connection is None and self._attempt is None:
            raise BusError("NotConnected", "Not Connected")
        if self.connection is not None:
            await self.part()
        return []

    async def part(self) -> None:
        """Disconnect, and wait until it is so."""
        connection = self.connection
        if connection is not None:
            try:
                await connection.disconnect()
            except (hci.HCI_Error, InvalidStateError):
                pass  # the other side was faster
            await self._gone.wait()

    def _disconnected(self, _reason: int) -> None:
        self.connection = None
        if self._attempt is not None:
            self._attempt.cancel()
        self.tree.put(self.path, DEVICE, {"ServicesResolved": Variant("b", False)})
        if self._gatt is not None:
            self._gatt.vanish()
            self._gatt = None
        self.tree.put(self.path, DEVICE, {"Connected": Variant("b", False)})
        self._gone.set()

    # Pairing

    async def _pair(self, call: Call) -> Sequence[Any]:
        if self.is_paired:
            raise BusError("AlreadyExists", "Already Exists")
        self.pairing_for = call.sender
        try:
            cancelled = BusError("AuthenticationCanceled", "Authentication Canceled")
            await self._attempted(self._connect_and_pair(), cancelled)
        finally:
            self.pairing_for = ""
        return []

    async def _connect_and_pair(self) -> None:
        if self.connection is None:
            await self._open()
        await self.pair()

    async def pair(self) -> None:
        """Pair over the connection there is. Raises BusError."""
        connection = self.connection
        if connection is None:
            raise BusError("NotConnected", "Not Connected")
        try:
            await connection.pair()
        except ProtocolError:
            # Linux tells bluetoothd no more than that it failed, whatever SMP's reason.
            await self.part()
            raise BusError("AuthenticationFailed", "Authentication Failed") from None
        self._paired()

    def _paired(self) -> None:
        connection = self.connection
        if connection is not None and peer_of(connection) != self.address:
            # It went under a private address until now; the object stays where it is.
            self.adapter.renamed(self, peer_of(connection))
            self.address = self.heard.address = peer_of(connection)
            kind = "random" if connection.peer_address.is_random else "public"
            own = {"Address": Variant("s", self.address), "AddressType": Variant("s", kind)}
            self.tree.put(self.path, DEVICE, own)
        self.tree.put(self.path, DEVICE, {"Paired": Variant("b", True), "Bonded": Variant("b", True)})

    async def _cancel_pairing(self, call: Call) -> Sequence[Any]:
        if not self.pairing_for or self._attempt is None:
            raise BusError("DoesNotExist", "Does Not Exist")
        self._attempt.cancel()
        return []
