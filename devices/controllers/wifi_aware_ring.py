"""The paired devices of one app on one phone: what its system remembers of them, and what its user calls them.

They belong to the app, not to a service. Keys and identities are the NAN device's; here are the names, the services by
which they are found again, and what is kept from run to run.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from devices.errors import StoreError
from devices.sim.clock import Clock
from pairing.engine import Micros
from pairing.errors import DecodeError, KeyStoreError
from pairing.keys import PairedPeer
from pairing.nan.device import restored
from pairing.nan.setup_info import PairingSetupInfo


class KeyRing:
    """What one app's pairings leave. `version` counts the changes that an app's list of devices shows."""

    def __init__(self, app: str, nik: bytes) -> None:
        self.app = app
        self.nik = nik
        self.paired: tuple[PairedPeer, ...] = ()
        self.version = 1
        self._names: dict[int, str] = {}
        self._services: dict[int, str] = {}
        self._news: list[asyncio.Event] = []

    # What is kept.

    def load(self, saved: Mapping[str, Any]) -> None:
        """Take up what `dump` gave. Raises StoreError if it is damaged."""
        try:
            self.nik, self.paired = restored(saved)
            self._names = _by_id(saved, "names")
            self._services = _by_id(saved, "services")
            self._changed()
        except (KeyStoreError, ValueError) as problem:
            raise StoreError(f"paired devices of {self.app}: {problem}") from None

    def dump(self) -> dict[str, Any]:
        """Identity, pairings and names as JSON values, with every secret; empty as long as nothing was ever paired."""
        if self.version == 1:
            return {}
        return {
            "nik": self.nik.hex(),
            "paired": [each.to_json() for each in self.paired],
            "names": {str(peer_id): name for peer_id, name in self._names.items()},
            "services": {str(peer_id): name for peer_id, name in self._services.items()},
        }

    # What changes.

    def take(self, paired: tuple[PairedPeer, ...]) -> None:
        """The pairings are these now."""
        self.paired = paired
        known = {each.peer_id for each in paired}
        for kept in (self._names, self._services):
            for peer_id in [each for each in kept if each not in known]:
                del kept[peer_id]
        self._changed()

    def note(self, peer_id: int, *, service: str = "", name: str = "") -> None:
        """By which service a device was met, and how it is called."""
        if service:
            self._services[peer_id] = service
        if name:
            self._names[peer_id] = name
        self._changed()

    def _changed(self) -> None:
        self.version += 1
        for news in self._news:
            news.set()

    async def changed(self, after: int, clock: Clock, within_us: Micros) -> bool:
        """Wait until the list is newer than version `after`, at most so long."""
        news = asyncio.Event()
        self._news.append(news)
        alarm = clock.call_later(within_us, news.set)
        try:
            if self.version <= after:
                await news.wait()
            return self.version > after
        finally:
            alarm.cancel()
            self._news.remove(news)

    # What is asked.

    def name(self, peer_id: int) -> str:
        """What its user calls it: by default its own word for itself."""
        named = self._names.get(peer_id)
        if named is not None:
            return named
        info = self.info(peer_id)
        return "" if info is None else info.pairing_name or ""

    def service(self, peer_id: int) -> str:
        """The service by which it was met last."""
        return self._services.get(peer_id, "")

    def info(self, peer_id: int) -> PairingSetupInfo | None:
        """What it said of itself when it was paired."""
        peer = self.get(peer_id)
        return None if peer is None else read_info(peer.setup_info)

    def get(self, peer_id: int) -> PairedPeer | None:
        """The pairing with that id."""
        return next((each for each in self.paired if each.peer_id == peer_id), None)

    def find(self, text: str) -> int | None:
        """The device with that id, name or word for itself."""
        for each in self.paired:
            info = read_info(each.setup_info)
            words = (str(each.peer_id), self.name(each.peer_id), None if info is None else info.pairing_name)
            if text and text in words:
                return each.peer_id
        return None

    def document(self, peer_id: int) -> dict[str, Any]:
        """A device as an app sees it."""
        return {
            "id": str(peer_id),
            "name": self.name(peer_id) or None,
            "pairing_info": info_document(self.info(peer_id)),
            "service": self.service(peer_id) or None,
        }


def read_info(data: bytes | None) -> PairingSetupInfo | None:
    """What a device said of itself, if it can be read."""
    if data is None:
        return None
    try:
        return PairingSetupInfo.decode(data)
    except DecodeError:
        return None


def info_document(info: PairingSetupInfo | None) -> dict[str, Any] | None:
    """Pairing info as an app sees it."""
    if info is None:
        return None
    return {
        "pairing_name": info.pairing_name or "",
        "vendor_name": info.vendor_name or "",
        "model_name": info.model_name or "",
    }


def _by_id(saved: Mapping[str, Any], member: str) -> dict[int, str]:
    table = saved.get(member, {})
    if not isinstance(table, dict):
        raise KeyStoreError(f"{member} is no object")
    return {int(peer_id): str(name) for peer_id, name in table.items()}
