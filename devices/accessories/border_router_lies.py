"""What a Thread border router can be made to say wrongly on Bonjour. Each record's fields are its parameters."""

from dataclasses import dataclass
from types import MappingProxyType

from devices.accessories.base import Lie
from devices.spec import duration_us


def _octets(text: str, length: int, what: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"{what} is {2 * length} hex digits, not {text!r}") from None
    if len(value) != length:
        raise ValueError(f"{what} is {2 * length} hex digits, not {2 * len(value)}")
    return value


@dataclass(frozen=True, slots=True)
class NoTxtInAnswers(Lie):
    """TXT is in announcements but left out of every answer: iOS-like clients succeed, Android-like ones fail."""


@dataclass(frozen=True, slots=True)
class StaleXp(Lie):
    """TXT `xp` stays what it was before the dataset changed; by default an extended PAN id from another network."""

    xp: str = "dead00beef00cafe"

    def __post_init__(self) -> None:
        _octets(self.xp, 8, "xp")


@dataclass(frozen=True, slots=True)
class WrongXa(Lie):
    """TXT `xa` is not the extended address."""

    xa: str = "0000000000000001"

    def __post_init__(self) -> None:
        _octets(self.xa, 8, "xa")


@dataclass(frozen=True, slots=True)
class RoleBitsZero(Lie):
    """TXT `sb` says neither child, router nor leader, as before Thread 1.4."""


@dataclass(frozen=True, slots=True)
class MissingKey(Lie):
    """One key is left out of TXT."""

    key: str = "nn"


@dataclass(frozen=True, slots=True)
class ZeroTtls(Lie):
    """Every record has TTL 0, so nobody keeps it."""


@dataclass(frozen=True, slots=True)
class LateStart(Lie):
    """Bonjour stays silent for `delay` after power-on."""

    delay: str = "10s"

    def __post_init__(self) -> None:
        duration_us(self.delay)


@dataclass(frozen=True, slots=True)
class NoGoodbye(Lie):
    """It leaves without a goodbye; caches keep its records until their TTL."""


@dataclass(frozen=True, slots=True)
class SameNameResponders(Lie):
    """`count` responders in all assert its instance name without probing, each with its own data."""

    count: int = 9

    def __post_init__(self) -> None:
        if not 2 <= self.count <= 50:
            raise ValueError(f"count is 2 to 50, not {self.count}")


BONJOUR_LIES = MappingProxyType(
    {
        "late-start": LateStart,
        "missing-key": MissingKey,
        "no-goodbye": NoGoodbye,
        "no-txt-in-answers": NoTxtInAnswers,
        "role-bits-zero": RoleBitsZero,
        "same-name-responders": SameNameResponders,
        "stale-xp": StaleXp,
        "wrong-xa": WrongXa,
        "zero-ttls": ZeroTtls,
    }
)
