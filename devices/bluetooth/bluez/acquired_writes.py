"""`AcquireWrite`: a client writes to an accessory's characteristic through a socket, one command a datagram.

Source: BlueZ 5.66, doc/gatt-api.txt, src/gatt-client.c.
"""

import asyncio
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dbus_fast import Variant

from devices.bluetooth.bluez.tree import BusError, Call
from devices.bluetooth.tables import LONGEST_VALUE

if TYPE_CHECKING:
    from devices.bluetooth.bluez.gatt import GattObjects

_CHARACTERISTIC = "org.bluez.GattCharacteristic1"


class AcquiredWrites:
    """Of one characteristic: at most one socket."""

    def __init__(self, objects: "GattObjects", path: str, proxy: Any, flags: Sequence[str]) -> None:
        self._objects, self._path, self._proxy, self._flags = objects, path, proxy, flags
        self._socket: socket.socket | None = None
        self._tasks: set[asyncio.Future[None]] = set()

    async def acquire(self, call: Call) -> Sequence[Any]:
        """AcquireWrite: the socket, and the MTU."""
        if self._socket is not None:
            raise BusError("NotPermitted", "Write acquired")
        if "write-without-response" not in self._flags:
            raise BusError("NotSupported", "Operation is not supported")
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setblocking(False)
        asyncio.get_running_loop().add_reader(self._socket, self._on_readable)
        self._told()
        return [theirs.detach(), self._objects.mtu]

    def _on_readable(self) -> None:
        if self._socket is None:
            return
        try:
            octets = self._socket.recv(LONGEST_VALUE)
        except OSError:
            octets = b""
        if not octets:
            self.hang_up()
            return
        task = asyncio.ensure_future(self._write(octets))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, octets: bytes) -> None:
        try:
            await self._objects.asked(lambda: self._proxy.write_value(octets, with_response=False))
        except BusError:
            pass  # a command has no answer

    def hang_up(self) -> None:
        """No more writes this way."""
        held, self._socket = self._socket, None
        if held is not None:
            asyncio.get_running_loop().remove_reader(held)
            held.close()
            self._told()

    def _told(self) -> None:
        acquired = {"WriteAcquired": Variant("b", self._socket is not None)}
        self._objects.device.tree.put(self._path, _CHARACTERISTIC, acquired)
