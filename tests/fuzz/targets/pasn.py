"""PASN frames, and both roles of `pairing.pasn` at every point of an exchange."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from pairing.engine import Event, Micros, Outputs
from pairing.errors import DecodeError, LocalProtocolError
from pairing.ieee80211.frames import HEADER_LENGTH, ManagementFrame, StatusCode, Subtype
from pairing.pasn.events import PasnCompleted, PasnMode, PasnRequested
from pairing.pasn.initiator import PasnInitiator
from pairing.pasn.key_schedule import (
    NCS_PK_PASN_128,
    NCS_PK_PASN_256,
    PasnSuite,
    compute_mic,
    frame_1_digest,
    mic_input,
)
from pairing.pasn.messages import PasnFrame
from pairing.pasn.responder import PasnResponder
from pairing.pasn.settings import PasnSettings
from pairing.pasn.states import InitiatorState, ResponderState
from tests.fuzz import corpus
from tests.fuzz.mutation import rearranged
from tests.fuzz.stage import Dialogue, Party, Stage, engine_target
from tests.fuzz.target import decoder
from tests.fuzz.targets.ieee80211 import bodies
from tests.support.pasn_pair import CAMERA, CAMERA_NAN, CLUSTER, ENDINGS, PHONE, PHONE_NAN, credential
from tests.support.recorded_entropy import seeded

CAMERA_INDEX = 1
LOAD = bytes(300)
READ = ("rsne", "parameters", "wrapped", "nan", "mic", "covered_elements")


def read_whole(data: bytes) -> PasnFrame:
    """A frame of which everything is read that an engine reads."""
    frame = PasnFrame.decode(data, HEADER_LENGTH)
    assert frame.with_zero_mic() is not None
    for name in READ:
        getattr(frame, name)
    return frame


def begin(mode: PasnMode, suite: PasnSuite, comeback_tu: int | None) -> Stage:
    """A phone pairs with a camera whose owner grants everything."""
    phone = PasnInitiator(
        PasnSettings(own=PHONE, peer=CAMERA, nan=PHONE_NAN, bssid=CLUSTER, suites=(suite,)),
        credential(mode, suite),
        seeded("phone"),
    )
    camera = PasnResponder(
        PasnSettings(own=CAMERA, peer=PHONE, nan=CAMERA_NAN, bssid=CLUSTER, suites=(suite,), comeback_tu=comeback_tu),
        seeded("camera"),
    )

    def grant(event: Event, now: Micros) -> Outputs:
        if not isinstance(event, PasnRequested) or event.is_repeat:
            return ()
        try:
            return camera.accept(credential(event.mode, event.suite), now)
        except LocalProtocolError:  # the request names an AKM that our credential has not
            return camera.reject(now)

    stage = Stage(Party(phone, PHONE), Party(camera, CAMERA, owner=grant))
    stage.do(stage.parties[0], phone.start(0))
    return stage


def check(stage: Stage, was_ignored: bool) -> None:
    """Both have ended; with the same keys if nothing but ignored frames came between."""
    phone, camera = stage.parties
    assert isinstance(phone.engine, PasnInitiator)
    assert isinstance(camera.engine, PasnResponder)
    assert phone.engine.state in (InitiatorState.DONE, InitiatorState.FAILED)
    assert camera.engine.state in (ResponderState.IDLE, ResponderState.DONE, ResponderState.FAILED)
    assert phone.has(*ENDINGS)
    assert camera.has(*ENDINGS) or camera.engine.state is ResponderState.IDLE
    keys = [event.keys for party in stage.parties for event in party.events if isinstance(event, PasnCompleted)]
    assert len(keys) < 2 or keys[0] == keys[1]
    if was_ignored:
        assert len(keys) == 2, "a frame that was ignored has left a trace"


def dress(mode: PasnMode, suite: PasnSuite, stage: Stage, index: int, payload: bytes) -> bytes:
    """The frame with the MIC that the peer would give it, if keys are there."""
    digest = suite.pasn_hash(credential(mode, suite).akm)
    kck = next(filter(None, map(_kck, stage.parties)), None)
    firsts = [each.payload for each in stage.carried if each.receiver == CAMERA_INDEX]
    try:
        outer = ManagementFrame.decode(payload)
        frame = PasnFrame.decode(outer.body, HEADER_LENGTH)
    except DecodeError:
        return payload
    if frame.mic is None or kck is None or frame.transaction == 1 or not firsts:
        return payload
    first = frame_1_digest(digest, ManagementFrame.decode(firsts[0]).body)
    covered = first if frame.transaction == 3 else frame.covered_elements
    data = mic_input(outer.transmitter, outer.receiver, covered, frame.with_zero_mic())
    return replace(outer, body=frame.with_mic(compute_mic(digest, kck, data)).encode()).encode()


def bent(frame: bytes) -> Iterator[bytes]:
    """The frame with elements missing, doubled, turned round, or one of them empty or overfull."""
    outer = ManagementFrame.decode(frame)
    inner = PasnFrame.decode(outer.body, HEADER_LENGTH)
    for place, element in enumerate(inner.elements):
        for body in (b"", element.body + LOAD):
            parts = (*inner.elements[:place], replace(element, body=body), *inner.elements[place + 1 :])
            yield replace(outer, body=replace(inner, elements=parts).encode()).encode()
    for parts in rearranged(inner.elements):
        yield replace(outer, body=replace(inner, elements=parts).encode()).encode()
    for status in StatusCode:
        yield replace(outer, body=replace(inner, status=status).encode()).encode()


def _kck(party: Party) -> bytes | None:
    assert isinstance(party.engine, PasnInitiator | PasnResponder)
    return party.engine.intermediates.pasn.get("kck")


def recorded() -> Iterable[bytes]:
    """PASN frames of other devices, towards ours."""
    for frame in corpus.octets("wifi-aware/*", "hex"):
        if frame[0] == Subtype.AUTHENTICATION << 4:
            yield frame[:4] + CAMERA + PHONE + frame[16:]


def dialogues() -> Iterator[Dialogue]:
    """Each mode, the stronger suite, and a camera that sends newcomers away once; then the same with right MICs."""
    kinds: list[tuple[str, PasnMode, PasnSuite, int | None]]
    kinds = [(mode.value, mode, NCS_PK_PASN_128, None) for mode in PasnMode]
    kinds += [("password-256", PasnMode.PASSWORD, NCS_PK_PASN_256, None)]
    kinds += [("comeback", PasnMode.PASSWORD, NCS_PK_PASN_128, 10)]
    for name, mode, suite, comeback_tu in kinds:
        start = partial(begin, mode, suite, comeback_tu)
        yield Dialogue(f"pasn-{name}", start, check, seeds=recorded, bend=bent)
        right = partial(dress, mode, suite)
        yield Dialogue(f"pasn-{name}-with-mic", start, check, right, leaves_traces=True, bend=bent)


TARGETS = (
    decoder("pasn-frame", read_whole, lambda: bodies(Subtype.AUTHENTICATION), encode=PasnFrame.encode, is_exact=False),
    *map(engine_target, dialogues()),
)
