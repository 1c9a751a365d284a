"""TCAT TLVs inside the TLS channel: type(1) length(1), or a length byte of 0xFF and two bytes of length.

Both ends may choose the long form earlier than they must, so decoding takes either at any length. The channel is a
stream: a TLV may be spread over records, several may share one. Source: Thread 1.4 specification, chapter 13.
"""

import enum
from typing import NamedTuple

from pairing.errors import EncodeError
from pairing.thread.tlvs import EXTENDED, MAX_SHORT_LENGTH


class TcatType(enum.IntEnum):
    """TLV types: answers, commands by class, and the names of application layers."""

    STATUS = 0x01
    PAYLOAD = 0x02
    GET_NETWORK_NAME = 0x08
    DISCONNECT = 0x09
    PING = 0x0A
    GET_DEVICE_ID = 0x0B
    GET_XPANID = 0x0C
    GET_PROVISIONING_URL = 0x0D
    PRESENT_PSKD_PROOF = 0x10
    PRESENT_PSKC_PROOF = 0x11
    PRESENT_INSTALL_CODE_PROOF = 0x12
    GET_CHALLENGE = 0x13
    REQUEST_PSKD_PROOF = 0x14
    SET_ACTIVE_DATASET = 0x20
    GET_COMMISSIONER_CERTIFICATE = 0x25
    GET_DIAGNOSTICS = 0x26
    THREAD_START = 0x27
    THREAD_STOP = 0x28
    GET_ACTIVE_DATASET = 0x40
    DECOMMISSION = 0x60
    GET_APPLICATION_LAYERS = 0x80
    APP_DATA_1 = 0x81
    APP_DATA_2 = 0x82
    APP_DATA_3 = 0x83
    APP_DATA_4 = 0x84
    UDP_SERVICE_NAME = 0x89
    TCP_SERVICE_NAME = 0x8A
    VENDOR_DATA = 0x9F


class TcatStatus(enum.IntEnum):
    """How a command ended."""

    SUCCESS = 0
    UNSUPPORTED = 1
    PARSE_ERROR = 2
    VALUE_ERROR = 3
    GENERAL_ERROR = 4
    BUSY = 5
    UNDEFINED = 6
    PROOF_WRONG = 7
    INVALID_STATE = 8
    UNAUTHORIZED = 16


SECRET_TYPES = frozenset({TcatType.SET_ACTIVE_DATASET, TcatType.PAYLOAD})
"""Types whose values may hold a network key."""
MAX_LENGTH = 0xFFFF


def tcat_type_name(tlv_type: int) -> str:
    """The type in words, `thread-start`; `unknown` for one that we do not know."""
    try:
        return TcatType(tlv_type).name.lower().replace("_", "-")
    except ValueError:
        return "unknown"


def status_name(status: int) -> str:
    """The status in words, `invalid-state`; `unknown` for one that we do not know."""
    try:
        return TcatStatus(status).name.lower().replace("_", "-")
    except ValueError:
        return "unknown"


class TcatTlv(NamedTuple):
    """One TLV."""

    type: int
    value: bytes = b""

    def __repr__(self) -> str:
        shown = f"<{len(self.value)} bytes>" if self.type in SECRET_TYPES else self.value.hex()
        return f"TcatTlv({tcat_type_name(self.type)}, {shown})"

    def encode(self, *, long_form: bool = False) -> bytes:
        """On the wire; the long form where it is asked for or needed. Raises EncodeError."""
        length = len(self.value)
        if not 0 <= self.type <= 0xFF or length > MAX_LENGTH:
            raise EncodeError(f"TLV {self.type} of {length} bytes has no form on the wire")
        if long_form or length > MAX_SHORT_LENGTH:
            return bytes((self.type, EXTENDED)) + length.to_bytes(2, "big") + self.value
        return bytes((self.type, length)) + self.value


class DecodedTlv(NamedTuple):
    """The first TLV of some bytes. `complete` is false while `length` bytes have not come; `size` with the header."""

    type: int
    length: int
    value: bytes
    is_long_form: bool
    complete: bool
    size: int

    @property
    def tlv(self) -> TcatTlv:
        """Type and value."""
        return TcatTlv(self.type, self.value)


def first_tlv(data: bytes) -> DecodedTlv | None:
    """The TLV at the front of a stream, as far as it is there; None while not even its header is."""
    if len(data) < 2:
        return None
    is_long_form = data[1] == EXTENDED
    start = 4 if is_long_form else 2
    if len(data) < start:
        return None
    length = int.from_bytes(data[2:4], "big") if is_long_form else data[1]
    value = data[start : start + length]
    return DecodedTlv(data[0], length, value, is_long_form, len(value) == length, start + length)


class TcatStream:
    """Cuts a stream into TLVs. What is not whole waits; no bytes are an error."""

    def __init__(self) -> None:
        self._buffer = b""

    @property
    def waiting(self) -> int:
        """Bytes of a TLV that is not whole yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[TcatTlv]:
        """The TLVs that are whole now, in order."""
        self._buffer += data
        whole = []
        while (first := first_tlv(self._buffer)) is not None and first.complete:
            whole.append(first.tlv)
            self._buffer = self._buffer[first.size :]
        return whole


def status_tlv(status: int) -> TcatTlv:
    """The answer that is a status."""
    return TcatTlv(TcatType.STATUS, bytes((status,)))
