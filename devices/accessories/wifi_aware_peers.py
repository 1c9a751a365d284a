"""The peers of a Wi-Fi Aware accessory: who is paired, at which address they are heard, what the owner calls them."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from devices.errors import ActionRefusedError
from devices.events import PairedDeviceRenamed
from devices.spec import closest
from pairing.errors import DecodeError
from pairing.keys import PairedPeer
from pairing.nan.device import restored
from pairing.nan.identifiers import address_text
from pairing.nan.setup_info import PairingSetupInfo

if TYPE_CHECKING:
    from devices.accessories.wifi_aware_base import WifiAwareAccessory


class Peers:
    """The pairings survive power and program; the addresses are those of this power cycle."""

    def __init__(self, owner: "WifiAwareAccessory") -> None:
        self._owner = owner
        self._snapshot: Mapping[str, object] = {}
        self._names: dict[int, str] = {}
        self._addresses: dict[bytes, int] = {}

    # What is remembered.

    @property
    def remembered(self) -> tuple[PairedPeer, ...]:
        """The pairings, the oldest first."""
        return self._owner.device.paired_peers if self._owner.powered_radio else self._restored()[1]

    @property
    def identity(self) -> tuple[bytes | None, tuple[PairedPeer, ...]]:
        """NIK and pairings to begin a power cycle with."""
        return self._restored()

    def keep(self) -> None:
        """Take note of the device's pairings, before it loses power or is saved."""
        if self._owner.powered_radio:
            self._snapshot = self._owner.device.snapshot()

    def power_lost(self) -> None:
        """Nobody is heard any more."""
        self.keep()
        self._addresses.clear()

    def erase(self) -> None:
        """Forget everything, identity included."""
        self._snapshot = {}
        self._names.clear()
        self._addresses.clear()

    def dump(self) -> dict[str, Any]:
        """As JSON values, with every secret."""
        self.keep()
        names = {str(peer_id): name for peer_id, name in self._names.items()}
        return {"nan": dict(self._snapshot), "names": names}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up what `dump` gave."""
        self._snapshot = dict(state["nan"])
        self._names = {int(peer_id): str(name) for peer_id, name in state["names"].items()}

    def _restored(self) -> tuple[bytes | None, tuple[PairedPeer, ...]]:
        return restored(self._snapshot) if self._snapshot else (None, ())

    # Who is where.

    def met(self, address: str | None, peer_id: int | None) -> None:
        """A paired peer was heard, or paired, under that address."""
        if address is not None and peer_id is not None:
            self._addresses[octets(address)] = peer_id

    def removed(self, peer_id: int) -> None:
        """A pairing is gone."""
        self._names.pop(peer_id, None)
        for nmi in [nmi for nmi, known in self._addresses.items() if known == peer_id]:
            del self._addresses[nmi]

    def at(self, nmi: bytes) -> int | None:
        """Which paired peer has that address."""
        return self._addresses.get(nmi)

    def addresses_of(self, peer_id: int) -> tuple[bytes, ...]:
        """Where a paired peer was heard, the latest last."""
        return tuple(nmi for nmi, known in self._addresses.items() if known == peer_id)

    # What the owner calls them.

    def rename(self, text: str, name: str) -> None:
        """Call a paired peer otherwise."""
        peer = self.find(text)
        self._names[peer.peer_id] = name
        self._owner.emit(PairedDeviceRenamed(peer_id=peer.peer_id, name=name))

    def find(self, text: str | None) -> PairedPeer:
        """A paired peer by id, name, address or actor; None is the only one. Raises ActionRefusedError."""
        remembered = self.remembered
        if text is None:
            if len(remembered) == 1:
                return remembered[0]
            raise ActionRefusedError(f"{self._owner.id} is paired with {len(remembered)} peers; name one by its id")
        for peer in remembered:
            if text in self._words(peer):
                return peer
        known = [str(peer.peer_id) for peer in remembered]
        raise ActionRefusedError(f"{self._owner.id} is not paired with {text!r}{closest(text, known)}")

    def name(self, peer: PairedPeer) -> str:
        """The owner's word, else the peer's own."""
        return self._names.get(peer.peer_id) or read_info(peer.setup_info).pairing_name or ""

    def documents(self) -> list[dict[str, Any]]:
        """Every paired peer, for facts."""
        return [
            {
                "id": str(peer.peer_id),
                "name": self.name(peer),
                "pairing_name": read_info(peer.setup_info).pairing_name,
                "vendor": read_info(peer.setup_info).vendor_name,
                "model": read_info(peer.setup_info).model_name,
                "address": next((address_text(nmi) for nmi in self.addresses_of(peer.peer_id)[-1:]), None),
            }
            for peer in self.remembered
        ]

    def _words(self, peer: PairedPeer) -> Iterable[str]:
        air = self._owner.site.air
        words: list[str | None] = [str(peer.peer_id), self.name(peer), read_info(peer.setup_info).pairing_name]
        for nmi in self.addresses_of(peer.peer_id):
            words += (address_text(nmi), air.actor_at(nmi))
        return [word for word in words if word]


def octets(address: str) -> bytes:
    """The address that an event names as text."""
    return bytes.fromhex(address.replace(":", ""))


def read_info(data: bytes | None) -> PairingSetupInfo:
    """What a peer said of itself; nothing where it said nothing that can be read."""
    try:
        return PairingSetupInfo.decode(data or b"")
    except DecodeError:
        return PairingSetupInfo()
