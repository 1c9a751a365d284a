"""Attributes of schedules: availability, NDC, NDL and its QoS, public availability, unaligned schedule.

Source: Wi-Fi Aware specification 4.0, sections 9.5.10, 9.5.12 to 9.5.17; layouts as independent dissectors read them.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Self

from pairing.errors import EncodeError
from pairing.nan.attributes.base import AttributeRecord, NanAttributeId, attribute, require_length, require_range
from pairing.nan.availability import ChannelEntry, TimeBitmap
from pairing.wire import Reader, Writer


class AvailabilityType(IntEnum):
    """Type bits of an availability entry."""

    COMMITTED = 1
    POTENTIAL = 2
    CONDITIONAL = 4


@dataclass(frozen=True, slots=True)
class ChannelList:
    """List control(1: 0x01, bit 1 non-contiguous, bits 4-7 count), then the channels."""

    channels: tuple[ChannelEntry, ...]
    is_non_contiguous: bool = False
    """Every channel then has an auxiliary bitmap."""
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class BandList:
    """List control(1: bit 0 zero, bits 4-7 count), then one octet a band; see `availability.Band`."""

    bands: tuple[int, ...]
    reserved: int = 0


_CHANNELS, _NON_CONTIGUOUS = 0x01, 0x02
_LIST_RESERVED = 0x0C
_BITMAP_PRESENT = 1 << 12


@dataclass(frozen=True, slots=True)
class AvailabilityEntry:
    """Length(2) control(2) [time bitmap] list of channels or bands. `control` is without the bit for the bitmap."""

    control: int
    time_bitmap: TimeBitmap | None = None
    places: ChannelList | BandList | None = None
    surplus: bytes = b""

    @property
    def type(self) -> int:
        """See `AvailabilityType`."""
        return self.control & 7

    @property
    def preference(self) -> int:
        """0 to 3."""
        return self.control >> 3 & 3

    @property
    def utilisation(self) -> int:
        """0 to 5 in fifths; 7 unknown."""
        return self.control >> 5 & 7

    @property
    def rx_nss(self) -> int:
        """Spatial streams that the device can receive."""
        return self.control >> 8 & 0xF

    @classmethod
    def read(cls, outer: Reader) -> "AvailabilityEntry":
        """One entry."""
        reader = outer.sub(outer.u16le("entry length"), "availability entry")
        control = reader.u16le("entry control")
        bitmap = TimeBitmap.read(reader) if control & _BITMAP_PRESENT else None
        places = _read_places(reader) if reader.remaining else None
        return cls(control & ~_BITMAP_PRESENT, bitmap, places, reader.rest())

    def write(self, outer: Writer) -> None:
        """One entry."""
        present = _BITMAP_PRESENT * (self.time_bitmap is not None)
        writer = Writer().u16le(self.control & ~_BITMAP_PRESENT | present)
        if self.time_bitmap is not None:
            self.time_bitmap.write(writer)
        if self.places is not None:
            _write_places(self.places, writer)
        writer.raw(self.surplus)
        outer.u16le(len(writer)).raw(writer.getvalue())


def _read_places(reader: Reader) -> ChannelList | BandList:
    control = reader.u8("list control")
    count = control >> 4
    if not control & _CHANNELS:
        return BandList(tuple(reader.u8("band ID") for _ in range(count)), control & (_LIST_RESERVED | _NON_CONTIGUOUS))
    is_split = bool(control & _NON_CONTIGUOUS)
    channels = tuple(ChannelEntry.read(reader, has_auxiliary=is_split) for _ in range(count))
    return ChannelList(channels, is_split, control & _LIST_RESERVED)


def _write_places(places: ChannelList | BandList, writer: Writer) -> None:
    if isinstance(places, BandList):
        count = require_range(len(places.bands), 0xF, "number of bands")
        writer.u8(count << 4 | places.reserved).raw(bytes(places.bands))
        return
    count = require_range(len(places.channels), 0xF, "number of channels")
    writer.u8(count << 4 | places.reserved | _NON_CONTIGUOUS * places.is_non_contiguous | _CHANNELS)
    for channel in places.channels:
        if (channel.auxiliary_bitmap is not None) != places.is_non_contiguous:
            raise EncodeError("channels have an auxiliary bitmap exactly if the list is non-contiguous")
        channel.write(writer)


class AvailabilityChange(IntFlag):
    """Bits of the availability control that say what has changed since the last sequence ID."""

    COMMITTED = 1 << 4
    POTENTIAL = 1 << 5
    PUBLIC = 1 << 6
    NDC = 1 << 7


@attribute(NanAttributeId.AVAILABILITY)
@dataclass(frozen=True, slots=True)
class Availability(AttributeRecord):
    """Sequence ID(1) control(2: bits 0-3 map ID, then `AvailabilityChange`), then entries."""

    sequence_id: int
    control: int
    entries: tuple[AvailabilityEntry, ...]

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """At least three octets."""
        sequence_id, control = reader.u8("sequence ID"), reader.u16le("availability control")
        entries: list[AvailabilityEntry] = []
        while reader.remaining:
            entries.append(AvailabilityEntry.read(reader))
        return cls(sequence_id, control, tuple(entries))

    def write_body(self, writer: Writer) -> None:
        """The fixed octets and the entries."""
        writer.u8(self.sequence_id).u16le(self.control)
        for entry in self.entries:
            entry.write(writer)

    @property
    def map_id(self) -> int:
        """Which of the device's schedules this is."""
        return self.control & 0xF


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """Map ID(1) and a time bitmap."""

    map_id: int
    time_bitmap: TimeBitmap


def _read_schedule(reader: Reader) -> tuple[ScheduleEntry, ...]:
    entries: list[ScheduleEntry] = []
    while reader.remaining:
        entries.append(ScheduleEntry(reader.u8("map ID"), TimeBitmap.read(reader)))
    return tuple(entries)


def _write_schedule(entries: tuple[ScheduleEntry, ...], writer: Writer) -> None:
    for entry in entries:
        writer.u8(entry.map_id)
        entry.time_bitmap.write(writer)


@attribute(NanAttributeId.PUBLIC_AVAILABILITY)
@dataclass(frozen=True, slots=True)
class PublicAvailability(AttributeRecord):
    """Schedule entries up to the end."""

    entries: tuple[ScheduleEntry, ...]

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """Schedule entries."""
        return cls(_read_schedule(reader))

    def write_body(self, writer: Writer) -> None:
        """Schedule entries."""
        _write_schedule(self.entries, writer)


NDC_ID_LENGTH = 6
NDC_SELECTED = 0x01


@attribute(NanAttributeId.NDC)
@dataclass(frozen=True, slots=True)
class Ndc(AttributeRecord):
    """NAN data cluster: NDC ID(6) control(1: bit 0 selected), then schedule entries."""

    ndc_id: bytes
    control: int
    entries: tuple[ScheduleEntry, ...]

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """At least seven octets."""
        return cls(reader.take(NDC_ID_LENGTH, "NDC ID"), reader.u8("NDC control"), _read_schedule(reader))

    def write_body(self, writer: Writer) -> None:
        """ID, control and schedule."""
        writer.raw(require_length(self.ndc_id, NDC_ID_LENGTH, "NDC ID")).u8(self.control)
        _write_schedule(self.entries, writer)


class NdlType(IntEnum):
    """Low nibble of an NDL's type and status."""

    REQUEST = 0
    RESPONSE = 1
    CONFIRM = 2


class NegotiationStatus(IntEnum):
    """High nibble of type and status in NDL, NDP and NDPE."""

    CONTINUED = 0
    ACCEPTED = 1
    REJECTED = 2


class NdlControl(IntFlag):
    """NDL control, without the bits that say that a field of the attribute is there (0, 1 and 4)."""

    NONE = 0
    NDC_PRESENT = 1 << 2
    QOS_PRESENT = 1 << 3
    NDL_TYPE = 1 << 5


_NDL_PEER_ID, _NDL_IMMUTABLE, _NDL_MAX_IDLE = 0x01, 0x02, 0x10
_NDL_PRESENCE = _NDL_PEER_ID | _NDL_IMMUTABLE | _NDL_MAX_IDLE


@attribute(NanAttributeId.NDL)
@dataclass(frozen=True, slots=True)
class Ndl(AttributeRecord):
    """Dialog token(1) type and status(1) reason(1) control(1) [peer ID(1)] [max idle(2, s)] [immutable schedule]."""

    dialog_token: int
    type: int
    """See `NdlType`."""
    status: int
    """See `NegotiationStatus`."""
    reason: int = 0
    control: NdlControl = NdlControl.NONE
    peer_id: int | None = None
    max_idle: int | None = None
    immutable_schedule: tuple[ScheduleEntry, ...] | None = None
    surplus: bytes = b""

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """At least four octets."""
        token, type_and_status, reason = reader.u8("dialog token"), reader.u8("type and status"), reader.u8("reason")
        control = reader.u8("NDL control")
        peer_id = reader.u8("peer ID") if control & _NDL_PEER_ID else None
        max_idle = reader.u16le("max idle") if control & _NDL_MAX_IDLE else None
        immutable = _read_schedule(reader) if control & _NDL_IMMUTABLE else None
        flags = NdlControl(control & ~_NDL_PRESENCE)
        kind, status = type_and_status & 0xF, type_and_status >> 4
        return cls(token, kind, status, reason, flags, peer_id, max_idle, immutable, reader.rest())

    def write_body(self, writer: Writer) -> None:
        """The fixed octets, then the fields that are there."""
        kind, status = require_range(self.type, 0xF, "NDL type"), require_range(self.status, 0xF, "NDL status")
        present = (
            _NDL_PEER_ID * (self.peer_id is not None)
            | _NDL_MAX_IDLE * (self.max_idle is not None)
            | _NDL_IMMUTABLE * (self.immutable_schedule is not None)
        )
        writer.u8(self.dialog_token).u8(status << 4 | kind).u8(self.reason).u8(self.control & ~_NDL_PRESENCE | present)
        if self.peer_id is not None:
            writer.u8(self.peer_id)
        if self.max_idle is not None:
            writer.u16le(self.max_idle)
        if self.immutable_schedule is not None:
            _write_schedule(self.immutable_schedule, writer)
        writer.raw(self.surplus)


NO_LATENCY_LIMIT = 0xFFFF


@attribute(NanAttributeId.NDL_QOS)
@dataclass(frozen=True, slots=True)
class NdlQos(AttributeRecord):
    """Minimum slots(1) maximum latency(2, slots); the defaults mean no preference."""

    min_slots: int = 0
    max_latency: int = NO_LATENCY_LIMIT
    surplus: bytes = b""

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """Three octets."""
        return cls(reader.u8("minimum slots"), reader.u16le("maximum latency"), reader.rest())

    def write_body(self, writer: Writer) -> None:
        """Three octets."""
        writer.u8(self.min_slots).u16le(self.max_latency).raw(self.surplus)


@attribute(NanAttributeId.UNALIGNED_SCHEDULE)
@dataclass(frozen=True, slots=True)
class UnalignedSchedule(AttributeRecord):
    """Time away that no slot fits: control(2: bits 0-3 schedule ID, 8-15 sequence ID) starting time(4) duration(4)
    period(4) count down(1) overwrite(1) [ULW control(1), then a band ID or a channel entry]; times in µs.
    """

    control: int
    starting_time: int
    duration: int
    period: int
    count_down: int
    overwrite: int
    ulw_control: int | None = None
    """Bits 0-1: 0 a band follows, 1 a channel, 2 a channel with auxiliary bitmap; bit 2 available, 3-6 RX NSS."""
    place: ChannelEntry | int | None = None
    surplus: bytes = b""

    @classmethod
    def read_body(cls, reader: Reader) -> Self:
        """At least sixteen octets."""
        control = reader.u16le("control")
        start, duration = reader.u32le("starting time"), reader.u32le("duration")
        period, count_down = reader.u32le("period"), reader.u8("count down")
        overwrite = reader.u8("overwrite")
        ulw_control = reader.u8("ULW control") if reader.remaining else None
        place = _read_ulw_place(reader, ulw_control)
        return cls(control, start, duration, period, count_down, overwrite, ulw_control, place, reader.rest())

    def write_body(self, writer: Writer) -> None:
        """The fixed octets, then the place where it is given."""
        writer.u16le(self.control).u32le(self.starting_time).u32le(self.duration)
        writer.u32le(self.period).u8(self.count_down).u8(self.overwrite)
        if self.ulw_control is not None:
            writer.u8(self.ulw_control)
            if isinstance(self.place, ChannelEntry):
                self.place.write(writer)
            elif self.place is not None:
                writer.u8(self.place)
        writer.raw(self.surplus)


def _read_ulw_place(reader: Reader, ulw_control: int | None) -> ChannelEntry | int | None:
    if ulw_control is None or not reader.remaining or ulw_control & 3 == 3:
        return None
    if ulw_control & 3 == 0:
        return reader.u8("band ID")
    return ChannelEntry.read(reader, has_auxiliary=ulw_control & 3 == 2)
