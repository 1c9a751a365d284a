"""A device's TCAT agent: its states, what it advertises, and the connection of one commissioner.

TLS is outside: the host says who is connected, gives the plaintext of the channel and sends what comes back, each
`Transmit` in a record of its own; `TcatSessionClosed` asks it to close. It carries out what the events say (dataset
set, Thread started, decommissioned) and tells the agent how the node does. Source: Thread 1.4 specification, chapter
13; states and their timers as measured from OpenThread.
"""

from collections.abc import Callable
from dataclasses import replace

from pairing.engine import Address, Entropy, Event, FrameIgnored, Micros, Output, Outputs, Transmit, peer_name
from pairing.errors import DecodeError, LocalProtocolError
from pairing.thread.meshcop_events import LieTold
from pairing.thread.tcat import deviations as lies
from pairing.thread.tcat.adverts import INTERVAL_UNITS, TcatAdvert
from pairing.thread.tcat.certificates import ThreadCertificate
from pairing.thread.tcat.deviations import TcatDeviations
from pairing.thread.tcat.diagnostics import NodeView
from pairing.thread.tcat.events import (
    TcatAdvertChanged,
    TcatAdvertStarted,
    TcatAdvertStopped,
    TcatCommandAnswered,
    TcatSessionClosed,
    TcatSessionOpened,
    TcatSessionRefused,
    TcatStateChanged,
)
from pairing.thread.tcat.profile import TcatNode, TcatProfile, TcatState, no_view
from pairing.thread.tcat.session import Answer, TcatSession
from pairing.thread.tcat.tlvs import TcatStream, TcatTlv, TcatType, status_name, status_tlv, tcat_type_name

ENABLE_DURATION: Micros = 600_000_000
"""How long an enabling over the network lasts unless it says otherwise."""


class TcatAgent:
    """The engine. Intents in a state that does not allow them raise LocalProtocolError and change nothing."""

    def __init__(self, profile: TcatProfile, entropy: Entropy, node: TcatNode | None = None) -> None:
        self.profile = profile
        self.view: Callable[[], NodeView] = lambda: no_view(profile)
        """What diagnostics tell; the host sets its own."""
        self._entropy = entropy
        self._node = node or TcatNode()
        self._state = TcatState.DISABLED
        self._next_state = TcatState.ACTIVE
        self._session: TcatSession | None = None
        self._stream = TcatStream()
        self._peer: Address = ""
        self._activate_at: Micros | None = None
        self._standby_at: Micros | None = None
        self._duration: Micros = 0
        self._deviations = TcatDeviations()
        self._kept_advert: bytes | None = None

    # What one can see

    @property
    def state(self) -> TcatState:
        """Where it stands."""
        return self._state

    @property
    def node(self) -> TcatNode:
        """What is stored, and whether it is attached."""
        return self._node

    @property
    def advert(self) -> bytes:
        """The AD value that it advertises, or would."""
        return self._true_advert() if self._kept_advert is None else self._kept_advert

    def _true_advert(self) -> bytes:
        ids = self.profile.device_ids if self._deviations.device_ids is None else self._deviations.device_ids
        advert = TcatAdvert.of(self._node.status(self.profile), device_ids=ids, link=self.profile.link)
        return advert.encode_service_data()

    @property
    def deadline(self) -> Micros | None:
        """When it becomes active, or goes back to standby."""
        return min((at for at in (self._activate_at, self._standby_at) if at is not None), default=None)

    # States

    def start(self, now: Micros) -> Outputs:
        """Be active; a node that is attached already goes to standby at once."""
        self._require(TcatState.DISABLED)
        self._next_state = TcatState.ACTIVE
        if self._node.attached and self._node.commissioned:
            return self._enter(TcatState.STANDBY)
        return self._enter(TcatState.ACTIVE)

    def stop(self, now: Micros) -> Outputs:
        """Be disabled; a connection ends."""
        self._activate_at = self._standby_at = None
        closing = self._close("stopped")
        return [*closing, *(self._enter(TcatState.DISABLED) if self._state is not TcatState.DISABLED else ())]

    def standby(self, now: Micros) -> Outputs:
        """Be found no longer; a connection is let end first."""
        self._require_started()
        self._activate_at = self._standby_at = None
        self._next_state = TcatState.STANDBY
        return () if self._session is not None else self._enter(TcatState.STANDBY)

    def activate(self, now: Micros, *, delay: Micros = 0, duration: Micros = 0) -> Outputs:
        """Be found after a delay, for a while; for good where the duration is 0."""
        self._require_started()
        if self._session is not None:
            if delay or duration:
                raise LocalProtocolError("a commissioner is connected; only a lasting activation waits for its end")
            self._next_state = TcatState.ACTIVE
            return ()
        if self._state is TcatState.ACTIVE:
            return ()
        self._standby_at, self._duration = None, duration
        self._activate_at = now + delay
        waiting = self._enter(TcatState.STANDBY_TEMPORARY) if delay and self._state is TcatState.STANDBY else ()
        return waiting or self.handle_timeout(now)

    def handle_timeout(self, now: Micros) -> Outputs:
        """A delay or a duration may be over."""
        if self._activate_at is not None and now >= self._activate_at:
            at, self._activate_at = self._activate_at, None
            if not self._duration:
                self._next_state = TcatState.ACTIVE
                return self._enter(TcatState.ACTIVE)
            self._standby_at = at + self._duration
            return self._enter(TcatState.ACTIVE_TEMPORARY)
        if self._standby_at is not None and now >= self._standby_at:
            self._standby_at = None
            self._next_state = TcatState.STANDBY
            return () if self._session is not None else self._enter(TcatState.STANDBY)
        return ()

    def node_changed(self, now: Micros, node: TcatNode) -> Outputs:
        """The node has attached or detached, or its dataset has changed, by whoever."""
        has_joined = node.attached and not self._node.attached
        updated = self._update(node)
        if has_joined and self.profile.standby_after_joining and self._state is not TcatState.DISABLED:
            return [*updated, *self.standby(now)]
        return updated

    def deviate(self, deviations: TcatDeviations, now: Micros) -> Outputs:
        """From now on do this wrong; a connection that has begun keeps its rights and proofs."""
        before = self.advert
        self._deviations = deviations
        self._kept_advert = before if deviations.keeps_advert else None
        return self._advertise() if self._state.is_advertising and self.advert != before else ()

    # The connection

    def connected(self, peer: Address, certificate: ThreadCertificate, now: Micros) -> Outputs:
        """TLS came about, and the other end has proved to own this certificate."""
        name = peer_name(peer)
        if self._state not in (TcatState.ACTIVE, TcatState.ACTIVE_TEMPORARY):
            refused = TcatSessionRefused(rule="state", expected="active", came=str(self._state), peer=name)
            return [refused, TcatSessionClosed(reason="refused", peer=name)]
        try:
            session = TcatSession(self.profile, self._node, certificate, self._entropy, self.view)
        except DecodeError as problem:
            refused = TcatSessionRefused(
                rule="commissioner-certificate",
                expected="an authorization extension of a commissioner",
                came=problem.reason,
                peer=name,
            )
            return [refused, TcatSessionClosed(reason="refused", peer=name)]
        if self._deviations.refuses_commissioners:
            refused = TcatSessionRefused(
                rule=lies.REFUSE_COMMISSIONERS, expected="nobody", came=certificate.subject, peer=name
            )
            told = LieTold(lie=lies.REFUSE_COMMISSIONERS, peer=name)
            return [told, refused, TcatSessionClosed(reason="refused", peer=name)]
        self._next_state = TcatState.STANDBY if self._state is TcatState.ACTIVE_TEMPORARY else TcatState.ACTIVE
        self._session, self._stream, self._peer = session, TcatStream(), peer
        self._state = TcatState.CONNECTED
        return [
            TcatStateChanged(state=self._state),
            TcatSessionOpened(subject=certificate.subject, peer=name),
        ]

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """Plaintext of the channel."""
        outputs: list[Output] = []
        session = self._session
        if session is None or sender != self._peer:
            return [FrameIgnored(reason="no commissioner is connected", protocol="tcat", peer=peer_name(sender))]
        for command in self._stream.feed(payload):
            if command.type == TcatType.DISCONNECT:
                return [*outputs, *self._close("disconnect")]
            outputs += self._answer(session, command)
        return outputs

    def disconnected(self, now: Micros, reason: str = "peer") -> Outputs:
        """The channel is gone; nothing is left to close."""
        return self._close(reason)

    def _answer(self, session: TcatSession, command: TcatTlv) -> list[Output]:
        peer = peer_name(self._peer)
        answer, told = self._deviating_answer(session, command)
        if answer is None:
            return told
        is_status = answer.tlv.type == TcatType.STATUS
        journal = TcatCommandAnswered(
            command=tcat_type_name(command.type),
            status=status_name(answer.tlv.value[0]) if is_status else "payload",
            rule=answer.rule,
            peer=peer,
        )
        news: list[Event] = [replace(event, peer=peer) for event in answer.events]
        silent = self._deviations.swallows(command.type) is not None
        sent = [] if silent else [Transmit(answer.tlv.encode(long_form=answer.long_form), self._peer)]
        return [*told, *sent, journal, *news, *self._follow(session.node)]

    def _deviating_answer(self, session: TcatSession, command: TcatTlv) -> tuple[Answer | None, list[Output]]:
        """The answer, unless the command is lost, and the lie that has changed it or keeps it back."""
        wrong, peer = self._deviations, peer_name(self._peer)
        refused, carried_out = wrong.status_for(command.type), wrong.swallows(command.type)
        if carried_out is not None:
            told: list[Output] = [LieTold(lie=lies.NO_ANSWER, peer=peer)]
            return (session.answer(command) if carried_out else None), told
        if refused is not None:
            return Answer(status_tlv(refused), rule=lies.REFUSE_COMMAND), [LieTold(lie=lies.REFUSE_COMMAND, peer=peer)]
        answer = session.answer(command)
        is_proof = command.type == TcatType.REQUEST_PSKD_PROOF and answer.tlv.type == TcatType.PAYLOAD
        if not (wrong.wrong_pskd_proof and is_proof):
            return answer, []
        proof = bytes((answer.tlv.value[0] ^ 1,)) + answer.tlv.value[1:]
        return replace(answer, tlv=answer.tlv._replace(value=proof)), [LieTold(lie=lies.WRONG_PSKD_PROOF, peer=peer)]

    def _follow(self, node: TcatNode) -> Outputs:
        """Adverts after a command: what stops Thread does so before it erases anything."""
        stopped: Outputs = ()
        if self._node.attached and not node.attached and node.dataset is not self._node.dataset:
            stopped = self._update(replace(self._node, attached=False))
        return [*stopped, *self._update(node)]

    def _update(self, node: TcatNode) -> Outputs:
        before = self._true_advert()
        self._node = node
        if self._session is not None:
            self._session.node = node
        if not self._state.is_advertising or self._true_advert() == before:
            return ()
        return self._advertise() if self._kept_advert is None else [LieTold(lie=lies.STALE_ADVERT)]

    def _advertise(self) -> list[Output]:
        told = [] if self._deviations.device_ids is None else [LieTold(lie=lies.WRONG_DEVICE_ID)]
        return [*told, TcatAdvertChanged(data=self.advert)]

    def _close(self, reason: str) -> Outputs:
        if self._session is None:
            return ()
        self._session = None
        closed = TcatSessionClosed(reason=reason, peer=peer_name(self._peer))
        return [closed, *self._enter(self._next_state, again=True)]

    def _enter(self, state: TcatState, *, again: bool = False) -> Outputs:
        was, self._state = self._state, state
        outputs: list[Output] = [] if was is state else [TcatStateChanged(state=state)]
        if state.is_advertising and (again or not was.is_advertising):
            outputs += self._advertise()
        if state.is_advertising and not was.is_advertising:
            outputs.append(TcatAdvertStarted(interval_units=INTERVAL_UNITS))
        if was.is_advertising and not state.is_advertising:
            outputs.append(TcatAdvertStopped())
        return outputs

    def _require(self, state: TcatState) -> None:
        if self._state is not state:
            raise LocalProtocolError(f"the TCAT agent is {self._state}, not {state}")

    def _require_started(self) -> None:
        if self._state is TcatState.DISABLED:
            raise LocalProtocolError("the TCAT agent is disabled")
