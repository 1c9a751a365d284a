"""Where one Commissioner's connection stands at the Border Agent, and the only moves. A missing pair changes nothing.

Source: Thread specification, chapter 8.4.3; what a superseded Commissioner may still do as measured from OpenThread.
"""

from collections.abc import Mapping
from enum import Enum


class SessionState(Enum):
    """What the connection may do."""

    CONNECTED = "connected"  # read datasets, petition
    COMMISSIONER = "commissioner"  # beside that keep alive, proxy, relay; also when superseded, which it is not told
    ENDED = "ended"  # final


class SessionInput(Enum):
    """What can happen to it."""

    PETITION_ACCEPTED = "petition accepted"
    PETITION_REJECTED = "petition rejected"
    KEPT_ALIVE = "kept alive"
    KEEP_ALIVE_REJECTED = "keep-alive rejected"
    RESIGNED = "resigned"
    DISCONNECTED = "disconnected"  # by the peer, the watchdog, or the end of the ephemeral key


_S, _I = SessionState, SessionInput
SESSION: Mapping[tuple[SessionState, SessionInput], SessionState] = {
    (_S.CONNECTED, _I.PETITION_ACCEPTED): _S.COMMISSIONER,
    (_S.CONNECTED, _I.PETITION_REJECTED): _S.CONNECTED,
    (_S.CONNECTED, _I.DISCONNECTED): _S.ENDED,
    (_S.COMMISSIONER, _I.PETITION_ACCEPTED): _S.COMMISSIONER,
    (_S.COMMISSIONER, _I.PETITION_REJECTED): _S.COMMISSIONER,
    (_S.COMMISSIONER, _I.KEPT_ALIVE): _S.COMMISSIONER,
    (_S.COMMISSIONER, _I.KEEP_ALIVE_REJECTED): _S.COMMISSIONER,
    (_S.COMMISSIONER, _I.RESIGNED): _S.CONNECTED,
    (_S.COMMISSIONER, _I.DISCONNECTED): _S.ENDED,
}
