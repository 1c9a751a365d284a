"""One Bluetooth LE central that lives in a home: Bumble's host on our controller, on real or virtual time.

It scans, connects, reads, writes, subscribes and pairs; what happens are events of whoever it belongs to. Refusals are
`CentralRefusedError`. Source: Core Specification 5.4, Vol 3, Parts C, F, G and H.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from bumble import hci
from bumble.att import ATT_Error
from bumble.core import BaseError, ProtocolError
from bumble.device import Advertisement, Connection, Device, DeviceConfiguration, Peer
from bumble.host import Host
from bumble.keys import MemoryKeyStore, PairingKeys
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport.common import AsyncPipeSink

from devices.ble_events import (
    BondForgotten,
    CharacteristicNotified,
    Connected,
    Disconnected,
    PairingCompleted,
    PairingVerified,
)
from devices.bluetooth.chance import seed_bluetooth
from devices.bluetooth.gatt_table import peer_of
from devices.bluetooth.pairing_delegate import AccessoryDelegate, Owner, code_in_words, pairing_failed
from devices.bluetooth.radio import Radio, public_address
from devices.bluetooth.tables import short_uuid
from devices.media.ble import BleMedium
from devices.sim.chance import Stream
from pairing.engine import SECOND, Event, Micros

T = TypeVar("T")
_MTU = 247
_WRITE_HEADER = 3
SMP_TIMEOUT: Micros = 30 * SECOND


class CentralRefusedError(Exception):
    """The other side, or the radio, says no."""

    def __init__(self, rule: str, expected: str, came: str) -> None:
        super().__init__(f"expected {expected}, came {came}")
        self.rule, self.expected, self.came = rule, expected, came


class HomeCentral:
    """One host with one connection at a time. `address` is a static random one. Without an owner it does not pair."""

    def __init__(
        self,
        medium: BleMedium,
        actor: str,
        emit: Callable[[Event], None],
        owner: Owner | None,
        method: str,
        chances: tuple[Stream, Stream],
        bonds: Mapping[str, Any],
    ) -> None:
        radio_chance, self._chance = chances
        drawn = bytearray(self._chance.randbytes(6))
        drawn[0] |= 0xC0
        self.address = drawn.hex(":").upper()
        self._medium = medium
        self._emit = emit
        self._owner = owner
        self._method = method
        self._bonds = MemoryKeyStore()
        self._bonds.all_keys.update({address: PairingKeys.from_dict(dict(keys)) for address, keys in bonds.items()})
        self._radio = Radio(medium, actor, public_address(radio_chance), radio_chance, medium.tap_of(actor))
        self._peer: Peer | None = None
        self._is_pairing = False
        self._pending: set[asyncio.Future[Any]] = set()
        config = DeviceConfiguration(
            name=actor,
            address=hci.Address(self.address),
            irk=self._chance.randbytes(16),
            identity_address_type=int(hci.AddressType.RANDOM_DEVICE),
        )
        self.device = Device(config=config, host=Host(self._radio, AsyncPipeSink(self._radio)))
        self.device.keystore = self._bonds
        self.device.pairing_config_factory = self._pairing_config

    def _pairing_config(self, connection: Connection) -> PairingConfig:
        if self._owner is None:
            return PairingConfig(delegate=_Unwilling())
        return PairingConfig(
            sc=True,
            mitm=self._method not in ("none", "just-works"),
            bonding=True,
            delegate=AccessoryDelegate(self._method, peer_of(connection), self._owner),
            identity_address_type=PairingConfig.AddressType.RANDOM,
        )

    async def open(self) -> None:
        """Power on."""
        seed_bluetooth(self._chance)
        await self.device.power_on()

    async def close(self, *, goodbye: bool) -> None:
        """Power off."""
        for each in tuple(self._pending):
            each.cancel()
        if goodbye:
            for connection in tuple(self.device.connections.values()):
                await connection.disconnect()
        self._radio.close()

    # What it hears

    async def scan(self, duration_us: Micros, heard: Callable[[Advertisement], None]) -> None:
        """Listen for a while, asking for scan responses."""
        self.device.on("advertisement", heard)
        try:
            await self.device.start_scanning(active=True, filter_duplicates=False)
            await self._medium.clock.sleep(duration_us)
            await self.device.stop_scanning()
        finally:
            self.device.remove_listener("advertisement", heard)

    # Connections

    @property
    def peer(self) -> str | None:
        """Whom it is connected to."""
        return None if self._peer is None else peer_of(self._peer.connection)

    async def connect(self, address: str, patience_us: Micros) -> None:
        """Connect, agree on an MTU and find every characteristic. Raises CentralRefusedError."""
        seed_bluetooth(self._chance)
        connection = await self._attempt(address, patience_us)
        self._peer = Peer(connection)
        connection.on(connection.EVENT_DISCONNECTION, lambda code: self._disconnected(connection, code))
        connection.on(connection.EVENT_PAIRING_START, self._pairing_started)
        connection.on(connection.EVENT_PAIRING, lambda keys: self._paired(connection, keys))
        connection.on(connection.EVENT_PAIRING_FAILURE, lambda code: self._failed(connection, code))
        connection.on(connection.EVENT_CONNECTION_ENCRYPTION_CHANGE, lambda: self._encrypted(connection))
        parameters = connection.parameters
        self._emit(
            Connected(
                peer=peer_of(connection),
                interval_us=round(parameters.connection_interval * 1_000),
                timeout_us=round(parameters.supervision_timeout * 1_000),
            )
        )
        await self._discover(self._peer)

    async def _attempt(self, address: str, patience_us: Micros) -> Connection:
        attempt = asyncio.ensure_future(self.device.connect(hci.Address(address), timeout=None))
        timer = self._medium.clock.call_later(patience_us, lambda: self._begin(self._give_up()))
        try:
            return await self._until_done(attempt, "an advert that one may connect to", "none")
        except asyncio.CancelledError:
            self._begin(self._give_up())
            raise
        finally:
            timer.cancel()

    async def _give_up(self) -> None:
        with suppress(BaseError):  # it may be over at this moment
            await self.device.cancel_connection()  # type: ignore[no-untyped-call]  # Bumble has no annotations

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _discover(self, peer: Peer) -> None:
        await self._done(peer.request_mtu(_MTU))
        await self._done(peer.discover_services())
        await self._done(peer.discover_characteristics())

    async def disconnect(self) -> None:
        """Part. Raises CentralRefusedError where it is not connected."""
        await self._done(self._connected().connection.disconnect())

    def _connected(self) -> Peer:
        if self._peer is None:
            raise CentralRefusedError("connected", "a connection", "none")
        return self._peer

    # Values

    @property
    def longest_write(self) -> int:
        """Octets that one write takes."""
        return int(self._connected().connection.att_mtu) - _WRITE_HEADER

    def characteristics(self) -> dict[str, Any]:
        """What the peer has, as `service/characteristic` in the shortest form; of two alike ones the last."""
        return {
            f"{short_uuid(str(service.uuid.to_hex_str('-')))}/{short_uuid(str(each.uuid.to_hex_str('-')))}": each
            for service in self._connected().services
            for each in service.characteristics
        }

    async def read(self, characteristic: Any) -> bytes:
        """The value now. Raises CentralRefusedError."""
        return bytes(await self._done(characteristic.read_value()))

    async def write(self, characteristic: Any, value: bytes, *, with_response: bool) -> None:
        """Raises CentralRefusedError."""
        await self._done(characteristic.write_value(value, with_response=with_response))

    async def subscribe(self, characteristic: Any, name: str, heard: Callable[[bytes], None] | None = None) -> None:
        """Each value that is told is an event, or goes to `heard`. Raises CentralRefusedError."""
        peer = peer_of(self._connected().connection)

        def tell(value: bytes) -> None:
            self._emit(CharacteristicNotified(peer=peer, characteristic=name, value=bytes(value)))

        await self._done(characteristic.subscribe(heard or tell))

    async def unsubscribe(self, characteristic: Any) -> None:
        """Raises CentralRefusedError."""
        await self._done(characteristic.unsubscribe())

    # Pairing

    async def pair(self) -> None:
        """Encrypt with the bond that there is, else pair. How it ends are events. Raises CentralRefusedError."""
        seed_bluetooth(self._chance)
        connection = self._connected().connection
        bond = self._bonds.all_keys.get(str(connection.peer_address))
        work = asyncio.ensure_future(connection.pair() if bond is None else connection.encrypt())
        await self._in_time(work, SMP_TIMEOUT, f"an end of the pairing within {SMP_TIMEOUT // SECOND} s")

    def _pairing_started(self) -> None:
        self._is_pairing = True

    def _paired(self, connection: Connection, keys: PairingKeys) -> None:
        ltk = keys.ltk or keys.ltk_central
        self._emit(
            PairingCompleted(
                peer=peer_of(connection),
                method=self._method,
                authenticated=ltk is not None and bool(ltk.authenticated),
                bonded=True,
                ltk=b"" if ltk is None else ltk.value,
            )
        )

    def _failed(self, connection: Connection, code: int) -> None:
        self.device.smp_manager.sessions.pop(connection.handle, None)  # Bumble would go on with it
        self._is_pairing = False
        self._emit(pairing_failed(peer_of(connection), self._method, code))

    def _encrypted(self, connection: Connection) -> None:
        if connection.is_encrypted and not self._is_pairing:
            keys = self._bonds.all_keys.get(str(connection.peer_address))
            ltk = None if keys is None else keys.ltk
            self._emit(
                PairingVerified(peer=peer_of(connection), authenticated=ltk is not None and bool(ltk.authenticated))
            )

    @property
    def bonds(self) -> dict[str, dict[str, Any]]:
        """The keys of every bond by the peer's address: secret, JSON values."""
        return {address: keys.to_dict() for address, keys in sorted(self._bonds.all_keys.items())}

    def forget_bonds(self) -> int:
        """Forget every bond; how many there were."""
        forgotten = sorted(self._bonds.all_keys)
        self._bonds.all_keys.clear()
        for address in forgotten:
            self._emit(BondForgotten(peer=address.removesuffix("/P"), reason="told"))
        return len(forgotten)

    # Waiting

    def _disconnected(self, connection: Connection, code: int) -> None:
        self._peer, self._is_pairing = None, False
        self._emit(Disconnected(peer=peer_of(connection), reason=code_in_words(code), code=code))

    async def _in_time(self, work: "asyncio.Future[T]", limit: Micros, expected: str) -> T:
        def give_up() -> None:
            work.cancel()

        timer = self._medium.clock.call_later(limit, give_up)
        try:
            return await self._until_done(work, expected, "none")
        finally:
            timer.cancel()

    async def _done(self, work: Awaitable[T]) -> T:
        return await self._until_done(asyncio.ensure_future(work), "a connection that stays", "its end")

    async def _until_done(self, work: "asyncio.Future[T]", expected: str, came: str) -> T:
        """Bumble cancels what a lost connection leaves behind: a refusal, unless we are cancelled ourselves."""
        self._pending.add(work)
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            work.cancel()
            raise
        finally:
            self._pending.discard(work)
        if work.cancelled():
            raise CentralRefusedError("connected", expected, came)
        try:
            return work.result()
        except ATT_Error as problem:
            word = str(problem.error_name).removesuffix("_ERROR").lower().replace("_", "-")
            raise CentralRefusedError(word, "success", f"ATT error 0x{problem.error_code:02x}") from None
        except ProtocolError as problem:
            raise CentralRefusedError("protocol-error", "success", str(problem)) from None
        except BaseError as problem:
            is_given_up = getattr(problem, "error_code", None) == hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR
            raise CentralRefusedError("connected", expected, came if is_given_up else str(problem)) from None


class _Unwilling(PairingDelegate):
    """Nobody is there to be asked."""

    async def accept(self) -> bool:
        return False
