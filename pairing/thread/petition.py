"""The Leader's register of Commissioners: who is active, under which session id, and until when.

Takes petitions and keep-alives that others decoded (`border_agent`, the built-in commissioner) and says yes or no.
Thread specification, chapter 8.7; the counting of session ids and the silent takeover as measured from OpenThread.
"""

from dataclasses import dataclass, replace

from pairing.engine import SECOND, Micros, Output, Outputs
from pairing.thread.joiner_table import JoinerTable
from pairing.thread.network_events import CommissionerLost, PetitionAccepted, PetitionRejected
from pairing.thread.tlvs import Tlv

KEEP_ALIVE_TIMEOUT: Micros = 50 * SECOND
MAX_COMMISSIONER_ID_BYTES = 64


@dataclass(frozen=True, slots=True)
class ActiveCommissioner:
    """The one Commissioner that the Leader listens to. `expires_at` is None for one that needs no keep-alive."""

    commissioner_id: str
    session_id: int
    expires_at: Micros | None
    locator: int | None = None
    """RLOC16 of the Border Agent through which it speaks; None where nobody has said."""
    joiners: JoinerTable | None = None
    """Whom it lets in, if it is a node's built-in commissioner."""
    tlvs: tuple[Tlv, ...] = ()
    """The commissioner dataset that it has set, without the locator."""


class CommissionerRegister:
    """At most one active Commissioner. `session_counter` is the last session id given out, or skipped."""

    def __init__(self, session_counter: int) -> None:
        self._session_counter = session_counter & 0xFFFF
        self._active: ActiveCommissioner | None = None

    @property
    def active(self) -> ActiveCommissioner | None:
        """Who is active now."""
        return self._active

    @property
    def session_counter(self) -> int:
        """What TLV 11 shows: the active session's id, or the one that came last."""
        return self._session_counter

    @property
    def deadline(self) -> Micros | None:
        """When the active Commissioner is dropped unless it is heard of."""
        return self._active.expires_at if self._active else None

    def handle_timeout(self, now: Micros) -> Outputs:
        """Drop a Commissioner that was silent for too long."""
        deadline = self.deadline
        return self.remove("timeout") if deadline is not None and now >= deadline else ()

    def petition(
        self,
        commissioner_id: str,
        now: Micros,
        *,
        peer: str | None = None,
        locator: int | None = None,
        joiners: JoinerTable | None = None,
    ) -> Outputs:
        """Ask to become active. The same id takes over; another is refused. With `joiners` it never times out."""
        if not commissioner_id:
            return (PetitionRejected(commissioner_id="", holder=None, reason="no commissioner id", peer=peer),)
        commissioner_id = commissioner_id.encode()[:MAX_COMMISSIONER_ID_BYTES].decode(errors="ignore")
        outputs: list[Output] = []
        if self._active is not None:
            holder = self._active.commissioner_id
            if holder != commissioner_id:
                reason = "another commissioner is active"
                return (PetitionRejected(commissioner_id=commissioner_id, holder=holder, reason=reason, peer=peer),)
            outputs += self.remove("superseded")
        self._session_counter = (self._session_counter + 1) & 0xFFFF
        expires_at = None if joiners is not None else now + KEEP_ALIVE_TIMEOUT
        self._active = ActiveCommissioner(commissioner_id, self._session_counter, expires_at, locator, joiners)
        outputs.append(PetitionAccepted(commissioner_id=commissioner_id, session_id=self._session_counter, peer=peer))
        return outputs

    def keep_alive(self, session_id: int, now: Micros) -> bool:
        """Whether this session is the active one; if so it lives on."""
        if self._active is None or self._active.session_id != session_id:
            return False
        if self._active.expires_at is not None:
            self._active = replace(self._active, expires_at=now + KEEP_ALIVE_TIMEOUT)
        return True

    def set_dataset(self, tlvs: tuple[Tlv, ...]) -> None:
        """The active Commissioner has set its dataset; another one's petition makes an end of it."""
        if self._active is not None:
            self._active = replace(self._active, tlvs=tlvs)

    def remove(self, reason: str) -> Outputs:
        """The active Commissioner is no longer one. Its session id is spent, so the counter goes on."""
        if self._active is None:
            return ()
        lost, self._active = self._active, None
        self._session_counter = (self._session_counter + 1) & 0xFFFF
        return (CommissionerLost(commissioner_id=lost.commissioner_id, session_id=lost.session_id, reason=reason),)
