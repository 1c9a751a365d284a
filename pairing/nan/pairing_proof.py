"""Whether a PASN frame 3 belongs to an exchange, told before the exchange is asked: what is forged must not end it.

Source: IEEE 802.11az-2022, 12.13.3 (MIC of frame 3).
"""

from pairing.crypto.kdf import is_equal
from pairing.errors import DecodeError
from pairing.ieee80211.frames import HEADER_LENGTH, StatusCode
from pairing.pasn.events import PasnRequested
from pairing.pasn.key_schedule import compute_mic, frame_1_digest, mic_input
from pairing.pasn.messages import PasnFrame


def is_forged(frame_3: bytes, frame_1: bytes, requested: PasnRequested | None, kck: bytes | None) -> bool:
    """Whether the frame has a MIC that is not of this exchange, or should have one. A refusal needs none."""
    try:
        frame = PasnFrame.decode(frame_3[HEADER_LENGTH:], HEADER_LENGTH)
    except DecodeError:
        return False
    if kck is None or requested is None:
        return False
    if frame.mic is None:
        return frame.status == StatusCode.SUCCESS
    algorithm = requested.suite.pasn_hash(requested.akm)
    initiator, responder = frame_1[10:16], frame_1[4:10]
    covered = mic_input(initiator, responder, frame_1_digest(algorithm, frame_1[HEADER_LENGTH:]), frame.with_zero_mic())
    return not is_equal(frame.mic, compute_mic(algorithm, kck, covered))


def is_refusal(frame_2: bytes) -> bool:
    """Whether a frame 2 says no; one that says to come back later does not."""
    try:
        status = PasnFrame.decode(frame_2[HEADER_LENGTH:], HEADER_LENGTH).status
    except DecodeError:
        return False
    return status not in (StatusCode.SUCCESS, StatusCode.REJECTED_TEMPORARILY)


def public_key_of(frame_1: bytes) -> bytes | None:
    """The key that a frame 1 shows; None if there is none."""
    try:
        return PasnFrame.decode(frame_1[HEADER_LENGTH:], HEADER_LENGTH).parameters.public_key or None
    except DecodeError:
        return None
