"""A Thread border router: one `Network` model, read and driven over REST, followed by Bonjour.

In real time it has a REST server and UDP ports; in virtual time it lives on the simulated lan alone, with ports drawn
from its chance. Commissioners, joiners and sharing by code are `border_router_meshcop`'s.
"""

import json
import socket
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from devices.accessories.base import Accessory, Lie
from devices.accessories.border_router_bonjour import BorderRouterBonjour
from devices.accessories.border_router_lies import BONJOUR_LIES
from devices.accessories.border_router_meshcop import BorderRouterMeshCop, drawn_port
from devices.accessories.border_router_meshcop_lies import MESHCOP_LIES
from devices.accessories.border_router_rest import REST_LIES, BorderRouterRest
from devices.accessories.border_router_settings import (
    BorderRouterSettings,
    border_agent_of,
    config_of,
    dataset_of,
    datasets_above,
    identity_of,
    naming_of,
    read_dataset,
)
from devices.accessories.registry import accessory
from devices.actor import Site, verb
from devices.driver import EngineDriver
from devices.errors import ActionRefusedError, HomeFileError, UsageError
from devices.events import CodeShown
from devices.media.medium import Flight
from devices.media.mesh import MeshPlace
from devices.otbr.dataset_json import changed
from devices.otbr.engine import OtbrEngine
from devices.otbr.messages import RefusedError
from devices.spec import Duration, duration_us
from devices.transports.reach import bind_hosts, shown_host
from devices.transports.sockets import bind_udp
from pairing.dnssd.names import RenameStyle
from pairing.engine import Endpoint, Event, Micros, Outputs
from pairing.errors import EncodeError, LocalProtocolError, PairingError
from pairing.thread.border_agent import EPHEMERAL_LINK, JOINER_LINK, MAIN_LINK
from pairing.thread.border_agent_services import Ports, border_agent_services
from pairing.thread.dataset import Dataset, DatasetKind
from pairing.thread.network import Network
from pairing.thread.network_events import EphemeralKeyActivated


@accessory("thread-border-router")
class ThreadBorderRouter(Accessory):
    """An OpenThread-like border router with Bonjour and REST."""

    settings_model = BorderRouterSettings
    settings: BorderRouterSettings
    lies: ClassVar[Mapping[str, type[Lie]]] = {**BONJOUR_LIES, **MESHCOP_LIES, **REST_LIES}

    def __init__(self, site: Site, actor_id: str, name: str, settings: BorderRouterSettings) -> None:
        super().__init__(site, actor_id, name, settings)
        entropy = site.chance.stream(f"accessory/{actor_id}/network").randbytes
        self._config = config_of(settings, site.attach)
        self.network = Network(
            self._config,
            entropy,
            identity=identity_of(settings, entropy),
            active_dataset=dataset_of(actor_id, settings, entropy, datasets_above(site)),
        )
        self._naming = naming_of(settings, name)
        try:
            border_agent_services(self.network, self._naming, Ports())
        except EncodeError as problem:
            raise HomeFileError(f"accessory {actor_id!r}: {problem}") from None
        self._chance_of_ports = site.chance.stream(f"accessory/{actor_id}/ports")
        self._bonjour = BorderRouterBonjour(self, self._naming, RenameStyle(settings.rename))
        self._driver: EngineDriver[OtbrEngine] | None = None
        self._place: MeshPlace | None = None
        self._rest: BorderRouterRest | None = None
        self._meshcop: BorderRouterMeshCop | None = None
        self._trel: socket.socket | None = None
        self._trel_port: int | None = None
        self._follows_soon = False
        self._wants_enabled = self.network.active_dataset is not None if settings.enabled is None else settings.enabled

    # What one can see

    @property
    def state(self) -> str:
        """The role, `off` without power."""
        return str(self.network.role) if self.powered else "off"

    @property
    def endpoints(self) -> Mapping[str, str]:
        """`rest` (URL) in real time; `meshcop`, `joiner` and, while a code is open, `ephemeral-key` (host:port)."""
        found: dict[str, str] = {}
        if self._rest is not None:
            found["rest"] = self._rest.url
        if self._meshcop is not None:
            for name, link in (("meshcop", MAIN_LINK), ("joiner", JOINER_LINK), ("ephemeral-key", EPHEMERAL_LINK)):
                port = self._meshcop.port_of(link)
                if port is not None:
                    found[name] = f"{self._shown_host()}:{port}"
        return found

    @property
    def shows(self) -> Mapping[str, str]:
        """`code`: the sharing code while one is active."""
        key = self.network.ephemeral_key.key
        return {"code": key.code} if key is not None else {}

    @property
    def facts(self) -> Mapping[str, Any]:
        """Identifiers as Bonjour and REST tell them, and the name that survived conflicts."""
        dataset = self.network.active_dataset
        published = next(iter(self._bonjour.services.values()), None)
        return {
            "border_agent_id": self.network.border_agent_id.hex(),
            "ext_address": self.network.ext_address.hex(),
            "ext_pan_id": dataset.ext_pan_id.hex() if dataset is not None and dataset.ext_pan_id else None,
            "network_name": dataset.network_name if dataset is not None else None,
            "partition_id": self.network.partition_id,
            "role": str(self.network.role),
            "instance": published.instance if published is not None else None,
            "services": sorted(service.type for service in self._bonjour.services.values()),
        }

    @property
    def service_info(self) -> Any:
        """A zeroconf ServiceInfo of `_meshcop._udp` as it is published, to inject where zeroconf is mocked."""
        from zeroconf import ServiceInfo  # only who asks for it pays for the import

        service = next(iter(self._bonjour.services.values()), None)
        if service is None:
            raise ActionRefusedError(f"{self.id} publishes nothing: it is {self.state}")
        return ServiceInfo(
            f"{service.type}.local.",
            f"{service.instance}.{service.type}.local.",
            port=service.port,
            properties=service.txt,
            server=f"{service.host}.local.",
            addresses=[address.packed for address in self.site.lan.links_for(self.id)[0].addresses],
        )

    # Power

    async def _start(self) -> None:
        entropy = self.site.chance.stream(f"accessory/{self.id}/tasks").randbytes
        engine = OtbrEngine(self.network, entropy, self.site.clock.now())
        self._driver = EngineDriver(engine, self.site.clock, on_event=self._on_event)
        try:
            if self.site.real:
                self._rest = await BorderRouterRest.open(self, self)
                self._bind_trel()
            else:
                self._trel_port = drawn_port(self._chance_of_ports)
            self._meshcop = BorderRouterMeshCop(self, self, self._chance_of_ports, border_agent_of(self.settings))
            self._meshcop.open(JOINER_LINK, self.settings.joiner_port)
            self._bonjour.start(self.told_lies)
            self._place = self.site.mesh.join(self, self._on_mesh)
            self._follow()
            if self._wants_enabled:
                self.perform(self.network.enable)
        except BaseException:
            await self._close()
            self.powered = False
            raise

    async def _stop(self, *, goodbye: bool) -> None:
        self._bonjour.stop(goodbye=goodbye)
        remembered = self.dump_state()
        self._stop_meshcop(goodbye=goodbye)
        await self._close()
        # A device that loses power forgets its role and an open code, and keeps what it has in flash.
        self.load_state(remembered)

    async def _close(self) -> None:
        if self._place is not None:
            self.site.mesh.leave(self._place)
            self._place = None
        if self._rest is not None:
            await self._rest.close()
            self._rest = None
        if self._driver is not None:
            self._driver.stop()
            self._driver = None
        self._bonjour.stop(goodbye=False)
        self._stop_meshcop(goodbye=False)
        if self._trel is not None:
            self._trel.close()
            self._trel = None
        self._trel_port = None

    def _stop_meshcop(self, *, goodbye: bool) -> None:
        meshcop, self._meshcop = self._meshcop, None
        if meshcop is not None:
            meshcop.stop(goodbye=goodbye)

    @property
    def engine(self) -> OtbrEngine:
        """The network model and the tasks of its REST API. Raises LocalProtocolError without power."""
        if self._driver is None:
            raise LocalProtocolError(f"{self.id} is switched off")
        return self._driver.engine

    def perform(self, intent: Callable[[Micros], Outputs]) -> Outputs:
        """Run an intent, such as `network.enable`; Bonjour follows. Raises LocalProtocolError for the wrong state."""
        if self._driver is None:
            raise LocalProtocolError(f"{self.id} is switched off")
        outputs = self._driver.do(lambda _, now: intent(now))
        self._follow()
        return outputs

    def _on_event(self, event: Event) -> None:
        self._note(event)
        self._follow()
        if self._place is not None:
            self._place.follow(event)

    def _note(self, event: Event) -> None:
        self.emit(event, "mesh")
        if isinstance(event, EphemeralKeyActivated):
            self.emit(CodeShown(kind="ephemeral-key", code=event.code), "mesh")

    def follow_agent(self, event: Event) -> None:
        """The Border Agent did something to the model; what follows waits until all that it says has been sent."""
        self._note(event)
        if self._place is not None:
            self._place.follow(event)
        self._follow_soon()

    def _follow_soon(self) -> None:
        if not self._follows_soon:
            self._follows_soon = True
            self.site.clock.call_later(0, self._follow_now)

    def _follow_now(self) -> None:
        self._follows_soon = False
        self._follow()

    def _on_mesh(self, flight: Flight) -> None:
        """A datagram from a neighbour."""
        if self._meshcop is not None:
            self._meshcop.hear_mesh(flight)

    def send_to_mesh(self, payload: bytes, to: Endpoint) -> None:
        """A datagram for a neighbour."""
        if self._place is not None:
            self._place.port.send(payload, to)

    def _follow(self) -> None:
        """The model may have changed: ports, connections, timers and Bonjour go after it."""
        if self._driver is None or self._meshcop is None:
            return
        self._driver.do(lambda _, now: ())  # its deadline may be another one
        if self.network.enabled and self._meshcop.port_of(MAIN_LINK) is None:
            self._meshcop.open(MAIN_LINK, self.settings.meshcop_port)
        self._meshcop.follow()
        if not self.network.enabled:
            self._meshcop.close_port(MAIN_LINK)
        if self.network.ephemeral_key.key is None:
            self._meshcop.close_port(EPHEMERAL_LINK)
        self._bonjour.follow(self.network, self._ports)

    # Ports

    @property
    def _ports(self) -> Ports:
        meshcop = None if self._meshcop is None else self._meshcop.port_of(MAIN_LINK)
        return Ports(meshcop=meshcop, trel=self._trel_port)

    def _bind_trel(self) -> None:
        wanted = 0 if self.site.free_ports else self.settings.trel_port or 0
        self._trel = bind_udp(bind_hosts(self.site.reach)[0], wanted, f"{self.id}: trel")
        self._trel_port = int(self._trel.getsockname()[1])

    def _shown_host(self) -> str:
        return shown_host(bind_hosts(self.site.reach)[0]) if self.site.real else self.site.lan.host_of(self.id)

    def open_ephemeral_key_port(self, wanted: int = 0) -> int:
        """The UDP port that will serve a sharing code; 0 = any. Raises TransportUnavailableError."""
        if self._meshcop is None:
            raise LocalProtocolError(f"{self.id} is switched off")
        port = self._meshcop.open(EPHEMERAL_LINK, wanted)
        self._follow_soon()  # closes it again if no code comes of it
        return port

    # What survives a restart of the program

    def dump_state(self) -> Mapping[str, Any]:
        """The network model as JSON values."""
        return {"network": self.network.to_state(self.site.clock.now()), "enabled": self.network.enabled}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up what an earlier run left."""
        entropy = self.site.chance.stream(f"accessory/{self.id}/network").randbytes
        self.network = Network.from_state(state["network"], self._config, entropy, self.site.clock.now())
        self._wants_enabled = bool(state["enabled"])

    def _lies_changed(self) -> None:
        if self.powered:
            self._bonjour.tell(self.told_lies, self.network, self._ports)
        if self._meshcop is not None:
            self._meshcop.tell(self.told_lies)
        if self._rest is not None:
            self._rest.tell(self.told_lies)

    # Verbs

    def _refusing(self, intent: Callable[[Micros], Outputs]) -> None:
        try:
            self.perform(intent)
        except LocalProtocolError as problem:
            raise ActionRefusedError(f"{self.id}: {problem}") from None

    def _moving(self, move: Callable[[MeshPlace], None]) -> None:
        if self._place is None:
            raise ActionRefusedError(f"{self.id} is switched off")
        try:
            move(self._place)
        except LocalProtocolError as problem:
            raise ActionRefusedError(f"{self.id}: {problem}") from None

    @verb("enable")
    async def _do_enable(self) -> None:
        """Switch Thread on."""
        self._refusing(self.network.enable)

    @verb("disable")
    async def _do_disable(self) -> None:
        """Switch Thread off."""
        self._refusing(self.network.disable)

    @verb("lead")
    async def _do_lead(self) -> None:
        """Become leader at once, of a partition that the others of the network go over to."""
        self._moving(self.site.mesh.lead)

    @verb("split")
    async def _do_split(self) -> None:
        """Lose sight of the rest of the mesh, with the devices attached to it, and lead a partition of its own."""
        self._moving(self.site.mesh.split)

    @verb("merge")
    async def _do_merge(self) -> None:
        """See the rest of the mesh again; the lesser of the two partitions goes over to the other."""
        self._moving(self.site.mesh.merge)

    @verb("factory-reset")
    async def _do_factory_reset(self) -> None:
        """Erase everything; it gets a new border agent id and extended address."""
        self._refusing(self.network.factory_reset)

    @verb("set-dataset")
    async def _do_set_dataset(
        self, dataset: str | dict[str, Any], kind: DatasetKind = "active", force: bool = False
    ) -> None:
        """Store a dataset: hex TLVs, or the JSON members of REST's PUT, which change what is stored and no more.

        `force` writes the active one while Thread is on, as a Leader would.
        """
        try:
            read = self._changed(dataset, kind) if isinstance(dataset, dict) else read_dataset(dataset)
        except PairingError as problem:
            raise UsageError(f"set-dataset: {problem}") from None
        if kind == "pending":
            self._refusing(lambda now: self.network.set_pending_dataset(read, now))
        elif force:
            self._refusing(lambda now: self.network.adopt_active_dataset(read, now))
        else:
            self._refusing(lambda now: self.network.set_active_dataset(read, now))

    def _changed(self, members: Mapping[str, Any], kind: DatasetKind) -> Dataset:
        stored = (
            self.network.active_dataset if kind == "active" else self.network.pending_dataset(self.site.clock.now())
        )
        entropy = self.site.chance.stream(f"accessory/{self.id}/rest").randbytes
        try:
            return changed(json.dumps(members, default=str).encode(), kind, stored, entropy)
        except RefusedError as problem:
            raise ActionRefusedError(f"{self.id}: a PUT of these members is answered {problem.status}") from None

    @verb("share-code")
    async def _do_share_code(self, lifetime: Duration = "2m") -> Mapping[str, Any]:
        """Open credential sharing with a 9-digit code, which it shows until the code is used or its time is up."""
        if self.network.ephemeral_key.key is not None:
            raise ActionRefusedError(f"{self.id}: a code is active already; stop-sharing ends it")
        if self._meshcop is None:
            raise ActionRefusedError(f"{self.id} is switched off")
        port = self.open_ephemeral_key_port()
        self._refusing(lambda now: self.network.activate_ephemeral_key(port, now, lifetime=duration_us(lifetime)))
        return {"code": self.shows["code"], "port": port}

    @verb("press")
    async def _do_press(self) -> Mapping[str, Any]:
        """Its button: share a code."""
        return await self._do_share_code()

    @verb("stop-sharing")
    async def _do_stop_sharing(self) -> None:
        """Withdraw the code."""
        self._refusing(self.network.deactivate_ephemeral_key)
