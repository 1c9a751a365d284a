"""An adapter's GATT server: Bumble's, with services that come and go, and values that are asked of programs.

Handles are never given twice. Who subscribes is told; values of the CCCD that the properties do not allow are refused.
Source: BlueZ 5.66, src/gatt-database.c, src/shared/gatt-server.c; Core Specification 5.4, Vol 3, Part F, 3.4.4.5.
"""

import asyncio
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bumble import att, gatt, gatt_server
from bumble.device import Connection

if TYPE_CHECKING:
    from devices.bluetooth.bluez.remote_value import RemoteValue

_IMPROPERLY_CONFIGURED = 0xFD
_NEEDS = {1: gatt.Characteristic.Properties.NOTIFY, 2: gatt.Characteristic.Properties.INDICATE}
"""The property that a value of the CCCD needs."""


class ApplicationServer(gatt_server.Server):
    """Bumble's server, from which services can go again, and which tells who subscribes."""

    def __init__(self, device: Any) -> None:
        super().__init__(device)
        self.remote: dict[int, RemoteValue] = {}
        """Values of clients by handle."""
        self.subscribed: dict[int, Callable[[Connection, int, int], None]] = {}
        """Called with (connection, value of the CCCD before, and now), by the handle of the characteristic."""
        self._last_handle = 0

    def next_handle(self) -> int:
        """The next one that was never given."""
        return max((self._last_handle, *(each.handle for each in self.attributes[-1:]))) + 1

    def remove_service(self, service: gatt.Service) -> None:
        """Its attributes are no longer there."""
        self._last_handle = self.next_handle() - 1
        first, last = service.handle, service.end_group_handle
        self.attributes = [each for each in self.attributes if not first <= each.handle <= last]
        self.attributes_by_handle.clear()
        self.services.remove(service)
        for handle in range(first, last + 1):
            self.remote.pop(handle, None)
            self.subscribed.pop(handle, None)

    def changed(self, first: int, last: int) -> Any:
        """Indicate Service Changed to whoever has subscribed to it."""
        for each in self.attributes:
            if each.type == gatt.GATT_SERVICE_CHANGED_CHARACTERISTIC and isinstance(each, gatt.Characteristic):
                return self.indicate_subscribers(each, struct.pack("<HH", first, last))
        return None

    def write_cccd(self, bearer: Any, characteristic: gatt.Characteristic[Any], value: bytes) -> None:
        """Only what the properties allow; others are improperly configured."""
        wanted = int.from_bytes(value, "little")
        if len(value) != 2 or wanted > 2 or (wanted and not characteristic.properties & _NEEDS[wanted]):
            raise att.ATT_Error(error_code=_IMPROPERLY_CONFIGURED)
        tell = self.subscribed.get(characteristic.handle)
        if tell is not None:
            tell(bearer, int.from_bytes(self.read_cccd(bearer, characteristic), "little"), wanted)
        super().write_cccd(bearer, characteristic, value)

    def on_disconnection(self, bearer: Any) -> None:
        """Its subscriptions end."""
        for handle, value in self.subscribers.get(bearer, {}).items():
            tell = self.subscribed.get(handle)
            if tell is not None:
                tell(bearer, int.from_bytes(value, "little"), 0)
        super().on_disconnection(bearer)

    def on_att_read_blob_request(self, bearer: Any, request: Any) -> None:
        """Vol 3, Part F, 3.4.4.5"""
        value = self.remote.get(request.attribute_handle)
        if value is None:
            super().on_att_read_blob_request(bearer, request)
        else:
            task = asyncio.ensure_future(self._read_blob(value, bearer, request))
            value.tasks.add(task)
            task.add_done_callback(value.tasks.discard)

    async def _read_blob(self, value: "RemoteValue", bearer: Any, request: Any) -> None:
        response: att.ATT_PDU
        try:
            octets = await value.read(bearer, request.value_offset)
            response = att.ATT_Read_Blob_Response(part_attribute_value=octets[: bearer.att_mtu - 1])
        except att.ATT_Error as problem:
            response = att.ATT_Error_Response(
                request_opcode_in_error=request.op_code,
                attribute_handle_in_error=request.attribute_handle,
                error_code=problem.error_code,
            )
        self.send_response(bearer, response)
