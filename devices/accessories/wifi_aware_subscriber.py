"""A Wi-Fi Aware subscriber: finds publishers of a service, pairs with one, verifies pairings, opens data paths.

Everything it begins can be begun by a verb, or by itself with `pick` and `verification`. It begins by itself with one
device once; a pairing that the other side has forgotten is dropped, so that it cannot run in a circle.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import Field

from devices.accessories.registry import accessory
from devices.accessories.wifi_aware_base import WifiAwareAccessory
from devices.accessories.wifi_aware_codes import KINDS, SHOWN, shown_by
from devices.accessories.wifi_aware_peers import octets, read_info
from devices.accessories.wifi_aware_settings import (
    Method,
    PairingTable,
    WifiAwareSettings,
    method_named,
    method_word,
    subscribe_of,
)
from devices.actor import verb
from devices.errors import ActionRefusedError
from devices.spec import Duration, duration_us
from pairing.engine import SECOND, Event, PeerDiscovered
from pairing.errors import KeyStoreError, LocalProtocolError
from pairing.nan.attributes import BootstrappingMethods
from pairing.nan.bootstrapping_rules import complement
from pairing.nan.data_path_events import DataPathFailed, DataPathStarted
from pairing.nan.events import BootstrappingCompleted, BootstrappingFailed, PeerUpdated
from pairing.nan.identifiers import address_text
from pairing.nan.pairing_events import (
    PairingCause,
    PairingCompleted,
    PairingFailed,
    PairingVerified,
    PeerRecognised,
)
from pairing.nan.service_id import service_id
from pairing.nan.sessions import DiscoveredService, Session

EVERYBODY = "*"
_FAREWELL = 2 * SECOND


class SubscriberPairingTable(PairingTable):
    """`pairing` of a subscriber: it types what the publisher shows."""

    methods: list[Method] = Field(["pin-keypad"], description="own role of each; none: it does not pair")


class WifiAwareSubscriberSettings(WifiAwareSettings):
    """A subscriber's own."""

    pairing: SubscriberPairingTable = SubscriberPairingTable()
    subscribe: Literal["active", "passive"] = Field("active", description="ask for publishers, or only listen")
    pick: str | None = Field(
        None, description="whom to pair with by itself: name, model, service id or accessory id; * = anybody"
    )
    verification: bool = Field(True, description="bring a remembered pairing into force when its peer comes into view")


@dataclass(frozen=True, slots=True)
class _Courtship:
    """A pairing of ours that is under way."""

    method: BootstrappingMethods
    code: str | None = field(default=None, repr=False)
    attempt: int = 1


@accessory("wifi-aware-subscriber")
class WifiAwareSubscriber(WifiAwareAccessory):
    """A device that looks for a service."""

    settings_model = WifiAwareSubscriberSettings
    settings: WifiAwareSubscriberSettings
    is_publisher = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._courtships: dict[bytes, _Courtship] = {}
        self._picked: set[bytes] = set()
        self._wanted_paths: dict[bytes, str | None] = {}

    def _begin(self) -> Session:
        session = subscribe_of(self.settings, self.name, is_active=self.settings.subscribe == "active")
        self.perform(lambda device, now: device.subscribe(session, now, is_pairing_open=False))
        return session

    async def _stop(self, *, goodbye: bool) -> None:
        await super()._stop(goodbye=goodbye)
        self._courtships.clear()
        self._picked.clear()
        self._wanted_paths.clear()

    @property
    def facts(self) -> Mapping[str, Any]:
        """Those of every Wi-Fi Aware accessory, and who is in view."""
        seen = [self._seen(each) for each in self._in_view()] if self.powered_radio else []
        return {**super().facts, "in_view": seen}

    # Events

    def _follow(self, event: Event) -> None:
        super()._follow(event)
        if event.peer is None or not self.powered_radio:
            return
        peer = octets(event.peer)
        match event:
            case PeerDiscovered() | PeerUpdated():
                self._consider(peer)
            case PeerRecognised() if self.settings.verification:
                self._try(lambda: self._verify(peer))
            case BootstrappingCompleted() if peer in self._courtships:
                self._exchange_code(peer, self._courtships[peer])
            case BootstrappingFailed():
                self._courtships.pop(peer, None)
            case PairingCompleted() | PairingVerified():
                self._courtships.pop(peer, None)
                self._open_wanted(peer)
            case PairingFailed():
                self._on_pairing_failed(event, peer)
            case DataPathFailed(error="ExchangeTimeoutError") if self.device.keys(peer) is not None:
                # A publisher that has forgotten us, or lost power, does not understand our frames: ask who it is. Not
                # at once: the end of the data path is still being said, under the keys that verification replaces.
                self.site.clock.call_later(_FAREWELL, lambda: self._ask_who(peer))

    def _ask_who(self, peer: bytes) -> None:
        """Who is at an address where our keys are not understood? A stranger needs to be paired with."""
        if not self.powered_radio:
            return
        if self._is_remembered(peer):
            self._try(lambda: self._verify(peer))
        elif self.device.has_lost_keys(peer):
            self.perform(lambda device, now: device.part(peer, now))

    def _is_remembered(self, peer: bytes) -> bool:
        """By the identity that it shows, or else by the keys in use: what it shows may be forged."""
        return self.device.paired_peer(peer) is not None or self.device.keyed_peer(peer) is not None

    def _consider(self, peer: bytes) -> None:
        """Somebody is in view, or says something new: is it whom we are to pick?"""
        wish = self.settings.pick
        if wish is None or self.device.paired_peer(peer) is not None:
            return
        if peer in self._picked and self.device.keys(peer) is None:
            return  # it was picked once, in vain; with keys in use it is another device now, or was reset
        found = self._find(lambda each: each.nmi == peer and self._is_called(each, wish) and bool(each.methods))
        if found is not None:
            self._picked.add(peer)
            self._try(lambda: self._court(found, _Courtship(self._method(found))))

    def _on_pairing_failed(self, event: PairingFailed, peer: bytes) -> None:
        courtship = self._courtships.pop(peer, None)
        self._wanted_paths.pop(peer, None)
        if event.cause is PairingCause.UNKNOWN_PEER and event.is_initiator:
            known = self.peers.at(peer)
            if known is not None:
                self.perform(lambda device, now: device.remove_peer(known, now, "the peer does not remember it"))
            self._consider(peer)
        elif event.cause is PairingCause.WRONG_PASSWORD and courtship is not None and self._types_again(courtship):
            found = self._find(lambda each: each.nmi == peer)
            if found is not None:
                self._try(lambda: self._court(found, replace(courtship, attempt=courtship.attempt + 1)))

    def _types_again(self, courtship: _Courtship) -> bool:
        return self.owner.typist.habit == "wrong-then-right" and courtship.code is None and courtship.attempt == 1

    def _try(self, act: Callable[[], object]) -> None:
        """Begin something by itself; a state that does not allow it is no news."""
        try:
            act()
        except (LocalProtocolError, KeyStoreError, ActionRefusedError):
            pass  # it is under way already, or the peer has closed pair setup or is another by now

    # Pairing

    def _court(self, found: DiscoveredService, courtship: _Courtship) -> None:
        if not self.pair_setup.is_open:
            self.pair_setup.open()
        if self.device.keys(found.nmi) is not None:  # who pairs anew begins anew: the other may have lost its keys
            self.perform(lambda device, now: device.part(found.nmi, now))
        self.perform(lambda device, now: device.bootstrap(found.nmi, courtship.method, now))
        self._courtships[found.nmi] = courtship

    def _exchange_code(self, peer: bytes, courtship: _Courtship) -> None:
        method = courtship.method
        code = courtship.code or self.pair_setup.codes.for_method(method)
        if code is None and method in KINDS and not method & SHOWN:
            code = self.owner.type_for(peer, KINDS[method])
            if code is None:
                return  # `accept` brings it
        self._pair(peer, code)

    def _pair(self, peer: bytes, password: str | None) -> None:
        self.perform(lambda device, now: device.pair(peer, now, password=password))

    def _verify(self, peer: bytes) -> None:
        self.perform(lambda device, now: device.verify(peer, now))

    def is_courting(self, peer: bytes) -> bool:
        """Whether we began what goes on with a peer."""
        return peer in self._courtships

    def go_on(self, peer: bytes, code: str) -> None:
        """Our owner has typed the code that a peer shows."""
        self._pair(peer, code)

    def give_up(self, peer: bytes) -> None:
        """Our owner does not want to pair after all."""
        self._courtships.pop(peer, None)

    def _under_way(self) -> bytes | None:
        return next(iter(self._courtships), None)

    def _method(self, found: DiscoveredService) -> BootstrappingMethods:
        """The first of our methods whose other side the publisher offers. Raises ActionRefusedError."""
        if not found.methods:
            raise ActionRefusedError(f"{self.id}: {address_text(found.nmi)} lets no new peer pair now")
        for name in self.settings.pairing.methods:
            if complement(method_named(name)) & found.methods:
                return method_named(name)
        offered = ", ".join(method_word(each) for each in found.methods)
        ours = ", ".join(self.settings.pairing.methods) or "none"
        raise ActionRefusedError(f"{self.id}: no common method: we have {ours}, the publisher offers {offered}")

    # Data paths

    def _open_wanted(self, peer: bytes) -> None:
        if peer in self._wanted_paths:
            passphrase = self._wanted_paths.pop(peer)
            self._try(lambda: self._open_path(peer, passphrase))

    def _open_path(self, peer: bytes, passphrase: str | None) -> int:
        outputs = self.perform(lambda device, now: device.open_data_path(peer, now, passphrase=passphrase))
        return next((each.data_path for each in outputs if isinstance(each, DataPathStarted)), 0)

    # Who is in view

    def _in_view(self) -> tuple[DiscoveredService, ...]:
        """A paired publisher that has started again is seen at its new address alone, before the old one is lost."""
        seen = [(each, self.device.paired_peer(each.nmi)) for each in self.device.discovered.values()]
        newest = {paired.peer_id: each.nmi for each, paired in seen if paired is not None}
        return tuple(each for each, paired in seen if paired is None or newest[paired.peer_id] == each.nmi)

    def _find(self, fits: Callable[[DiscoveredService], bool]) -> DiscoveredService | None:
        return next((each for each in self._in_view() if fits(each)), None)

    def _is_called(self, found: DiscoveredService, text: str) -> bool:
        info = read_info(found.setup_info or self.device.setup_info(found.nmi))
        paired = self.device.paired_peer(found.nmi)
        words = {
            address_text(found.nmi),
            self.site.air.actor_at(found.nmi),
            info.pairing_name,
            info.model_name,
            found.name,
            service_id(found.name).hex(),
        }
        if paired is not None:
            words |= {str(paired.peer_id), self.peers.name(paired)}
        return text == EVERYBODY or text in words

    def _seen(self, found: DiscoveredService) -> dict[str, Any]:
        info = read_info(found.setup_info)
        paired = self.device.paired_peer(found.nmi)
        return {
            "peer": address_text(found.nmi),
            "accessory": self.site.air.actor_at(found.nmi),
            "service": found.name,
            "pairing_name": info.pairing_name,
            "vendor": info.vendor_name,
            "model": info.model_name,
            "pairing_open": bool(found.methods),
            "paired_id": None if paired is None else str(paired.peer_id),
        }

    async def _sought(self, target: str | None, within: str) -> DiscoveredService:
        """A publisher in view, waited for that long. Raises ActionRefusedError."""
        wish, clock = target or EVERYBODY, self.site.clock
        until = clock.now() + duration_us(within)
        while True:
            found = self._find(lambda each: self._is_called(each, wish))
            if found is not None:
                return found
            if clock.now() >= until:
                whom = "nobody" if target is None else f"no {target!r}"
                raise ActionRefusedError(f"{self.id}: {whom} is in view with {self.settings.service} after {within}")
            await clock.sleep(min(100_000, until - clock.now()))

    def _known_addresses(self) -> list[bytes]:
        return [*super()._known_addresses(), *self._courtships, *(each.nmi for each in self._in_view())]

    # Verbs

    def _refusing(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except LocalProtocolError as problem:
            raise ActionRefusedError(f"{self.id}: {problem}") from None

    @verb("pair")
    async def _do_pair(
        self,
        target: str | None = None,
        code: str | None = None,
        method: Method | None = None,
        within: Duration = "10s",
    ) -> Mapping[str, Any]:
        """Pair with a publisher: by accessory id, name, model, service id or address; by default the first in view."""
        found = await self._sought(target, within)
        chosen = self._method(found) if method is None else method_named(method)
        self._refusing(lambda: self._court(found, _Courtship(chosen, code)))
        return {"peer": address_text(found.nmi), "method": method_word(chosen)}

    @verb("pick")
    async def _do_pick(self, target: str = EVERYBODY, within: Duration = "10s") -> Mapping[str, Any]:
        """Find a publisher by name, model or service id, and pair with it."""
        return await self._do_pair(target, within=within)

    @verb("verify")
    async def _do_verify(self, target: str | None = None, within: Duration = "10s") -> Mapping[str, Any]:
        """Bring a remembered pairing into force under fresh keys."""
        found = await self._sought(target, within)
        self._refusing(lambda: self._verify(found.nmi))
        return {"peer": address_text(found.nmi)}

    @verb("open-data-path")
    async def _do_open_data_path(
        self, peer: str | None = None, passphrase: str | None = None, within: Duration = "10s"
    ) -> Mapping[str, Any]:
        """Ask a publisher for a data path; a remembered pairing that is not in force is verified first."""
        found = await self._sought(peer, within)
        nmi, about = found.nmi, {"peer": address_text(found.nmi)}
        needs_proof = self.device.keys(nmi) is None or self.device.has_lost_keys(nmi)
        if needs_proof and self._is_remembered(nmi):
            self._wanted_paths[nmi] = None
            attempt = self.device.attempt(nmi)
            if attempt is None or attempt.is_over:
                self._refusing(lambda: self._verify(nmi))
            return {**about, "data_path": None}
        security = self.settings.data_path.security
        if needs_proof and security == "paired":
            self._ask_who(nmi)
            raise ActionRefusedError(f"{self.id}: data-path-security: expected a paired peer, came {about['peer']}")
        if security == "passphrase":
            passphrase = passphrase or shown_by(self.site, nmi).get("data_path_passphrase") or self.data_path_passphrase
        return {**about, "data_path": self._refusing(lambda: self._open_path(nmi, passphrase))}
