"""The keys of a TCAT device in a home file, and what its agent and certificates become from them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from devices.accessories.thread_device_settings import ThreadDeviceSettings
from devices.bluetooth.tables import BleAddress, Hex, Table
from devices.spec import Duration
from pairing.thread.tcat.adverts import AdvertTlv, AdvertTlvType
from pairing.thread.tcat.certificates import ThreadCertificate
from pairing.thread.tcat.profile import ApplicationAnswer, ApplicationLayer, TcatProfile

_APPLICATIONS = ("81", "82", "83", "84", "9f")


def _application_types(table: dict[str, ApplicationAnswer]) -> dict[str, ApplicationAnswer]:
    unknown = sorted(set(table) - set(_APPLICATIONS))
    if unknown:
        raise ValueError(f"application data comes on {', '.join(_APPLICATIONS)}, not on {unknown[0]!r}")
    return table


class ApplicationTable(Table):
    """One entry of `applications`."""

    transport: Literal["udp", "tcp"] = "udp"
    name: str = Field(min_length=1, max_length=15)


class TcatDeviceSettings(ThreadDeviceSettings):
    """A device that is commissioned over Bluetooth LE; without more it is factory new and advertises."""

    model: str = Field("TCAT device", max_length=32, description="Vendor Model")
    tcat: Literal["active", "standby", "disabled"] = Field("active", description="the agent at power-on")
    standby_after_joining: bool = Field(
        False, description="attached, it is found no longer until it is activated, as devices of newer OpenThread"
    )
    ble: bool = Field(True, description="advertise and serve over Bluetooth LE")
    udp_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="serve over UDP too, as simulated devices do: 10000 and the node's number; 0: any",
    )
    identities: str | None = Field(
        None, description="folder of PEM files, made where it has none; default: one in the user's data folder"
    )
    install_code: str | None = Field(None, min_length=1, max_length=255)
    domain_name: str = Field("DefaultDomain", max_length=16)
    oui24: Hex | None = Field(None, min_length=6, max_length=6, description="advertised vendor id")
    oui36: Hex | None = Field(None, min_length=10, max_length=10, description="advertised vendor id")
    discriminator: Hex | None = Field(None, min_length=10, max_length=10, description="advertised")
    iana_pen: Hex | None = Field(None, min_length=2, max_length=8, description="advertised vendor id")
    applications: list[ApplicationTable] = Field([], max_length=4)
    application_data: Annotated[dict[str, ApplicationAnswer], AfterValidator(_application_types)] = Field(
        {}, description="by TLV type (81 to 84, 9f): echo, success or unsupported"
    )
    address: BleAddress | None = Field(None, description="default: a static random one, drawn")
    mtu: int = Field(185, ge=23, le=517)
    interval: Duration = Field("62.5ms", description="of adverts")
    news: Literal["notify", "indicate"] = Field(
        "notify", description="how its part of the stream is told: as firmware does, or as the specification words it"
    )


def tcat_profile(
    settings: TcatDeviceSettings, certificate: ThreadCertificate, eui64: bytes, pskd: str, *, is_sleepy: bool
) -> TcatProfile:
    """What the agent is made with."""
    given = {
        AdvertTlvType.OUI24: settings.oui24,
        AdvertTlvType.OUI36: settings.oui36,
        AdvertTlvType.DISCRIMINATOR: settings.discriminator,
        AdvertTlvType.IANA_PEN: settings.iana_pen,
    }
    return TcatProfile(
        certificate=certificate,
        device_id=eui64,
        pskd=pskd,
        install_code=settings.install_code,
        provisioning_url=settings.provisioning_url or None,
        domain_name=settings.domain_name,
        applications=tuple(
            ApplicationLayer(transport=each.transport, name=each.name) for each in settings.applications
        ),
        application_data={int(tlv_type, 16): habit for tlv_type, habit in settings.application_data.items()},
        device_ids=tuple(AdvertTlv(kind, bytes.fromhex(value)) for kind, value in given.items() if value is not None),
        full_thread_device=not is_sleepy,
        rx_on_when_idle=not is_sleepy,
        standby_after_joining=settings.standby_after_joining,
    )
