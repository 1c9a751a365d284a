"""The pairing engine of a device: pairing setup and verification with any number of peers, one attempt with each.

Composes bootstrapping's agreements, PASN and the NIK exchange. Keys go to the frame protection, pairings to remember to
the paired peers. Who may pair is judged in `pairing_requests`, whom an attempt is between in `pairing_partners`.
Source: Wi-Fi Aware specification 4.0, section 7.6.
"""

from typing import TypeAlias

from pairing.engine import Address, Entropy, FrameIgnored, Micros, Output, Outputs, Transmit
from pairing.errors import DecodeError, KeyStoreError, LocalProtocolError
from pairing.ieee80211.frames import (
    HEADER_LENGTH,
    AuthenticationAlgorithm,
    AuthenticationBody,
    ManagementFrame,
    StatusCode,
    Subtype,
)
from pairing.keys import PairedPeer
from pairing.nan.attributes import (
    ServiceControlType,
    ServiceDescriptor,
    SharedKeyDescriptor,
)
from pairing.nan.bootstrapping import Bootstrapping
from pairing.nan.bootstrapping_exchange import Partner
from pairing.nan.discovery import Discovery
from pairing.nan.frames import ServiceDiscoveryFrame
from pairing.nan.identifiers import address_text
from pairing.nan.identity import PairedPeers
from pairing.nan.pairing_attempt import PROTOCOL, read_attributes
from pairing.nan.pairing_events import (
    PairingCause,
    PairingCompleted,
    PairingRequested,
    PairingVerified,
)
from pairing.nan.pairing_failures import Failure
from pairing.nan.pairing_initiator import PairingInitiator
from pairing.nan.pairing_maker import AttemptMaker
from pairing.nan.pairing_partners import heard_identity
from pairing.nan.pairing_requests import Refusal, find_remembered, judge_setup
from pairing.nan.pairing_responder import PairingResponder
from pairing.nan.pairing_rules import PairingLies, PairingProfile
from pairing.nan.pairing_states import InitiatorState, ResponderState
from pairing.nan.protection import FrameProtection
from pairing.pasn.events import PasnMode, PasnRequested
from pairing.pasn.messages import PasnFrame

Side: TypeAlias = PairingInitiator | PairingResponder
MAX_ATTEMPTS = 64
"""Attempts at a time; what peers begin beyond that is ignored."""
MAX_KEPT = 1024


class Pairing:
    """Intents: `pair`, `verify`, `accept`, `reject`, `cancel`, `allow_again`, `forget`; peers are NMIs."""

    def __init__(
        self,
        discovery: Discovery,
        bootstrapping: Bootstrapping,
        protection: FrameProtection,
        peers: PairedPeers,
        own_nik: bytes,
        entropy: Entropy,
        profile: PairingProfile | None = None,
    ) -> None:
        self._discovery = discovery
        self._bootstrapping = bootstrapping
        self._peers = peers
        self._profile = profile or PairingProfile()
        self._maker = AttemptMaker(discovery, bootstrapping, protection, peers, own_nik, entropy, self._profile)
        self._sides: dict[bytes, Side] = {}

    @property
    def lies(self) -> PairingLies:
        """The deviations of attempts that begin from now on."""
        return self._maker.lies

    @lies.setter
    def lies(self, lies: PairingLies) -> None:
        self._maker.lies = lies

    # What the owner asks for.

    def pair(
        self,
        peer: bytes,
        now: Micros,
        *,
        password: str | None = None,
        instance_id: int | None = None,
        peer_instance_id: int | None = None,
        suite: int | None = None,
    ) -> Outputs:
        """Begin pairing setup: with a password, or without one opportunistically."""
        self._require_idle(peer)
        return self._start(peer, self._maker.setup(peer, password, instance_id, peer_instance_id, suite), now)

    def verify(
        self,
        peer: bytes,
        now: Micros,
        *,
        peer_id: int | None = None,
        instance_id: int | None = None,
        peer_instance_id: int | None = None,
    ) -> Outputs:
        """Begin verification of an earlier pairing; whose it is, the peer's NIRA says unless it is given."""
        self._require_idle(peer)
        remembered = self.recognise(peer) if peer_id is None else self._peers.get(peer_id)
        if remembered is None:
            raise KeyStoreError(f"no pairing with {address_text(peer)} is remembered")
        return self._start(peer, self._maker.verification(peer, remembered, instance_id, peer_instance_id), now)

    def accept(self, peer: bytes, now: Micros, *, password: str | None = None) -> Outputs:
        """Grant a request, with the password if it asks for one."""
        responder = self._asked_by(peer)
        requested = responder.requested
        suite = self._profile.suites[0] if requested is None else requested.suite.number
        credential, nan = self._maker.credential(password, suite), self._maker.setup_answer(responder, suite)
        return self._after(peer, responder.accept(credential, nan, now))

    def reject(self, peer: bytes, now: Micros, status: int = StatusCode.UNSPECIFIED_FAILURE) -> Outputs:
        """Refuse a request, or give up one that was accepted."""
        failure = Failure("PeerRejectedError", PairingCause.DECLINED, "user", "to accept", "rejected", 0, status)
        return self._after(peer, self._asked_by(peer).reject(status, failure, now))

    def cancel(self, peer: bytes, now: Micros) -> Outputs:
        """Give up what we began, or refuse what the peer began."""
        side = self._sides.get(peer)
        if isinstance(side, PairingInitiator) and not side.is_over:
            return self._after(peer, side.cancel(now))
        failure = Failure("cancelled", PairingCause.CANCELLED, "user", "to go on", "cancelled")
        return self._after(peer, self._asked_by(peer).reject(StatusCode.UNSPECIFIED_FAILURE, failure, now))

    def allow_again(self, peer: bytes | None = None) -> None:
        """Forget the wrong passwords of a peer, or of all."""
        self._maker.wrong_passwords.forgive(peer)

    def forget(self, peer: bytes) -> None:
        """Drop an attempt without a word, and what is known of the peer."""
        self._sides.pop(peer, None)
        self._maker.wrong_passwords.forgive(peer)
        self._maker.setup_infos.forget(peer)

    # What others may ask.

    def side(self, peer: bytes) -> Side | None:
        """The last attempt with a peer that did not fail."""
        return self._sides.get(peer)

    def is_in_progress(self, peer: bytes) -> bool:
        """Whether an attempt with that peer runs."""
        side = self._sides.get(peer)
        return side is not None and not side.is_over

    @property
    def waiting_for_user(self) -> tuple[bytes, ...]:
        """The peers whose request waits for `accept` or `reject`."""
        return tuple(peer for peer, side in self._sides.items() if side.state is ResponderState.ASKED)

    def recognise(self, peer: bytes) -> PairedPeer | None:
        """The pairing with the device that was heard under that address, if its NIRA is one we know."""
        identity = heard_identity(self._discovery, peer)
        return None if identity is None else self._peers.find(identity, peer)

    def setup_info(self, peer: bytes) -> bytes | None:
        """What a peer said of itself while it was open for pairing, see `setup_info.PairingSetupInfo`."""
        return self._maker.setup_infos.of(peer)

    # What time and the air bring.

    @property
    def deadline(self) -> Micros | None:
        """The earliest of all attempts."""
        times = (side.deadline for side in self._sides.values())
        return min((time for time in times if time is not None), default=None)

    def handle_timeout(self, now: Micros) -> Outputs:
        """Repeat, go on, give up."""
        outputs: list[Output] = []
        for peer, side in list(self._sides.items()):
            if side.deadline is not None and side.deadline <= now:
                outputs += self._after(peer, side.handle_timeout(now))
        return outputs

    def acknowledged(self, payload: bytes, is_acknowledged: bool, now: Micros) -> Outputs:
        """The medium tells whether a frame of ours arrived; the frame as this engine put it out."""
        peer = payload[4:10]
        side = self._sides.get(peer)
        return [] if side is None else self._after(peer, side.acknowledged(payload, is_acknowledged, now))

    def confirm(self, peer: bytes, now: Micros) -> Outputs:
        """A protected frame has come that only a peer sends which counts us paired."""
        side = self._sides.get(peer)
        return self._after(peer, side.confirm(now)) if isinstance(side, PairingResponder) else []

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A frame from the air; only PASN frames to our address are for this engine."""
        peer = address_text(sender) if isinstance(sender, bytes) else None
        try:
            header = ManagementFrame.decode(payload)
            if header.subtype != Subtype.AUTHENTICATION or header.receiver != self._discovery.device.nmi:
                return []
            body = AuthenticationBody.decode(header.body, HEADER_LENGTH)
            if body.algorithm != AuthenticationAlgorithm.PASN:
                return []
        except DecodeError as error:
            return [FrameIgnored(peer=peer, reason=str(error), protocol=PROTOCOL)]
        side = self._sides.get(header.transmitter)
        match body.transaction, side:
            case 1, _:
                return self._on_frame_1(header, payload, side, now)
            case 2, PairingInitiator():
                return self._after(header.transmitter, side.receive(payload, now))
            case 3, PairingResponder():
                return self._after(header.transmitter, side.receive(payload, 3, now))
        return [_ignored(header.transmitter, f"PASN frame {body.transaction}, which belongs to no attempt")]

    def receive_frame(self, frame: ServiceDiscoveryFrame, now: Micros) -> Outputs:
        """A decoded SDF: NIKs, and what peers say of themselves."""
        self._maker.setup_infos.hear(frame)
        received, descriptor = frame.find(SharedKeyDescriptor), frame.find(ServiceDescriptor)
        if received is None or descriptor is None or descriptor.type is not ServiceControlType.FOLLOW_UP:
            return []
        peer, device = frame.source, self._discovery.device
        side, session = self._sides.get(peer), self._discovery.sessions.get(descriptor.requestor_instance_id)
        if frame.destination != device.nmi:
            return []
        if not frame.is_protected_dual or side is None or session is None:
            return [_ignored(peer, "a NIK in the open, without an attempt, or for no session of ours")]
        if isinstance(side, PairingInitiator):
            return self._after(peer, side.receive_identity(received, now))
        partner = Partner(device, session, peer, descriptor.instance_id)
        return self._after(peer, side.receive_identity(partner, received, now))

    # A peer's frame 1.

    def _on_frame_1(self, header: ManagementFrame, payload: bytes, side: Side | None, now: Micros) -> Outputs:
        peer = header.transmitter
        if isinstance(side, PairingResponder) and (side.is_begun_by(payload) or side.is_varied_by(payload)):
            return self._after(peer, side.receive(payload, 1, now))
        if isinstance(side, PairingResponder) and (side.is_authenticated or side.is_expecting(now)):
            return [_ignored(peer, "a frame 1 while another exchange is about to end, which comes first")]
        if isinstance(side, PairingInitiator) and not side.is_over:
            is_first = side.state is InitiatorState.AUTHENTICATING
            if not is_first or peer < header.receiver:
                return [_ignored(peer, "a frame 1 while an attempt of ours goes on, which comes first")]
        if side is None and sum(not each.is_over for each in self._sides.values()) >= MAX_ATTEMPTS:
            return [_ignored(peer, f"{MAX_ATTEMPTS} peers are being paired already")]
        is_back = isinstance(side, PairingResponder) and side.state is ResponderState.IDLE and _has_cookie(header)
        responder = side if isinstance(side, PairingResponder) and is_back else self._maker.responder(header)
        if responder is None:
            return [_ignored(peer, "no session of ours takes part in pairing")]
        outputs = responder.receive(payload, 1, now)
        if is_back:  # it was sent away with a comeback, and has come back
            return [*self._after(peer, outputs), *self._decide(peer, responder, None, now)]
        is_ignored = not any(isinstance(each, Transmit) for each in outputs)
        has_begun = responder.requested is not None or not (is_ignored or self.is_in_progress(peer))
        if responder.state is ResponderState.FAILED or not has_begun:
            return self._count(peer, outputs)  # ignored or refused as it stands; what is under way does not suffer
        ended = [] if side is None or side.is_over else self._after(peer, side.give_way())
        responder.attempt.wrong_attempts = self._maker.wrong_passwords.of(peer)
        self._keep(peer, responder)
        return [*ended, *outputs, *self._decide(peer, responder, side, now)]

    def _decide(self, peer: bytes, responder: PairingResponder, before: Side | None, now: Micros) -> Outputs:
        requested = responder.requested
        if requested is None:
            return []
        if requested.mode is PasnMode.CACHED:
            return self._decide_verification(peer, responder, requested, now)
        session, agreement = responder.attempt.partner.session, self._bootstrapping.agreement(peer)
        refusal = judge_setup(
            requested,
            session,
            agreement,
            is_bootstrapping=self._bootstrapping.is_in_progress(peer),
            is_locked=self._maker.wrong_passwords.is_locked(peer),
        )
        if refusal is not None:
            return self._after(peer, responder.reject(refusal.status, refusal.failure, now))
        granted = before.granted_for(requested) if isinstance(before, PairingResponder) else None
        if granted is not None:
            nan = self._maker.setup_answer(responder, requested.suite.number)
            return self._after(peer, responder.accept(granted, nan, now))
        return [
            PairingRequested(
                **responder.attempt.about,
                suite=requested.suite.number,
                method="" if agreement is None else str(agreement.method.name).lower(),
                setup_info=self._maker.setup_infos.of(peer),
            )
        ]

    def _decide_verification(
        self, peer: bytes, responder: PairingResponder, requested: PasnRequested, now: Micros
    ) -> Outputs:
        is_checked = self._profile.is_npkid_checked
        attributes = read_attributes(requested.nan)
        own = self._discovery.device.nmi
        found = find_remembered(self._peers, requested, attributes, peer, own, is_npkid_checked=is_checked)
        if isinstance(found, Refusal):
            return self._after(peer, responder.reject(found.status, found.failure, now))
        credential, nan = self._maker.remembered(responder.attempt.partner, found)
        return self._after(peer, responder.accept(credential, nan, now, found))

    # Parts.

    def _start(self, peer: bytes, initiator: PairingInitiator, now: Micros) -> Outputs:
        self._keep(peer, initiator)
        return self._after(peer, initiator.start(now))

    def _keep(self, peer: bytes, side: Side) -> None:
        """A side that is over stays to answer what is repeated, but not among too many."""
        self._sides.pop(peer, None)
        self._sides[peer] = side
        if len(self._sides) > MAX_KEPT:
            over = next((nmi for nmi, each in self._sides.items() if each.is_over), None)
            if over is not None:
                del self._sides[over]

    def _require_idle(self, peer: bytes) -> None:
        if self.is_in_progress(peer):
            raise LocalProtocolError(f"pairing with {address_text(peer)} is in progress")
        if self._bootstrapping.is_in_progress(peer):
            raise LocalProtocolError(f"bootstrapping with {address_text(peer)} is in progress")

    def _asked_by(self, peer: bytes) -> PairingResponder:
        side = self._sides.get(peer)
        if not isinstance(side, PairingResponder) or side.is_over:
            raise LocalProtocolError(f"{address_text(peer)} has asked for nothing")
        return side

    def _after(self, peer: bytes, outputs: Outputs) -> Outputs:
        """Take note of endings; what has failed is dropped."""
        side = self._sides.get(peer)
        if side is not None and side.state in (InitiatorState.FAILED, ResponderState.FAILED):
            del self._sides[peer]
        return self._count(peer, outputs)

    def _count(self, peer: bytes, outputs: Outputs) -> Outputs:
        counted = list(self._maker.wrong_passwords.count(peer, outputs))
        if any(isinstance(each, (PairingCompleted, PairingVerified)) for each in counted):
            self._bootstrapping.forget(peer)
        return counted


def _has_cookie(header: ManagementFrame) -> bool:
    """Whether a frame 1 comes back with the cookie of a comeback."""
    try:
        return PasnFrame.decode(header.body, HEADER_LENGTH).parameters.comeback is not None
    except DecodeError:
        return False


def _ignored(peer: bytes, reason: str) -> FrameIgnored:
    return FrameIgnored(peer=address_text(peer), reason=reason, protocol=PROTOCOL)
