"""A phone's Wi-Fi Aware side: its radio on the home's air, the devices in view, the app's paired devices.

Whoever pairs, verifies or opens a data path builds on this; the platforms' own shapes are `wifi_aware_ios` and
`wifi_aware_android`, the verbs `wifi_aware_verbs`. What a platform allows is in `pairing.nan.platform_rules`.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from devices.actor import Site
from devices.controllers.user import User
from devices.controllers.wifi_aware_app import (
    PAIRABLE,
    QUERY_PERIOD,
    SUITES,
    TELLING,
    App,
    device_settings,
    is_told_to_peer,
)
from devices.controllers.wifi_aware_results import Refusal, RefusedError, done, produced, refused, words_for
from devices.controllers.wifi_aware_ring import KeyRing
from devices.controllers.wifi_aware_view import Seen, Wanted, seen_devices
from devices.errors import ActionRefusedError, UsageError
from devices.events import PairedDeviceRenamed, PlatformRefused
from devices.nan_capabilities import RADIO_ELEMENTS
from devices.nan_radio import NanRadio
from devices.spec import closest
from pairing.engine import MILLISECOND, Event, Micros, Outputs
from pairing.errors import LocalProtocolError, PairingError
from pairing.nan.attributes import (
    CipherSuiteInfo,
)
from pairing.nan.device import NanDevice
from pairing.nan.identifiers import address_text
from pairing.nan.pairing_events import (
    PairingAttemptsExhausted,
    PairingCause,
    PairingCompleted,
    PairingFailed,
    PairingVerified,
    PeerRemoved,
)
from pairing.nan.platform_failures import Activity, Situation
from pairing.nan.platform_rules import Family, bootstrapping_rules, judge_service_name
from pairing.nan.sessions import FIRST_INSTANCE_ID, LAST_INSTANCE_ID, Publish, Session, Subscribe

_PLIST_KEYS = {"publish": "Publishable", "subscribe": "Subscribable"}


class WifiAware:
    """Lives from `start` to `stop`; the ring of paired devices outlives it."""

    def __init__(self, site: Site, app: App, ring: KeyRing, user: User, emit: Callable[[Event, str], None]) -> None:
        self.site = site
        self.app = app
        self.ring = ring
        self.user = user
        self.emit = emit
        self.outcome: str | None = None
        """What every call ends in, if somebody asked for that."""
        self.listeners: list[Callable[[Event], None]] = []
        """Told of every event after it was logged: the platform's own shape of this phone."""
        self._radio: NanRadio | None = None
        self._boots = 0
        self._finders: dict[str, int] = {}
        self._inboxes: dict[str, list[asyncio.Queue[Event]]] = {}
        self._news: list[asyncio.Event] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sheets: Counter[int] = Counter()
        self._exhausted: set[str] = set()
        self._aliases: dict[str, str] = {}
        self._held: list[Event] | None = None

    # Power.

    @property
    def is_on(self) -> bool:
        """Whether the radio is on the air."""
        return self._radio is not None

    @property
    def facts(self) -> Mapping[str, Any]:
        """Its addresses while it is on the air."""
        if self._radio is None:
            return {}
        nmi, ndi = self._radio.addresses
        return {"nmi": address_text(nmi), "ndi": address_text(ndi), "cluster_id": address_text(self.site.cluster_id)}

    @property
    def radio(self) -> NanRadio:
        """The radio. Raises ActionRefusedError while the phone is off."""
        if self._radio is None:
            raise ActionRefusedError(f"{self.app.phone_id} is switched off")
        return self._radio

    @property
    def device(self) -> NanDevice:
        """The engine behind the radio."""
        return self.radio.device

    def start(self) -> None:
        """Get on the air, under new addresses."""
        self._boots += 1
        chance = self.site.chance.stream(f"phone/{self.app.phone_id}/nan/{self.app.app}/{self._boots}")
        settings = device_settings(self.site, self.app, chance, self.user.patience, self.ring)
        self._radio = NanRadio(self.site, self.app.phone_id, settings, chance.randbytes, self._on_event)
        self._radio.join()

    async def stop(self) -> None:
        """Get off the air; whatever was under way ends without a word."""
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._release()
        if self._radio is not None:
            self._radio.leave()
            self._radio = None
        self._finders.clear()
        self._sheets.clear()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run something beside, until the phone is switched off."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Events.

    def do(self, intent: Callable[[NanDevice, Micros], Outputs]) -> Outputs:
        """Run an intent of the engine. Raises ActionRefusedError where its state does not allow it."""
        try:
            return self.radio.do(intent)
        except LocalProtocolError as problem:
            raise ActionRefusedError(f"{self.app.phone_id}: {problem}") from None
        except PairingError as problem:
            raise UsageError(f"{self.app.phone_id}: {problem}") from None

    @contextlib.contextmanager
    def inbox(self, peer: str) -> "Iterator[asyncio.Queue[Event]]":
        """Every event with that peer while the block runs."""
        queue = self.open_inbox(peer)
        try:
            yield queue
        finally:
            self.close_inbox(peer, queue)

    def open_inbox(self, peer: str) -> "asyncio.Queue[Event]":
        """Every event with that peer from now on."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._inboxes.setdefault(peer, []).append(queue)
        return queue

    def close_inbox(self, peer: str, queue: "asyncio.Queue[Event]") -> None:
        """No more of them."""
        self._inboxes[peer].remove(queue)
        if not self._inboxes[peer]:
            del self._inboxes[peer]

    def happened(self, event: Event) -> None:
        """Something that the phone itself has to report."""
        self._on_event(event)

    def _on_event(self, event: Event) -> None:
        """Pass it on. Of a wrong code the phone's user hears when the other side has been told."""
        if self._held is not None:
            self._held.append(event)
        elif is_told_to_peer(self.app.platform, event):
            self._held = [event]
            self.site.clock.call_later(TELLING, self._release)
        else:
            self._handle(event)

    def _release(self) -> None:
        held, self._held = self._held, None
        for event in held or ():
            self._handle(event)

    def _handle(self, event: Event) -> None:
        self._keep(event)
        self.emit(event, "air")
        for queue in self._inboxes.get(event.peer or "", ()):
            queue.put_nowait(event)
        for news in self._news:
            news.set()
        for tell in tuple(self.listeners):
            tell(event)
        if isinstance(event, PairingFailed) and event.cause is PairingCause.UNKNOWN_PEER and event.is_initiator:
            self.part(event.peer or "")

    def part(self, peer: str) -> None:
        """A device that has forgotten us understands nothing said under the keys of before."""
        nmi = bytes.fromhex(peer.replace(":", ""))
        self.do(lambda device, now: device.part(nmi, now))

    def needs_verification(self, peer: bytes) -> bool:
        """Whether there are no keys with a device, or it seems to have lost its own."""
        return self.device.keys(peer) is None or self.device.has_lost_keys(peer)

    def _keep(self, event: Event) -> None:
        """What has to be on the ring before anybody hears of it."""
        if isinstance(event, PairingCompleted) and event.peer_id is not None:
            self.ring.take(self.device.paired_peers)
            self.ring.note(event.peer_id, service=event.service, name=self._aliases.pop(event.peer or "", ""))
        elif isinstance(event, PairingVerified):
            self.ring.note(event.peer_id, service=event.service)
        elif isinstance(event, PeerRemoved):
            self.ring.take(self.device.paired_peers)
        elif isinstance(event, PairingAttemptsExhausted) and event.peer is not None:
            self._exhausted.add(event.peer)

    # Calls.

    async def call(
        self, name: str, activity: Activity, work: Callable[[], Awaitable[Any]], produce: str | int | None = None
    ) -> dict[str, Any]:
        """Carry out a call of the platform: its value, or the refusal in the platform's words."""
        began = self.site.clock.now()
        wish = produce if produce is not None else self.outcome
        try:
            if wish is not None:
                refusal, words = produced(self.app.platform, wish, activity)
            else:
                return done(await work())
        except RefusedError as problem:
            refusal = problem.refusal
            words = words_for(self.app.platform, refusal)
        self.emit(
            PlatformRefused(
                platform=self.app.profile,
                call=name,
                rule=refusal.rule,
                expected=refusal.expected,
                came=refusal.came,
                domain=words.domain,
                case=words.case,
                code=words.code,
            ),
            "",
        )
        return refused(refusal, words, (self.site.clock.now() - began) // MILLISECOND)

    # Sessions.

    def open_sheet(self, subscribe_id: int, peer: str) -> None:
        """Say who we are while a pairing over that subscription goes on; nested for several at once."""
        if not self._sheets[subscribe_id]:
            does_forgive = peer in self._exhausted
            self._exhausted.discard(peer)
            self.do(lambda device, now: device.open_pairing(now, subscribe_id, does_forgive=does_forgive))
        self._sheets[subscribe_id] += 1

    def close_sheet(self, subscribe_id: int) -> None:
        """The pairing is over, however it ended."""
        self._sheets[subscribe_id] -= 1
        if not self._sheets[subscribe_id] and self.is_on and self.session(subscribe_id) is not None:
            self.do(lambda device, now: device.close_pairing(now, subscribe_id))

    def free_instance_id(self) -> int:
        """An instance ID that no session has. Raises RefusedError when there is none."""
        sessions = self.device.sessions
        for instance_id in range(FIRST_INSTANCE_ID, LAST_INSTANCE_ID + 1):
            if instance_id not in sessions:
                return instance_id
        raise RefusedError(
            Refusal(
                rule="sessions",
                expected=f"{LAST_INSTANCE_ID} sessions at the most",
                came="one more",
                activity=Activity.PUBLISH,
                situation=Situation.NO_RESOURCES,
            )
        )

    def subscribe_session(self, service: str, **changes: Any) -> Subscribe:
        """A subscribe as this phone makes it."""
        made = Subscribe(
            name=service,
            instance_id=self.free_instance_id(),
            element_container=RADIO_ELEMENTS,
            device_capability_extension=PAIRABLE,
            methods=bootstrapping_rules(self.app.platform).as_subscriber,
            setup_info=self.app.setup_info,
            query_period=QUERY_PERIOD,
        )
        return replace(made, **changes)

    def publish_session(self, service: str, **changes: Any) -> Publish:
        """A publish as this phone makes it."""
        instance_id = self.free_instance_id()
        made = Publish(
            name=service,
            instance_id=instance_id,
            element_container=RADIO_ELEMENTS,
            device_capability_extension=PAIRABLE,
            methods=bootstrapping_rules(self.app.platform).as_publisher,
            setup_info=self.app.setup_info,
            cipher_suites=CipherSuiteInfo.of(instance_id, *SUITES),
        )
        return replace(made, **changes)

    def session(self, instance_id: int) -> Session | None:
        """A session that runs."""
        return self.device.sessions.get(instance_id)

    def finder(self, service: str) -> int:
        """The instance ID of the phone's own subscription to a service, begun when first asked for."""
        if service not in self._finders:
            session = self.subscribe_session(service)
            self.do(lambda device, now: device.subscribe(session, now, is_pairing_open=False))
            self._finders[service] = session.instance_id
        return self._finders[service]

    # Who is there.

    def seen(self) -> list[Seen]:
        """The publishers of the services that the phone looks for by itself."""
        finders = set(self._finders.values())
        return [each for each in seen_devices(self.site, self.radio, self.ring) if each.found.subscribe_id in finders]

    async def find(
        self,
        services: Sequence[str],
        wanted: Wanted,
        within_us: Micros,
        fits: Callable[[Seen], bool] = lambda seen: True,
    ) -> Seen | None:
        """The first device that is meant and fits; waits for it that long."""
        for service in services:
            self.finder(service)
        found: Seen | None = await self.until(lambda: self._first(services, wanted, fits), within_us)
        return found

    def _first(self, services: Sequence[str], wanted: Wanted, fits: Callable[[Seen], bool]) -> Seen | None:
        for seen in self.seen():
            if seen.found.name in services and wanted.fits(seen) and fits(seen):
                return seen
        return None

    async def until(self, look: Callable[[], Any], within_us: Micros) -> Any:
        """What `look` gives as soon as that is something, or None when the time is over; it looks at each event."""
        news = asyncio.Event()
        self._news.append(news)
        end = self.site.clock.now() + within_us
        alarm = self.site.clock.call_at(end, news.set)
        try:
            while True:
                news.clear()
                found = look()
                if found is not None or self.site.clock.now() >= end:
                    return found
                await news.wait()
        finally:
            alarm.cancel()
            self._news.remove(news)

    # What the app may do.

    def require_service(self, service: str, side: str) -> None:
        """Whether the app may publish or subscribe to a service. Raises RefusedError."""
        activity = Activity.PUBLISH if side == "publish" else Activity.SUBSCRIBE
        verdict = judge_service_name(self.app.platform, service)
        if not verdict.is_accepted:
            throws = "IllegalArgumentException" if self.app.platform.family is Family.ANDROID else ""
            raise RefusedError(Refusal.of_rule(verdict, activity, Situation.NOT_DECLARED, exception=throws))
        if self.app.platform.family is not Family.IOS:
            return
        if side not in self.app.entitlements:
            expected = f"the entitlement com.apple.developer.wifi-aware with {side.capitalize()}"
            came = ", ".join(each.capitalize() for each in self.app.entitlements) or "no entitlement"
            raise RefusedError(
                Refusal.of_activity("entitlement", expected, came, activity, Situation.ENTITLEMENT_MISSING)
            )
        if self.app.services is not None and side not in self.app.services.get(service, ()):
            expected = f"{service} under WiFiAwareServices in Info.plist, {_PLIST_KEYS[side]}"
            came = ", ".join(self.app.services) or "no service"
            raise RefusedError(
                Refusal.of_activity("declared-service", expected, came, activity, Situation.NOT_DECLARED)
            )

    # Paired devices.

    def alias(self, peer: bytes, name: str) -> None:
        """What a device will be called once it is paired."""
        self._aliases[address_text(peer)] = name

    def device_id(self, text: str) -> int:
        """A paired device by id, name, or the accessory that it is. Raises ActionRefusedError."""
        found = self.ring.find(text)
        if found is None and self.is_on:
            seen = (each.device_id for each in self.seen() if each.actor_id == text)
            found = next((each for each in seen if each is not None), None)
        if found is None:
            known = [self.ring.name(each.peer_id) or str(each.peer_id) for each in self.ring.paired]
            hint = closest(text, known) or f"; {self.app.app} has no paired devices"
            raise ActionRefusedError(f"{self.app.phone_id}: no paired device {text!r}{hint}")
        return found

    def remove(self, device_id: int) -> None:
        """Forget a paired device, as its user does in the settings. Its keys go with it."""
        if self._radio is not None:
            self.do(lambda device, now: device.remove_peer(device_id, now))
        else:
            self.ring.take(tuple(each for each in self.ring.paired if each.peer_id != device_id))
            self.emit(PeerRemoved(peer_id=device_id, reason="removed"), "")

    def rename(self, device_id: int, name: str) -> None:
        """Call a paired device otherwise."""
        self.ring.note(device_id, name=name)
        self.emit(PairedDeviceRenamed(peer_id=device_id, name=name), "")
