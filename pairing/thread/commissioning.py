"""Commissioning at one node: the Leader's register, the built-in commissioner, and its table of Joiners.

What of it needs a partition is asked for by `network`, which knows. DTLS and the relay are `commissioner`'s and
`border_agent`'s. Thread specification, chapter 8.7; states as OpenThread's commissioner has them.
"""

import enum
from collections.abc import Callable

from pairing.engine import Micros, Outputs
from pairing.errors import LocalProtocolError
from pairing.thread.joiner_table import JoinerEntry, JoinerId, JoinerTable
from pairing.thread.network_events import PetitionRejected
from pairing.thread.petition import ActiveCommissioner, CommissionerRegister

BUILT_IN_COMMISSIONER_ID = "OpenThread Commissioner"


class CommissionerState(enum.StrEnum):
    """The built-in commissioner, in the words of the REST API."""

    DISABLED = "disabled"
    PETITIONING = "petitioning"
    ACTIVE = "active"


class Commissioning:
    """Who may commission, and whom. The built-in commissioner: disabled -> petitioning -> active -> disabled."""

    def __init__(self, *, session_counter: int, petition_time: Micros, max_joiners: int) -> None:
        self._own_register = CommissionerRegister(session_counter)
        self._register = self._own_register
        self._petition_time = petition_time
        self._state = CommissionerState.DISABLED
        self._petition_at: Micros | None = None
        self._session_id: int | None = None
        self._locator: int | None = None
        self._max_joiners = max_joiners
        self._joiners = JoinerTable(max_joiners)

    @property
    def state(self) -> CommissionerState:
        """State of the built-in commissioner."""
        return self._state

    @property
    def active(self) -> ActiveCommissioner | None:
        """Whom the Leader listens to, built in or not."""
        return self._register.active

    @property
    def own_register(self) -> CommissionerRegister:
        """The register that counts while this node is the Leader."""
        return self._own_register

    @property
    def register(self) -> CommissionerRegister:
        """The Leader's register, which is this node's own or that of another."""
        return self._register

    @property
    def session_counter(self) -> int:
        """The last session id that the Leader gave out, or skipped."""
        return self._register.session_counter

    @property
    def joiners(self) -> tuple[JoinerEntry, ...]:
        """The built-in commissioner's joiner table."""
        return tuple(self._joiners)

    def joiner(self, joiner: JoinerId) -> JoinerEntry | None:
        """The entry for exactly this one."""
        return self._joiners.get(joiner)

    def has_place_for(self, joiner: JoinerId) -> bool:
        """Whether `add_joiner` would find the table full."""
        return not self._joiners.is_full or self._joiners.get(joiner) is not None

    def timers(self) -> list[tuple[Micros | None, Callable[[Micros], Outputs]]]:
        """When something is due, and what."""
        return [
            (self._petition_at, self._on_petition),
            (self._own_register.deadline, self._own_register.handle_timeout),
            (self._joiners.deadline, self._joiners.handle_timeout),
        ]

    def petition(
        self, commissioner_id: str, now: Micros, *, peer: str | None = None, locator: int | None = None
    ) -> Outputs:
        """Another Commissioner asks the Leader to be the active one; the event says what came of it."""
        return self._register.petition(commissioner_id, now, peer=peer, locator=locator)

    def keep_alive(self, session_id: int, now: Micros) -> bool:
        """Whether this session is the active one; it then lives for another 50 s."""
        return self._register.keep_alive(session_id, now)

    def resign(self, session_id: int, now: Micros, *, reason: str = "resigned") -> Outputs:
        """The active Commissioner gives up; another's session id changes nothing."""
        active = self._register.active
        if active is None or active.session_id != session_id:
            return ()
        return self._register.remove(reason)

    def start(self, now: Micros, *, locator: int | None = None) -> Outputs:
        """Start the built-in commissioner; it petitions for a moment. One that runs goes on running."""
        self._locator = locator
        if self._state is CommissionerState.DISABLED:
            self._state = CommissionerState.PETITIONING
            self._petition_at = now + self._petition_time
        return ()

    def stop(self, now: Micros, *, reason: str = "resigned") -> Outputs:
        """Stop the built-in commissioner; its joiner table empties."""
        if self._state is CommissionerState.DISABLED:
            return ()
        was_active = self._state is CommissionerState.ACTIVE
        self._state, self._petition_at = CommissionerState.DISABLED, None
        gone = self.resign(self._session_id, now, reason=reason) if was_active and self._session_id is not None else ()
        return (*self._joiners.clear("commissioner-stopped"), *gone)

    def leave_partition(self, now: Micros, reason: str) -> Outputs:
        """The node is detached: there is no Leader to be active at."""
        return (*self.stop(now, reason=reason), *self.follow(self._own_register, now, reason=reason, is_new=True))

    def follow(self, register: CommissionerRegister, now: Micros, *, reason: str, is_new: bool = False) -> Outputs:
        """From now on this register counts. One's own ends with the partition that one led, and begins empty."""
        if register is self._register and not is_new:
            return ()
        stopped = self.stop(now, reason=reason)
        gone = self._own_register.remove(reason)
        self._register = register
        return (*stopped, *gone)

    def take_over(self, register: CommissionerRegister) -> Outputs:
        """The register that the other members know is one's own again; a Leader that restarts knows no Commissioner."""
        self._own_register = self._register = register
        return register.remove("detached")

    def add_joiner(self, joiner: JoinerId, pskd: str, timeout: Micros, now: Micros) -> Outputs:
        """Let a Joiner in through the built-in commissioner; a known one gets the new PSKd and time."""
        self._need_active()
        if not self.has_place_for(joiner):
            raise LocalProtocolError(f"the joiner table has {self._max_joiners} entries, all in use")
        return self._joiners.add(joiner, pskd, timeout, now)

    def remove_joiner(self, joiner: JoinerId, now: Micros, *, reason: str = "removed") -> Outputs:
        """Take a Joiner's entry out; one that is not there is no error."""
        self._need_active()
        return self._joiners.remove(joiner, reason)

    def joiner_connected(self, joiner: JoinerId, now: Micros) -> Outputs:
        """The Joiner of this entry proved its PSKd."""
        return self._joiners.connected(joiner)

    def joiner_finalized(self, joiner: JoinerId, now: Micros, *, accepted: bool = True) -> Outputs:
        """The built-in commissioner answered this Joiner's JOIN_FIN."""
        return self._joiners.finalized(joiner, accepted=accepted)

    def _on_petition(self, at: Micros) -> Outputs:
        self._petition_at = None
        outputs = self._register.petition(BUILT_IN_COMMISSIONER_ID, at, locator=self._locator, joiners=self._joiners)
        refused = any(isinstance(output, PetitionRejected) for output in outputs)
        self._state = CommissionerState.DISABLED if refused else CommissionerState.ACTIVE
        self._session_id = None if refused else self._register.session_counter
        return outputs

    def _need_active(self) -> None:
        if self._state is not CommissionerState.ACTIVE:
            raise LocalProtocolError(f"joiners need an active commissioner, it is {self._state}")
