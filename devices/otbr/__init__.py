"""The OpenThread Border Router's REST API: an ASGI application over a `Network`.

`OtbrEngine` is what an accessory drives, `OtbrNode` what it offers, `OtbrApp` answers; `transports.web` listens.
"""

from devices.otbr.app import OtbrApp
from devices.otbr.engine import OtbrEngine
from devices.otbr.node import OtbrNode
from devices.otbr.profile import (
    API_VERSION,
    CURRENT,
    NO_LIES,
    PASCAL_CASE,
    PENDING_LIES,
    WITHOUT_DATASETS,
    OtbrLies,
    OtbrProfile,
)

__all__ = [
    "API_VERSION",
    "CURRENT",
    "NO_LIES",
    "PASCAL_CASE",
    "PENDING_LIES",
    "WITHOUT_DATASETS",
    "OtbrApp",
    "OtbrEngine",
    "OtbrLies",
    "OtbrNode",
    "OtbrProfile",
]
