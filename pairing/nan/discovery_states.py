"""The states of a publish or subscribe session, and the only moves between them.

A pair that is missing means: our caller asked for what the session no longer does.
Source: Wi-Fi Aware specification 4.0, section 4.1 (life of publish and subscribe instances).
"""

from enum import Enum


class SessionState(Enum):
    """Where a session is in its life."""

    RUNNING = "running"
    EXPIRED = "expired"  # its time to live is over
    TERMINATED = "terminated"  # its owner ended it


class SessionInput(Enum):
    """What can happen to a session."""

    UPDATE = "update"
    FOLLOW_UP = "send a follow-up for"
    TTL_OVER = "ttl-over"
    TERMINATE = "terminate"


SESSION_TRANSITIONS: dict[tuple[SessionState, SessionInput], SessionState] = {
    (SessionState.RUNNING, SessionInput.UPDATE): SessionState.RUNNING,
    (SessionState.RUNNING, SessionInput.FOLLOW_UP): SessionState.RUNNING,
    (SessionState.RUNNING, SessionInput.TTL_OVER): SessionState.EXPIRED,
    (SessionState.RUNNING, SessionInput.TERMINATE): SessionState.TERMINATED,
}
