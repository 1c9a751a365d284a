"""What a device publishes and subscribes, and what it tells of itself: the configuration of discovery, as records.

Nothing here acts. `service_frames` makes frames of it, `discovery` decides when.
Source: Wi-Fi Aware specification 4.0, section 4 (discovery engine: publish and subscribe functions).
"""

from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pairing.engine import SECOND, Micros
from pairing.errors import EncodeError
from pairing.nan.attributes import (
    Availability,
    BootstrappingMethods,
    CipherSuiteInfo,
    DeviceCapability,
    DeviceCapabilityExtension,
    ElementContainer,
    IdentityResolution,
    RangeLimit,
    SdeaControl,
    SecurityContextInfo,
    ServiceProtocolType,
)
from pairing.nan.identifiers import check_address
from pairing.nan.service_id import service_id
from pairing.nan.service_response_filter import ServiceResponseFilter
from pairing.nan.timing import DW_PERIOD, TU

FIRST_INSTANCE_ID, LAST_INSTANCE_ID = 1, 255
PEER_TIMEOUT: Micros = 10 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalDevice:
    """What every frame of this device carries. Addresses change when the device re-randomises or changes cluster."""

    nmi: bytes
    """Management address, A2 of every frame."""
    cluster_id: bytes
    """A3 of every frame; the NAN network ID in unsynchronised discovery."""
    device_capability: DeviceCapability | None = None
    availability: tuple[Availability, ...] = ()

    def __post_init__(self) -> None:
        check_address(self.nmi, "NMI")
        check_address(self.cluster_id, "cluster ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    """What publish and subscribe have in common."""

    name: str
    """The service's name, of which the service ID is made."""
    instance_id: int
    """This session's own ID, 1 to 255, one number space for publish and subscribe."""
    service_info: bytes = b""
    """The application's octets; they travel in an SDEA, behind OUI and protocol type."""
    protocol: int = ServiceProtocolType.GENERIC
    is_service_info_in_sda: bool = False
    """Put service info into the SDA, without protocol type, as older devices do."""
    matching_filter: bytes | None = None
    """See `matching_filter.encode_filter`."""
    sdea_control: SdeaControl = SdeaControl.NONE
    element_container: ElementContainer | None = None
    device_capability_extension: DeviceCapabilityExtension | None = None
    """Pairing and caching bits."""
    identity: IdentityResolution | None = None
    methods: BootstrappingMethods = BootstrappingMethods.NONE
    """The bootstrapping methods that this side offers; publish frames advertise them."""
    setup_info: bytes | None = None
    """See `setup_info.PairingSetupInfo`; travels with bootstrapping methods and requests."""
    ttl: Micros | None = None
    """How long the session runs; None until it is terminated."""

    def __post_init__(self) -> None:
        if not FIRST_INSTANCE_ID <= self.instance_id <= LAST_INSTANCE_ID:
            raise EncodeError(f"instance ID {self.instance_id}, expected {FIRST_INSTANCE_ID} to {LAST_INSTANCE_ID}")

    @property
    def service_id(self) -> bytes:
        """What is on the air in place of the name."""
        return service_id(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish(_Session):
    """A publish session. Solicited answers subscribes, unsolicited announces by itself; one of them at least."""

    is_solicited: bool = True
    is_unsolicited: bool = True
    is_answer_multicast: bool = False
    """Answer a subscribe to everybody instead of to the subscriber alone."""
    announcement_period: Micros | None = DW_PERIOD
    """None: announce once."""
    range_limit: RangeLimit | None = None
    update_indicator: int | None = None
    """Counts up by itself whenever an update changes service info, if it is used at all."""
    cipher_suites: CipherSuiteInfo | None = None
    """Repeated in every SDF of this session, follow-ups too."""
    security_contexts: SecurityContextInfo | None = None

    def __post_init__(self) -> None:
        super(Publish, self).__post_init__()
        if not (self.is_solicited or self.is_unsolicited):
            raise EncodeError("a publish is solicited, unsolicited or both")
        _check_period(self.announcement_period, "announcement period")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe(_Session):
    """A subscribe session. Active asks for publishers, passive only listens."""

    is_active: bool = True
    query_period: Micros | None = DW_PERIOD
    """None: ask once."""
    response_filter: ServiceResponseFilter | None = None
    peer_timeout: Micros | None = PEER_TIMEOUT
    """After so long without a frame a publisher counts as lost; None: never."""

    def __post_init__(self) -> None:
        super(Subscribe, self).__post_init__()
        _check_period(self.query_period, "query period")


def _check_period(period: Micros | None, what: str) -> None:
    if period is not None and period < TU:
        raise EncodeError(f"{what} of {period} µs, expected at least one TU ({TU} µs)")


Session: TypeAlias = Publish | Subscribe


def with_next_update(old: Publish, new: Publish) -> Publish:
    """The new configuration, its update indicator counted on if service info changed and nobody did it yet."""
    is_counted = new.update_indicator is None or new.update_indicator != old.update_indicator
    if is_counted or new.service_info == old.service_info:
        return new
    return replace(new, update_indicator=((new.update_indicator or 0) + 1) & 0xFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveredService:
    """A publisher as its last publish frame told of it, for one of our subscribe sessions."""

    nmi: bytes
    publish_id: int
    subscribe_id: int
    name: str
    service_info: bytes | None = None
    protocol: int | None = None
    matching_filter: bytes | None = None
    sdea_control: SdeaControl = SdeaControl.NONE
    update_indicator: int | None = None
    methods: BootstrappingMethods = BootstrappingMethods.NONE
    setup_info: bytes | None = None
    device_capability: DeviceCapability | None = None
    availability: tuple[Availability, ...] = field(default=(), repr=False)
    device_capability_extension: DeviceCapabilityExtension | None = None
    identity: IdentityResolution | None = None
    suites: tuple[int, ...] = ()
    """The cipher suites offered for this publish ID."""
    security_capabilities: int = 0
    pmkids: tuple[bytes, ...] = ()
    """The ND-PMKIDs offered for this publish ID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerDevice:
    """A peer as the attributes of its frames describe it; each is the last that was heard."""

    nmi: bytes
    device_capability: DeviceCapability | None = None
    availability: tuple[Availability, ...] = field(default=(), repr=False)
    device_capability_extension: DeviceCapabilityExtension | None = None
    identity: IdentityResolution | None = None
