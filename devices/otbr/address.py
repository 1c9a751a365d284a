"""IPv6 text and identifiers as the REST API writes them, and the nodes that a task can be sent to."""

import enum
from dataclasses import dataclass
from ipaddress import IPv6Address


def ipv6_text(address: bytes) -> str:
    """16 bytes as IPv6 text."""
    return str(IPv6Address(address))


def prefix_text(prefix: bytes) -> str:
    """The 8 bytes of a /64 as text."""
    return f"{IPv6Address(prefix + bytes(8))}/64"


def rloc16_text(rloc16: int) -> str:
    """A short address: `0xc800`."""
    return f"0x{rloc16:04x}"


class AddressType(enum.StrEnum):
    """How a task names its destination."""

    EXTENDED = "extended"
    MLEID = "mleid"
    RLOC = "rloc"

    @property
    def length(self) -> int:
        """Characters of such an address."""
        return 6 if self is AddressType.RLOC else 16


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a task goes; the text as it was given."""

    text: str
    type: AddressType
