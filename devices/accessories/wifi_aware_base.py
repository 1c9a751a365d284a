"""What Wi-Fi Aware accessories share: one NAN device on the home's air, pair setup, an owner, peers, data paths.

What is published or subscribed is each kind's own. The engine judges frames; here is what follows for the accessory.
Source: Wi-Fi Aware specification 4.0; what phones show and ask, where they were seen.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from devices.accessories.base import Accessory, Lie
from devices.accessories.camera_picture import Scene
from devices.accessories.data_services import service_named
from devices.accessories.wifi_aware_codes import draw_passphrase
from devices.accessories.wifi_aware_lies import WIFI_AWARE_LIES, bitmap_period, lie_of, nan_lies
from devices.accessories.wifi_aware_owner import Owner
from devices.accessories.wifi_aware_pair_setup import PairSetup
from devices.accessories.wifi_aware_paths import AccessoryPaths
from devices.accessories.wifi_aware_peers import Peers, octets
from devices.accessories.wifi_aware_settings import (
    WifiAwareSettings,
    bootstrapping_profile,
    check_platform,
    data_path_settings,
    pairing_profile,
)
from devices.actor import Site, verb
from devices.errors import ActionRefusedError, UsageError
from devices.events import RequestReceived, StateChanged
from devices.nan_capabilities import DEVICE_CAPABILITY, availability
from devices.nan_radio import NanRadio, air_windows, draw_mac
from devices.spec import Duration
from pairing.engine import Event, Micros, Outputs
from pairing.errors import LocalProtocolError
from pairing.nan.data_path_events import DataPathClosed, DataPathFailed, DataPathOpened
from pairing.nan.device import NanDevice
from pairing.nan.device_settings import NanDeviceSettings
from pairing.nan.events import SubscriberAnswered
from pairing.nan.identifiers import address_text
from pairing.nan.pairing_events import PairingCompleted, PairingVerified, PeerRecognised, PeerRemoved
from pairing.nan.service_id import service_id
from pairing.nan.sessions import Session
from pairing.pasn.events import LieTold

MEDIUM = "air"


class WifiAwareAccessory(Accessory):
    """Base of the kinds; they publish or subscribe in `_begin`."""

    settings_model = WifiAwareSettings
    settings: WifiAwareSettings
    lies: ClassVar[Mapping[str, type[Lie]]] = WIFI_AWARE_LIES
    is_publisher: ClassVar[bool] = True

    def __init__(self, site: Site, actor_id: str, name: str, settings: WifiAwareSettings) -> None:
        super().__init__(site, actor_id, name, settings)
        check_platform(actor_id, settings, is_publisher=self.is_publisher)
        self._entropy = site.chance.stream(f"accessory/{actor_id}/nan").randbytes
        addresses = site.chance.stream(f"accessory/{actor_id}/addresses")
        drawn = draw_mac(addresses), draw_mac(addresses)
        self.nmi = octets(settings.nmi) if settings.nmi else drawn[0]
        self.ndi = octets(settings.ndi) if settings.ndi else drawn[1]
        self.data_path_passphrase = self._passphrase()
        self.peers = Peers(self)
        self.pair_setup = PairSetup(self)
        self.owner = Owner(self)
        self.paths = AccessoryPaths(self, self._service(), tls=settings.data_path.tls == "psk")
        self._radio: NanRadio | None = None
        self._session: Session | None = None
        self._asked: dict[tuple[str | None, int], bytes] = {}

    def _passphrase(self) -> str | None:
        table = self.settings.data_path
        if table.security != "passphrase":
            return None
        chance = self.site.chance.stream(f"accessory/{self.id}/passphrase")
        return table.passphrase or draw_passphrase(chance)

    def _service(self) -> Any:
        settings = self.settings
        return service_named(
            settings.data_path.service,
            title=self.name,
            facts={"vendor": settings.vendor, "model": settings.model, "service": settings.service},
            journal=self._journal,
            scene=Scene.draw(self.site.chance.stream(f"accessory/{self.id}/scene")),
            is_virtual=not self.site.real,
        )

    def _journal(self, method: str, path: str, status: int) -> None:
        self.emit(RequestReceived(protocol="http", method=method, path=path, status=str(status)))

    # What one can see

    @property
    def state(self) -> str:
        """`connected` with a data path, `pairable` while pair setup is open, `paired`, else `on`; `off`."""
        if self._radio is None:
            return "off"
        if self.device.open_data_paths:
            return "connected"
        if self.pair_setup.is_open:
            return "pairable"
        return "paired" if self.peers.remembered else "on"

    @property
    def endpoints(self) -> Mapping[str, str]:
        """`tcp`, `udp` and `http` of open data paths, in real time."""
        return self.paths.endpoints

    @property
    def shows(self) -> Mapping[str, str]:
        """While pair setup is open `code`, and `passphrase`, `qr`, `nfc`; `psk` on a data path with TLS."""
        shown = {**self.pair_setup.shows, **self.paths.shows}
        if self.data_path_passphrase is not None:
            shown["data_path_passphrase"] = self.data_path_passphrase
        return shown

    @property
    def facts(self) -> Mapping[str, Any]:
        """Addresses, the service, who is paired, which data paths are open."""
        return {
            "nmi": address_text(self.nmi),
            "ndi": address_text(self.ndi),
            "cluster_id": address_text(self.site.cluster_id),
            "service": self.settings.service,
            "service_id": service_id(self.settings.service).hex(),
            "methods": list(self.settings.pairing.methods),
            "pairing_open": self.pair_setup.is_open,
            "paired": self.peers.documents(),
            "requests": [
                {"request": each.number, "about": each.matter.value, "peer": address_text(each.peer)}
                for each in self.owner.requests.open
            ],
            "data_paths": self.paths.facts,
        }

    # Power

    @property
    def powered_radio(self) -> bool:
        """Whether there is a device to ask."""
        return self._radio is not None

    @property
    def device(self) -> NanDevice:
        """The engine. Raises ActionRefusedError without power."""
        if self._radio is None:
            raise ActionRefusedError(f"{self.id} is switched off")
        return self._radio.device

    def perform(self, intent: Callable[[NanDevice, Micros], Outputs]) -> Outputs:
        """Run an intent of the engine. Raises LocalProtocolError, or ActionRefusedError without power."""
        if self._radio is None:
            raise ActionRefusedError(f"{self.id} is switched off")
        return self._radio.do(intent)

    async def _start(self) -> None:
        try:
            self.paths.check()
            self._radio = NanRadio(self.site, self.id, self._device_settings(), self._entropy, self._on_event)
            self._radio.join()
            self.device.tell_lies(nan_lies(self.told_lies))
            self._session = self._begin()
            self._tell_availability()
            if self.pair_setup.does_open_by_itself():
                self.pair_setup.open()
        except BaseException:
            await self._stop(goodbye=False)
            self.powered = False
            raise

    def _device_settings(self) -> NanDeviceSettings:
        nik, paired = self.peers.identity
        return NanDeviceSettings(
            nmi=self.nmi,
            ndi=self.ndi,
            cluster_id=self.site.cluster_id,
            device_capability=DEVICE_CAPABILITY,
            availability=availability(bitmap_period(self.told_lies)),
            bootstrapping=bootstrapping_profile(self.settings),
            pairing=pairing_profile(self.settings),
            data_path=data_path_settings(self.settings),
            windows=air_windows(self.site),
            nik=nik,
            paired=paired,
        )

    def _begin(self) -> Session | None:
        """Publish or subscribe, with pair setup closed; the session as it was configured."""
        return None

    async def _stop(self, *, goodbye: bool) -> None:
        if self._radio is None:
            return
        if goodbye:
            for number in self.device.open_data_paths:
                self.perform(lambda device, now, number=number: device.close_data_path(number, now))  # type: ignore[misc]
        self.peers.power_lost()
        self.owner.stop()
        self.pair_setup.stop()
        self._asked.clear()
        radio, self._radio = self._radio, None
        radio.leave()
        await self.paths.stop()

    # What survives a restart of the program

    def dump_state(self) -> Mapping[str, Any]:
        """Identity and pairings as JSON values."""
        return self.peers.dump()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up what an earlier run left."""
        self.peers.load(state)

    # Events

    def _on_event(self, event: Event) -> None:
        if isinstance(event, SubscriberAnswered) and not self._is_news(event):
            return
        self._note(event)
        self.emit(event, MEDIUM)
        self.owner.on_event(event)
        self._follow(event)

    def _is_news(self, event: SubscriberAnswered) -> bool:
        """A subscriber asks in every discovery window; the log says so once."""
        who = (event.peer, event.peer_instance_id)
        is_new = self._asked.get(who) != event.service_info
        self._asked[who] = event.service_info
        return is_new

    def _note(self, event: Event) -> None:
        """What has to be known before anybody hears of it."""
        match event:
            case PairingCompleted() | PairingVerified() | PeerRecognised():
                self.peers.met(event.peer, event.peer_id)
            case PeerRemoved():
                self.peers.removed(event.peer_id)

    def _follow(self, event: Event) -> None:
        """What comes of it."""
        match event:
            case PairingCompleted():
                if self.settings.pairing.open != "always":
                    self.pair_setup.close("paired")
            case PeerRemoved():
                if not self.pair_setup.is_open and self.pair_setup.does_open_by_itself():
                    self.pair_setup.open()
            case DataPathOpened() if event.peer is not None:
                self.paths.opened(event, octets(event.peer))
                self._paths_changed()
            case DataPathClosed():
                self.paths.closed(event.data_path)
                self._paths_changed()
            case LieTold():
                self.lie_told(lie_of(event.lie), f"in frame {event.frame}" if event.frame else "")
            case DataPathFailed() if event.rule == "lie":
                self.lie_told("reject-data-path", f"reason {event.reason}")

    def _paths_changed(self) -> None:
        """A data path has opened or ended."""

    def _lies_changed(self) -> None:
        if self._radio is None:
            return
        self.device.tell_lies(nan_lies(self.told_lies))
        schedule, session = availability(bitmap_period(self.told_lies)), self._session
        if schedule != self.device.device.availability and session is not None:
            self.device.configure(availability=schedule)
            self.perform(lambda device, now: device.update(session, now))
            self._tell_availability()

    def _tell_availability(self) -> None:
        """What a session sends says from now on how its schedule repeats."""
        if "odd-bitmap-period" in self.told_lies and self._session is not None:
            self.lie_told("odd-bitmap-period", "in its frames from now on")

    # Verbs

    def refusing(self, intent: Callable[[NanDevice, Micros], Outputs]) -> Outputs:
        """Run an intent for a verb. Raises ActionRefusedError."""
        try:
            return self.perform(intent)
        except LocalProtocolError as problem:
            raise ActionRefusedError(f"{self.id}: {problem}") from None

    @verb("open-pairing")
    async def _do_open_pairing(self, expires: Duration | None = None) -> Mapping[str, Any]:
        """Let new peers pair and show the codes; wrong codes of before are forgiven."""
        if not self.settings.pairing.methods:
            raise ActionRefusedError(f"{self.id} has no pairing methods")
        self.device  # noqa: B018  # raises without power
        self.pair_setup.open(expires)
        return dict(self.pair_setup.shows)

    @verb("press")
    async def _do_press(self) -> Mapping[str, Any]:
        """Its button: let new peers pair."""
        return await self._do_open_pairing()

    @verb("close-pairing")
    async def _do_close_pairing(self) -> None:
        """Let nobody new pair; who is paired stays so."""
        self.device  # noqa: B018  # raises without power
        self.pair_setup.close("closed")

    @verb("accept")
    async def _do_accept(
        self, request: int | None = None, peer: str | None = None, code: str | None = None
    ) -> Mapping[str, Any]:
        """Say yes to a peer's request, by default the oldest, and type the code if one is needed."""
        return {"request": self.owner.accept(request, self._address(peer), code)}

    @verb("reject")
    async def _do_reject(self, request: int | None = None, peer: str | None = None) -> Mapping[str, Any]:
        """Say no to a peer's request, by default the oldest."""
        return {"request": self.owner.reject(request, self._address(peer))}

    @verb("cancel")
    async def _do_cancel(self, peer: str | None = None) -> None:
        """Give up what goes on with a peer before it is paired; by default with whoever asks."""
        waiting = self.device.waiting_for_user
        nmi = self._address(peer) or next(iter(waiting), None) or self._under_way()
        if nmi is None:
            raise ActionRefusedError(f"{self.id}: nothing goes on that could be cancelled")
        self.refusing(lambda device, now: device.cancel(nmi, now))

    # What a subscriber begins

    def is_courting(self, peer: bytes) -> bool:
        """Whether we began what goes on with a peer."""
        return False

    def go_on(self, peer: bytes, code: str) -> None:
        """Our owner has typed the code that a peer shows."""

    def give_up(self, peer: bytes) -> None:
        """Our owner does not want to pair after all."""

    def _under_way(self) -> bytes | None:
        """A peer with whom something of ours goes on."""
        return None

    @verb("remove-peer")
    async def _do_remove_peer(self, peer: str | None = None) -> None:
        """Forget a paired peer by id, name or actor; by default the only one. Its data paths end."""
        found = self.peers.find(peer)
        self.refusing(lambda device, now: device.remove_peer(found.peer_id, now))

    @verb("rename-peer")
    async def _do_rename_peer(self, name: str, peer: str | None = None) -> None:
        """Call a paired peer otherwise."""
        self.peers.rename(str(self.peers.find(peer).peer_id), name)

    @verb("forget")
    async def _do_forget(self) -> None:
        """Forget every paired peer; its own identity stays."""
        self.refusing(lambda device, now: device.forget(now))

    @verb("factory-reset")
    async def _do_factory_reset(self) -> None:
        """Erase pairings and identity; it starts again as the file says."""
        was_on = self.powered
        if was_on:
            await self._stop(goodbye=True)
        self.peers.erase()
        if was_on:
            await self._start()
        self.emit(StateChanged(state=self.state, reason="factory-reset"))

    @verb("open-data-path")
    async def _do_open_data_path(self, peer: str | None = None, passphrase: str | None = None) -> Mapping[str, Any]:
        """Ask a peer for a data path; the subscriber's part."""
        raise ActionRefusedError(f"{self.id} publishes; the subscriber opens a data path")

    @verb("close-data-path")
    async def _do_close_data_path(self, data_path: int | None = None) -> None:
        """End a data path by its number, by default all."""
        numbers = self.device.open_data_paths if data_path is None else (data_path,)
        if not numbers:
            raise ActionRefusedError(f"{self.id} has no data path")
        for number in numbers:
            self.refusing(lambda device, now, number=number: device.close_data_path(number, now))  # type: ignore[misc]

    def _address(self, text: str | None) -> bytes | None:
        """The NMI of somebody on the air, by address, actor or paired peer. Raises UsageError."""
        if text is None:
            return None
        for nmi in self._known_addresses():
            if text in (address_text(nmi), self.site.air.actor_at(nmi)):
                return nmi
        for peer in self.peers.remembered:
            if text in (str(peer.peer_id), self.peers.name(peer)) and self.peers.addresses_of(peer.peer_id):
                return self.peers.addresses_of(peer.peer_id)[-1]
        raise UsageError(f"{self.id} knows nobody called {text!r} on the air")

    def _known_addresses(self) -> list[bytes]:
        heard = [each.peer for each in self.owner.requests.open]
        return [*heard, *self.device.waiting_for_user, *self.owner.requests.expected]
