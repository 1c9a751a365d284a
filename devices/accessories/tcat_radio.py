"""TCAT over Bluetooth LE: service data in advert and scan response, and the stream in two characteristics of 0xFFFB.

What the commissioner writes is its part of the stream, notifications are the device's, cut to what the MTU lets pass.
Nothing is paired: TLS protects the stream. Source: Thread 1.4 specification, chapter 13; advert and properties as
OpenThread's firmware has them.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from devices.accessories.base import Accessory, Lie
from devices.accessories.ble_lies import misbehaviour
from devices.accessories.ble_owner import BleOwner
from devices.accessories.ble_settings import BlePairingTable
from devices.accessories.tcat_server import Link, TcatServer
from devices.accessories.tcat_settings import TcatDeviceSettings
from devices.ble_events import CharacteristicWritten, Disconnected
from devices.bluetooth.adverts import FLAGS, structure
from devices.bluetooth.tables import LONGEST_ADVERT, CharacteristicTable, ServiceTable
from devices.errors import HostError
from devices.sim.clock import Timer
from devices.spec import duration_us
from pairing.engine import MILLISECOND, Event, Micros
from pairing.thread.tcat.adverts import FROM_DEVICE, TCAT_UUID16, TO_DEVICE

if TYPE_CHECKING:
    from devices.bluetooth.station import Station

SERVICE = f"{TCAT_UUID16:04x}"
_GENERAL_DISCOVERABLE = b"\x06"
_FAREWELL: Micros = 500 * MILLISECOND
_UUID16_LIST, _SERVICE_DATA = 0x03, 0x16


def _services(settings: TcatDeviceSettings) -> list[ServiceTable]:
    written = CharacteristicTable(uuid=TO_DEVICE, properties=["write", "write-without-response"])
    told = CharacteristicTable(uuid=FROM_DEVICE, properties=[settings.news])
    return [ServiceTable(uuid=SERVICE, characteristic=[written, told])]


class TcatRadio:
    """The Bluetooth side of one device while it has power. Work that has to wait is done in order."""

    def __init__(
        self, actor: Accessory, address: str, settings: TcatDeviceSettings, emit: Callable[[Event], None]
    ) -> None:
        self._actor = actor
        self._settings = settings
        self._emit = emit
        self._server: TcatServer | None = None
        self._queue: asyncio.Queue[Coroutine[Any, Any, None]] = asyncio.Queue()
        self._worker: asyncio.Task[None] | None = None
        self._peer = ""
        self._parting: Timer | None = None
        self._station = self._made(address)

    def _made(self, address: str) -> "Station":
        try:
            from devices.bluetooth.station import Station, StationSettings  # Bumble: only where there is Bluetooth
        except ImportError as problem:
            raise HostError(
                f"accessory {self._actor.id!r} needs Bumble ({problem.name} is missing): pip install 'pairlab[ble]', "
                "or say ble = false"
            ) from None
        actor, site = self._actor, self._actor.site
        settings = StationSettings(
            actor=actor.id,
            name=actor.name,
            address=address,
            is_random=True,
            mtu=self._settings.mtu,
            method="none",
            bond=False,
            max_connections=1,
        )
        owner = BleOwner(BlePairingTable(method="none"), site.ble, actor.chance, self._happened)
        chances = (site.chance.stream(f"ble/radio/{actor.id}"), site.chance.stream(f"ble/host/{actor.id}"))
        return Station(site.ble, settings, owner, self._happened, chances, {})

    async def open(self, server: TcatServer) -> None:
        """Power on; what is written goes to the server."""
        self._server = server
        await self._station.open(_services(self._settings))
        self.tell(self._actor.told_lies)
        self._station.table.values[f"{SERVICE}/{TO_DEVICE}"].on_write = self._written
        self._worker = asyncio.ensure_future(self._work())

    async def close(self, *, goodbye: bool) -> None:
        """Power off."""
        if self._parting is not None:
            self._parting.cancel()
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        while not self._queue.empty():
            self._queue.get_nowait().close()
        await self._station.close(goodbye=goodbye)

    def advertise(self, data: bytes) -> None:
        """This service data from now on."""
        from devices.bluetooth.station import AdvertSettings

        told = structure(_SERVICE_DATA, data)
        uuids = structure(_UUID16_LIST, TCAT_UUID16.to_bytes(2, "little"))
        flags = structure(FLAGS, _GENERAL_DISCOVERABLE)
        advert = flags + told if len(flags + told) <= LONGEST_ADVERT else told
        response = uuids + told if len(uuids + told) <= LONGEST_ADVERT else uuids
        every = duration_us(self._settings.interval)
        self._queue.put_nowait(self._station.advertise(AdvertSettings(advert, response, every, connectable=True)))

    def tell(self, told: Mapping[str, Lie]) -> None:
        """Tell these lies from now on."""
        self._station.misbehave(misbehaviour(told, self._actor.lie_told))

    def hide(self) -> None:
        """Advertise no longer."""
        self._queue.put_nowait(self._station.hide())

    def disconnect(self) -> None:
        """Part with the commissioner, unless it goes by itself now that TLS has ended."""
        connections = tuple(self._station.device.connections)
        self._parting = self._actor.site.clock.call_later(_FAREWELL, lambda: self._part(connections))

    def _part(self, connections: tuple[int, ...]) -> None:
        if connections and tuple(self._station.device.connections) == connections:
            self._cut_soon()

    def _cut_soon(self) -> None:
        self._queue.put_nowait(self._cut())

    async def _cut(self) -> None:
        await self._station.disconnect()

    async def _work(self) -> None:
        while True:
            await (await self._queue.get())

    def _written(self, value: bytes) -> None:
        if self._server is not None:
            self._server.heard(Link(self._peer_name(), self._send, self._cut_soon), value)

    def _peer_name(self) -> str:
        connections = tuple(self._station.device.connections.values())
        self._peer = f"ble:{connections[0].peer_address}" if connections else self._peer
        return self._peer

    def _send(self, data: bytes) -> None:
        self._queue.put_nowait(self._station.notify(f"{SERVICE}/{FROM_DEVICE}", data))

    def _happened(self, event: Event) -> None:
        # What is written are pieces of the stream: nothing to read in real time, keys in the clear in virtual time.
        if not isinstance(event, CharacteristicWritten):
            self._emit(event)
        if isinstance(event, Disconnected) and self._server is not None:
            self._server.lost(self._peer)
