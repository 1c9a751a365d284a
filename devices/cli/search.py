"""What is on the network now, for the commands that look: `browse`, `credentials check --live`, `clone bonjour`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pairing.dnssd.service import ResolvedService
    from pairing.thread.credentials import LiveRecord


def search(types: Sequence[str], reach: str | None, seconds: float) -> "tuple[ResolvedService, ...]":
    """The services of these types, by default of every type, on the reach in force (default: all)."""
    import asyncio

    from devices.bonjour.browser import browse
    from devices.transports.reach import choose_reach

    return asyncio.run(browse(types, seconds, choose_reach(reach, None, "all")))


def live_records(reach: str | None, seconds: float) -> "tuple[LiveRecord, ...]":
    """The border routers in view, as a phone's credential store looks at them."""
    from pairing.dnssd.txt import TxtRecord
    from pairing.errors import DecodeError
    from pairing.thread.credentials import LiveRecord
    from pairing.thread.meshcop_txt import SERVICE_TYPE

    records = []
    for service in search([SERVICE_TYPE], reach, seconds):
        try:
            txt = TxtRecord.decode(service.txt) if service.txt is not None else None
        except DecodeError:
            txt = None
        records.append(LiveRecord(service.instance, txt))
    return tuple(records)
