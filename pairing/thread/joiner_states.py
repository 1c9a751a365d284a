"""The states of joining at its three places, and the only moves. A missing pair changes nothing.

Source: Thread specification, chapter 8.4.4 (joining) and 8.4.4.5 (JOIN_ENT).
"""

from collections.abc import Mapping
from enum import Enum


class JoinerSessionState(Enum):
    """A joiner's DTLS connection at the Commissioner."""

    HANDSHAKING = "handshaking"
    CONNECTED = "connected"
    FINALIZED = "finalized"  # JOIN_FIN was accepted, its answer carries the KEK
    REJECTED = "rejected"
    ENDED = "ended"  # final


class JoinerSessionInput(Enum):
    """What can happen to it."""

    CONNECTED = "connected"
    ACCEPT = "accept"
    REJECT = "reject"
    END = "end"  # closed, failed, or given up


_S, _I = JoinerSessionState, JoinerSessionInput
JOINER_SESSION: Mapping[tuple[JoinerSessionState, JoinerSessionInput], JoinerSessionState] = {
    (_S.HANDSHAKING, _I.CONNECTED): _S.CONNECTED,
    (_S.CONNECTED, _I.ACCEPT): _S.FINALIZED,
    (_S.CONNECTED, _I.REJECT): _S.REJECTED,
    **{(state, _I.END): _S.ENDED for state in (_S.HANDSHAKING, _S.CONNECTED, _S.FINALIZED, _S.REJECTED)},
}


class JoinerState(Enum):
    """A device that joins."""

    IDLE = "idle"
    DISCOVERING = "discovering"
    CONNECTING = "connecting"
    FINALIZING = "finalizing"
    ENTRUSTING = "entrusting"  # accepted, waiting for JOIN_ENT
    ENTRUSTED = "entrusted"  # it has the network key; a moment later it has joined
    JOINED = "joined"  # final
    FAILED = "failed"  # final

    @property
    def is_final(self) -> bool:
        """Whether nothing can come after it."""
        return self in (JoinerState.JOINED, JoinerState.FAILED)


class JoinerInput(Enum):
    """What can happen to it."""

    DISCOVER = "discover"
    CONNECT = "connect"  # a router admits us, or we were told where to go
    CONNECTED = "connected"
    FINALIZED = "finalized"
    ENTRUSTED = "entrusted"
    SETTLED = "settled"
    FAIL = "fail"


_J, _K = JoinerState, JoinerInput
JOINER: Mapping[tuple[JoinerState, JoinerInput], JoinerState] = {
    (_J.IDLE, _K.DISCOVER): _J.DISCOVERING,
    (_J.IDLE, _K.CONNECT): _J.CONNECTING,
    (_J.DISCOVERING, _K.CONNECT): _J.CONNECTING,
    (_J.CONNECTING, _K.CONNECTED): _J.FINALIZING,
    (_J.FINALIZING, _K.FINALIZED): _J.ENTRUSTING,
    (_J.ENTRUSTING, _K.ENTRUSTED): _J.ENTRUSTED,
    (_J.ENTRUSTED, _K.SETTLED): _J.JOINED,
    **{(state, _K.FAIL): _J.FAILED for state in (_J.DISCOVERING, _J.CONNECTING, _J.FINALIZING, _J.ENTRUSTING)},
}


class EntrustState(Enum):
    """What a Joiner Router owes one joiner."""

    NOTHING = "nothing"
    PENDING = "pending"  # the KEK has come, the relayed datagram goes first
    SENT = "sent"  # JOIN_ENT is out, unanswered
    DONE = "done"


class EntrustInput(Enum):
    """What can happen to it."""

    KEK = "kek"
    DELAY_OVER = "delay over"
    ANSWERED = "answered"
    GIVE_UP = "give up"


_E, _F = EntrustState, EntrustInput
ENTRUST: Mapping[tuple[EntrustState, EntrustInput], EntrustState] = {
    (_E.NOTHING, _F.KEK): _E.PENDING,
    (_E.DONE, _F.KEK): _E.PENDING,  # it joins once more
    (_E.PENDING, _F.DELAY_OVER): _E.SENT,
    (_E.SENT, _F.ANSWERED): _E.DONE,
    (_E.SENT, _F.GIVE_UP): _E.NOTHING,
}
