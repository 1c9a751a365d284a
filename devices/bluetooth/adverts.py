"""AD structures of an advert and its scan response, from the settings.

Source: Core Specification Supplement 11, Part A, section 1; Assigned Numbers, 2.3. A structure is length (of what
follows), type, data; UUIDs and numbers are little-endian.
"""

from collections.abc import Mapping, Sequence

from devices.bluetooth.tables import LONGEST_ADVERT, AdvertTable
from devices.errors import UsageError

FLAGS, NAME, SHORT_NAME, TX_POWER, APPEARANCE, MANUFACTURER = 0x01, 0x09, 0x08, 0x0A, 0x19, 0xFF
_UUID_LISTS = {2: 0x03, 4: 0x05, 16: 0x07}
_SERVICE_DATA = {2: 0x16, 4: 0x20, 16: 0x21}


def uuid_octets(uuid: str) -> bytes:
    """A UUID in the order of the air: 2, 4 or 16 octets, little-endian."""
    return bytes.fromhex(uuid.replace("-", ""))[::-1]


def structure(kind: int, data: bytes) -> bytes:
    """One AD structure."""
    return bytes([len(data) + 1, kind]) + data


def adverts(table: AdvertTable, name: str, services: Sequence[str]) -> tuple[bytes, bytes]:
    """The advert and the scan response. Raises UsageError if either is longer than 31 octets."""
    advert = bytes.fromhex(table.data) if table.data is not None else _advert(table, name, services)
    response = (
        bytes.fromhex(table.scan_response)
        if table.scan_response is not None
        else (_name(name, LONGEST_ADVERT) if table.name == "scan-response" and table.connectable else b"")
    )
    for what, octets in (("advert", advert), ("scan response", response)):
        if len(octets) > LONGEST_ADVERT:
            raise UsageError(
                f"the {what} has {len(octets)} octets, and {LONGEST_ADVERT} is the most; leave something out"
            )
    return advert, response


def _advert(table: AdvertTable, name: str, services: Sequence[str]) -> bytes:
    parts = [structure(FLAGS, bytes([table.flags]))] if table.flags is not None else []
    parts += _uuid_lists(table.services if table.services is not None else services)
    for uuid, octets in table.service_data.items():
        packed = uuid_octets(uuid)
        parts.append(structure(_SERVICE_DATA[len(packed)], packed + bytes.fromhex(octets)))
    parts += _manufacturers(table.manufacturer)
    if table.appearance is not None:
        parts.append(structure(APPEARANCE, table.appearance.to_bytes(2, "little")))
    if table.tx_power is not None:
        parts.append(structure(TX_POWER, table.tx_power.to_bytes(1, "little", signed=True)))
    joined = b"".join(parts)
    return joined + (_name(name, LONGEST_ADVERT - len(joined)) if table.name == "advert" else b"")


def _uuid_lists(services: Sequence[str]) -> list[bytes]:
    packed = [uuid_octets(each) for each in dict.fromkeys(services)]
    return [
        structure(kind, b"".join(each for each in packed if len(each) == size))
        for size, kind in _UUID_LISTS.items()
        if any(len(each) == size for each in packed)
    ]


def _manufacturers(table: Mapping[str, str]) -> list[bytes]:
    return [
        structure(MANUFACTURER, bytes.fromhex(company)[::-1] + bytes.fromhex(octets))
        for company, octets in table.items()
    ]


def _name(name: str, room: int) -> bytes:
    """The complete name where it fits, else as much of it as does, as the shortened name."""
    octets = name.encode()
    if len(octets) + 2 <= room:
        return structure(NAME, octets)
    cut = octets[: max(0, room - 2)].decode(errors="ignore").encode()
    return structure(SHORT_NAME, cut) if cut else b""
