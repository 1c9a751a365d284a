"""The Bonjour half of a border router: publishes what its network model says, and the lies it was told to tell.

`follow` compares what should be published with what is, and registers, updates or withdraws the difference.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from devices.accessories.base import Lie
from devices.accessories.border_router_lies import LateStart, MissingKey, SameNameResponders, StaleXp, WrongXa
from devices.actor import Actor
from devices.driver import EngineDriver
from devices.media.medium import MediumPort
from devices.spec import duration_us
from pairing.dnssd.messages import RecordType, decode
from pairing.dnssd.names import RenameStyle
from pairing.dnssd.responder import Responder
from pairing.dnssd.service import ResponderLies, ServiceInstance, ServiceKey
from pairing.engine import Address
from pairing.thread.border_agent_services import Naming, Ports, TxtLies, border_agent_services
from pairing.thread.meshcop_txt import SERVICE_TYPE
from pairing.thread.network import Network

MEDIUM = "lan"
_IN_TXT = ("stale-xp", "wrong-xa", "role-bits-zero", "missing-key")


def txt_lies(told: Mapping[str, Lie]) -> TxtLies:
    """The lies about TXT content among those being told."""
    stale, wrong, missing = told.get("stale-xp"), told.get("wrong-xa"), told.get("missing-key")
    return TxtLies(
        ext_pan_id=bytes.fromhex(stale.xp) if isinstance(stale, StaleXp) else None,
        ext_address=bytes.fromhex(wrong.xa) if isinstance(wrong, WrongXa) else None,
        no_role_bits="role-bits-zero" in told,
        missing_key=missing.key if isinstance(missing, MissingKey) else None,
    )


def responder_lies(told: Mapping[str, Lie]) -> ResponderLies:
    """The lies that the responder itself tells."""
    late = told.get("late-start")
    return ResponderLies(
        no_txt_in_answers="no-txt-in-answers" in told,
        zero_ttls="zero-ttls" in told,
        no_goodbye="no-goodbye" in told,
        late_start=duration_us(late.delay) if isinstance(late, LateStart) else 0,
        assert_without_probing="same-name-responders" in told,
    )


@dataclass(slots=True)
class _Twin:
    """One more responder that asserts the same name."""

    driver: EngineDriver[Responder]
    port: MediumPort


class BorderRouterBonjour:
    """One responder on the lan, and what it has published."""

    def __init__(self, owner: Actor, naming: Naming, rename: RenameStyle) -> None:
        self.naming = naming
        self._owner = owner
        self._rename = rename
        self._driver: EngineDriver[Responder] | None = None
        self._port: MediumPort | None = None
        self._published: dict[ServiceKey, ServiceInstance] = {}
        self._told: Mapping[str, Lie] = {}
        self._told_once: set[str] = set()
        self._twins: list[_Twin] = []

    @property
    def services(self) -> Mapping[ServiceKey, ServiceInstance]:
        """What is on the air now, under the names that survived conflicts; by the key of registration."""
        if self._driver is None:
            return {}
        return {each.key: each.service for each in self._driver.engine.services}

    def start(self, told: Mapping[str, Lie]) -> None:
        """Join the lan. Nothing is published before `follow`."""
        self._told = dict(told)
        self._told_once.clear()
        self._driver, self._port = self._join(self._owner.id)
        self._lied("late-start", "nothing is sent for a while")
        for number in range(2, self._twin_count() + 1):
            driver, port = self._join(f"{self._owner.id}~{number}")
            self._twins.append(_Twin(driver, port))

    def stop(self, *, goodbye: bool) -> None:
        """Leave the lan, with a goodbye or without a word."""
        for driver, port in [(twin.driver, twin.port) for twin in self._twins] + [(self._driver, self._port)]:
            if driver is None or port is None:
                continue
            if goodbye:
                driver.do(lambda responder, now: responder.close(now))
            driver.stop()
            port.close()
        if goodbye and self._published:
            self._lied("no-goodbye", "left without a goodbye")
        self._driver = self._port = None
        self._twins.clear()
        self._published.clear()

    def tell(self, told: Mapping[str, Lie], network: Network, ports: Ports) -> None:
        """The lies changed while it runs: what is on the air is published anew."""
        if self._driver is None:
            return
        self.stop(goodbye=False)
        self.start(told)
        self.follow(network, ports)

    def follow(self, network: Network, ports: Ports) -> None:
        """Publish what the network model says now; old values never linger."""
        if self._driver is None:
            return
        wanted = {
            service.key: service for service in border_agent_services(network, self.naming, ports, txt_lies(self._told))
        }
        for key in [key for key in self._published if key not in wanted]:
            del self._published[key]
            self._withdraw(self._driver, key)
        for key, service in wanted.items():
            known = self._published.get(key)
            self._published[key] = service
            if known is None:
                self._register(self._driver, service, responder_lies(self._told))
                self._publish_twins(service)
            elif known != service:
                self._update(self._driver, service)

    def _register(self, driver: EngineDriver[Responder], service: ServiceInstance, lies: ResponderLies) -> None:
        driver.do(lambda responder, now: responder.register(service, now, lies))

    def _update(self, driver: EngineDriver[Responder], service: ServiceInstance) -> None:
        driver.do(lambda responder, now: responder.update(service, now))

    def _withdraw(self, driver: EngineDriver[Responder], key: ServiceKey) -> None:
        driver.do(lambda responder, now: responder.withdraw(key, now))

    def _publish_twins(self, service: ServiceInstance) -> None:
        if service.type != SERVICE_TYPE:
            return
        for number, twin in enumerate(self._twins, 2):
            other = ServiceInstance(
                service.instance, service.type, f"{service.host}-{number}", service.port + number, txt=service.txt
            )
            self._register(twin.driver, other, ResponderLies(assert_without_probing=True))

    def _twin_count(self) -> int:
        lie = self._told.get("same-name-responders")
        return lie.count if isinstance(lie, SameNameResponders) else 1

    def _join(self, actor: str) -> tuple[EngineDriver[Responder], MediumPort]:
        site = self._owner.site
        entropy = site.chance.stream(f"accessory/{actor}/bonjour").randbytes
        responder = Responder(entropy, site.lan.links_for(actor), rename_style=self._rename)
        driver = EngineDriver(responder, site.clock, on_event=lambda event: self._owner.emit(event, MEDIUM))
        port = site.lan.join(actor, lambda flight: driver.deliver(flight.payload, flight.source))
        driver.port = _Watched(self, port)
        return driver, port

    def watch(self, payload: bytes) -> None:
        """A packet is leaving: count the lies that it tells for the first time."""
        untold = [kind for kind in self._told if kind not in self._told_once]
        if not untold:
            return
        message = decode(payload)
        if not message.is_response:
            return
        records = (*message.answers, *message.additionals)
        types = {record.type for record in records}
        for kind in untold:
            shows = {
                "no-txt-in-answers": RecordType.SRV in types and RecordType.TXT not in types,
                "zero-ttls": any(record.ttl == 0 for record in records),
                "same-name-responders": RecordType.SRV in types,
            }
            if shows.get(kind, kind in _IN_TXT and RecordType.TXT in types):
                self._lied(kind, "in a multicast DNS packet")

    def _lied(self, kind: str, what: str) -> None:
        if kind in self._told and kind not in self._told_once:
            self._told_once.add(kind)
            self._owner.site.lie_told(self._owner.id, kind, what)


@dataclass(frozen=True, slots=True)
class _Watched:
    """The responder's port, with an eye on what leaves."""

    bonjour: BorderRouterBonjour
    port: MediumPort

    def send(self, payload: bytes, to: Address) -> None:
        self.bonjour.watch(payload)
        self.port.send(payload, to)
