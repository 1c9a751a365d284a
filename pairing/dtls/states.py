"""The states of the two DTLS roles, and the only moves between them. A pair that is missing means: nothing happens.

Source: RFC 6347, section 4.2.4 (flights, timers); RFC 5246, section 7.3 (order of messages).
"""

from enum import Enum


class DtlsState(Enum):
    """Where one side stands. The first three are the client's, the fourth the server's."""

    IDLE = "idle"
    WAIT_SERVER_HELLO = "wait-server-hello"  # or a HelloVerifyRequest
    WAIT_SERVER_KEY_EXCHANGE = "wait-server-key-exchange"
    WAIT_SERVER_HELLO_DONE = "wait-server-hello-done"
    WAIT_CLIENT_KEY_EXCHANGE = "wait-client-key-exchange"
    WAIT_CHANGE_CIPHER_SPEC = "wait-change-cipher-spec"
    WAIT_FINISHED = "wait-finished"
    CONNECTED = "connected"
    CLOSED = "closed"  # final
    FAILED = "failed"  # final

    @property
    def is_final(self) -> bool:
        """Whether nothing can come after it."""
        return self in (DtlsState.CLOSED, DtlsState.FAILED)


class DtlsInput(Enum):
    """What can happen to one side."""

    START = "start"
    CLIENT_HELLO = "client-hello"  # one whose cookie, if there has to be one, is right
    HELLO_VERIFY_REQUEST = "hello-verify-request"
    SERVER_HELLO = "server-hello"
    SERVER_KEY_EXCHANGE = "server-key-exchange"
    SERVER_HELLO_DONE = "server-hello-done"
    CLIENT_KEY_EXCHANGE = "client-key-exchange"
    CHANGE_CIPHER_SPEC = "change-cipher-spec"
    FINISHED = "finished"
    REFUSED = "refused"  # the peer broke a rule or holds another password
    ALERTED = "alerted"  # the peer gave up
    TIMEOUT = "timeout"  # the peer fell silent
    CLOSE = "close"  # our side
    CLOSED_BY_PEER = "closed-by-peer"


_S, _I = DtlsState, DtlsInput
_CLIENT_WAITS = (
    _S.WAIT_SERVER_HELLO,
    _S.WAIT_SERVER_KEY_EXCHANGE,
    _S.WAIT_SERVER_HELLO_DONE,
    _S.WAIT_CHANGE_CIPHER_SPEC,
    _S.WAIT_FINISHED,
)
_SERVER_WAITS = (_S.WAIT_CLIENT_KEY_EXCHANGE, _S.WAIT_CHANGE_CIPHER_SPEC, _S.WAIT_FINISHED)


def _endings(waits: tuple[DtlsState, ...]) -> dict[tuple[DtlsState, DtlsInput], DtlsState]:
    """Every wait can end badly in the same five ways; a connection ends in three."""
    failures = (_I.REFUSED, _I.ALERTED, _I.TIMEOUT, _I.CLOSED_BY_PEER)
    moves = {(state, what): _S.FAILED for state in waits for what in failures}
    moves |= {(state, _I.CLOSE): _S.CLOSED for state in (*waits, _S.CONNECTED)}
    return moves | {(_S.CONNECTED, what): _S.CLOSED for what in (_I.CLOSED_BY_PEER, _I.ALERTED)}


CLIENT: dict[tuple[DtlsState, DtlsInput], DtlsState] = {
    (_S.IDLE, _I.START): _S.WAIT_SERVER_HELLO,
    (_S.WAIT_SERVER_HELLO, _I.HELLO_VERIFY_REQUEST): _S.WAIT_SERVER_HELLO,
    (_S.WAIT_SERVER_HELLO, _I.SERVER_HELLO): _S.WAIT_SERVER_KEY_EXCHANGE,
    (_S.WAIT_SERVER_KEY_EXCHANGE, _I.SERVER_KEY_EXCHANGE): _S.WAIT_SERVER_HELLO_DONE,
    (_S.WAIT_SERVER_HELLO_DONE, _I.SERVER_HELLO_DONE): _S.WAIT_CHANGE_CIPHER_SPEC,
    (_S.WAIT_CHANGE_CIPHER_SPEC, _I.CHANGE_CIPHER_SPEC): _S.WAIT_FINISHED,
    (_S.WAIT_FINISHED, _I.FINISHED): _S.CONNECTED,
    **_endings(_CLIENT_WAITS),
}

SERVER: dict[tuple[DtlsState, DtlsInput], DtlsState] = {
    (_S.IDLE, _I.CLIENT_HELLO): _S.WAIT_CLIENT_KEY_EXCHANGE,
    (_S.IDLE, _I.REFUSED): _S.FAILED,
    (_S.WAIT_CLIENT_KEY_EXCHANGE, _I.CLIENT_KEY_EXCHANGE): _S.WAIT_CHANGE_CIPHER_SPEC,
    (_S.WAIT_CHANGE_CIPHER_SPEC, _I.CHANGE_CIPHER_SPEC): _S.WAIT_FINISHED,
    (_S.WAIT_FINISHED, _I.FINISHED): _S.CONNECTED,
    **_endings(_SERVER_WAITS),
}
