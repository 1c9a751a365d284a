"""Frames recorded between our devices and an independent implementation, over UDP."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pairing.nan.frames import NanFrame, decode_nan_frame

FOLDER = Path(__file__).parents[1] / "vectors" / "wifi-aware" / "live"
THEIRS = "hostap"


@dataclass(frozen=True)
class Frame:
    """One frame, as it is without protection."""

    sender: str
    kind: str
    octets: bytes

    @property
    def nan(self) -> NanFrame:
        """The frame as an SDF or NAF."""
        return decode_nan_frame(self.octets)


@cache
def recordings() -> dict[str, tuple[Frame, ...]]:
    """Every recording by its ID."""
    found = {}
    for path in sorted(FOLDER.glob("*.json")):
        document = json.loads(path.read_text())
        frames = (Frame(each["from"], each["kind"], bytes.fromhex(each["hex"])) for each in document["frames"])
        found[document["id"]] = tuple(frames)
    return found
