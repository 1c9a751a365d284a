"""The states of the two PASN roles, and the only moves between them. A pair that is missing means: nothing happens.

Source: IEEE 802.11az-2022, 12.13; what is silent, what is answered and what ends an attempt as NAN devices do it.
"""

from enum import Enum


class InitiatorState(Enum):
    """Where the sender of frame 1 stands."""

    IDLE = "idle"
    WAIT_FRAME_2 = "wait-frame-2"
    WAIT_COMEBACK = "wait-comeback"  # told to come back later
    DONE = "done"  # final: frame 3 is out, keys are there
    FAILED = "failed"  # final


class InitiatorInput(Enum):
    """What can happen to the initiator."""

    START = "start"
    FRAME_2 = "frame-2"  # one that proves the same PMK
    COMEBACK = "comeback"  # status 30 with a time and a cookie
    COMEBACK_OVER = "comeback-over"
    REPEAT = "repeat"  # nothing came; frame 1 goes out once more
    REFUSED = "refused"  # another status, or a frame 2 that breaks a rule
    ABORT = "abort"
    TIMEOUT = "timeout"


INITIATOR: dict[tuple[InitiatorState, InitiatorInput], InitiatorState] = {
    (InitiatorState.IDLE, InitiatorInput.START): InitiatorState.WAIT_FRAME_2,
    (InitiatorState.WAIT_FRAME_2, InitiatorInput.FRAME_2): InitiatorState.DONE,
    (InitiatorState.WAIT_FRAME_2, InitiatorInput.COMEBACK): InitiatorState.WAIT_COMEBACK,
    (InitiatorState.WAIT_FRAME_2, InitiatorInput.REPEAT): InitiatorState.WAIT_FRAME_2,
    (InitiatorState.WAIT_FRAME_2, InitiatorInput.REFUSED): InitiatorState.FAILED,
    (InitiatorState.WAIT_FRAME_2, InitiatorInput.ABORT): InitiatorState.FAILED,
    (InitiatorState.WAIT_FRAME_2, InitiatorInput.TIMEOUT): InitiatorState.FAILED,
    (InitiatorState.WAIT_COMEBACK, InitiatorInput.COMEBACK_OVER): InitiatorState.WAIT_FRAME_2,
    (InitiatorState.WAIT_COMEBACK, InitiatorInput.ABORT): InitiatorState.FAILED,
    (InitiatorState.WAIT_COMEBACK, InitiatorInput.TIMEOUT): InitiatorState.FAILED,
}


class ResponderState(Enum):
    """Where the receiver of frame 1 stands."""

    IDLE = "idle"
    ASKED = "asked"  # the owner decides
    WAIT_FRAME_3 = "wait-frame-3"
    DONE = "done"  # final: keys are there
    FAILED = "failed"  # final


class ResponderInput(Enum):
    """What can happen to the responder."""

    FRAME_1 = "frame-1"  # one that could be accepted
    FRAME_1_AGAIN = "frame-1-again"  # the same request, already accepted: a new frame 2 without asking
    COMEBACK = "comeback"  # a frame 1 that is told to come back
    FRAME_1_REFUSED = "frame-1-refused"  # answered with a status; an attempt under way does not suffer
    ACCEPT = "accept"
    REJECT = "reject"
    FRAME_3 = "frame-3"  # one that proves the same PMK
    REFUSED = "refused"  # a Commit that SAE refuses, a frame 3 that breaks a rule or carries a status
    TIMEOUT = "timeout"


RESPONDER: dict[tuple[ResponderState, ResponderInput], ResponderState] = {
    (ResponderState.IDLE, ResponderInput.FRAME_1): ResponderState.ASKED,
    (ResponderState.IDLE, ResponderInput.COMEBACK): ResponderState.IDLE,
    (ResponderState.IDLE, ResponderInput.FRAME_1_REFUSED): ResponderState.FAILED,
    (ResponderState.ASKED, ResponderInput.FRAME_1): ResponderState.ASKED,
    (ResponderState.ASKED, ResponderInput.FRAME_1_REFUSED): ResponderState.ASKED,
    (ResponderState.ASKED, ResponderInput.REFUSED): ResponderState.FAILED,
    (ResponderState.ASKED, ResponderInput.ACCEPT): ResponderState.WAIT_FRAME_3,
    (ResponderState.ASKED, ResponderInput.REJECT): ResponderState.FAILED,
    (ResponderState.ASKED, ResponderInput.TIMEOUT): ResponderState.FAILED,
    (ResponderState.WAIT_FRAME_3, ResponderInput.FRAME_1): ResponderState.ASKED,
    (ResponderState.WAIT_FRAME_3, ResponderInput.FRAME_1_AGAIN): ResponderState.WAIT_FRAME_3,
    (ResponderState.WAIT_FRAME_3, ResponderInput.FRAME_1_REFUSED): ResponderState.WAIT_FRAME_3,
    (ResponderState.WAIT_FRAME_3, ResponderInput.REJECT): ResponderState.FAILED,
    (ResponderState.WAIT_FRAME_3, ResponderInput.FRAME_3): ResponderState.DONE,
    (ResponderState.WAIT_FRAME_3, ResponderInput.REFUSED): ResponderState.FAILED,
    (ResponderState.WAIT_FRAME_3, ResponderInput.TIMEOUT): ResponderState.FAILED,
}
