"""The app on a phone as its platform's Wi-Fi Aware knows it, and the NAN device that the platform makes of it.

What a platform allows is in `pairing.nan.platform_rules`; here is what a phone's radio says and how it behaves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from devices.actor import Site
from devices.controllers.wifi_aware_ring import KeyRing
from devices.nan_capabilities import DEVICE_CAPABILITY, availability
from devices.nan_radio import air_windows, draw_mac
from devices.sim.chance import Stream
from pairing.engine import MILLISECOND, Event, Micros
from pairing.nan.attributes import DeviceCapabilityExtension, PairingCapabilities
from pairing.nan.device_settings import NanDeviceSettings
from pairing.nan.pairing_events import PairingCause, PairingFailed
from pairing.nan.pairing_rules import REFERENCE_PEER_PAIRING, PairingProfile
from pairing.nan.platform_rules import Family, NanPlatform, bootstrapping_rules
from pairing.nan.setup_info import PairingSetupInfo
from pairing.nan.timing import DW_PERIOD

PAIRABLE = DeviceCapabilityExtension(pairing=PairingCapabilities.PAIRING_SETUP | PairingCapabilities.NPK_NIK_CACHING)
SUITES = (7, 8)
QUERY_PERIOD: Micros = 8 * DW_PERIOD
"""How often a phone asks for publishers; it also hears those that announce themselves."""
TELLING_PAIRING = PairingProfile(does_tell_failure=True)
"""After a wrong code our phones say so in frame 3, so that neither side waits for the other; hostap's fall silent."""
TELLING: Micros = 5 * MILLISECOND
"""How long that takes at the most."""
_MADE_BY = {Family.IOS: ("Apple Inc.", "iPhone"), Family.ANDROID: ("Google", "Pixel")}
"""Vendor and model as phones of the platform tell them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The app on a phone as the platform's Wi-Fi Aware knows it."""

    phone_id: str
    phone_name: str
    app: str
    profile: str
    platform: NanPlatform
    services: Mapping[str, Sequence[str]] | None = None
    entitlements: Sequence[str] = ("publish", "subscribe")

    @property
    def setup_info(self) -> bytes:
        """What the phone says of itself while it pairs."""
        vendor, model = _MADE_BY.get(self.platform.family, (None, None))
        return PairingSetupInfo(self.phone_name, vendor, model).encode()


def device_settings(site: Site, app: App, chance: Stream, patience: Micros, ring: KeyRing) -> NanDeviceSettings:
    """A NAN device under new addresses, with the identity and the pairings of the app."""
    manners = bootstrapping_rules(app.platform).profile
    return NanDeviceSettings(
        nmi=draw_mac(chance),
        ndi=draw_mac(chance),
        cluster_id=site.cluster_id,
        device_capability=DEVICE_CAPABILITY,
        availability=availability(),
        # A phone that shows a code has a user who is asked; see the page on phones in specs/protocols.
        bootstrapping=replace(manners, is_user_asked=True, timeout=manners.timeout or patience),
        pairing=REFERENCE_PEER_PAIRING if app.platform.family is Family.HOSTAP else TELLING_PAIRING,
        windows=air_windows(site),
        nik=ring.nik,
        paired=ring.paired,
    )


def is_told_to_peer(platform: NanPlatform, event: Event) -> bool:
    """Whether that is a wrong code of which the other side is being told."""
    return (
        platform.family is not Family.HOSTAP
        and isinstance(event, PairingFailed)
        and event.is_initiator
        and event.cause is PairingCause.WRONG_PASSWORD
    )
