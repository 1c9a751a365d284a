"""Alerts: level(1) description(1). Source: RFC 5246, section 7.2."""

from dataclasses import dataclass
from enum import IntEnum

from pairing.errors import DecodeError


class AlertLevel(IntEnum):
    """How bad it is: a fatal alert ends the connection."""

    WARNING = 1
    FATAL = 2


class AlertDescription(IntEnum):
    """What is wrong. Numbers without a name here are kept as plain integers."""

    CLOSE_NOTIFY = 0
    UNEXPECTED_MESSAGE = 10
    BAD_RECORD_MAC = 20
    RECORD_OVERFLOW = 22
    HANDSHAKE_FAILURE = 40
    ILLEGAL_PARAMETER = 47
    DECODE_ERROR = 50
    DECRYPT_ERROR = 51
    PROTOCOL_VERSION = 70
    INSUFFICIENT_SECURITY = 71
    INTERNAL_ERROR = 80
    USER_CANCELED = 90
    NO_RENEGOTIATION = 100
    UNSUPPORTED_EXTENSION = 110


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert."""

    level: int
    description: int

    def encode(self) -> bytes:
        """Its two octets."""
        return bytes((self.level, self.description))

    @classmethod
    def decode(cls, data: bytes) -> "Alert":
        """An alert that fills its record."""
        if len(data) != 2:
            raise DecodeError(0, f"alert has {len(data)} octets, expected 2")
        return cls(data[0], data[1])

    @property
    def is_fatal(self) -> bool:
        """Whether it ends the connection at once."""
        return self.level == AlertLevel.FATAL

    @property
    def name(self) -> str:
        """`bad_record_mac`, or the number of an unknown one."""
        return alert_name(self.description)


def alert_name(description: int) -> str:
    """The standard's name of an alert, or its number."""
    try:
        return AlertDescription(description).name.lower()
    except ValueError:
        return str(description)
