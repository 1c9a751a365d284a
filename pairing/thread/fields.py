"""Records for the structured fields of an Operational Dataset: timestamp, channel, channel mask, security policy.

Each decodes from the value of its TLV and encodes back. Values longer than a field needs pass, as in OpenThread: the
surplus is the TLV's, not the field's. Whether a network may use a value is `dataset_rules`' business.
They are named tuples, since a dataset makes ten of them at each parse. Source: Thread specification, chapter 8.10.
"""

import struct
from collections.abc import Iterable
from struct import Struct
from typing import NamedTuple

from pairing.errors import DecodeError, EncodeError

_U64 = Struct(">Q")
_PAIR = Struct("BB")
_CHANNEL = Struct(">BH")

FIRST_CHANNEL = 11
LAST_CHANNEL = 26
PAGE_24_GHZ = 0


def utf8_error(text: bytes) -> int | None:
    """Offset at which the text breaks UTF-8's pattern of leading and continuation bytes, or None.

    That is all OpenThread looks at: overlong forms and surrogates pass.
    """
    place = 0
    while place < len(text):
        lead = text[place]
        ones = 8 - (lead ^ 0xFF).bit_length()
        follow = 0 if ones == 0 else ones - 1
        if ones == 1 or ones > 4:
            return place
        if any(place + step >= len(text) or text[place + step] & 0xC0 != 0x80 for step in range(1, follow + 1)):
            return place
        place += 1 + follow
    return None


class Timestamp(NamedTuple):
    """Active or Pending Timestamp. Ordered over all 64 bits, so authoritative is newer than the same time without."""

    seconds: int
    ticks: int = 0
    authoritative: bool = False

    @classmethod
    def decode(cls, value: bytes) -> "Timestamp":
        """Eight bytes: seconds(48) ticks(15, in 1/32768 s) authoritative(1)."""
        if len(value) < 8:
            raise DecodeError(0, f"timestamp has {len(value)} bytes, expected 8")
        return cls.from_int(_U64.unpack_from(value)[0])

    @classmethod
    def from_int(cls, number: int) -> "Timestamp":
        """The timestamp that the 64-bit number holds."""
        return cls(number >> 16, number >> 1 & 0x7FFF, number & 1 == 1)

    def encode(self) -> bytes:
        """Eight bytes."""
        seconds, ticks, authoritative = self
        if seconds >> 48 or ticks >> 15:  # also true of negative numbers
            raise EncodeError(f"timestamp of {seconds} s and {ticks} ticks does not fit 48 and 15 bits")
        return _U64.pack(seconds << 16 | ticks << 1 | authoritative)

    def __int__(self) -> int:
        return int.from_bytes(self.encode(), "big")

    def __str__(self) -> str:
        source = "authoritative" if self.authoritative else "not authoritative"
        return f"seconds {self.seconds}, ticks {self.ticks}, {source}"


class Channel(NamedTuple):
    """Channel or Wake-up Channel: page(1) channel(2). Page 0 is the 2.4 GHz band, channels 11 to 26."""

    page: int
    channel: int

    @classmethod
    def decode(cls, value: bytes) -> "Channel":
        """Three bytes."""
        if len(value) < 3:
            raise DecodeError(0, f"channel has {len(value)} bytes, expected 3")
        return cls(*_CHANNEL.unpack_from(value))

    def encode(self) -> bytes:
        """Three bytes."""
        try:
            return _CHANNEL.pack(*self)
        except struct.error:
            raise EncodeError(f"channel {self.channel} of page {self.page} does not fit 2 and 1 bytes") from None

    def __str__(self) -> str:
        return f"{self.channel} (page {self.page})"


class ChannelMaskEntry(NamedTuple):
    """The channels of one page; the most significant bit of the first mask byte is channel 0."""

    page: int
    mask: bytes

    def channels(self) -> tuple[int, ...]:
        """Channel numbers whose bit is set, ascending."""
        width = 8 * len(self.mask)
        number = int.from_bytes(self.mask, "big")
        return tuple(channel for channel in range(width) if number >> (width - 1 - channel) & 1)


class ChannelMask(NamedTuple):
    """Channel Mask: entries page(1) length(1) mask(length), one after the other, of known and unknown pages."""

    entries: tuple[ChannelMaskEntry, ...]

    @classmethod
    def decode(cls, value: bytes) -> "ChannelMask":
        """All entries up to the end of `value`."""
        entries: list[ChannelMaskEntry] = []
        start, end = 0, len(value)
        while start < end:
            if start + 2 > end:
                raise DecodeError(start, "channel mask entry needs a page and a length byte, 1 byte left")
            stop = start + 2 + value[start + 1]
            if stop > end:
                raise DecodeError(start + 2, f"channel mask needs {value[start + 1]} bytes, {end - start - 2} left")
            entries.append(ChannelMaskEntry(value[start], value[start + 2 : stop]))
            start = stop
        return cls(tuple(entries))

    @classmethod
    def from_channels(cls, channels: Iterable[int]) -> "ChannelMask":
        """One entry of page 0 with these channel numbers."""
        number = 0
        for channel in channels:
            if not 0 <= channel < 32:
                raise EncodeError(f"channel {channel} has no bit in a page 0 mask, expected 0 to 31")
            number |= 1 << (31 - channel)
        return cls((ChannelMaskEntry(PAGE_24_GHZ, number.to_bytes(4, "big")),))

    @classmethod
    def from_openthread(cls, number: int) -> "ChannelMask":
        """The mask that OpenThread and its JSON write as this number: channel n is bit n."""
        if not 0 <= number < 1 << 32:
            raise EncodeError(f"channel mask {number} does not fit 32 bits")
        return cls.from_channels(channel for channel in range(32) if number >> channel & 1)

    def encode(self) -> bytes:
        """The entries on the wire; all 2.4 GHz channels are `0004001fffe0`."""
        encoded = b""
        for page, mask in self.entries:
            if page >> 8 or len(mask) >> 8:
                raise EncodeError(f"channel mask entry of page {page} with {len(mask)} bytes does not fit its header")
            encoded += _PAIR.pack(page, len(mask)) + mask
        return encoded

    def channels(self, page: int = PAGE_24_GHZ) -> tuple[int, ...]:
        """Channel numbers of one page, ascending."""
        numbers = {channel for entry in self.entries if entry.page == page for channel in entry.channels()}
        return tuple(sorted(numbers))

    @property
    def openthread_mask(self) -> int:
        """OpenThread's number, also the JSON one: bit n for channel n, only channels that its radio has."""
        return sum(1 << channel for channel in self.channels() if FIRST_CHANNEL <= channel <= LAST_CHANNEL)

    @property
    def openthread_text(self) -> str:
        """OpenThread's print, `0x07fff800` for all 2.4 GHz channels."""
        return f"0x{self.openthread_mask:08x}"

    def __str__(self) -> str:
        pages = (f"{entry.mask.hex()} (page {entry.page}) = {_ranges(entry.channels())}" for entry in self.entries)
        return "; ".join(pages) + f"; OpenThread {self.openthread_text}"


def _ranges(channels: tuple[int, ...]) -> str:
    """`11-26` or `11-13, 15`; `no channel` for none."""
    runs: list[list[int]] = []
    for channel in channels:
        if runs and runs[-1][1] == channel - 1:
            runs[-1][1] = channel
        else:
            runs.append([channel, channel])
    texts = (str(first) if first == last else f"{first}-{last}" for first, last in runs)
    return "channels " + ", ".join(texts) if runs else "no channel"


ALL_CHANNELS = ChannelMask.from_channels(range(FIRST_CHANNEL, LAST_CHANNEL + 1))


class SecurityPolicy(NamedTuple):
    """Security Policy: rotation_hours(2) flags(1 in Thread 1.1, 2 since 1.2). Some bits mean "disabled" when set.

    Bits of a second flags byte that is absent read as the defaults.
    """

    rotation_hours: int
    flags: bytes

    @classmethod
    def decode(cls, value: bytes) -> "SecurityPolicy":
        """Three bytes at least; bytes after the second flags byte are not looked at."""
        if len(value) < 3:
            raise DecodeError(0, f"security policy has {len(value)} bytes, expected 3")
        return cls(value[0] << 8 | value[1], value[2:4])

    @classmethod
    def of(
        cls,
        rotation_hours: int = 672,
        *,
        obtain_network_key: bool = True,
        native_commissioning: bool = True,
        routers: bool = True,
        external_commissioning: bool = True,
        legacy_beacons: bool = False,
        commercial_commissioning: bool = False,
        autonomous_enrollment: bool = False,
        network_key_provisioning: bool = False,
        toble_link: bool = True,
        non_ccm_routers: bool = False,
        version_threshold_for_routing: int = 0,
    ) -> "SecurityPolicy":
        """A policy from its named bits; the defaults are Thread's, `02a0f7f8`."""
        if not 0 <= version_threshold_for_routing <= 7:
            raise EncodeError(f"version threshold {version_threshold_for_routing} does not fit 3 bits")
        first = (
            obtain_network_key << 7
            | native_commissioning << 6
            | routers << 5
            | external_commissioning << 4
            | legacy_beacons << 3
            | (not commercial_commissioning) << 2
            | (not autonomous_enrollment) << 1
            | (not network_key_provisioning)
        )
        second = toble_link << 7 | (not non_ccm_routers) << 6 | _RESERVED | version_threshold_for_routing
        return cls(rotation_hours, bytes((first, second)))

    def encode(self) -> bytes:
        """Three or four bytes."""
        hours, flags = self
        if hours >> 16:
            raise EncodeError(f"key rotation of {hours} hours does not fit 2 bytes")
        if not 0 < len(flags) < 3:
            raise EncodeError(f"security policy has {len(flags)} flags bytes, expected 1 or 2")
        return hours.to_bytes(2, "big") + flags

    @property
    def obtain_network_key(self) -> bool:
        """O: a commissioner may read the Network Key through the Leader."""
        return bool(self.flags[0] & 0x80)

    @property
    def native_commissioning(self) -> bool:
        """N: commissioning from inside the mesh is allowed."""
        return bool(self.flags[0] & 0x40)

    @property
    def routers(self) -> bool:
        """R: routers of older Thread versions are allowed."""
        return bool(self.flags[0] & 0x20)

    @property
    def external_commissioning(self) -> bool:
        """C: an external commissioner may authenticate with the PSKc."""
        return bool(self.flags[0] & 0x10)

    @property
    def legacy_beacons(self) -> bool:
        """B: the beacon bit of Thread 1.1, reserved later."""
        return bool(self.flags[0] & 0x08)

    @property
    def commercial_commissioning(self) -> bool:
        """CCM is enabled (the wire bit says disabled)."""
        return not self.flags[0] & 0x04

    @property
    def autonomous_enrollment(self) -> bool:
        """Autonomous enrolment is enabled (the wire bit says disabled)."""
        return not self.flags[0] & 0x02

    @property
    def network_key_provisioning(self) -> bool:
        """Network Key provisioning is enabled (the wire bit says disabled)."""
        return not self.flags[0] & 0x01

    @property
    def _second(self) -> int:
        return self.flags[1] if len(self.flags) > 1 else _DEFAULT_SECOND

    @property
    def toble_link(self) -> bool:
        """Thread over BLE links are allowed."""
        return bool(self._second & 0x80)

    @property
    def non_ccm_routers(self) -> bool:
        """Routers without CCM are allowed in a CCM network (the wire bit says disabled)."""
        return not self._second & 0x40

    @property
    def reserved(self) -> int:
        """The three reserved bits of the second flags byte, sent as ones (7)."""
        return (self._second & _RESERVED) >> 3

    @property
    def version_threshold_for_routing(self) -> int:
        """Lowest Thread version, as distance from 3, that may route when `routers` is off."""
        return self._second & 0x07

    @property
    def openthread_text(self) -> str:
        """OpenThread's print, `672 onrc 0` for the default policy."""
        letters = (
            (self.obtain_network_key, "o"),
            (self.native_commissioning, "n"),
            (self.routers, "r"),
            (self.external_commissioning, "c"),
            (self.commercial_commissioning, "C"),
            (self.autonomous_enrollment, "e"),
            (self.network_key_provisioning, "p"),
            (self.non_ccm_routers, "R"),
        )
        shown = "".join(letter for is_set, letter in letters if is_set)
        return f"{self.rotation_hours} {shown} {self.version_threshold_for_routing}"

    def __str__(self) -> str:
        return f"{self.rotation_hours} h, {self.openthread_text}"


_RESERVED = 0x38
_DEFAULT_SECOND = 0xF8
DEFAULT_SECURITY_POLICY = SecurityPolicy.of()
