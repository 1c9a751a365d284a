"""The one central of an event loop: a Bumble host whose controller is the home's, at the other end of a TCP connection.

It comes with the first use in a loop and goes when the loop shuts its asynchronous generators down. Bonds are kept for
the life of the process, as an operating system keeps them for that of the machine.
"""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncGenerator, Callable
from typing import Any

from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason, BleakError
from bumble import hci
from bumble.core import BaseError
from bumble.device import Advertisement, Connection, Device, DeviceConfiguration
from bumble.host import Host
from bumble.keys import MemoryKeyStore
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport import open_transport

from devices.bluetooth.bleak_backend.install import VARIABLE

_BONDS = MemoryKeyStore()
_OWN = bytes([secrets.randbelow(64) | 0xC0]) + secrets.token_bytes(5)
_RANDOM = hci.AddressType.RANDOM_DEVICE
_PUBLIC = hci.AddressType.PUBLIC_DEVICE
_SOON_SECONDS = 0.05

Hear = Callable[[Advertisement], None]


class Central:
    """Scans for whoever listens, and makes one connection after the other."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._listeners: dict[object, tuple[Hear, bool]] = {}
        self._connecting = asyncio.Lock()
        self._scanning = asyncio.Lock()
        self.kinds: dict[str, bool] = {}
        """Whether an address that was heard is a random one."""
        self._places: dict[str, str] = {}
        """Where devices are, which of bonded ones may be a private address, by the one that they are known by."""
        self.names: dict[str, str] = {}
        self.connected: dict[str, Any] = {}
        """The clients of this loop that are connected, by address."""
        config = DeviceConfiguration(
            name="bleak", address=hci.Address(_OWN[::-1], _RANDOM), identity_address_type=int(_RANDOM)
        )
        self.device = Device(config=config, host=Host(transport.source, transport.sink))
        self.device.keystore = _BONDS
        self.device.pairing_config_factory = lambda _connection: PairingConfig(
            delegate=PairingDelegate(PairingDelegate.NO_OUTPUT_NO_INPUT),
            identity_address_type=PairingConfig.AddressType.RANDOM,
        )
        self.device.on("advertisement", self._heard)

    @classmethod
    async def get(cls) -> "Central":
        """This loop's. Raises BleakBluetoothNotAvailableError where no home is reached."""
        loop = asyncio.get_running_loop()
        known = _CENTRALS.get(id(loop))
        if known is not None and known[0] is loop:
            return await known[1]
        made: asyncio.Future[Central] = loop.create_future()
        keeper = _keep(made)
        _CENTRALS[id(loop)] = loop, made, keeper
        try:
            await keeper.__anext__()
        except BaseException:
            _CENTRALS.pop(id(loop), None)
            made.cancel()
            raise
        return await made

    @classmethod
    async def open(cls) -> "Central":
        """A new one, powered on."""
        place = os.environ.get(VARIABLE)
        if not place:
            raise BleakBluetoothNotAvailableError(
                f"no pairlab home: {VARIABLE} is not set", BleakBluetoothNotAvailableReason.NO_BLUETOOTH
            )
        try:
            transport = await open_transport(f"tcp-client:{place}")
        except OSError as problem:
            raise BleakBluetoothNotAvailableError(
                f"no pairlab home at {place}: {problem}", BleakBluetoothNotAvailableReason.POWERED_OFF
            ) from problem
        central = cls(transport)
        await central.device.power_on()
        return central

    async def close(self) -> None:
        """Hang up; the home takes the controller away."""
        await self._transport.close()

    # Scanning

    async def listen(self, owner: object, hear: Hear, *, active: bool) -> None:
        """Hear adverts until `ignore`."""
        self._listeners[owner] = hear, active
        await self._rescan()

    async def ignore(self, owner: object) -> None:
        """Hear no more."""
        if self._listeners.pop(owner, None) is not None:
            await self._rescan()

    async def _rescan(self) -> None:
        async with self._scanning:
            if self.device.is_scanning:
                await self.device.stop_scanning()
            if self._listeners:
                active = any(each for _, each in self._listeners.values())
                await self.device.start_scanning(active=active, filter_duplicates=False)

    def _heard(self, advertisement: Advertisement) -> None:
        known = self.known_as(advertisement.address)
        self.kinds[known] = advertisement.address.is_random
        self._places[known] = text_of(advertisement.address)
        for hear, _ in tuple(self._listeners.values()):
            hear(advertisement)

    def known_as(self, address: hci.Address) -> str:
        """The address that programs are told: of a bonded device that goes under private ones its own."""
        resolver = self.device.address_resolver
        own = resolver.resolve(address) if resolver is not None and address.is_resolvable else None
        return text_of(address if own is None else own)

    # Connecting

    async def connect(self, address: str) -> Connection:
        """However long it takes; whoever has waited enough cancels it. Raises BleakError when it fails."""
        kind = _RANDOM if self.kinds.get(address, True) else _PUBLIC
        async with self._connecting:
            place = self._places.get(address, address)
            attempt = asyncio.ensure_future(self.device.connect(hci.Address(place, kind), timeout=None))
            try:
                return await asyncio.shield(attempt)
            except asyncio.CancelledError:
                await self._give_up(attempt)
                raise
            except BaseError as problem:
                raise BleakError(f"cannot connect to {address}: {problem}") from problem

    async def _give_up(self, attempt: "asyncio.Future[Connection]") -> None:
        """End an attempt, and wait for that: a controller makes one connection at a time."""
        while not attempt.done():
            with contextlib.suppress(BaseError):  # it is not on the air yet, or over at this moment
                await self.device.cancel_connection()  # type: ignore[no-untyped-call]  # Bumble has no annotations
            await asyncio.wait((attempt,), timeout=_SOON_SECONDS)
        (made,) = await asyncio.gather(attempt, return_exceptions=True)
        if isinstance(made, Connection):
            await made.disconnect()

    def forget(self, address: str) -> bool:
        """Forget a bond; whether there was one."""
        found = self._bonds_of(address)
        for each in found:
            del _BONDS.all_keys[each]
            resolver = self.device.address_resolver
            if resolver is not None:  # Bumble's own reads the keys when there are more, not when there are fewer
                kept = [pair for pair in resolver.resolving_keys if str(pair[1]) != each]
                resolver.resolving_keys = kept
        return bool(found)

    def is_bonded(self, address: str) -> bool:
        """Whether keys of that address are kept."""
        return bool(self._bonds_of(address))

    def _bonds_of(self, address: str) -> list[str]:
        """Of a private address, too, that a bonded device once had."""
        kind = _RANDOM if self.kinds.get(address, True) else _PUBLIC
        own = self.known_as(hci.Address(address, kind))
        return [each for each in _BONDS.all_keys if each.removesuffix("/P") == own]


async def _keep(made: "asyncio.Future[Central]") -> AsyncGenerator[None, None]:
    loop = asyncio.get_running_loop()
    central = await Central.open()
    made.set_result(central)
    try:
        yield
    finally:
        _CENTRALS.pop(id(loop), None)
        await central.close()


_CENTRALS: dict[int, tuple[asyncio.AbstractEventLoop, "asyncio.Future[Central]", AsyncGenerator[None, None]]] = {}


def text_of(address: hci.Address) -> str:
    """As bleak has it: six octets with colons."""
    return str(address).removesuffix("/P")
