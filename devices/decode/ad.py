"""AD structures: what a Bluetooth LE advert or scan response says.

Source: Core Specification Supplement 11, Part A; Assigned Numbers, 2.3.
"""

from collections.abc import Mapping
from typing import Final

from devices.decode.fields import TracedReader
from devices.decode.layers import layer
from devices.decode.tcat import advert_words
from pairing.thread.tcat.adverts import TCAT_UUID16

_NAMES: Final[Mapping[int, str]] = {
    0x01: "flags",
    0x02: "some 16-bit services",
    0x03: "16-bit services",
    0x04: "some 32-bit services",
    0x05: "32-bit services",
    0x06: "some 128-bit services",
    0x07: "128-bit services",
    0x08: "shortened name",
    0x09: "name",
    0x0A: "TX power",
    0x14: "solicited 16-bit services",
    0x15: "solicited 128-bit services",
    0x16: "service data",
    0x19: "appearance",
    0x1A: "advertising interval",
    0x20: "service data",
    0x21: "service data",
    0xFF: "manufacturer data",
}
_UUID_OCTETS: Final = {0x02: 2, 0x03: 2, 0x04: 4, 0x05: 4, 0x06: 16, 0x07: 16, 0x14: 2, 0x15: 16}
_TCAT: Final = f"{TCAT_UUID16:04x}"
_DATA_UUID_OCTETS: Final = {0x16: 2, 0x20: 4, 0x21: 16}
_FLAGS: Final = (
    "limited discoverable",
    "general discoverable",
    "no BR/EDR",
    "BR/EDR and LE at once (controller)",
    "BR/EDR and LE at once (host)",
)


def _guess(data: bytes) -> int:
    at = 0
    while at < len(data) and data[at]:
        if at + 1 + data[at] > len(data) or data[at + 1] not in _NAMES:
            return 0
        at += 1 + data[at]
    if at == 0 or any(data[at:]):
        return 0
    return 45 if data[:2] == b"\x02\x01" else 15


@layer("ad", "AD structures of a Bluetooth LE advert", guess=_guess)
def read_ad(reader: TracedReader) -> None:
    """One structure after the other; octets 0 up to the end are padding."""
    while reader.remaining:
        if reader.peek(1) == b"\0":
            reader.take(reader.remaining, "padding")
            return
        inner = reader.sub(reader.u8("length"), "structure")
        structure = reader.last
        kind = inner.u8("type")
        structure.name = _NAMES.get(kind, f"type 0x{kind:02x}")
        structure.meaning = _read(inner, kind)


def _read(reader: TracedReader, kind: int) -> str:
    if kind in _UUID_OCTETS:
        uuids = []
        while reader.remaining:
            uuids.append(uuid_text(reader.take(_UUID_OCTETS[kind], "UUID")))
        return ", ".join(uuids)
    if kind in _DATA_UUID_OCTETS:
        uuid = uuid_text(reader.take(_DATA_UUID_OCTETS[kind], "UUID"))
        data = reader.rest()
        return f"{uuid}: {advert_words(data) if uuid == _TCAT and data else data.hex() or 'nothing'}"
    if kind == 0xFF:
        return f"company {reader.u16le('company'):04x}: {reader.rest().hex() or 'nothing'}"
    data = reader.rest()
    if kind in (0x08, 0x09):
        return data.decode("utf-8", "replace")
    if kind == 0x01 and data:
        return ", ".join(word for bit, word in enumerate(_FLAGS) if data[0] >> bit & 1) or "none"
    if kind == 0x0A and len(data) == 1:
        return f"{int.from_bytes(data, 'little', signed=True)} dBm"
    if kind == 0x19 and len(data) == 2:
        return f"0x{int.from_bytes(data, 'little'):04x}"
    if kind == 0x1A and len(data) == 2:
        return f"{int.from_bytes(data, 'little') * 0.625:g} ms"
    return ""


def uuid_text(octets: bytes) -> str:
    """A UUID as people write it, from the order of the air."""
    text = octets[::-1].hex()
    if len(text) == 32:
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    return text
