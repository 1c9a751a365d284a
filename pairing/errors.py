"""The error tree of the protocol engines.

Messages say what was expected, what came, and where; they never carry key bytes, passwords or codes.
"""


class PairingError(Exception):
    """Root of everything that `pairing` raises on purpose."""


class DecodeError(PairingError):
    """Bytes that do not parse. `offset` is the byte at which parsing stopped, `reason` says why."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"{reason} (at offset {offset})")
        self.offset = offset
        self.reason = reason


class EncodeError(PairingError):
    """A value that has no form on the wire: too long, out of range, or of the wrong shape."""


class LocalProtocolError(PairingError):
    """Our own caller asked for what this state does not allow; the state is unchanged."""


class RemoteProtocolError(PairingError):
    """The peer broke a rule. `wire_code` is the alert, status, reason or CoAP code that answers it, if there is one."""

    def __init__(self, message: str, wire_code: int | None = None) -> None:
        super().__init__(message)
        self.wire_code = wire_code


class AuthenticationError(RemoteProtocolError):
    """Wrong passphrase, PSKd or PSKc; a bad proof, MIC, confirm or Finished."""


class NegotiationError(RemoteProtocolError):
    """No common group, cipher suite or bootstrapping method."""


class PeerRejectedError(RemoteProtocolError):
    """The peer said no, with its reason."""


class ExchangeTimeoutError(PairingError):
    """The retries that the standard allows are used up."""


class KeyStoreError(PairingError):
    """A stored pairing is missing or inconsistent."""
