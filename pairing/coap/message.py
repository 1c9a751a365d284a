"""CoAP messages: version, type, code, message ID, token, options, payload. Source: RFC 7252, section 3.

Options are kept in their order with their octets, known or not, so that an encoded decoding is the original. What a
message means in an exchange is `endpoint`'s business.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from pairing.errors import DecodeError, EncodeError
from pairing.wire import Reader, Writer

VERSION = 1
PAYLOAD_MARKER = 0xFF
LONGEST_TOKEN = 8
LARGEST_OPTION_NUMBER = 0xFFFF
LONGEST_OPTION = 0xFFFF


class CoapType(IntEnum):
    """Message types."""

    CON = 0
    NON = 1
    ACK = 2
    RST = 3


class CoapCode(IntEnum):
    """Codes by name: class * 32 + detail. Others pass as plain integers."""

    EMPTY = 0x00
    GET = 0x01
    POST = 0x02
    PUT = 0x03
    DELETE = 0x04
    CREATED = 0x41
    DELETED = 0x42
    VALID = 0x43
    CHANGED = 0x44
    CONTENT = 0x45
    BAD_REQUEST = 0x80
    UNAUTHORIZED = 0x81
    BAD_OPTION = 0x82
    FORBIDDEN = 0x83
    NOT_FOUND = 0x84
    METHOD_NOT_ALLOWED = 0x85
    INTERNAL_SERVER_ERROR = 0xA0
    NOT_IMPLEMENTED = 0xA1
    SERVICE_UNAVAILABLE = 0xA3


def code_text(code: int) -> str:
    """`2.04`."""
    return f"{code >> 5}.{code & 0x1F:02}"


class OptionNumber(IntEnum):
    """Options that this package knows; others pass as plain integers."""

    URI_HOST = 3
    OBSERVE = 6
    URI_PORT = 7
    URI_PATH = 11
    CONTENT_FORMAT = 12
    MAX_AGE = 14
    URI_QUERY = 15
    ACCEPT = 17


@dataclass(frozen=True, slots=True)
class CoapOption:
    """One option. An odd number is critical: who does not know it must not process the message."""

    number: int
    value: bytes = b""

    @property
    def is_critical(self) -> bool:
        """Whether it may not be passed over."""
        return bool(self.number & 1)


def path_options(path: str) -> tuple[CoapOption, ...]:
    """Uri-Path options of `c/ag`."""
    return tuple(CoapOption(OptionNumber.URI_PATH, segment.encode()) for segment in path.split("/") if segment)


@dataclass(frozen=True, slots=True)
class CoapMessage:
    """One message. `options` go out in the order of their numbers, equal numbers in the order given."""

    message_type: CoapType
    code: int
    message_id: int
    token: bytes = b""
    options: tuple[CoapOption, ...] = ()
    payload: bytes = field(default=b"", repr=False)

    def encode(self) -> bytes:
        """The message as it travels; an empty payload has no marker."""
        if len(self.token) > LONGEST_TOKEN:
            raise EncodeError(f"CoAP token has {len(self.token)} octets, expected at most {LONGEST_TOKEN}")
        if not self.code and (self.token or self.options or self.payload):
            raise EncodeError("CoAP message with code 0.00 has a token, options or a payload, expected none")
        writer = Writer().u8(VERSION << 6 | self.message_type << 4 | len(self.token))
        writer.u8(self.code).u16be(self.message_id).raw(self.token)
        number = 0
        for option in sorted(self.options, key=lambda each: each.number):
            _write_option(writer, option, option.number - number)
            number = option.number
        if self.payload:
            writer.u8(PAYLOAD_MARKER).raw(self.payload)
        return writer.getvalue()

    @classmethod
    def decode(cls, data: bytes) -> "CoapMessage":
        """The message that fills a datagram."""
        return cls.read(Reader(data))

    @classmethod
    def read(cls, reader: Reader) -> "CoapMessage":
        """Read a message up to the end."""
        start = reader.offset
        first = reader.u8("CoAP header")
        if first >> 6 != VERSION:
            raise DecodeError(start, f"CoAP version {first >> 6}, expected {VERSION}")
        token_length = first & 0x0F
        if token_length > LONGEST_TOKEN:
            raise DecodeError(start, f"CoAP token of {token_length} octets, expected at most {LONGEST_TOKEN}")
        code, message_id = reader.u8("code"), reader.u16be("message ID")
        token = reader.take(token_length, "token")
        if not code and (token or reader.remaining):
            raise reader.fail("CoAP message with code 0.00 goes on, expected its four octets")
        options, payload = _read_options(reader)
        return cls(CoapType(first >> 4 & 3), code, message_id, token, options, payload)

    @property
    def is_empty(self) -> bool:
        """Code 0.00: an acknowledgement, a reset or a ping."""
        return self.code == CoapCode.EMPTY

    @property
    def is_request(self) -> bool:
        """Code 0.01 to 0.31."""
        return 0 < self.code < 0x20

    @property
    def is_response(self) -> bool:
        """Code 2.00 to 5.31."""
        return 0x40 <= self.code < 0xC0

    @property
    def path(self) -> str:
        """Uri-Path segments joined by `/`; octets that are no text become replacement characters."""
        values = (each.value for each in self.options if each.number == OptionNumber.URI_PATH)
        return "/".join(value.decode("utf-8", "replace") for value in values)

    def options_beside(self, numbers: Iterable[int]) -> tuple[CoapOption, ...]:
        """The options of any other number."""
        known = frozenset(numbers)
        return tuple(each for each in self.options if each.number not in known)

    def __str__(self) -> str:
        shown = f"{self.message_type.name} {code_text(self.code)} mid {self.message_id}"
        return f"{shown} {self.path}" if self.path else shown


def _read_options(reader: Reader) -> tuple[tuple[CoapOption, ...], bytes]:
    options: list[CoapOption] = []
    number = 0
    while reader.remaining:
        first = reader.u8("option")
        if first == PAYLOAD_MARKER:
            if not reader.remaining:
                raise reader.fail("payload marker without a payload")
            return tuple(options), reader.rest()
        number += _read_extended(reader, first >> 4, "option delta")
        if number > LARGEST_OPTION_NUMBER:
            raise reader.fail(f"option number {number}, expected at most {LARGEST_OPTION_NUMBER}")
        length = _read_extended(reader, first & 0x0F, "option length")
        options.append(CoapOption(number, reader.take(length, "option value")))
    return tuple(options), b""


def _read_extended(reader: Reader, nibble: int, what: str) -> int:
    if nibble < 13:
        return nibble
    if nibble == 13:
        return reader.u8(what) + 13
    if nibble == 14:
        return reader.u16be(what) + 269
    raise reader.fail(f"{what} 15 is reserved")


def _write_option(writer: Writer, option: CoapOption, delta: int) -> None:
    if not 0 <= option.number <= LARGEST_OPTION_NUMBER or len(option.value) > LONGEST_OPTION:
        raise EncodeError(f"CoAP option {option.number} with {len(option.value)} octets has no form on the wire")
    (delta_nibble, delta_octets), (length_nibble, length_octets) = _extended(delta), _extended(len(option.value))
    writer.u8(delta_nibble << 4 | length_nibble).raw(delta_octets).raw(length_octets).raw(option.value)


def _extended(value: int) -> tuple[int, bytes]:
    if value < 13:
        return value, b""
    if value < 269:
        return 13, bytes((value - 13,))
    return 14, (value - 269).to_bytes(2, "big")
