"""What a Wi-Fi Aware accessory can be made to do wrong on the air, and how its engines are told.

Each record's fields are its parameters. A lie changes attempts that begin while it is in force.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from devices.accessories.base import Lie
from pairing.nan.attributes import ReasonCode
from pairing.nan.availability import PERIOD_512_TU
from pairing.nan.data_path_rules import DataPathLies
from pairing.nan.device_settings import NanLies
from pairing.nan.pairing_rules import PairingLies
from pairing.pasn.settings import FOREVER, PasnLies

Exchange = Literal["pairing", "data-path"]


@dataclass(frozen=True, slots=True)
class WrongGroup(Lie):
    """Announces another group beside its key in PASN frame 1 or 2."""

    group: int = 21


@dataclass(frozen=True, slots=True)
class NoNanElement(Lie):
    """Leaves the NAN element out of its PASN frames."""


@dataclass(frozen=True, slots=True)
class Comeback(Lie):
    """Answers PASN frame 1 with a comeback, `count` times or for ever."""

    count: int | Literal["forever"] = 1
    after_tu: int = 100

    def __post_init__(self) -> None:
        if self.count != "forever" and not 1 <= self.count <= 1_000_000:
            raise ValueError(f"count is 1 to 1000000 or forever, not {self.count}")
        if not 0 <= self.after_tu <= 0xFFFF:
            raise ValueError(f"after_tu is 0 to 65535, not {self.after_tu}")


@dataclass(frozen=True, slots=True)
class WrongMic(Lie):
    """Spoils the MIC of its PASN frame, or of message 2, 3 or 4 of a data path."""

    exchange: Exchange = "pairing"
    message: int = 2

    def __post_init__(self) -> None:
        if self.message not in (2, 3, 4):
            raise ValueError(f"message 2, 3 or 4 has a MIC, not {self.message}")


@dataclass(frozen=True, slots=True)
class WrongConfirm(Lie):
    """Spoils its SAE confirm."""


@dataclass(frozen=True, slots=True)
class OddBitmapPeriod(Lie):
    """Its availability repeats every 64 TU x 2^period instead of every 512 TU, as iPhones were seen to do."""

    period: int = 7

    def __post_init__(self) -> None:
        if not 0 <= self.period <= 7 or self.period == PERIOD_512_TU:
            raise ValueError(f"period is 0 to 7 without 3, which means 512 TU; not {self.period}")


@dataclass(frozen=True, slots=True)
class RejectStatus(Lie):
    """Refuses every pairing attempt with this status, whatever its owner says."""

    status: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.status <= 0xFFFF:
            raise ValueError(f"status is 1 to 65535, not {self.status}")


@dataclass(frozen=True, slots=True)
class RejectDataPath(Lie):
    """Refuses every data path with this reason code."""

    reason: int = int(ReasonCode.NDP_REJECTED)

    def __post_init__(self) -> None:
        if not 0 <= self.reason <= 0xFF:
            raise ValueError(f"reason is 0 to 255, not {self.reason}")


@dataclass(frozen=True, slots=True)
class Silence(Lie):
    """Never sends PASN frame `frame` (1, 2 or 3), or message `frame` (1 to 4) of a data path."""

    frame: int = 2
    exchange: Exchange = "pairing"

    def __post_init__(self) -> None:
        last = 3 if self.exchange == "pairing" else 4
        if not 1 <= self.frame <= last:
            raise ValueError(f"frame is 1 to {last}, not {self.frame}")


@dataclass(frozen=True, slots=True)
class SilentNik(Lie):
    """Authenticates, and keeps its NIK to itself."""


@dataclass(frozen=True, slots=True)
class WrongNikKey(Lie):
    """Wraps its NIK with a key of zeros."""


WIFI_AWARE_LIES: Mapping[str, type[Lie]] = MappingProxyType(
    {
        "comeback": Comeback,
        "no-nan-element": NoNanElement,
        "odd-bitmap-period": OddBitmapPeriod,
        "reject-data-path": RejectDataPath,
        "reject-status": RejectStatus,
        "silence": Silence,
        "silent-nik": SilentNik,
        "wrong-confirm": WrongConfirm,
        "wrong-group": WrongGroup,
        "wrong-mic": WrongMic,
        "wrong-nik-key": WrongNikKey,
    }
)
_TOLD_AS: Mapping[str, str] = {
    "comebacks": "comeback",
    "silent-at": "silence",
    "wrong-mic-at": "wrong-mic",
    "reject-reason": "reject-data-path",
}
"""What engines call a lie where it is not our word."""


def lie_of(engine_word: str) -> str:
    """The kind of lie that an engine's `LieTold` is about."""
    return _TOLD_AS.get(engine_word, engine_word)


def nan_lies(told: Mapping[str, Lie]) -> NanLies:
    """The lies as the engines take them."""
    group, status, comeback = told.get("wrong-group"), told.get("reject-status"), told.get("comeback")
    mic, silence, refusal = told.get("wrong-mic"), told.get("silence"), told.get("reject-data-path")
    pasn = PasnLies(
        wrong_group=group.group if isinstance(group, WrongGroup) else None,
        no_nan_element="no-nan-element" in told,
        comebacks=_comebacks(comeback),
        comeback_tu=comeback.after_tu if isinstance(comeback, Comeback) else 100,
        wrong_mic=isinstance(mic, WrongMic) and mic.exchange == "pairing",
        wrong_confirm="wrong-confirm" in told,
        reject_status=status.status if isinstance(status, RejectStatus) else None,
        silent_at=silence.frame if isinstance(silence, Silence) and silence.exchange == "pairing" else 0,
    )
    data_path = DataPathLies(
        wrong_mic_at=mic.message if isinstance(mic, WrongMic) and mic.exchange == "data-path" else 0,
        silent_at=silence.frame if isinstance(silence, Silence) and silence.exchange == "data-path" else 0,
        reject_reason=refusal.reason if isinstance(refusal, RejectDataPath) else None,
    )
    pairing = PairingLies(pasn=pasn, silent_nik="silent-nik" in told, wrong_nik_key="wrong-nik-key" in told)
    return NanLies(pairing=pairing, data_path=data_path)


def _comebacks(lie: Lie | None) -> int:
    if not isinstance(lie, Comeback):
        return 0
    return FOREVER if lie.count == "forever" else lie.count


def bitmap_period(told: Mapping[str, Lie]) -> int:
    """The period field of the availability's time bitmap."""
    odd = told.get("odd-bitmap-period")
    return odd.period if isinstance(odd, OddBitmapPeriod) else PERIOD_512_TU
