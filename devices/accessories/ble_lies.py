"""What a Bluetooth LE accessory can be made to do wrong, and how its station is told.

Each record's fields are its parameters. Lost and late packets are faults of the medium `ble`: `drop`, `delay`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from devices.accessories.base import Lie
from devices.bluetooth.misbehaviour import Misbehaviour
from devices.spec import duration_us


@dataclass(frozen=True, slots=True)
class PartsOnRead(Lie):
    """Disconnects when a value is read, instead of answering."""


@dataclass(frozen=True, slots=True)
class SmallMtu(Lie):
    """Agrees to this MTU at most, in connections that begin while it is in force."""

    mtu: int = 23

    def __post_init__(self) -> None:
        if not 23 <= self.mtu <= 517:
            raise ValueError(f"mtu is 23 to 517, not {self.mtu}")


@dataclass(frozen=True, slots=True)
class SlowNews(Lie):
    """Tells each notification and indication so much later, in order."""

    delay: str = "2s"

    def __post_init__(self) -> None:
        duration_us(self.delay)


@dataclass(frozen=True, slots=True)
class BatchedNews(Lie):
    """Gathers notifications and indications for so long, then tells all of them at once, in order, or loses them."""

    hold: str = "5s"
    lost: bool = False

    def __post_init__(self) -> None:
        duration_us(self.hold)


@dataclass(frozen=True, slots=True)
class EarlyNews(Lie):
    """Notifies before it has answered the write of the CCCD that asks for it."""


@dataclass(frozen=True, slots=True)
class OtherName(Lie):
    """Advertises under another name."""

    name: str = "Renamed"


@dataclass(frozen=True, slots=True)
class RotatesAddress(Lie):
    """Advertises under a new resolvable private address so often; connections last."""

    every: str = "15m"

    def __post_init__(self) -> None:
        if duration_us(self.every) <= 0:
            raise ValueError("every is longer than nothing")


BLE_LIES: Mapping[str, type[Lie]] = MappingProxyType(
    {
        "parts-on-read": PartsOnRead,
        "small-mtu": SmallMtu,
        "slow-news": SlowNews,
        "batched-news": BatchedNews,
        "early-news": EarlyNews,
        "other-name": OtherName,
        "rotates-address": RotatesAddress,
    }
)


def misbehaviour(lies: Mapping[str, Lie], told: Callable[[str, str], None]) -> Misbehaviour:
    """What a station does while these lies are told."""
    done = Misbehaviour(told)
    for lie in lies.values():
        match lie:
            case PartsOnRead():
                done.parts_on_read = True
            case SmallMtu():
                done.mtu = lie.mtu
            case SlowNews():
                done.late_us = duration_us(lie.delay)
            case BatchedNews():
                done.batch_us, done.loses_batch = duration_us(lie.hold), lie.lost
            case EarlyNews():
                done.early_news = True
    return done
