"""The states of a pairing attempt on either side, and the only moves between them.

The PASN handshake inside has states of its own. A pair that is missing means: from the air it is ignored with a reason,
from our caller it is an error.
Source: Wi-Fi Aware specification 4.0, sections 7.6.3 (pairing setup) and 7.6.4 (verification).
"""

from enum import Enum


class InitiatorState(Enum):
    """Where the sender of PASN frame 1 stands."""

    IDLE = "idle"
    AUTHENTICATING = "authenticating"
    DELIVERING = "delivering"  # frame 3 is out; whether it arrived decides whether there is a pairing
    SETTLING = "settling"  # frame 3 has arrived; the peer takes its keys into use
    WAIT_NIK = "wait-nik"  # our NIK is out, and is repeated until the peer's comes
    COMPLETED = "completed"  # final
    FAILED = "failed"  # final


class InitiatorInput(Enum):
    """What can happen to it."""

    START = "start"
    AUTHENTICATED = "authenticated"
    DELIVERED = "delivered"  # frame 3 has arrived, and NIKs are to be exchanged
    DELIVERED_LAST = "delivered-last"  # frame 3 has arrived, and was the last
    NIK_DUE = "nik-due"
    NIK_RECEIVED = "nik-received"
    FAIL = "fail"  # a rule is broken, time or repetitions are used up
    CANCEL = "cancel"


_I, _J = InitiatorState, InitiatorInput
INITIATOR_TRANSITIONS: dict[tuple[InitiatorState, InitiatorInput], InitiatorState] = {
    (_I.IDLE, _J.START): _I.AUTHENTICATING,
    (_I.AUTHENTICATING, _J.AUTHENTICATED): _I.DELIVERING,
    (_I.AUTHENTICATING, _J.FAIL): _I.FAILED,
    (_I.AUTHENTICATING, _J.CANCEL): _I.FAILED,
    (_I.DELIVERING, _J.DELIVERED): _I.SETTLING,
    (_I.DELIVERING, _J.DELIVERED_LAST): _I.COMPLETED,
    (_I.DELIVERING, _J.FAIL): _I.FAILED,
    (_I.DELIVERING, _J.CANCEL): _I.FAILED,
    (_I.SETTLING, _J.NIK_DUE): _I.WAIT_NIK,
    (_I.SETTLING, _J.FAIL): _I.FAILED,
    (_I.SETTLING, _J.CANCEL): _I.FAILED,
    (_I.WAIT_NIK, _J.NIK_DUE): _I.WAIT_NIK,
    (_I.WAIT_NIK, _J.NIK_RECEIVED): _I.COMPLETED,
    (_I.WAIT_NIK, _J.FAIL): _I.FAILED,
    (_I.WAIT_NIK, _J.CANCEL): _I.FAILED,
}


class ResponderState(Enum):
    """Where the receiver of PASN frame 1 stands."""

    IDLE = "idle"
    ASKED = "asked"  # the owner decides
    AUTHENTICATING = "authenticating"  # frame 2 is out
    WAIT_NIK = "wait-nik"  # frame 3 proved the peer; its NIK is to come
    ANSWERED = "answered"  # our NIK is out; whether it arrived decides whether there is a pairing
    COMPLETED = "completed"  # final, but for a NIK that is repeated: it is answered again
    FAILED = "failed"  # final


class ResponderInput(Enum):
    """What can happen to it."""

    REQUESTED = "requested"
    ACCEPT = "accept"
    REJECT = "reject"
    AUTHENTICATED = "authenticated"  # NIKs are to be exchanged
    AUTHENTICATED_LAST = "authenticated-last"  # frame 3 was the last
    NIK_RECEIVED = "nik-received"
    CONFIRMED = "confirmed"  # our NIK has arrived, and the peer does not ask for it again
    FAIL = "fail"


_R, _Q = ResponderState, ResponderInput
RESPONDER_TRANSITIONS: dict[tuple[ResponderState, ResponderInput], ResponderState] = {
    (_R.IDLE, _Q.REQUESTED): _R.ASKED,
    (_R.IDLE, _Q.REJECT): _R.FAILED,
    (_R.IDLE, _Q.FAIL): _R.FAILED,
    (_R.ASKED, _Q.ACCEPT): _R.AUTHENTICATING,
    (_R.ASKED, _Q.REJECT): _R.FAILED,
    (_R.ASKED, _Q.FAIL): _R.FAILED,
    (_R.AUTHENTICATING, _Q.AUTHENTICATED): _R.WAIT_NIK,
    (_R.AUTHENTICATING, _Q.AUTHENTICATED_LAST): _R.COMPLETED,
    (_R.AUTHENTICATING, _Q.REJECT): _R.FAILED,
    (_R.AUTHENTICATING, _Q.FAIL): _R.FAILED,
    (_R.WAIT_NIK, _Q.NIK_RECEIVED): _R.ANSWERED,
    (_R.WAIT_NIK, _Q.REJECT): _R.FAILED,
    (_R.WAIT_NIK, _Q.FAIL): _R.FAILED,
    (_R.ANSWERED, _Q.NIK_RECEIVED): _R.ANSWERED,
    (_R.ANSWERED, _Q.CONFIRMED): _R.COMPLETED,
    (_R.ANSWERED, _Q.REJECT): _R.FAILED,
    (_R.ANSWERED, _Q.FAIL): _R.FAILED,
    (_R.COMPLETED, _Q.NIK_RECEIVED): _R.COMPLETED,
}
