"""The states of a message that wants an answer, and the only moves between them.

Source: RFC 7252, sections 4.2 (reliable messages) and 5.2 (piggybacked and separate responses).
"""

from enum import Enum


class SentState(Enum):
    """Where a CON, or a NON request, stands."""

    UNACKNOWLEDGED = "unacknowledged"  # sent again until something comes
    WAITING = "waiting"  # acknowledged, or never to be: the response is on its way
    DONE = "done"  # final
    FAILED = "failed"  # final


class SentInput(Enum):
    """What can happen to it."""

    ACKNOWLEDGED = "acknowledged"  # an empty ACK: the response comes separately
    ANSWERED = "answered"  # the response, piggybacked or separate; or all that a separate response wants, its ACK
    RESET = "reset"
    RETRY = "retry"
    GIVE_UP = "give-up"


SENT: dict[tuple[SentState, SentInput], SentState] = {
    (SentState.UNACKNOWLEDGED, SentInput.ACKNOWLEDGED): SentState.WAITING,
    (SentState.UNACKNOWLEDGED, SentInput.ANSWERED): SentState.DONE,
    (SentState.UNACKNOWLEDGED, SentInput.RESET): SentState.FAILED,
    (SentState.UNACKNOWLEDGED, SentInput.RETRY): SentState.UNACKNOWLEDGED,
    (SentState.UNACKNOWLEDGED, SentInput.GIVE_UP): SentState.FAILED,
    (SentState.WAITING, SentInput.ANSWERED): SentState.DONE,
    (SentState.WAITING, SentInput.RESET): SentState.FAILED,
    (SentState.WAITING, SentInput.GIVE_UP): SentState.FAILED,
}
