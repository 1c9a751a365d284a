"""The OpenThread Border Router's REST API: an ASGI application over a `Network`, and a server for it.

`OtbrEngine` is what an accessory drives, `OtbrNode` what it offers, `OtbrApp` answers, `serve` listens.
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
from devices.otbr.server import serve

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
    "serve",
]
