"""What happens at an accessory that is a plain network service, and at a client of the home that uses it.

`peer` is the other side: an actor of the home in virtual time, host:port in real time. Connecting has the names that it
has on Bluetooth, told apart by the medium.
"""

from dataclasses import dataclass, field

from pairing.engine import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected(Event):
    """A TCP connection is open, and its TLS handshake done, where there is one."""

    connection: int
    tls: str = "none"
    """The version, `simulated` in virtual time, or `none`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected(Event):
    """A TCP connection is over for this side; the octets are those of the service, without TLS.

    `reason`: `closed-by-peer`, `reset-by-peer`, `silence`, `too-long`, `told`, `cut` (by a fault), `no-answer`,
    `power-off`, or an error.
    """

    connection: int
    reason: str
    octets_in: int
    octets_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectingFailed(Event):
    """A client of the home got no connection."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSilent(Event):
    """Nothing was heard on a connection for so long that a server warns; it is still open."""

    connection: int
    silent_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerReturned(Event):
    """A client that was taken for dead is back after `away_us`: it was `disconnected` falsely, for the nth time."""

    away_us: int
    false_disconnects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerReceived(Event):
    """A client of the home has got the answer to what it said."""

    connection: int
    number: int
    after_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSent(Event):
    """A server has pushed a message to so many clients."""

    clients: int
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReceived(Event):
    """A client of the home has got a message that it did not ask for."""

    connection: int
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsHandshakeCompleted(Event):
    """A TLS handshake is done, as the nth of this service, of which so many were resumed ones."""

    version: str
    cipher: str
    resumed: bool
    client_subject: str
    """Of the client's certificate; empty where it has shown none."""
    handshakes: int
    resumed_handshakes: int
    tls: str = "ssl"
    """`simulated` in virtual time, where the octets are plain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsHandshakeFailed(Event):
    """A TLS handshake came to nothing."""

    reason: str
