"""TCAT's stream to a device of the same home over the home's simulated Bluetooth, in virtual or real time.

Writes go with a response in slices that the MTU lets pass; notifications come back. Source: Thread 1.4 specification,
chapter 13.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from devices.actor import Actor
from devices.bluetooth.tables import short_uuid
from devices.controllers.commissioner_results import Refusal, RefusedError
from devices.errors import HostError
from pairing.engine import Event, Micros
from pairing.thread.tcat.adverts import FROM_DEVICE, TCAT_UUID16, TO_DEVICE

if TYPE_CHECKING:
    from devices.bluetooth.home_central import HomeCentral

Send = Callable[[bytes], None]
_SERVICE = f"{TCAT_UUID16:04x}"
_MEDIUM = "ble"


@asynccontextmanager
async def gatt_stream(
    actor: Actor, address: str, patience: Micros, receive: Callable[[bytes], None], lost: Callable[[], None]
) -> AsyncIterator[Send]:
    """A connected stream; what is sent is written in order, and all of it before the end. Raises RefusedError."""
    try:
        from devices.bluetooth.home_central import CentralRefusedError  # Bumble: only where there is Bluetooth
    except ImportError as problem:
        raise HostError(f"{actor.id} needs Bumble ({problem.name} is missing): pip install 'pairlab[ble]'") from None
    central = _central(actor, lost)
    outgoing: asyncio.Queue[bytes | None] = asyncio.Queue()
    await central.open()
    try:
        try:
            await central.connect(address, patience)
            found = central.characteristics()
            notified = found.get(f"{_SERVICE}/{short_uuid(FROM_DEVICE)}")
            written = found.get(f"{_SERVICE}/{short_uuid(TO_DEVICE)}")
            if notified is None or written is None:
                raise CentralRefusedError("service", "TCAT's two characteristics", f"{list(found)}")
            await central.subscribe(notified, FROM_DEVICE, receive)
        except CentralRefusedError as problem:
            raise RefusedError(Refusal(rule=problem.rule, expected=problem.expected, came=problem.came)) from None
        writer = asyncio.ensure_future(_write(central, written, outgoing, lost))
        try:
            yield outgoing.put_nowait
        finally:
            outgoing.put_nowait(None)
            await writer
    finally:
        await central.close(goodbye=True)


def _central(actor: Actor, lost: Callable[[], None]) -> "HomeCentral":
    from devices.ble_events import Disconnected
    from devices.bluetooth.home_central import HomeCentral

    def tell(event: Event) -> None:
        actor.emit(event, _MEDIUM)
        if isinstance(event, Disconnected):
            lost()

    stream = actor.site.chance.stream
    chances = (stream(f"ble/radio/{actor.id}"), stream(f"ble/host/{actor.id}"))
    return HomeCentral(actor.site.ble, actor.id, tell, None, "none", chances, {})


async def _write(
    central: "HomeCentral", characteristic: object, outgoing: "asyncio.Queue[bytes | None]", lost: Callable[[], None]
) -> None:
    from devices.bluetooth.home_central import CentralRefusedError

    while (data := await outgoing.get()) is not None:
        try:
            for start in range(0, len(data), central.longest_write):
                piece = data[start : start + central.longest_write]
                await central.write(characteristic, piece, with_response=True)
        except CentralRefusedError:
            lost()
