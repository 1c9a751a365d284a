"""A home on an event loop: clock, media, accessories, phones, commissioners, faults, log and recorder put together.

The same code runs in real and in virtual time; only in real time does it open sockets.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from devices.accessories.base import Accessory
from devices.accessories.registry import build
from devices.actor import Actor, Site
from devices.controllers.commissioner import HomeCommissioner
from devices.controllers.phone import Phone
from devices.errors import ClockError, HostError, UnknownActorError, UnknownKindError, UsageError
from devices.event_log import EventLog, Pattern, StampedEvent
from devices.events import FaultEnded, FaultFired, FaultStarted, FrameIgnored, RequestReceived
from devices.faults import local_network_denied
from devices.faults.base import FaultContext, make_fault, wire_faults
from devices.home.denials import Denials, ProgramNetwork
from devices.home.installed_fault import InstalledFault
from devices.media.air import Air
from devices.media.ble import BleMedium
from devices.media.lan import Lan
from devices.media.medium import Medium, Tap
from devices.media.mesh import Mesh
from devices.media.mesh_roles import MeshRoles
from devices.sim.chance import Chance
from devices.sim.clock import Clock
from devices.spec import (
    AirSpec,
    CommissionerSpec,
    FaultSpec,
    HomeSpec,
    PhoneSpec,
    Reach,
    closest,
    duration_us,
    make_record,
)
from devices.stores.credential_rows import CredentialRows, MemoryRows
from devices.stores.state import StateDirectory
from devices.transcripts.recorder import Recorder
from devices.transports.reach import check_within
from pairing.engine import Event, Micros
from pairing.nan.timing import Tsf

if TYPE_CHECKING:
    from devices.bluetooth.bluez.door import BluezDoor
    from devices.bluetooth.hci_server import HciServer
    from devices.transports.air_hub import AirHub

_LONGEST_UP_US: Micros = 30 * 24 * 3_600_000_000
"""A cluster's TSF is drawn as if it had been up for a month at the most."""


@dataclass(frozen=True, slots=True)
class HomeOptions:
    """How a home runs, beside what its file says."""

    virtual: bool = False
    seed: int | None = None
    reach: Reach = "loopback"
    free_ports: bool = False
    attach: str = "7s"
    state: StateDirectory | None = None
    source: bytes = field(default=b"", repr=False)
    """The bytes of the file, whose hash heads the transcript."""
    local_network: ProgramNetwork | None = None
    """The doors between the home and a program beside it; opened before the home, and closed after it."""


class LiveHome:
    """Lives on one loop; every method is called there. `Home` is the face for other threads."""

    def __init__(self, spec: HomeSpec, options: HomeOptions, *, taps: Sequence[Tap] = ()) -> None:
        if spec.real_secrets and options.reach != "loopback":
            raise UsageError(
                f"home {spec.name!r} holds the keys of a real network (real_secrets), so its reach is loopback only; "
                "clone without --secrets for a home that may be seen"
            )
        self.spec = spec
        self.options = options
        self.clock = Clock(asyncio.get_running_loop(), virtual=options.virtual)
        seed = options.seed if options.seed is not None else spec.seed
        self.chance = Chance.drawn() if seed is None else Chance(seed)
        self.log = EventLog(self.clock.now)
        self.lan = Lan(self.clock, taps)
        self.air = Air(
            self.clock,
            taps,
            cluster_time=Tsf(self.chance.stream("air/tsf").randrange(_LONGEST_UP_US)),
            discovery_windows=(spec.air or AirSpec()).discovery_windows,
            on_ignored=lambda actor, reason: self._emit(FrameIgnored(reason=reason, protocol="802.11"), actor, "air"),
        )
        self.mesh = Mesh(self.clock, taps)
        self.ble = BleMedium(self.clock, taps)
        self.media: tuple[Medium, ...] = (self.lan, self.air, self.mesh, self.ble)
        """Where wire faults act."""
        self.air_hub: AirHub | None = None
        self.hci: HciServer | None = None
        self.bluez: BluezDoor | None = None
        self.faults: dict[str, InstalledFault] = {}
        self.accessories: dict[str, Accessory] = {}
        self.phones: dict[str, Phone] = {}
        self.commissioners: dict[str, HomeCommissioner] = {}
        self._gateway: Any = None
        self._rows: dict[str, CredentialRows] = {}
        self._fault_number = 0
        self._denials = Denials(options.local_network, lambda: self.phones)
        self._saved: dict[str, Mapping[str, Any]] = {}
        self.site = Site(
            clock=self.clock,
            chance=self.chance,
            lan=self.lan,
            air=self.air,
            ble=self.ble,
            mesh=MeshRoles(self.clock, self.mesh),
            emit=self._emit,
            lie_told=self._lie_told,
            reach=options.reach,
            free_ports=options.free_ports,
            attach=options.attach,
            others=lambda: tuple(self.actors.values()),
        )

    @property
    def actors(self) -> dict[str, Actor]:
        """Everyone in the home by id: accessories, phones, commissioners, each in the order of the file."""
        return {**self.accessories, **self.phones, **self.commissioners}

    @property
    def seed(self) -> int:
        """The seed in use: given, from the file, or drawn."""
        return self.chance.seed

    def record_to(self, recorder: Recorder) -> None:
        """Write every event to the recorder as well; its taps are given at construction."""
        self.log.add_sink(recorder.happened)

    async def start(self) -> None:
        """Bring the home up. If anything fails, what was opened is closed again."""
        try:
            await self._open_network()
            await self._open_hub()
            await self._open_hci()
            for accessory_spec in self.spec.accessory:
                self._add(build(self.site, accessory_spec))
            for phone_spec in self.spec.phone:
                self._add_phone(phone_spec)
            for commissioner_spec in self.spec.commissioner:
                self.commissioners[commissioner_spec.id] = HomeCommissioner(self.site, commissioner_spec)
            for accessory_spec in self.spec.accessory:
                for lie in accessory_spec.lies:
                    table = {"kind": lie} if isinstance(lie, str) else dict(lie)
                    self.install_fault(read_fault({"target": accessory_spec.id, "optional": True, **table}))
            for fault_spec in self.spec.fault:
                self.install_fault(fault_spec)
            for accessory in self.accessories.values():
                await accessory.power_on()
            for phone in self.phones.values():
                await phone.start()
        except BaseException:
            await self.stop(goodbye=False)
            raise

    async def stop(self, *, goodbye: bool = True) -> None:
        """Take the home down: goodbyes first, then every port, timer and socket."""
        for commissioner in self.commissioners.values():
            await commissioner.stop()
        for phone in self.phones.values():
            await phone.stop()
        for accessory in reversed(self.accessories.values()):
            await accessory.power_off(goodbye=goodbye)
        if self._gateway is not None:
            await self._gateway.close()
            self._gateway = None
        if self.bluez is not None:
            await self.bluez.close()
            self.bluez = None
        if self.hci is not None:
            await self.hci.close()
            self.hci = None
        if self.air_hub is not None:
            await self.air_hub.close()
            self.air_hub = None
        self._denials.stop()
        self.clock.close()

    async def _open_network(self) -> None:
        if self.options.virtual or not (self.spec.accessory or self.spec.phone):
            return
        from devices.bonjour.gateway import MdnsGateway  # zeroconf and its sockets: real time only

        # The servers of accessories listen on IPv4, so an IPv6 address would lead clients astray.
        gateway = MdnsGateway(self.options.reach, advertise_ipv6=False)
        await gateway.open(self.lan.bring_in, partial(self._denials.links, gateway))
        self._gateway = gateway
        self.lan.open_gateway(gateway.links(), lambda flight: gateway.send(flight.payload, flight.to))

    async def _open_hub(self) -> None:
        if self.options.virtual or self.spec.air is None or self.spec.air.udp_address is None:
            return
        from devices.transports.air_hub import AirHub  # sockets: real time only

        host, port = self.spec.air.udp_address
        check_within(host, self.options.reach, "[air] udp")
        self.air_hub = await AirHub.open(
            self.air,
            host,
            0 if self.options.free_ports else port,
            header=self.spec.air.header,
            emit=lambda event, actor: self._emit(event, actor, "air"),
        )

    async def _open_hci(self) -> None:
        if not self.options.virtual and self.spec.ble is not None and self.spec.ble.hci_address is not None:
            await self.open_hci()

    async def open_hci(self) -> str:
        """Let host stacks join by HCI over TCP, where the home file says or anywhere on loopback; host:port."""
        if self.hci is not None:
            return self.hci.place
        if self.options.virtual:
            raise ClockError("HCI over TCP lives in real time; start the home in real time")
        try:
            from devices.bluetooth.hci_server import HciServer  # Bumble: only where there is Bluetooth
        except ImportError as problem:
            raise HostError(f"[ble] needs Bumble ({problem.name} is missing): pip install 'pairlab[ble]'") from None
        host, port = (None if self.spec.ble is None else self.spec.ble.hci_address) or ("127.0.0.1", 0)
        check_within(host, self.options.reach, "[ble] hci")
        self.hci = await HciServer.open(
            self.ble,
            self.chance,
            lambda event, actor: self._emit(event, actor, "ble"),
            host,
            0 if self.options.free_ports else port,
        )
        return self.hci.place

    async def open_bluez(self, adapters: int = 1) -> str:
        """Let BlueZ's clients in, on a private D-Bus; its address, for their DBUS_SYSTEM_BUS_ADDRESS."""
        if self.options.virtual:
            raise ClockError("a D-Bus lives in real time; start the home in real time")
        if self.bluez is None:
            try:
                from devices.bluetooth.bluez.door import BluezDoor  # Bumble and dbus-fast: only where they are needed
            except ImportError as problem:
                raise HostError(f"BlueZ needs {problem.name}, which is missing: pip install 'pairlab[ble]'") from None
            self.bluez = await BluezDoor.open(self.ble, self.chance, adapters=adapters)
        return self.bluez.address

    def _rows_of(self, phone_id: str) -> CredentialRows:
        if phone_id not in self._rows:
            state = self.options.state
            self._rows[phone_id] = MemoryRows() if state is None else state.credential_rows(phone_id)
        return self._rows[phone_id]

    def _add(self, accessory: Accessory) -> None:
        if self.options.state is not None:
            saved = self.options.state.load(accessory.id)
            if saved is not None:
                accessory.load_state(saved)
        self.accessories[accessory.id] = accessory

    def _add_phone(self, spec: PhoneSpec) -> None:
        phone = Phone(self.site, spec, self._rows_of(spec.store or spec.id))
        saved = None if self.options.state is None else self.options.state.load(phone.id)
        if saved is not None:
            phone.load_state(saved)
        self.phones[phone.id] = phone

    async def add_accessory(self, spec: Any) -> Accessory:
        """Add and power on one more accessory while the home runs."""
        self._check_free(spec.id)
        if self._gateway is None:
            await self._open_network()
        accessory = build(self.site, spec)
        self._add(accessory)
        try:
            await accessory.power_on()
        except BaseException:
            del self.accessories[accessory.id]
            raise
        return accessory

    def add_commissioner(self, spec: CommissionerSpec) -> HomeCommissioner:
        """Add one more commissioner while the home runs."""
        self._check_free(spec.id)
        self.commissioners[spec.id] = HomeCommissioner(self.site, spec)
        return self.commissioners[spec.id]

    async def remove_commissioner(self, actor_id: str) -> None:
        """Let it resign, and forget it."""
        await self.commissioner(actor_id).stop()
        del self.commissioners[actor_id]

    def _check_free(self, actor_id: str) -> None:
        if actor_id in self.actors:
            raise UsageError(f"the id {actor_id!r} is taken in this home")

    async def remove_accessory(self, actor_id: str) -> None:
        """Power off and forget an accessory, and the faults that were meant for it."""
        accessory = self.accessory(actor_id)
        await accessory.power_off()
        for installed in tuple(self.faults.values()):
            if installed.spec.target == actor_id:
                self.remove_fault(installed.id)
        del self.accessories[actor_id]

    def accessory(self, actor_id: str) -> Accessory:
        """Raises UnknownActorError."""
        if actor_id not in self.accessories:
            raise UnknownActorError(f"no accessory {actor_id!r} in this home{closest(actor_id, self.accessories)}")
        return self.accessories[actor_id]

    def phone(self, actor_id: str) -> Phone:
        """Raises UnknownActorError."""
        if actor_id not in self.phones:
            raise UnknownActorError(f"no phone {actor_id!r} in this home{closest(actor_id, self.phones)}")
        return self.phones[actor_id]

    def commissioner(self, actor_id: str) -> HomeCommissioner:
        """Raises UnknownActorError."""
        if actor_id not in self.commissioners:
            raise UnknownActorError(f"no commissioner {actor_id!r} in this home{closest(actor_id, self.commissioners)}")
        return self.commissioners[actor_id]

    def actor(self, actor_id: str) -> Actor:
        """An accessory, phone or commissioner. Raises UnknownActorError."""
        actors = self.actors
        if actor_id not in actors:
            raise UnknownActorError(f"nobody called {actor_id!r} in this home{closest(actor_id, actors)}")
        return actors[actor_id]

    async def do(self, actor_id: str, verb: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Tell an actor a verb."""
        return await self.actor(actor_id).do(verb, arguments)

    def install_fault(self, spec: FaultSpec) -> InstalledFault:
        """Put a fault or lie in force: at once, after `start`, or when its `after` event has come."""
        if spec.after is not None:
            Pattern(spec.after.event).check()
        is_wire = spec.kind in wire_faults()
        if not is_wire:
            self._check_lie(spec)
        elif spec.kind == local_network_denied.KIND:
            self._denials.check(spec)
        elif spec.target != "*":
            self.actor(spec.target)
        self._fault_number += 1
        fault_id = spec.id or f"{spec.kind}-{self._fault_number}"
        if fault_id in self.faults:
            raise UsageError(f"a fault with the id {fault_id!r} is installed already")
        wire = make_fault(spec.kind, spec.parameters) if is_wire else None
        context = FaultContext(self.chance.stream(f"fault/{fault_id}"), spec.target)
        streams = None if self.clock.virtual else self.chance.stream
        installed = InstalledFault(fault_id, spec, wire, context, self._fault_fired, streams)
        self.faults[fault_id] = installed
        if is_wire:
            for medium in self.media:
                medium.rules.append(installed)
        if spec.after is None:
            delay = duration_us(spec.start)
            if delay:
                self.clock.call_later(delay, lambda: self._start_fault(installed))
            else:
                self._start_fault(installed)
        return installed

    def remove_fault(self, fault_id: str) -> InstalledFault:
        """End a fault or lie and forget it. Raises UnknownActorError if there is none of that id."""
        if fault_id not in self.faults:
            raise UnknownActorError(f"no fault {fault_id!r} is installed{closest(fault_id, self.faults)}")
        installed = self.faults.pop(fault_id)
        self._end_fault(installed)
        for medium in self.media:
            if installed in medium.rules:
                medium.rules.remove(installed)
        return installed

    def _check_lie(self, spec: FaultSpec) -> None:
        if spec.target == "*":
            known = [*wire_faults(), *sorted({lie for each in self.accessories.values() for lie in each.lies})]
            raise UnknownKindError(f"{spec.kind!r} is no wire fault; a lie needs a target{closest(spec.kind, known)}")
        accessory = self.accessory(spec.target)
        if spec.kind not in accessory.lies:
            known = [*wire_faults(), *accessory.lies]
            raise UnknownKindError(f"{spec.kind!r} is no fault or lie of {spec.target}{closest(spec.kind, known)}")
        make_record(accessory.lies[spec.kind], spec.parameters, f"lie {spec.kind}")  # it may start much later

    def _start_fault(self, installed: InstalledFault) -> None:
        if installed.active or installed.over:
            return
        installed.active = True
        installed.context.started_us = self.clock.now()
        spec = installed.spec
        if installed.wire is None:
            self.accessory(spec.target).start_lie(spec.kind, spec.parameters)
        self._emit(FaultStarted(fault=installed.id, kind=spec.kind, target=spec.target), spec.target, "")
        if spec.kind == local_network_denied.KIND:
            self._denials.begin(installed)
        if spec.duration is not None:
            self.clock.call_later(duration_us(spec.duration), lambda: self._end_fault(installed))

    def _end_fault(self, installed: InstalledFault) -> None:
        if installed.over:
            return
        was_active, installed.active, installed.over = installed.active, False, True
        if not was_active:
            return
        spec = installed.spec
        if installed.wire is None and spec.target in self.accessories:
            self.accessories[spec.target].stop_lie(spec.kind)
        if spec.kind == local_network_denied.KIND:
            self._denials.end(installed)
        ended = FaultEnded(fault=installed.id, kind=spec.kind, target=spec.target, fired=installed.fired)
        self._emit(ended, spec.target, "")

    def _fault_fired(self, installed: InstalledFault, what: str) -> None:
        spec = installed.spec
        self._emit(FaultFired(fault=installed.id, kind=spec.kind, target=spec.target, what=what), spec.target, "")

    def _lie_told(self, actor_id: str, kind: str, what: str) -> None:
        for installed in self.faults.values():
            if installed.active and installed.spec.target == actor_id and installed.spec.kind == kind:
                installed.fire(what)
                return

    def _emit(self, event: Event, actor_id: str, medium: str) -> None:
        stamped = self.log.append(event, actor=actor_id, medium=medium)
        self._save(actor_id, event)
        for installed in tuple(self.faults.values()):
            if installed.spec.after is not None and not installed.active and not installed.over:
                self._consider(installed, stamped)

    def _consider(self, installed: InstalledFault, stamped: StampedEvent) -> None:
        after = installed.spec.after
        if after is not None and stamped.type == after.event and after.actor in (None, stamped.actor):
            installed.seen += 1
            if installed.seen == after.nth:
                self._start_fault(installed)

    def _save(self, actor_id: str, event: Event) -> None:
        # Before the answer leaves: what a client was told is stored.
        state = self.options.state
        if state is None or isinstance(event, RequestReceived):
            return
        keeper = self.accessories.get(actor_id) or self.phones.get(actor_id)
        dumped = {} if keeper is None else keeper.dump_state()
        if dumped and dumped != self._saved.get(actor_id):
            state.save(actor_id, dumped)
            self._saved[actor_id] = dumped


def read_fault(table: Mapping[str, Any]) -> FaultSpec:
    """A fault from a table. Raises UsageError."""
    from pydantic import ValidationError

    from devices.spec import explain

    try:
        return FaultSpec.model_validate(dict(table))
    except ValidationError as problem:
        raise UsageError(f"fault: {explain(problem, FaultSpec)}") from None
