"""The initiator of a pairing attempt: authenticates by PASN, sees frame 3 to the peer, exchanges identities.

With caching on both sides it is paired when the peer's NIK has come, otherwise when frame 3 has arrived: so it never
counts itself paired with a peer that does not.
Source: Wi-Fi Aware specification 4.0, sections 7.6.3 and 7.6.4.
"""

from pairing.engine import Entropy, Micros, Output, Outputs, Transmit
from pairing.errors import LocalProtocolError, RemoteProtocolError
from pairing.nan.attributes import SharedKeyDescriptor
from pairing.nan.delivery import Delivery, DeliveryState
from pairing.nan.pairing_attempt import PairingAttempt
from pairing.nan.pairing_events import PairingCause, PairingStarted
from pairing.nan.pairing_failures import Failure, failure_of
from pairing.nan.pairing_proof import is_refusal
from pairing.nan.pairing_states import INITIATOR_TRANSITIONS, InitiatorInput, InitiatorState
from pairing.pasn.events import LieTold, PasnCompleted, PasnDeclined, PasnFailed, PasnIntermediates
from pairing.pasn.initiator import PasnInitiator
from pairing.pasn.key_schedule import SUITES
from pairing.pasn.settings import Credential, PasnSettings

FINAL = frozenset({InitiatorState.COMPLETED, InitiatorState.FAILED})


class PairingInitiator:
    """One attempt that our side began. `nan` holds the attributes of our NAN element."""

    def __init__(
        self, attempt: PairingAttempt, credential: Credential, suite: int, nan: bytes, entropy: Entropy
    ) -> None:
        self.attempt = attempt
        self.state = InitiatorState.IDLE
        self._suite = suite
        context, partner = attempt.context, attempt.partner
        self._times = context.profile.times
        settings = PasnSettings(
            own=partner.device.nmi,
            peer=partner.nmi,
            bssid=partner.device.cluster_id,
            nan=nan,
            suites=(SUITES[suite],),
            times=self._times.pasn,
            lies=context.lies.pasn,
            reject_on_failure=context.profile.does_tell_failure,
        )
        self._pasn = PasnInitiator(settings, credential, entropy)
        times = self._times
        self._delivery = Delivery(wait=times.acknowledgement, repeat=times.repeat, tries=times.tries)
        self._frame_1: Transmit | None = None
        self._is_frame_1_heard: bool | None = None
        """What the medium tells of it; None as long as it tells nothing."""
        self._held_frame_3: Transmit | None = None
        self._refusal = b""
        self._refusal_due: Micros | None = None
        self._is_followed_by_identity = False
        self._spoilt = ""
        self._next_nik: Micros | None = None
        self._give_up_at: Micros | None = None

    # What others may ask.

    @property
    def is_over(self) -> bool:
        """Nothing more will come of it."""
        return self.state in FINAL

    @property
    def intermediates(self) -> PasnIntermediates:
        """Every value of PASN derived so far."""
        return self._pasn.intermediates

    @property
    def deadline(self) -> Micros | None:
        """The next repetition, or the end of patience."""
        if self.is_over:
            return None
        pasn = self._pasn.deadline if self._refusal_due is None else self._refusal_due
        times = (pasn, self._delivery.deadline, self._next_nik, self._give_up_at)
        return min((time for time in times if time is not None), default=None)

    # What the owner asks for.

    def start(self, now: Micros) -> Outputs:
        """Send frame 1."""
        self._move(InitiatorInput.START)
        started = PairingStarted(**self.attempt.about, suite=self._suite)
        return [started, *self._through(self._pasn.start(now), now)]

    def cancel(self, now: Micros) -> Outputs:
        """Give up; the peer is told nothing."""
        return self._end("cancelled", PairingCause.CANCELLED, "user", "to go on", "cancelled", InitiatorInput.CANCEL)

    def give_way(self) -> Outputs:
        """End for the attempt of the peer, which began at the same time."""
        came = "the peer began too, and its address is the higher one"
        return self._end("PeerRejectedError", PairingCause.REJECTED, "who begins", "an answer to our frame 1", came)

    # What time and the air bring.

    def receive(self, payload: bytes, now: Micros) -> Outputs:
        """A PASN frame of the peer. A refusal may be of a frame 1 that has changed on its way: better may follow."""
        is_refused = self._pasn.deadline is not None and is_refusal(payload)
        if is_refused and self._is_frame_1_heard is False:
            return [self.attempt.ignored("refused, but it was another frame 1: ours has not arrived")]
        if is_refused and self.attempt.remembered is not None:
            if self._refusal_due is None:
                self._refusal, self._refusal_due = payload, now + self._times.hold
            return []
        return self._through(self._pasn.receive(payload, self.attempt.partner.nmi, now), now)

    def receive_identity(self, received: SharedKeyDescriptor, now: Micros) -> Outputs:
        """The peer's NIK."""
        if self.state is not InitiatorState.WAIT_NIK:
            return [self.attempt.ignored(f"a NIK while {self.state.value}")]
        try:
            self.attempt.read_identity(received)
        except RemoteProtocolError as error:
            self.attempt.identity_trouble = str(error)
            return [self.attempt.ignored(str(error))]
        self._move(InitiatorInput.NIK_RECEIVED)
        return [self.attempt.completed(now)]

    def acknowledged(self, payload: bytes, is_acknowledged: bool, now: Micros) -> Outputs:
        """The medium tells whether one of our frames arrived."""
        if self._frame_1 is not None and payload == self._frame_1.payload:
            self._is_frame_1_heard = is_acknowledged or bool(self._is_frame_1_heard)
        if self.is_over or not self._delivery.report(payload, is_acknowledged, now):
            return []
        return self._on_delivery(now)

    def handle_timeout(self, now: Micros) -> Outputs:
        """Repeat, go on, or give up."""
        if self.is_over:
            return []
        if self._give_up_at is not None and self._give_up_at <= now:
            return self._expire()
        outputs: list[Output] = [*self._through(self._pasn_timeout(now), now)]
        outputs += self._delivery.handle_timeout(now)
        outputs += self._on_delivery(now)
        if self._next_nik is not None and self._next_nik <= now and not self.is_over:
            outputs += self._send_nik(now)
        return outputs

    # Steps.

    def _pasn_timeout(self, now: Micros) -> Outputs:
        """Nothing better than a refusal has come: unless our frame 1 was lost, it is meant for us."""
        if self._refusal_due is not None and now < self._refusal_due:
            return []
        is_refused, self._refusal_due = self._refusal_due is not None, None
        if is_refused and self._is_frame_1_heard is not False:
            return self._pasn.receive(self._refusal, self.attempt.partner.nmi, now)
        return self._pasn.handle_timeout(now)

    def _through(self, outputs: Outputs, now: Micros) -> Outputs:
        """What PASN returned, with our own part done."""
        passed: list[Output] = []
        last_frame: Transmit | None = None
        for output in outputs:
            match output:
                case Transmit():
                    last_frame = output
                    passed.append(output)
                case PasnCompleted() if last_frame is not None and self._is_frame_1_heard is False:
                    passed.remove(last_frame)
                    passed += self._hold(output, last_frame, now)
                case PasnCompleted():
                    passed += self._on_authenticated(output, last_frame, now)
                case PasnFailed():
                    passed += self._on_pasn_failed(output)
                case PasnDeclined():
                    passed += self._on_lie(f"refused with status {output.status}")
                case _:
                    if isinstance(output, LieTold) and output.frame == 3:
                        self._spoilt = output.lie
                    passed.append(output)
        if last_frame is not None and self.state is InitiatorState.AUTHENTICATING:
            self._frame_1, self._is_frame_1_heard = last_frame, None
        return passed

    def _hold(self, completed: PasnCompleted, frame_3: Transmit, now: Micros) -> Outputs:
        """Frame 2 answers a frame 1 that the medium calls lost. Was it another one? First the true one must arrive."""
        outputs = [*self._on_authenticated(completed, frame_3, now)]
        self._held_frame_3 = frame_3
        return outputs if self._frame_1 is None else [*outputs, *self._delivery.send(self._frame_1, now)]

    def _on_authenticated(self, completed: PasnCompleted, frame_3: Transmit | None, now: Micros) -> Outputs:
        self._move(InitiatorInput.AUTHENTICATED)
        self._refusal_due = None
        self.attempt.take_keys(completed.keys)
        self._is_followed_by_identity = self.attempt.exchanges_identities(completed.nan)
        self._give_up_at = now + self._times.initiator
        if frame_3 is None:
            return self._on_lie(f"{self._spoilt}: frame 3 was never sent")
        self._delivery.send(frame_3, now)
        return []

    def _on_delivery(self, now: Micros) -> Outputs:
        if self.state is not InitiatorState.DELIVERING:
            return []
        if self._delivery.state is DeliveryState.LOST:
            expected = f"an acknowledgement to one of {self._times.tries}"
            rule = "frame 3 arrives" if self._held_frame_3 is None else "frame 1 arrives"
            return self._end("ExchangeTimeoutError", PairingCause.TIMED_OUT, rule, expected, "none")
        if self._delivery.state is not DeliveryState.DELIVERED:
            return []
        if self._held_frame_3 is not None:
            frame_3, self._held_frame_3 = self._held_frame_3, None
            return self._delivery.send(frame_3, now)
        if self._is_followed_by_identity:
            self._move(InitiatorInput.DELIVERED)
            self._next_nik = now + self._times.nik_after
            return []
        if self._spoilt:
            return self._on_lie(self._spoilt)
        self._move(InitiatorInput.DELIVERED_LAST)
        return [self.attempt.completed(now)]

    def _send_nik(self, now: Micros) -> Outputs:
        is_repeated = self.state is InitiatorState.WAIT_NIK
        self._move(InitiatorInput.NIK_DUE)
        self._next_nik = now + self._times.nik_repeat
        if self.attempt.context.lies.silent_nik:
            self._next_nik = None
            return [LieTold(peer=self.attempt.partner.name, lie="silent-nik", frame=0)]
        told = [LieTold(peer=self.attempt.partner.name, lie="wrong-nik-key", frame=0)]
        # Where the medium does not tell, the peer may have missed frame 3 and wait for it yet.
        frame_3 = self._delivery.again() if is_repeated and not self._delivery.is_reported else []
        return [*(told if self.attempt.context.lies.wrong_nik_key else ()), *frame_3, self.attempt.identity_frame()]

    def _expire(self) -> Outputs:
        self._move(InitiatorInput.FAIL)
        waited = f"the peer's NIK within {self._times.initiator} µs"
        return [self.attempt.failed(self.attempt.identity_timeout(waited), self.intermediates)]

    def _on_pasn_failed(self, failed: PasnFailed) -> Outputs:
        self._move(InitiatorInput.FAIL)
        failure = failure_of(failed, self.attempt.mode, is_initiator=True, is_answer_out=False)
        return [self.attempt.failed(failure, failed.intermediates)]

    def _on_lie(self, came: str) -> Outputs:
        return self._end("LocalProtocolError", PairingCause.LIE, "lie", "the truth", came)

    def _end(
        self,
        error: str,
        cause: PairingCause,
        rule: str,
        expected: str,
        came: str,
        by: InitiatorInput = InitiatorInput.FAIL,
    ) -> Outputs:
        self._move(by)
        return [self.attempt.failed(Failure(error, cause, rule, expected, came), self.intermediates)]

    def _move(self, by: InitiatorInput) -> None:
        after = INITIATOR_TRANSITIONS.get((self.state, by))
        if after is None:
            raise LocalProtocolError(f"pairing: cannot {by.value} while {self.state.value}")
        self.state = after
