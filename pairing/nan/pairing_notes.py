"""What the pairing engine remembers of peers between attempts: wrong passwords, and what they say of themselves.

Both are bounded: of too many peers, the one noted longest ago is forgotten.
"""

from collections.abc import Iterator
from typing import TypeVar

from pairing.engine import Output, Outputs
from pairing.nan.attributes import PairingBootstrappingExtension
from pairing.nan.frames import ServiceDiscoveryFrame
from pairing.nan.pairing_events import (
    PairingAttemptsExhausted,
    PairingCompleted,
    PairingFailed,
    PairingVerified,
)

MAX_PEERS = 256
_V = TypeVar("_V")


def _note(known: dict[bytes, _V], peer: bytes, value: _V) -> None:
    known.pop(peer, None)
    known[peer] = value
    if len(known) > MAX_PEERS:
        del known[next(iter(known))]


class WrongPasswords:
    """How many wrong passwords each peer gave in a row; `limit` None for as many as it likes."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._counts: dict[bytes, int] = {}

    def of(self, peer: bytes) -> int:
        """The number so far."""
        return self._counts.get(peer, 0)

    def is_locked(self, peer: bytes) -> bool:
        """Whether the peer has used up its attempts."""
        return self._limit is not None and self.of(peer) >= self._limit

    def forgive(self, peer: bytes | None = None) -> None:
        """Begin to count anew for a peer, or for all."""
        if peer is None:
            self._counts.clear()
        else:
            self._counts.pop(peer, None)

    def count(self, peer: bytes, outputs: Outputs) -> Iterator[Output]:
        """The outputs, after a failure that was one too many with an event of its own."""
        for output in outputs:
            yield output
            if isinstance(output, (PairingCompleted, PairingVerified)):
                self.forgive(peer)
            elif isinstance(output, PairingFailed) and output.wrong_attempts > self.of(peer):
                _note(self._counts, peer, output.wrong_attempts)
                if output.wrong_attempts == self._limit:
                    yield _exhausted(output)


def _exhausted(failed: PairingFailed) -> PairingAttemptsExhausted:
    return PairingAttemptsExhausted(
        peer=failed.peer,
        service=failed.service,
        mode=failed.mode,
        is_initiator=failed.is_initiator,
        attempts=failed.wrong_attempts,
    )


class SetupInfos:
    """What peers said of themselves while they were open for pairing, see `setup_info.PairingSetupInfo`."""

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}

    def hear(self, frame: ServiceDiscoveryFrame) -> None:
        """Take note of what a frame says of its sender."""
        extension = frame.find(PairingBootstrappingExtension)
        if extension is not None and extension.setup_info is not None:
            _note(self._known, frame.source, extension.setup_info)

    def of(self, peer: bytes) -> bytes | None:
        """What a peer said last."""
        return self._known.get(peer)

    def forget(self, peer: bytes) -> None:
        """Drop it."""
        self._known.pop(peer, None)
