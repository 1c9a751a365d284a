"""A phone and a camera of Wi-Fi Aware in virtual time whose frames and events go into a transcript.

`wrong` is how one of them differs from the standard: it gets each frame before it is on the air and gives the frame
that is sent in its place. Keys are in use, but frames stay readable, so that they can be changed.
"""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from devices.event_log import EventLog
from devices.media.medium import Flight
from devices.transcripts.reader import Record, read_transcript
from devices.transcripts.recorder import MemoryTranscript, Recorder
from pairing.engine import MILLISECOND, SECOND, Event
from pairing.ieee80211.frames import ManagementFrame, Subtype
from pairing.nan.attributes import BootstrappingMethods
from pairing.nan.identifiers import NAN_NETWORK_ID
from tests.support.nan_air import (
    AIRTIME,
    CAMERA,
    CAMERA_NDI,
    PHONE,
    PHONE_NDI,
    Fate,
    Home,
    Node,
    Wire,
    camera_service,
    phone_service,
    settings,
)
from tests.support.nan_people import People, bootstrap, pair, verify

Wrong = Callable[["RecordedHome", bytes], bytes]
Given = Mapping[str, object]


def truthful(home: "RecordedHome", frame: bytes) -> bytes:
    """Every frame as the engine made it."""
    return frame


class RecordedHome:
    """Both devices, the phone subscribed to what the camera publishes."""

    def __init__(
        self,
        wrong: Wrong = truthful,
        *,
        fates: Callable[[bytes], Fate | None] = lambda frame: None,
        secrets: bool = True,
        password: str | None = "314159",  # noqa: S107  # what the camera shows
        typed: str | None = None,
        phone: Given | None = None,
        camera: Given | None = None,
        phone_session: Given | None = None,
        camera_session: Given | None = None,
        publishing: Given | None = None,
    ) -> None:
        self._transcript = MemoryTranscript()
        self.wire = Wire(self._carried)
        self._recorder = Recorder(self._transcript, now=lambda: self.wire.now, seed=1, secrets=secrets)
        self._log = EventLog(lambda: self.wire.now)
        self._log.add_sink(self._recorder.happened)
        self._wrong, self._broken = wrong, fates
        plain: dict[str, Any] = {"is_encrypting": False}
        there = self.wire.add(settings(CAMERA, CAMERA_NDI, **{**plain, **(camera or {})}))
        here = self.wire.add(settings(PHONE, PHONE_NDI, **{**plain, **(phone or {})}))
        self.home = Home(self.wire, here, there)
        self.people = People(password, [] if typed is None else [typed])
        self.people.live_in(self.home)
        answer = self.wire.owner
        self.wire.owner = lambda node, event: self._happened(node, event, answer)
        service = camera_service(**(camera_session or {}))
        self.wire.do(there, there.device.publish(service, self.wire.now, **(publishing or {})))  # type: ignore[arg-type]
        self.wire.do(here, here.device.subscribe(phone_service(**(phone_session or {})), self.wire.now))
        self.wire.run_until(50 * MILLISECOND)

    # What is done in it.

    @property
    def phone(self) -> Node:
        """The phone."""
        return self.home.phone

    @property
    def camera(self) -> Node:
        """The camera."""
        return self.home.camera

    def bootstrap(self, method: BootstrappingMethods = BootstrappingMethods.PIN_KEYPAD) -> "RecordedHome":
        """The phone asks for a method, and pairs if it may."""
        bootstrap(self.home, method)
        return self.rest()

    def pair(self, suite: int | None = None) -> "RecordedHome":
        """The phone pairs at once."""
        pair(self.home, self.people.typed(), suite)
        return self.rest()

    def verify(self) -> "RecordedHome":
        """The phone verifies the pairing that both remember."""
        verify(self.home)
        return self.rest()

    def open(self, **given: object) -> "RecordedHome":
        """The phone asks for a data path."""
        outputs = self.phone.device.open_data_path(CAMERA, self.wire.now, **given)  # type: ignore[arg-type]
        self.wire.do(self.phone, outputs)
        return self.rest()

    def rest(self, seconds: int = 60) -> "RecordedHome":
        """Until nothing goes on any more."""
        self.wire.run_until(self.wire.now + seconds * SECOND)
        return self

    # What is left of it.

    @property
    def transcript(self) -> bytes:
        """All that was recorded."""
        return self._transcript.getvalue()

    @property
    def records(self) -> list[Record]:
        """The same, read."""
        return list(read_transcript(BytesIO(self.transcript)))

    def saved(self, folder: Path) -> Path:
        """The transcript as a file."""
        path = folder / "air.cbor"
        path.write_bytes(self.transcript)
        return path

    # The wire.

    def _carried(self, number: int, frame: bytes) -> Fate:
        sent = self._wrong(self, frame)
        source, to = sent[10:16], sent[4:10]
        self._recorder.sent("air", self._name(source), source, to, sent)
        broken = self._broken(sent)
        if broken is not None:
            self._note_fate(sent, broken)
            return broken
        return Fate(((0, sent),), is_told=sent == frame)

    def _note_fate(self, sent: bytes, fate: Fate) -> None:
        source, to, now = sent[10:16], sent[4:10], self.wire.now
        receiver = "camera" if self._name(source) == "phone" else "phone"
        flight = Flight("air", self._name(source), receiver, source, to, sent, now, now + AIRTIME)
        arrivals = [flight.delayed(delay).carrying(payload) for delay, payload in fate.arrivals]
        self._recorder.fate(flight, arrivals)

    def _happened(self, node: Node, event: Event, answer: Callable[[Node, Event], None]) -> None:
        self._log.append(event, actor="phone" if node is self.phone else "camera", medium="air")
        answer(node, event)

    @staticmethod
    def _name(address: bytes) -> str:
        return "phone" if address in (PHONE, PHONE_NDI) else "camera"


def is_pasn(frame: bytes, number: int) -> bool:
    """Whether it is one of PASN's frames."""
    header = ManagementFrame.decode(frame)
    return header.subtype == Subtype.AUTHENTICATION and header.body[2] == number


def is_unicast(frame: bytes) -> bool:
    """Whether it is for one device."""
    return frame[4:10] != NAN_NETWORK_ID


def data_path_number(frame: bytes) -> int:
    """The subtype of a NAN action frame; 0 for any other."""
    header = ManagementFrame.decode(frame)
    is_naf = header.subtype == Subtype.ACTION and header.body[1:6] == bytes.fromhex("09506f9a18")
    return header.body[6] if is_naf else 0


def transcript_of(frames: Sequence[bytes], events: Mapping[str, Sequence[Event]], *, secrets: bool = True) -> bytes:
    """A transcript of frames between phone and camera, a millisecond apart, and what each reported after them."""
    transcript, now = MemoryTranscript(), [0]
    recorder = Recorder(transcript, now=lambda: now[0], seed=1, secrets=secrets)
    log = EventLog(lambda: now[0])
    log.add_sink(recorder.happened)
    for frame in frames:
        now[0] += MILLISECOND
        recorder.sent("air", "phone" if frame[15] == PHONE[5] else "camera", frame[10:16], frame[4:10], frame)
    now[0] += MILLISECOND
    for actor, reported in events.items():
        for event in reported:
            log.append(event, actor=actor, medium="air")
    return transcript.getvalue()
