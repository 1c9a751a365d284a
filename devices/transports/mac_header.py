"""The addresses of an 802.11 frame: what carries and hands on frames needs of them, and no more.

Management and data frames alike begin with 24 octets; bodies are `pairing`'s business. No FCS.
Source: IEEE 802.11-2020, 9.2.3 and 9.3.3.1.
"""

from typing import NamedTuple

from pairing.errors import DecodeError

HEADER_LENGTH = 24
LONGEST_FRAME = 11_454
"""The longest MPDU of any PHY; longer bytes cannot have come from a radio."""
_MANAGEMENT, _DATA = 0, 2


class MacHeader(NamedTuple):
    """`FC(2) duration(2) A1(6) A2(6) A3(6) sequence control(2)`: receiver, transmitter, and BSSID or cluster ID."""

    receiver: bytes
    transmitter: bytes
    bssid: bytes

    @property
    def is_group_addressed(self) -> bool:
        """Whether the frame is for more than one receiver."""
        return bool(self.receiver[0] & 1)

    @classmethod
    def decode(cls, frame: bytes) -> "MacHeader":
        """Read the addresses of a management or data frame. Raises DecodeError."""
        if not HEADER_LENGTH <= len(frame) <= LONGEST_FRAME:
            raise DecodeError(0, f"a frame of {len(frame)} octets, expected {HEADER_LENGTH} to {LONGEST_FRAME}")
        control = frame[0]
        if control & 3:
            raise DecodeError(0, f"802.11 protocol version {control & 3}, expected 0")
        if (control >> 2) & 3 not in (_MANAGEMENT, _DATA):
            raise DecodeError(0, f"frame type {(control >> 2) & 3}, expected management (0) or data (2)")
        if frame[10] & 1:
            raise DecodeError(10, "the transmitter address (A2) is a group address")
        return cls(frame[4:10], frame[10:16], frame[16:22])
