"""Two PASN roles on a wire that the test holds in its hands, and frames to bend."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from hashlib import shake_256
from typing import Any

from pairing.engine import Entropy, Event, Outputs, Transmit
from pairing.ieee80211.elements import Akm
from pairing.ieee80211.frames import ManagementFrame
from pairing.pasn.events import PasnCompleted, PasnDeclined, PasnFailed, PasnMode, PasnRequested
from pairing.pasn.initiator import PasnInitiator
from pairing.pasn.key_schedule import NCS_PK_PASN_128, PasnSuite
from pairing.pasn.messages import PasnFrame
from pairing.pasn.responder import PasnResponder
from pairing.pasn.settings import CachedKey, Credential, Opportunistic, PasnSettings, SharedPassword
from pairing.sae.hash_to_element import PasswordToken, derive_password_token

PHONE, CAMERA, CLUSTER = b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02", b"\x50\x6f\x9a\x01\0\x07"
PHONE_NAN, CAMERA_NAN = bytes.fromhex("220300000703"), bytes.fromhex("220300000705")
SSID = b"516F9A010000"
PHRASE = "correct horse"
ENDINGS = (PasnCompleted, PasnFailed, PasnDeclined)


def entropy(seed: object) -> Entropy:
    """A stream of octets that follows from the seed."""
    drawn = 0

    def draw(length: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return shake_256(f"{seed}/{drawn}".encode()).digest(length)

    return draw


@cache
def token(phrase: str = PHRASE, group: int = 19) -> PasswordToken:
    """A password token, derived once."""
    return derive_password_token(group, SSID, phrase.encode())


def credential(mode: PasnMode, suite: PasnSuite = NCS_PK_PASN_128, phrase: str = PHRASE) -> Credential:
    """A credential for the mode; equal phrases fit each other."""
    if mode is PasnMode.PASSWORD:
        return SharedPassword(token(phrase, suite.group))
    if mode is PasnMode.CACHED:
        return CachedKey(Akm.SAE, shake_256(phrase.encode()).digest(32), shake_256(b"pmkid").digest(16))
    return Opportunistic()


class Pair:
    """A phone that initiates and a camera that responds. Nothing travels by itself: `flush` carries what was sent."""

    def __init__(
        self,
        mode: PasnMode = PasnMode.PASSWORD,
        suite: PasnSuite = NCS_PK_PASN_128,
        *,
        phone: dict[str, Any] | None = None,
        camera: dict[str, Any] | None = None,
        phrases: tuple[str, str] = (PHRASE, PHRASE),
        seed: object = 0,
        bend: Callable[[int, bytes], Sequence[bytes]] | None = None,
    ) -> None:
        common = {"bssid": CLUSTER, "suites": (suite,)}
        self.mode, self.suite, self.seed = mode, suite, seed
        self.phone_settings = PasnSettings(
            **{"own": PHONE, "peer": CAMERA, "nan": PHONE_NAN, **common, **(phone or {})}
        )
        self.camera_settings = PasnSettings(
            **{"own": CAMERA, "peer": PHONE, "nan": CAMERA_NAN, **common, **(camera or {})}
        )
        self.phone_credential = credential(mode, suite, phrases[0])
        self.camera_credential = credential(mode, suite, phrases[1])
        self.phone = PasnInitiator(self.phone_settings, self.phone_credential, entropy(f"{seed}/phone"))
        self.camera = PasnResponder(self.camera_settings, entropy(f"{seed}/camera"))
        self.now = 0
        self.phone_events: list[Event] = []
        self.camera_events: list[Event] = []
        self.sent: list[bytes] = []
        self._air: list[bytes] = []
        self._bend = bend or (lambda number, frame: (frame,))

    def another_phone(self, seed: object, phrase: str = PHRASE) -> None:
        """The phone tries anew, with new keys and perhaps another password."""
        self.phone_credential = credential(self.mode, self.suite, phrase)
        self.phone = PasnInitiator(self.phone_settings, self.phone_credential, entropy(f"{seed}/phone"))

    def phone_does(self, outputs: Outputs) -> None:
        """What the phone's engine returned."""
        self._keep(outputs, self.phone_events)

    def camera_does(self, outputs: Outputs) -> None:
        """What the camera's engine returned; new requests are granted."""
        self._keep(outputs, self.camera_events)
        if isinstance(outputs[-1] if outputs else None, PasnRequested) and not outputs[-1].is_repeat:  # type: ignore[union-attr]
            self._keep(self.camera.accept(self.camera_credential, self.now), self.camera_events)

    def start(self) -> None:
        """The phone begins."""
        self.phone_does(self.phone.start(self.now))

    def flush(self) -> None:
        """Carry frames until nothing is on the air."""
        while self._air:
            payload = self._air.pop(0)
            for frame in self._bend(len(self.sent), payload):
                self.arrive(frame)

    def arrive(self, frame: bytes) -> None:
        """A frame reaches whom its first address names."""
        if frame[4:10] == CAMERA:
            self.camera_does(self.camera.receive(frame, PHONE, self.now))
        else:
            self.phone_does(self.phone.receive(frame, CAMERA, self.now))

    def pass_time(self) -> bool:
        """Go to the next deadline of either; False if there is none."""
        deadlines = [at for at in (self.phone.deadline, self.camera.deadline) if at is not None]
        if not deadlines:
            return False
        self.now = min(deadlines)
        self.phone_does(self.phone.handle_timeout(self.now))
        self.camera_does(self.camera.handle_timeout(self.now))
        return True

    def run(self, steps: int = 1000) -> None:
        """Start, then carry frames and pass time until nothing is due."""
        self.start()
        for _ in range(steps):
            self.flush()
            if not self.pass_time():
                return
        raise AssertionError("the exchange does not end")

    @property
    def endings(self) -> tuple[list[Event], list[Event]]:
        """How the attempts of either side ended."""
        return (
            [event for event in self.phone_events if isinstance(event, ENDINGS)],
            [event for event in self.camera_events if isinstance(event, ENDINGS)],
        )

    def _keep(self, outputs: Outputs, events: list[Event]) -> None:
        for output in outputs:
            if isinstance(output, Transmit):
                self.sent.append(output.payload)
                self._air.append(output.payload)
            else:
                events.append(output)


def body_of(frame: bytes) -> PasnFrame:
    """The PASN body of a frame."""
    return PasnFrame.decode(ManagementFrame.decode(frame).body)


def rebuilt(frame: bytes, change: Callable[[PasnFrame], PasnFrame]) -> bytes:
    """The frame with its body changed."""
    header = ManagementFrame.decode(frame)
    return replace(header, body=change(PasnFrame.decode(header.body)).encode()).encode()


def sent_by(outputs: Outputs) -> list[bytes]:
    """The frames among some outputs."""
    return [output.payload for output in outputs if isinstance(output, Transmit)]
