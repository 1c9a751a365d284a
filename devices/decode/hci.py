"""HCI packets as hosts and controllers exchange them (H4): commands, events, and the L2CAP frames in data packets.

Source: Core Specification 5.4, Vol 4, Part A, 2 and Part E, 5.4 and 7.
"""

from collections.abc import Mapping
from typing import Final

from devices.decode.ad import read_ad
from devices.decode.att import read_l2cap
from devices.decode.fields import TracedReader
from devices.decode.layers import decode_as, layer, layer_called
from pairing.errors import DecodeError

COMMAND, DATA, EVENT = 1, 2, 4
_COMMANDS: Final[Mapping[int, str]] = {
    0x0406: "Disconnect",
    0x0C01: "Set Event Mask",
    0x0C03: "Reset",
    0x0C63: "Set Event Mask Page 2",
    0x1001: "Read Local Version Information",
    0x1002: "Read Local Supported Commands",
    0x1003: "Read Local Supported Features",
    0x1005: "Read Buffer Size",
    0x1009: "Read BD_ADDR",
    0x1405: "Read RSSI",
    0x2001: "LE Set Event Mask",
    0x2002: "LE Read Buffer Size",
    0x2003: "LE Read Local Supported Features",
    0x2005: "LE Set Random Address",
    0x2006: "LE Set Advertising Parameters",
    0x2008: "LE Set Advertising Data",
    0x2009: "LE Set Scan Response Data",
    0x200A: "LE Set Advertising Enable",
    0x200B: "LE Set Scan Parameters",
    0x200C: "LE Set Scan Enable",
    0x200D: "LE Create Connection",
    0x200E: "LE Create Connection Cancel",
    0x2010: "LE Clear Filter Accept List",
    0x2011: "LE Add Device To Filter Accept List",
    0x2013: "LE Connection Update",
    0x2016: "LE Read Remote Features",
    0x2018: "LE Rand",
    0x2019: "LE Enable Encryption",
    0x201A: "LE Long Term Key Request Reply",
    0x201B: "LE Long Term Key Request Negative Reply",
    0x2022: "LE Set Data Length",
    0x2023: "LE Read Suggested Default Data Length",
    0x2024: "LE Write Suggested Default Data Length",
    0x2035: "LE Set Advertising Set Random Address",
    0x2036: "LE Set Extended Advertising Parameters",
    0x2037: "LE Set Extended Advertising Data",
    0x2038: "LE Set Extended Scan Response Data",
    0x2039: "LE Set Extended Advertising Enable",
    0x203C: "LE Remove Advertising Set",
    0x2041: "LE Set Extended Scan Parameters",
    0x2042: "LE Set Extended Scan Enable",
    0x2043: "LE Extended Create Connection",
    0x2060: "LE Read Buffer Size",
}
_EVENTS: Final[Mapping[int, str]] = {
    0x05: "Disconnection Complete",
    0x08: "Encryption Change",
    0x0E: "Command Complete",
    0x0F: "Command Status",
    0x13: "Number Of Completed Packets",
    0x30: "Encryption Key Refresh Complete",
    0x3E: "LE Meta",
    0x59: "Encryption Change",
}
_LE_EVENTS: Final[Mapping[int, str]] = {
    0x01: "LE Connection Complete",
    0x02: "LE Advertising Report",
    0x03: "LE Connection Update Complete",
    0x04: "LE Read Remote Features Complete",
    0x05: "LE Long Term Key Request",
    0x07: "LE Data Length Change",
    0x0A: "LE Enhanced Connection Complete",
    0x0D: "LE Extended Advertising Report",
    0x12: "LE Advertising Set Terminated",
}
_ADVERTISING_DATA: Final = {0x2008: 0, 0x2009: 0, 0x2037: 3, 0x2038: 3}
"""Commands that hold AD structures, and the octets before their length."""
_CONTINUING = 1


def _guess(data: bytes) -> int:
    if len(data) < 3:
        return 0
    if data[0] == COMMAND:
        return 40 if len(data) > 3 and len(data) == 4 + data[3] else 0
    if data[0] == EVENT:
        return 40 if data[1] in _EVENTS and len(data) == 3 + data[2] else 0
    if data[0] == DATA:
        return 40 if len(data) > 8 and len(data) == 5 + int.from_bytes(data[3:5], "little") else 0
    return 0


@layer("hci", "HCI packet (H4)", guess=_guess)
def read_hci(reader: TracedReader) -> None:
    """One packet with its type before it."""
    kind = reader.u8("packet type")
    field = reader.last
    field.meaning = {COMMAND: "command", DATA: "data", EVENT: "event"}.get(kind, "unknown")
    if kind == COMMAND:
        said = _command(reader)
    elif kind == EVENT:
        said = _event(reader)
    elif kind == DATA:
        said = _data(reader)
    else:
        reader.rest()
        said = f"packet type {kind}"
    field.meaning = f"{field.meaning}: {said}"


def hci_summary(data: bytes) -> str:
    """One line: what a packet says."""
    decoded = decode_as(layer_called("hci"), data)
    if decoded.error is not None:
        return f"HCI {len(data)} bytes, malformed: {decoded.error.reason}"
    return decoded.fields[0].meaning.split(": ", 1)[-1]


@layer("hci-phdr", "HCI packet (H4) with its direction", guess=lambda _data: 0)
def read_hci_with_direction(reader: TracedReader) -> None:
    """What captures have (LINKTYPE_BLUETOOTH_HCI_H4_WITH_PHDR)."""
    direction = reader.u32be("direction")
    reader.mean("from the controller" if direction else "from the host")
    read_hci(reader)


def _command(reader: TracedReader) -> str:
    opcode = reader.u16le("opcode")
    name = _COMMANDS.get(opcode, f"command 0x{opcode:04x}")
    reader.mean(name)
    inner = reader.sub(reader.u8("length"), "parameters")
    before = _ADVERTISING_DATA.get(opcode)
    if before is not None and inner.remaining > before + 1:
        if before:
            inner.take(before, "set, operation, fragments")
        return f"{name}: {_advert(inner.sub(inner.u8('length of data'), 'data'))}"
    if inner.remaining:
        inner.rest()
    return name


def _event(reader: TracedReader) -> str:
    code = reader.u8("event")
    name = _EVENTS.get(code, f"event 0x{code:02x}")
    reader.mean(name)
    inner = reader.sub(reader.u8("length"), "parameters")
    said = _parameters(inner, code, name)
    if inner.remaining:
        inner.rest()
    return said


def _parameters(reader: TracedReader, code: int, name: str) -> str:
    if code == 0x3E:
        return _le_event(reader)
    if code == 0x05:
        status, handle = reader.u8("status"), reader.u16le("connection")
        return f"{name} of connection {handle}, reason 0x{reader.u8('reason'):02x}{_failed(status)}"
    if code in (0x0E, 0x0F):
        status = reader.u8("status") if code == 0x0F else 0
        reader.u8("packets allowed")
        opcode = reader.u16le("opcode")
        reader.mean(_COMMANDS.get(opcode, f"command 0x{opcode:04x}"))
        command = reader.last.meaning
        if code == 0x0E and reader.remaining:
            status = reader.u8("status")
        return f"{name} of {command}{_failed(status)}"
    return name


def _le_event(reader: TracedReader) -> str:
    code = reader.u8("LE event")
    name = _LE_EVENTS.get(code, f"LE event 0x{code:02x}")
    reader.mean(name)
    if code in (0x01, 0x0A):
        status, handle, role = reader.u8("status"), reader.u16le("connection"), reader.u8("role")
        reader.mean("peripheral" if role else "central")
        reader.u8("address type")
        return f"{name}: connection {handle} with {_address(reader)}{_failed(status)}"
    if code == 0x02 and reader.u8("reports") == 1:
        kind = reader.u8("advert type")
        reader.u8("address type")
        address = _address(reader)
        said = _advert(reader.sub(reader.u8("length of data"), "data"))
        return f"{'scan response' if kind == 4 else 'advert'} of {address}: {said}{_strength(reader)}"
    if code == 0x0D and reader.u8("reports") == 1:
        return _extended_report(reader)
    return name


def _extended_report(reader: TracedReader) -> str:
    kind = reader.u16le("advert type")
    reader.u8("address type")
    address = _address(reader)
    reader.take(4, "PHYs, set, TX power")
    strength = _strength(reader)
    reader.take(9, "periodic interval, direct address")
    said = _advert(reader.sub(reader.u8("length of data"), "data"))
    return f"{'scan response' if kind & 0x08 else 'advert'} of {address}: {said}{strength}"


def _data(reader: TracedReader) -> str:
    handle = reader.u16le("connection and flags")
    reader.mean(f"connection {handle & 0x0FFF}")
    inner = reader.sub(reader.u16le("length"), "L2CAP")
    if handle >> 12 & 3 == _CONTINUING or inner.remaining < 4:
        inner.rest()
        return "the next part of an L2CAP frame"
    return read_l2cap(inner)


def _advert(reader: TracedReader) -> str:
    """AD structures; a malformed advert is what a peer may send, so only that is said of it."""
    try:
        read_ad(reader)
    except DecodeError as problem:
        return f"malformed: {problem.reason}"
    said = [f"{each.name} {each.meaning}" for each in reader.fields if each.name not in ("length", "padding", "flags")]
    return "; ".join(said) or "no data"


def _address(reader: TracedReader) -> str:
    address = reader.take(6, "address")[::-1].hex(":").upper()
    reader.mean(address)
    return address


def _strength(reader: TracedReader) -> str:
    dbm = int.from_bytes(reader.take(1, "RSSI"), "little", signed=True)
    reader.mean(f"{dbm} dBm")
    return f", {dbm} dBm"


def _failed(status: int) -> str:
    return f", status 0x{status:02x}" if status else ""
