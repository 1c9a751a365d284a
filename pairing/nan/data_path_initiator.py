"""The side that asks for a data path: sends M1, judges M2, proves itself with M3, and has the path with M4.

Without security it has the path when its confirm has arrived.
Source: Wi-Fi Aware specification 4.0, sections 7.1.3 and 7.3.
"""

from pairing.engine import Micros, Output, Outputs
from pairing.errors import AuthenticationError, LocalProtocolError, NegotiationError, RemoteProtocolError
from pairing.nan.attributes import (
    CipherSuiteInfo,
    Ndc,
    Ndl,
    NegotiationStatus,
    ReasonCode,
    SecurityContextInfo,
)
from pairing.nan.data_path_events import DataPathStarted
from pairing.nan.data_path_exchange import DataPathExchange
from pairing.nan.data_path_side import DataPathSide
from pairing.nan.data_path_states import INITIATOR_TRANSITIONS, InitiatorInput, InitiatorState
from pairing.nan.data_path_terms import DataPathTerms, NdpAttribute
from pairing.nan.delivery import DeliveryState
from pairing.nan.frames import NafSubtype, NanActionFrame

FINAL = frozenset({InitiatorState.CLOSED, InitiatorState.FAILED})


class DataPathInitiator:
    """One data path that our side asked for."""

    def __init__(self, terms: DataPathTerms, exchange: DataPathExchange | None) -> None:
        self.state = InitiatorState.IDLE
        self.side = DataPathSide(terms, exchange)

    @property
    def is_open(self) -> bool:
        """Whether data may flow."""
        return self.state is InitiatorState.OPEN

    @property
    def is_over(self) -> bool:
        """Whether nothing will come of it any more."""
        return self.state in FINAL

    @property
    def deadline(self) -> Micros | None:
        """The end of a wait, or the next repetition."""
        times = (self.side.deadline, self.side.delivery.deadline)
        return min((time for time in times if time is not None), default=None)

    def start(self, now: Micros) -> Outputs:
        """Send the request."""
        side, exchange = self.side, self.side.exchange
        self._move(InitiatorInput.START)
        side.deadline = now + side.terms.settings.times.answer
        frame = side.terms.request(None, None) if exchange is None else exchange.message(1)
        return [DataPathStarted(**side.about), *side.send(frame, 1, now)]

    def close(self, reason: int, now: Micros) -> Outputs:
        """End it, open or not."""
        was_open = self.is_open
        self._move(InitiatorInput.CLOSE)
        side = self.side
        ended = (
            side.closed(reason, by_peer=False) if was_open else side.failed("cancelled", "user", "to go on", "ended")
        )
        return [*side.terminate(reason, now, was_open=was_open), ended]

    def receive(self, frame: NanActionFrame, ndp: NdpAttribute, now: Micros) -> Outputs:
        """A frame of this data path."""
        side = self.side
        match frame.subtype, self.state:
            case NafSubtype.DATA_PATH_RESPONSE, InitiatorState.WAIT_RESPONSE:
                return self._on_response(frame, ndp, now)
            case NafSubtype.DATA_PATH_RESPONSE, _ if side.is_repeated(frame):
                return side.delivery.resend(now)
            case NafSubtype.DATA_PATH_KEY_INSTALLMENT, InitiatorState.WAIT_INSTALL:
                return self._on_install(frame, ndp, now)
            case NafSubtype.DATA_PATH_TERMINATION, _ if (
                self.state,
                InitiatorInput.TERMINATED,
            ) in INITIATOR_TRANSITIONS:
                was_open = self.is_open
                self._move(InitiatorInput.TERMINATED)
                self._rest()
                return [side.closed(ndp.reason, by_peer=True) if was_open else side.terminated(ndp.reason)]
        return [side.ignored(f"subtype {frame.subtype} while {self.state.value}")]

    def acknowledged(self, payload: bytes, is_acknowledged: bool, now: Micros) -> Outputs:
        """The medium tells whether one of our frames arrived."""
        return self._on_delivery(now) if self.side.delivery.report(payload, is_acknowledged, now) else []

    def handle_timeout(self, now: Micros) -> Outputs:
        """Repeat, or give up."""
        side = self.side
        outputs: list[Output] = [*side.delivery.handle_timeout(now), *self._on_delivery(now)]
        if side.deadline is None or side.deadline > now:
            return outputs
        waited_for = "the response" if self.state is InitiatorState.WAIT_RESPONSE else "the key installment"
        self._move(InitiatorInput.FAIL)
        return [*outputs, *side.terminate(ReasonCode.UNSPECIFIED, now, was_open=False), side.timed_out(waited_for)]

    # Steps.

    def _on_response(self, frame: NanActionFrame, ndp: NdpAttribute, now: Micros) -> Outputs:
        side, exchange = self.side, self.side.exchange
        if ndp.status == NegotiationStatus.REJECTED:
            return self._on_rejection(frame, ndp)
        if ndp.responder_ndi is None:
            return self._trouble(RemoteProtocolError("response without the responder's NDI"), now)
        side.with_terms(peer_ndi=ndp.responder_ndi)
        side.hear(ndp)
        if exchange is None:
            self._move(InitiatorInput.RESPONSE_OPEN)
            side.deadline = None
            self._agree_schedule(frame)
            return side.send(side.terms.confirm(None), 3, now, answered=frame)
        try:
            suites = frame.find(CipherSuiteInfo)
            if suites is None or side.terms.suite not in {offer.suite for offer in suites.suites}:
                raise NegotiationError(f"response without cipher suite {side.terms.suite}, which was asked for")
            exchange.check_pmkid(frame)
            exchange.agree_groups(suites)
            exchange.take(frame, 2)
        except RemoteProtocolError as error:
            return self._trouble(error, now)
        self._move(InitiatorInput.RESPONSE)
        self._agree_schedule(frame)
        side.deadline = now + side.terms.settings.times.step
        return side.send(exchange.message(3), 3, now, answered=frame)

    def _agree_schedule(self, frame: NanActionFrame) -> None:
        """A responder may propose another schedule; with no radio behind us, every schedule suits."""
        ndl = frame.find(Ndl)
        if ndl is not None and ndl.status == NegotiationStatus.CONTINUED:
            self.side.with_terms(counter=frame.find(Ndc))

    def _on_rejection(self, frame: NanActionFrame, ndp: NdpAttribute) -> Outputs:
        side, exchange = self.side, self.side.exchange
        self._move(InitiatorInput.FAIL)
        self._rest()
        is_named = frame.find(SecurityContextInfo) is not None
        if exchange is not None and is_named and ndp.reason == ReasonCode.INVALID_PARAMETERS:
            try:
                exchange.check_pmkid(frame)
            except AuthenticationError as error:
                return [side.failed_by(error, "ND-PMKID", ndp.reason)]
        return [side.rejected(ndp.reason)]

    def _on_install(self, frame: NanActionFrame, ndp: NdpAttribute, now: Micros) -> Outputs:
        side, exchange = self.side, self.side.exchange
        if exchange is None:
            return [side.ignored("a key installment without security")]
        try:
            if ndp.status != NegotiationStatus.ACCEPTED:
                raise RemoteProtocolError(f"M4: status {ndp.status}, expected accepted")
            exchange.take(frame, 4)
        except RemoteProtocolError as error:
            return self._trouble(error, now)
        side.hear(ndp)
        self._move(InitiatorInput.INSTALL)
        self._rest()
        return [side.opened()]

    def _on_delivery(self, now: Micros) -> Outputs:
        side = self.side
        if self.state is not InitiatorState.DELIVERING:
            return []
        if side.delivery.state is DeliveryState.DELIVERED:
            self._move(InitiatorInput.DELIVERED)
            self._rest()
            return [side.opened()]
        if side.delivery.state is DeliveryState.LOST:
            self._move(InitiatorInput.FAIL)
            return [
                *side.terminate(ReasonCode.UNSPECIFIED, now, was_open=False),
                side.timed_out("an acknowledgement of the confirm"),
            ]
        return []

    def _trouble(self, error: RemoteProtocolError, now: Micros) -> Outputs:
        """A frame of no use: it may be forged, so the right one is waited for, but not for long."""
        side = self.side
        side.trouble = error
        soon = now + side.terms.settings.times.step
        side.deadline = soon if side.deadline is None else min(side.deadline, soon)
        return [side.ignored(str(error))]

    def _rest(self) -> None:
        self.side.deadline = None
        self.side.delivery.stop()

    def _move(self, by: InitiatorInput) -> None:
        after = INITIATOR_TRANSITIONS.get((self.state, by))
        if after is None:
            raise LocalProtocolError(f"data path: cannot {by.value} while {self.state.value}")
        self.state = after
