"""The states of a NAN data path on either side, and the only moves between them.

A pair that is missing means: from the air it is ignored with a reason, from our caller it is an error.
Source: Wi-Fi Aware specification 4.0, sections 7.1 (data path security) and 7.3 (data path setup).
"""

from enum import Enum


class InitiatorState(Enum):
    """Where the side stands that asks for a data path."""

    IDLE = "idle"
    WAIT_RESPONSE = "wait-response"  # the request is out
    WAIT_INSTALL = "wait-install"  # the confirm with our proof is out
    DELIVERING = "delivering"  # without security: the confirm is out, and its arrival decides
    OPEN = "open"
    CLOSED = "closed"  # final: it was open
    FAILED = "failed"  # final: it never was


class InitiatorInput(Enum):
    """What can happen to it."""

    START = "start"
    RESPONSE = "response"  # one that proves the same PMK
    RESPONSE_OPEN = "response-open"  # one without security
    DELIVERED = "delivered"
    INSTALL = "install"
    FAIL = "fail"
    CLOSE = "close"
    TERMINATED = "terminated"  # by the peer


_I, _J = InitiatorState, InitiatorInput
INITIATOR_TRANSITIONS: dict[tuple[InitiatorState, InitiatorInput], InitiatorState] = {
    (_I.IDLE, _J.START): _I.WAIT_RESPONSE,
    (_I.WAIT_RESPONSE, _J.RESPONSE): _I.WAIT_INSTALL,
    (_I.WAIT_RESPONSE, _J.RESPONSE_OPEN): _I.DELIVERING,
    (_I.WAIT_RESPONSE, _J.FAIL): _I.FAILED,
    (_I.WAIT_RESPONSE, _J.CLOSE): _I.FAILED,
    (_I.WAIT_RESPONSE, _J.TERMINATED): _I.FAILED,
    (_I.WAIT_INSTALL, _J.INSTALL): _I.OPEN,
    (_I.WAIT_INSTALL, _J.FAIL): _I.FAILED,
    (_I.WAIT_INSTALL, _J.CLOSE): _I.FAILED,
    (_I.WAIT_INSTALL, _J.TERMINATED): _I.FAILED,
    (_I.DELIVERING, _J.DELIVERED): _I.OPEN,
    (_I.DELIVERING, _J.FAIL): _I.FAILED,
    (_I.DELIVERING, _J.CLOSE): _I.FAILED,
    (_I.DELIVERING, _J.TERMINATED): _I.FAILED,
    (_I.OPEN, _J.CLOSE): _I.CLOSED,
    (_I.OPEN, _J.TERMINATED): _I.CLOSED,
}


class ResponderState(Enum):
    """Where the side stands that is asked."""

    IDLE = "idle"
    ASKED = "asked"  # the owner decides
    WAIT_CONFIRM = "wait-confirm"  # the response is out
    INSTALLING = "installing"  # the key installment is out, and its arrival decides
    OPEN = "open"
    CLOSED = "closed"  # final: it was open
    FAILED = "failed"  # final: it never was


class ResponderInput(Enum):
    """What can happen to it."""

    REQUEST = "request"
    ACCEPT = "accept"
    REFUSE = "refuse"  # by the owner, by policy, or since the keys differ
    CONFIRM = "confirm"  # one that proves the same PMK
    CONFIRM_OPEN = "confirm-open"  # one without security
    DELIVERED = "delivered"
    FAIL = "fail"
    CLOSE = "close"
    TERMINATED = "terminated"  # by the peer


_R, _Q = ResponderState, ResponderInput
RESPONDER_TRANSITIONS: dict[tuple[ResponderState, ResponderInput], ResponderState] = {
    (_R.IDLE, _Q.REQUEST): _R.ASKED,
    (_R.ASKED, _Q.ACCEPT): _R.WAIT_CONFIRM,
    (_R.ASKED, _Q.REFUSE): _R.FAILED,
    (_R.ASKED, _Q.FAIL): _R.FAILED,
    (_R.ASKED, _Q.CLOSE): _R.FAILED,
    (_R.ASKED, _Q.TERMINATED): _R.FAILED,
    (_R.WAIT_CONFIRM, _Q.CONFIRM): _R.INSTALLING,
    (_R.WAIT_CONFIRM, _Q.CONFIRM_OPEN): _R.OPEN,
    (_R.WAIT_CONFIRM, _Q.FAIL): _R.FAILED,
    (_R.WAIT_CONFIRM, _Q.CLOSE): _R.FAILED,
    (_R.WAIT_CONFIRM, _Q.TERMINATED): _R.FAILED,
    (_R.INSTALLING, _Q.DELIVERED): _R.OPEN,
    (_R.INSTALLING, _Q.FAIL): _R.FAILED,
    (_R.INSTALLING, _Q.CLOSE): _R.FAILED,
    (_R.INSTALLING, _Q.TERMINATED): _R.FAILED,
    (_R.OPEN, _Q.CLOSE): _R.CLOSED,
    (_R.OPEN, _Q.TERMINATED): _R.CLOSED,
}
