"""What every Thread device has beside its purpose: a label with its PSKd, joining, a node in the mesh.

A factory-new device joins when a Commissioner expects it: over the home's mesh, relayed by a border router. Entrusted
with the network key it attaches, learns the rest of the dataset and stays. What it is good for is its kind's business.
Thread specification, chapter 8.4.4; the way there is described in specs/protocols/mesh.md.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from devices.accessories.base import Accessory, Lie
from devices.accessories.border_router_settings import datasets_above
from devices.accessories.thread_device_settings import (
    JOINER_LIES,
    EntrustLost,
    ThreadDeviceSettings,
    WrongPskd,
    device_config,
    drawn_eui64,
    drawn_pskd,
    given_dataset,
    joiner_settings,
)
from devices.actor import Site, verb
from devices.driver import EngineDriver
from devices.errors import ActionRefusedError
from devices.events import CodeShown
from devices.media.medium import Flight, MediumPort
from devices.media.mesh import ALL_ROUTERS, MeshPlace, joiner_endpoint
from pairing.engine import Event, Micros, Outputs
from pairing.errors import LocalProtocolError
from pairing.thread.dataset import Dataset
from pairing.thread.joiner import qr_payload
from pairing.thread.joiner_search import JoinerSearch
from pairing.thread.meshcop_events import JoinerEntrusted, JoiningFailed, LieTold
from pairing.thread.network import Network
from pairing.thread.steering import joiner_id

_MEDIUM = "mesh"
_SECURED = 0x05


class ThreadDevice(Accessory):
    """A device of a Thread network. Subclasses are kinds."""

    settings_model = ThreadDeviceSettings
    settings: ThreadDeviceSettings
    lies: ClassVar[Mapping[str, type[Lie]]] = JOINER_LIES
    is_sleepy: ClassVar[bool] = False

    def __init__(self, site: Site, actor_id: str, name: str, settings: ThreadDeviceSettings) -> None:
        super().__init__(site, actor_id, name, settings)
        label = site.chance.stream(f"accessory/{actor_id}/label")
        drawn, pskd = drawn_eui64(label), drawn_pskd(label)
        self.eui64 = drawn if settings.eui64 is None else bytes.fromhex(settings.eui64)
        self.pskd = pskd if settings.pskd is None else settings.pskd
        self._config = device_config(settings, site.attach, is_sleepy=self.is_sleepy)
        self.network = Network(
            self._config,
            site.chance.stream(f"accessory/{actor_id}/network").randbytes,
            active_dataset=given_dataset(actor_id, settings.dataset, datasets_above(site)),
        )
        self._joining_chance = site.chance.stream(f"accessory/{actor_id}/joining")
        self._driver: EngineDriver[Network] | None = None
        self._place: MeshPlace | None = None
        self._joining: EngineDriver[JoinerSearch] | None = None
        self._joining_port: MediumPort | None = None

    # What one can see

    @property
    def state(self) -> str:
        """`off`, `joining`, `not-joined`, or the role in the mesh."""
        if not self.powered:
            return "off"
        if self._joining is not None:
            return "joining"
        return "not-joined" if self.network.active_dataset is None else str(self.network.role)

    @property
    def shows(self) -> Mapping[str, str]:
        """Its label: the PSKd, and the QR payload with EUI-64 and PSKd."""
        return {"pskd": self.pskd, "qr": qr_payload(self.eui64, self.pskd)}

    @property
    def facts(self) -> Mapping[str, Any]:
        """Identifiers, and where it is in the mesh."""
        network = self.network
        return {
            "eui64": self.eui64.hex(),
            "ext_address": network.ext_address.hex(),
            "network_name": network.network_name if network.active_dataset is not None else None,
            "partition_id": network.partition_id,
            "role": str(network.role),
            "rloc16": network.rloc16 if network.attached else None,
            "parent": None if self._place is None or self._place.parent is None else self._place.parent.node.id,
        }

    # Power

    async def _start(self) -> None:
        self._driver = EngineDriver(self.network, self.site.clock, on_event=self._on_event)
        self._place = self.site.mesh.join(self, lambda flight: None)
        if self.network.active_dataset is not None:
            self.perform(self.network.enable)
            return
        self._show_label()
        if self.settings.join:
            self._join(is_persistent=True)

    def _show_label(self) -> None:
        """A device that can be joined says that its PSKd can be read off it."""
        self.emit(CodeShown(kind="pskd", code=self.pskd), _MEDIUM)

    async def _stop(self, *, goodbye: bool) -> None:
        self._stop_joining()
        remembered = self.dump_state()
        if self._place is not None:
            self.site.mesh.leave(self._place)
            self._place = None
        if self._driver is not None:
            self._driver.stop()
            self._driver = None
        self.load_state(remembered)

    def perform(self, intent: Callable[[Micros], Outputs]) -> Outputs:
        """Run an intent of the network model. Raises LocalProtocolError without power."""
        if self._driver is None:
            raise LocalProtocolError(f"{self.id} is switched off")
        return self._driver.do(lambda _, now: intent(now))

    def _on_event(self, event: Event) -> None:
        self.emit(event, _MEDIUM)
        if self._place is not None:
            self._place.follow(event)

    def dump_state(self) -> Mapping[str, Any]:
        """The node, as it is in flash."""
        return {"network": self.network.to_state(self.site.clock.now())}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up what an earlier run left."""
        entropy = self.site.chance.stream(f"accessory/{self.id}/network").randbytes
        self.network = Network.from_state(state["network"], self._config, entropy, self.site.clock.now())

    # Joining

    def _join(self, *, is_persistent: bool = False) -> None:
        self._stop_joining()
        lie = self.told_lies.get("wrong-pskd")
        pskd = lie.pskd if isinstance(lie, WrongPskd) else self.pskd
        settings = joiner_settings(self.settings, self.told_lies)
        search = JoinerSearch(
            ALL_ROUTERS, self.eui64, pskd, self._joining_chance.randbytes, settings, is_persistent=is_persistent
        )
        driver = EngineDriver(search, self.site.clock, on_event=self._on_joining)
        port = self.site.mesh.mesh.attach(self.id, (joiner_endpoint(joiner_id(self.eui64)),), self._hear)
        driver.port = port
        self._joining, self._joining_port = driver, port
        driver.do(lambda engine, now: engine.start(now))

    def _hear(self, flight: Flight) -> None:
        if flight.payload[:1] == bytes((_SECURED,)) and isinstance(self.told_lies.get("entrust-lost"), EntrustLost):
            self.lie_told("entrust-lost", "did not hear JOIN_ENT")
        elif self._joining is not None:
            self._joining.deliver(flight.payload, flight.source)

    def _on_joining(self, event: Event) -> None:
        if isinstance(event, LieTold):
            self.lie_told(event.lie)
            return
        self.emit(event, _MEDIUM)
        match event:
            case JoinerEntrusted():
                self.site.clock.call_later(0, lambda: self._attach(Dataset.decode(event.tlvs)))
            case JoiningFailed():
                if "wrong-pskd" in self.told_lies:
                    self.lie_told("wrong-pskd", "proved another PSKd")
                self.site.clock.call_later(0, self._stop_joining)

    def _attach(self, dataset: Dataset) -> None:
        """Entrusted: look for the network that the key belongs to."""
        self._stop_joining()
        if self._driver is not None:
            self.perform(lambda now: self.network.adopt_active_dataset(dataset, now, cause="joiner"))
            self.perform(self.network.enable)

    def _stop_joining(self) -> None:
        driver, self._joining = self._joining, None
        port, self._joining_port = self._joining_port, None
        if driver is not None:
            driver.stop()
        if port is not None:
            port.close()

    # Verbs

    @verb("join")
    async def _do_join(self, persistent: bool = False) -> None:
        """Join the network that expects it; returns when it has begun. `persistent`: search until one does."""
        if not self.powered:
            raise ActionRefusedError(f"{self.id} is switched off")
        if self.network.active_dataset is not None:
            raise ActionRefusedError(f"{self.id} has a network already; factory-reset makes it forget that")
        self._join(is_persistent=persistent)

    @verb("factory-reset")
    async def _do_factory_reset(self) -> None:
        """Leave the network and forget it; the label stays what it is."""
        self._stop_joining()
        try:
            self.perform(self.network.factory_reset)
        except LocalProtocolError as problem:
            raise ActionRefusedError(str(problem)) from None
        self._show_label()
