"""Frames of the air for explainers: read where they can be, None where they cannot."""

from pairing.errors import DecodeError
from pairing.ieee80211.frames import ManagementFrame
from pairing.nan.frames import NanFrame, is_nan_frame, read_nan_frame


def management_frame(payload: bytes) -> ManagementFrame | None:
    """The frame, or None for other octets."""
    try:
        return ManagementFrame.decode(payload)
    except DecodeError:
        return None


def nan_frame(payload: bytes) -> NanFrame | None:
    """The SDF or NAF, or None for whatever is none, or does not parse."""
    frame = management_frame(payload)
    if frame is None or frame.is_protected or not is_nan_frame(frame):
        return None
    try:
        return read_nan_frame(frame)
    except DecodeError:
        return None
