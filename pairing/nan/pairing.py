"""The pairing engine of a device: pairing setup and verification with any number of peers, one attempt with each.

Composes bootstrapping's agreements, PASN and the NIK exchange. Keys go to the frame protection, pairings to remember to
the paired peers. Who may pair is judged in `pairing_requests`, whom an attempt is between in `pairing_partners`.
Source: Wi-Fi Aware specification 4.0, section 7.6.
"""

from typing import TypeAlias

from pairing.engine import Address, Entropy, FrameIgnored, Micros, Output, Outputs
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
    CipherSuiteInfo,
    PairingBootstrappingExtension,
    ServiceControlType,
    ServiceDescriptor,
    SharedKeyDescriptor,
    find,
)
from pairing.nan.bootstrapping import Bootstrapping
from pairing.nan.bootstrapping_exchange import Partner
from pairing.nan.discovery import Discovery
from pairing.nan.frames import ServiceDiscoveryFrame
from pairing.nan.identifiers import address_text
from pairing.nan.identity import PairedPeers, draw_identity
from pairing.nan.pairing_attempt import PROTOCOL, PairingAttempt, PairingContext, read_attributes
from pairing.nan.pairing_credentials import PasswordTokens, remembered_credential
from pairing.nan.pairing_elements import refusal_attributes, setup_attributes, verification_attributes
from pairing.nan.pairing_events import (
    PairingAttemptsExhausted,
    PairingCause,
    PairingCompleted,
    PairingFailed,
    PairingRequested,
    PairingVerified,
)
from pairing.nan.pairing_failures import Failure
from pairing.nan.pairing_initiator import PairingInitiator
from pairing.nan.pairing_partners import find_asked_session, find_partner, heard_identity, offered_suites
from pairing.nan.pairing_requests import Refusal, find_remembered, judge_setup
from pairing.nan.pairing_responder import PairingResponder
from pairing.nan.pairing_rules import PairingLies, PairingProfile
from pairing.nan.pairing_states import InitiatorState, ResponderState
from pairing.nan.protection import FrameProtection
from pairing.pasn.events import PasnMode, PasnRequested
from pairing.pasn.messages import PasnFrame

Side: TypeAlias = PairingInitiator | PairingResponder
MAX_RESPONDERS = 64
"""Attempts of peers at a time; further ones are ignored."""
MAX_KNOWN = 256
"""Peers whose wrong passwords are counted, or whose setup info is kept."""


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
        self.lies = PairingLies()
        """The deviations of attempts that begin from now on."""
        self._discovery = discovery
        self._bootstrapping = bootstrapping
        self._protection = protection
        self._peers = peers
        self._own_nik = own_nik
        self._entropy = entropy
        self._profile = profile or PairingProfile()
        self._tokens = PasswordTokens()
        self._sides: dict[bytes, Side] = {}
        self._wrong: dict[bytes, int] = {}
        self._setup_info: dict[bytes, bytes] = {}

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
        partner = find_partner(self._discovery, self._bootstrapping, peer, instance_id, peer_instance_id)
        suite = self._suite_for(peer) if suite is None else suite
        agreement = self._bootstrapping.agreement(peer)
        credential = self._tokens.credential(password, suite)
        attempt = self._attempt(partner, credential.mode, is_initiator=True)
        nan = setup_attributes(partner, suite, None if agreement is None else agreement.npba)
        return self._start(peer, PairingInitiator(attempt, credential, suite, nan, self._entropy), now)

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
        partner = find_partner(self._discovery, self._bootstrapping, peer, instance_id, peer_instance_id)
        identity = draw_identity(remembered.own_nik, partner.device.nmi, self._entropy)
        attempt = self._attempt(partner, PasnMode.CACHED, is_initiator=True, remembered=remembered)
        nan = verification_attributes(partner, remembered.suite, identity)
        credential = remembered_credential(remembered, identity)
        return self._start(peer, PairingInitiator(attempt, credential, remembered.suite, nan, self._entropy), now)

    def accept(self, peer: bytes, now: Micros, *, password: str | None = None) -> Outputs:
        """Grant a request, with the password if it asks for one."""
        responder = self._asked_by(peer)
        requested = responder.requested
        suite = self._profile.suites[0] if requested is None else requested.suite.number
        credential = self._tokens.credential(password, suite)
        return self._after(peer, responder.accept(credential, self._setup_nan(responder, suite), now))

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
        if peer is None:
            self._wrong.clear()
        else:
            self._wrong.pop(peer, None)

    def forget(self, peer: bytes) -> None:
        """Drop an attempt without a word, and what is known of the peer."""
        for known in (self._sides, self._wrong, self._setup_info):
            known.pop(peer, None)

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
        return self._setup_info.get(peer)

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
        self._note_setup_info(frame)
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
        if isinstance(side, PairingResponder) and side.is_begun_by(payload):
            return self._after(peer, side.receive(payload, 1, now))
        if isinstance(side, PairingInitiator) and not side.is_over:
            is_first = side.state is InitiatorState.AUTHENTICATING
            if not is_first or peer < header.receiver:
                return [_ignored(peer, "a frame 1 while an attempt of ours goes on, which comes first")]
        if side is None and sum(isinstance(each, PairingResponder) for each in self._sides.values()) >= MAX_RESPONDERS:
            return [_ignored(peer, f"{MAX_RESPONDERS} peers are being paired already")]
        responder = self._responder(header)
        if responder is None:
            return [_ignored(peer, "no session of ours takes part in pairing")]
        outputs = responder.receive(payload, 1, now)
        if responder.state is ResponderState.FAILED or (responder.requested is None and self.is_in_progress(peer)):
            return self._count(peer, outputs)  # refused as it stands; what is under way does not suffer
        ended = [] if side is None or side.is_over else self._after(peer, side.give_way())
        responder.attempt.wrong_attempts = self._wrong.get(peer, 0)
        self._sides[peer] = responder
        return [*ended, *outputs, *self._decide(peer, responder, side, now)]

    def _responder(self, header: ManagementFrame) -> PairingResponder | None:
        try:
            nan = PasnFrame.decode(header.body, HEADER_LENGTH).nan or b""
        except DecodeError:
            nan = b""
        attributes, peer = read_attributes(nan), header.transmitter
        partner = find_asked_session(self._discovery, self._bootstrapping, peer, attributes)
        if partner is None:
            return None
        suites, agreement = find(attributes, CipherSuiteInfo), self._bootstrapping.agreement(peer)
        asked = suites.suites[0].suite if suites is not None and suites.suites else self._profile.suites[0]
        npba = None if agreement is None else agreement.npba
        is_anonymous = self._profile.is_refusal_anonymous
        refusal = refusal_attributes(partner, asked, npba, is_anonymous=is_anonymous)
        attempt = self._attempt(partner, PasnMode.OPPORTUNISTIC, is_initiator=False)
        return PairingResponder(attempt, refusal, self._entropy)

    def _decide(self, peer: bytes, responder: PairingResponder, before: Side | None, now: Micros) -> Outputs:
        requested = responder.requested
        if requested is None:
            return []
        if requested.mode is PasnMode.CACHED:
            return self._decide_verification(peer, responder, requested, now)
        session, agreement = responder.attempt.partner.session, self._bootstrapping.agreement(peer)
        limit = self._profile.max_wrong_attempts
        refusal = judge_setup(
            requested,
            session,
            agreement,
            is_bootstrapping=self._bootstrapping.is_in_progress(peer),
            is_locked=limit is not None and self._wrong.get(peer, 0) >= limit,
        )
        if refusal is not None:
            return self._after(peer, responder.reject(refusal.status, refusal.failure, now))
        granted = before.granted_for(requested) if isinstance(before, PairingResponder) else None
        if granted is not None:
            nan = self._setup_nan(responder, requested.suite.number)
            return self._after(peer, responder.accept(granted, nan, now))
        return [
            PairingRequested(
                **responder.attempt.about,
                suite=requested.suite.number,
                method="" if agreement is None else str(agreement.method.name).lower(),
                setup_info=self._setup_info.get(peer),
            )
        ]

    def _decide_verification(
        self, peer: bytes, responder: PairingResponder, requested: PasnRequested, now: Micros
    ) -> Outputs:
        is_checked = self._profile.is_npkid_checked
        attributes = read_attributes(requested.nan)
        found = find_remembered(self._peers, requested, attributes, peer, is_npkid_checked=is_checked)
        if isinstance(found, Refusal):
            return self._after(peer, responder.reject(found.status, found.failure, now))
        partner = responder.attempt.partner
        identity = draw_identity(found.own_nik, partner.device.nmi, self._entropy)
        nan = verification_attributes(partner, found.suite, identity)
        return self._after(peer, responder.accept(remembered_credential(found, identity), nan, now, found))

    # Parts.

    def _start(self, peer: bytes, initiator: PairingInitiator, now: Micros) -> Outputs:
        self._sides[peer] = initiator
        return self._after(peer, initiator.start(now))

    def _attempt(
        self, partner: Partner, mode: PasnMode, *, is_initiator: bool, remembered: PairedPeer | None = None
    ) -> PairingAttempt:
        context = PairingContext(
            protection=self._protection,
            peers=self._peers,
            profile=self._profile,
            lies=self.lies,
            own_nik=self._own_nik,
        )
        attempt = PairingAttempt(context, partner, mode, is_initiator=is_initiator, remembered=remembered)
        attempt.wrong_attempts = self._wrong.get(partner.nmi, 0)
        attempt.setup_info = self._setup_info.get(partner.nmi)
        return attempt

    def _setup_nan(self, responder: PairingResponder, suite: int) -> bytes:
        partner = responder.attempt.partner
        agreement = self._bootstrapping.agreement(partner.nmi)
        return setup_attributes(partner, suite, None if agreement is None else agreement.npba)

    def _suite_for(self, peer: bytes) -> int:
        offered = offered_suites(self._discovery, peer)
        return next((suite for suite in self._profile.suites if suite in offered), self._profile.suites[0])

    def _note_setup_info(self, frame: ServiceDiscoveryFrame) -> None:
        extension = frame.find(PairingBootstrappingExtension)
        if extension is None or extension.setup_info is None:
            return
        self._setup_info.pop(frame.source, None)
        self._setup_info[frame.source] = extension.setup_info
        if len(self._setup_info) > MAX_KNOWN:
            del self._setup_info[next(iter(self._setup_info))]

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
        passed: list[Output] = []
        for output in outputs:
            passed.append(output)
            if isinstance(output, (PairingCompleted, PairingVerified)):
                self._wrong.pop(peer, None)
                self._bootstrapping.forget(peer)
            elif isinstance(output, PairingFailed) and output.wrong_attempts > self._wrong.get(peer, 0):
                self._wrong[peer] = output.wrong_attempts
                if len(self._wrong) > MAX_KNOWN:
                    del self._wrong[next(iter(self._wrong))]
                if output.wrong_attempts == self._profile.max_wrong_attempts:
                    passed.append(_exhausted(output))
        return passed


def _exhausted(failed: PairingFailed) -> PairingAttemptsExhausted:
    return PairingAttemptsExhausted(
        peer=failed.peer,
        service=failed.service,
        mode=failed.mode,
        is_initiator=failed.is_initiator,
        attempts=failed.wrong_attempts,
    )


def _ignored(peer: bytes, reason: str) -> FrameIgnored:
    return FrameIgnored(peer=address_text(peer), reason=reason, protocol=PROTOCOL)
