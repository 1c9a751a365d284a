"""One connection of a Commissioner as coroutines: requests one after the other, each with its answer or a refusal.

The engine decides and retries; here somebody waits, for as long as its patience lasts. Both the home's commissioners
and the command line's are made of this.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

from devices.controllers.commissioner_results import (
    Refusal,
    RefusedError,
    handshake_refusal,
    nobody_listens,
    petition_refusal,
    request_refusal,
    silence,
)
from devices.controllers.datagram_path import DatagramPath
from devices.driver import EngineDriver
from devices.errors import ActionRefusedError
from devices.sim.clock import Clock
from pairing.dtls.events import ConnectionClosed, HandshakeCompleted, HandshakeFailed
from pairing.engine import SECOND, Address, Event, Micros, Outputs, peer_name
from pairing.errors import LocalProtocolError
from pairing.thread.commissioner import Commissioner
from pairing.thread.commissioner_states import CommissionerClientState
from pairing.thread.dataset import DatasetKind
from pairing.thread.joiner_table import JoinerId
from pairing.thread.meshcop_events import (
    CommissionerDatasetReceived,
    DatasetReceived,
    KeepAliveAnswered,
    RequestFailed,
    SetAnswered,
)
from pairing.thread.network_events import CommissionerLost, PetitionAccepted, PetitionRejected
from pairing.thread.tlvs import Tlv

EventT = TypeVar("EventT", bound=Event)
Intent = Callable[[Micros], Outputs]
_HANDSHAKE_ENDS = (HandshakeCompleted, HandshakeFailed, ConnectionClosed)


class CommissionerSession:
    """A driven `Commissioner` engine. `tell` gets every event; `deliver` and `hear_refusal` are for its path."""

    def __init__(
        self, engine: Commissioner, peer: Address, clock: Clock, patience: Micros, tell: Callable[[Event], None]
    ) -> None:
        self.engine = engine
        self.peer = peer_name(peer)
        self._address = peer
        self.is_code = False
        """Whether the password is a sharing code, for the words of refusals."""
        self._clock = clock
        self._patience = patience
        self._tell = tell
        self._driver = EngineDriver(engine, clock, on_event=self._on_event)
        self._path: DatagramPath | None = None
        self._turn = asyncio.Lock()
        self._is_answer: Callable[[Event], bool] | None = None
        self._answer: asyncio.Future[Event] | None = None
        self._has_spoken = False

    @property
    def is_connected(self) -> bool:
        """Whether requests can be sent."""
        return self.engine.state.is_connected

    @property
    def is_active(self) -> bool:
        """Whether it is the active Commissioner."""
        return self.engine.state is CommissionerClientState.ACTIVE

    # The path

    def use(self, path: DatagramPath) -> None:
        """Send through this path from now on."""
        self._path = self._driver.port = path

    def deliver(self, payload: bytes, sender: Address) -> None:
        """A datagram has come."""
        self._has_spoken = True
        self._driver.deliver(payload, sender)

    def hear_refusal(self) -> None:
        """The peer's host says that nobody listens; once connected, lost datagrams tell more than that."""
        if self.engine.state is CommissionerClientState.CONNECTING and self._answer is not None:
            self._fail(RefusedError(nobody_listens(self.peer, is_code=self.is_code)))

    async def end(self, *, quietly: bool = False, resigns: bool = True) -> None:
        """Resign if active, say goodbye and close the path; `quietly`: without a word, as when power goes."""
        if not quietly:
            if self.is_active and resigns:
                self._driver.do(lambda engine, now: engine.resign(now))
            if self.is_connected or self.engine.state is CommissionerClientState.CONNECTING:
                self._driver.do(lambda engine, now: engine.close(now))
        self._driver.stop()
        refusal = Refusal(
            rule="given-up", expected=f"an answer from {self.peer}", came="the end of the connection by our own side"
        )
        self._fail(RefusedError(refusal))
        path, self._path = self._path, None
        if path is not None:
            await path.close()

    # What one can ask. Each raises RefusedError for a no, ActionRefusedError where the state does not allow it.

    async def connect(self) -> None:
        """The handshake."""
        try:
            answer = await self._ask_until(self.engine.start, lambda event: isinstance(event, _HANDSHAKE_ENDS))
        except TimeoutError:
            await self.end()
            waited = f"{self._patience / SECOND:g} s"
            raise RefusedError(silence(self.peer, waited, has_spoken=self._has_spoken, is_code=self.is_code)) from None
        if isinstance(answer, HandshakeFailed):
            raise RefusedError(handshake_refusal(answer.error, self.peer, is_code=self.is_code))
        if isinstance(answer, ConnectionClosed):
            raise self._closed("the handshake", answer)

    async def petition(self) -> PetitionAccepted:
        """Become the active Commissioner."""
        answer = await self._request(
            "the petition", self.engine.petition, (PetitionAccepted, PetitionRejected), ("c/cp",)
        )
        if isinstance(answer, PetitionRejected):
            raise RefusedError(petition_refusal(answer.holder, self.engine.settings.commissioner_id))
        assert isinstance(answer, PetitionAccepted)  # noqa: S101  # one of the two
        return answer

    async def get(self, kind: DatasetKind) -> bytes:
        """The Active or Pending Dataset as the Border Agent has it; empty if there is none."""
        intent = self.engine.get_active if kind == "active" else self.engine.get_pending
        path = "c/ag" if kind == "active" else "c/pg"
        answer = await self._request(f"MGMT_{kind.upper()}_GET", lambda now: intent(now, b""), DatasetReceived, (path,))
        return answer.tlvs

    async def get_commissioner(self) -> CommissionerDatasetReceived:
        """The commissioner dataset, from the Leader."""
        return await self._request(
            "MGMT_COMMISSIONER_GET", self.engine.get_commissioner, CommissionerDatasetReceived, ("c/cg",)
        )

    async def set(self, kind: DatasetKind, tlvs: Iterable[Tlv]) -> bool:
        """The Leader's State for a changed dataset."""
        intent = self.engine.set_active if kind == "active" else self.engine.set_pending
        path = "c/as" if kind == "active" else "c/ps"
        answer = await self._request(f"MGMT_{kind.upper()}_SET", lambda now: intent(tlvs, now), SetAnswered, (path,))
        return answer.accepted

    async def enable_joiner(self, joiner: JoinerId, pskd: str, lifetime: Micros) -> bool:
        """Let a joiner in; the Leader's State for the steering data."""
        answer = await self._request(
            "MGMT_COMMISSIONER_SET",
            lambda now: self.engine.enable_joiner(joiner, pskd, lifetime, now),
            SetAnswered,
            ("c/cs",),
        )
        return answer.accepted

    async def disable_joiner(self, joiner: JoinerId) -> bool:
        """Take a joiner out again; the Leader's State for the steering data."""
        answer = await self._request(
            "MGMT_COMMISSIONER_SET", lambda now: self.engine.disable_joiner(joiner, now), SetAnswered, ("c/cs",)
        )
        return answer.accepted

    async def keep_alive(self) -> bool:
        """Whether the Leader still takes us for the active Commissioner."""
        answer = await self._request("the keep-alive", self.engine.keep_alive, KeepAliveAnswered, ("c/ca",))
        return answer.accepted

    async def resign(self) -> None:
        """Give up being active."""
        await self._request("the resignation", self.engine.resign, CommissionerLost, ())

    # Waiting

    async def _request(
        self, what: str, intent: Intent, wanted: type[EventT] | tuple[type[EventT], ...], paths: tuple[str, ...]
    ) -> EventT:
        """Ask, and wait for an event of these types; a request of one of `paths` that fails is a refusal."""

        def is_answer(event: Event) -> bool:
            if isinstance(event, RequestFailed):
                return event.path in (*paths, "c/ag")  # the engine reads the mesh-local prefix before it can ask
            return isinstance(event, wanted) or self._is_end(event)

        try:
            answer = await self._ask_until(intent, is_answer)
        except TimeoutError:
            came = f"nothing within {self._patience / SECOND:g} s"
            expected = f"an answer to {what} from {self.peer}"
            raise RefusedError(
                Refusal(rule="request-unanswered", expected=expected, came=came, hint="try again")
            ) from None
        if isinstance(answer, RequestFailed):
            raise RefusedError(request_refusal(what, answer.error, self.peer))
        if isinstance(answer, ConnectionClosed):
            raise self._closed(what, answer)
        return answer  # type: ignore[return-value]  # `is_answer` lets nothing else through

    def _closed(self, what: str, event: ConnectionClosed) -> RefusedError:
        refusal = Refusal(
            rule="connection-closed",
            expected=f"an answer to {what} from {self.peer}",
            came=f"the connection ended: {event.reason}",
            hint="its code or its time is over; connect again" if self.is_code else "connect again",
        )
        return RefusedError(refusal)

    def _is_end(self, event: Event) -> bool:
        """Whether our own connection is over; joiners behind the relay have connections too."""
        return isinstance(event, ConnectionClosed) and event.address == self._address

    async def _ask_until(self, intent: Intent, is_answer: Callable[[Event], bool]) -> Event:
        """Run an intent and wait for the first event that answers it. Raises TimeoutError."""
        async with self._turn:
            self._is_answer = is_answer
            answer: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
            self._answer = answer
            alarm = self._clock.call_later(self._patience, lambda: self._fail(TimeoutError()))
            try:
                self._driver.do(lambda _, now: intent(now))
                return await answer
            except LocalProtocolError as problem:
                raise ActionRefusedError(str(problem)) from None
            finally:
                alarm.cancel()
                self._is_answer = self._answer = None

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _on_event(self, event: Event) -> None:
        self._tell(event)
        answer, is_answer = self._answer, self._is_answer
        if answer is not None and is_answer is not None and not answer.done() and is_answer(event):
            answer.set_result(event)
