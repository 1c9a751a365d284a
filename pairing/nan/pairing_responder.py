"""The responder of a pairing attempt: asks its owner, authenticates by PASN, answers the initiator's NIK with its own.

With caching on both sides it is paired when its NIK has arrived and is not asked for again, otherwise when frame 3
proved the initiator. It gives up before an initiator does that took its frame 2.
Source: Wi-Fi Aware specification 4.0, sections 7.6.3 and 7.6.4.
"""

from dataclasses import replace

from pairing.engine import Entropy, Micros, Output, Outputs, Transmit
from pairing.errors import LocalProtocolError, RemoteProtocolError
from pairing.ieee80211.frames import HEADER_LENGTH
from pairing.keys import PairedPeer
from pairing.nan.attributes import SharedKeyDescriptor
from pairing.nan.bootstrapping_exchange import Partner
from pairing.nan.delivery import Delivery, DeliveryState
from pairing.nan.pairing_attempt import PairingAttempt
from pairing.nan.pairing_events import PairingCause
from pairing.nan.pairing_failures import Failure, failure_of
from pairing.nan.pairing_proof import is_forged, public_key_of
from pairing.nan.pairing_states import RESPONDER_TRANSITIONS, ResponderInput, ResponderState
from pairing.pasn.events import (
    LieTold,
    PasnCompleted,
    PasnDeclined,
    PasnFailed,
    PasnIntermediates,
    PasnPostponed,
    PasnRequested,
)
from pairing.pasn.key_schedule import SUITES
from pairing.pasn.responder import PasnResponder
from pairing.pasn.settings import TU, Credential, PasnSettings

FINAL = frozenset({ResponderState.COMPLETED, ResponderState.FAILED})
MAX_VARIANTS = 4
"""Frames 1 with the same key, and frames 3 that prove nothing yet, that are kept."""


class PairingResponder:
    """One attempt that a peer began. `refusal` holds the attributes of the NAN element in a frame 2 that refuses."""

    def __init__(self, attempt: PairingAttempt, refusal: bytes, entropy: Entropy) -> None:
        self.attempt = attempt
        self.state = ResponderState.IDLE
        self.requested: PasnRequested | None = None
        """What the peer asks for."""
        self.granted: Credential | None = None
        """What our owner accepted it with."""
        context, partner = attempt.context, attempt.partner
        self._times = context.profile.times
        settings = PasnSettings(
            own=partner.device.nmi,
            peer=partner.nmi,
            bssid=partner.device.cluster_id,
            nan=refusal,
            suites=tuple(SUITES[suite] for suite in context.profile.suites),
            times=self._times.pasn,
            lies=context.lies.pasn,
        )
        self._pasn = PasnResponder(settings, entropy)
        times = self._times
        self._delivery = Delivery(wait=times.acknowledgement, repeat=times.repeat, tries=times.tries)
        self._frame_1 = b""
        self._frame_2: Transmit | None = None
        self._variants: list[bytes] = []
        """Other frames 1 with the same key: one of them may have changed on its way."""
        self._unproven: list[bytes] = []
        """Frames 3 whose MIC does not fit: forged, or for a frame 1 that is yet to come."""
        self._frame_2_ends_at: Micros | None = None
        self._is_frame_2_heard = False
        self._is_nik_heard = False
        """A copy of our NIK has arrived. If it was of use, the peer soon stops to ask."""
        self._quiet_until: Micros | None = None
        self._give_up_at: Micros | None = None

    # What others may ask.

    @property
    def is_over(self) -> bool:
        """Nothing more will come of it, but for answers to a repeated NIK."""
        return self.state in FINAL

    @property
    def is_authenticated(self) -> bool:
        """PASN is over, the exchange of NIKs is not: what anybody could send must not end it."""
        return self.state in (ResponderState.WAIT_NIK, ResponderState.ANSWERED)

    @property
    def intermediates(self) -> PasnIntermediates:
        """Every value of PASN derived so far."""
        return self._pasn.intermediates

    @property
    def deadline(self) -> Micros | None:
        """The next repetition, the end of a wait, or of patience."""
        if self.is_over:
            return None
        times = (self._pasn.deadline, self._delivery.deadline, self._quiet_until, self._patience_ends_at)
        return min((time for time in times if time is not None), default=None)

    @property
    def _patience_ends_at(self) -> Micros | None:
        """Later while our NIK is on its way: the peer may count us paired when it arrives."""
        delivery, is_answered = self._delivery, self.state is ResponderState.ANSWERED
        if self._give_up_at is None or not is_answered:
            return self._give_up_at
        is_on_its_way = self._is_nik_heard or delivery.outstanding or delivery.state is DeliveryState.SENT
        return self._give_up_at + (self._times.grace if is_on_its_way else 0)

    def granted_for(self, requested: PasnRequested) -> Credential | None:
        """What our owner has accepted the same request with in this attempt, so that it need not be asked again."""
        own = self.requested
        if own is None or self.state is ResponderState.COMPLETED:
            return None
        is_same = (own.mode, own.akm, own.suite) == (requested.mode, requested.akm, requested.suite)
        return self.granted if is_same else None

    def is_expecting(self, now: Micros) -> bool:
        """Frame 2 went out just now, so frame 3 may be on its way: another frame 1 must not undo that."""
        profile = self.attempt.context.profile
        sent_at = None if self._give_up_at is None else self._give_up_at - self._times.responder
        is_new = sent_at is not None and now < sent_at + self._times.hold
        return self.state is ResponderState.AUTHENTICATING and is_new and not profile.is_frame_1_answered_anew

    def is_begun_by(self, frame_1: bytes) -> bool:
        """Whether the attempt began with exactly this frame 1; not while it is only told to come back."""
        return self.state is not ResponderState.IDLE and frame_1 == self._frame_1

    def is_varied_by(self, frame_1: bytes) -> bool:
        """Whether a frame 1 has other octets and the same key as the one that frame 2 has answered."""
        is_answered = self.state not in (ResponderState.IDLE, ResponderState.ASKED)
        if not is_answered or self.attempt.context.profile.is_frame_1_answered_anew:
            return False
        key = public_key_of(frame_1)
        return frame_1 != self._frame_1 and key is not None and key == public_key_of(self._frame_1)

    # What the owner asks for.

    def accept(self, credential: Credential, nan: bytes, now: Micros, remembered: PairedPeer | None = None) -> Outputs:
        """Answer with frame 2. In verification, `remembered` is the pairing that is verified."""
        self._require(ResponderInput.ACCEPT)
        outputs = self._pasn.accept(credential, now, nan)  # raises before anything changes if the mode is another
        self._move(ResponderInput.ACCEPT)
        self.granted = credential
        self.attempt.remembered = remembered
        self._give_up_at = now + self._times.responder
        self._frame_2_ends_at = now + self._times.frame_2_again
        return self._through(outputs, now)

    def reject(self, status: int, failure: Failure, now: Micros) -> Outputs:
        """Refuse; once frame 2 is out, silently."""
        is_in_pasn = self.state in (ResponderState.ASKED, ResponderState.AUTHENTICATING)
        self._move(ResponderInput.REJECT)
        frames = [each for each in self._pasn.reject(now, status) if isinstance(each, Transmit)] if is_in_pasn else []
        return [*frames, self.attempt.failed(failure, self.intermediates)]

    def give_way(self) -> Outputs:
        """End for another attempt of the same peer."""
        self._move(ResponderInput.FAIL)
        is_wrong = self._is_frame_2_heard and self.granted is not None and self.attempt.mode.value == "password"
        came = "another frame 1; the peer has given up this attempt"
        failure = Failure(
            "PeerRejectedError", PairingCause.ABANDONED, "frame 3", "frame 3 in time", came, 1, None, "", is_wrong
        )
        return [self.attempt.failed(failure, self.intermediates)]

    # What time and the air bring.

    def receive(self, payload: bytes, transaction: int, now: Micros) -> Outputs:
        """A PASN frame of the peer; a frame 1 is the one that the attempt began with, or begins it."""
        if transaction == 1 and self.is_begun_by(payload) and not self.attempt.context.profile.is_frame_1_answered_anew:
            is_late = self._frame_2_ends_at is None or now > self._frame_2_ends_at
            if self.state is not ResponderState.AUTHENTICATING or self._frame_2 is None or is_late:
                return [self.attempt.ignored(f"frame 1 again while {self.state.value}")]
            return self._delivery.send(self._frame_2, now)
        if transaction == 1 and self.is_varied_by(payload):
            if self.state is not ResponderState.AUTHENTICATING:
                return [self.attempt.ignored(f"a frame 1 with the same key while {self.state.value}")]
            self._variants = [*self._variants, payload][-MAX_VARIANTS:]
            proof = next((each for each in self._unproven if self._is_proof(each)), None)
            if proof is not None:
                return self._through(self._pasn.receive(proof, self.attempt.partner.nmi, now), now)
            return [self.attempt.ignored("another frame 1 with the same key; frame 3 will tell which one was sent")]
        if transaction == 1:
            self._frame_1 = payload
        elif not self._is_proof(payload):
            self._unproven = [*self._unproven, payload][-MAX_VARIANTS:]
            return [self.attempt.ignored("PASN frame 3: the MIC does not fit; the right one may yet come")]
        return self._through(self._pasn.receive(payload, self.attempt.partner.nmi, now), now)

    def receive_identity(self, partner: Partner, received: SharedKeyDescriptor, now: Micros) -> Outputs:
        """The initiator's NIK; ours answers it, to the instance that sent it, as often as it comes."""
        if (self.state, ResponderInput.NIK_RECEIVED) not in RESPONDER_TRANSITIONS:
            return [self.attempt.ignored(f"a NIK while {self.state.value}")]
        try:
            self.attempt.read_identity(received)
        except RemoteProtocolError as error:
            self.attempt.identity_trouble = str(error)
            return [self.attempt.ignored(str(error))]
        self._move(ResponderInput.NIK_RECEIVED)
        self.attempt.partner = replace(partner)
        self._quiet_until = now + self._times.quiet if self._is_nik_heard else None
        if self.attempt.context.lies.silent_nik:
            return [LieTold(peer=partner.name, lie="silent-nik", frame=0)]
        told = [LieTold(peer=partner.name, lie="wrong-nik-key", frame=0)]
        answer = self._delivery.send(self.attempt.identity_frame(), now)
        return [*(told if self.attempt.context.lies.wrong_nik_key else ()), *answer]

    def confirm(self, now: Micros) -> Outputs:
        """The peer goes on as paired devices do, so our NIK is with it."""
        if self.state is not ResponderState.ANSWERED:
            return []
        self._quiet_until = None
        self._delivery.stop()
        self._move(ResponderInput.CONFIRMED)
        return [self.attempt.completed(now)]

    def acknowledged(self, payload: bytes, is_acknowledged: bool, now: Micros) -> Outputs:
        """The medium tells whether one of our frames arrived."""
        if not self.is_over and self._delivery.report(payload, is_acknowledged, now):
            self._on_delivery(now)
        return []

    def handle_timeout(self, now: Micros) -> Outputs:
        """Repeat, go on, or give up."""
        if self.is_over:
            return []
        ends_at = self._patience_ends_at
        if ends_at is not None and ends_at <= now:
            return self._expire()
        outputs: list[Output] = [*self._through(self._pasn_timeout(now), now)]
        outputs += self._delivery.handle_timeout(now)
        self._on_delivery(now)
        if self._quiet_until is not None and self._quiet_until <= now and not self.is_over:
            self._quiet_until = None
            self._move(ResponderInput.CONFIRMED)
            outputs.append(self.attempt.completed(now))
        return outputs

    # Steps.

    def _is_proof(self, frame_3: bytes) -> bool:
        """Whether a frame 3 proves this exchange, or is for it to judge: with our frame 1, or else a varied one."""
        for frame_1 in (self._frame_1, *self._variants):
            if not is_forged(frame_3, frame_1, self.requested, self._pasn.kck):
                if frame_1 != self._frame_1:
                    self._pasn.correct_frame_1(frame_1[HEADER_LENGTH:])
                return True
        return False

    def _pasn_timeout(self, now: Micros) -> Outputs:
        """Nothing better than a wrong frame 3 has come in time: then it is the one to fail by, if PASN takes it."""
        outputs: list[Output] = []
        if self._is_pasn_due(now) and self._unproven:
            outputs += self._pasn.receive(self._unproven[-1], self.attempt.partner.nmi, now)
        return [*outputs, *self._pasn.handle_timeout(now)] if self._is_pasn_due(now) else outputs

    def _is_pasn_due(self, now: Micros) -> bool:
        return self._pasn.deadline is not None and self._pasn.deadline <= now

    def _through(self, outputs: Outputs, now: Micros) -> Outputs:
        """What PASN returned, with our own part done."""
        passed: list[Output] = []
        for output in outputs:
            match output:
                case PasnPostponed():
                    self._give_up_at = now + output.after_tu * TU + self._times.responder
                    passed.append(output)
                case PasnRequested() if not output.is_repeat:
                    self._move(ResponderInput.REQUESTED)
                    self._give_up_at = None
                    self.requested = output
                    self.attempt.mode = output.mode
                case PasnRequested():
                    pass
                case PasnCompleted():
                    passed += self._on_authenticated(output, now)
                case PasnFailed():
                    passed += self._on_pasn_failed(output)
                case PasnDeclined():
                    self._move(ResponderInput.FAIL)
                    came = f"refused with status {output.status}"
                    failure = Failure("LocalProtocolError", PairingCause.LIE, "lie", "the truth", came)
                    passed.append(self.attempt.failed(failure, self.intermediates))
                case Transmit() if self.state is ResponderState.AUTHENTICATING:
                    self._frame_2 = output
                    passed += self._delivery.send(output, now)
                case _:
                    passed.append(output)
        return passed

    def _on_authenticated(self, completed: PasnCompleted, now: Micros) -> Outputs:
        self.attempt.take_keys(completed.keys)
        self._delivery.stop()
        if self.attempt.exchanges_identities(completed.nan):
            self._move(ResponderInput.AUTHENTICATED)
            return []
        self._move(ResponderInput.AUTHENTICATED_LAST)
        return [self.attempt.completed(now)]

    def _on_delivery(self, now: Micros) -> None:
        if self._delivery.state is not DeliveryState.DELIVERED:
            return
        if self.state is ResponderState.AUTHENTICATING:
            self._is_frame_2_heard = True
        elif self.state is ResponderState.ANSWERED and not self._is_nik_heard:
            self._is_nik_heard = True
            self._quiet_until = now + self._times.quiet

    def _expire(self) -> Outputs:
        waited_for = {ResponderState.IDLE: "frame 1 after the comeback", ResponderState.AUTHENTICATING: "frame 3"}
        if self.state in waited_for:
            expected = f"{waited_for[self.state]} in time"
            failure = Failure("ExchangeTimeoutError", PairingCause.TIMED_OUT, "timeout", expected, "none")
        else:
            failure = self.attempt.identity_timeout(f"the exchange of NIKs within {self._times.responder} µs")
        self._move(ResponderInput.FAIL)
        return [self.attempt.failed(failure, self.intermediates)]

    def _on_pasn_failed(self, failed: PasnFailed) -> Outputs:
        was_asked = self.state is ResponderState.ASKED
        self._move(ResponderInput.FAIL)
        failure = failure_of(failed, self.attempt.mode, is_initiator=False, is_answer_out=self._is_frame_2_heard)
        if was_asked and failure.cause is PairingCause.TIMED_OUT:
            failure = replace(failure, cause=PairingCause.EXPIRED, rule="consent", expected="our owner's decision")
        return [self.attempt.failed(failure, failed.intermediates)]

    def _require(self, by: ResponderInput) -> ResponderState:
        after = RESPONDER_TRANSITIONS.get((self.state, by))
        if after is None:
            raise LocalProtocolError(f"pairing: cannot {by.value} while {self.state.value}")
        return after

    def _move(self, by: ResponderInput) -> None:
        self.state = self._require(by)
