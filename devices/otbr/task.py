"""The five kinds of task that `/api/actions` takes: what their attributes must be, and how they are shown again.

Parsing only; what a task does, and when, is `actions`' business. Measured from ot-br-posix, REST API 0.5.0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from devices.otbr.address import AddressType, Destination
from devices.otbr.json_text import Json, c_double, c_int, c_uint, is_number
from pairing.errors import DecodeError
from pairing.thread.diagnostics import DiagnosticTlvType
from pairing.thread.fields import FIRST_CHANNEL, LAST_CHANNEL
from pairing.thread.joiner_table import JoinerId

DEFAULT_TIMEOUT_S = 60

DIAGNOSTIC_NAMES: Mapping[str, DiagnosticTlvType] = {
    "extAddress": DiagnosticTlvType.EXT_ADDRESS,
    "rloc16": DiagnosticTlvType.RLOC16,
    "mode": DiagnosticTlvType.MODE,
    "timeout": DiagnosticTlvType.TIMEOUT,
    "connectivity": DiagnosticTlvType.CONNECTIVITY,
    "route": DiagnosticTlvType.ROUTE,
    "leaderData": DiagnosticTlvType.LEADER_DATA,
    "networkData": DiagnosticTlvType.NETWORK_DATA,
    "ipv6Addresses": DiagnosticTlvType.IPV6_ADDRESSES,
    "macCounters": DiagnosticTlvType.MAC_COUNTERS,
    "batteryLevel": DiagnosticTlvType.BATTERY_LEVEL,
    "supplyVoltage": DiagnosticTlvType.SUPPLY_VOLTAGE,
    "childTable": DiagnosticTlvType.CHILD_TABLE,
    "channelPages": DiagnosticTlvType.CHANNEL_PAGES,
    "maxChildTimeout": DiagnosticTlvType.MAX_CHILD_TIMEOUT,
    "lDevIdSubject": DiagnosticTlvType.LDEVID_SUBJECT,
    "iDevIdCert": DiagnosticTlvType.IDEVID_CERT,
    "eui": DiagnosticTlvType.EUI64,
    "threadVersion": DiagnosticTlvType.VERSION,
    "vendorName": DiagnosticTlvType.VENDOR_NAME,
    "vendorModel": DiagnosticTlvType.VENDOR_MODEL,
    "vendorSwVersion": DiagnosticTlvType.VENDOR_SW_VERSION,
    "threadStackVersion": DiagnosticTlvType.THREAD_STACK_VERSION,
    "children": DiagnosticTlvType.CHILD,
    "childIpv6Addresses": DiagnosticTlvType.CHILD_IPV6_ADDRESSES,
    "routerNeighbors": DiagnosticTlvType.ROUTER_NEIGHBOR,
    "mleCounters": DiagnosticTlvType.MLE_COUNTERS,
}
RESETTABLE = frozenset({DiagnosticTlvType.MAC_COUNTERS, DiagnosticTlvType.MLE_COUNTERS})


class BadTaskError(Exception):
    """No such task, or attributes that it does not take; the REST API answers 422."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddThreadDevice:
    """Let one Joiner in. `joiner` is None where what was given can never be matched, so the task waits."""

    type: ClassVar[str] = "addThreadDeviceTask"
    joiner: JoinerId | None
    timeout_s: int = DEFAULT_TIMEOUT_S
    pskd: str = field(repr=False)

    def echo(self) -> dict[str, Json]:
        """The attributes as they are shown."""
        who: dict[str, Json] = {"joinerId": "*"}
        if self.joiner is not None and self.joiner.eui64 is not None:
            who = {"eui": self.joiner.eui64.hex()}
        elif self.joiner is not None:
            who = {"discerner": str(self.joiner)}
        return {**who, "pskd": self.pskd}


@dataclass(frozen=True, slots=True, kw_only=True)
class GetEnergyScan:
    """Measure how busy channels are at one node."""

    type: ClassVar[str] = "getEnergyScanTask"
    destination: Destination
    channels: tuple[int, ...]
    count: int
    period_ms: int
    scan_duration_ms: int
    timeout_s: int

    def echo(self) -> dict[str, Json]:
        """The attributes as they are shown."""
        return {
            "destination": self.destination.text,
            # Unlike the other tasks, this one names the kind of address only where it is not the usual one.
            **({} if self.destination.type is AddressType.EXTENDED else {"destinationType": self.destination.type}),
            "channelMask": list(self.channels),
            "count": self.count,
            "period": self.period_ms,
            "scanDuration": self.scan_duration_ms,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GetNetworkDiagnostic:
    """Ask one node for diagnostics."""

    type: ClassVar[str] = "getNetworkDiagnosticTask"
    destination: Destination
    types: tuple[str, ...]
    timeout_s: int

    def echo(self) -> dict[str, Json]:
        """The attributes as they are shown."""
        return {**_shown(self.destination), "types": list(self.types)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetNetworkDiagCounter:
    """Start counters afresh at one node, or (no destination) at all."""

    type: ClassVar[str] = "resetNetworkDiagCounterTask"
    destination: Destination | None
    types: tuple[str, ...]
    timeout_s: int

    def echo(self) -> dict[str, Json]:
        """The attributes as they are shown."""
        where = {} if self.destination is None else _shown(self.destination)
        return {**where, "types": list(self.types)}


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateDeviceCollection:
    """Find the devices of the network and enter them in `/api/devices`."""

    type: ClassVar[str] = "updateDeviceCollectionTask"
    max_age_ms: int
    max_retries: int
    device_count: int
    timeout_s: int

    def echo(self) -> dict[str, Json]:
        """The attributes as they are shown."""
        seconds, rest = divmod(self.max_age_ms, 1000)
        return {
            "maxAge": self.max_age_ms / 1000 if rest else seconds,
            "maxRetries": self.max_retries,
            "deviceCount": self.device_count,
        }


Task: TypeAlias = (
    AddThreadDevice | GetEnergyScan | GetNetworkDiagnostic | ResetNetworkDiagCounter | UpdateDeviceCollection
)


def parse_task(document: Json) -> Task:
    """The task of one element of `data`; BadTaskError if it is none."""
    if not isinstance(document, dict):
        raise BadTaskError("a task is an object")
    kind, attributes = document.get("type"), document.get("attributes")
    if not isinstance(kind, str) or not isinstance(attributes, dict):
        raise BadTaskError("a task has a type and attributes")
    parse = _PARSERS.get(kind)
    if parse is None:
        raise BadTaskError("no such task")
    return parse(attributes)


def _add_thread_device(attributes: dict[str, Json]) -> AddThreadDevice:
    timeout = attributes.get("timeout")
    if "timeout" not in attributes:
        timeout = DEFAULT_TIMEOUT_S
    if not is_number(timeout):
        raise BadTaskError("timeout is a number")
    names = [name for name in ("eui", "discerner", "joinerId") if name in attributes]
    if len(names) != 1:
        raise BadTaskError("a task has exactly one of eui, discerner and joinerId")
    who, pskd = attributes[names[0]], attributes.get("pskd")
    if not isinstance(who, str) or not isinstance(pskd, str):
        raise BadTaskError("eui, discerner, joinerId and pskd are text")
    if not 6 <= len(pskd.encode()) <= 32 or set(pskd) & set("IOQZ"):
        raise BadTaskError("a pskd has 6 to 32 characters, none of I, O, Q, Z")
    joiner = _joiner(who)
    if names == ["eui"] and (joiner is None or joiner.eui64 is None):
        raise BadTaskError("eui is 16 hex digits")
    return AddThreadDevice(joiner=joiner, pskd=pskd, timeout_s=c_int(timeout))


def _joiner(text: str) -> JoinerId | None:
    try:
        joiner = JoinerId.parse(text)
    except DecodeError:
        return None
    return None if joiner.is_any else joiner


def _get_energy_scan(attributes: dict[str, Json]) -> GetEnergyScan:
    mask = attributes.get("channelMask")
    if not isinstance(mask, list):
        raise BadTaskError("channelMask is an array")
    channels = {c_int(channel) if is_number(channel) else 0 for channel in mask}
    if not channels <= set(range(FIRST_CHANNEL, LAST_CHANNEL + 1)):
        raise BadTaskError("channels are 11 to 26")
    return GetEnergyScan(
        destination=_destination(attributes),
        channels=tuple(sorted(channels)),
        count=_unsigned(attributes, "count", 8),
        period_ms=_unsigned(attributes, "period", 16),
        scan_duration_ms=_unsigned(attributes, "scanDuration", 16),
        timeout_s=_timeout(attributes),
    )


def _get_network_diagnostic(attributes: dict[str, Json]) -> GetNetworkDiagnostic:
    return GetNetworkDiagnostic(
        destination=_destination(attributes), types=_types(attributes), timeout_s=_timeout(attributes)
    )


def _reset_network_diag_counter(attributes: dict[str, Json]) -> ResetNetworkDiagCounter:
    types = _types(attributes)
    if not {DIAGNOSTIC_NAMES[name] for name in types} <= RESETTABLE:
        raise BadTaskError("only macCounters and mleCounters can be reset")
    destination = _destination(attributes) if "destination" in attributes else None
    return ResetNetworkDiagCounter(destination=destination, types=types, timeout_s=_timeout(attributes))


def _update_device_collection(attributes: dict[str, Json]) -> UpdateDeviceCollection:
    age = attributes.get("maxAge")
    if not is_number(age):
        raise BadTaskError("maxAge is a number")
    return UpdateDeviceCollection(
        max_age_ms=c_double(age * 1000, 0, 0xFFFFFFFF),
        max_retries=_unsigned(attributes, "maxRetries", 8),
        device_count=_unsigned(attributes, "deviceCount", 16),
        timeout_s=_timeout(attributes),
    )


_PARSERS: Mapping[str, Callable[[dict[str, Json]], Task]] = {
    AddThreadDevice.type: _add_thread_device,
    GetEnergyScan.type: _get_energy_scan,
    GetNetworkDiagnostic.type: _get_network_diagnostic,
    ResetNetworkDiagCounter.type: _reset_network_diag_counter,
    UpdateDeviceCollection.type: _update_device_collection,
}


def _destination(attributes: dict[str, Json]) -> Destination:
    address = attributes.get("destination")
    if not isinstance(address, str):
        raise BadTaskError("destination is text")
    if "destinationType" in attributes:
        word = attributes["destinationType"]
        kind = next((each for each in AddressType if each == word), None)
    else:
        kind = next((each for each in (AddressType.EXTENDED, AddressType.RLOC) if each.length == len(address)), None)
    if kind is None or len(address) != kind.length:
        raise BadTaskError("destination is an address of 16 characters, or of 6 for a rloc")
    return Destination(address, kind)


def _shown(destination: Destination) -> dict[str, Json]:
    return {"destination": destination.text, "destinationType": destination.type}


def _types(attributes: dict[str, Json]) -> tuple[str, ...]:
    names = attributes.get("types")
    if not isinstance(names, list):
        raise BadTaskError("types is an array")
    known: set[str] = set()
    for name in names:
        if not isinstance(name, str) or name not in DIAGNOSTIC_NAMES:
            raise BadTaskError("no such type")
        known.add(name)
    return tuple(sorted(known, key=lambda name: DIAGNOSTIC_NAMES[name]))


def _timeout(attributes: dict[str, Json]) -> int:
    value = attributes.get("timeout")
    if not is_number(value):
        raise BadTaskError("timeout is a number")
    return c_int(value)


def _unsigned(attributes: dict[str, Json], name: str, bits: int) -> int:
    value = attributes.get(name)
    if not is_number(value):
        raise BadTaskError(f"{name} is a number")
    return c_uint(value, bits)
