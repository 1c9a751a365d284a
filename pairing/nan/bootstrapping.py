"""Pairing bootstrapping of a device: every exchange with every peer, as initiator or responder.

Reads who we are and which sessions run from the discovery engine; the exchanges themselves are in
`bootstrapping_initiator` and `bootstrapping_responder`. With one peer there is one exchange a direction at a time.
Source: Wi-Fi Aware specification 4.0, section 7.6.2.
"""

from pairing.engine import Address, Entropy, FrameIgnored, Micros, Output, Outputs, Transmit
from pairing.errors import DecodeError, LocalProtocolError
from pairing.nan.attributes import (
    BootstrappingMethods,
    NpbaStatus,
    NpbaType,
    PairingBootstrapping,
    ReasonCode,
    ServiceControlType,
    ServiceDescriptor,
)
from pairing.nan.bootstrapping_exchange import PROTOCOL, Agreement, Partner
from pairing.nan.bootstrapping_initiator import BootstrappingInitiator
from pairing.nan.bootstrapping_responder import BootstrappingResponder
from pairing.nan.bootstrapping_rules import BootstrappingProfile
from pairing.nan.bootstrapping_states import ResponderState
from pairing.nan.discovery import UNPROTECTED, Discovery
from pairing.nan.frames import NanActionFrame, ServiceDiscoveryFrame, decode_nan_frame
from pairing.nan.identifiers import address_text
from pairing.nan.sessions import Session
from pairing.nan.timing import DiscoveryWindows, Tsf
from pairing.nan.windows import WindowGate

MAX_RESPONDERS = 64
"""Exchanges that peers may have begun; further ones are rejected for want of resources."""
LAST_TOKEN = 0xFF


class Bootstrapping:
    """The bootstrapping engine. Intents: `request`, `cancel`, `accept`, `reject`, `forget`; peers are NMIs."""

    def __init__(
        self,
        discovery: Discovery,
        entropy: Entropy,
        profile: BootstrappingProfile | None = None,
        *,
        windows: DiscoveryWindows | None = None,
        tsf: Tsf | None = None,
    ) -> None:
        self._discovery = discovery
        self._entropy = entropy
        self._profile = profile or BootstrappingProfile()
        self._gate = WindowGate(windows, tsf)
        self._initiators: dict[bytes, BootstrappingInitiator] = {}
        self._responders: dict[bytes, BootstrappingResponder] = {}
        self._agreements: dict[bytes, Agreement] = {}
        self._last_token = 0

    # What the owner asks for.

    def request(
        self,
        instance_id: int,
        peer: bytes,
        peer_instance_id: int,
        method: BootstrappingMethods,
        now: Micros,
        *,
        offered: BootstrappingMethods = BootstrappingMethods.NONE,
        dialog_token: int | None = None,
    ) -> Outputs:
        """Ask a peer for a method, given from our point of view; `offered` is what it advertised."""
        running = self._initiators.get(peer)
        if running is not None and not running.is_over:
            raise LocalProtocolError(f"bootstrapping with {address_text(peer)} is in progress")
        session = self._discovery.sessions.get(instance_id)
        if session is None:
            raise LocalProtocolError(f"no session has instance ID {instance_id}")
        partner = self._partner(session, peer, peer_instance_id)
        token = self._last_token % LAST_TOKEN + 1 if dialog_token is None else dialog_token
        initiator = BootstrappingInitiator(partner, self._profile, method, token, offered)
        self._last_token = token
        self._initiators[peer] = initiator
        self._agreements.pop(peer, None)
        return self._out(initiator.start(now), now)

    def cancel(self, peer: bytes, now: Micros) -> Outputs:
        """Give up what we began with a peer."""
        initiator = self._initiators.get(peer)
        if initiator is None:
            raise LocalProtocolError(f"there is no bootstrapping of ours with {address_text(peer)}")
        return initiator.cancel(now)

    def accept(self, peer: bytes, now: Micros) -> Outputs:
        """Allow the method that a peer has asked for."""
        return self._asked_by(peer).accept(now)

    def reject(self, peer: bytes, now: Micros, reason: int | None = None) -> Outputs:
        """Refuse the method that a peer has asked for; the reason is the profile's unless given."""
        return self._asked_by(peer).reject(now, reason)

    def forget(self, peer: bytes) -> None:
        """Drop everything about a peer: pairing has made use of it, or the peer is gone."""
        for known in (self._initiators, self._responders, self._agreements):
            known.pop(peer, None)

    def synchronise(self, tsf: Tsf, now: Micros) -> None:
        """Follow another clock of the cluster."""
        self._gate.synchronise(tsf, now)

    # What others may ask.

    def agreement(self, peer: bytes) -> Agreement | None:
        """What the last completed exchange with a peer agreed on, until it is forgotten."""
        return self._agreements.get(peer)

    def is_in_progress(self, peer: bytes) -> bool:
        """Whether an exchange runs with that peer; pairing cannot begin until it ends."""
        initiator, responder = self._initiators.get(peer), self._responders.get(peer)
        return (initiator is not None and not initiator.is_over) or (
            responder is not None and responder.is_waiting_for_user
        )

    @property
    def waiting_for_user(self) -> tuple[bytes, ...]:
        """The peers whose request our user has not answered, or whose answer they have not fetched."""
        return tuple(peer for peer, responder in self._responders.items() if responder.is_waiting_for_user)

    # What time and the air bring.

    @property
    def deadline(self) -> Micros | None:
        """The earliest of all exchanges, or the window that frames wait for."""
        times = [self._gate.deadline]
        times += [initiator.deadline for initiator in self._initiators.values()]
        times += [responder.deadline for responder in self._responders.values()]
        return min((time for time in times if time is not None), default=None)

    def handle_timeout(self, now: Micros) -> Outputs:
        """Repeat, come back, give up, forget."""
        outputs: list[Output] = [*self._gate.flush(now)]
        for initiator in self._initiators.values():
            outputs += self._out(initiator.handle_timeout(now), now)
        for peer, responder in list(self._responders.items()):
            if responder.deadline is not None and responder.deadline <= now:
                outputs += responder.handle_timeout(now)
                del self._responders[peer]
        return outputs

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A frame from the air; only follow-ups with a bootstrapping attribute are for this engine."""
        peer = address_text(sender) if isinstance(sender, bytes) else None
        try:
            frame = decode_nan_frame(payload)
        except DecodeError as error:
            return [FrameIgnored(peer=peer, reason=str(error), protocol=PROTOCOL)]
        return [] if isinstance(frame, NanActionFrame) else self.receive_frame(frame, now)

    def receive_frame(self, frame: ServiceDiscoveryFrame, now: Micros) -> Outputs:
        """A decoded SDF."""
        message, descriptor = frame.find(PairingBootstrapping), frame.find(ServiceDescriptor)
        if message is None or descriptor is None or message.type == NpbaType.ADVERTISE:
            return []
        if descriptor.type is not ServiceControlType.FOLLOW_UP or frame.destination != self._discovery.device.nmi:
            return []
        if self._discovery.is_protected(frame.source) and not frame.is_protected_dual:
            return [_ignored(frame, UNPROTECTED)]
        session = self._discovery.sessions.get(descriptor.requestor_instance_id)
        if session is None or session.service_id != descriptor.service_id:
            return [
                _ignored(frame, f"no session of ours is instance {descriptor.requestor_instance_id} of that service")
            ]
        partner = self._partner(session, frame.source, descriptor.instance_id)
        if message.type == NpbaType.RESPONSE:
            return self._on_response(frame, partner, message, now)
        if message.type == NpbaType.REQUEST:
            return self._out(self._on_request(frame, partner, message, now), now)
        return [_ignored(frame, f"NPBA type {message.type}, expected 0, 1 or 2")]

    def _on_response(
        self, frame: ServiceDiscoveryFrame, partner: Partner, message: PairingBootstrapping, now: Micros
    ) -> Outputs:
        initiator = self._initiators.get(partner.nmi)
        if initiator is None:
            return [_ignored(frame, "a bootstrapping response that nothing asked for")]
        if not initiator.is_with(partner):
            return [_ignored(frame, f"response from instance {partner.instance_id}, which was not asked")]
        outputs = initiator.on_response(message, now)
        self._note(partner.nmi, initiator.agreement)
        return outputs

    def _on_request(
        self, frame: ServiceDiscoveryFrame, partner: Partner, message: PairingBootstrapping, now: Micros
    ) -> list[Output]:
        known = self._responders.get(partner.nmi)
        if message.status == NpbaStatus.COMEBACK:
            if known is None:
                return [_ignored(frame, "comeback, nobody was asked to")]
            outputs = known.on_return(message, partner.instance_id, now)
            self._note(partner.nmi, known.agreement)
            return outputs
        if known is not None and known.is_repeated_by(message, partner.instance_id):
            return known.on_repetition(now)
        if known is not None and known.is_waiting_for_user and self._profile.does_ignore_request_without_cookie:
            return known.on_repetition(now)
        if known is None and len(self._responders) >= MAX_RESPONDERS:
            return self._turn_away(frame, partner, message)
        responder = BootstrappingResponder(partner, self._profile, self._entropy, message)
        self._responders[partner.nmi] = responder
        self._agreements.pop(partner.nmi, None)
        outputs = responder.start(now)
        self._note(partner.nmi, responder.agreement)
        return outputs

    def _turn_away(self, frame: ServiceDiscoveryFrame, partner: Partner, message: PairingBootstrapping) -> list[Output]:
        reason = ReasonCode.RESOURCE_LIMITATION
        answer = PairingBootstrapping(
            message.dialog_token, NpbaType.RESPONSE, NpbaStatus.REJECTED, BootstrappingMethods.NONE, reason
        )
        return [partner.wrap(answer), _ignored(frame, f"{MAX_RESPONDERS} peers are being bootstrapped already")]

    def _partner(self, session: Session, peer: bytes, peer_instance_id: int) -> Partner:
        is_protected = self._discovery.is_protected(peer)
        return Partner(self._discovery.device, session, peer, peer_instance_id, is_protected)

    def _asked_by(self, peer: bytes) -> BootstrappingResponder:
        responder = self._responders.get(peer)
        if responder is None or responder.state is ResponderState.IDLE:
            raise LocalProtocolError(f"{address_text(peer)} has asked for nothing")
        return responder

    def _note(self, peer: bytes, agreement: Agreement | None) -> None:
        if agreement is not None:
            self._agreements[peer] = agreement

    def _out(self, outputs: list[Output], now: Micros) -> list[Output]:
        """The outputs, frames held back for a window where windows are on."""
        passed: list[Output] = []
        for output in outputs:
            passed += self._gate.send(output, now) if isinstance(output, Transmit) else [output]
        return passed


def _ignored(frame: ServiceDiscoveryFrame, reason: str) -> FrameIgnored:
    return FrameIgnored(peer=address_text(frame.source), reason=reason, protocol=PROTOCOL)
