"""Who may join: the Commissioner's table of Joiners, each with its PSKd and its time.

Matching a Joiner to an entry and the DTLS with it are the commissioner's work. Thread specification, chapter 8.4.4;
sizes and rules as in OpenThread's commissioner.
"""

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pairing.engine import Micros, Outputs
from pairing.errors import DecodeError, EncodeError
from pairing.thread.network_events import JoinerConnected, JoinerEnabled, JoinerFinalized, JoinerRemoved

PSKD_MIN_LENGTH, PSKD_MAX_LENGTH = 6, 32
MAX_DISCERNER_BITS = 64
_PSKD = re.compile(r"[0-9A-HJ-NPR-Y]{6,32}")


def is_valid_pskd(text: str) -> bool:
    """6 to 32 characters of 0-9 and A-Y without I, O and Q."""
    return _PSKD.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class JoinerId:
    """Whom an entry is for: an EUI-64, a discerner of some bits, or (neither) anybody."""

    eui64: bytes | None = None
    discerner: int | None = None
    discerner_bits: int = 0

    @classmethod
    def parse(cls, text: str) -> "JoinerId":
        """`*`, 16 hex digits, or `0xabc/12`; the prefix `0x` may be missing."""
        if text == "*":
            return cls()
        digits, slash, bits = text.partition("/")
        if not slash:
            if re.fullmatch(r"[0-9a-fA-F]{16}", text) is None:
                raise DecodeError(0, "a joiner is *, 16 hex digits, or a discerner such as 0xabc/12")
            return cls(eui64=bytes.fromhex(text))
        if re.fullmatch(r"(0x)?[0-9a-fA-F]{1,16}", digits) is None or re.fullmatch(r"[0-9]{1,2}", bits) is None:
            raise DecodeError(0, "a discerner is hex digits, a slash and a number of bits, such as 0xabc/12")
        return cls._discerner(int(digits, 16), int(bits))

    @classmethod
    def _discerner(cls, value: int, bits: int) -> "JoinerId":
        if not 1 <= bits <= MAX_DISCERNER_BITS or value.bit_length() > bits:
            raise DecodeError(0, f"a discerner has 1 to {MAX_DISCERNER_BITS} bits and a value that fits them")
        return cls(discerner=value, discerner_bits=bits)

    @property
    def is_any(self) -> bool:
        """Whether the entry is for anybody."""
        return self.eui64 is None and self.discerner is None

    def __str__(self) -> str:
        if self.eui64 is not None:
            return self.eui64.hex()
        return "*" if self.discerner is None else f"0x{self.discerner:x}/{self.discerner_bits}"


class JoinerProgress(enum.StrEnum):
    """How far the Joiner of an entry has come."""

    UNDISCOVERED = "undiscovered"
    ATTEMPTED = "attempted"
    JOINED = "joined"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinerEntry:
    """One line of the table."""

    joiner: JoinerId
    expires_at: Micros
    progress: JoinerProgress = JoinerProgress.UNDISCOVERED
    pskd: str = field(repr=False)


class JoinerTable:
    """A few entries, in the order they were added, one for each `JoinerId`."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: dict[JoinerId, JoinerEntry] = {}

    def __iter__(self) -> Iterator[JoinerEntry]:
        return iter(tuple(self._entries.values()))

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, joiner: JoinerId) -> JoinerEntry | None:
        """The entry for exactly this joiner."""
        return self._entries.get(joiner)

    @property
    def is_full(self) -> bool:
        """Whether only entries that exist already can be set."""
        return len(self._entries) >= self._size

    @property
    def deadline(self) -> Micros | None:
        """When the next entry expires."""
        return min((entry.expires_at for entry in self), default=None)

    def handle_timeout(self, now: Micros) -> Outputs:
        """Remove what has expired."""
        due = [entry.joiner for entry in self if entry.expires_at <= now]
        return tuple(output for joiner in due for output in self.remove(joiner, "expired"))

    def add(self, joiner: JoinerId, pskd: str, timeout: Micros, now: Micros) -> Outputs:
        """Let a Joiner in for a while; an entry that exists gets the new PSKd and time. The caller asks `is_full`."""
        if not is_valid_pskd(pskd):
            raise EncodeError("a PSKd has 6 to 32 characters of 0-9 and A-Y without I, O and Q")
        self._entries[joiner] = JoinerEntry(joiner=joiner, expires_at=now + timeout, pskd=pskd)
        return (JoinerEnabled(joiner=str(joiner), timeout=timeout, pskd=pskd),)

    def remove(self, joiner: JoinerId, reason: str) -> Outputs:
        """Take one entry out; one that is not there is no error."""
        if self._entries.pop(joiner, None) is None:
            return ()
        return (JoinerRemoved(joiner=str(joiner), reason=reason),)

    def clear(self, reason: str) -> Outputs:
        """Take all entries out."""
        return tuple(output for entry in self for output in self.remove(entry.joiner, reason))

    def connected(self, joiner: JoinerId) -> Outputs:
        """The Joiner of this entry has proved its PSKd."""
        self._progress(joiner, JoinerProgress.ATTEMPTED)
        return (JoinerConnected(joiner=str(joiner)),)

    def finalized(self, joiner: JoinerId, *, accepted: bool) -> Outputs:
        """The Commissioner has answered JOIN_FIN of this entry's Joiner."""
        self._progress(joiner, JoinerProgress.JOINED if accepted else JoinerProgress.REJECTED)
        return (JoinerFinalized(joiner=str(joiner), accepted=accepted),)

    def _progress(self, joiner: JoinerId, progress: JoinerProgress) -> None:
        entry = self._entries.get(joiner)
        if entry is not None:
            self._entries[joiner] = JoinerEntry(
                joiner=joiner, expires_at=entry.expires_at, progress=progress, pskd=entry.pskd
            )
