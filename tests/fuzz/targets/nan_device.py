"""Two Wi-Fi Aware devices at every point of discovery, bootstrapping, pairing, verification and a data path."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache, partial

from pairing.engine import SECOND, Event, Micros, Outputs, PeerDiscovered, Transmit
from pairing.errors import DecodeError, KeyStoreError, LocalProtocolError
from pairing.ieee80211.frames import HEADER_LENGTH, Subtype
from pairing.keys import PairedPeer
from pairing.nan.attributes import BootstrappingMethods
from pairing.nan.data_path_events import DataPathFailed, DataPathOpened, DataPathRequested
from pairing.nan.device import NanDevice, restored
from pairing.nan.events import BootstrappingCompleted, BootstrappingFailed, BootstrappingRequested
from pairing.nan.frames import decode_nan_frame
from pairing.nan.pairing_events import PairingCompleted, PairingFailed, PairingRequested, PairingVerified
from pairing.pasn.events import PasnMode
from tests.fuzz import corpus
from tests.fuzz.mutation import rearranged
from tests.fuzz.stage import Dialogue, Party, Stage, engine_target
from tests.fuzz.targets.pasn import bent as bent_pasn
from tests.support.nan_air import (
    CAMERA,
    CAMERA_NDI,
    CLUSTER,
    PHONE,
    PHONE_NDI,
    camera_service,
    phone_service,
    settings,
)
from tests.support.recorded_entropy import seeded

PIN = "314159"
PMK = bytes(range(32))
LOAD = bytes(300)
PHONE_INDEX, CAMERA_INDEX = 0, 1
FAILURES = (BootstrappingFailed, PairingFailed, DataPathFailed)
HORIZON = 200 * SECOND
TRIES = 3
IN_VIEW = 10 * SECOND
"""So long a publisher counts as there: a forged one is forgotten."""


@dataclass(frozen=True)
class Plan:
    """What the phone's owner wants; the camera's grants it."""

    name: str
    is_bootstrapped: bool = True
    pairs: bool = True
    password: str | None = PIN
    wrong_password: str | None = None
    verifies: bool = False
    suite: int | None = None
    data_path: int | None = None
    """The suite of the data path; None: that of the pairing."""
    goal: type[Event] = DataPathOpened

    @property
    def method(self) -> BootstrappingMethods:
        """The bootstrapping method that suits the password."""
        return BootstrappingMethods.OPPORTUNISTIC if self.password is None else BootstrappingMethods.PIN_KEYPAD


def allowed(intent: Callable[[], Outputs]) -> Outputs:
    """What an intent puts out; nothing if the state no longer allows it."""
    try:
        return intent()
    except (LocalProtocolError, KeyStoreError):
        return ()


@dataclass
class PhoneOwner:
    """Goes from the discovered camera to the goal, one step after the other."""

    plan: Plan
    device: NanDevice
    is_first: bool = field(default=True)

    def __call__(self, event: Event, now: Micros) -> Outputs:
        """Answer an event."""
        if event.peer is None or bytes.fromhex(event.peer.replace(":", "")) != CAMERA:
            return ()
        match event:
            case PeerDiscovered():
                return self.begin(now)
            case BootstrappingCompleted():
                return self.pair(now)
            case PairingCompleted() | PairingVerified():
                return self.open(now)
        return ()

    def begin(self, now: Micros) -> Outputs:
        """The first step of the plan."""
        if not self.plan.pairs and not self.plan.verifies:
            return self.open(now)
        if self.plan.verifies:
            return allowed(lambda: self.device.verify(CAMERA, now))
        if self.plan.is_bootstrapped:
            return allowed(lambda: self.device.bootstrap(CAMERA, self.plan.method, now))
        return self.pair(now)

    def pair(self, now: Micros) -> Outputs:
        """Pair, the first time perhaps with a wrong password."""
        is_wrong, self.is_first = self.is_first and self.plan.wrong_password is not None, False
        password = self.plan.wrong_password if is_wrong else self.plan.password
        return allowed(lambda: self.device.pair(CAMERA, now, password=password, suite=self.plan.suite))

    def open(self, now: Micros) -> Outputs:
        """Open the data path."""
        if self.plan.goal is not DataPathOpened:
            return ()
        suite, pmk = self.plan.data_path, PMK if self.plan.data_path else None
        return allowed(lambda: self.device.open_data_path(CAMERA, now, suite=suite, pmk=pmk))


@dataclass
class CameraOwner:
    """Grants what is asked for."""

    plan: Plan
    device: NanDevice

    def __call__(self, event: Event, now: Micros) -> Outputs:
        """Answer an event."""
        if event.peer is None:
            return ()
        peer, device = bytes.fromhex(event.peer.replace(":", "")), self.device
        match event:
            case BootstrappingRequested():
                return allowed(lambda: device.accept_bootstrapping(peer, now))
            case PairingRequested():
                password = self.plan.password if event.mode == PasnMode.PASSWORD.value else None
                return allowed(lambda: device.accept_pairing(peer, now, password=password))
            case DataPathRequested():
                pmk = PMK if self.plan.data_path else None
                return allowed(lambda: device.accept_data_path(event.data_path, now, pmk=pmk))
        return ()


@cache
def pairings() -> tuple[tuple[bytes, tuple[PairedPeer, ...]], ...]:
    """The identities of a phone and a camera that have paired, and what they remember of each other."""
    stage = begin(Plan("remembered", goal=PairingCompleted))
    stage.play()
    return tuple(restored(device_of(party).snapshot()) for party in stage.parties)


def device_of(party: Party) -> NanDevice:
    """The device of a party."""
    assert isinstance(party.engine, NanDevice)
    return party.engine


def begin(plan: Plan, *, is_encrypting: bool = True) -> Stage:
    """The phone looks for the camera's service."""
    known: list[dict[str, object]] = [{}, {}]
    if plan.verifies:
        known = [{"nik": nik, "paired": paired} for nik, paired in pairings()]
    made = [{**each, "is_encrypting": is_encrypting} for each in known]
    phone = NanDevice(settings(PHONE, PHONE_NDI, **made[PHONE_INDEX]), seeded("phone"))
    camera = NanDevice(settings(CAMERA, CAMERA_NDI, **made[CAMERA_INDEX]), seeded("camera"))
    stage = Stage(
        Party(phone, PHONE, (PHONE_NDI,), PhoneOwner(plan, phone)),
        Party(camera, CAMERA, (CAMERA_NDI,), CameraOwner(plan, camera)),
        horizon=HORIZON,
    )
    stage.do(stage.parties[CAMERA_INDEX], camera.publish(camera_service(is_answer_multicast=True), 0))
    stage.do(stage.parties[PHONE_INDEX], phone.subscribe(phone_service(peer_timeout=IN_VIEW), 0))
    return stage


def check(plan: Plan, stage: Stage, was_ignored: bool) -> None:
    """The goal is reached, or the phone said why not; then it can be reached by trying again."""
    phone, camera = stage.parties
    if not (was_ignored and plan.wrong_password is None):
        _try_again(plan, stage)
    assert phone.has(plan.goal), f"the phone has no {plan.goal.__name__}"
    assert camera.has(plan.goal), f"the camera has no {plan.goal.__name__}"
    if plan.pairs or plan.verifies:
        keys = device_of(phone).keys(CAMERA), device_of(camera).keys(PHONE)
        assert keys[0] is not None
        assert keys[0] == keys[1], "the two hold different keys"


def _try_again(plan: Plan, stage: Stage) -> None:
    phone, camera = stage.parties
    owner, device = phone.owner, device_of(phone)
    assert isinstance(owner, PhoneOwner)
    for attempt in range(TRIES):
        if phone.has(plan.goal) and camera.has(plan.goal):
            return
        for party in stage.parties:
            party.events.clear()
            if attempt and plan.pairs:  # a forged frame 1 late in an attempt can leave one side alone with its keys
                stage.do(party, device_of(party).forget(stage.now))
        stage.horizon = stage.now + HORIZON
        stage.do(camera, device_of(camera).open_pairing(stage.now))
        stage.do(phone, device.update(phone_service(peer_timeout=IN_VIEW), stage.now))
        stage.play()
        if not phone.has(plan.goal):
            stage.horizon = stage.now + HORIZON
            stage.do(phone, owner.begin(stage.now))
            stage.play()


def addressed(stage: Stage, index: int, payload: bytes) -> bytes:
    """The unicast frame as one from the other device to this one."""
    own, peer = (device_of(stage.parties[each]).device.nmi for each in (index, 1 - index))
    is_unicast = len(payload) > HEADER_LENGTH and not payload[4] & 1
    return payload[:4] + own + peer + payload[16:] if is_unicast else payload


def seal(stage: Stage, index: int, payload: bytes) -> bytes:
    """The same under the key that the other device has in use: what passes for its own words."""
    own, peer = (device_of(stage.parties[each]) for each in (index, 1 - index))
    payload = addressed(stage, index, payload)
    try:
        return peer._core.protection.seal(Transmit(payload, own.device.nmi)).payload
    except (DecodeError, LocalProtocolError):
        return payload


def plain(plan: Plan) -> Iterator[bytes]:
    """The frames of a plan as they are before they are protected."""
    stage = begin(plan, is_encrypting=False)
    stage.play()
    for frame in dict.fromkeys(sent.payload for sent in stage.carried):
        yield from (frame, *bent(frame))


def bent(frame: bytes) -> Iterator[bytes]:
    """The frame with attributes missing, doubled or turned round, and with a load behind the fields of each in turn."""
    if frame[0] == Subtype.AUTHENTICATION << 4:
        yield from bent_pasn(frame)
    try:
        decoded = decode_nan_frame(frame)
    except DecodeError:
        return
    for parts in rearranged(decoded.attributes):
        yield replace(decoded, attributes=parts).encode()
    for place, each in enumerate(decoded.attributes):
        if is_dataclass(each) and "surplus" in {member.name for member in fields(each)}:
            heavy = replace(each, surplus=LOAD)  # type: ignore[call-arg]  # it has the field
            attributes = (*decoded.attributes[:place], heavy, *decoded.attributes[place + 1 :])
            yield replace(decoded, attributes=attributes).encode()


def recorded() -> Iterable[bytes]:
    """Frames of other devices, as the phone's to the camera and in our cluster."""
    for frame in corpus.octets("wifi-aware/*", "hex"):
        if len(frame) > HEADER_LENGTH and frame[0] in (Subtype.AUTHENTICATION << 4, Subtype.ACTION << 4):
            receiver = frame[4:10] if frame[4] & 1 else CAMERA
            yield frame[:4] + receiver + PHONE + CLUSTER + frame[22:]


PLANS = (
    Plan("pin"),
    Plan("opportunistic-256", password=None, suite=8),
    Plan("wrong-pin", wrong_password="271828", is_bootstrapped=False, goal=PairingCompleted),
    Plan("verification", pairs=False, verifies=True),
    Plan("open-data-path", pairs=False, data_path=0),
    Plan("pmk-data-path", pairs=False, data_path=1),
)


def dialogues() -> Iterator[Dialogue]:
    """Each plan, with frames in the open; those with keys also with frames under them."""
    for plan in PLANS:
        start, end = partial(begin, plan), partial(check, plan)
        yield Dialogue(f"nan-{plan.name}", start, end, addressed, seeds=recorded, bend=bent)
        if plan.name == "pin":
            yield Dialogue(f"nan-{plan.name}-misaddressed", start, end, seeds=recorded, bend=bent)
        if plan.pairs or plan.verifies:
            frames = partial(plain, plan)
            yield Dialogue(f"nan-{plan.name}-sealed", start, end, seal, leaves_traces=True, seeds=frames, bend=bent)


TARGETS = tuple(map(engine_target, dialogues()))
