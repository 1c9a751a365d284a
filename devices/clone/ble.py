"""Reads a Bluetooth LE peripheral through bleak: its adverts and its GATT table become an accessory like it.

bleak does not tell the advertising interval, the flags, which of advert and scan response says what, or how a value is
protected that pairing opens; there the accessory is as it is by default. Values that cannot be read are left out.
"""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from devices.bluetooth.adverts import adverts
from devices.bluetooth.tables import LONGEST_ADVERT, AdvertTable, short_uuid
from devices.errors import EmulatorError, HostError, UsageError
from devices.spec import read_home

_STACKS_OWN = frozenset({"1800", "1801", "2800", "2801", "2802", "2803", "2900", "2902"})
_PROPERTIES = ("read", "write", "write-without-response", "notify", "indicate")
_DEFAULT_MTU = 23


async def read_ble(address: str, seconds: float) -> dict[str, Any]:
    """The tables of a home file with one accessory like the peripheral of that address, or name.

    Raises EmulatorError where it is not in view or does not connect, HostError where there is no Bluetooth.
    """
    from bleak import BleakClient, BleakScanner
    from bleak.exc import BleakError

    try:
        seen = await BleakScanner.discover(seconds, return_adv=True)
        found = [each for each in seen.values() if address.lower() in _names(*each)]
        if not found:
            others = ", ".join(f"{each.address} {advert.local_name or ''}".strip() for each, advert in seen.values())
            raise EmulatorError(f"no Bluetooth device {address!r} in view; seen: {others or 'none at all'}")
        if len(found) > 1:
            raise UsageError(f"{address!r} is the name of {len(found)} devices; give the address of one")
        device, advert = found[0]
        async with BleakClient(device) as client:
            services = [await _service(client, each) for each in _sorted(client.services)]
            mtu = _mtu(client)
    except (BleakError, TimeoutError) as problem:
        raise EmulatorError(f"{address}: cannot be read over Bluetooth: {problem or 'no answer'}") from None
    except OSError as problem:
        raise HostError(f"no Bluetooth here: {problem}") from None
    return _home(device, advert, services, mtu)


def _names(device: Any, advert: Any) -> set[str]:
    return {str(device.address).lower(), str(advert.local_name or "").lower()} - {""}


def _sorted(attributes: Iterable[Any]) -> list[Any]:
    own = [each for each in attributes if short_uuid(each.uuid) not in _STACKS_OWN]
    return sorted(own, key=lambda each: int(each.handle))


async def _service(client: Any, service: Any) -> dict[str, Any]:
    characteristics = [await _characteristic(client, each) for each in _sorted(service.characteristics)]
    return {"uuid": short_uuid(service.uuid)} | ({"characteristic": characteristics} if characteristics else {})


async def _characteristic(client: Any, characteristic: Any) -> dict[str, Any]:
    properties = [each for each in _PROPERTIES if each in characteristic.properties]
    table: dict[str, Any] = {"uuid": short_uuid(characteristic.uuid), "properties": properties}
    if "read" in properties:
        table["value"] = await _value(client.read_gatt_char(characteristic))
        if table["value"] is None:
            table |= {"value": "", "security": "encrypted"}
    descriptors = [
        {"uuid": short_uuid(each.uuid), "value": await _value(client.read_gatt_descriptor(each.handle)) or ""}
        for each in _sorted(characteristic.descriptors)
    ]
    return table | ({"descriptor": descriptors} if descriptors else {})


async def _value(reading: Any) -> str | None:
    """Hex; None where it may not be read."""
    from bleak.exc import BleakError

    try:
        return bytes(await reading).hex()
    except BleakError:
        return None


def _mtu(client: Any) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # BlueZ may not have asked for the MTU yet; then it is the default
        return int(client.mtu_size)


def _home(device: Any, advert: Any, services: Sequence[dict[str, Any]], mtu: int) -> dict[str, Any]:
    name = advert.local_name or ""
    accessory: dict[str, Any] = {"id": "clone", "kind": "ble-peripheral", "name": name or str(device.address)}
    accessory |= _address(device)
    if _DEFAULT_MTU < mtu <= 517:
        accessory["mtu"] = mtu
    accessory["advert"] = _advert(advert, name)
    accessory["service"] = list(services)
    home = {"name": f"Clone of {accessory['name']}", "accessory": [accessory]}
    read_home(home, "clone")
    return home


def _address(device: Any) -> dict[str, str]:
    """Its address where the system tells it; a private one is of the moment, so another is drawn."""
    octets = str(device.address).split(":")
    if len(octets) != 6:
        return {}
    details = device.details if isinstance(device.details, dict) else {}
    kind = details.get("props", {}).get("AddressType")
    top = int(octets[0], 16) >> 6
    if kind == "random" or (kind is None and top == 3):
        return {"address": str(device.address), "address_type": "random"} if top == 3 else {}
    return {"address": str(device.address), "address_type": "public"}


def _advert(said: Any, name: str) -> dict[str, Any]:
    table: dict[str, Any] = {
        "name": "scan-response" if name else "none",
        "services": [short_uuid(each) for each in said.service_uuids],
        "service_data": {short_uuid(uuid): bytes(data).hex() for uuid, data in said.service_data.items()},
        "manufacturer": {f"{company:04x}": bytes(data).hex() for company, data in said.manufacturer_data.items()},
    }
    if said.tx_power is not None:
        table["tx_power"] = int(said.tx_power)
    try:
        adverts(AdvertTable.model_validate(table), name, [])
    except UsageError:
        return _packed(table, name)
    return {key: value for key, value in table.items() if value not in ({}, [])} | {"services": table["services"]}


def _packed(table: dict[str, Any], name: str) -> dict[str, str]:
    """As octets, where not all fits beside each other: what does not fit into the advert is in the scan response."""
    parts = [{"flags": 0x06}, {"services": table["services"]}]
    parts += [{"service_data": {uuid: data}} for uuid, data in table["service_data"].items()]
    parts += [{"manufacturer": {company: data}} for company, data in table["manufacturer"].items()]
    parts += [{"tx_power": table["tx_power"]}] if "tx_power" in table else []
    parts += [{"name": "advert"}] if name else []
    packets = [b"", b""]
    for part in parts:
        alone = AdvertTable.model_validate({"flags": None, "name": "none", "services": [], **part})
        octets, _ = adverts(alone, name, [])
        place = next((at for at, each in enumerate(packets) if len(each) + len(octets) <= LONGEST_ADVERT), None)
        if place is not None:
            packets[place] += octets
    return {"data": packets[0].hex(), "scan_response": packets[1].hex()}
