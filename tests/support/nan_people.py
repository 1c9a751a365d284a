"""What the two people of a Wi-Fi Aware home do: scripts for the phone's and the camera's owner, and how it ended."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pairing.engine import Event
from pairing.errors import LocalProtocolError
from pairing.nan.attributes import BootstrappingMethods
from pairing.nan.data_path_events import DataPathClosed, DataPathFailed, DataPathOpened, DataPathRequested
from pairing.nan.events import BootstrappingCompleted, BootstrappingFailed, BootstrappingRequested
from pairing.nan.pairing_events import PairingCompleted, PairingFailed, PairingRequested, PairingVerified
from tests.support.nan_air import CAMERA, PHONE, Home, Node

Answer = Callable[[Home, Node, Event], None]
PIN = "314159"
PAIRED = (PairingCompleted, PairingVerified)


@dataclass
class People:
    """The camera's owner accepts everything; the phone's pairs as soon as bootstrapping allows it."""

    password: str | None = PIN
    phone_passwords: list[str | None] = field(default_factory=list)
    """What the phone's owner types, attempt by attempt; the right one when used up."""
    accepts: bool = True

    def typed(self) -> str | None:
        """The next password of the phone's owner."""
        return self.phone_passwords.pop(0) if self.phone_passwords else self.password

    def live_in(self, home: Home) -> None:
        """Answer what the devices ask."""
        home.wire.owner = lambda node, event: self._answer(home, node, event)

    def _answer(self, home: Home, node: Node, event: Event) -> None:
        now, device = home.wire.now, node.device
        peer = PHONE if node is home.camera else CAMERA
        try:
            match event:
                case BootstrappingRequested() if self.accepts:
                    home.wire.do(node, device.accept_bootstrapping(peer, now))
                case BootstrappingCompleted() if node is home.phone:
                    home.wire.do(node, device.pair(peer, now, password=self.typed()))
                case PairingRequested() if self.accepts:
                    password = self.password if event.mode == "password" else None
                    home.wire.do(node, device.accept_pairing(peer, now, password=password))
                case DataPathRequested() if self.accepts:
                    home.wire.do(node, device.accept_data_path(event.data_path, now))
        except LocalProtocolError:
            return  # asked for, and gone before the answer


def bootstrap(home: Home, method: BootstrappingMethods = BootstrappingMethods.PIN_KEYPAD) -> None:
    """The phone's owner begins."""
    home.wire.do(home.phone, home.phone.device.bootstrap(CAMERA, method, home.wire.now))


def pair(home: Home, password: str | None = PIN, suite: int | None = None) -> None:
    """The phone's owner pairs at once."""
    home.wire.do(home.phone, home.phone.device.pair(CAMERA, home.wire.now, password=password, suite=suite))


def verify(home: Home) -> None:
    """The phone verifies the pairing that it remembers."""
    home.wire.do(home.phone, home.phone.device.verify(CAMERA, home.wire.now))


def paired_home(password: str | None = PIN, **made: object) -> Home:
    """A home in which the two are paired; no fault has happened."""
    from tests.support.nan_air import home as make_home

    home = make_home(**made)  # type: ignore[arg-type]
    People(password).live_in(home)
    pair(home, password)
    home.wire.run_until(home.wire.now + 3_000_000)
    assert paired_keys(home)
    return home


def paired_keys(home: Home) -> bool:
    """Whether both hold the same keys."""
    phone, camera = home.phone.device.keys(CAMERA), home.camera.device.keys(PHONE)
    return phone is not None and phone == camera


def pairing_ends(node: Node) -> list[Event]:
    """How attempts ended."""
    return [each for each in node.events if isinstance(each, (*PAIRED, PairingFailed, BootstrappingFailed))]


def path_ends(node: Node) -> list[Event]:
    """How data paths fared."""
    return [each for each in node.events if isinstance(each, (DataPathOpened, DataPathFailed, DataPathClosed))]


def is_paired(node: Node) -> bool:
    """Whether the last attempt succeeded."""
    ends = pairing_ends(node)
    return bool(ends) and isinstance(ends[-1], PAIRED)


def agree(home: Home) -> bool:
    """Never a success on one side alone; whoever began has an end, and equal keys where there is a pairing."""
    one, other = is_paired(home.phone), is_paired(home.camera)
    keys = home.phone.device.keys(CAMERA), home.camera.device.keys(PHONE)
    return one == other and keys[0] == keys[1] and bool(pairing_ends(home.phone))
