"""The keys of Thread devices in a home file, what they become, and the lies that a device can tell while it joins."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field

from devices.accessories.base import Lie, Settings
from devices.accessories.border_router_settings import SAME_AS, read_dataset, same_dataset
from devices.errors import HomeFileError
from devices.sim.chance import Stream
from devices.spec import Period, duration_us
from pairing.errors import PairingError
from pairing.thread.dataset import Dataset
from pairing.thread.joiner import JoinerDeviations, JoinerSettings
from pairing.thread.joiner_table import is_valid_pskd
from pairing.thread.node import NetworkConfig

PSKD_ALPHABET = "0123456789ABCDEFGHJKLMNPRSTUVWXY"
_PSKD_LENGTH = 8


def _eui64(text: str) -> str:
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        octets = b""
    if len(octets) != 8:
        raise ValueError(f"an EUI-64 has 16 hex digits, not {text!r}")
    return octets.hex()


def _pskd(text: str) -> str:
    if not is_valid_pskd(text):
        raise ValueError("a PSKd has 6 to 32 characters of 0-9 and A-Y without I, O and Q")
    return text


def _octets(text: str) -> str:
    try:
        return bytes.fromhex(text).hex()
    except ValueError:
        raise ValueError(f"expected hex digits, not {text!r}") from None


class ThreadDeviceSettings(Settings):
    """What every Thread device has; what is not given is drawn from the home's seed."""

    vendor: str = Field("pairlab", max_length=32, description="Vendor Name in JOIN_FIN")
    model: str = Field("Thread device", max_length=32, description="Vendor Model in JOIN_FIN")
    sw_version: str = Field("1.0", max_length=16, description="Vendor SW Version in JOIN_FIN")
    vendor_data: Annotated[str, AfterValidator(_octets)] = Field("", description="Vendor Data in JOIN_FIN, hex")
    provisioning_url: str = Field("", max_length=64, description="Provisioning URL in JOIN_FIN; empty: none")
    eui64: Annotated[str, AfterValidator(_eui64)] | None = Field(None, description="16 hex digits")
    pskd: Annotated[str, AfterValidator(_pskd)] | None = Field(None, description="joining device credential")
    dataset: str = Field("none", description="hex TLVs, `same as ID` of an accessory above, or `none`: factory new")
    join: bool = Field(False, description="join at power-on, and search until a network expects it")
    attach: Period | None = Field(None, description="time to attach; default that of the home")


@dataclass(frozen=True, slots=True)
class WrongPskd(Lie):
    """Proves another PSKd than the one on its label."""

    pskd: str = "WR0NGPSKD"

    def __post_init__(self) -> None:
        _pskd(self.pskd)


@dataclass(frozen=True, slots=True)
class IgnoreReject(Lie):
    """Goes on after the Commissioner rejected its JOIN_FIN, as OpenThread's joiner does."""


@dataclass(frozen=True, slots=True)
class IgnoreSteering(Lie):
    """Tries a network whose steering data rule it out."""


@dataclass(frozen=True, slots=True)
class NoJoinFin(Lie):
    """Proves its PSKd and then says nothing."""


@dataclass(frozen=True, slots=True)
class EntrustLost(Lie):
    """Does not hear JOIN_ENT, as if each such frame were lost on the air."""


JOINER_LIES: Mapping[str, type[Lie]] = MappingProxyType(
    {
        "entrust-lost": EntrustLost,
        "ignore-reject": IgnoreReject,
        "ignore-steering": IgnoreSteering,
        "no-join-fin": NoJoinFin,
        "wrong-pskd": WrongPskd,
    }
)


def drawn_eui64(chance: Stream) -> bytes:
    """An EUI-64 of nobody's: locally administered, individual."""
    octets = chance.randbytes(8)
    return bytes((octets[0] & 0xFC | 0x02,)) + octets[1:]


def drawn_pskd(chance: Stream) -> str:
    """Eight characters."""
    return "".join(chance.choice(PSKD_ALPHABET) for _ in range(_PSKD_LENGTH))


def joiner_settings(settings: ThreadDeviceSettings, told: Mapping[str, Lie]) -> JoinerSettings:
    """What the device says of itself in JOIN_FIN, and where it deviates."""
    return JoinerSettings(
        vendor_name=settings.vendor,
        vendor_model=settings.model,
        vendor_sw_version=settings.sw_version,
        vendor_data=bytes.fromhex(settings.vendor_data),
        provisioning_url=settings.provisioning_url,
        deviations=JoinerDeviations(
            ignore_reject="ignore-reject" in told,
            ignore_steering="ignore-steering" in told,
            no_join_fin="no-join-fin" in told,
        ),
    )


def device_config(settings: ThreadDeviceSettings, default_attach: str, *, is_sleepy: bool) -> NetworkConfig:
    """What a device's node is made like."""
    return NetworkConfig(
        attach=duration_us(settings.attach or default_attach),
        border_router=False,
        router_eligible=not is_sleepy,
        backbone_router=False,
        ephemeral_key=False,
        vendor_name=settings.vendor,
        vendor_model=settings.model,
        vendor_sw_version=settings.sw_version,
    )


def given_dataset(actor_id: str, text: str, above: Mapping[str, Dataset | None]) -> Dataset | None:
    """The dataset that a device has at first; `above` are those of the accessories above it. Raises HomeFileError."""
    if text == "none":
        return None
    if text.startswith(SAME_AS):
        return same_dataset(actor_id, text, above)
    try:
        return read_dataset(text)
    except PairingError as problem:
        raise HomeFileError(f"accessory {actor_id!r}: dataset: {problem}") from None
