"""TLS records and the names of the handshake messages in them. What is encrypted is shown, not opened.

Over GATT a record comes in pieces; a piece that begins one says what it begins. Source: RFC 5246, 6.2 and 7.4.
"""

from collections.abc import Mapping
from typing import Final

from devices.decode.fields import TracedReader
from devices.decode.layers import layer
from devices.decode.words import named
from pairing.dtls.alerts import AlertLevel, alert_name
from pairing.dtls.record import ContentType

_VERSIONS: Final[Mapping[int, str]] = {0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}
_MESSAGES: Final[Mapping[int, str]] = {
    0: "Hello Request",
    1: "Client Hello",
    2: "Server Hello",
    4: "New Session Ticket",
    11: "Certificate",
    12: "Server Key Exchange",
    13: "Certificate Request",
    14: "Server Hello Done",
    15: "Certificate Verify",
    16: "Client Key Exchange",
    20: "Finished",
}
_HEAD = 5
_LONGEST_RECORD = 0x4800
_SHORTEST = 7
"""An alert; what is shorter may be anything."""


def _guess(data: bytes) -> int:
    return 90 if len(data) >= _SHORTEST and _begins_record(data) else 0


def _begins_record(data: bytes) -> bool:
    return (
        data[0] in ContentType.__members__.values()
        and int.from_bytes(data[1:3], "big") in _VERSIONS
        and 0 < int.from_bytes(data[3:5], "big") <= _LONGEST_RECORD
    )


@layer("tls", "TLS records", guess=_guess)
def read_tls(reader: TracedReader) -> None:
    """Records up to the end; after a Change Cipher Spec they are encrypted."""
    is_encrypted = False
    while reader.remaining:
        with reader.group("record") as group:
            content_type = reader.u8("content type")
            kind = named(ContentType, content_type)
            reader.mean(kind)
            version = reader.u16be("version")
            reader.mean(_VERSIONS.get(version, ""))
            fragment = reader.sub(reader.u16be("length"), "fragment")
            group.meaning = kind
            if is_encrypted or content_type == ContentType.APPLICATION_DATA:
                fragment.take(fragment.remaining, "encrypted")
            else:
                said = _read_fragment(fragment, content_type)
                group.meaning = f"{kind}: {said}" if said else kind
            is_encrypted = is_encrypted or content_type == ContentType.CHANGE_CIPHER_SPEC


def _read_fragment(reader: TracedReader, content_type: int) -> str:
    if content_type == ContentType.ALERT:
        level = named(AlertLevel, reader.u8("level"))
        reader.mean(level)
        description = alert_name(reader.u8("description"))
        reader.mean(description)
        return description
    messages = []
    while content_type == ContentType.HANDSHAKE and reader.remaining >= 4:
        messages.append(_MESSAGES.get(reader.peek(1)[0], "unknown"))
        with reader.group("handshake message", messages[-1]):
            reader.u8("type")
            length = reader.u24be("length")
            reader.take(min(length, reader.remaining), "body")
    reader.rest()
    return ", ".join(messages)


def tls_words(data: bytes) -> str:
    """What the records say that begin in a piece of a stream; nothing where none begins at its front."""
    said: list[str] = []
    while len(data) >= _HEAD and _begins_record(data) and (said or len(data) >= _SHORTEST):
        kind, length = data[0], int.from_bytes(data[3:5], "big")
        is_clear = kind == ContentType.HANDSHAKE and len(data) > _HEAD and "change cipher spec" not in said
        told = _MESSAGES.get(data[_HEAD]) if is_clear else None
        said.append(told or named(ContentType, kind))
        data = data[_HEAD + length :]
    return f"TLS {', '.join(said)}" if said else ""
