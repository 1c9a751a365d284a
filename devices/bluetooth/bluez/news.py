"""Values that a client's characteristic tells by itself: to peers who have subscribed, as BlueZ passes them on.

A program tells them by `PropertiesChanged` of `Value`, or, where it has the property `NotifyAcquired`, through a socket
(AcquireNotify); with `WriteAcquired` it takes writes through one, too.
Source: BlueZ 5.66, doc/gatt-api.txt, src/gatt-database.c.
"""

import asyncio
import socket
from collections.abc import Coroutine, Mapping
from typing import Any

from bumble import att
from bumble.device import Connection
from dbus_fast import Variant

from devices.bluetooth.bluez.remote_value import RemoteValue
from devices.bluetooth.bluez.tree import BusError
from devices.bluetooth.tables import LONGEST_VALUE

_NOTIFY, _INDICATE = 1, 2


class News:
    """Of one characteristic."""

    def __init__(
        self, value: RemoteValue, attribute: att.Attribute[bytes], *, acquires_write: bool, acquires_notify: bool
    ) -> None:
        self._value, self._attribute = value, attribute
        self._tree, self._server = value.adapter.tree, value.adapter.server
        self.path = value.path
        self._acquires_notify = acquires_notify
        self._subscriptions = 0
        self._socket: socket.socket | None = None
        self._tasks: set[asyncio.Future[None]] = set()
        self._server.subscribed[attribute.handle] = self._on_subscription
        self._writes = _Writes(value)
        if acquires_write:
            value.pass_on = self._writes.send

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def end(self) -> None:
        """The characteristic is no longer there."""
        for task in self._tasks:
            task.cancel()
        self._hang_up()
        self._writes.close()

    # From peers

    def _on_subscription(self, connection: Connection, before: int, now: int) -> None:
        if now == before:
            return
        if not now:
            self._subscriptions -= 1
            if not self._subscriptions:
                self._stop()
            return
        self._value.check(connection, self._value.permissions.subscribe, att.ErrorCode.WRITE_NOT_PERMITTED)
        self._subscriptions += not before
        if self._acquires_notify and self._socket is None:
            self._begin(self._acquire(connection))
        elif not self._acquires_notify:
            self._tree.tell(self._value.owner, self.path, self._value.interface, "StartNotify")

    def _stop(self) -> None:
        if self._socket is not None:
            self._hang_up()
        elif not self._acquires_notify:
            self._tree.tell(self._value.owner, self.path, self._value.interface, "StopNotify")

    # From the program

    def on_changed(self, interface: str, changed: Mapping[str, Variant]) -> None:
        """Properties of its object have changed."""
        value = changed.get("Value")
        if interface == self._value.interface and value is not None and value.signature == "ay":
            self._pass_on(bytes(value.value))

    def _pass_on(self, octets: bytes) -> None:
        octets = octets[:LONGEST_VALUE]
        for connection, configured in tuple(self._server.subscribers.items()):
            bits = int.from_bytes(configured.get(self._attribute.handle, b""), "little")
            if bits & _NOTIFY:
                self._begin(self._server.notify_subscriber(connection, self._attribute, octets))
            elif bits & _INDICATE:
                self._begin(self._indicate(connection, octets))

    async def _indicate(self, connection: Any, octets: bytes) -> None:
        try:
            await self._server.indicate_subscriber(connection, self._attribute, octets)
        except TimeoutError:
            return  # the peer does not confirm
        self._tree.tell(self._value.owner, self.path, self._value.interface, "Confirm")

    async def _acquire(self, connection: Connection) -> None:
        held = await acquire(self._value, connection, "AcquireNotify")
        if held is not None and self._subscriptions:
            self._socket = held
            asyncio.get_running_loop().add_reader(held, self._on_readable)
        elif held is not None:
            held.close()

    def _on_readable(self) -> None:
        if self._socket is None:
            return
        try:
            octets = self._socket.recv(LONGEST_VALUE)
        except OSError:
            octets = b""
        if octets:
            self._pass_on(octets)
        else:
            self._hang_up()

    def _hang_up(self) -> None:
        held, self._socket = self._socket, None
        if held is not None:
            asyncio.get_running_loop().remove_reader(held)
            held.close()


class _Writes:
    """The socket that a program takes writes through."""

    def __init__(self, value: RemoteValue) -> None:
        self._value = value
        self._socket: socket.socket | None = None

    async def send(self, connection: Connection, octets: bytes) -> bool:
        """False where there is no socket: the program is called instead."""
        if self._socket is None:
            self._socket = await acquire(self._value, connection, "AcquireWrite")
        if self._socket is None:
            return False
        try:
            self._socket.send(octets)
        except OSError:
            self.close()
            raise att.ATT_Error(error_code=att.ErrorCode.UNLIKELY_ERROR) from None
        return True

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


async def acquire(value: RemoteValue, connection: Connection, member: str) -> socket.socket | None:
    """The socket that a program gives; None where it gives none."""
    body = [value.options(connection, 0)]
    try:
        reply = await value.adapter.tree.ask(value.owner, value.path, value.interface, member, "a{sv}", body)
    except BusError:
        return None
    held = [socket.socket(fileno=each) for each in reply.unix_fds]
    if reply.signature != "hq" or len(held) != 1:
        for each in held:
            each.close()
        return None
    held[0].setblocking(False)
    return held[0]
