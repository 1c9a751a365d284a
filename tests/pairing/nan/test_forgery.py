"""Frames that no honest device sends: what they must not be able to do to a pairing."""

from dataclasses import replace

from pairing.engine import FrameIgnored
from pairing.ieee80211.frames import ManagementFrame, Subtype
from pairing.nan.attributes import BootstrappingMethods, PairingBootstrapping
from pairing.nan.frames import decode_nan_frame
from pairing.pasn.messages import PasnFrame
from tests.support.nan_air import CAMERA, CLUSTER, PHONE, Fate, delivered, home
from tests.support.nan_people import People, bootstrap, is_paired


def with_more_than_fits(number: int, frame: bytes) -> Fate:
    """Whatever the phone asks for in bootstrapping has 300 octets behind its fields."""
    if frame[:1] != b"\xd0" or frame[1] & 0x40:
        return delivered(number, frame)
    decoded = decode_nan_frame(frame)
    bent = tuple(
        replace(each, surplus=bytes(300)) if isinstance(each, PairingBootstrapping) else each
        for each in decoded.attributes
    )
    return Fate(((0, replace(decoded, attributes=bent).encode()),))


def test_a_bootstrapping_request_too_long_to_be_quoted_does_not_harm_pairing() -> None:
    made = home(with_more_than_fits)
    People(None).live_in(made)
    bootstrap(made, BootstrappingMethods.OPPORTUNISTIC)
    made.wire.run_until(made.wire.now + 20_000_000)
    assert is_paired(made.camera)
    assert is_paired(made.phone)


def test_an_ignored_frame_1_does_not_count_as_an_attempt() -> None:
    made = home()
    People().live_in(made)
    bare = ManagementFrame(Subtype.AUTHENTICATION, PHONE, CAMERA, CLUSTER, PasnFrame(1, ()).encode()).encode()
    (ignored,) = made.phone.device.receive(bare, CAMERA, made.wire.now)
    assert isinstance(ignored, FrameIgnored)
    bootstrap(made)
    made.wire.run_until(made.wire.now + 20_000_000)
    assert is_paired(made.phone)
    assert is_paired(made.camera)
