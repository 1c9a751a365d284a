"""The side that is asked for a data path: asks its owner, answers M1 with M2, judges M3, installs keys with M4.

It has the path when M4 has arrived, without security when the confirm has come.
Source: Wi-Fi Aware specification 4.0, sections 7.1.3 and 7.3.
"""

from pairing.engine import Entropy, Micros, Output, Outputs
from pairing.errors import AuthenticationError, LocalProtocolError, RemoteProtocolError
from pairing.nan.attributes import CipherSuiteInfo, NegotiationStatus, ReasonCode, reason_name
from pairing.nan.data_path_exchange import DataPathExchange
from pairing.nan.data_path_side import DataPathSide
from pairing.nan.data_path_states import RESPONDER_TRANSITIONS, ResponderInput, ResponderState
from pairing.nan.data_path_terms import DataPathTerms, NdpAttribute
from pairing.nan.delivery import DeliveryState
from pairing.nan.frames import NafSubtype, NanActionFrame

FINAL = frozenset({ResponderState.CLOSED, ResponderState.FAILED})
NONCE_LENGTH = 32


class DataPathResponder:
    """One data path that a peer asked for, from its request on."""

    def __init__(self, terms: DataPathTerms, request: NanActionFrame, ndp: NdpAttribute, now: Micros) -> None:
        self.state = ResponderState.IDLE
        self.side = DataPathSide(terms, None)
        self._request = request
        self._request_octets = request.encode()
        self.side.hear(ndp)
        self._move(ResponderInput.REQUEST)
        self.side.deadline = now + terms.settings.times.answer

    @property
    def is_open(self) -> bool:
        """Whether data may flow."""
        return self.state is ResponderState.OPEN

    @property
    def is_over(self) -> bool:
        """Whether nothing will come of it any more."""
        return self.state in FINAL

    @property
    def deadline(self) -> Micros | None:
        """The end of a wait, or the next repetition."""
        times = (self.side.deadline, self.side.delivery.deadline)
        return min((time for time in times if time is not None), default=None)

    # What the owner asks for.

    def accept(self, exchange: DataPathExchange | None, entropy: Entropy, now: Micros) -> Outputs:
        """Grant the request, with the keys that it asks for."""
        side, request = self.side, self._request
        self._require(ResponderInput.ACCEPT)
        side.exchange = exchange
        if exchange is None:
            frame = side.terms.response(None, None)
        else:
            try:
                exchange.take_request(request)
                exchange.set_own_nonce(entropy(NONCE_LENGTH))
                exchange.check_pmkid(request)
            except RemoteProtocolError as error:
                return self._refuse_keys(error, exchange, now)
            suites = request.find(CipherSuiteInfo)
            if suites is not None:
                exchange.agree_groups(suites)
            exchange.derive()
            frame = exchange.message(2)
        self._move(ResponderInput.ACCEPT)
        side.deadline = now + side.terms.settings.times.step
        return side.send(frame, 2, now, answered=request)

    def refuse(self, reason: int, rule: str, expected: str, came: str, now: Micros) -> Outputs:
        """Say no."""
        self._move(ResponderInput.REFUSE)
        side = self.side
        side.deadline = None
        rejection = side.terms.rejection(reason, None, by_owner=True)
        failed = side.failed("PeerRejectedError", rule, expected, f"{came}: {reason_name(reason)}", reason)
        return [*side.send(rejection, 0, now, answered=self._request), failed]

    def close(self, reason: int, now: Micros) -> Outputs:
        """End it, open or not."""
        was_open, side = self.is_open, self.side
        self._move(ResponderInput.CLOSE)
        ended = (
            side.closed(reason, by_peer=False) if was_open else side.failed("cancelled", "user", "to go on", "ended")
        )
        return [*side.terminate(reason, now, was_open=was_open), ended]

    # What time and the air bring.

    def receive(self, frame: NanActionFrame, ndp: NdpAttribute, now: Micros) -> Outputs:
        """A frame of this data path."""
        side = self.side
        match frame.subtype, self.state:
            case NafSubtype.DATA_PATH_CONFIRM, ResponderState.WAIT_CONFIRM:
                return self._on_confirm(frame, ndp, now)
            case ((NafSubtype.DATA_PATH_REQUEST | NafSubtype.DATA_PATH_CONFIRM), _) if side.is_repeated(frame):
                return side.delivery.resend(now)
            case NafSubtype.DATA_PATH_TERMINATION, _ if (
                self.state,
                ResponderInput.TERMINATED,
            ) in RESPONDER_TRANSITIONS:
                was_open = self.is_open
                self._move(ResponderInput.TERMINATED)
                self._rest()
                return [side.closed(ndp.reason, by_peer=True) if was_open else side.terminated(ndp.reason)]
        return [side.ignored(f"subtype {frame.subtype} while {self.state.value}")]

    def is_begun_by(self, request: NanActionFrame) -> bool:
        """Whether exactly this request began it."""
        return request.encode() == self._request_octets

    def acknowledged(self, payload: bytes, is_acknowledged: bool, now: Micros) -> Outputs:
        """The medium tells whether one of our frames arrived."""
        return self._on_delivery(now) if self.side.delivery.report(payload, is_acknowledged, now) else []

    def handle_timeout(self, now: Micros) -> Outputs:
        """Repeat, or give up."""
        side = self.side
        outputs: list[Output] = [*side.delivery.handle_timeout(now), *self._on_delivery(now)]
        if side.deadline is None or side.deadline > now:
            return outputs
        waited_for = "our owner's decision" if self.state is ResponderState.ASKED else "the confirm"
        self._move(ResponderInput.FAIL)
        return [*outputs, *side.terminate(ReasonCode.UNSPECIFIED, now, was_open=False), side.timed_out(waited_for)]

    # Steps.

    def _refuse_keys(self, error: RemoteProtocolError, exchange: DataPathExchange, now: Micros) -> Outputs:
        side, reason = self.side, ReasonCode.INVALID_PARAMETERS
        self._move(ResponderInput.REFUSE)
        side.deadline = None
        named = exchange.pmkid if isinstance(error, AuthenticationError) else None
        rejection = side.terms.rejection(reason, named, by_owner=False)
        return [*side.send(rejection, 0, now, answered=self._request), side.failed_by(error, "ND-PMKID", reason)]

    def _on_confirm(self, frame: NanActionFrame, ndp: NdpAttribute, now: Micros) -> Outputs:
        side, exchange = self.side, self.side.exchange
        if ndp.status == NegotiationStatus.REJECTED:
            self._move(ResponderInput.FAIL)
            self._rest()
            return [side.rejected(ndp.reason)]
        side.hear(ndp)
        if exchange is None:
            self._move(ResponderInput.CONFIRM_OPEN)
            self._rest()
            return [side.opened()]
        try:
            exchange.take(frame, 3)
        except RemoteProtocolError as error:
            side.trouble = error
            return [side.ignored(str(error))]
        self._move(ResponderInput.CONFIRM)
        side.deadline = None
        sent = side.send(exchange.message(4), 4, now, answered=frame)
        if side.terms.lies.silent_at == 4:
            self._move(ResponderInput.FAIL)
            sent = [*sent, side.failed("LocalProtocolError", "lie", "the truth", "M4 was never sent")]
        return sent

    def _on_delivery(self, now: Micros) -> Outputs:
        side = self.side
        if self.state is not ResponderState.INSTALLING:
            return []
        if side.delivery.state is DeliveryState.DELIVERED:
            self._move(ResponderInput.DELIVERED)
            return [side.opened()]
        if side.delivery.state is DeliveryState.LOST:
            self._move(ResponderInput.FAIL)
            waited_for = "an acknowledgement of the key installment"
            return [*side.terminate(ReasonCode.UNSPECIFIED, now, was_open=False), side.timed_out(waited_for)]
        return []

    def _rest(self) -> None:
        self.side.deadline = None
        self.side.delivery.stop()

    def _require(self, by: ResponderInput) -> ResponderState:
        after = RESPONDER_TRANSITIONS.get((self.state, by))
        if after is None:
            raise LocalProtocolError(f"data path: cannot {by.value} while {self.state.value}")
        return after

    def _move(self, by: ResponderInput) -> None:
        self.state = self._require(by)
