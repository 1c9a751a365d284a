"""The callbacks of Android's Wi-Fi Aware: what the engine reports, by the names and with the handles that an app knows.

One record a call, numbered, in order; an app's test reads on from the last number it has seen.
Source: AOSP Wifi: DiscoverySessionCallback, WifiAwareNetworkInfo, ConnectivityManager.NetworkCallback (March 2024).
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from devices.controllers.wifi_aware import WifiAware
from devices.event_log import plain
from pairing.engine import Event, Micros, PeerDiscovered, PeerLost
from pairing.nan.events import (
    BootstrappingCompleted,
    BootstrappingFailed,
    FollowUpReceived,
    PeerUpdated,
    PublishStarted,
    SessionTerminated,
    SubscribeStarted,
)
from pairing.nan.pairing_events import (
    PairingCompleted,
    PairingFailed,
    PairingRequested,
    PairingVerified,
    PeerRecognised,
)
from pairing.nan.sessions import DiscoveredService

PEER_NOT_VISIBLE = 1
"""The reason of onServiceLost."""
KEPT = 10_000

Partner = tuple[int, bytes, int]
"""Our instance ID, the peer's NMI and its instance ID: what a peer handle stands for."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One call of the app by the platform."""

    number: int
    at_us: Micros
    name: str
    session: int | None
    arguments: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "number": self.number,
            "at_us": self.at_us,
            "callback": self.name,
            "session": self.session,
            "arguments": plain(self.arguments),
        }


class Callbacks:
    """Records the callbacks of one app's sessions; `sessions` are the instance IDs that the app began."""

    def __init__(self, aware: WifiAware) -> None:
        self.sessions: set[int] = set()
        self.requests: dict[int, Partner] = {}
        """Open pairing requests of peers, by request id."""
        self._aware = aware
        self._records: deque[Callback] = deque(maxlen=KEPT)
        self._last = self._last_handle = self._last_request = 0
        self._handles: dict[int, Partner] = {}
        self._news: list[asyncio.Event] = []
        aware.listeners.append(self._on_event)

    # Reading.

    async def after(self, number: int, within_us: Micros, name: str | None = None) -> list[dict[str, Any]]:
        """The records after a number, of one name or all; waits that long for the first."""
        clock, news = self._aware.site.clock, asyncio.Event()
        end = clock.now() + within_us
        alarm = clock.call_at(end, news.set)
        self._news.append(news)
        try:
            while True:
                news.clear()
                found = [each for each in self._records if each.number > number and name in (None, each.name)]
                if found or clock.now() >= end:
                    return [each.document() for each in found]
                await news.wait()
        finally:
            alarm.cancel()
            self._news.remove(news)

    def record(self, name: str, session: int | None, **arguments: Any) -> None:
        """The platform calls the app."""
        self._last += 1
        self._records.append(Callback(self._last, self._aware.site.clock.now(), name, session, arguments))
        for news in self._news:
            news.set()

    # Handles.

    def handle(self, partner: Partner) -> int:
        """The peer handle of a partner, a new one at first."""
        for handle, known in self._handles.items():
            if known == partner:
                return handle
        self._last_handle += 1
        self._handles[self._last_handle] = partner
        return self._last_handle

    def partner(self, handle: int) -> Partner | None:
        """What a peer handle stands for."""
        return self._handles.get(handle)

    def clear(self) -> None:
        """The app has detached."""
        self.sessions.clear()
        self.requests.clear()
        self._handles.clear()

    # Events.

    def _on_event(self, event: Event) -> None:
        match event:
            case PublishStarted(instance_id=session) if session in self.sessions:
                self.record("onPublishStarted", session)
            case SubscribeStarted(instance_id=session) if session in self.sessions:
                self.record("onSubscribeStarted", session)
            case SessionTerminated(instance_id=session) if session in self.sessions:
                self.sessions.discard(session)
                self.record("onSessionTerminated", session)
            case PeerDiscovered() | PeerUpdated() | PeerRecognised():
                self._discovered(event)
            case PeerLost():
                self._lost(event)
            case FollowUpReceived(instance_id=session) if session in self.sessions and event.service_info:
                handle = self.handle((session, _nmi(event), event.peer_instance_id))
                self.record("onMessageReceived", session, peer_handle=handle, message=event.service_info)
            case BootstrappingCompleted() | BootstrappingFailed() if event.instance_id in self.sessions:
                succeeded = isinstance(event, BootstrappingCompleted)
                self.record(
                    "onBootstrappingSucceeded" if succeeded else "onBootstrappingFailed",
                    event.instance_id,
                    peer_handle=self.handle((event.instance_id, _nmi(event), event.peer_instance_id)),
                    method=int(event.method),
                )
            case PairingRequested():
                self._requested(event)
            case PairingCompleted() | PairingVerified() | PairingFailed():
                self._paired(event)

    def _discovered(self, event: Event) -> None:
        """A publisher came into view, says something new, or is recognised as a paired one."""
        nmi = _nmi(event)
        for (session, peer, publish_id), found in list(self._aware.device.discovered.items()):
            if session not in self.sessions or peer != nmi:
                continue
            if isinstance(event, PeerDiscovered) and event.info.get("publish_id") != str(publish_id):
                continue
            if isinstance(event, PeerUpdated) and event.peer_instance_id != publish_id:
                continue
            self.record(
                "onServiceDiscovered",
                session,
                peer_handle=self.handle((session, peer, publish_id)),
                service_specific_info=found.service_info or b"",
                match_filter=found.matching_filter or b"",
                paired_alias=self._alias(peer),
                pairing_config=pairing_config(found),
            )

    def _lost(self, event: PeerLost) -> None:
        nmi, service = _nmi(event), event.service
        for handle, (session, peer, _) in list(self._handles.items()):
            known = self._aware.session(session)
            if session in self.sessions and peer == nmi and known is not None and known.name == service:
                self.record("onServiceLost", session, peer_handle=handle, reason=PEER_NOT_VISIBLE)

    def _requested(self, event: PairingRequested) -> None:
        partner = self._partner_of(event)
        if partner is None or event.is_initiator:
            return
        self._last_request += 1
        self.requests[self._last_request] = partner
        self.record(
            "onPairingSetupRequestReceived",
            partner[0],
            peer_handle=self.handle(partner),
            request_id=self._last_request,
        )

    def _paired(self, event: PairingCompleted | PairingVerified | PairingFailed) -> None:
        partner = self._partner_of(event)
        if partner is None:
            return
        about: dict[str, Any] = {"peer_handle": self.handle(partner)}
        is_setup = event.mode != "cached"
        if isinstance(event, PairingFailed):
            name = "onPairingSetupFailed" if is_setup else "onPairingVerificationFailed"
        else:
            name = "onPairingSetupSucceeded" if is_setup else "onPairingVerificationSucceed"
            about["alias"] = self._alias(partner[1], event.peer_id)
        self.requests = {number: each for number, each in self.requests.items() if each != partner}
        self.record(name, partner[0], **about)

    def _partner_of(self, event: Any) -> Partner | None:
        """Whom an attempt is with: the last handle of that peer, else by the service's session."""
        nmi = _nmi(event)
        known = [each for each in self._handles.values() if each[1] == nmi and each[0] in self.sessions]
        if known:
            return known[-1]
        for session in self.sessions:
            running = self._aware.session(session)
            if running is not None and running.name == event.service:
                return (session, nmi, 0)
        return None

    def _alias(self, nmi: bytes, peer_id: int | None = None) -> str | None:
        if peer_id is None:
            paired = self._aware.device.paired_peer(nmi)
            peer_id = None if paired is None else paired.peer_id
        return None if peer_id is None else self._aware.ring.name(peer_id)


def pairing_config(found: DiscoveredService) -> dict[str, Any] | None:
    """AwarePairingConfig as a publisher advertises it."""
    able = found.device_capability_extension
    if able is None:
        return None
    return {
        "pairing_setup_enabled": able.is_pairing_setup_enabled,
        "pairing_cache_enabled": able.is_caching_enabled,
        "pairing_verification_enabled": found.identity is not None,
        "bootstrapping_methods": int(found.methods),
    }


def _nmi(event: Event) -> bytes:
    return bytes.fromhex((event.peer or "").replace(":", ""))
