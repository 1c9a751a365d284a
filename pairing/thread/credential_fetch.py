"""The client side of credential sharing: a code goes in, the network's datasets come out, the connection is closed.

It is a Commissioner that never petitions. Thread 1.4, credential sharing; order of requests as in ot-commissioner.
"""

from collections.abc import Iterable

from pairing.dtls.events import ConnectionClosed, HandshakeCompleted, HandshakeFailed
from pairing.engine import Address, Entropy, Micros, Output, Outputs
from pairing.errors import LocalProtocolError, PairingError, PeerRejectedError
from pairing.thread.commissioner import Commissioner, CommissionerSettings
from pairing.thread.commissioner_states import FETCH_TABLE, FetchInput, FetchState
from pairing.thread.meshcop_events import CredentialsFetched, DatasetReceived, FetchFailed, RequestFailed


class CredentialFetch:
    """One use of one code at the `_meshcop-e._udp` port of a Border Agent. `start` begins it."""

    def __init__(
        self, address: Address, code: str, entropy: Entropy, settings: CommissionerSettings | None = None
    ) -> None:
        self.state = FetchState.IDLE
        self._commissioner = Commissioner(address, code.encode(), entropy, settings)
        self._active = b""

    @property
    def deadline(self) -> Micros | None:
        """When something is due next."""
        return self._commissioner.deadline

    def start(self, now: Micros) -> Outputs:
        """Connect."""
        self._move(FetchInput.START)
        return self._digest(self._commissioner.start(now), now)

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A datagram has arrived."""
        return self._digest(self._commissioner.receive(payload, sender, now), now)

    def handle_timeout(self, now: Micros) -> Outputs:
        """Send again what is due, or give up."""
        return self._digest(self._commissioner.handle_timeout(now), now)

    def cancel(self, now: Micros) -> Outputs:
        """Give up."""
        if (self.state, FetchInput.FAIL) not in FETCH_TABLE:
            raise LocalProtocolError(f"a fetch cannot be given up while {self.state.value}")
        return self._fail(PeerRejectedError("given up by our own side"), now)

    def _digest(self, outputs: Iterable[Output], now: Micros) -> list[Output]:
        done: list[Output] = []
        for output in outputs:
            done.append(output)
            match output:
                case HandshakeCompleted() if self.state is FetchState.CONNECTING:
                    self._move(FetchInput.CONNECTED)
                    done += self._digest(self._commissioner.get_active(now), now)
                case DatasetReceived(kind="active") if self.state is FetchState.READING_ACTIVE:
                    self._move(FetchInput.ACTIVE_READ)
                    self._active = output.tlvs
                    done += self._digest(self._commissioner.get_pending(now), now)
                case DatasetReceived(kind="pending") if self.state is FetchState.READING_PENDING:
                    self._move(FetchInput.PENDING_READ)
                    done.append(CredentialsFetched(active=self._active, pending=output.tlvs, peer=output.peer))
                    done += self._commissioner.close(now)
                case HandshakeFailed() | RequestFailed():
                    done += self._fail(output.error, now)
                case ConnectionClosed():
                    error = PeerRejectedError(f"the Border Agent's connection ended: {output.reason}")
                    done += self._fail(error, now)
        return done

    def _fail(self, error: PairingError, now: Micros) -> list[Output]:
        if (self.state, FetchInput.FAIL) not in FETCH_TABLE:
            return []
        self._move(FetchInput.FAIL)
        state = self._commissioner.state
        closing = [] if state.is_final else [*self._commissioner.close(now)]
        return [FetchFailed(error=error), *closing]

    def _move(self, what: FetchInput) -> None:
        after = FETCH_TABLE.get((self.state, what))
        if after is None:
            raise LocalProtocolError(f"a fetch cannot {what.value} while {self.state.value}")
        self.state = after
