"""The responder of pairing bootstrapping: judges the method, asks its user where it must, and answers.

One exchange with one instance of a peer. While the user thinks, the peer is told to come back with a cookie.
Source: Wi-Fi Aware specification 4.0, section 7.6.2.
"""

from pairing.engine import Entropy, FrameIgnored, Micros, Output
from pairing.errors import LocalProtocolError
from pairing.nan.attributes import BootstrappingMethods, NpbaStatus, NpbaType, PairingBootstrapping, reason_name
from pairing.nan.bootstrapping_exchange import PROTOCOL, About, Agreement, Partner
from pairing.nan.bootstrapping_rules import BootstrappingProfile, Verdict, explain_reject, judge
from pairing.nan.bootstrapping_states import RESPONDER_TRANSITIONS, ResponderInput, ResponderState
from pairing.nan.events import BootstrappingCompleted, BootstrappingFailed, BootstrappingRequested
from pairing.nan.mistakes import known_bootstrapping_mistake

COOKIE_LENGTH = 4
WAITING_STATES = frozenset({ResponderState.PENDING, ResponderState.AUTHORISED, ResponderState.REFUSED})
"""The peer has been told to come back."""
ANSWERED_STATES = frozenset({ResponderState.COMPLETED, ResponderState.REJECTED})
_BY_VERDICT = {
    Verdict.UNKNOWN: ResponderInput.METHOD_UNKNOWN,
    Verdict.AUTO_ACCEPTED: ResponderInput.METHOD_AUTO_ACCEPTED,
    Verdict.NEEDS_USER: ResponderInput.METHOD_NEEDS_USER,
}


class BootstrappingResponder:
    """The side that is asked, from its first request on."""

    def __init__(
        self, partner: Partner, profile: BootstrappingProfile, entropy: Entropy, request: PairingBootstrapping
    ) -> None:
        self._partner = partner
        self._profile = profile
        self._entropy = entropy
        self._request = request
        self._last_request = request
        self._verdict, self._method = judge(request.methods, partner.session.methods, profile)
        self._state = ResponderState.IDLE
        self._cookie: bytes | None = None
        self._reject_reason = profile.reject_reason
        self._heard_at: Micros = 0

    @property
    def state(self) -> ResponderState:
        """Where the exchange stands."""
        return self._state

    @property
    def is_waiting_for_user(self) -> bool:
        """Whether `accept` and `reject` mean something."""
        return self._state in WAITING_STATES

    @property
    def agreement(self) -> Agreement | None:
        """What pairing needs, once completed."""
        if self._state is not ResponderState.COMPLETED:
            return None
        return Agreement(partner=self._partner, is_initiator=False, method=self._method, npba=self._last_request)

    @property
    def deadline(self) -> Micros | None:
        """The end of patience with a peer that does not come back, or of the memory of what was answered."""
        if self._state in ANSWERED_STATES:
            return self._heard_at + self._profile.memory
        if self._state in WAITING_STATES and self._profile.patience is not None:
            return self._heard_at + self._profile.patience
        return None

    def is_repeated_by(self, message: PairingBootstrapping, peer_instance_id: int) -> bool:
        """Whether a request without a cookie is the first one again, not the beginning of another exchange."""
        if self._state in ANSWERED_STATES and self._cookie is not None:
            return False  # whoever missed that answer would come back with the cookie
        return (
            message.dialog_token == self._request.dialog_token
            and message.methods == self._request.methods
            and peer_instance_id == self._partner.instance_id
        )

    def start(self, now: Micros) -> list[Output]:
        """Answer the first request."""
        self._heard_at = now
        self._move(_BY_VERDICT[self._verdict])
        if self._state is ResponderState.REJECTED:
            return [*self._answer(), self._no_such_method()]
        if self._state is ResponderState.COMPLETED:
            return [*self._answer(), BootstrappingCompleted(**self._about())]
        self._cookie = self._entropy(COOKIE_LENGTH)
        asked = [BootstrappingRequested(**self._about(), requested=self._request.methods)]
        return [*(asked if self._profile.is_user_asked else ()), *self._answer()]

    def on_repetition(self, now: Micros) -> list[Output]:
        """The first request again: our answer was lost, or is late."""
        if self._state in WAITING_STATES and self._profile.does_ignore_request_without_cookie:
            return [self._ignored("a request without the cookie while a comeback is pending")]
        if not self._allows(ResponderInput.REPEATED):
            return [self._ignored(f"request while {self._state.value}")]
        self._heard_at = now
        self._move(ResponderInput.REPEATED)
        return self._comeback() if self._state in WAITING_STATES else self._answer()

    def on_return(self, message: PairingBootstrapping, peer_instance_id: int, now: Micros) -> list[Output]:
        """The peer is back with a cookie."""
        wrong = self._wrong_return(message, peer_instance_id)
        if wrong is not None:
            return [self._ignored(wrong)]
        before = self._state
        self._heard_at = now
        self._last_request = message
        self._move(ResponderInput.RETURNED)
        outputs: list[Output] = [*self._answer()]
        if self._state is not before and self._state is ResponderState.COMPLETED:
            outputs.append(BootstrappingCompleted(**self._about()))
        elif self._state is not before and self._state is ResponderState.REJECTED:
            outputs.append(self._refused_by_user())
        return outputs

    def _wrong_return(self, message: PairingBootstrapping, peer_instance_id: int) -> str | None:
        if self._cookie is None or not self._allows(ResponderInput.RETURNED):
            return f"comeback while {self._state.value}, nobody was asked to"
        if message.cookie != self._cookie:
            return f"cookie {(message.cookie or b'').hex()}, expected {self._cookie.hex()}"
        if message.dialog_token != self._request.dialog_token:
            return f"dialog token {message.dialog_token}, expected {self._request.dialog_token}"
        if peer_instance_id != self._partner.instance_id:
            return f"instance {peer_instance_id}, expected {self._partner.instance_id}"
        if message.methods != self._request.methods:
            return f"method {message.methods.value:#06x}, expected {self._request.methods.value:#06x}"
        return None

    def accept(self, now: Micros) -> list[Output]:
        """Our user allows the method; the peer learns it when it comes back."""
        self._move(ResponderInput.ACCEPT)
        return []

    def reject(self, now: Micros, reason: int | None = None) -> list[Output]:
        """Our user refuses; the peer learns it when it comes back."""
        self._move(ResponderInput.REJECT)
        self._reject_reason = self._profile.user_reject_reason if reason is None else reason
        return []

    def handle_timeout(self, now: Micros) -> list[Output]:
        """The peer has not come back for too long."""
        if self.deadline is None or self.deadline > now or self._state not in WAITING_STATES:
            return []
        patience = self._profile.patience
        self._move(ResponderInput.GIVE_UP)
        return [
            BootstrappingFailed(
                **self._about(),
                error="ExchangeTimeoutError",
                rule="comeback",
                expected=f"the request again within {patience} µs",
                came="none",
            )
        ]

    # Messages and events.

    def _answer(self) -> list[Output]:
        match self._state:
            case ResponderState.COMPLETED:
                return [self._respond(NpbaStatus.ACCEPTED, self._method)]
            case ResponderState.REJECTED:
                return [self._respond(NpbaStatus.REJECTED, reason=self._reject_reason)]
        return self._comeback()

    def _comeback(self) -> list[Output]:
        after = self._profile.comeback_after
        return [self._respond(NpbaStatus.COMEBACK, comeback_after=after, cookie=self._cookie)]

    def _respond(
        self,
        status: NpbaStatus,
        methods: BootstrappingMethods = BootstrappingMethods.NONE,
        reason: int = 0,
        comeback_after: int | None = None,
        cookie: bytes | None = None,
    ) -> Output:
        token = self._request.dialog_token
        message = PairingBootstrapping(token, NpbaType.RESPONSE, status, methods, reason, comeback_after, cookie)
        return self._partner.wrap(message)

    def _no_such_method(self) -> BootstrappingFailed:
        requested, offered = self._request.methods, self._partner.session.methods
        return BootstrappingFailed(
            **self._about(),
            error="NegotiationError",
            rule="bootstrapping method",
            expected=f"one that {offered.value:#06x} offers, as {self._profile.reading.value}",
            came=f"{requested.value:#06x}",
            reason=self._reject_reason,
            hint=known_bootstrapping_mistake(self._request, offered) or explain_reject(requested, offered),
        )

    def _refused_by_user(self) -> BootstrappingFailed:
        return BootstrappingFailed(
            **self._about(),
            error="PeerRejectedError",
            rule="user",
            expected="to accept",
            came=f"rejected, reason {self._reject_reason} ({reason_name(self._reject_reason)})",
            reason=self._reject_reason,
        )

    def _about(self) -> About:
        return self._partner.about(self._request.dialog_token, self._method)

    def _allows(self, by: ResponderInput) -> bool:
        return (self._state, by) in RESPONDER_TRANSITIONS

    def _move(self, by: ResponderInput) -> None:
        if not self._allows(by):
            raise LocalProtocolError(f"bootstrapping: cannot {by.value} while {self._state.value}")
        self._state = RESPONDER_TRANSITIONS[self._state, by]

    def _ignored(self, reason: str) -> FrameIgnored:
        return FrameIgnored(peer=self._partner.name, reason=reason, protocol=PROTOCOL)
