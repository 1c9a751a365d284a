"""DTLS records and the handshake of EC-JPAKE in them. What is encrypted is shown, not opened.

A handshake message that is spread over several fragments is shown in its parts.
"""

from devices.decode.fields import Meanings, TracedReader
from devices.decode.layers import layer
from devices.decode.words import named
from pairing.dtls.alerts import AlertLevel, alert_name
from pairing.dtls.messages import (
    NAMED_CURVE,
    SECP256R1,
    CipherSuite,
    ClientHello,
    ExtensionType,
    HandshakeFragment,
    HandshakeType,
    HelloVerifyRequest,
    ServerHello,
)
from pairing.dtls.record import DTLS_1_0, DTLS_1_2, HEADER_LENGTH, ContentType, DtlsRecord
from pairing.ecjpake.proof import KeyKp

_VERSIONS = {DTLS_1_0: "DTLS 1.0", DTLS_1_2: "DTLS 1.2"}


def _guess(data: bytes) -> int:
    is_record = data[:1] and data[0] in ContentType.__members__.values()
    if not is_record or int.from_bytes(data[1:3], "big") not in _VERSIONS:
        return 0
    return 95 if len(data) >= HEADER_LENGTH else 40


@layer("dtls", "DTLS records", guess=_guess)
def read_datagram(reader: TracedReader) -> None:
    """All records of a datagram."""
    while reader.remaining:
        with reader.group("record") as group:
            record = DtlsRecord.read(reader)
            fields = Meanings(group.fields)
            kind = named(ContentType, record.content_type)
            fields.mean("content type", kind)
            fields.mean("version", _VERSIONS.get(record.version, ""))
            group.meaning = f"{kind}, epoch {record.epoch}, sequence number {record.sequence}"
            inside = fields.inside("record", called="fragment")
            if record.epoch:
                inside.take(inside.remaining, "encrypted")
            else:
                _read_fragment(inside, record.content_type)


def _read_fragment(reader: TracedReader, content_type: int) -> None:
    match content_type:
        case ContentType.HANDSHAKE:
            while reader.remaining:
                _read_message(reader)
        case ContentType.ALERT:
            level = reader.u8("level")
            reader.mean(named(AlertLevel, level))
            description = reader.u8("description")
            reader.mean(alert_name(description))
    reader.rest()


def _read_message(reader: TracedReader) -> None:
    with reader.group("handshake message") as group:
        fragment = HandshakeFragment.read(reader)
        fields = Meanings(group.fields)
        kind = named(HandshakeType, fragment.msg_type)
        fields.mean("type", kind)
        group.meaning = f"{kind}, message_seq {fragment.message_seq}"
        if not fragment.is_whole:
            group.meaning += f", {len(fragment.body)} of {fragment.length} bytes from {fragment.offset}"
        elif fragment.body:
            _read_body(fields.inside("fragment", called="body"), fragment.msg_type)


def _read_body(reader: TracedReader, msg_type: int) -> None:
    match msg_type:
        case HandshakeType.CLIENT_HELLO:
            ClientHello.read(reader)
            _mean_hello(reader)
        case HandshakeType.SERVER_HELLO:
            ServerHello.read(reader)
            _mean_hello(reader)
        case HandshakeType.HELLO_VERIFY_REQUEST:
            HelloVerifyRequest.read(reader)
        case HandshakeType.SERVER_KEY_EXCHANGE:
            curve_type = reader.u8("curve_type")
            reader.mean("named curve" if curve_type == NAMED_CURVE else "")
            curve = reader.u16be("namedcurve")
            reader.mean("secp256r1" if curve == SECP256R1 else "")
            _read_key_pair(reader)
        case HandshakeType.CLIENT_KEY_EXCHANGE:
            _read_key_pair(reader)
        case HandshakeType.FINISHED:
            reader.take(reader.remaining, "verify_data")
    reader.rest()


def _mean_hello(reader: TracedReader) -> None:
    """Suites and extensions by name, EC-JPAKE's key pairs field by field."""
    extension: int | None = None
    for each in [inner for field in reader.fields for inner in field.walk()]:
        match each.name:
            case "version":
                each.meaning = _VERSIONS.get(each.number or 0, "")
            case "cipher_suites":
                numbers = [int.from_bytes(each.octets[at : at + 2], "big") for at in range(0, len(each.octets), 2)]
                each.meaning = ", ".join(_suite(number) for number in numbers)
            case "cipher_suite":
                each.meaning = _suite(each.number or 0)
            case "extension type":
                extension = each.number
                each.meaning = named(ExtensionType, extension or 0)
            case "extension" if extension == ExtensionType.ECJPAKE_KEY_KP_PAIR:
                inside = TracedReader(each.octets, each.offset, each.fields)
                _read_key_pair(inside)
                _read_key_pair(inside)
                inside.rest()


def _suite(number: int) -> str:
    try:
        return CipherSuite(number).name
    except ValueError:
        return f"{number:#06x}"


def _read_key_pair(reader: TracedReader) -> None:
    with reader.group("ECJPAKEKeyKP"):
        KeyKp.read(reader)
