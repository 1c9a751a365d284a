"""A publisher and a subscriber that meet only inside discovery windows, with filters that must fit."""

from pairing.engine import SECOND, PeerDiscovered
from pairing.nan.device import NanDevice
from pairing.nan.matching_filter import encode_filter
from pairing.nan.service_response_filter import ServiceResponseFilter
from pairing.nan.timing import DiscoveryWindows
from tests.fuzz.stage import Dialogue, Party, Stage, engine_target
from tests.fuzz.targets.nan_device import recorded
from tests.support.nan_air import (
    CAMERA,
    CAMERA_NDI,
    PHONE,
    PHONE_NDI,
    camera_service,
    phone_service,
    settings,
)
from tests.support.recorded_entropy import seeded

WINDOWS = DiscoveryWindows()
HORIZON = 4 * SECOND


def begin() -> Stage:
    """The phone asks in every window for cameras of one kind, by their addresses."""
    phone = NanDevice(settings(PHONE, PHONE_NDI, windows=WINDOWS), seeded("phone"))
    camera = NanDevice(settings(CAMERA, CAMERA_NDI, windows=WINDOWS), seeded("camera"))
    stage = Stage(Party(phone, PHONE, (PHONE_NDI,)), Party(camera, CAMERA, (CAMERA_NDI,)), horizon=HORIZON)
    published = camera_service(
        is_unsolicited=True, matching_filter=encode_filter((b"indoor", b"")), setup_info=b"\x0dvendorName=Ex"
    )
    wanted = phone_service(
        query_period=SECOND,
        peer_timeout=HORIZON // 2,
        matching_filter=encode_filter((b"indoor",)),
        response_filter=ServiceResponseFilter.of_bloom((CAMERA,), 8),
    )
    stage.do(stage.parties[1], camera.publish(published, 0))
    stage.do(stage.parties[0], phone.subscribe(wanted, 0))
    return stage


def check(stage: Stage, was_ignored: bool) -> None:
    """After a while the phone has the real camera in view."""
    phone = stage.parties[0]
    stage.horizon = stage.now + HORIZON
    stage.play()
    assert phone.has(PeerDiscovered)
    assert isinstance(phone.engine, NanDevice)
    assert any(key[1:] == (CAMERA, 5) for key in phone.engine.discovered), "the camera is not in view"


TARGETS = (engine_target(Dialogue("nan-discovery", begin, check, seeds=recorded)),)
