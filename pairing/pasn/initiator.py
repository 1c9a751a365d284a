"""The PASN initiator: sends frame 1, judges frame 2, answers with frame 3 and has the keys.

One object is one attempt with one peer. A wrong password or key shows here first, since frame 2 carries the responder's
proof; like other NAN devices it then falls silent, unless its settings say otherwise.
Source: IEEE 802.11az-2022, 12.13; Wi-Fi Aware pairing setup and verification.
"""

from pairing.engine import Address, Entropy, Event, FrameIgnored, Micros, Outputs
from pairing.errors import (
    DecodeError,
    ExchangeTimeoutError,
    LocalProtocolError,
    NegotiationError,
    PairingError,
    PeerRejectedError,
    RemoteProtocolError,
)
from pairing.ieee80211 import elements as ie
from pairing.ieee80211.elements import Comeback, PasnParameters, Rsne
from pairing.ieee80211.frames import StatusCode
from pairing.pasn import checks
from pairing.pasn.events import (
    LieTold,
    PasnCompleted,
    PasnDeclined,
    PasnFailed,
    PasnIntermediates,
    PasnPostponed,
)
from pairing.pasn.exchange import Exchange
from pairing.pasn.framing import address_text, ignored, read_frame, transmit
from pairing.pasn.messages import PasnFrame, compose, flip_last, nan_element
from pairing.pasn.settings import TU, Credential, PasnSettings
from pairing.pasn.states import INITIATOR, InitiatorInput, InitiatorState
from pairing.sae.messages import SaeCommit, SaeConfirm, split_bodies


class PasnInitiator:
    """One attempt. `start` begins it; `deadline` and `handle_timeout` end it if the peer does not."""

    def __init__(self, settings: PasnSettings, credential: Credential, entropy: Entropy) -> None:
        self.state = InitiatorState.IDLE
        self._settings = settings
        self._lies = settings.lies
        self._credential = credential
        self._entropy = entropy
        self._peer = address_text(settings.peer)
        self._exchange: Exchange | None = None
        self._body_1 = b""
        self._give_up_at: Micros = 0
        self._next_at: Micros | None = None
        self._repeats = 0
        self._cookie: Comeback | None = None

    @property
    def deadline(self) -> Micros | None:
        """The next comeback, repeat or the end of the attempt."""
        if self.state not in (InitiatorState.WAIT_FRAME_2, InitiatorState.WAIT_COMEBACK):
            return None
        return self._give_up_at if self._next_at is None else min(self._next_at, self._give_up_at)

    @property
    def intermediates(self) -> PasnIntermediates:
        """Every value derived so far."""
        return PasnIntermediates() if self._exchange is None else self._exchange.intermediates

    def start(self, now: Micros) -> Outputs:
        """Draw our keys and send frame 1."""
        self._require(InitiatorInput.START)
        own, peer = self._settings.own, self._settings.peer
        suite = self._settings.suites[0]
        self._exchange = Exchange(self._credential, suite, own, peer, self._entropy, initiates=True)
        self._move(InitiatorInput.START)
        self._give_up_at = now + self._settings.times.attempt
        self._repeats = self._settings.times.repeats
        return self._send_frame_1(now)

    def abort(self, now: Micros) -> Outputs:
        """End the attempt; the peer is told nothing."""
        self._move(InitiatorInput.ABORT)
        return (PasnDeclined(peer=self._peer),)

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A frame has arrived."""
        frame = read_frame(self._settings, payload, 2)
        if isinstance(frame, FrameIgnored):
            return (frame,)
        if self.state is not InitiatorState.WAIT_FRAME_2 or self._exchange is None:
            return (ignored(self._settings, f"PASN frame 2 in state {self.state.value}"),)
        try:
            if frame.status == StatusCode.REJECTED_TEMPORARILY:
                return self._on_comeback(frame, now)
            if frame.status != StatusCode.SUCCESS:
                raise PeerRejectedError(f"PASN frame 2: the peer refused with status {frame.status}", frame.status)
            return self._on_frame_2(frame, self._exchange)
        except RemoteProtocolError as error:
            return self._refuse(error, tell=frame.status == StatusCode.SUCCESS)

    def handle_timeout(self, now: Micros) -> Outputs:
        """The deadline has passed."""
        if (deadline := self.deadline) is None or now < deadline:
            return ()
        if now >= self._give_up_at:
            waited_for = "PASN frame 2" if self.state is InitiatorState.WAIT_FRAME_2 else "the comeback time"
            self._move(InitiatorInput.TIMEOUT)
            return (self._failed(ExchangeTimeoutError(f"nothing usable came while waiting for {waited_for}"), 0),)
        if self.state is InitiatorState.WAIT_COMEBACK:
            self._move(InitiatorInput.COMEBACK_OVER)
        else:
            self._repeats -= 1
            self._move(InitiatorInput.REPEAT)
        return self._send_frame_1(now)

    def _send_frame_1(self, now: Micros) -> Outputs:
        exchange, lies = self._begun(), self._lies
        sae = exchange.sae
        frame = compose(
            1,
            (
                exchange.rsne(exchange.own_pmkids()),
                None if sae is None else ie.wrapped_data(exchange.commit.encode()),
                exchange.rsnxe(),
                exchange.parameters(self._cookie, lies.wrong_group),
                None if lies.no_nan_element else nan_element(self._settings.nan),
            ),
        )
        self._body_1 = frame.encode()
        self._next_at = now + self._settings.times.repeat_after if self._repeats > 0 else None
        told = [("no-nan-element", lies.no_nan_element), ("wrong-group", lies.wrong_group is not None)]
        return self._send(1, self._body_1, told)

    def _on_comeback(self, frame: PasnFrame, now: Micros) -> Outputs:
        comeback = checks.check_parameters(frame).comeback
        if comeback is None or comeback.after_tu is None:
            raise PeerRejectedError("PASN frame 2: status 30 without a comeback time", frame.status)
        self._move(InitiatorInput.COMEBACK)
        self._cookie = Comeback(comeback.cookie)
        self._next_at = now + comeback.after_tu * TU
        return (PasnPostponed(peer=self._peer, after_tu=comeback.after_tu),)

    def _on_frame_2(self, frame: PasnFrame, exchange: Exchange) -> Outputs:
        rsne = checks.check_rsne(frame)
        self._check_choice(rsne, exchange)
        key = checks.check_public_key(frame, checks.check_parameters(frame), exchange.suite)
        if exchange.sae is not None:
            commit, confirm = _read_proof(frame)
            exchange.sae.receive_commit(commit)
            exchange.sae.receive_confirm(confirm)
        exchange.derive(key)
        exchange.check_mic_2(self._body_1, frame)
        self._move(InitiatorInput.FRAME_2)
        if self._lies.reject_status is not None:
            told = (LieTold(peer=self._peer, lie="reject-status", frame=3), *self._reject(self._lies.reject_status))
            return (*told, PasnDeclined(peer=self._peer, status=self._lies.reject_status))
        completed = PasnCompleted(
            peer=self._peer,
            mode=self._credential.mode,
            nan=frame.nan or b"",
            pmkid=rsne.pmkids[0] if rsne.pmkids else None,
            keys=exchange.keys,
        )
        return (*self._send_frame_3(exchange), completed)

    def _check_choice(self, rsne: Rsne, exchange: Exchange) -> None:
        if (rsne.akms[0], rsne.pairwise[0]) != (exchange.akm, exchange.suite.cipher):
            came = f"AKM {rsne.akms[0]:#010x} and cipher {rsne.pairwise[0]:#010x}"
            raise NegotiationError(
                f"PASN frame 2: {came}, expected {exchange.akm:#010x} and {exchange.suite.cipher:#010x}",
                StatusCode.INVALID_RSNE,
            )

    def _send_frame_3(self, exchange: Exchange) -> Outputs:
        lies = self._lies
        wrapped = None
        if exchange.sae is not None:
            confirm = exchange.sae.confirm().encode()
            wrapped = ie.wrapped_data(flip_last(confirm) if lies.wrong_confirm else confirm)
        frame = compose(
            3,
            (
                wrapped,
                PasnParameters(exchange.wrapped_format).encode(),
                None if lies.no_nan_element else nan_element(self._settings.nan),
                ie.mic(bytes(exchange.suite.mic_length(exchange.akm))),
            ),
        )
        value = exchange.mic_3(self._body_1, frame)
        body = frame.with_mic(flip_last(value) if lies.wrong_mic else value).encode()
        told = [
            ("no-nan-element", lies.no_nan_element),
            ("wrong-confirm", lies.wrong_confirm and wrapped is not None),
            ("wrong-mic", lies.wrong_mic),
        ]
        return self._send(3, body, told)

    def _refuse(self, error: RemoteProtocolError, *, tell: bool) -> Outputs:
        self._move(InitiatorInput.REFUSED)
        told = self._reject(StatusCode.UNSPECIFIED_FAILURE) if tell and self._settings.reject_on_failure else ()
        return (*told, self._failed(error, 2))

    def _reject(self, status: int) -> Outputs:
        return (transmit(self._settings, compose(3, (nan_element(self._settings.nan),), status).encode()),)

    def _send(self, number: int, body: bytes, lies: list[tuple[str, bool]]) -> Outputs:
        told = [LieTold(peer=self._peer, lie=lie, frame=number) for lie, is_told in lies if is_told]
        if self._lies.silent_at == number:
            return (LieTold(peer=self._peer, lie="silent-at", frame=number),)
        return (*told, transmit(self._settings, body))

    def _failed(self, error: PairingError, frame: int) -> Event:
        mistake = "" if self._exchange is None else self._exchange.mistake
        values = self.intermediates
        return PasnFailed(peer=self._peer, error=error, frame=frame, mistake=mistake, intermediates=values)

    def _begun(self) -> Exchange:
        if self._exchange is None:
            raise LocalProtocolError("the attempt has not begun")
        return self._exchange

    def _require(self, what: InitiatorInput) -> InitiatorState:
        after = INITIATOR.get((self.state, what))
        if after is None:
            raise LocalProtocolError(f"PASN initiator in state {self.state.value}: {what.value} is not allowed")
        return after

    def _move(self, what: InitiatorInput) -> None:
        self.state = self._require(what)


def _read_proof(frame: PasnFrame) -> tuple[SaeCommit, SaeConfirm]:
    """The responder's Commit and Confirm."""
    try:
        commit, confirm = split_bodies(frame.wrapped or b"")
        return SaeCommit.decode(commit), SaeConfirm.decode(confirm)
    except DecodeError as error:
        message = f"PASN frame 2: wrapped SAE data: {error.reason}"
        raise RemoteProtocolError(message, StatusCode.UNSPECIFIED_FAILURE) from None
