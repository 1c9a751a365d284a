"""What a TCAT device is made like, and what the agent knows of the node that it commissions."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from pairing.thread.dataset import Dataset
from pairing.thread.tcat.adverts import AdvertTlv, DeviceStatus, LinkCapabilities
from pairing.thread.tcat.certificates import ThreadCertificate
from pairing.thread.tcat.diagnostics import NodeView

MAX_APPLICATIONS = 4
MAX_SERVICE_NAME = 15
MAX_PROVISIONING_URL = 64


class TcatState(enum.StrEnum):
    """Where the agent stands."""

    DISABLED = "disabled"
    STANDBY = "standby"
    STANDBY_TEMPORARY = "standby-temporary"
    ACTIVE = "active"
    ACTIVE_TEMPORARY = "active-temporary"
    CONNECTED = "connected"

    @property
    def is_advertising(self) -> bool:
        """Whether a commissioner may find it, or has."""
        return self in (TcatState.ACTIVE, TcatState.ACTIVE_TEMPORARY, TcatState.CONNECTED)


class ApplicationAnswer(enum.StrEnum):
    """What the application behind a channel does with data."""

    ECHO = "echo"
    SUCCESS = "success"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationLayer:
    """A service that the device offers beside Thread."""

    transport: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatProfile:
    """What does not change while the device lives."""

    certificate: ThreadCertificate
    device_id: bytes
    pskd: str | None = field(default=None, repr=False)
    install_code: str | None = field(default=None, repr=False)
    provisioning_url: str | None = None
    domain_name: str = "DefaultDomain"
    applications: tuple[ApplicationLayer, ...] = ()
    application_data: Mapping[int, ApplicationAnswer] = field(default_factory=dict)
    device_ids: tuple[AdvertTlv, ...] = ()
    link: LinkCapabilities = field(default_factory=LinkCapabilities)
    full_thread_device: bool = True
    rx_on_when_idle: bool = True
    border_router: bool = False
    standby_after_joining: bool = False
    """Is found no longer once it has attached, until it is activated again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatNode:
    """The node as the agent sees it: what is stored, and whether it is attached."""

    dataset: Dataset | None = None
    commissioner_certificate: bytes | None = field(default=None, repr=False)
    """Of whoever set the dataset."""
    attached: bool = False

    @property
    def commissioned(self) -> bool:
        """Whether the dataset is complete enough to attach with."""
        dataset = self.dataset
        return dataset is not None and None not in (
            dataset.network_key,
            dataset.network_name,
            dataset.ext_pan_id,
            dataset.pan_id,
            dataset.channel,
        )

    def status(self, profile: TcatProfile) -> DeviceStatus:
        """As it is advertised."""
        return DeviceStatus(
            full_thread_device=profile.full_thread_device,
            rx_on_when_idle=profile.rx_on_when_idle,
            border_router=profile.border_router,
            attached=self.attached,
            commissioned=self.commissioned,
            stores_active_dataset=self.dataset is not None,
        )


def no_view(profile: TcatProfile) -> NodeView:
    """The diagnostics of a node of which nothing more is known."""
    return NodeView(eui64=profile.device_id)
