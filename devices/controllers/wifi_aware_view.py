"""What a phone sees on the air: publishers, who is behind them in this home, and how a person picks one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from devices.actor import Site
from devices.controllers.wifi_aware_ring import KeyRing, info_document, read_info
from devices.nan_radio import NanRadio
from pairing.nan.attributes import BootstrappingMethods
from pairing.nan.identifiers import address_text
from pairing.nan.service_id import service_id
from pairing.nan.sessions import DiscoveredService
from pairing.nan.setup_info import PairingSetupInfo


def method_word(method: BootstrappingMethods) -> str:
    """`pin-keypad` for the flag of that name."""
    return str(method.name).lower().replace("_", "-")


def method_words(methods: BootstrappingMethods) -> list[str]:
    """The names of all flags that are set."""
    return [method_word(each) for each in BootstrappingMethods if each & methods and each.name]


@dataclass(frozen=True, slots=True)
class Seen:
    """One publisher in view."""

    found: DiscoveredService
    actor_id: str | None
    """Who of the home it is; None for a foreign device."""
    device_id: int | None
    """Its id where it is paired."""
    info: PairingSetupInfo | None
    """What it says of itself, or said while it was open for pairing."""
    is_keyed: bool = False
    """Keys are in use with its address."""

    @property
    def peer(self) -> bytes:
        """Its NMI."""
        return self.found.nmi

    @property
    def is_pairing_open(self) -> bool:
        """Whether it lets new devices pair."""
        able = self.found.device_capability_extension
        return able is not None and able.is_pairing_setup_enabled

    @property
    def is_paired(self) -> bool:
        """Whether it is paired, remembered or for now."""
        return self.device_id is not None or (self.is_keyed and not self.is_stranger)

    @property
    def is_stranger(self) -> bool:
        """Keys are in use with its address, but it has become another device: it was reset."""
        able = self.found.device_capability_extension
        remembers = able is not None and able.is_caching_enabled
        return self.is_keyed and remembers and self.device_id is None

    def document(self) -> dict[str, Any]:
        """As a picker lists it."""
        found = self.found
        return {
            "peer": address_text(found.nmi),
            "accessory": self.actor_id,
            "service": found.name,
            "service_id": service_id(found.name).hex(),
            "publish_id": found.publish_id,
            "pairing_info": info_document(self.info),
            "pairing_open": self.is_pairing_open,
            "methods": method_words(found.methods),
            "paired_device": None if self.device_id is None else str(self.device_id),
            "service_info": None if found.service_info is None else found.service_info.hex(),
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom a person means. Empty texts say nothing; all others have to fit."""

    target: str = ""
    """An accessory's or paired device's id, a name, a model, a service ID, or an address."""
    name: str = ""
    model: str = ""
    service_id: str = ""
    device_id: int | None = None

    def fits(self, seen: Seen) -> bool:
        """Whether this is one of those."""
        info = seen.info or PairingSetupInfo()
        has_id = self.device_id is None or seen.device_id == self.device_id
        has_service = not self.service_id or service_id(seen.found.name).hex() == self.service_id.lower()
        has_name = _same(self.name, info.pairing_name) or _same(self.name, seen.actor_id)
        return has_id and has_service and has_name and _same(self.model, info.model_name) and self._is_target(seen)

    def _is_target(self, seen: Seen) -> bool:
        info, found = seen.info or PairingSetupInfo(), seen.found
        words = (
            seen.actor_id,
            info.pairing_name,
            info.model_name,
            address_text(found.nmi),
            service_id(found.name).hex(),
            found.name,
            None if seen.device_id is None else str(seen.device_id),
        )
        return not self.target or any(_same(self.target, word) for word in words)

    def __str__(self) -> str:
        parts = {"name": self.name, "model": self.model, "service ID": self.service_id}
        said = [f"{what} {word!r}" for what, word in parts.items() if word]
        if self.device_id is not None and not self.target:
            said.append(f"paired device {self.device_id}")
        if self.target and said:
            return f"{self.target!r} with {' and '.join(said)}"
        return repr(self.target) if self.target else " and ".join(said) or "any device"


def _same(wanted: str, word: str | None) -> bool:
    return not wanted or (word is not None and wanted.casefold() == word.casefold())


def seen_devices(site: Site, radio: NanRadio, ring: KeyRing) -> list[Seen]:
    """The publishers in view, in the order in which they came.

    A paired device that has started again has a new address; until the old one is lost it is seen at the new one alone.
    """
    seen = list(_in_view(site, radio, ring))
    newest = {each.device_id: each.peer for each in seen}
    return [each for each in seen if each.device_id is None or newest[each.device_id] == each.peer]


def _in_view(site: Site, radio: NanRadio, ring: KeyRing) -> Iterator[Seen]:
    device = radio.device
    for found in device.discovered.values():
        paired = device.paired_peer(found.nmi)
        info = read_info(found.setup_info) or read_info(device.setup_info(found.nmi))
        if info is None and paired is not None:
            info = ring.info(paired.peer_id)
        device_id = None if paired is None else paired.peer_id
        yield Seen(found, site.air.actor_at(found.nmi), device_id, info, device.keys(found.nmi) is not None)


def published_nearby(site: Site, target: str = "") -> list[str]:
    """The services that the home's accessories publish, or that one of them does: what their boxes say."""
    services: dict[str, None] = {}
    for other in site.others():
        service = getattr(other, "facts", {}).get("service")
        if isinstance(service, str) and service and target in ("", other.id):
            services[service] = None
    return list(services)
