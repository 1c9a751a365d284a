"""Settings of Wi-Fi Aware accessories, and what follows from them for the NAN device.

What a platform would refuse, its own profile refuses here, with the rule: names, methods, security.
Source: pairing.nan.platform_rules; Wi-Fi Aware specification 4.0.
"""

import re
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from devices.accessories.base import Settings
from devices.accessories.wifi_aware_policy import Policy
from devices.errors import HomeFileError
from devices.nan_capabilities import RADIO_ELEMENTS
from devices.spec import Duration
from pairing.engine import SECOND, Micros
from pairing.nan.attributes import (
    BootstrappingMethods,
    CipherSuiteInfo,
    DeviceCapabilityExtension,
    PairingCapabilities,
    SdeaControl,
)
from pairing.nan.bootstrapping_rules import BootstrappingProfile, MethodReading
from pairing.nan.data_path_rules import DataPathSettings
from pairing.nan.pairing_rules import REFERENCE_PEER_PAIRING, PairingProfile
from pairing.nan.platform_rules import (
    DataPathSecurity,
    Family,
    NanPlatform,
    PlatformVerdict,
    UnknownPlatformError,
    bootstrapping_rules,
    judge_bootstrapping_method,
    judge_data_path,
    judge_service_name,
)
from pairing.nan.sessions import Publish, Subscribe
from pairing.nan.setup_info import PairingSetupInfo

INSTANCE_ID = 1
"""Of the one session that an accessory runs."""
PASSPHRASE_SUITES = (1, 2)
PATIENCE: Micros = 60 * SECOND
"""How long either side of bootstrapping waits for the other, where the platform names no time."""
SERVICES = ("echo", "http", "camera", "none")

Method = Literal[
    "opportunistic",
    "pin-display",
    "passphrase-display",
    "qr-display",
    "nfc-tag",
    "pin-keypad",
    "passphrase-keypad",
    "qr-scan",
    "nfc-reader",
    "service-managed",
    "handshake-skipped",
]


def _checked_address(text: str) -> str:
    found = re.fullmatch(r"(?:[0-9a-fA-F]{2}[:-]?){5}[0-9a-fA-F]{2}", text)
    octets = bytes.fromhex(re.sub("[:-]", "", text)) if found else b""
    if not octets or octets[0] & 1:
        raise ValueError(f"an address is six octets in hex, the first even, such as 02:00:00:00:00:01; not {text!r}")
    return octets.hex(":")


def _checked_service(text: str) -> str:
    host, _, port = text.rpartition(":")
    if text in SERVICES or (host and port.isascii() and port.isdigit() and 0 < int(port) <= 65_535):
        return text
    raise ValueError(f"a service is {', '.join(SERVICES)} or HOST:PORT, such as 127.0.0.1:8080; not {text!r}")


MacAddress = Annotated[str, AfterValidator(_checked_address)]
DataService = Annotated[str, AfterValidator(_checked_service)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PairingTable(_Table):
    """`pairing`: by which methods, and what its owner does."""

    methods: list[Method] = Field(["pin-display"], description="own role of each; none: it does not pair")
    open: Literal["unpaired", "always", "closed"] = Field(
        "unpaired", description="when pair setup is open by itself: until somebody is paired, always, or on request"
    )
    accept: Policy = Field("always", description="what its owner says to a pairing request")
    bootstrapping: Policy = Field("always", description="what its owner says to the request for a method before that")
    pin: str | None = Field(None, pattern=r"^[0-9]{4,16}$", description="default: six digits drawn at each opening")
    passphrase: str | None = Field(None, min_length=8, max_length=63, description="default: drawn at each opening")
    code: str = Field(
        "right", description="what its owner types: right, wrong, wrong-then-right, none (wait for accept), or a code"
    )
    expires: Duration | None = Field(None, description="after so long pair setup closes and the code is worth nothing")
    attempts: int = Field(3, ge=0, description="wrong codes in a row after which a peer is refused; 0 = no limit")


class DataPathTable(_Table):
    """`data_path`: who may have one, and what is at its end."""

    security: Literal["open", "passphrase", "paired"] = Field("paired", description="the least that is accepted")
    passphrase: str | None = Field(None, min_length=8, max_length=63, description="default: drawn")
    accept: Policy = Field("always", description="what its owner says to a request")
    service: DataService = Field("echo", description="echo, http, camera, none, or HOST:PORT to forward to")
    tls: Literal["none", "psk"] = Field("none", description="psk: TLS 1.2 under a key made of the pairing's; real time")

    @model_validator(mode="after")
    def _psk_needs_a_pairing(self) -> "DataPathTable":
        if self.tls == "psk" and self.security != "paired":
            raise ValueError('tls = "psk" takes its key from the pairing, so security is "paired"')
        return self


class WifiAwareSettings(Settings):
    """Everything has a default; addresses and codes that are not given are drawn from the home's seed."""

    service: str = Field("_pairlab._udp", min_length=1, max_length=255, description="name of the service")
    service_info: str = Field("", max_length=200, description="text beside the service")
    pairing: PairingTable = PairingTable()
    vendor: str = Field("pairlab", max_length=60, description="told while pair setup is open")
    model: str = Field("Wi-Fi Aware device", max_length=60, description="told while pair setup is open")
    pairing_name: str | None = Field(None, max_length=60, description="default: the accessory's name")
    suites: list[Literal[7, 8]] = Field([7, 8], min_length=1, description="7 NCS-PK-PASN-128, 8 -256; best first")
    caching: bool = Field(True, description="whether pairings are remembered")
    nmi: MacAddress | None = Field(None, description="management address")
    ndi: MacAddress | None = Field(None, description="data interface address")
    profile: str = Field(
        "raw", description="whose manners it has on the air: raw, hostap, ios-26, android-16, …; raw meets them all"
    )
    data_path: DataPathTable = DataPathTable()

    @field_validator("profile")
    @classmethod
    def _check_profile(cls, profile: str) -> str:
        try:
            NanPlatform.named(profile)
        except UnknownPlatformError as problem:
            raise ValueError(str(problem)) from None
        return profile

    @property
    def platform(self) -> NanPlatform:
        """The platform of the profile."""
        return NanPlatform.named(self.profile)

    @property
    def methods(self) -> BootstrappingMethods:
        """The bits of the methods."""
        return BootstrappingMethods(sum(method_named(each) for each in dict.fromkeys(self.pairing.methods)))


def method_named(name: str) -> BootstrappingMethods:
    """`pin-display` and so on."""
    return BootstrappingMethods[name.upper().replace("-", "_")]


def method_word(method: BootstrappingMethods) -> str:
    """The other way round."""
    return str(method.name).lower().replace("_", "-")


def check_platform(actor_id: str, settings: WifiAwareSettings, *, is_publisher: bool) -> None:
    """Refuse what the profile's platform refuses. Raises HomeFileError, which names the rule."""
    platform = settings.platform
    verdicts = [judge_service_name(platform, settings.service)]
    verdicts += [
        judge_bootstrapping_method(platform, method_named(each), is_publisher=is_publisher)
        for each in settings.pairing.methods
    ]
    verdicts.append(judge_data_path(platform, DataPathSecurity(settings.data_path.security)))
    for verdict in verdicts:
        if not verdict.is_accepted:
            raise HomeFileError(f"accessory {actor_id!r}: {settings.profile}: {_refusal(verdict)}")


def _refusal(verdict: PlatformVerdict) -> str:
    hint = f"; {verdict.hint}" if verdict.hint else ""
    return f"{verdict.rule}: expected {verdict.expected}, came {verdict.came} ({verdict.symptom}){hint}"


# What follows for the device.


def bootstrapping_profile(settings: WifiAwareSettings) -> BootstrappingProfile:
    """The platform's manners, but its owner is always asked and nothing waits for ever; `raw` takes either bit."""
    profile = bootstrapping_rules(settings.platform).profile
    if settings.platform.family is Family.RAW:
        profile = replace(profile, reading=MethodReading.EITHER)
    return replace(
        profile, is_user_asked=True, timeout=profile.timeout or PATIENCE, patience=profile.patience or PATIENCE
    )


def pairing_profile(settings: WifiAwareSettings) -> PairingProfile:
    """The platform's manners with this accessory's suites and patience."""
    profile = REFERENCE_PEER_PAIRING if settings.platform.family is Family.HOSTAP else PairingProfile()
    return replace(profile, suites=tuple(settings.suites), max_wrong_attempts=settings.pairing.attempts or None)


_ACCEPTED = {
    "open": frozenset(DataPathSecurity),
    "passphrase": frozenset(DataPathSecurity) - {DataPathSecurity.OPEN},
    "paired": frozenset({DataPathSecurity.PAIRED}),
}


def data_path_settings(settings: WifiAwareSettings) -> DataPathSettings:
    """Which data paths are accepted."""
    return DataPathSettings(accepts=_ACCEPTED[settings.data_path.security])


def setup_info(settings: WifiAwareSettings, name: str) -> bytes:
    """What is told while pair setup is open."""
    return PairingSetupInfo(settings.pairing_name or name, settings.vendor, settings.model).encode()


def _capability_extension(settings: WifiAwareSettings) -> DeviceCapabilityExtension | None:
    if not settings.pairing.methods:
        return None
    caching = PairingCapabilities.NPK_NIK_CACHING if settings.caching else PairingCapabilities(0)
    return DeviceCapabilityExtension(pairing=PairingCapabilities.PAIRING_SETUP | caching)


def publish_of(settings: WifiAwareSettings, name: str, *, is_solicited: bool, is_unsolicited: bool) -> Publish:
    """The publish session."""
    control = SdeaControl.DATA_PATH_REQUIRED
    suites: list[int] = [*settings.suites] if settings.pairing.methods else []
    if settings.data_path.security != "open":
        control |= SdeaControl.SECURITY_REQUIRED
    if settings.data_path.security == "passphrase":
        suites += PASSPHRASE_SUITES
    return Publish(
        name=settings.service,
        instance_id=INSTANCE_ID,
        service_info=settings.service_info.encode(),
        sdea_control=control if settings.data_path.service != "none" else SdeaControl.NONE,
        element_container=RADIO_ELEMENTS,
        device_capability_extension=_capability_extension(settings),
        methods=settings.methods,
        setup_info=setup_info(settings, name) if settings.pairing.methods else None,
        is_solicited=is_solicited,
        is_unsolicited=is_unsolicited,
        cipher_suites=CipherSuiteInfo.of(INSTANCE_ID, *suites) if suites else None,
    )


def subscribe_of(settings: WifiAwareSettings, name: str, *, is_active: bool) -> Subscribe:
    """The subscribe session."""
    return Subscribe(
        name=settings.service,
        instance_id=INSTANCE_ID,
        service_info=settings.service_info.encode(),
        element_container=RADIO_ELEMENTS,
        device_capability_extension=_capability_extension(settings),
        methods=settings.methods,
        setup_info=setup_info(settings, name) if settings.pairing.methods else None,
        is_active=is_active,
    )
