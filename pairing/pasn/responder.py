"""The PASN responder: judges frame 1, asks its owner, answers with frame 2, and has the keys when frame 3 proves them.

One object is one peer's attempt; a frame 1 that comes again before the end begins it anew, as other NAN devices have
it. The owner decides on each request, and knows passwords, cached keys and PMKIDs.
Source: IEEE 802.11az-2022, 12.13; Wi-Fi Aware pairing setup and verification.
"""

from dataclasses import dataclass, replace

from pairing.crypto.curves import PublicKey
from pairing.engine import Address, Entropy, FrameIgnored, Micros, Outputs, Transmit
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
from pairing.ieee80211.elements import Akm, Comeback, PasnParameters, Rsne, WrappedDataFormat
from pairing.ieee80211.frames import StatusCode
from pairing.pasn import checks
from pairing.pasn.events import (
    LieTold,
    PasnCompleted,
    PasnDeclined,
    PasnFailed,
    PasnIntermediates,
    PasnMode,
    PasnPostponed,
    PasnRequested,
)
from pairing.pasn.exchange import Exchange
from pairing.pasn.framing import address_text, ignored, read_frame, transmit
from pairing.pasn.key_schedule import PasnSuite
from pairing.pasn.messages import PasnFrame, compose, flip_last, nan_element
from pairing.pasn.settings import FOREVER, Credential, PasnSettings
from pairing.pasn.states import RESPONDER, ResponderInput, ResponderState
from pairing.sae.messages import SaeCommit, SaeConfirm, join_bodies, require_hash_to_element

COOKIE_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Request:
    """A frame 1 that could be accepted."""

    mode: PasnMode
    akm: Akm
    suite: PasnSuite
    pmkid: bytes | None
    nan: bytes
    key: PublicKey
    commit: SaeCommit | None
    cookie: bytes | None
    body: bytes

    def asks_the_same(self, other: "Request") -> bool:
        """Whether a decision on one holds for the other."""
        return (self.mode, self.akm, self.suite, self.pmkid) == (other.mode, other.akm, other.suite, other.pmkid)


class PasnResponder:
    """One peer's attempt. `PasnRequested` asks the owner, who answers with `accept` or `reject`."""

    def __init__(self, settings: PasnSettings, entropy: Entropy) -> None:
        self.state = ResponderState.IDLE
        self._settings = settings
        self._lies = settings.lies
        self._comebacks_left = settings.lies.comebacks
        self._entropy = entropy
        self._peer = address_text(settings.peer)
        self._cookie = b""
        self._request: Request | None = None
        self._credential: Credential | None = None
        self._nan = settings.nan
        self._exchange: Exchange | None = None
        self._deadline: Micros | None = None

    @property
    def deadline(self) -> Micros | None:
        """When the owner or the peer has taken too long."""
        return self._deadline

    @property
    def kck(self) -> bytes | None:
        """The key of the MICs, once it is derived; cheaper than all intermediates."""
        return None if self._exchange is None else self._exchange.kck

    @property
    def intermediates(self) -> PasnIntermediates:
        """Every value derived so far."""
        return PasnIntermediates() if self._exchange is None else self._exchange.intermediates

    # The owner's answers

    def accept(self, credential: Credential, now: Micros, nan: bytes | None = None) -> Outputs:
        """Answer the request with frame 2; `nan` replaces the attributes of the settings."""
        if self.state is not ResponderState.ASKED or self._request is None:
            raise LocalProtocolError(f"PASN responder in state {self.state.value}: there is nothing to accept")
        if (credential.mode, credential.akm) != (self._request.mode, self._request.akm):
            asked = f"{self._request.mode.value} with AKM {self._request.akm.name}"
            raise LocalProtocolError(f"the request is {asked}, the credential is {credential.mode.value}")
        try:
            exchange = self._derive(self._request, credential)
        except RemoteProtocolError as error:
            self._move(ResponderInput.REFUSED)
            return (self._refusal_of(error), self._failed(error, 1))
        self._credential = credential
        self._nan = self._settings.nan if nan is None else nan
        return self._answer(ResponderInput.ACCEPT, self._request, exchange, now)

    def reject(self, now: Micros, status: int = StatusCode.UNSPECIFIED_FAILURE, nan: bytes | None = None) -> Outputs:
        """Refuse the request, or give the attempt up once frame 2 is out, silently then."""
        is_answered = self.state is ResponderState.WAIT_FRAME_3
        self._move(ResponderInput.REJECT)
        if is_answered:
            return (PasnDeclined(peer=self._peer),)
        if nan is not None:
            self._nan = nan
        return (self._refusal(status), PasnDeclined(peer=self._peer, status=status))

    def correct_frame_1(self, body: bytes) -> None:
        """The peer's frame 1 was this one: ours had changed on its way, and the same keys came of it."""
        if self._request is not None:
            self._request = replace(self._request, body=body)

    # The peer's frames

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A frame has arrived."""
        frame = read_frame(self._settings, payload, 1, 3)
        if isinstance(frame, FrameIgnored):
            return (frame,)
        if frame.transaction == 1:
            return self._on_frame_1(frame, now)
        return self._on_frame_3(frame)

    def handle_timeout(self, now: Micros) -> Outputs:
        """The deadline has passed."""
        if self._deadline is None or now < self._deadline:
            return ()
        waited_for = "its owner's decision" if self.state is ResponderState.ASKED else "PASN frame 3"
        self._move(ResponderInput.TIMEOUT)
        return (self._failed(ExchangeTimeoutError(f"nothing usable came while waiting for {waited_for}"), 0),)

    def _on_frame_1(self, frame: PasnFrame, now: Micros) -> Outputs:
        if self.state in (ResponderState.DONE, ResponderState.FAILED):
            return (ignored(self._settings, f"PASN frame 1 in state {self.state.value}"),)
        if frame.status != StatusCode.SUCCESS:
            return (ignored(self._settings, f"PASN frame 1 with status {frame.status}"),)
        if self._comebacks_left and self.state is ResponderState.IDLE:
            if self._comebacks_left != FOREVER:
                self._comebacks_left -= 1
            return (LieTold(peer=self._peer, lie="comebacks", frame=2), *self._postpone(self._lies.comeback_tu))
        try:
            request = self._judge(frame)
        except RemoteProtocolError as error:
            return self._refuse(error)
        comeback_tu = self._settings.comeback_tu
        if comeback_tu is not None and self.state is ResponderState.IDLE and not self._is_expected(request.cookie):
            return self._postpone(comeback_tu)
        return self._take(request, now)

    def _judge(self, frame: PasnFrame) -> Request:
        rsne = checks.check_rsne(frame)
        akm, suite = self._choose(rsne)
        parameters = checks.check_parameters(frame)
        key = checks.check_public_key(frame, parameters, suite)
        mode = checks.mode_of(frame, rsne, parameters)
        commit = _read_commit(frame) if mode is PasnMode.PASSWORD else None
        cookie = None if parameters.comeback is None else parameters.comeback.cookie
        pmkid = rsne.pmkids[0] if rsne.pmkids and mode is PasnMode.CACHED else None
        return Request(mode, akm, suite, pmkid, frame.nan or b"", key, commit, cookie, frame.encode())

    def _choose(self, rsne: Rsne) -> tuple[Akm, PasnSuite]:
        """The AKM and the suite of the first cipher that the peer names."""
        akms = [akm for akm in self._settings.akms if akm == rsne.akms[0]]
        suites = [suite for suite in self._settings.suites if suite.cipher == rsne.pairwise[0]]
        if not akms or not suites:
            came = f"AKM {rsne.akms[0]:#010x} and cipher {rsne.pairwise[0]:#010x}"
            ours = ", ".join(f"{akm:#010x}" for akm in self._settings.akms)
            ciphers = ", ".join(f"{suite.cipher:#010x}" for suite in self._settings.suites)
            message = f"PASN frame 1: {came}, expected AKM {ours} and cipher {ciphers}"
            raise NegotiationError(message, StatusCode.INVALID_RSNE)
        return akms[0], suites[0]

    def _take(self, request: Request, now: Micros) -> Outputs:
        is_repeat = self._request is not None and self._request.asks_the_same(request)
        requested = PasnRequested(
            peer=self._peer,
            mode=request.mode,
            akm=request.akm,
            suite=request.suite,
            pmkid=request.pmkid,
            nan=request.nan,
            is_repeat=is_repeat,
        )
        if is_repeat and self.state is ResponderState.WAIT_FRAME_3 and self._credential is not None:
            try:
                exchange = self._derive(request, self._credential)
            except RemoteProtocolError as error:
                return self._refuse(error)
            return (requested, *self._answer(ResponderInput.FRAME_1_AGAIN, request, exchange, now))
        self._move(ResponderInput.FRAME_1)
        self._request = request
        if not is_repeat:
            self._deadline = now + self._settings.times.consent
        return (requested,)

    def _derive(self, request: Request, credential: Credential) -> Exchange:
        own, peer = self._settings.own, self._settings.peer
        exchange = Exchange(credential, request.suite, own, peer, self._entropy, initiates=False)
        if exchange.sae is not None and request.commit is not None:
            exchange.sae.receive_commit(request.commit)
        exchange.derive(request.key)
        return exchange

    def _answer(self, what: ResponderInput, request: Request, exchange: Exchange, now: Micros) -> Outputs:
        self._request, self._exchange = request, exchange
        if self._lies.reject_status is not None:
            status = self._lies.reject_status
            told = LieTold(peer=self._peer, lie="reject-status", frame=2)
            self._move(ResponderInput.REJECT)
            return (told, self._refusal(status), PasnDeclined(peer=self._peer, status=status))
        self._move(what)
        self._deadline = now + self._settings.times.frame_3
        return self._send_frame_2(exchange)

    def _send_frame_2(self, exchange: Exchange) -> Outputs:
        lies = self._lies
        wrapped = None
        if exchange.sae is not None:
            confirm = exchange.sae.confirm().encode()
            confirm = flip_last(confirm) if lies.wrong_confirm else confirm
            wrapped = ie.wrapped_data(join_bodies(exchange.commit.encode(), confirm))
        frame = compose(
            2,
            (
                exchange.rsne(exchange.own_pmkids()),
                wrapped,
                exchange.rsnxe(),
                exchange.parameters(group=lies.wrong_group),
                None if lies.no_nan_element else nan_element(self._nan),
                ie.supported_groups((exchange.suite.group,)),
                ie.mic(bytes(exchange.suite.mic_length(exchange.akm))),
            ),
        )
        value = exchange.mic_2(frame)
        body = frame.with_mic(flip_last(value) if lies.wrong_mic else value).encode()
        if lies.silent_at == 2:
            return (LieTold(peer=self._peer, lie="silent-at", frame=2),)
        told = (
            ("wrong-group", lies.wrong_group is not None),
            ("no-nan-element", lies.no_nan_element),
            ("wrong-confirm", lies.wrong_confirm and wrapped is not None),
            ("wrong-mic", lies.wrong_mic),
        )
        events = [LieTold(peer=self._peer, lie=lie, frame=2) for lie, is_told in told if is_told]
        return (*events, transmit(self._settings, body))

    def _on_frame_3(self, frame: PasnFrame) -> Outputs:
        exchange, request = self._exchange, self._request
        if self.state is not ResponderState.WAIT_FRAME_3 or exchange is None or request is None:
            return (ignored(self._settings, f"PASN frame 3 in state {self.state.value}"),)
        try:
            if frame.status != StatusCode.SUCCESS:
                raise PeerRejectedError(f"PASN frame 3: the peer refused with status {frame.status}", frame.status)
            if exchange.sae is not None:
                exchange.sae.receive_confirm(_read_confirm(frame))
            exchange.check_mic_3(request.body, frame)
        except RemoteProtocolError as error:
            self._move(ResponderInput.REFUSED)
            return (self._failed(error, 3),)
        self._move(ResponderInput.FRAME_3)
        completed = PasnCompleted(
            peer=self._peer, mode=request.mode, nan=frame.nan or b"", pmkid=request.pmkid, keys=exchange.keys
        )
        return (completed,)

    # Refusals

    def _postpone(self, after_tu: int) -> Outputs:
        self._move(ResponderInput.COMEBACK)
        if not self._cookie:
            self._cookie = self._entropy(COOKIE_LENGTH)
        parameters = PasnParameters(WrappedDataFormat.NONE, comeback=Comeback(self._cookie, after_tu))
        frame = compose(2, (parameters.encode(), nan_element(self._nan)), StatusCode.REJECTED_TEMPORARILY)
        return (transmit(self._settings, frame.encode()), PasnPostponed(peer=self._peer, after_tu=after_tu))

    def _is_expected(self, cookie: bytes | None) -> bool:
        return bool(self._cookie) and cookie == self._cookie

    def _refuse(self, error: RemoteProtocolError) -> Outputs:
        """Answer a bad frame 1. It ends an attempt only if it began one: what is under way does not suffer."""
        self._move(ResponderInput.FRAME_1_REFUSED)
        if self.state is ResponderState.FAILED:
            return (self._refusal_of(error), self._failed(error, 1))
        return (self._refusal_of(error), ignored(self._settings, str(error)))

    def _refusal_of(self, error: RemoteProtocolError) -> Transmit:
        return self._refusal(StatusCode.UNSPECIFIED_FAILURE if error.wire_code is None else error.wire_code)

    def _refusal(self, status: int) -> Transmit:
        groups = None
        if status == StatusCode.UNSUPPORTED_FINITE_CYCLIC_GROUP:
            groups = ie.supported_groups(suite.group for suite in self._settings.suites)
        return transmit(self._settings, compose(2, (nan_element(self._nan), groups), status).encode())

    def _failed(self, error: PairingError, frame: int) -> PasnFailed:
        mistake = "" if self._exchange is None else self._exchange.mistake
        values = self.intermediates
        return PasnFailed(peer=self._peer, error=error, frame=frame, mistake=mistake, intermediates=values)

    def _move(self, what: ResponderInput) -> None:
        after = RESPONDER.get((self.state, what))
        if after is None:
            raise LocalProtocolError(f"PASN responder in state {self.state.value}: {what.value} is not allowed")
        self.state = after
        if after not in (ResponderState.ASKED, ResponderState.WAIT_FRAME_3):
            self._deadline = None


def _read_commit(frame: PasnFrame) -> SaeCommit:
    try:
        commit = SaeCommit.decode(frame.wrapped or b"")
    except DecodeError as error:
        message = f"PASN frame 1: SAE Commit: {error.reason}"
        raise RemoteProtocolError(message, StatusCode.UNSPECIFIED_FAILURE) from None
    require_hash_to_element(commit)
    return commit


def _read_confirm(frame: PasnFrame) -> SaeConfirm:
    try:
        return SaeConfirm.decode(frame.wrapped or b"")
    except DecodeError as error:
        raise RemoteProtocolError(f"PASN frame 3: SAE Confirm: {error.reason}") from None
