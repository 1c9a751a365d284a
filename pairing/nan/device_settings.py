"""What a Wi-Fi Aware device is made of: addresses, behaviour, and the lies to tell.

Source: Wi-Fi Aware specification 4.0; what differs between implementations is in the rules of each part.
"""

from dataclasses import dataclass, field

from pairing.engine import SECOND
from pairing.keys import PairedPeer
from pairing.nan.attributes import Availability, DeviceCapability
from pairing.nan.bootstrapping_rules import BootstrappingProfile
from pairing.nan.cluster import ClusterSettings
from pairing.nan.data_path_rules import DataPathLies, DataPathSettings
from pairing.nan.identifiers import check_address
from pairing.nan.pairing_rules import PairingLies, PairingProfile
from pairing.nan.sessions import LocalDevice
from pairing.nan.timing import DiscoveryWindows


@dataclass(frozen=True, slots=True, kw_only=True)
class NanDeviceSettings:
    """One device. Everything but its addresses has a default."""

    nmi: bytes
    ndi: bytes
    cluster_id: bytes
    device_capability: DeviceCapability | None = None
    availability: tuple[Availability, ...] = ()
    bootstrapping: BootstrappingProfile = BootstrappingProfile(timeout=90 * SECOND)  # noqa: RUF009 - a frozen value
    """With an end, which the reference peer's has not: it comes back for ever."""
    pairing: PairingProfile = PairingProfile()  # noqa: RUF009 - a frozen value
    data_path: DataPathSettings = DataPathSettings()  # noqa: RUF009 - a frozen value
    windows: DiscoveryWindows | None = None
    """None: frames leave at once and are heard at any time."""
    cluster: ClusterSettings | None = None
    """None: no beacons; the cluster ID is given and the TSF is the caller's clock."""
    is_encrypting: bool = True
    """False: frames to paired peers are marked as protected but stay readable."""
    does_forget_expired: bool = False
    """Forget a pairing when the lifetime of its NIK is over."""
    nik: bytes | None = field(default=None, repr=False)
    """Our identity key; drawn if there is none yet."""
    paired: tuple[PairedPeer, ...] = field(default=(), repr=False)
    """Pairings to begin with."""

    def __post_init__(self) -> None:
        check_address(self.nmi, "NMI")
        check_address(self.ndi, "NDI")
        check_address(self.cluster_id, "cluster ID")

    @property
    def local(self) -> LocalDevice:
        """What every frame carries."""
        return LocalDevice(
            nmi=self.nmi,
            cluster_id=self.cluster_id,
            device_capability=self.device_capability,
            availability=self.availability,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NanLies:
    """Deviations of a device, each off by default."""

    pairing: PairingLies = PairingLies()  # noqa: RUF009 - a frozen value
    data_path: DataPathLies = DataPathLies()  # noqa: RUF009 - a frozen value


TRUTHFUL = NanLies()
