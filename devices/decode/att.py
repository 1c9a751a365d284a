"""L2CAP of Bluetooth LE: its fixed channels, ATT and SMP.

Source: Core Specification 5.4, Vol 3, Part A, 3.1 and 4; Part F, 3.4; Part H, 3.3.
"""

from collections.abc import Mapping
from typing import Final

from devices.decode.ad import uuid_text
from devices.decode.fields import TracedReader
from devices.decode.tcat import simulated_words
from devices.decode.tls import tls_words

_ATT, _SIGNALING, _SMP = 4, 5, 6
CHANNELS: Final[Mapping[int, str]] = {_ATT: "ATT", _SIGNALING: "L2CAP signaling", _SMP: "SMP"}
OPCODES: Final[Mapping[int, tuple[str, str]]] = {
    0x01: ("Error Response", ""),
    0x02: ("Exchange MTU Request", "m"),
    0x03: ("Exchange MTU Response", "m"),
    0x04: ("Find Information Request", "se"),
    0x05: ("Find Information Response", ""),
    0x06: ("Find By Type Value Request", "set"),
    0x07: ("Find By Type Value Response", ""),
    0x08: ("Read By Type Request", "seu"),
    0x09: ("Read By Type Response", ""),
    0x0A: ("Read Request", "h"),
    0x0B: ("Read Response", ""),
    0x0C: ("Read Blob Request", "ho"),
    0x0D: ("Read Blob Response", ""),
    0x0E: ("Read Multiple Request", ""),
    0x0F: ("Read Multiple Response", ""),
    0x10: ("Read By Group Type Request", "seu"),
    0x11: ("Read By Group Type Response", ""),
    0x12: ("Write Request", "h"),
    0x13: ("Write Response", ""),
    0x16: ("Prepare Write Request", "ho"),
    0x17: ("Prepare Write Response", "ho"),
    0x18: ("Execute Write Request", ""),
    0x19: ("Execute Write Response", ""),
    0x1B: ("Handle Value Notification", "h"),
    0x1D: ("Handle Value Indication", "h"),
    0x1E: ("Handle Value Confirmation", ""),
    0x20: ("Read Multiple Variable Request", ""),
    0x21: ("Read Multiple Variable Response", ""),
    0x23: ("Multiple Handle Value Notification", ""),
    0x52: ("Write Command", "h"),
    0xD2: ("Signed Write Command", "h"),
}
"""Name, and the members before the value: m MTU, s first handle, e last, h handle, o offset, t type, u UUID."""
ERRORS: Final[Mapping[int, str]] = {
    0x01: "invalid handle",
    0x02: "read not permitted",
    0x03: "write not permitted",
    0x04: "invalid PDU",
    0x05: "insufficient authentication",
    0x06: "request not supported",
    0x07: "invalid offset",
    0x08: "insufficient authorization",
    0x0A: "attribute not found",
    0x0B: "attribute not long",
    0x0C: "encryption key size too short",
    0x0D: "invalid attribute value length",
    0x0E: "unlikely error",
    0x0F: "insufficient encryption",
    0x11: "insufficient resources",
}
_SMP_COMMANDS: Final = (
    "",
    "Pairing Request",
    "Pairing Response",
    "Pairing Confirm",
    "Pairing Random",
    "Pairing Failed",
    "Encryption Information",
    "Central Identification",
    "Identity Information",
    "Identity Address Information",
    "Signing Information",
    "Security Request",
    "Pairing Public Key",
    "Pairing DHKey Check",
    "Pairing Keypress Notification",
)
_FAILED = 0x05
_FAILURES: Final[Mapping[int, str]] = {
    0x01: "passkey entry failed",
    0x02: "OOB not available",
    0x03: "authentication requirements",
    0x04: "confirm value failed",
    0x05: "pairing not supported",
    0x06: "encryption key size",
    0x07: "command not supported",
    0x08: "unspecified reason",
    0x09: "repeated attempts",
    0x0A: "invalid parameters",
    0x0B: "DHKey check failed",
    0x0C: "numeric comparison failed",
    0x0D: "BR/EDR pairing in progress",
    0x0E: "cross-transport key derivation not allowed",
    0x0F: "key rejected",
}


def read_l2cap(reader: TracedReader) -> str:
    """One L2CAP frame, or its beginning; in a few words what it says."""
    length = reader.u16le("L2CAP length")
    channel = reader.u16le("channel")
    name = CHANNELS.get(channel, f"channel 0x{channel:04x}")
    reader.mean(name)
    if reader.remaining < length:
        reader.rest()
        return f"{name}, the first part of {length} bytes"
    inner = reader.sub(length, name)
    if channel == _ATT and length:
        return read_att(inner)
    if channel == _SMP and length:
        return _smp(inner)
    inner.rest()
    return f"{name}, {length} bytes"


def read_att(reader: TracedReader) -> str:
    """One PDU of the Attribute Protocol; in a few words what it says."""
    opcode = reader.u8("opcode")
    name, members = OPCODES.get(opcode, (f"opcode 0x{opcode:02x}", ""))
    reader.mean(name)
    if opcode == 0x01:
        return f"ATT {name}: {_error(reader)}"
    said = [_member(reader, each) for each in members]
    value = reader.rest() if reader.remaining else b""
    if value:
        reader.last.name = "value"
        tls = tls_words(value) or simulated_words(value)
        reader.mean(tls)
        shown = value.hex() if len(value) <= 20 else f"{value[:18].hex()}… ({len(value)} bytes)"
        said.append(f"{tls} ({len(value)} bytes)" if tls else shown)
    return " ".join(("ATT", name, *said))


def _error(reader: TracedReader) -> str:
    asked = reader.u8("request")
    reader.mean(OPCODES.get(asked, (f"opcode 0x{asked:02x}", ""))[0])
    request = reader.last.meaning
    handle = reader.u16le("handle")
    code = reader.u8("error")
    reader.mean(ERRORS.get(code, f"0x{code:02x}"))
    return f"{reader.last.meaning}, to {request} of 0x{handle:04x}"


def _member(reader: TracedReader, what: str) -> str:
    if what == "u":
        uuid = uuid_text(reader.take(16 if reader.remaining >= 16 else 2, "UUID"))
        reader.mean(uuid)
        return uuid
    name = {"m": "MTU", "s": "first handle", "e": "last handle", "h": "handle", "o": "offset", "t": "type"}[what]
    number = reader.u16le(name)
    return {"m": f"{number}", "o": f"from {number}", "t": f"{number:04x}"}.get(what, f"0x{number:04x}")


def _smp(reader: TracedReader) -> str:
    code = reader.u8("command")
    name = _SMP_COMMANDS[code] if 0 < code < len(_SMP_COMMANDS) else f"command 0x{code:02x}"
    reader.mean(name)
    if code == _FAILED:
        reason = reader.u8("reason")
        reader.mean(_FAILURES.get(reason, f"0x{reason:02x}"))
        return f"SMP {name}: {reader.last.meaning}"
    reader.rest()
    return f"SMP {name}"
