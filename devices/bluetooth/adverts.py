"""AD structures of an advert and its scan response: made from the settings, and read.

Source: Core Specification Supplement 11, Part A, section 1; Assigned Numbers, 2.3. A structure is length (of what
follows), type, data; UUIDs and numbers are little-endian.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from devices.bluetooth.tables import LONGEST_ADVERT, AdvertTable, short_uuid
from devices.errors import UsageError

FLAGS, NAME, SHORT_NAME, TX_POWER, APPEARANCE, MANUFACTURER = 0x01, 0x09, 0x08, 0x0A, 0x19, 0xFF
_UUID_LISTS = {2: 0x03, 4: 0x05, 16: 0x07}
_LISTS = {0x02: 2, 0x03: 2, 0x04: 4, 0x05: 4, 0x06: 16, 0x07: 16}
_SERVICE_DATA = {2: 0x16, 4: 0x20, 16: 0x21}
_LONGEST = 254  # octets of data in a structure: its length counts the type, too


def uuid_octets(uuid: str) -> bytes:
    """A UUID in the order of the air: 2, 4 or 16 octets, little-endian."""
    return bytes.fromhex(uuid.replace("-", ""))[::-1]


def structure(kind: int, data: bytes) -> bytes:
    """One AD structure. Raises UsageError if its length cannot tell so much data."""
    if len(data) > _LONGEST:
        raise UsageError(f"a structure of an advert has {_LONGEST} octets at most, not {len(data)}")
    return bytes([len(data) + 1, kind]) + data


def adverts(table: AdvertTable, name: str, services: Sequence[str]) -> tuple[bytes, bytes]:
    """The advert and the scan response. Raises UsageError if either is longer than 31 octets."""
    advert = bytes.fromhex(table.data) if table.data is not None else _advert(table, name, services)
    response = (
        bytes.fromhex(table.scan_response)
        if table.scan_response is not None
        else (name_structure(name, LONGEST_ADVERT) if table.name == "scan-response" and table.connectable else b"")
    )
    for what, octets in (("advert", advert), ("scan response", response)):
        if len(octets) > LONGEST_ADVERT:
            raise UsageError(
                f"the {what} has {len(octets)} octets, and {LONGEST_ADVERT} is the most; leave something out"
            )
    return advert, response


def _advert(table: AdvertTable, name: str, services: Sequence[str]) -> bytes:
    parts = [structure(FLAGS, bytes([table.flags]))] if table.flags is not None else []
    parts += uuid_lists(table.services if table.services is not None else services)
    parts += [service_data_structure(uuid, bytes.fromhex(octets)) for uuid, octets in table.service_data.items()]
    parts += _manufacturers(table.manufacturer)
    if table.appearance is not None:
        parts.append(structure(APPEARANCE, table.appearance.to_bytes(2, "little")))
    if table.tx_power is not None:
        parts.append(structure(TX_POWER, table.tx_power.to_bytes(1, "little", signed=True)))
    joined = b"".join(parts)
    return joined + (name_structure(name, LONGEST_ADVERT - len(joined)) if table.name == "advert" else b"")


def uuid_lists(services: Sequence[str], kinds: Mapping[int, int] = _UUID_LISTS) -> list[bytes]:
    """A structure for each size of UUID that there is; `kinds` has its type by the octets of a UUID."""
    packed = [uuid_octets(each) for each in dict.fromkeys(services)]
    return [
        structure(kind, b"".join(each for each in packed if len(each) == size))
        for size, kind in kinds.items()
        if any(len(each) == size for each in packed)
    ]


def _manufacturers(table: Mapping[str, str]) -> list[bytes]:
    return [
        structure(MANUFACTURER, bytes.fromhex(company)[::-1] + bytes.fromhex(octets))
        for company, octets in table.items()
    ]


def service_data_structure(uuid: str, octets: bytes) -> bytes:
    """The service data of one service."""
    packed = uuid_octets(uuid)
    return structure(_SERVICE_DATA[len(packed)], packed + octets)


def name_structure(name: str, room: int) -> bytes:
    """The complete name where it fits, else as much of it as does, as the shortened name."""
    octets = name.encode()
    if len(octets) + 2 <= room:
        return structure(NAME, octets)
    cut = octets[: max(0, room - 2)].decode(errors="ignore").encode()
    return structure(SHORT_NAME, cut) if cut else b""


@dataclass(frozen=True, slots=True)
class ReadAdvert:
    """What an advert says. Numbers of a field that is cut short are left out; UUIDs are in the shortest form."""

    name: str | None = None
    is_name_complete: bool = False
    services: tuple[str, ...] = ()
    service_data: Mapping[str, bytes] = field(default_factory=dict)
    manufacturer: Mapping[int, bytes] = field(default_factory=dict)
    tx_power: int | None = None
    appearance: int | None = None
    flags: int | None = None

    def merged_with(self, newer: "ReadAdvert") -> "ReadAdvert":
        """Both together, as systems keep it of a device: what is newer wins, what it does not say stays."""
        keeps_name = newer.name is None or (self.is_name_complete and not newer.is_name_complete)
        return ReadAdvert(
            self.name if keeps_name else newer.name,
            self.is_name_complete if keeps_name else newer.is_name_complete,
            tuple(dict.fromkeys((*self.services, *newer.services))),
            {**self.service_data, **newer.service_data},
            {**self.manufacturer, **newer.manufacturer},
            self.tx_power if newer.tx_power is None else newer.tx_power,
            self.appearance if newer.appearance is None else newer.appearance,
            self.flags if newer.flags is None else newer.flags,
        )


def structures(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """The AD structures of an advert as (type, data); what is cut short at the end is left out."""
    at = 0
    while at < len(octets) and (length := octets[at]):
        if at + 1 + length <= len(octets):
            yield octets[at + 1], octets[at + 2 : at + 1 + length]
        at += 1 + length


def read_advert(octets: bytes) -> ReadAdvert:
    """What AD structures say; any octets are an advert, if only an empty one."""
    said: dict[str, Any] = {"services": [], "service_data": {}, "manufacturer": {}}
    for kind, data in structures(octets):
        _take(said, kind, data)
    return ReadAdvert(**{**said, "services": tuple(dict.fromkeys(said["services"]))})


def _take(said: dict[str, Any], kind: int, data: bytes) -> None:
    if kind in _LISTS:
        size = _LISTS[kind]
        said["services"] += [_uuid_text(data[at : at + size]) for at in range(0, len(data) - size + 1, size)]
    elif kind in _SERVICE_DATA.values():
        size = next(each for each, known in _SERVICE_DATA.items() if known == kind)
        if len(data) >= size:
            said["service_data"][_uuid_text(data[:size])] = data[size:]
    elif kind == MANUFACTURER and len(data) >= 2:
        said["manufacturer"][int.from_bytes(data[:2], "little")] = data[2:]
    elif kind == NAME or (kind == SHORT_NAME and not said.get("is_name_complete")):
        name = data.partition(b"\0")[0]  # as hosts read it; D-Bus could not carry the rest
        said["name"], said["is_name_complete"] = name.decode(errors="replace"), kind == NAME
    elif kind == TX_POWER and len(data) == 1:
        said["tx_power"] = int.from_bytes(data, "little", signed=True)
    elif kind == APPEARANCE and len(data) == 2:
        said["appearance"] = int.from_bytes(data, "little")
    elif kind == FLAGS and data:
        said["flags"] = data[0]


def _uuid_text(octets: bytes) -> str:
    text = octets[::-1].hex()
    if len(text) == 32:
        text = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    return short_uuid(text)
