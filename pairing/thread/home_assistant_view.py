"""What Home Assistant 2026.11 makes of a `_meshcop._udp` record: its discovery, brands and "unconfigured" rule.

Also the state bitmap as python-otbr-api 3.1.0 reads it, which refuses more than a parser should. Keys are compared as
python-zeroconf does, case included. Its dataset store is `credentials.home_assistant`. Source: both projects' code,
checked against recorded outputs of that release.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pairing.dnssd.txt import TxtRecord
from pairing.errors import DecodeError
from pairing.thread.state_bitmap import Availability, ConnectionMode, InterfaceStatus, StateBitmap

BRANDS: Mapping[str, str] = {
    "Amazon": "amazon",
    "Apple": "apple",
    "Apple Inc.": "apple",
    "Aqara": "aqara_gateway",
    "AthomBV": "homey",
    "GL.iNET Inc.": "glinet",
    "Google Inc.": "google",
    "Heffeix": "heffeix",
    "Home Assistant": "homeassistant",
    "HomeAssistant": "homeassistant",
    "IKEA": "ikea",
    "Nanoleaf": "nanoleaf",
    "OpenThread": "openthread",
    "SMLIGHT": "smlight",
    "Samsung": "samsung",
    "SmartThings": "smartthings",
    "Yeelight": "yeelight",
    "amazon": "amazon",
    "eero": "eero",
}
"""Vendor names (`vn`) that get a brand, compared exactly; any other string gets none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveredRouter:
    """A border router as Home Assistant lists it; byte values are lower-case hexadecimal."""

    instance_name: str
    border_agent_id: str | None
    brand: str | None
    extended_address: str
    extended_pan_id: str
    model_name: str | None
    network_name: str | None
    thread_version: str | None
    unconfigured: bool | None
    """True for Home Assistant's own router that lacks something, otherwise None, never False."""
    vendor_name: str | None


@dataclass(frozen=True, slots=True)
class NotDiscovered:
    """Home Assistant ignores the record: the first of `xa` and `xp` that is absent or empty."""

    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtbrApiStateBitmap:
    """The five fields of python-otbr-api's StateBitmap, enums by the library's member names."""

    connection_mode: str
    thread_interface_status: str
    availability: str
    is_active: bool
    is_primary: bool


class OtbrApiRefusalError(DecodeError):
    """python-otbr-api raises ValueError for this bitmap: wrong length, a reserved value, or a bit from 9 up."""


_CONNECTION_MODES = {
    ConnectionMode.DISABLED: "DISABLED",
    ConnectionMode.PSKC: "PSKC",
    ConnectionMode.PSKD: "PSKD",
    ConnectionMode.VENDOR: "VENDOR",
    ConnectionMode.X509: "X509",
}
_INTERFACE_STATUSES = {
    InterfaceStatus.NOT_INITIALISED: "NOT_INITIALIZED",
    InterfaceStatus.INITIALISED: "INITIALIZED",
    InterfaceStatus.ACTIVE: "ACTIVE",
}
_AVAILABILITIES = {Availability.INFREQUENT: "INFREQUENT", Availability.HIGH: "HIGH"}


def read_state_bitmap(data: bytes) -> OtbrApiStateBitmap:
    """What `StateBitmap.from_bytes` of python-otbr-api 3.1.0 returns; raises OtbrApiRefusalError where it raises."""
    if len(data) != 4:
        raise OtbrApiRefusalError(0, f"state bitmap is {len(data)} bytes, expected 4")
    bitmap = StateBitmap.decode(data)
    if bitmap.value >> 9:
        raise OtbrApiRefusalError(0, f"state bitmap 0x{bitmap.value:08x} has bits from 9 up set")
    connection_mode = _CONNECTION_MODES.get(bitmap.connection_mode)
    status = _INTERFACE_STATUSES.get(bitmap.interface_status)
    availability = _AVAILABILITIES.get(bitmap.availability)
    if connection_mode is None or status is None or availability is None:
        raise OtbrApiRefusalError(0, f"state bitmap 0x{bitmap.value:08x} has a reserved value")
    return OtbrApiStateBitmap(
        connection_mode=connection_mode,
        thread_interface_status=status,
        availability=availability,
        is_active=bitmap.bbr_active,
        is_primary=bitmap.bbr_primary,
    )


def discover(instance_name: str, record: TxtRecord) -> DiscoveredRouter | NotDiscovered:
    """What Home Assistant's Thread discovery reports for a resolved service instance."""
    properties = _properties(record)
    for key in (b"xa", b"xp"):
        if not properties.get(key):
            return NotDiscovered(key.decode("ascii"))
    vendor_name = _text(properties.get(b"vn"))
    brand = BRANDS.get(vendor_name) if vendor_name is not None else None
    border_agent_id = properties.get(b"id")
    return DiscoveredRouter(
        instance_name=instance_name,
        border_agent_id=None if border_agent_id is None else border_agent_id.hex(),
        brand=brand,
        extended_address=(properties[b"xa"] or b"").hex(),
        extended_pan_id=(properties[b"xp"] or b"").hex(),
        model_name=_text(properties.get(b"mn")),
        network_name=_text(properties.get(b"nn")),
        thread_version=_text(properties.get(b"tv")),
        unconfigured=True if brand == "homeassistant" and _is_incomplete(properties) else None,
        vendor_name=vendor_name,
    )


def _properties(record: TxtRecord) -> Mapping[bytes, bytes | None]:
    """The record as python-zeroconf gives it to its caller: the first of each key, upper and lower case apart."""
    properties: dict[bytes, bytes | None] = {}
    for key, value in record.entries:
        properties.setdefault(key, value)
    return properties


def _is_incomplete(properties: Mapping[bytes, bytes | None]) -> bool:
    """No active timestamp, or a bitmap that decodes and says that the backbone router is not active."""
    if properties.get(b"at") is None:
        return True
    try:
        return not read_state_bitmap(properties.get(b"sb") or b"").is_active
    except OtbrApiRefusalError:
        return False


def _text(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode("utf-8")
    except UnicodeDecodeError:
        return None
