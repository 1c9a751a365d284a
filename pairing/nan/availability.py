"""When and where a device says it is: time bitmaps, and the channels or bands they belong to.

The attributes that carry them are in `attributes.schedule`. Any period is legal: iPhones advertise more than 512 TU,
and a parser that refuses it sees nothing of them.
Source: Wi-Fi Aware specification 4.0, section 9.5.10 (availability entries, time bitmap control).
"""

from dataclasses import dataclass
from enum import IntEnum

from pairing.engine import Micros
from pairing.nan.attributes.base import require_range
from pairing.nan.timing import DW0_PERIOD_TU, SLOT_TU, TU
from pairing.wire import Reader, Writer

PERIOD_512_TU = 3
"""The period field for a bitmap that repeats every 512 TU."""


@dataclass(frozen=True, slots=True)
class TimeBitmap:
    """Control(2) length(1) bitmap. Bit k, least significant first, is the k-th stretch after the start offset."""

    bitmap: bytes
    duration: int = 0
    """A bit stands for 16·2^n TU."""
    period: int = PERIOD_512_TU
    """0: does not repeat; else every 64·2^n TU."""
    start_offset: int = 0
    """In slots of 16 TU after DW0."""
    reserved: int = 0

    @classmethod
    def read(cls, reader: Reader) -> "TimeBitmap":
        """At least three octets."""
        control = reader.u16le("time bitmap control")
        bitmap = reader.take(reader.u8("time bitmap length"), "time bitmap")
        return cls(bitmap, control & 7, control >> 3 & 7, control >> 6 & 0x1FF, control >> 15)

    def write(self, writer: Writer) -> None:
        """Control, length and bitmap."""
        control = require_range(self.duration, 7, "time bitmap duration")
        control |= require_range(self.period, 7, "time bitmap period") << 3
        control |= require_range(self.start_offset, 0x1FF, "time bitmap start offset") << 6
        writer.u16le(control | require_range(self.reserved, 1, "reserved bit") << 15).block8(self.bitmap)

    @property
    def duration_tu(self) -> int:
        """How long one bit lasts."""
        return SLOT_TU << self.duration

    @property
    def period_tu(self) -> int | None:
        """After how long the bitmap repeats, or None."""
        return 64 << self.period if self.period else None

    def covers(self, tsf: Micros) -> bool:
        """Whether the bit for that moment is set. Without a period it is counted from the last DW0."""
        since = tsf // TU % DW0_PERIOD_TU - self.start_offset * SLOT_TU
        if self.period_tu is not None:
            since %= self.period_tu
        index = since // self.duration_tu
        return 0 <= index < 8 * len(self.bitmap) and bool(self.bitmap[index // 8] >> index % 8 & 1)


class Band(IntEnum):
    """Band ids in availability entries."""

    SUB_1_GHZ = 1
    GHZ_2_4 = 2
    GHZ_5 = 4
    GHZ_6 = 7


OPERATING_CLASSES: dict[int, tuple[int, ...]] = {
    81: tuple(range(1, 14)),
    82: (14,),
    115: (36, 40, 44, 48),
    116: (36, 44),
    117: (40, 48),
    118: (52, 56, 60, 64),
    119: (52, 60),
    120: (56, 64),
    121: tuple(range(100, 145, 4)),
    122: (100, 108, 116, 124, 132, 140),
    123: (104, 112, 120, 128, 136, 144),
    124: (149, 153, 157, 161),
    125: (149, 153, 157, 161, 165, 169),
    126: (149, 157),
    127: (153, 161),
    128: (42, 58, 106, 122, 138, 155),
    129: (50, 114),
    130: (42, 58, 106, 122, 138, 155),
}
"""Channels of the global operating classes in use (IEEE 802.11-2020, table E-4), in the order of the channel bitmap."""
CLASSES_6_GHZ = range(131, 138)
"""Here the bitmap is the first channel number and, in its high octet, how many channels there are from there on."""


@dataclass(frozen=True, slots=True)
class ChannelEntry:
    """Operating class(1) channel bitmap(2) primary bitmap(1) [auxiliary bitmap(2)]."""

    operating_class: int
    channel_bitmap: int
    primary_bitmap: int = 0
    auxiliary_bitmap: int | None = None

    @classmethod
    def read(cls, reader: Reader, *, has_auxiliary: bool) -> "ChannelEntry":
        """Four or six octets."""
        operating_class, channels = reader.u8("operating class"), reader.u16le("channel bitmap")
        primary = reader.u8("primary channel bitmap")
        return cls(
            operating_class, channels, primary, reader.u16le("auxiliary channel bitmap") if has_auxiliary else None
        )

    def write(self, writer: Writer) -> None:
        """Four or six octets."""
        writer.u8(self.operating_class).u16le(self.channel_bitmap).u8(self.primary_bitmap)
        if self.auxiliary_bitmap is not None:
            writer.u16le(self.auxiliary_bitmap)

    @property
    def channels(self) -> tuple[int, ...]:
        """Channel numbers that the bitmap names, in 6 GHz the first one; none for a class we do not know."""
        if self.operating_class in CLASSES_6_GHZ:
            return (self.channel_bitmap & 0xFF,)
        known = OPERATING_CLASSES.get(self.operating_class, ())
        return tuple(number for place, number in enumerate(known) if self.channel_bitmap >> place & 1)
