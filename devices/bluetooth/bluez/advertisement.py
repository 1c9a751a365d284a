"""`org.bluez.LEAdvertisement1`: what a client's object asks for, made into an advert and a scan response.

As BlueZ does: flags are 06 where the advert is discoverable, the name goes into the scan response, and an advert on a
secondary channel has none and keeps the name itself.
Source: BlueZ 5.66, doc/advertising-api.txt, src/advertising.c; Linux, net/bluetooth/eir.c (the adapter's own name).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dbus_fast import Variant

from devices.bluetooth.adverts import (
    APPEARANCE,
    FLAGS,
    MANUFACTURER,
    NAME,
    SHORT_NAME,
    TX_POWER,
    name_structure,
    service_data_structure,
    structure,
    uuid_lists,
)
from devices.bluetooth.bluez.tree import BusError, option
from devices.bluetooth.tables import LONGEST_ADVERT, checked_uuid
from pairing.engine import MILLISECOND, SECOND, Micros

INCLUDES = ("tx-power", "appearance", "local-name")
SECONDARY_CHANNELS = ("1M", "2M", "Coded")
_INTERVAL: Micros = 200 * MILLISECOND
"""Without MinInterval and MaxInterval, as accessories of a home have it; Linux takes 1.28 s."""
_SHORTEST_MS, _LONGEST_MS = 20, 10_485_759
_SHORT_NAME = 10
_DISCOVERABLE = 0x06
_LISTS = {2: 0x14, 4: 0x1F, 16: 0x15}
"""AD types of solicited services, by the octets of a UUID."""


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What is on the air while it is registered."""

    data: bytes
    scan_response: bytes
    connectable: bool
    legacy: bool
    interval_us: Micros
    timeout_us: Micros
    """After that the client is told Release; 0: never."""
    tx_power: int


def read_advertisement(
    properties: Mapping[str, Variant], *, alias: str, adapter_is_discoverable: bool
) -> Advertisement:
    """From the properties of the client's object. Raises BusError, which names the property."""
    kind = option(properties, "Type", "s", "broadcast")
    if kind not in ("broadcast", "peripheral"):
        raise BusError("InvalidArguments", f"Type is broadcast or peripheral, not {kind!r}")
    secondary = option(properties, "SecondaryChannel", "s", None)
    if secondary not in (None, *SECONDARY_CHANNELS):
        raise BusError("InvalidArguments", f"SecondaryChannel is 1M, 2M or Coded, not {secondary!r}")
    includes = option(properties, "Includes", "as", ())
    name = _name(properties, includes, alias)
    parts = _flags(properties, kind, adapter_is_discoverable) + _data(properties, includes)
    if name and secondary is not None:
        parts, name = parts + name_structure(name.decode(), LONGEST_ADVERT - len(parts)), b""
    if len(parts) > LONGEST_ADVERT:
        raise BusError("InvalidArguments", f"the advert has {len(parts)} octets, and {LONGEST_ADVERT} is the most")
    return Advertisement(
        data=parts,
        scan_response=_name_octets(name, is_own="local-name" in includes),
        connectable=kind == "peripheral",
        legacy=secondary is None,
        interval_us=_interval(properties),
        timeout_us=_timeout(properties),
        tx_power=_tx_power(properties),
    )


def _flags(properties: Mapping[str, Variant], kind: str, adapter_is_discoverable: bool) -> bytes:
    discoverable = option(properties, "Discoverable", "b", None)
    if discoverable and kind == "broadcast":
        raise BusError("InvalidArguments", "a broadcast is not Discoverable")
    if discoverable or (discoverable is None and kind == "peripheral" and adapter_is_discoverable):
        return structure(FLAGS, bytes([_DISCOVERABLE]))
    return b""


def _name(properties: Mapping[str, Variant], includes: Any, alias: str) -> bytes:
    name: str = option(properties, "LocalName", "s", "")
    if name and "local-name" in includes:
        raise BusError("InvalidArguments", "LocalName is given, and Includes has local-name")
    return (alias if "local-name" in includes else name).encode()


def _name_octets(name: bytes, *, is_own: bool) -> bytes:
    if is_own and len(name) > _SHORT_NAME:
        # Linux shortens the adapter's own name, and no other.
        return structure(SHORT_NAME, name[:_SHORT_NAME])
    if is_own:
        return structure(NAME, name)
    return name_structure(name.decode(), LONGEST_ADVERT) if name else b""


def _data(properties: Mapping[str, Variant], includes: Any) -> bytes:
    parts = uuid_lists(_uuids(properties, "ServiceUUIDs"))
    parts += uuid_lists(_uuids(properties, "SolicitUUIDs"), _LISTS)
    for company, octets in option(properties, "ManufacturerData", "a{qv}", {}).items():
        parts.append(structure(MANUFACTURER, company.to_bytes(2, "little") + _octets("ManufacturerData", octets)))
    for uuid, octets in option(properties, "ServiceData", "a{sv}", {}).items():
        parts.append(service_data_structure(_uuid(uuid), _octets("ServiceData", octets)))
    appearance = option(properties, "Appearance", "q", 0 if "appearance" in includes else None)
    if appearance is not None:
        parts.append(structure(APPEARANCE, appearance.to_bytes(2, "little")))
    if "tx-power" in includes:
        parts.append(structure(TX_POWER, _tx_power(properties).to_bytes(1, "little", signed=True)))
    parts += [
        structure(each, _octets("Data", octets)) for each, octets in option(properties, "Data", "a{yv}", {}).items()
    ]
    return b"".join(parts)


def _octets(name: str, value: Variant) -> bytes:
    if value.signature != "ay":
        raise BusError("InvalidArguments", f"{name} has values of the signature 'ay', not {value.signature!r}")
    if len(value.value) > LONGEST_ADVERT:
        raise BusError("InvalidArguments", f"{name} has a value of {len(value.value)} octets: too long for an advert")
    return bytes(value.value)


def _uuids(properties: Mapping[str, Variant], name: str) -> list[str]:
    given = option(properties, name, "as", ())
    if len(given) > LONGEST_ADVERT // 2:
        raise BusError("InvalidArguments", f"{name} has {len(given)} UUIDs: too many for an advert")
    return [_uuid(each) for each in given]


def _uuid(text: str) -> str:
    try:
        return checked_uuid(text)
    except ValueError as problem:
        raise BusError("InvalidArguments", str(problem)) from None


def _interval(properties: Mapping[str, Variant]) -> Micros:
    shortest, longest = option(properties, "MinInterval", "u", 0), option(properties, "MaxInterval", "u", 0)
    for each in (shortest, longest):
        if each and not _SHORTEST_MS <= each <= _LONGEST_MS:
            raise BusError("InvalidArguments", f"an interval has {_SHORTEST_MS} to {_LONGEST_MS} ms, not {each}")
    if shortest > longest:
        raise BusError("InvalidArguments", f"MinInterval {shortest} is above MaxInterval {longest}")
    return shortest * MILLISECOND or _INTERVAL


def _timeout(properties: Mapping[str, Variant]) -> Micros:
    option(properties, "Duration", "q", 0)
    timeout: int = option(properties, "Timeout", "q", 0)
    until = option(properties, "DiscoverableTimeout", "q", 0)
    if timeout and until > timeout:
        raise BusError("InvalidArguments", f"DiscoverableTimeout {until} is above Timeout {timeout}")
    return timeout * SECOND


def _tx_power(properties: Mapping[str, Variant]) -> int:
    power: int = option(properties, "TxPower", "n", 0)
    if not -127 <= power <= 20:
        raise BusError("InvalidArguments", f"TxPower has -127 to 20 dBm, not {power}")
    return power
