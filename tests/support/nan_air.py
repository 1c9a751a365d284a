"""Wi-Fi Aware devices on a wire in virtual time that loses, repeats and delays frames as a test says.

Like a radio, it tells the sender of each unicast frame whether it arrived. What breaks on its way fails the frame check
and is lost; a frame that arrives and was never sent so is a forgery, and acknowledges nothing.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import shake_256
from itertools import count
from typing import TypeVar

from pairing.engine import MILLISECOND, Entropy, Event, Micros, Outputs, Transmit
from pairing.nan.attributes import (
    BootstrappingMethods,
    Capabilities,
    CipherSuiteInfo,
    DeviceCapability,
    DeviceCapabilityExtension,
    PairingCapabilities,
)
from pairing.nan.device import NanDevice
from pairing.nan.device_settings import NanDeviceSettings
from pairing.nan.sessions import Publish, Subscribe

CLUSTER = bytes.fromhex("506f9a010007")
PHONE, CAMERA = bytes.fromhex("020000000001"), bytes.fromhex("060000000002")
PHONE_NDI, CAMERA_NDI = bytes.fromhex("0200000000f1"), bytes.fromhex("0600000000f2")
SERVICE = "_camera._udp"
PAIRABLE = DeviceCapabilityExtension(pairing=PairingCapabilities.PAIRING_SETUP | PairingCapabilities.NPK_NIK_CACHING)
NOT_CACHING = DeviceCapabilityExtension(pairing=PairingCapabilities.PAIRING_SETUP)
CAPABILITY = DeviceCapability(committed_dw=1, capabilities=Capabilities.NDPE_SUPPORTED)
AIRTIME: Micros = 200
ALL_METHODS = BootstrappingMethods(0xC1FF)
_E = TypeVar("_E", bound=Event)


def entropy(seed: object) -> Entropy:
    """A stream of octets that follows from the seed."""
    numbers = count()

    def draw(length: int) -> bytes:
        return shake_256(f"{seed}/{next(numbers)}".encode()).digest(length)

    return draw


def settings(nmi: bytes, ndi: bytes, /, **changes: object) -> NanDeviceSettings:
    """A device of this cluster."""
    made = NanDeviceSettings(nmi=nmi, ndi=ndi, cluster_id=CLUSTER, device_capability=CAPABILITY)
    return replace(made, **changes)  # type: ignore[arg-type]


def camera_service(**changes: object) -> Publish:
    """What the camera publishes."""
    made = Publish(
        name=SERVICE,
        instance_id=5,
        is_unsolicited=False,
        device_capability_extension=PAIRABLE,
        methods=ALL_METHODS,
        cipher_suites=CipherSuiteInfo.of(5, 7, 8),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def phone_service(**changes: object) -> Subscribe:
    """What the phone subscribes to."""
    made = Subscribe(
        name=SERVICE,
        instance_id=3,
        query_period=None,
        peer_timeout=None,
        device_capability_extension=PAIRABLE,
        methods=ALL_METHODS,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Fate:
    """What becomes of one frame: each arrival is a delay after its airtime and the frame that arrives."""

    arrivals: tuple[tuple[Micros, bytes], ...]
    is_told: bool = True
    """Whether the medium reports at all."""


Fates = Callable[[int, bytes], Fate]


def delivered(number: int, frame: bytes) -> Fate:
    """Every frame arrives."""
    return Fate(((0, frame),))


def losing(*numbers: int) -> Fates:
    """The frames with these numbers, counted from 0, are lost."""
    return lambda number, frame: Fate(()) if number in numbers else delivered(number, frame)


@dataclass(eq=False)
class Node:
    """A device on the wire, and all that it reported."""

    device: NanDevice
    addresses: tuple[bytes, ...]
    events: list[Event] = field(default_factory=list)

    def of(self, kind: type[_E]) -> list[_E]:
        """Its events of that kind."""
        return [each for each in self.events if isinstance(each, kind)]


class Wire:
    """Carries frames between nodes in order of arrival; `owner` answers events as a user would."""

    def __init__(self, fates: Fates = delivered, *, is_told: bool = True) -> None:
        self.now: Micros = 0
        self.nodes: list[Node] = []
        self.sent: list[bytes] = []
        self.owner: Callable[[Node, Event], None] = lambda node, event: None
        self.fates = fates
        self._is_told = is_told
        self._due: list[tuple[Micros, int, Callable[[], None]]] = []
        self._order = count()

    def add(self, device_settings: NanDeviceSettings, seed: object = 0) -> Node:
        """A new device."""
        nmi, ndi = device_settings.nmi, device_settings.ndi
        node = Node(NanDevice(device_settings, entropy(f"{seed}/{nmi.hex()}"), self.now), (nmi, ndi))
        self.nodes.append(node)
        return node

    def do(self, node: Node, outputs: Outputs) -> None:
        """What a node's engine returned."""
        for output in outputs:
            if isinstance(output, Transmit):
                self._carry(node, output)
            else:
                node.events.append(output)
                self.owner(node, output)

    def run(self, until: Micros = 120_000_000, steps: int = 20_000) -> None:
        """Carry frames and pass time until nothing is due before the given moment."""
        for _ in range(steps):
            if not self._step(until):
                return
        raise AssertionError("the exchange does not end")

    def run_until(self, moment: Micros) -> None:
        """Pass time up to a moment."""
        self.run(moment)
        self.now = max(self.now, moment)

    def _step(self, until: Micros) -> bool:
        deadlines = [(node.device.deadline, node) for node in self.nodes if node.device.deadline is not None]
        first = min((at for at, _ in deadlines if at is not None), default=None)
        if self._due and (first is None or self._due[0][0] <= first):
            if self._due[0][0] > until:
                return False
            at, _, act = heapq.heappop(self._due)
            self.now = max(self.now, at)
            act()
            return True
        if first is None or first > until:
            return False
        self.now = max(self.now, first)
        for at, node in deadlines:
            if at is not None and at <= self.now:
                self.do(node, node.device.handle_timeout(self.now))
        return True

    def _carry(self, sender: Node, output: Transmit) -> None:
        number, frame = len(self.sent), output.payload
        self.sent.append(frame)
        fate = self.fates(number, frame)
        is_group = bool(frame[4] & 1)
        receivers = [node for node in self.nodes if node is not sender and (is_group or frame[4:10] in node.addresses)]
        arrivals = [(self.now + AIRTIME + delay, payload) for delay, payload in fate.arrivals] if receivers else []
        for at, payload in arrivals:
            for receiver in receivers:
                self._at(at, self._arrival(receiver, payload, frame[10:16]))
        if not is_group and self._is_told and fate.is_told:
            intact = [at for at, payload in arrivals if payload == frame]
            told_at = min(intact) if intact else self.now + AIRTIME
            self._at(told_at + 50, self._report(sender, frame, bool(intact)))

    def _at(self, at: Micros, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (at, next(self._order), act))

    def _arrival(self, node: Node, payload: bytes, source: bytes) -> Callable[[], None]:
        return lambda: self.do(node, node.device.receive(payload, source, self.now))

    def _report(self, node: Node, payload: bytes, is_acknowledged: bool) -> Callable[[], None]:
        return lambda: self.do(node, node.device.acknowledged(payload, is_acknowledged, self.now))


@dataclass
class Home:
    """A phone that has found a camera."""

    wire: Wire
    phone: Node
    camera: Node

    def last(self, node: Node) -> Event:
        """The last event of a node."""
        return node.events[-1]


def home(
    fates: Fates = delivered,
    *,
    seed: object = 0,
    phone: dict[str, object] | None = None,
    camera: dict[str, object] | None = None,
    phone_session: dict[str, object] | None = None,
    camera_session: dict[str, object] | None = None,
    is_told: bool = True,
    publishing: dict[str, object] | None = None,
) -> Home:
    """Both devices, after the phone has discovered the camera; faults begin after that."""
    calm = [True]
    wire = Wire(lambda number, frame: delivered(number, frame) if calm[0] else fates(number, frame), is_told=is_told)
    there = wire.add(settings(CAMERA, CAMERA_NDI, **(camera or {})), seed)
    here = wire.add(settings(PHONE, PHONE_NDI, **(phone or {})), seed)
    service = camera_service(**(camera_session or {}))
    wire.do(there, there.device.publish(service, wire.now, **(publishing or {})))  # type: ignore[arg-type]
    wire.do(here, here.device.subscribe(phone_service(**(phone_session or {})), wire.now))
    wire.run_until(50 * MILLISECOND)
    wire.sent.clear()
    calm[0] = False
    return Home(wire, here, there)


def kinds(events: Sequence[Event]) -> list[str]:
    """The names of events."""
    return [type(each).__name__ for each in events]
