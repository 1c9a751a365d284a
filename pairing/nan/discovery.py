"""The discovery engine: publishes and subscribes, answers, announces, asks, and knows which publishers are in view.

One engine for all sessions of a device. It makes no attribute of its own: what a frame carries is the configuration in
`sessions`. Follow-ups with a payload for pairing pass through here only as frames; whoever drives this engine hands
them to the engine that they are for. With windows, SDFs leave inside discovery windows, and group addressed ones are
heard only there; unicast ones are heard at any time, since peers know each other's further availability.
Source: Wi-Fi Aware specification 4.0, section 4.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

from pairing.engine import Address, FrameIgnored, Micros, Output, Outputs, PeerDiscovered, PeerLost, Transmit
from pairing.errors import DecodeError, LocalProtocolError
from pairing.ieee80211.frames import Category
from pairing.nan.attributes import (
    PairingBootstrapping,
    ServiceControlType,
    ServiceDescriptor,
    SharedKeyDescriptor,
)
from pairing.nan.discovery_states import SESSION_TRANSITIONS, SessionInput, SessionState
from pairing.nan.events import (
    FollowUpReceived,
    PeerUpdated,
    PublishStarted,
    SessionTerminated,
    SessionUpdated,
    SubscriberAnswered,
    SubscribeStarted,
)
from pairing.nan.frames import NanActionFrame, ServiceDiscoveryFrame, decode_nan_frame
from pairing.nan.heard import HeardDevices, discovered_service, info_text, service_info_of
from pairing.nan.identifiers import NAN_NETWORK_ID, address_text, is_group_address
from pairing.nan.matching_filter import mismatch
from pairing.nan.mistakes import known_service_id_mistake
from pairing.nan.service_frames import follow_up_frame, publish_frame, subscribe_frame
from pairing.nan.service_response_filter import ServiceResponseFilter
from pairing.nan.sessions import (
    FIRST_INSTANCE_ID,
    LAST_INSTANCE_ID,
    DiscoveredService,
    LocalDevice,
    PeerDevice,
    Publish,
    Session,
    Subscribe,
    with_next_update,
)
from pairing.nan.timing import DiscoveryWindows, Tsf
from pairing.nan.windows import WindowGate

PROTOCOL = "nan"
UNPROTECTED = "an unprotected frame from a peer that we share keys with"
MAX_DISCOVERED = 1024
"""Publishers kept in view; beyond that the one longest silent counts as lost."""
MAX_STRANGERS = 256
"""Foreign services reported once each."""


@dataclass(slots=True)
class _Running:
    """One session at work."""

    session: Session
    state: SessionState = SessionState.RUNNING
    expires_at: Micros | None = None
    next_multicast: Micros | None = None


@dataclass(slots=True)
class _InView:
    """One publisher in view of one subscribe session."""

    service: DiscoveredService
    heard_at: Micros
    timeout: Micros | None

    @property
    def lost_at(self) -> Micros | None:
        return None if self.timeout is None else self.heard_at + self.timeout


PeerKey = tuple[int, bytes, int]
"""Our subscribe ID, the publisher's NMI, its publish ID."""


class Discovery:
    """The discovery engine. Intents: `publish`, `subscribe`, `update`, `terminate`, `follow_up`."""

    def __init__(self, device: LocalDevice, *, windows: DiscoveryWindows | None = None, tsf: Tsf | None = None) -> None:
        self._device = device
        self._gate = WindowGate(windows, tsf)
        self._running: dict[int, _Running] = {}
        self._in_view: dict[PeerKey, _InView] = {}
        self._devices = HeardDevices()
        self._protected: set[bytes] = set()
        self._strangers: set[tuple[bytes, bytes]] = set()

    # What the owner asks for.

    def publish(self, publish: Publish, now: Micros) -> Outputs:
        """Begin to publish; an unsolicited one is announced at once, or in the next window."""
        event = PublishStarted(
            service=publish.name, instance_id=publish.instance_id, service_id=publish.service_id.hex()
        )
        return [event, *self._start(publish, now)]

    def subscribe(self, subscribe: Subscribe, now: Micros) -> Outputs:
        """Begin to subscribe; an active one asks at once, or in the next window."""
        event = SubscribeStarted(
            service=subscribe.name, instance_id=subscribe.instance_id, service_id=subscribe.service_id.hex()
        )
        return [event, *self._start(subscribe, now)]

    def update(self, session: Session, now: Micros) -> Outputs:
        """Go on with another configuration under the same instance ID; name and kind stay."""
        running = self._session(session.instance_id, SessionInput.UPDATE)
        old = running.session
        if type(session) is not type(old) or session.name != old.name:
            raise LocalProtocolError(f"instance {session.instance_id} stays a {type(old).__name__} of {old.name!r}")
        if isinstance(old, Publish) and isinstance(session, Publish):
            session = with_next_update(old, session)
        running.session = session
        running.expires_at = None if session.ttl is None else now + session.ttl
        running.next_multicast = now if _speaks_first(session) else None
        event = SessionUpdated(service=session.name, instance_id=session.instance_id)
        return [event, *self._multicast(running, now)]

    def terminate(self, instance_id: int, now: Micros, reason: str = "terminated") -> Outputs:
        """End a session. Peers notice by its silence."""
        self._session(instance_id, SessionInput.TERMINATE)
        return self._end(instance_id, reason)

    def follow_up(
        self, instance_id: int, peer: bytes, peer_instance_id: int, service_info: bytes, now: Micros
    ) -> Outputs:
        """Send the application's octets to one instance of a peer."""
        running = self._session(instance_id, SessionInput.FOLLOW_UP)
        frame = follow_up_frame(self._device, running.session, peer, peer_instance_id, service_info)
        return self._send(frame, now)

    def set_device(self, device: LocalDevice) -> None:
        """Speak as another device from now on: a new NMI, cluster or availability."""
        self._device = device

    def protect(self, peer: bytes, *, is_protected: bool = True) -> None:
        """Share keys with a peer, or no longer: unicast SDFs to it get the protected category, those from it need it.

        Encrypting and decrypting is the caller's, between this engine and the air.
        """
        (self._protected.add if is_protected else self._protected.discard)(peer)

    def synchronise(self, tsf: Tsf, now: Micros) -> None:
        """Follow another clock of the cluster."""
        self._gate.synchronise(tsf, now)

    # What others may ask.

    @property
    def device(self) -> LocalDevice:
        """What the frames of this device carry."""
        return self._device

    @property
    def sessions(self) -> Mapping[int, Session]:
        """The sessions that run, by instance ID."""
        return MappingProxyType({instance_id: running.session for instance_id, running in self._running.items()})

    @property
    def discovered(self) -> Mapping[PeerKey, DiscoveredService]:
        """The publishers in view, by subscribe ID, NMI and publish ID."""
        return MappingProxyType({key: in_view.service for key, in_view in self._in_view.items()})

    def peer_device(self, nmi: bytes) -> PeerDevice | None:
        """What the last frames of a peer said of it, whatever they were about."""
        return self._devices.get(nmi)

    def is_protected(self, peer: bytes) -> bool:
        """Whether keys are shared with a peer."""
        return peer in self._protected

    @property
    def free_instance_id(self) -> int:
        """The lowest instance ID that no session has."""
        for instance_id in range(FIRST_INSTANCE_ID, LAST_INSTANCE_ID + 1):
            if instance_id not in self._running:
                return instance_id
        raise LocalProtocolError(f"all {LAST_INSTANCE_ID} instance IDs are in use")

    # What time and the air bring.

    @property
    def deadline(self) -> Micros | None:
        """The next announcement, question, expiry or lost peer, or the window that frames wait for."""
        times = [self._gate.deadline]
        for running in self._running.values():
            times += (running.expires_at, running.next_multicast)
        times += (in_view.lost_at for in_view in self._in_view.values())
        return min((time for time in times if time is not None), default=None)

    def handle_timeout(self, now: Micros) -> Outputs:
        """Send what is due, end what has expired."""
        outputs: list[Output] = [*self._gate.flush(now)]
        for instance_id, running in list(self._running.items()):
            if running.expires_at is not None and running.expires_at <= now:
                running.state = SESSION_TRANSITIONS[running.state, SessionInput.TTL_OVER]
                outputs += self._end(instance_id, "time to live is over")
            else:
                outputs += self._multicast(running, now)
        for key, in_view in list(self._in_view.items()):
            if in_view.lost_at is not None and in_view.lost_at <= now:
                outputs.append(self._lose(key, f"not heard for {now - in_view.heard_at} µs"))
        return outputs

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A frame from the air; only SDFs are for this engine."""
        peer = address_text(sender) if isinstance(sender, bytes) else None
        try:
            frame = decode_nan_frame(payload)
        except DecodeError as error:
            return [FrameIgnored(peer=peer, reason=str(error), protocol=PROTOCOL)]
        if isinstance(frame, NanActionFrame):
            return []
        return self.receive_frame(frame, now)

    def receive_frame(self, frame: ServiceDiscoveryFrame, now: Micros) -> Outputs:
        """A decoded SDF."""
        if frame.source == self._device.nmi:
            return []
        reason = self._not_for_us(frame, now)
        if reason is not None:
            return [_ignored(frame, reason)]
        self._devices.hear(frame)
        outputs: list[Output] = []
        for descriptor in frame.find_all(ServiceDescriptor):
            try:
                outputs += self._on_descriptor(frame, descriptor, now)
            except DecodeError as error:  # a matching filter or SRF that is cut
                outputs.append(_ignored(frame, str(error)))
        return outputs

    def _not_for_us(self, frame: ServiceDiscoveryFrame, now: Micros) -> str | None:
        if frame.bssid not in (self._device.cluster_id, NAN_NETWORK_ID):
            return f"cluster {address_text(frame.bssid)}, ours is {address_text(self._device.cluster_id)}"
        if not is_group_address(frame.destination):
            if frame.destination != self._device.nmi:
                return f"addressed to {address_text(frame.destination)}"
            return UNPROTECTED if self.is_protected(frame.source) and not frame.is_protected_dual else None
        if frame.destination != NAN_NETWORK_ID:
            return f"group {address_text(frame.destination)}, expected the NAN network ID"
        asleep_until = self._gate.asleep_until(now)
        return None if asleep_until is None else f"outside discovery windows, asleep until TSF {asleep_until}"

    def _on_descriptor(self, frame: ServiceDiscoveryFrame, descriptor: ServiceDescriptor, now: Micros) -> list[Output]:
        ours = [each.session for each in self._running.values() if each.session.service_id == descriptor.service_id]
        if not ours:
            return self._on_stranger(frame, descriptor.service_id)
        match descriptor.type:
            case ServiceControlType.PUBLISH:
                handled = [
                    self._on_publish(frame, descriptor, each, now) for each in ours if isinstance(each, Subscribe)
                ]
            case ServiceControlType.SUBSCRIBE:
                handled = [
                    self._on_subscribe(frame, descriptor, each, now) for each in ours if isinstance(each, Publish)
                ]
            case ServiceControlType.FOLLOW_UP:
                return self._on_follow_up(frame, descriptor, ours, now)
            case _:
                return [_ignored(frame, "service control type 3 is reserved")]
        return [output for outputs in handled for output in outputs]

    def _on_stranger(self, frame: ServiceDiscoveryFrame, service_id: bytes) -> list[Output]:
        """Nobody here has that service; said once for each peer and service, with the mistake that explains it."""
        stranger = (frame.source, service_id)
        if stranger in self._strangers or len(self._strangers) >= MAX_STRANGERS:
            return []
        self._strangers.add(stranger)
        names = [running.session.name for running in self._running.values()]
        mistakes = [(name, known_service_id_mistake(name, service_id)) for name in names]
        hint = next((f"; it comes from {name!r}: {mistake}" for name, mistake in mistakes if mistake), "")
        return [_ignored(frame, f"service ID {service_id.hex()} is none of ours{hint}")]

    # Publish.

    def _on_subscribe(
        self, frame: ServiceDiscoveryFrame, descriptor: ServiceDescriptor, publish: Publish, now: Micros
    ) -> list[Output]:
        if not publish.is_solicited:
            return [_ignored(frame, f"publish {publish.instance_id} is not solicited")]
        if descriptor.service_response_filter is not None:
            wanted = ServiceResponseFilter.decode(descriptor.service_response_filter)
            if not wanted.admits(self._device.nmi):
                return [_ignored(frame, "the service response filter does not admit us")]
        difference = mismatch(descriptor.matching_filter, publish.matching_filter)
        if difference is not None:
            return [_ignored(frame, difference)]
        answered = SubscriberAnswered(
            peer=address_text(frame.source),
            service=publish.name,
            instance_id=publish.instance_id,
            peer_instance_id=descriptor.instance_id,
            service_info=service_info_of(frame, descriptor)[1] or b"",
        )
        destination = NAN_NETWORK_ID if publish.is_answer_multicast else frame.source
        answer = publish_frame(self._device, publish, destination, descriptor.instance_id)
        return [answered, *self._send(answer, now)]

    # Subscribe.

    def _on_publish(
        self, frame: ServiceDiscoveryFrame, descriptor: ServiceDescriptor, subscribe: Subscribe, now: Micros
    ) -> list[Output]:
        if descriptor.requestor_instance_id not in (0, subscribe.instance_id):
            return []
        difference = mismatch(subscribe.matching_filter, descriptor.matching_filter)
        if difference is not None:
            return [_ignored(frame, difference)]
        found = discovered_service(frame, descriptor, subscribe)
        key = (subscribe.instance_id, frame.source, descriptor.instance_id)
        known = self._in_view.pop(key, None)
        self._in_view[key] = _InView(found, now, subscribe.peer_timeout)  # the end of the dict: heard last
        peer = address_text(frame.source)
        if known is None:
            outputs: list[Output] = [PeerDiscovered(peer=peer, service=subscribe.name, info=info_text(found))]
            if len(self._in_view) > MAX_DISCOVERED:
                outputs.append(self._lose(next(iter(self._in_view)), "too many publishers in view"))
            return outputs
        changed = tuple(
            each.name for each in fields(found) if getattr(found, each.name) != getattr(known.service, each.name)
        )
        if not changed:
            return []
        return [
            PeerUpdated(
                peer=peer,
                service=subscribe.name,
                instance_id=subscribe.instance_id,
                peer_instance_id=descriptor.instance_id,
                changed=changed,
            )
        ]

    def _lose(self, key: PeerKey, reason: str) -> PeerLost:
        service = self._in_view.pop(key).service
        return PeerLost(peer=address_text(service.nmi), service=service.name, reason=reason)

    # Follow-up.

    def _on_follow_up(
        self, frame: ServiceDiscoveryFrame, descriptor: ServiceDescriptor, ours: list[Session], now: Micros
    ) -> list[Output]:
        wanted = descriptor.requestor_instance_id
        session = next((each for each in ours if each.instance_id == wanted), None)
        if session is None:
            have = ", ".join(str(each.instance_id) for each in ours)
            return [_ignored(frame, f"follow-up for instance {wanted}, that service has {have}")]
        in_view = self._in_view.get((session.instance_id, frame.source, descriptor.instance_id))
        if in_view is not None:
            in_view.heard_at = now
        service_info = service_info_of(frame, descriptor)[1] or b""
        if not service_info and (frame.find(PairingBootstrapping) or frame.find(SharedKeyDescriptor)):
            return []  # for bootstrapping or for the NIK exchange, not for the application
        return [
            FollowUpReceived(
                peer=address_text(frame.source),
                service=session.name,
                instance_id=session.instance_id,
                peer_instance_id=descriptor.instance_id,
                service_info=service_info,
                is_protected=frame.is_protected_dual,
            )
        ]

    # Sessions.

    def _session(self, instance_id: int, wish: SessionInput) -> _Running:
        running = self._running.get(instance_id)
        if running is None:
            raise LocalProtocolError(f"cannot {wish.value} instance {instance_id}: no such session runs")
        running.state = SESSION_TRANSITIONS[running.state, wish]
        return running

    def _start(self, session: Session, now: Micros) -> list[Output]:
        if session.instance_id in self._running:
            raise LocalProtocolError(f"instance ID {session.instance_id} is in use")
        running = _Running(session, expires_at=None if session.ttl is None else now + session.ttl)
        running.next_multicast = now if _speaks_first(session) else None
        self._running[session.instance_id] = running
        return self._multicast(running, now)

    def _end(self, instance_id: int, reason: str) -> list[Output]:
        session = self._running.pop(instance_id).session
        for key in [key for key in self._in_view if key[0] == instance_id]:
            del self._in_view[key]
        return [SessionTerminated(service=session.name, instance_id=instance_id, reason=reason)]

    def _multicast(self, running: _Running, now: Micros) -> list[Output]:
        """Announce or ask, if it is time to."""
        if running.next_multicast is None or running.next_multicast > now:
            return []
        session = running.session
        if isinstance(session, Publish):
            frame, period = publish_frame(self._device, session), session.announcement_period
        else:
            frame, period = subscribe_frame(self._device, session), session.query_period
        running.next_multicast = None if period is None else now + period
        return self._send(frame, now)

    def _send(self, frame: ServiceDiscoveryFrame, now: Micros) -> list[Output]:
        if self.is_protected(frame.destination):
            frame = replace(frame, category=Category.PROTECTED_DUAL_OF_PUBLIC)
        return [*self._gate.send(Transmit(frame.encode(), frame.destination), now)]


def _speaks_first(session: Session) -> bool:
    return session.is_unsolicited if isinstance(session, Publish) else session.is_active


def _ignored(frame: ServiceDiscoveryFrame, reason: str) -> FrameIgnored:
    return FrameIgnored(peer=address_text(frame.source), reason=reason, protocol=PROTOCOL)
