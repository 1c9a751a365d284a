"""The states of a bootstrapping exchange on either side, and the only moves between them.

A pair that is missing means: from the air it is ignored with a reason, from our caller it is an error.
Source: Wi-Fi Aware specification 4.0, section 7.6.2 (pairing bootstrapping).
"""

from enum import Enum


class InitiatorState(Enum):
    """Where the side stands that asks for a method."""

    IDLE = "idle"
    REQUESTED = "requested"  # the request is out and is repeated until any answer comes
    DEFERRED = "deferred"  # the peer asked to come back; waiting for that moment
    RETURNED = "returned"  # the request with the cookie is out and is repeated until any answer comes
    COMPLETED = "completed"
    FAILED = "failed"


class InitiatorInput(Enum):
    """What can happen to it."""

    START = "start"
    RETRY_DUE = "retry-due"
    COMEBACK_DUE = "comeback-due"
    COMEBACK_ASKED = "comeback-asked"
    ACCEPTED = "accepted"
    REFUSED = "refused"  # rejected, or an answer that is none to this request
    GIVE_UP = "give-up"  # time or retries are used up, too many comebacks
    CANCEL = "cancel"


_I, _J = InitiatorState, InitiatorInput
INITIATOR_TRANSITIONS: dict[tuple[InitiatorState, InitiatorInput], InitiatorState] = {
    (_I.IDLE, _J.START): _I.REQUESTED,
    (_I.REQUESTED, _J.RETRY_DUE): _I.REQUESTED,
    (_I.REQUESTED, _J.COMEBACK_ASKED): _I.DEFERRED,
    (_I.REQUESTED, _J.ACCEPTED): _I.COMPLETED,
    (_I.REQUESTED, _J.REFUSED): _I.FAILED,
    (_I.REQUESTED, _J.GIVE_UP): _I.FAILED,
    (_I.REQUESTED, _J.CANCEL): _I.FAILED,
    (_I.DEFERRED, _J.COMEBACK_DUE): _I.RETURNED,
    (_I.DEFERRED, _J.ACCEPTED): _I.COMPLETED,
    (_I.DEFERRED, _J.REFUSED): _I.FAILED,
    (_I.DEFERRED, _J.GIVE_UP): _I.FAILED,
    (_I.DEFERRED, _J.CANCEL): _I.FAILED,
    (_I.RETURNED, _J.RETRY_DUE): _I.RETURNED,
    (_I.RETURNED, _J.COMEBACK_ASKED): _I.DEFERRED,
    (_I.RETURNED, _J.ACCEPTED): _I.COMPLETED,
    (_I.RETURNED, _J.REFUSED): _I.FAILED,
    (_I.RETURNED, _J.GIVE_UP): _I.FAILED,
    (_I.RETURNED, _J.CANCEL): _I.FAILED,
}


class ResponderState(Enum):
    """Where the side stands that is asked."""

    IDLE = "idle"
    PENDING = "pending"  # the user is asked; the peer was told to come back
    AUTHORISED = "authorised"  # the user said yes; the peer learns it when it comes back
    REFUSED = "refused"  # the user said no; the peer learns it when it comes back
    COMPLETED = "completed"  # accepted and said so; a repeated request is answered again
    REJECTED = "rejected"  # rejected and said so; a repeated request is answered again
    ABANDONED = "abandoned"  # the initiator did not come back


class ResponderInput(Enum):
    """What can happen to it."""

    METHOD_UNKNOWN = "method-unknown"
    METHOD_AUTO_ACCEPTED = "method-auto-accepted"
    METHOD_NEEDS_USER = "method-needs-user"
    REPEATED = "repeated"  # the first request again, without the cookie
    RETURNED = "returned"  # the peer came back with the cookie
    ACCEPT = "accept"
    REJECT = "reject"
    GIVE_UP = "give-up"


_R, _Q = ResponderState, ResponderInput
RESPONDER_TRANSITIONS: dict[tuple[ResponderState, ResponderInput], ResponderState] = {
    (_R.IDLE, _Q.METHOD_UNKNOWN): _R.REJECTED,
    (_R.IDLE, _Q.METHOD_AUTO_ACCEPTED): _R.COMPLETED,
    (_R.IDLE, _Q.METHOD_NEEDS_USER): _R.PENDING,
    (_R.PENDING, _Q.REPEATED): _R.PENDING,
    (_R.PENDING, _Q.RETURNED): _R.PENDING,
    (_R.PENDING, _Q.ACCEPT): _R.AUTHORISED,
    (_R.PENDING, _Q.REJECT): _R.REFUSED,
    (_R.PENDING, _Q.GIVE_UP): _R.ABANDONED,
    (_R.AUTHORISED, _Q.REPEATED): _R.AUTHORISED,
    (_R.AUTHORISED, _Q.RETURNED): _R.COMPLETED,
    (_R.AUTHORISED, _Q.REJECT): _R.REFUSED,
    (_R.AUTHORISED, _Q.GIVE_UP): _R.ABANDONED,
    (_R.REFUSED, _Q.REPEATED): _R.REFUSED,
    (_R.REFUSED, _Q.RETURNED): _R.REJECTED,
    (_R.REFUSED, _Q.ACCEPT): _R.AUTHORISED,
    (_R.REFUSED, _Q.GIVE_UP): _R.ABANDONED,
    (_R.COMPLETED, _Q.REPEATED): _R.COMPLETED,
    (_R.COMPLETED, _Q.RETURNED): _R.COMPLETED,
    (_R.REJECTED, _Q.REPEATED): _R.REJECTED,
    (_R.REJECTED, _Q.RETURNED): _R.REJECTED,
}
