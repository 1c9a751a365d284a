"""The initiator of pairing bootstrapping: asks for one method, comes back when told to, and learns yes or no.

One exchange with one instance of a peer. What follows a yes, the secret and PASN, is pairing's business.
Source: Wi-Fi Aware specification 4.0, section 7.6.2.
"""

from pairing.engine import FrameIgnored, Micros, Output
from pairing.errors import LocalProtocolError
from pairing.nan.attributes import BootstrappingMethods, NpbaStatus, NpbaType, PairingBootstrapping, reason_name
from pairing.nan.bootstrapping_exchange import PROTOCOL, About, Agreement, Partner
from pairing.nan.bootstrapping_rules import (
    BootstrappingProfile,
    explain_reject,
    is_agreed,
    is_single,
    requested_bit,
)
from pairing.nan.bootstrapping_states import INITIATOR_TRANSITIONS, InitiatorInput, InitiatorState
from pairing.nan.events import (
    BootstrappingCompleted,
    BootstrappingDeferred,
    BootstrappingFailed,
    BootstrappingStarted,
)
from pairing.nan.mistakes import known_answer_mistake

CANCELLED = "cancelled"
FINAL_STATES = frozenset({InitiatorState.COMPLETED, InitiatorState.FAILED})


class BootstrappingInitiator:
    """The side that asks. `method` is its own point of view; `offered` what the peer advertised, for explanations."""

    def __init__(
        self,
        partner: Partner,
        profile: BootstrappingProfile,
        method: BootstrappingMethods,
        dialog_token: int,
        offered: BootstrappingMethods = BootstrappingMethods.NONE,
    ) -> None:
        if not is_single(method):
            raise LocalProtocolError(f"a request names one method, got {method.value:#06x}")
        if not 0 < dialog_token <= 0xFF:
            raise LocalProtocolError(f"dialog token {dialog_token}, expected 1 to 255")
        self._partner = partner
        self._profile = profile
        self._method = method
        self._offered = offered
        self._requested = requested_bit(method, profile.reading)
        self._first = PairingBootstrapping(dialog_token, NpbaType.REQUEST, NpbaStatus.ACCEPTED, self._requested)
        self._message = self._first
        self._state = InitiatorState.IDLE
        self._comebacks = 0
        self._retries = 0
        self._next: Micros | None = None
        self._give_up_at: Micros | None = None

    @property
    def state(self) -> InitiatorState:
        """Where the exchange stands."""
        return self._state

    @property
    def is_over(self) -> bool:
        """Nothing more will come of it."""
        return self._state in FINAL_STATES

    def is_with(self, partner: Partner) -> bool:
        """Whether the exchange is between these two instances."""
        ours = self._partner
        return (ours.instance_id, ours.session.instance_id) == (partner.instance_id, partner.session.instance_id)

    @property
    def agreement(self) -> Agreement | None:
        """What pairing needs, once completed."""
        if self._state is not InitiatorState.COMPLETED:
            return None
        return Agreement(partner=self._partner, is_initiator=True, method=self._method, npba=self._first)

    @property
    def deadline(self) -> Micros | None:
        """The next repetition or return, or the end of patience."""
        return min((time for time in (self._next, self._give_up_at) if time is not None), default=None)

    def start(self, now: Micros) -> list[Output]:
        """Send the request."""
        self._move(InitiatorInput.START)
        if self._profile.timeout is not None:
            self._give_up_at = now + self._profile.timeout
        started = BootstrappingStarted(**self._about(), requested=self._requested)
        return [started, *self._send(now)]

    def cancel(self, now: Micros) -> list[Output]:
        """Our user has changed his mind; the peer is not told."""
        self._move(InitiatorInput.CANCEL)
        return [self._failed(CANCELLED, "user", "to go on", "cancelled")]

    def handle_timeout(self, now: Micros) -> list[Output]:
        """Repeat, come back, or give up."""
        if self._give_up_at is not None and self._give_up_at <= now:
            self._move(InitiatorInput.GIVE_UP)
            return [
                self._failed("ExchangeTimeoutError", "timeout", f"an end within {self._profile.timeout} µs", "none")
            ]
        if self._next is None or self._next > now:
            return []
        if self._state is InitiatorState.DEFERRED:
            self._move(InitiatorInput.COMEBACK_DUE)
            self._retries = 0
            return self._send(now)
        if self._profile.max_retries is not None and self._retries >= self._profile.max_retries:
            self._move(InitiatorInput.GIVE_UP)
            expected = f"an answer to one of {self._retries + 1} requests"
            return [self._failed("ExchangeTimeoutError", "retries", expected, "none")]
        self._move(InitiatorInput.RETRY_DUE)
        self._retries += 1
        return self._send(now)

    def on_response(self, message: PairingBootstrapping, now: Micros) -> list[Output]:
        """The peer's answer."""
        if message.dialog_token != self._first.dialog_token:
            return [self._ignored(f"dialog token {message.dialog_token}, expected {self._first.dialog_token}")]
        match message.status:
            case NpbaStatus.ACCEPTED:
                return self._on_accepted(message)
            case NpbaStatus.REJECTED:
                return self._on_rejected(message)
            case NpbaStatus.COMEBACK:
                return self._on_comeback(message, now)
        return self._refuse("RemoteProtocolError", "status", "0, 1 or 2", str(message.status))

    def _on_accepted(self, message: PairingBootstrapping) -> list[Output]:
        if not is_agreed(self._requested, message.methods, self._profile.accepted_bit):
            came = f"{message.methods.value:#06x}"
            expected = f"the counterpart of {self._requested.value:#06x}"
            hint = known_answer_mistake(self._requested, message.methods) or ""
            return self._refuse("NegotiationError", "accepted method", expected, came, hint=hint)
        if not self._allows(InitiatorInput.ACCEPTED):
            return [self._ignored(f"accepted while {self._state.value}")]
        self._move(InitiatorInput.ACCEPTED)
        return [BootstrappingCompleted(**self._about())]

    def _on_rejected(self, message: PairingBootstrapping) -> list[Output]:
        came = f"rejected, reason {message.reason} ({reason_name(message.reason)})"
        hint = explain_reject(self._requested, self._offered)
        return self._refuse("PeerRejectedError", "status", "accepted or comeback", came, message.reason, hint)

    def _on_comeback(self, message: PairingBootstrapping, now: Micros) -> list[Output]:
        if not self._allows(InitiatorInput.COMEBACK_ASKED):
            return [self._ignored(f"comeback while {self._state.value}")]
        limit = self._profile.max_comebacks
        if limit is not None and self._comebacks >= limit:
            self._move(InitiatorInput.GIVE_UP)
            came = f"comeback number {self._comebacks + 1}"
            return [self._failed("PeerRejectedError", "comebacks", f"an answer after {limit}", came, message.reason)]
        self._move(InitiatorInput.COMEBACK_ASKED)
        self._comebacks += 1
        after = message.comeback_after or 0
        token = self._first.dialog_token
        self._message = PairingBootstrapping(
            token, NpbaType.REQUEST, NpbaStatus.COMEBACK, self._requested, cookie=message.cookie or b""
        )
        self._next = now + max(after, 1) * self._profile.comeback_unit
        return [BootstrappingDeferred(**self._about(), comeback_after=after, count=self._comebacks)]

    def _send(self, now: Micros) -> list[Output]:
        self._next = now + self._profile.retry_interval
        return [self._partner.wrap(self._message)]

    def _refuse(
        self, error: str, rule: str, expected: str, came: str, reason: int | None = None, hint: str = ""
    ) -> list[Output]:
        if not self._allows(InitiatorInput.REFUSED):
            return [self._ignored(f"{rule}: {came} while {self._state.value}")]
        self._move(InitiatorInput.REFUSED)
        return [self._failed(error, rule, expected, came, reason, hint)]

    def _allows(self, by: InitiatorInput) -> bool:
        return (self._state, by) in INITIATOR_TRANSITIONS

    def _move(self, by: InitiatorInput) -> None:
        if not self._allows(by):
            raise LocalProtocolError(f"bootstrapping: cannot {by.value} while {self._state.value}")
        self._state = INITIATOR_TRANSITIONS[self._state, by]
        if self.is_over:
            self._next = self._give_up_at = None

    def _about(self) -> About:
        return self._partner.about(self._first.dialog_token, self._method)

    def _failed(
        self, error: str, rule: str, expected: str, came: str, reason: int | None = None, hint: str = ""
    ) -> BootstrappingFailed:
        return BootstrappingFailed(
            **self._about(), error=error, rule=rule, expected=expected, came=came, reason=reason, hint=hint
        )

    def _ignored(self, reason: str) -> FrameIgnored:
        return FrameIgnored(peer=self._partner.name, reason=reason, protocol=PROTOCOL)
