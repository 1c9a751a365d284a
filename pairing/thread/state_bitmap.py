"""The state bitmap of a border agent: TXT key `sb` of `_meshcop._udp`, four bytes, most significant first.

Bits from the least significant: 0-2 connection mode, 3-4 Thread interface, 5-6 availability, 7 BBR active, 8 BBR
primary, 9-10 role, 11 ePSKc supported, 12-13 multi-AIL, 14 admitter supported. A reader must ignore the bits above, so
they are kept as a number. Source: Thread 1.4 section 8.4.3 and OpenThread's border agent.
"""

from dataclasses import dataclass
from enum import IntEnum

from pairing.errors import DecodeError, EncodeError

LENGTH = 4
DEFINED_BITS = 15


class _Words(IntEnum):
    """A number on the wire with the words that people read. Reserved numbers stay apart here but read alike."""

    @property
    def words(self) -> str:
        """The meaning in lower-case words."""
        if self.name.startswith("RESERVED_"):
            return "reserved"
        return _SPECIAL_WORDS.get(self.name, self.name.lower().replace("_", " "))


_SPECIAL_WORDS = {"INITIALISED": "initialised, not active"}


class ConnectionMode(_Words):
    """How a commissioner may connect to this border agent."""

    DISABLED = 0
    PSKC = 1
    PSKD = 2
    VENDOR = 3
    X509 = 4
    RESERVED_5 = 5
    RESERVED_6 = 6
    RESERVED_7 = 7


class InterfaceStatus(_Words):
    """What the Thread interface is doing."""

    NOT_INITIALISED = 0
    INITIALISED = 1
    ACTIVE = 2
    RESERVED_3 = 3


class Availability(_Words):
    """How often the border router can be reached."""

    INFREQUENT = 0
    HIGH = 1
    RESERVED_2 = 2
    RESERVED_3 = 3


class ThreadRole(_Words):
    """The border router's role in its mesh."""

    DISABLED_OR_DETACHED = 0
    CHILD = 1
    ROUTER = 2
    LEADER = 3


class MultiAil(_Words):
    """Whether several adjacent infrastructure links were detected."""

    OFF_OR_NOT_SUPPORTED = 0
    NOT_DETECTED = 1
    DETECTED = 2
    RESERVED_3 = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StateBitmap:
    """The fields of `sb`. `decode` keeps every bit, so that `encode` gives the same four bytes."""

    connection_mode: ConnectionMode = ConnectionMode.DISABLED
    interface_status: InterfaceStatus = InterfaceStatus.NOT_INITIALISED
    availability: Availability = Availability.HIGH
    bbr_active: bool = False
    bbr_primary: bool = False
    role: ThreadRole = ThreadRole.DISABLED_OR_DETACHED
    ephemeral_key_supported: bool = False
    multi_ail: MultiAil = MultiAil.OFF_OR_NOT_SUPPORTED
    admitter_supported: bool = False
    bits_above_defined: int = 0

    @classmethod
    def decode(cls, data: bytes) -> "StateBitmap":
        """Parse the four bytes of `sb`; any value of them is legal."""
        if len(data) != LENGTH:
            raise DecodeError(0, f"state bitmap is {len(data)} bytes, expected {LENGTH}")
        value = int.from_bytes(data, "big")
        return cls(
            connection_mode=ConnectionMode(value & 7),
            interface_status=InterfaceStatus(value >> 3 & 3),
            availability=Availability(value >> 5 & 3),
            bbr_active=bool(value >> 7 & 1),
            bbr_primary=bool(value >> 8 & 1),
            role=ThreadRole(value >> 9 & 3),
            ephemeral_key_supported=bool(value >> 11 & 1),
            multi_ail=MultiAil(value >> 12 & 3),
            admitter_supported=bool(value >> 14 & 1),
            bits_above_defined=value >> DEFINED_BITS,
        )

    @property
    def value(self) -> int:
        """The bitmap as a number."""
        return (
            self.connection_mode
            | self.interface_status << 3
            | self.availability << 5
            | self.bbr_active << 7
            | self.bbr_primary << 8
            | self.role << 9
            | self.ephemeral_key_supported << 11
            | self.multi_ail << 12
            | self.admitter_supported << 14
            | self.bits_above_defined << DEFINED_BITS
        )

    def encode(self) -> bytes:
        """The four bytes of `sb`."""
        if not 0 <= self.bits_above_defined < 1 << (8 * LENGTH - DEFINED_BITS):
            raise EncodeError(f"{self.bits_above_defined} does not fit the bits above the {DEFINED_BITS} defined ones")
        return self.value.to_bytes(LENGTH, "big")

    def meaning(self) -> dict[str, object]:
        """The bitmap in words, with the JSON member names of our vectors."""
        return {
            "value": f"0x{self.value:08x}",
            "connectionMode": self.connection_mode.words,
            "interfaceStatus": self.interface_status.words,
            "availability": self.availability.words,
            "bbrActive": self.bbr_active,
            "bbrPrimary": self.bbr_primary,
            "role": self.role.words,
            "ephemeralKeySupported": self.ephemeral_key_supported,
            "multiAil": self.multi_ail.words,
            "admitterSupported": self.admitter_supported,
            "bitsAboveDefined": self.bits_above_defined,
        }
