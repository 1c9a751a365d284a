"""The border agent's ephemeral key (ePSKc): its nine-digit code with check digit, and the life of one key.

One key at a time, good for one session, with a lifetime that also cuts a session off. DTLS, the UDP port and the
`_meshcop-e._udp` record are others' work: they follow the events. Thread 1.4, credential sharing; figures as measured
from OpenThread (attempts, lifetime, states).
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from pairing.engine import SECOND, Entropy, Micros, Outputs
from pairing.errors import EncodeError, LocalProtocolError
from pairing.thread.network_events import (
    EphemeralKeyActivated,
    EphemeralKeyConnected,
    EphemeralKeyDeactivated,
    EphemeralKeyExpired,
    EphemeralKeySwitched,
    EphemeralKeyUsed,
)

CODE_LENGTH = 9
KEY_MIN_LENGTH, KEY_MAX_LENGTH = 6, 32
DEFAULT_LIFETIME: Micros = 120 * SECOND
MAX_LIFETIME: Micros = 600 * SECOND
MAX_FAILED_ATTEMPTS = 10
FAILURES_COUNT_AFTER: Micros = 2 * SECOND
"""A failed attempt that comes sooner than this after the last counted one is not counted."""

# Verhoeff's scheme: multiplication in the dihedral group D5, and one permutation applied as often as the position says.
_D5 = tuple(
    tuple((a + b) % 5 if a < 5 and b < 5 else (a + b) % 5 + 5 if a < 5 else (a - b) % 5 + 5 if b < 5 else (a - b) % 5
          for b in range(10))
    for a in range(10)
)  # fmt: skip
_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_INVERSE = (0, 4, 3, 2, 1, 5, 6, 7, 8, 9)


def _permute(digit: int, times: int) -> int:
    for _ in range(times % 8):
        digit = _PERMUTATION[digit]
    return digit


def check_digit(digits: str) -> str:
    """Verhoeff check digit to put after `digits`."""
    checksum = 0
    for position, digit in enumerate(reversed(digits), start=1):
        checksum = _D5[checksum][_permute(int(digit), position)]
    return str(_INVERSE[checksum])


def is_valid_code(text: str) -> bool:
    """Nine decimal digits of which the last is the right check digit: what a person may type."""
    return len(text) == CODE_LENGTH and text.isascii() and text.isdigit() and check_digit(text[:-1]) == text[-1]


def generate_code(entropy: Entropy) -> str:
    """A fresh administration code: eight drawn digits and their check digit."""
    # 48 bits over 10^8 values: the bias is below one part in a million.
    digits = f"{int.from_bytes(entropy(6), 'big') % 10**8:08d}"
    return digits + check_digit(digits)


class EphemeralKeyState(enum.StrEnum):
    """In the words that the REST API reports."""

    DISABLED = "disabled"
    STOPPED = "stopped"
    STARTED = "started"
    CONNECTED = "connected"
    ACCEPTED = "accepted"


class EphemeralKeyInput(enum.Enum):
    """What can happen to the key."""

    SWITCH_ON = "switch on"
    SWITCH_OFF = "switch off"
    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"
    CONNECT = "connect"
    ACCEPT = "accept"
    END_SESSION = "end session"
    EXPIRE = "expire"


_S, _I = EphemeralKeyState, EphemeralKeyInput
EPHEMERAL_KEY_TABLE: Mapping[tuple[EphemeralKeyState, EphemeralKeyInput], EphemeralKeyState] = {
    (_S.DISABLED, _I.SWITCH_ON): _S.STOPPED,
    (_S.DISABLED, _I.SWITCH_OFF): _S.DISABLED,
    (_S.DISABLED, _I.DEACTIVATE): _S.DISABLED,
    (_S.STOPPED, _I.SWITCH_ON): _S.STOPPED,
    (_S.STOPPED, _I.SWITCH_OFF): _S.DISABLED,
    (_S.STOPPED, _I.ACTIVATE): _S.STARTED,
    (_S.STOPPED, _I.DEACTIVATE): _S.STOPPED,
    (_S.STARTED, _I.SWITCH_ON): _S.STARTED,
    (_S.STARTED, _I.SWITCH_OFF): _S.DISABLED,
    (_S.STARTED, _I.DEACTIVATE): _S.STOPPED,
    (_S.STARTED, _I.CONNECT): _S.CONNECTED,
    (_S.STARTED, _I.EXPIRE): _S.STOPPED,
    (_S.CONNECTED, _I.SWITCH_ON): _S.CONNECTED,
    (_S.CONNECTED, _I.SWITCH_OFF): _S.DISABLED,
    (_S.CONNECTED, _I.DEACTIVATE): _S.STOPPED,
    (_S.CONNECTED, _I.ACCEPT): _S.ACCEPTED,
    (_S.CONNECTED, _I.END_SESSION): _S.STOPPED,
    (_S.CONNECTED, _I.EXPIRE): _S.STOPPED,
    (_S.ACCEPTED, _I.SWITCH_ON): _S.ACCEPTED,
    (_S.ACCEPTED, _I.SWITCH_OFF): _S.DISABLED,
    (_S.ACCEPTED, _I.DEACTIVATE): _S.STOPPED,
    (_S.ACCEPTED, _I.END_SESSION): _S.STOPPED,
    (_S.ACCEPTED, _I.EXPIRE): _S.STOPPED,
}
"""Every legal move; anything else raises LocalProtocolError."""


@dataclass(frozen=True, slots=True)
class ActiveKey:
    """The key that is open: its code (the DTLS password as ASCII), the UDP port that serves it, and its end."""

    port: int
    expires_at: Micros
    code: str = field(repr=False)


class EphemeralKey:
    """The life of ephemeral keys at one border agent."""

    def __init__(self, *, enabled: bool = True) -> None:
        self._state = _S.STOPPED if enabled else _S.DISABLED
        self._key: ActiveKey | None = None
        self._failed_attempts = 0
        self._last_failure: Micros | None = None

    @property
    def state(self) -> EphemeralKeyState:
        """Where the key is in its life."""
        return self._state

    @property
    def enabled(self) -> bool:
        """Whether the feature as a whole is switched on."""
        return self._state is not _S.DISABLED

    @property
    def is_stopped(self) -> bool:
        """Whether a key may be activated: the feature is on and no key is open."""
        return self._state is _S.STOPPED

    @property
    def key(self) -> ActiveKey | None:
        """The key that is open, if one is."""
        return self._key

    @property
    def port(self) -> int:
        """UDP port of the open key, 0 without one."""
        return self._key.port if self._key else 0

    @property
    def deadline(self) -> Micros | None:
        """When the open key's lifetime ends."""
        return self._key.expires_at if self._key else None

    def handle_timeout(self, now: Micros) -> Outputs:
        """End the lifetime of a key whose time has come."""
        if self._key is None or now < self._key.expires_at:
            return ()
        self._move(_I.EXPIRE)
        return (EphemeralKeyExpired(port=self._close()),)

    def switch(self, enabled: bool, now: Micros) -> Outputs:
        """Allow or forbid the feature; forbidding ends an open key. Saying it twice changes nothing."""
        if enabled is self.enabled:
            return ()
        self._move(_I.SWITCH_ON if enabled else _I.SWITCH_OFF)
        return (*self._withdraw("feature switched off"), EphemeralKeySwitched(enabled=enabled))

    def activate(self, code: str, port: int, now: Micros, lifetime: Micros = DEFAULT_LIFETIME) -> Outputs:
        """Open a key. Any text of 6 to 32 ASCII characters will do: the check digit is for the person who types it."""
        if not (KEY_MIN_LENGTH <= len(code) <= KEY_MAX_LENGTH and code.isascii()):
            raise EncodeError(
                f"an ephemeral key has {KEY_MIN_LENGTH} to {KEY_MAX_LENGTH} ASCII characters, got {len(code)}"
            )
        self._move(_I.ACTIVATE)
        lifetime = min(lifetime, MAX_LIFETIME)
        self._key = ActiveKey(port, now + lifetime, code)
        self._failed_attempts = 0
        self._last_failure = None
        return (EphemeralKeyActivated(port=port, lifetime=lifetime, code=code),)

    def deactivate(self, now: Micros, reason: str = "deactivated") -> Outputs:
        """Withdraw the open key; without one nothing happens."""
        self._move(_I.DEACTIVATE)
        return self._withdraw(reason)

    def connect(self, peer: str | None, now: Micros) -> Outputs:
        """A peer's DTLS handshake with the code has succeeded."""
        self._move(_I.CONNECT)
        return (EphemeralKeyConnected(port=self.port, peer=peer),)

    def accept(self, now: Micros) -> Outputs:
        """The connected peer's petition was accepted."""
        self._move(_I.ACCEPT)
        return ()

    def end_session(self, now: Micros) -> Outputs:
        """The connected peer has gone, and the key with it."""
        self._move(_I.END_SESSION)
        return (EphemeralKeyUsed(port=self._close()),)

    def attempt_failed(self, now: Micros) -> Outputs:
        """A handshake failed. The tenth that counts closes the key."""
        if self._state is not _S.STARTED:
            return ()
        if self._last_failure is not None and now - self._last_failure < FAILURES_COUNT_AFTER:
            return ()
        self._last_failure = now
        self._failed_attempts += 1
        if self._failed_attempts < MAX_FAILED_ATTEMPTS:
            return ()
        return self.deactivate(now, "too many failed attempts")

    def _move(self, by: EphemeralKeyInput) -> None:
        try:
            self._state = EPHEMERAL_KEY_TABLE[self._state, by]
        except KeyError:
            raise LocalProtocolError(f"ephemeral key: cannot {by.value} while {self._state.value}") from None

    def _close(self) -> int:
        port, self._key = self.port, None
        return port

    def _withdraw(self, reason: str) -> Outputs:
        if self._key is None:
            return ()
        return (EphemeralKeyDeactivated(port=self._close(), reason=reason),)
