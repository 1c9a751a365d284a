"""What a TCAT device can be made to do wrong towards its commissioner. Each record's fields are its parameters.

Lost and late packets are faults of the medium `ble`, or of `lan` where the stream goes over UDP. `told_deviations` is
what the agent does of it, `told_habits` what becomes of the stream; certificates are the accessory's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from devices.accessories.base import Lie
from devices.accessories.ble_lies import SmallMtu
from devices.accessories.tcat_server import StreamHabits
from devices.spec import closest, duration_us
from pairing.thread.tcat.adverts import DEVICE_ID_LENGTHS, AdvertTlv, AdvertTlvType
from pairing.thread.tcat.deviations import EVERY_COMMAND, TcatDeviations
from pairing.thread.tcat.tlvs import TcatStatus, TcatType, tcat_type_name

EXPIRED, FOREIGN, WRONG_ROLE = "expired-certificate", "foreign-certificate", "wrong-role-certificate"
CERTIFICATE_LIES = (EXPIRED, FOREIGN, WRONG_ROLE)
_COMMANDS = {
    "every": EVERY_COMMAND,
    **{tcat_type_name(each): int(each) for each in TcatType if each > TcatType.PAYLOAD},
}
_STATUSES = {each.name.lower().replace("_", "-"): each for each in TcatStatus}
_IDS = {"oui24": AdvertTlvType.OUI24, "oui36": AdvertTlvType.OUI36, "iana-pen": AdvertTlvType.IANA_PEN}
_IDS["discriminator"] = AdvertTlvType.DISCRIMINATOR


def _known(word: str, known: Mapping[str, object], what: str) -> None:
    if word not in known:
        raise ValueError(f"there is no {what} {word!r}{closest(word, known)}")


@dataclass(frozen=True, slots=True)
class ExpiredCertificate(Lie):
    """The certificate that it shows has run out. In real time only, and where the authority's key is at hand."""


@dataclass(frozen=True, slots=True)
class ForeignCertificate(Lie):
    """The certificate that it shows is another authority's. In real time only."""


@dataclass(frozen=True, slots=True)
class WrongRoleCertificate(Lie):
    """The certificate that it shows is a commissioner's."""


@dataclass(frozen=True, slots=True)
class RefuseCommissioners(Lie):
    """Closes as soon as TLS has come about, as if no certificate were a commissioner's."""


@dataclass(frozen=True, slots=True)
class RefuseCommand(Lie):
    """Answers a command (or `every` one) with a status of refusal and does not carry it out."""

    command: str = "set-active-dataset"
    status: str = "busy"

    def __post_init__(self) -> None:
        _known(self.command, _COMMANDS, "command")
        _known(self.status, _STATUSES, "status")


@dataclass(frozen=True, slots=True)
class NoAnswer(Lie):
    """Does not answer a command (or `every` one); `carried_out`: it does what was asked all the same."""

    command: str = "set-active-dataset"
    carried_out: bool = False

    def __post_init__(self) -> None:
        _known(self.command, _COMMANDS, "command")


@dataclass(frozen=True, slots=True)
class WrongPskdProof(Lie):
    """Asked to prove that it knows its PSKd, it gives a proof that does not hold."""


@dataclass(frozen=True, slots=True)
class WrongDeviceId(Lie):
    """Advertises one other id (`oui24`, `oui36`, `iana-pen` or `discriminator`) instead of its own ids."""

    which: str = "discriminator"
    value: str = "00000000ff"

    def __post_init__(self) -> None:
        _known(self.which, _IDS, "id")
        if len(bytes.fromhex(self.value)) not in DEVICE_ID_LENGTHS[_IDS[self.which]]:
            raise ValueError(f"{self.value!r} has not the length of {self.which}")


@dataclass(frozen=True, slots=True)
class StaleAdvert(Lie):
    """What it advertises stays what it was, whatever becomes of it: commissioned, it looks factory new."""


@dataclass(frozen=True, slots=True)
class PartsMidAnswer(Lie):
    """Sends so many bytes of an answer's TLV, then the link is gone without a farewell."""

    sent: int = 1

    def __post_init__(self) -> None:
        if self.sent < 0:
            raise ValueError(f"sent is a number of bytes, not {self.sent}")


@dataclass(frozen=True, slots=True)
class SplitAnswers(Lie):
    """Cuts answers: `record` bytes to a TLS record (0: all), `piece` bytes to a packet, a packet `every` so often."""

    record: int = 1
    piece: int = 20
    every: str = "0ms"

    def __post_init__(self) -> None:
        if self.record < 0 or self.piece < 0:
            raise ValueError(f"record and piece are numbers of bytes, not {self.record} and {self.piece}")
        duration_us(self.every)


TCAT_LIES: Mapping[str, type[Lie]] = MappingProxyType(
    {
        EXPIRED: ExpiredCertificate,
        FOREIGN: ForeignCertificate,
        "no-answer": NoAnswer,
        "parts-mid-answer": PartsMidAnswer,
        "refuse-command": RefuseCommand,
        "refuse-commissioners": RefuseCommissioners,
        "small-mtu": SmallMtu,
        "split-answers": SplitAnswers,
        "stale-advert": StaleAdvert,
        "wrong-device-id": WrongDeviceId,
        "wrong-pskd-proof": WrongPskdProof,
        WRONG_ROLE: WrongRoleCertificate,
    }
)


def told_deviations(told: Mapping[str, Lie]) -> TcatDeviations:
    """How the agent behaves while these lies are told."""
    refused, silent, other = told.get("refuse-command"), told.get("no-answer"), told.get("wrong-device-id")
    return TcatDeviations(
        refused={_COMMANDS[refused.command]: _STATUSES[refused.status]} if isinstance(refused, RefuseCommand) else {},
        unanswered={_COMMANDS[silent.command]: silent.carried_out} if isinstance(silent, NoAnswer) else {},
        refuses_commissioners="refuse-commissioners" in told,
        wrong_pskd_proof="wrong-pskd-proof" in told,
        keeps_advert="stale-advert" in told,
        device_ids=(AdvertTlv(_IDS[other.which], bytes.fromhex(other.value)),)
        if isinstance(other, WrongDeviceId)
        else None,
    )


def told_habits(told: Mapping[str, Lie]) -> StreamHabits:
    """What becomes of the stream while these lies are told."""
    parting, split = told.get("parts-mid-answer"), told.get("split-answers")
    habits = StreamHabits(parts_after=parting.sent) if isinstance(parting, PartsMidAnswer) else StreamHabits()
    if isinstance(split, SplitAnswers):
        habits.record, habits.piece, habits.every_us = split.record, split.piece, duration_us(split.every)
    return habits
