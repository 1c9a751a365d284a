"""The Wi-Fi Aware radio of an actor: one NAN device engine on the home's air, driven by the home's clock.

It keeps what its port accepts to what its sessions need, tells the engine what was acknowledged, and lets the engine
live by the cluster's TSF, so that discovery windows are the air's own.
"""

from collections.abc import Callable

from devices.actor import Site
from devices.driver import EngineDriver
from devices.media.air import Acknowledgement, AirPort
from devices.media.interest import Interest
from devices.media.medium import Flight
from devices.sim.chance import Stream
from pairing.engine import Address, Event, Micros, Outputs
from pairing.nan.device import NanDevice
from pairing.nan.device_settings import NanDeviceSettings
from pairing.nan.events import PublishStarted, SessionTerminated, SubscribeStarted
from pairing.nan.identifiers import NAN_NETWORK_ID
from pairing.nan.sessions import Publish
from pairing.nan.timing import DiscoveryWindows, Tsf

_LOCALLY_ADMINISTERED = 0x02


def draw_mac(chance: Stream) -> bytes:
    """A random address, as phones and accessories use them: locally administered, individual."""
    octets = chance.randbytes(6)
    return bytes((octets[0] & 0xFC | _LOCALLY_ADMINISTERED,)) + octets[1:]


def air_windows(site: Site) -> DiscoveryWindows | None:
    """The discovery windows that the home's air keeps, for the settings of a device on it."""
    return DiscoveryWindows() if site.air.discovery_windows == "strict" else None


class NanRadio:
    """A NAN device between `join` and `leave`. Its events go to `on_event` in order."""

    def __init__(
        self,
        site: Site,
        actor_id: str,
        settings: NanDeviceSettings,
        entropy: Callable[[int], bytes],
        on_event: Callable[[Event], None],
    ) -> None:
        self._site = site
        self._actor_id = actor_id
        self._tsf = site.air.cluster_time
        self.device = NanDevice(settings, entropy, self._tsf.at(site.clock.now()))
        self.addresses = (settings.nmi, settings.ndi)
        self._driver = EngineDriver(_ByTsf(self.device, self._tsf), site.clock, on_event=self._on_event)
        self._tell = on_event
        self.on_acknowledged: Callable[[bytes, bool], None] | None = None
        """Told of each unicast frame of ours whether it arrived, after the engine was."""
        self._port: AirPort | None = None
        self._interest = Interest()

    def join(self) -> None:
        """Get on the air. Raises MediumError if another radio has one of its addresses."""
        self._interest = self._wanted()
        self._port = self._site.air.attach(
            self._actor_id,
            self.addresses,
            self._receive,
            interest=self._interest,
            on_acknowledged=self._acknowledged,
        )
        self._driver.port = self._port

    def leave(self) -> None:
        """Get off the air; nothing is sent, heard or timed any more."""
        self._driver.stop()
        if self._port is not None:
            self._port.close()
            self._port = None

    def do(self, intent: Callable[[NanDevice, Micros], Outputs]) -> Outputs:
        """Run an intent, such as `lambda device, now: device.verify(peer, now)`; its outputs are performed."""
        return self._driver.do(lambda engine, now: intent(engine.device, engine.tsf.at(now)))

    def _on_event(self, event: Event) -> None:
        if isinstance(event, PublishStarted | SubscribeStarted | SessionTerminated):
            self._listen()
        self._tell(event)

    def _receive(self, flight: Flight) -> None:
        self._driver.deliver(flight.payload, flight.source)

    def _acknowledged(self, outcome: Acknowledgement) -> None:
        self._driver.do(lambda engine, now: engine.acknowledged(outcome.payload, outcome.acknowledged, now))
        if self.on_acknowledged is not None:
            self.on_acknowledged(outcome.payload, outcome.acknowledged)

    def _listen(self) -> None:
        wanted = self._wanted()
        if self._port is not None and wanted != self._interest:
            self._port.listen(wanted)
            self._interest = wanted

    def _wanted(self) -> Interest:
        sessions = self.device.sessions.values()
        return Interest(
            groups=frozenset((NAN_NETWORK_ID,)),
            clusters=frozenset((self.device.device.cluster_id, NAN_NETWORK_ID)),
            publishes=frozenset(each.service_id for each in sessions if isinstance(each, Publish)),
            subscribes=frozenset(each.service_id for each in sessions if not isinstance(each, Publish)),
        )


class _ByTsf:
    """The device as an engine on the home's clock; the device itself counts in TSF."""

    def __init__(self, device: NanDevice, tsf: Tsf) -> None:
        self.device = device
        self.tsf = tsf

    @property
    def deadline(self) -> Micros | None:
        deadline = self.device.deadline
        return None if deadline is None else self.tsf.when(deadline)

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        return self.device.receive(payload, sender, self.tsf.at(now))

    def acknowledged(self, payload: bytes, is_acknowledged: bool, now: Micros) -> Outputs:
        return self.device.acknowledged(payload, is_acknowledged, self.tsf.at(now))

    def handle_timeout(self, now: Micros) -> Outputs:
        return self.device.handle_timeout(self.tsf.at(now))
