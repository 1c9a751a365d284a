"""A TCAT device outside any home: over Bluetooth by bleak, or over UDP as simulated devices are reached.

Bytes of the stream are written in slices that the MTU lets pass, and come back as notifications. Thread 1.4
specification, chapter 13.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from devices.controllers.tcat_dialogue import TcatDialogue
from devices.errors import HostError
from devices.sim.clock import Clock
from devices.stores.tcat_identities import own_identities
from devices.transports.tcat_tls import TlsChannel, client_context
from devices.transports.udp_client import UdpClient
from pairing.engine import Endpoint, Micros
from pairing.thread.tcat.adverts import FROM_DEVICE, TO_DEVICE

if TYPE_CHECKING:
    from bleak import BleakClient
    from bleak.backends.characteristic import BleakGATTCharacteristic

_PIECE = 512

Write = Callable[[bytes], Awaitable[None]]
"""Writes a piece of the stream after the other."""


@asynccontextmanager
async def reached(where: Endpoint | str, identities: str | None, patience: Micros) -> AsyncIterator[TcatDialogue]:
    """A connected dialogue with the device at a UDP endpoint or Bluetooth address. Raises RefusedError, HostError."""
    own = own_identities(identities)
    context = client_context(own.certificate("commissioner"), own.key("commissioner"), own.authority)
    clock = Clock(asyncio.get_running_loop(), virtual=False)
    outgoing: asyncio.Queue[bytes | None] = asyncio.Queue()
    name = where if isinstance(where, str) else f"{where.host}:{where.port}"
    dialogue = TcatDialogue(
        name, TlsChannel(context, server=False), clock, outgoing.put_nowait, lambda event: None, os.urandom
    )
    async with AsyncExitStack() as stack:
        stack.callback(clock.close)
        way = _over_ble(where, dialogue) if isinstance(where, str) else _over_udp(where, dialogue)
        write = await stack.enter_async_context(way)
        writer = asyncio.ensure_future(_write(outgoing, write, dialogue))
        try:
            await dialogue.connect(patience)
            yield dialogue
        finally:
            dialogue.close()
            outgoing.put_nowait(None)
            await writer


async def _write(outgoing: "asyncio.Queue[bytes | None]", write: Write, dialogue: TcatDialogue) -> None:
    while (data := await outgoing.get()) is not None:
        try:
            await write(data)
        except OSError:
            dialogue.lost()


class _Udp:
    def __init__(self, client: UdpClient, peer: Endpoint) -> None:
        self._client, self._peer = client, peer

    async def __call__(self, data: bytes) -> None:
        for start in range(0, len(data), _PIECE):
            self._client.send(data[start : start + _PIECE], self._peer)


@asynccontextmanager
async def _over_udp(where: Endpoint, dialogue: TcatDialogue) -> AsyncIterator[Write]:
    client = await UdpClient.open(where, lambda data, sender: dialogue.heard(data), dialogue.lost)
    try:
        yield _Udp(client, where)
    finally:
        await client.close()


class _Ble:
    def __init__(self, client: "BleakClient", characteristic: "BleakGATTCharacteristic") -> None:
        self._client, self._characteristic = client, characteristic

    async def __call__(self, data: bytes) -> None:
        from bleak.exc import BleakError

        size = self._characteristic.max_write_without_response_size
        for start in range(0, len(data), size):
            try:
                await self._client.write_gatt_char(self._characteristic, data[start : start + size], response=True)
            except BleakError as problem:
                raise OSError(str(problem)) from None


@asynccontextmanager
async def _over_ble(address: str, dialogue: TcatDialogue) -> AsyncIterator[Write]:
    from bleak import BleakClient, BleakScanner  # starts the operating system's Bluetooth
    from bleak.exc import BleakError

    try:
        device = await BleakScanner.find_device_by_address(address)
        if device is None:
            raise HostError(f"no device {address} advertises here")
        async with BleakClient(device, disconnected_callback=lambda _: dialogue.lost()) as client:
            characteristic = client.services.get_characteristic(TO_DEVICE)
            if characteristic is None:
                raise HostError(f"{address} is no TCAT device: it has no characteristic {TO_DEVICE}")
            await client.start_notify(FROM_DEVICE, lambda _, data: dialogue.heard(bytes(data)))
            yield _Ble(client, characteristic)
    except BleakError as problem:
        raise HostError(f"Bluetooth: {problem}") from None
