"""The states of a Commissioner towards its Border Agent, and the only moves.

Source: Thread specification, chapter 8.4.3 (petitioning, keep-alive, resigning).
"""

from collections.abc import Mapping
from enum import Enum


class CommissionerClientState(Enum):
    """Where the Commissioner stands."""

    IDLE = "idle"
    CONNECTING = "connecting"
    CONNECTED = "connected"  # it may read datasets
    PETITIONING = "petitioning"
    ACTIVE = "active"  # it may change them, and let joiners in
    RESIGNING = "resigning"
    CLOSED = "closed"  # final
    FAILED = "failed"  # final: there never was a connection

    @property
    def is_final(self) -> bool:
        """Whether nothing can come after it."""
        return self in (CommissionerClientState.CLOSED, CommissionerClientState.FAILED)

    @property
    def is_connected(self) -> bool:
        """Whether requests can be sent."""
        return self in _CONNECTED


class CommissionerInput(Enum):
    """What can happen to it."""

    START = "start"
    CONNECTED = "connected"
    REFUSED = "refused"  # the handshake failed
    PETITION = "petition"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RESIGN = "resign"
    RESIGNED = "resigned"
    LOST = "lost"  # another has taken over, or nothing is heard of the Leader
    CLOSE = "close"
    DISCONNECTED = "disconnected"


_S, _I = CommissionerClientState, CommissionerInput
_CONNECTED = (_S.CONNECTED, _S.PETITIONING, _S.ACTIVE, _S.RESIGNING)
COMMISSIONER_TABLE: Mapping[tuple[CommissionerClientState, CommissionerInput], CommissionerClientState] = {
    (_S.IDLE, _I.START): _S.CONNECTING,
    (_S.CONNECTING, _I.CONNECTED): _S.CONNECTED,
    (_S.CONNECTING, _I.REFUSED): _S.FAILED,
    (_S.CONNECTING, _I.CLOSE): _S.CLOSED,
    (_S.CONNECTED, _I.PETITION): _S.PETITIONING,
    (_S.PETITIONING, _I.ACCEPTED): _S.ACTIVE,
    (_S.PETITIONING, _I.REJECTED): _S.CONNECTED,
    (_S.ACTIVE, _I.RESIGN): _S.RESIGNING,
    (_S.ACTIVE, _I.LOST): _S.CONNECTED,
    (_S.RESIGNING, _I.RESIGNED): _S.CONNECTED,
    **{(state, _I.CLOSE): _S.CLOSED for state in _CONNECTED},
    **{(state, _I.DISCONNECTED): _S.CLOSED for state in _CONNECTED},
}
"""Every legal move; an intent that is not here raises LocalProtocolError, anything else changes nothing."""


class FetchState(Enum):
    """A client that types a sharing code."""

    IDLE = "idle"
    CONNECTING = "connecting"
    READING_ACTIVE = "reading active"
    READING_PENDING = "reading pending"
    DONE = "done"  # final
    FAILED = "failed"  # final

    @property
    def is_final(self) -> bool:
        """Whether nothing can come after it."""
        return self in (FetchState.DONE, FetchState.FAILED)


class FetchInput(Enum):
    """What can happen to it."""

    START = "start"
    CONNECTED = "connected"
    ACTIVE_READ = "active read"
    PENDING_READ = "pending read"
    FAIL = "fail"  # refused, closed, unanswered, given up


_F, _G = FetchState, FetchInput
FETCH_TABLE: Mapping[tuple[FetchState, FetchInput], FetchState] = {
    (_F.IDLE, _G.START): _F.CONNECTING,
    (_F.CONNECTING, _G.CONNECTED): _F.READING_ACTIVE,
    (_F.READING_ACTIVE, _G.ACTIVE_READ): _F.READING_PENDING,
    (_F.READING_PENDING, _G.PENDING_READ): _F.DONE,
    **{(state, _G.FAIL): _F.FAILED for state in (_F.CONNECTING, _F.READING_ACTIVE, _F.READING_PENDING)},
}
"""Every legal move of a fetch."""
